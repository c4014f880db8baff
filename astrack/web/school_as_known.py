"""A school as its log stood at the end of a day: what had been recorded by then, and the signed state it can be proved
against.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import replay
from astrack.access.callers import Caller
from astrack.web.as_known import day_of
from astrack.web.audit import covers_somebody
from astrack.web.door import PageRoute, Who
from astrack.web.lists import reading
from astrack.web.site import Site
from domain.authority import Action, listing
from projections import pupils

PUPILS_SHOWN = 60
COUNTED = (
    ("round.opened.v1", "Rounds opened"),
    ("journey.pupil-enrolled.v1", "Enrolments"),
    ("journey.pupil-left.v1", "Departures"),
    ("journey.assessment-sat.v1", "Sittings"),
    ("journey.flag-raised.v1", "Early signs raised"),
    ("journey.flag-reviewed.v1", "Early signs reviewed"),
    ("journey.plan-opened.v1", "Plans begun"),
    ("journey.plan-closed.v1", "Plans ended"),
    ("journey.transfer-prepared.v1", "Records sealed to be sent"),
    ("journey.custody-released.v1", "Records the next school confirmed"),
    ("journey.record-received.v1", "Records received"),
    ("journey.fact-corrected.v1", "Corrections"),
)
KINDS = "SELECT topic, count(*) FROM record.events WHERE school_id = %s AND position < %s GROUP BY topic"
FIRST = "SELECT recorded_at FROM record.events WHERE school_id = %s AND position = 0"


def school_pages(site: Site) -> APIRouter:
    """The slider for the whole school."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/audit/school")
    def school(request: Request, who: Who, day: str = "") -> Response:
        who.see(Action.VERIFY)
        chosen, first = day_of(day, who.today), _first(who)
        position = who.records.log.position_at(replay.end_of(chosen))
        counts = dict(who.records.log.ask(KINDS, position))
        return site.page(
            request, "school_as_known.html", viewer=who.viewer, day=chosen, first=first, position=position,
            days=(who.today - first).days, at=max(0, (chosen - first).days),
            counted=[(words, counts.pop(topic, 0)) for topic, words in COUNTED],
            others=sum(count for topic, count in counts.items()), found=_pupils(who),
        )  # fmt: skip

    return router


def _first(who: Caller) -> date:
    rows: list[Any] = who.records.log.ask(FIRST)
    return rows[0][0].date() if rows and rows[0][0] else who.today


def _pupils(who: Caller) -> list[pupils.Row]:
    scope = listing(who.viewer, Action.REPLAY)
    if not covers_somebody(scope):
        return []
    with reading(who) as (cur, school):
        found = pupils.listed(cur, school, scope, on_roll=False, limit=PUPILS_SHOWN)
    who.looked(Action.REPLAY, [one.pupil_id for one in found])
    return found
