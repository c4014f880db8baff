"""Hand-offs to the safeguarding lead: a dated reference to the school's own system, taken up or still waiting."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.lists import reading
from astrack.web.site import Site, see_other
from domain.authority import Action
from domain.safeguarding import HandOffMade
from projections import hand_offs, pupils

SHOWN, LATE_DAYS = 100, 1
"""Keeping children safe in education: what is handed over is looked at without delay, on the next day at the latest."""


def hand_off_pages(site: Site) -> APIRouter:
    """The DSL's list, and the form on a pupil's page."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/safeguarding")
    def waiting(request: Request, who: Who) -> Response:
        who.listed(Action.SEE_HAND_OFFS)
        with reading(who) as (cur, school):
            rows = hand_offs.waiting(cur, school, SHOWN)
            names = pupils.found(cur, school, [one.pupil_id for one in rows])
        who.looked(Action.SEE_HAND_OFFS, list({one.pupil_id for one in rows}))
        kept = _references(who, rows)
        shown = [
            (one, names[one.pupil_id], kept.get(one.hand_off_id), (who.today - (one.made_on or who.today)).days)
            for one in rows
            if one.pupil_id in names
        ]
        return site.page(request, "safeguarding.html", viewer=who.viewer, rows=shown, late=LATE_DAYS)

    @router.post("/safeguarding/{pupil_id}/{hand_off_id}")
    def take_up(who: Who, sent: Sent, pupil_id: UUID, hand_off_id: UUID) -> Response:
        who.may(Action.TAKE_UP_HAND_OFF, pupil_id)
        who.records.acknowledge_hand_off(sent.ask(who), pupil_id, hand_off_id=hand_off_id)
        return see_other("/safeguarding", "hand-off-taken-up")

    @router.post("/pupils/{pupil_id}/hand-offs")
    def hand_off(who: Who, sent: Sent, pupil_id: UUID) -> Response:
        who.may(Action.RAISE_HAND_OFF, pupil_id)
        reference = sent.text("reference", 60, label="The reference", needed=True)
        made = sent.id("hand_off_id")
        who.records.hand_off(who.ask(sent.key), pupil_id, hand_off_id=made, on=who.today, reference=reference)
        return see_other(f"/pupils/{pupil_id}", "handed-off")

    return router


def _references(who: Caller, rows: Sequence[hand_offs.Row]) -> dict[UUID, HandOffMade]:
    """The facts themselves: their references are read from under each pupil's own key."""
    streams = [who.records.streams_of(pupil_id).safeguarding_id for pupil_id in {one.pupil_id for one in rows}]
    events = [fact.event for stream in who.records.log.load_many(streams) for fact in stream.facts]
    return {event.hand_off_id: event for event in events if isinstance(event, HandOffMade)}
