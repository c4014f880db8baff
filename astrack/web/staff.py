"""People and what they may see: who works here, in which role, towards which pupils, and the code they come in with."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.access.credentials import CODE_FOR
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.lists import reading
from astrack.web.site import BadForm, Site, see_other
from astrack.web.words import ROLE_NAMES
from domain.authority import Action
from domain.scope import Scope
from domain.staff import FIRST_MODULE, ROLES, Staff, StaffRole
from projections import pupils

SHOWN = 200
EVERYONE = "everyone"


def staff_pages(site: Site) -> APIRouter:
    """The list of staff and what is done from it."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/setup/people")
    def people(request: Request, who: Who) -> Response:
        who.see(Action.SEE_STAFF)
        return _people(site, request, who)

    @router.post("/setup/people")
    def add(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.MANAGE_STAFF)
        try:
            staff_id = _add(who, sent)
        except REFUSALS as refused:
            return _people(site, request, who, sent, refused)
        return _code(site, request, who, sent, staff_id)

    @router.post("/setup/people/{staff_id}/trained")
    def trained(who: Who, sent: Sent, staff_id: UUID) -> Response:
        who.may(Action.RECORD_TRAINING)
        who.records.record_training(sent.ask(who), staff_id, module=FIRST_MODULE, on=who.today)
        return see_other("/setup/people", "trained")

    @router.post("/setup/people/{staff_id}/leave")
    def leave(who: Who, sent: Sent, staff_id: UUID) -> Response:
        who.may(Action.MANAGE_STAFF)
        who.records.staff_leave(sent.ask(who), staff_id, on=who.today)
        who.sessions.revoke(who.records.school_id, staff_id)
        return see_other("/setup/people", "left")

    _person_pages(site, router)
    return router


def _person_pages(site: Site, router: APIRouter) -> None:
    @router.get("/setup/people/{staff_id}")
    def person(request: Request, who: Who, staff_id: UUID) -> Response:
        who.see(Action.SEE_STAFF)
        return _person(site, request, who, staff_id)

    @router.post("/setup/people/{staff_id}/withdraw")
    def withdraw(who: Who, sent: Sent, staff_id: UUID) -> Response:
        who.may(Action.MANAGE_STAFF)
        why = sent.text("why", 200, label="Why")
        who.records.withdraw_role(sent.ask(who), staff_id, grant_id=sent.id("grant_id"), why=why)
        return see_other(f"/setup/people/{staff_id}", "role-withdrawn")

    @router.post("/setup/people/{staff_id}/code")
    def code(request: Request, who: Who, sent: Sent, staff_id: UUID) -> Response:
        who.may(Action.MANAGE_STAFF)
        return _code(site, request, who, sent, staff_id)

    @router.post("/setup/people/{staff_id}/factor")
    def take_factor_away(request: Request, who: Who, sent: Sent, staff_id: UUID) -> Response:
        who.may(Action.RESET_FACTOR)
        try:
            who.records.reset_factor(sent.ask(who), staff_id)
        except REFUSALS as refused:
            return _person(site, request, who, staff_id, sent, refused)
        who.sessions.drop_factor(who.records.school_id, staff_id)
        return see_other(f"/setup/people/{staff_id}", "factor-taken-away")

    @router.post("/setup/people/{staff_id}/grant")
    def grant(request: Request, who: Who, sent: Sent, staff_id: UUID) -> Response:
        who.may(Action.MANAGE_STAFF)
        try:
            _grant(who, sent, staff_id)
        except REFUSALS as refused:
            return _person(site, request, who, staff_id, sent, refused)
        return see_other(f"/setup/people/{staff_id}", "granted")


def _add(who: Caller, sent: Form) -> UUID:
    staff_id, ask = sent.id("staff_id"), who.ask(sent.key)
    name = sent.text("name", 100, label="The name", needed=True)
    _role(sent), _scope(sent)  # refused before anything is written
    who.records.add_staff(ask.part("add"), staff_id=staff_id, name=name)
    _grant(who, sent, staff_id)
    return staff_id


def _grant(who: Caller, sent: Form, staff_id: UUID) -> None:
    who.records.grant_role(
        sent.ask(who).part("grant"), staff_id, grant_id=sent.id("grant_id"), role=_role(sent), scope=_scope(sent)
    )


def _role(sent: Form) -> StaffRole:
    return cast(StaffRole, sent.one_of("role", ROLES, label="The role"))


def _scope(sent: Form) -> Scope:
    chosen = sent.many("scope")
    if EVERYONE in chosen:
        return Scope(everyone=True)
    dimensions: dict[str, frozenset[str]] = {}
    for one in chosen:
        dimension, _, name = one.partition("=")
        dimensions[dimension] = dimensions.get(dimension, frozenset()) | {name}
    if not dimensions:
        raise BadForm("Say which pupils this is about: the whole school, or some of its groups.", "scope")
    return Scope(dimensions=dimensions)


def _code(site: Site, request: Request, who: Caller, sent: Form, staff_id: UUID) -> Response:
    state = who.records.staff_state(staff_id)
    if state.added is None or state.left_on is not None:
        raise BadForm("Nobody with this number works here: open the list again.")
    until = who.app.clock() + CODE_FOR
    who.records.issue_sign_in(who.ask(sent.key).part("code"), staff_id, kind="code", good_until=until)
    made = who.sessions.credentials(who.records.school_id).code(staff_id)
    address = f"{request.url.scheme}://{request.url.netloc}/sign-in?school={who.records.school_id}"
    return site.page(request, "staff_code.html", viewer=who.viewer, name=state.added.name, code=made, address=address)


def _people(
    site: Site, request: Request, who: Caller, typed: Form | None = None, refused: Exception | None = None
) -> Response:
    ids = who.records.staff_ids(SHOWN)
    states = list(zip(ids, who.records.staff_states(ids), strict=True))
    with reading(who) as (cur, school):
        groups = pupils.dimensions(cur, school, Scope(everyone=True))
    return site.page(
        request, "people.html", status=status_of(refused) if refused else 200, viewer=who.viewer, groups=groups,
        rows=[_row(one, state, who) for one, state in states if state.added and state.left_on is None],
        roles=[(role, ROLE_NAMES[role]) for role in ROLES], typed=typed or Form(), staff_id=who.app.new_id(),
        grant_id=who.app.new_id, may_manage=who.can(Action.MANAGE_STAFF), may_train=who.can(Action.RECORD_TRAINING),
        error=said(refused) if refused else "", error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _person(
    site: Site, request: Request, who: Caller, staff_id: UUID, typed: Form | None = None,
    refused: Exception | None = None,
) -> Response:  # fmt: skip
    state = who.records.staff_state(staff_id)
    if state.added is None:
        raise BadForm("Nobody with this number works here: open the list again.")
    with reading(who) as (cur, school):
        groups = pupils.dimensions(cur, school, Scope(everyone=True))
    grants = [(one.grant_id, ROLE_NAMES[one.role], _in_words(one.scope)) for one in state.standing(who.today)]
    return site.page(
        request, "person.html", status=status_of(refused) if refused else 200, viewer=who.viewer, groups=groups,
        name=state.added.name, staff_id=staff_id, grants=grants, left_on=state.left_on, typed=typed or Form(),
        trained=FIRST_MODULE in state.trained, roles=[(role, ROLE_NAMES[role]) for role in ROLES],
        grant_id=who.app.new_id(), error=said(refused) if refused else "",
        may_manage=who.can(Action.MANAGE_STAFF) and staff_id != who.viewer.id and state.left_on is None,
        may_reset=who.can(Action.RESET_FACTOR) and staff_id != who.viewer.id and state.left_on is None,
        error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _row(staff_id: UUID, state: Staff, who: Caller) -> dict[str, Any]:
    grants = [f"{ROLE_NAMES[one.role]}: {_in_words(one.scope)}" for one in state.standing(who.today)]
    name = state.added.name if state.added else ""
    return {"id": staff_id, "name": name, "grants": grants, "trained": FIRST_MODULE in state.trained,
            "self": staff_id == who.viewer.id}  # fmt: skip


def _in_words(scope: Scope) -> str:
    if scope.everyone:
        return "the whole school"
    return " and ".join(f"{dimension} {' or '.join(sorted(names))}" for dimension, names in scope.dimensions.items())
