"""The rounds that are open today: who is still to sit, who said "not today", and saying it for a pupil."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.lists import reading
from astrack.web.site import Site, see_other
from domain.authority import Action
from projections import round_progress
from projections.round_progress import Progress, StillToSit

ROUNDS_READ, PUPILS_SHOWN = 12, 200


def round_pages(site: Site) -> APIRouter:
    """The page of the open rounds."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/rounds")
    def running(request: Request, who: Who) -> Response:
        who.may(Action.SEE_ROUNDS)
        rounds = _running(who)
        who.looked(Action.SEE_NAME, list({one.pupil.pupil_id for _, left in rounds for one in left}))
        return site.page(
            request, "rounds.html", viewer=who.viewer, rounds=rounds, most=PUPILS_SHOWN,
            may_open=who.can_list(Action.SEE_STORY) is not None, may_say=who.can_list(Action.SIT) is not None,
        )  # fmt: skip

    @router.post("/rounds/{round_id}/pupils/{pupil_id}/not-today")
    def not_today(who: Who, sent: Sent, round_id: UUID, pupil_id: UUID) -> Response:
        who.may(Action.SIT, pupil_id)
        who.records.say_not_today(who.ask(sent.key), pupil_id, round_id=round_id)
        return see_other("/rounds", "not-today-said")

    return router


def _running(who: Caller) -> list[tuple[Progress, list[StillToSit]]]:
    """The rounds open today, each in numbers of the pupils whose names the viewer may see, and who is left."""
    scope = who.listed(Action.SEE_NAME)
    with reading(who) as (cur, school):
        found = round_progress.rounds(cur, school, scope, ROUNDS_READ)
        today = [one for one in found if not one.closed and one.opens_on <= who.today <= one.closes_on]
        return [(one, round_progress.still_to_sit(cur, school, one.round_id, scope, PUPILS_SHOWN)) for one in today]
