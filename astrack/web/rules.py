"""For whoever checks: who may do what, and what was set by whom."""

from __future__ import annotations

from itertools import groupby

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import changes
from astrack.web.door import PageRoute, Who
from astrack.web.site import Site
from astrack.web.words import CELLS, ROLE_NAMES, STAGES
from domain.authority import ROLES, RULES, Action, Rule

CHANGES_SHOWN = 50


def rule_pages(site: Site) -> APIRouter:
    """The table of authority, and the list of changes."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/permissions")
    def permissions(request: Request, who: Who) -> Response:
        classes = groupby(sorted(RULES.items(), key=_class), key=_class)
        return site.page(
            request, "permissions.html", viewer=who.viewer, roles=[(one, ROLE_NAMES[one]) for one in ROLES],
            classes=[(name, list(rules)) for name, rules in classes], cells=CELLS, stages=STAGES,
        )  # fmt: skip

    @router.get("/audit/changes")
    def changed(request: Request, who: Who, before: int | None = None) -> Response:
        who.see(Action.VERIFY)
        found = changes.newest(who.records.log, CHANGES_SHOWN + 1, before)
        rows = [(one, changes.said(one.event), changes.details(one.event)) for one in found[:CHANGES_SHOWN]]
        return site.page(
            request, "changes.html", viewer=who.viewer, rows=rows, roles=ROLE_NAMES, newest=before is None,
            before=rows[-1][0].position if len(found) > CHANGES_SHOWN else None,
        )  # fmt: skip

    return router


def _class(one: tuple[Action, Rule]) -> str:
    return one[1].field_class
