"""What follows a record to another school: late facts, and what goes from DSL (safeguarding lead) to DSL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web.corrections import entry_page, fields, righted
from astrack.web.door import REFUSALS, PageRoute, Sent, Who
from astrack.web.lists import reading
from astrack.web.site import Site
from astrack.web.story import Told, story
from astrack.web.tutor import identity_of
from domain.authority import Action
from domain.journey.supplement import Late
from projections import pupils
from transfer.errors import TransferRefused

ENTRIES_SHOWN = 60


def following_pages(site: Site) -> APIRouter:
    """The forms, reached from a transfer on the board."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/transfers/{transfer_id}/late")
    def late(request: Request, who: Who, transfer_id: UUID) -> Response:
        who.see(Action.RECEIVE_RECORD)
        pupil_id = who.handover.pupil_of(transfer_id)
        who.may(Action.SEE_STORY, pupil_id)
        who.looked(Action.SEE_STORY, [pupil_id])
        return site.page(
            request, "late.html", viewer=who.viewer, name=_name_of(who, pupil_id), told=_correctable(who, pupil_id)
        )

    @router.post("/transfers/{transfer_id}/late")
    def supplement(request: Request, who: Who, sent: Sent, transfer_id: UUID) -> Response:
        who.may(Action.RECEIVE_RECORD)
        pupil_id, note = who.handover.pupil_of(transfer_id), sent.text("note", 1000, label="What was seen")
        seen = [Late("look_at", {"concern": sent.text("concern", 5) == "yes", "note": note})] if note else []
        made = who.handover.supplement(who.ask(sent.key), pupil_id, seen)
        return site.page(request, "prepared.html", viewer=who.viewer, made=[made], refused=[])

    @router.get("/transfers/{transfer_id}/late/{event_id}")
    def entry(request: Request, who: Who, transfer_id: UUID, event_id: UUID) -> Response:
        pupil_id = _followed(who, transfer_id)
        who.looked(Action.SEE_STORY, [pupil_id])
        return entry_page(site, request, who, pupil_id, event_id, path=request.url.path, late=True)

    @router.post("/transfers/{transfer_id}/late/{event_id}")
    def correct(request: Request, who: Who, sent: Sent, transfer_id: UUID, event_id: UUID) -> Response:
        pupil_id = _followed(who, transfer_id)
        try:
            late = Late("correct", righted(who, sent, pupil_id, event_id))
            made = who.handover.supplement(sent.ask(who), pupil_id, [late])
        except (*REFUSALS, TransferRefused) as refused:
            again: dict[str, Any] = {"path": request.url.path, "late": True, "typed": sent, "refused": refused}
            return entry_page(site, request, who, pupil_id, event_id, **again)
        return site.page(request, "prepared.html", viewer=who.viewer, made=[made], refused=[])

    @router.get("/transfers/{transfer_id}/safeguarding")
    def safeguarding(request: Request, who: Who, transfer_id: UUID) -> Response:
        pupil_id = _dsl_of(who, transfer_id)
        who.looked(Action.SEE_HAND_OFFS, [pupil_id])
        return site.page(request, "safeguarding_file.html", viewer=who.viewer, name=_name_of(who, pupil_id))

    @router.post("/transfers/{transfer_id}/safeguarding")
    def from_dsl_to_dsl(request: Request, who: Who, sent: Sent, transfer_id: UUID) -> Response:
        made = who.handover.safeguarding_file(who.ask(sent.key), _dsl_of(who, transfer_id))
        return site.page(request, "prepared.html", viewer=who.viewer, made=[made], refused=[])

    return router


def _followed(who: Caller, transfer_id: UUID) -> UUID:
    """The pupil of a transfer, for who sends records and may see their story."""
    who.may(Action.RECEIVE_RECORD)
    pupil_id = who.handover.pupil_of(transfer_id)
    who.may(Action.SEE_STORY, pupil_id)
    return pupil_id


def _correctable(who: Caller, pupil_id: UUID) -> list[Told]:
    """The newest entries of which something can be corrected."""
    facts, identity = who.journey(pupil_id)[1], identity_of(who, pupil_id)
    right = {one.event.event_id for one in facts if fields(one.event)}
    return [one for one in story(facts, identity) if one.event_id in right][:ENTRIES_SHOWN]


def _dsl_of(who: Caller, transfer_id: UUID) -> UUID:
    """The pupil of a transfer, for the DSL alone."""
    who.may(Action.RECEIVE_RECORD)
    pupil_id = who.handover.pupil_of(transfer_id)
    who.may(Action.SEE_HAND_OFFS, pupil_id)
    return pupil_id


def _name_of(who: Caller, pupil_id: UUID) -> str:
    with reading(who) as (cur, school):
        found = pupils.found(cur, school, [pupil_id]).get(pupil_id)
    return found.name if found else "a pupil"
