"""What the school owes and by when, on one page: hand-overs, requests and half-years, with the source of each."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import due
from astrack.web.door import PageRoute, Who
from astrack.web.lists import reading
from astrack.web.rights import called
from astrack.web.site import Site
from domain.authority import Action
from projections import pupils

KINDS = {"moves": Action.SEE_TRANSFERS, "requests": Action.LIST_RIGHTS, "impact": Action.SEE_AGGREGATES,
         "glass": Action.REVIEW_GLASS}  # fmt: skip


def due_pages(site: Site) -> APIRouter:
    """The page."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/due")
    def what_is_due(request: Request, who: Who) -> Response:
        shown = {name: who.can(action) for name, action in KINDS.items()}
        action = next((KINDS[name] for name, may in shown.items() if may), Action.SEE_TRANSFERS)
        who.see(action)
        with reading(who) as (cur, school):
            found = due.of_school(cur, who.records, who.today, **shown)
            names = called(who, pupils.found(cur, school, [one.pupil_id for one in found if one.pupil_id]))
        who.looked(action, list(names))
        lines = [(one, names.get(one.pupil_id, "A pupil") if one.pupil_id else "The school", one.days(who.today))
                 for one in found]  # fmt: skip
        return site.page(request, "due.html", viewer=who.viewer, lines=lines, soon=due.SOON.days,
                         said=due.reminder(found, who.today))  # fmt: skip

    return router
