"""Audit: choose a day and see what was known; the proof, and exactly what is wrong; who looked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from astrack.access import about_pupil
from astrack.access.callers import Caller
from astrack.web.as_known import as_known_page
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.lists import reading
from astrack.web.site import HEADERS, Site
from astrack.web.tutor import identity_of
from astrack.web.words import PURPOSES, ROLE_NAMES
from domain.authority import Action, listing
from domain.base import Fact
from domain.identity import Identity
from domain.look import LookRefused, LookTaken
from domain.scope import Scope
from projections import pupils

LOOKS_SHOWN, FOUND_SHOWN = 100, 60


def audit_pages(site: Site) -> APIRouter:
    """The auditor's pages."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/audit")
    def audit(request: Request, who: Who, q: str = "") -> Response:
        who.may(Action.VERIFY)
        may_replay = covers_somebody(listing(who.viewer, Action.REPLAY))
        named = covers_somebody(listing(who.viewer, Action.SEE_NAME))
        # who may not see names may not find out about them by searching either
        found = _found(who, q[:60] if named else "") if may_replay else []
        if found:
            who.looked(Action.REPLAY, [one.pupil_id for one in found])
        return site.page(
            request, "audit.html", viewer=who.viewer, q=q[:60], found=found, may_replay=may_replay,
            may_looks=who.can(Action.SEE_ACCESS_LOG), entries=who.records.log.size(),
            named=named,
        )  # fmt: skip

    @router.get("/audit/looks")
    def looks(request: Request, who: Who, before: int | None = None) -> Response:
        who.see(Action.SEE_ACCESS_LOG)
        size = who.looks.log(who.records.school_id).size()
        end = size if before is None else max(0, min(before, size))
        start = max(0, end - LOOKS_SHOWN)
        page = who.looks.page(who.records.school_id, start - 1, end - start)
        return site.page(
            request, "looks.html", viewer=who.viewer, rows=[_look(one) for one in reversed(page)], before=start,
            newest=end == size,
        )  # fmt: skip

    @router.get("/audit/pupils/{pupil_id}")
    def as_known(request: Request, who: Who, pupil_id: UUID, day: str = "") -> Response:
        who.see(Action.REPLAY, pupil_id)
        return as_known_page(site, request, who, pupil_id, day, _seen_identity(who, pupil_id), ("/audit", "Audit"))

    @router.post("/audit/bundle")
    def bundle(who: Who, sent: Sent) -> Response:
        who.see(Action.VERIFY)
        name, pieces = who.handover.audit_bundle(who.ask(sent.key))
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(pieces, 200, headers, "application/x-tar")

    return router


def covers_somebody(scope: Scope) -> bool:
    """Whether a scope can hold any pupil at all."""
    return scope.everyone or bool(scope.dimensions)


def _found(who: Caller, search: str) -> list[pupils.Row]:
    scope = who.listed(Action.REPLAY)
    with reading(who) as (cur, school):
        return pupils.listed(cur, school, scope, on_roll=False, search=search, limit=FOUND_SHOWN)


def _look(fact: Fact) -> dict[str, Any]:
    event = fact.event
    seen = event if isinstance(event, LookTaken) else None
    refused = event if isinstance(event, LookRefused) else None
    return {
        "at": fact.recorded_at,
        "role": ROLE_NAMES.get(event.by.role, event.by.role),
        "what": (seen.action if seen else refused.action if refused else "").replace("_", " "),
        "why": PURPOSES.get(seen.purpose, seen.purpose) if seen else "refused",
        "count": len(seen.pupils) if seen else 1 if refused and refused.pupil_id else 0,
        "refused": refused is not None,
    }


def _seen_identity(who: Caller, pupil_id: UUID) -> Identity:
    # an auditor works with a pseudonym: who the pupil is belongs to other roles
    found = identity_of(who, pupil_id)
    about = about_pupil(who.records, pupil_id, who.today)
    return found if who.can(Action.SEE_NAME, about) else Identity(None, found.schools)
