"""One request over a record: its clock, item by item what is kept back and why, the copy, the answer."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.rights import clock, copy
from astrack.rights.asked import about
from astrack.rights.held import Item, everything
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.rights import WORDS, Do, names_of, one_act
from astrack.web.site import Site, see_other
from astrack.web.words import OUTCOMES, STOPPED
from domain.authority import Action
from domain.rights import requests as r
from transfer.errors import TransferRefused

ITEMS_SHOWN = 500


def request_pages(site: Site) -> APIRouter:
    """The page of one request and what is done from it."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/rights/requests/{request_id}")
    def one(request: Request, who: Who, request_id: UUID) -> Response:
        return _page(site, request, who, request_id)

    @router.post("/rights/requests/{request_id}/copy")
    def make_copy(request: Request, who: Who, sent: Sent, request_id: UUID) -> Response:
        _about(who, Action.HANDLE_RIGHTS, request_id)
        # whoever makes a copy could open it
        asked = _about(who, Action.SEE_ALL_HELD, request_id).asked
        recipient = sent.text("recipient", 4000, label="Their age key") or None
        try:
            made = copy.make_copy(who.app, who.looks, who.records, sent.ask(who), request_id, recipient)
        except (*REFUSALS, TransferRefused) as refused:
            return _page(site, request, who, request_id, sent, refused, "copy")
        who.looked(Action.SEE_ALL_HELD, [asked.pupil_id])
        file = base64.b64encode(made.sealed).decode()
        return site.page(request, "rights_copy.html", viewer=who.viewer, made=made, file=file,
                         path=f"/rights/requests/{request_id}")  # fmt: skip

    @router.post("/rights/requests/{request_id}/{act}")
    def change(request: Request, who: Who, sent: Sent, request_id: UUID, act: str) -> Response:
        action, do, done = one_act(ACTS, act)
        _about(who, action, request_id)
        try:
            do(who, sent, request_id)
        except REFUSALS as refused:
            return _page(site, request, who, request_id, sent, refused, act)
        return see_other(f"/rights/requests/{request_id}", done)

    return router


def _about(who: Caller, action: Action, request_id: UUID, *, look: bool = False) -> r.Request:
    who.may(Action.LIST_RIGHTS)  # what is kept back is for the school's eyes
    return about(who, action, request_id, look=look)


def _page(
    site: Site, request: Request, who: Caller, request_id: UUID, typed: Form | None = None,
    refused: Exception | None = None, act: str = "",
) -> Response:  # fmt: skip
    found = _about(who, Action.SEE_RIGHTS, request_id, look=True)
    received = found.asked
    calendar = clock.calendar_of(who.records)
    due_on = clock.due(found, calendar) if found.open else None
    return site.page(
        request, "rights_request.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        asked=found, received=received, name=names_of(who, [received.pupil_id]).get(received.pupil_id, "A pupil"),
        due_on=due_on, days=(due_on - who.today).days if due_on else None,
        source=clock.source(received.kind, calendar),
        exemptions=r.WITHHELD_BECAUSE, path=f"/rights/requests/{request_id}", typed=typed or Form(),
        handles=who.can_ever(Action.HANDLE_RIGHTS), reviews=who.can_ever(Action.REVIEW_WITHHELD), me=who.viewer.id,
        error=said(refused) if refused else "", act=act, items=_items(who, received.pupil_id), **WORDS,
    )  # fmt: skip


def _items(who: Caller, pupil_id: UUID) -> list[Item] | None:
    """Everything held, for who may see it now; None where an exception (a broken glass) is needed first."""
    glass = who.viewer.role == "dpo" and pupil_id not in who.viewer.glass
    if glass or not who.can_ever(Action.SEE_ALL_HELD):
        return None
    who.see(Action.SEE_ALL_HELD, pupil_id)
    return everything(who.app, who.looks, who.records, pupil_id)[:ITEMS_SHOWN]


def _stop(who: Caller, sent: Form, request_id: UUID) -> None:
    why: Any = sent.one_of("stop_why", STOPPED, label="What you wait for")
    on = sent.day("stop_on", label="From")
    who.records.stop_clock(sent.ask(who), request_id, on=on, why=why, note=sent.text("stop_note"))


def _start(who: Caller, sent: Form, request_id: UUID) -> None:
    who.records.start_clock(sent.ask(who), request_id, on=sent.day("start_on", label="The day it came"))


def _extend(who: Caller, sent: Form, request_id: UUID) -> None:
    why = sent.text("extend_why", 500, label="Why", needed=True)
    who.records.extend_request(sent.ask(who), request_id, on=who.today, why=why)


def _withhold(who: Caller, sent: Form, request_id: UUID) -> None:
    because: Any = sent.one_of("because", r.WITHHELD_BECAUSE, label="The exemption")
    item = sent.text("item", 80, label="The item", needed=True)
    why = sent.text("withhold_why", 500, label="Why", needed=True)
    who.records.withhold(sent.ask(who), request_id, item=item, because=because, why=why)


def _by_default(who: Caller, sent: Form, request_id: UUID) -> None:
    copy.propose_by_default(who.app, who.looks, who.records, sent.ask(who), request_id)


def _judge(who: Caller, sent: Form, request_id: UUID) -> None:
    upheld = sent.one_of("upheld", ("yes", "no"), label="Your judgement") == "yes"
    item = sent.text("item", 80, label="The item", needed=True)
    who.records.review_withholding(sent.ask(who), request_id, item=item, upheld=upheld, note=sent.text("note"))


def _answer(who: Caller, sent: Form, request_id: UUID) -> None:
    outcome: Any = sent.one_of("outcome", OUTCOMES, label="The answer")
    why = sent.text("answer_why", 1000, label="Why")
    who.records.answer_request(sent.ask(who), request_id, on=who.today, outcome=outcome, why=why)


def _withdraw(who: Caller, sent: Form, request_id: UUID) -> None:
    who.records.withdraw_request(sent.ask(who), request_id, on=who.today)


ACTS: dict[str, tuple[Action, Do, str]] = {
    "stop": (Action.HANDLE_RIGHTS, _stop, "clock-stopped"),
    "start": (Action.HANDLE_RIGHTS, _start, "clock-started"),
    "extend": (Action.HANDLE_RIGHTS, _extend, "extended"),
    "withhold": (Action.HANDLE_RIGHTS, _withhold, "withheld"),
    "withhold-by-default": (Action.HANDLE_RIGHTS, _by_default, "withheld"),
    "judge": (Action.REVIEW_WITHHELD, _judge, "judged"),
    "answer": (Action.HANDLE_RIGHTS, _answer, "answered"),
    "withdraw": (Action.HANDLE_RIGHTS, _withdraw, "request-withdrawn"),
}
