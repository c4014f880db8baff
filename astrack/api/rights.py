"""Requests over a record: taken in, their clock, what is kept back, the copy, the answer."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from astrack.access.callers import Caller, CallerOf
from astrack.api.common import Cursor, Key, Limit, caught_up, cursor_of, cursor_place
from astrack.api.family import EndIn
from astrack.api.request_forms import (
    AnswerIn,
    ExtendIn,
    HeldOut,
    Proposed,
    RequestCopyIn,
    RequestCopyOut,
    RequestIn,
    RequestLine,
    RequestMade,
    RequestOut,
    RequestPage,
    StopIn,
    WithheldOut,
    WithholdIn,
    WithholdingReviewIn,
)
from astrack.rights import clock, copy
from astrack.rights.asked import about
from astrack.rights.held import everything
from domain.authority import Action
from domain.rights import requests as r
from projections import rights_desk

router = APIRouter(tags=["rights"])


@router.post("/pupils/{pupil_id}/data-requests")
def ask_right(caller: CallerOf, pupil_id: UUID, body: RequestIn, key: Key) -> RequestMade:
    """Ask for access, correction, objection, restriction or erasing; its clock runs from the day it arrived."""
    caller.may(Action.ASK_RIGHT, pupil_id)
    stated = _in_own_name(caller, body.model_dump())
    return RequestMade(**caller.records.receive_request(caller.ask(key), pupil_id, **stated))


@router.get("/pupils/{pupil_id}/data-requests")
def requests_about(caller: CallerOf, pupil_id: UUID) -> list[RequestLine]:
    """The requests about one pupil, the newest first."""
    caller.see(Action.SEE_RIGHTS, pupil_id)
    caught_up(caller)
    with caller.app.views.reading(caller.records.school_id) as cur:
        rows = rights_desk.of_pupil(cur, caller.records.school_id, pupil_id)
    own = _own_name(caller)
    calendar = clock.calendar_of(caller.records)
    return [_line(one, calendar) for one in rows if own is None or one.asked_by == own]


@router.get("/data-requests")
def list_requests(caller: CallerOf, limit: Limit = 50, cursor: Cursor = None, everything: bool = False) -> RequestPage:
    """The requests of this school that wait for an answer (or all of them), those that arrived first first."""
    caller.see(Action.LIST_RIGHTS)
    caught_up(caller)
    with caller.app.views.reading(caller.records.school_id) as cur:
        rows = rights_desk.listed(
            cur, caller.records.school_id, open_only=not everything, after=cursor_place(cursor), limit=limit + 1
        )
    calendar = clock.calendar_of(caller.records)
    last = rows[limit - 1] if len(rows) > limit else None
    more = cursor_of([last.received_on, last.request_id]) if last else None
    return RequestPage(items=[_line(one, calendar) for one in rows[:limit]], next=more)


@router.get("/data-requests/{request_id}")
def one_request(caller: CallerOf, request_id: UUID) -> RequestOut:
    """One request: its clock, what is to be kept back, its answer."""
    found = about(caller, Action.SEE_RIGHTS, request_id, look=True)
    own = _own_name(caller)
    if own is not None and found.asked.asked_by != own:
        raise r.NoSuchRequest(r.NOT_HERE)
    return _whole(found, clock.calendar_of(caller.records), shown=own is None)


@router.get("/data-requests/{request_id}/items")
def items_held(caller: CallerOf, request_id: UUID) -> list[HeldOut]:
    """Everything held, item by item, so that each can be judged."""
    asked = about(caller, Action.SEE_ALL_HELD, request_id, look=True).asked
    items = everything(caller.app, caller.looks, caller.records, asked.pupil_id)
    return [HeldOut(item=one.item, group=one.group, at=one.at, what=one.title, careful=one.careful,
                    content=one.content) for one in items]  # fmt: skip


@router.post("/data-requests/{request_id}/stop")
def stop_clock(caller: CallerOf, request_id: UUID, body: StopIn, key: Key) -> RequestMade:
    """The clock stands while the school waits for proof of identity, or for clarification."""
    about(caller, Action.HANDLE_RIGHTS, request_id)
    return RequestMade(**caller.records.stop_clock(caller.ask(key), request_id, **body.model_dump()))


@router.post("/data-requests/{request_id}/start")
def start_clock(caller: CallerOf, request_id: UUID, body: EndIn, key: Key) -> RequestMade:
    """What was waited for has come."""
    about(caller, Action.HANDLE_RIGHTS, request_id)
    return RequestMade(**caller.records.start_clock(caller.ask(key), request_id, on=body.on))


@router.post("/data-requests/{request_id}/extend")
def extend_request(caller: CallerOf, request_id: UUID, body: ExtendIn, key: Key) -> RequestMade:
    """Take up to two months more, once."""
    about(caller, Action.HANDLE_RIGHTS, request_id)
    return RequestMade(**caller.records.extend_request(caller.ask(key), request_id, **body.model_dump()))


@router.post("/data-requests/{request_id}/withhold")
def withhold(caller: CallerOf, request_id: UUID, body: WithholdIn, key: Key) -> RequestMade:
    """Propose to keep one item back."""
    about(caller, Action.HANDLE_RIGHTS, request_id)
    return RequestMade(**caller.records.withhold(caller.ask(key), request_id, **body.model_dump()))


@router.post("/data-requests/{request_id}/withhold-by-default")
def withhold_by_default(caller: CallerOf, request_id: UUID, key: Key) -> Proposed:
    """Propose to keep back what schools are careful with: safeguarding, looks by the DSL, broken glass."""
    about(caller, Action.HANDLE_RIGHTS, request_id)
    made = copy.propose_by_default(caller.app, caller.looks, caller.records, caller.ask(key), request_id)
    return Proposed(items=made)


@router.post("/data-requests/{request_id}/review")
def review_withheld(caller: CallerOf, request_id: UUID, body: WithholdingReviewIn, key: Key) -> RequestMade:
    """A second person says whether an item is kept back."""
    about(caller, Action.REVIEW_WITHHELD, request_id)
    return RequestMade(**caller.records.review_withholding(caller.ask(key), request_id, **body.model_dump()))


@router.post("/data-requests/{request_id}/copy")
def make_copy(caller: CallerOf, request_id: UUID, body: RequestCopyIn, key: Key) -> RequestCopyOut:
    """Make the copy that answers a request for access, sealed for whoever asked. Made anew at every call.

    Whoever makes it could open it: it takes what seeing everything held takes, and is a look at it.
    """
    about(caller, Action.HANDLE_RIGHTS, request_id)
    asked = about(caller, Action.SEE_ALL_HELD, request_id).asked
    made = copy.make_copy(caller.app, caller.looks, caller.records, caller.ask(key), request_id, body.recipient)
    caller.looked(Action.SEE_ALL_HELD, [asked.pupil_id])
    return RequestCopyOut(
        name=made.name, sealed=base64.b64encode(made.sealed).decode(), sha256=made.sha256, key=made.key,
        given=made.given, withheld=made.withheld,
    )  # fmt: skip


@router.post("/data-requests/{request_id}/answer")
def answer_request(caller: CallerOf, request_id: UUID, body: AnswerIn, key: Key) -> RequestMade:
    """Answer a request. Access is granted only by a copy."""
    about(caller, Action.HANDLE_RIGHTS, request_id)
    return RequestMade(**caller.records.answer_request(caller.ask(key), request_id, **body.model_dump()))


@router.post("/data-requests/{request_id}/withdraw")
def withdraw_request(caller: CallerOf, request_id: UUID, body: EndIn, key: Key) -> RequestMade:
    """Whoever asked no longer does."""
    about(caller, Action.HANDLE_RIGHTS, request_id)
    return RequestMade(**caller.records.withdraw_request(caller.ask(key), request_id, on=body.on))


def _own_name(caller: Caller) -> str | None:
    return caller.viewer.role if caller.viewer.role in ("pupil", "parent") else None


def _in_own_name(caller: Caller, stated: dict[str, Any]) -> dict[str, Any]:
    own = _own_name(caller)
    if own is None:
        return stated
    relation = caller.viewer.id if own == "parent" else None
    return {**stated, "asked_by": own, "on": caller.today, "relation_id": relation}


def _line(row: rights_desk.Row, calendar: clock.Calendar) -> RequestLine:
    waits = row.state in ("running", "stopped")
    return RequestLine(**row._asdict(), due_on=clock.due(row.request, calendar) if waits else None)


def _whole(found: r.Request, calendar: clock.Calendar, *, shown: bool) -> RequestOut:
    received = found.asked
    source = clock.source(received.kind, calendar)
    kept = [WithheldOut(item=item, because=one.because, upheld=one.upheld) for item, one in found.withheld.items()]
    return RequestOut(
        request_id=received.request_id, pupil_id=received.pupil_id, kind=received.kind, asked_by=received.asked_by,
        wants=received.wants, received_on=received.happened_on,
        due_on=clock.due(found, calendar) if found.open else None,
        stopped_on=found.stopped_on, stopped_why=found.stopped_why, extended=found.extended,
        withheld=kept if shown else [], copy_sha256=found.copy.sha256 if found.copy else None,
        answered_on=found.answered.happened_on if found.answered else None,
        outcome=found.answered.outcome if found.answered else None, withdrawn_on=found.withdrawn_on, source=source,
    )  # fmt: skip
