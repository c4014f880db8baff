"""Breaking the glass: one record opened for a stated reason and at most an hour, and the second person who asks why."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.rights import names_of
from astrack.web.site import Site, see_other
from astrack.web.words import ROLE_NAMES
from domain.authority import Action
from domain.staff import GLASS_MINUTES_MAX, GLASS_REASON_MIN, GlassBroken, Staff

STAFF_READ, SHOWN = 500, 100


def glass_pages(site: Site) -> APIRouter:
    """One page for both: who may break it, and who reviews."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/glass")
    def glass(request: Request, who: Who, pupil: str = "") -> Response:
        return _page(site, request, who, Form({"pupil": [pupil[:40]]}))

    @router.post("/glass")
    def break_it(request: Request, who: Who, sent: Sent) -> Response:
        try:
            pupil_id = sent.id("pupil")
            who.may(Action.BREAK_GLASS, pupil_id)
            who.records.break_glass(
                who.ask(sent.key), who.viewer.id, glass_id=sent.id("glass_id"), pupil_id=pupil_id,
                reason=sent.text("reason", 500, label="The reason", needed=True),
                minutes=sent.number("minutes", 1, GLASS_MINUTES_MAX, label="For how many minutes"),
            )  # fmt: skip
        except REFUSALS as refused:
            return _page(site, request, who, sent, refused)
        return see_other("/glass", "glass-broken")

    @router.post("/glass/{staff_id}/{glass_id}")
    def review(who: Who, sent: Sent, staff_id: UUID, glass_id: UUID) -> Response:
        who.may(Action.REVIEW_GLASS)
        in_order = sent.one_of("in_order", ("yes", "no"), label="Your judgement") == "yes"
        note = sent.text("note", 200, label="Your note")
        who.records.review_glass(sent.ask(who), staff_id, glass_id=glass_id, in_order=in_order, note=note)
        return see_other("/glass", "glass-reviewed")

    return router


def _page(site: Site, request: Request, who: Caller, typed: Form, refused: Exception | None = None) -> Response:
    reviews, breaks = who.can(Action.REVIEW_GLASS), who.can_ever(Action.BREAK_GLASS)
    if not breaks:
        who.see(Action.REVIEW_GLASS)
    rows = _waiting(who) if reviews else []
    mine = _open(who.records.staff_state(who.viewer.id), who.app.clock()) if breaks else []
    names = names_of(who, {one.pupil_id for _, _, one in rows} | {one.pupil_id for one in mine})
    return site.page(
        request, "glass.html", status=status_of(refused) if refused else 200, viewer=who.viewer, breaks=breaks,
        reviews=reviews, rows=rows, mine=mine, names=names, typed=typed, glass_id=who.app.new_id(),
        least=GLASS_REASON_MIN, most=GLASS_MINUTES_MAX, me=who.viewer.id, roles=ROLE_NAMES,
        error=said(refused) if refused else "", error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _waiting(who: Caller) -> list[tuple[UUID, str, GlassBroken]]:
    """What nobody has reviewed yet: by whom (id and name), and the fact; the oldest first."""
    ids = who.records.staff_ids(STAFF_READ)
    found = [
        (staff_id, state.added.name if state.added else "", state.glasses[key])
        for staff_id, state in zip(ids, who.records.staff_states(ids), strict=True)
        for key in state.unreviewed
    ]
    return sorted(found, key=_when)[:SHOWN]


def _when(one: tuple[UUID, str, GlassBroken]) -> Any:
    return one[2].recorded_at


def _open(state: Staff, now: datetime) -> list[GlassBroken]:
    return [one for one in state.glasses.values() if now < one.until]
