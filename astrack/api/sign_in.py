"""Signing in and out, and which role somebody acts in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from astrack.access import Signed
from astrack.access.callers import CallerOf, HalfCallerOf, address_of, clear_cookie, device_of, set_cookies
from astrack.access.credentials import TYPED_MAX
from astrack.access.sessions import Sessions
from astrack.api.common import Body, Empty, Key, Out
from domain.authority import ROLES, RULES
from domain.scope import Scope

router = APIRouter(tags=["sign-in"])


class SignIn(Body):
    """A school and what is printed on the card, in the letter or in the invitation."""

    school_id: UUID
    code: Annotated[str, Field(min_length=1, max_length=TYPED_MAX, examples=["tiger lemon piano kite"])]


class RoleChoice(Out):
    """A role somebody may act in."""

    grant_id: UUID
    role: str


class Me(Out):
    """Who is signed in, the role they act in now and its scope, and what else they may act as."""

    id: UUID
    school_id: UUID
    role: str
    scope: Scope
    trained: bool
    expires_at: datetime
    factor: str
    choices: list[RoleChoice]


class Choose(Body):
    """The grant to act under from now on."""

    grant_id: UUID


class RuleOut(Out):
    """One line of the table of authority."""

    action: str
    field_class: str
    when: str
    gate: bool
    roles: dict[str, str]


@router.post("/sign-in")
def sign_in(request: Request, response: Response, body: SignIn) -> Me:
    """Exchange a card, a letter's code or an invitation for a session cookie. No key: a code is used up by itself."""
    sessions: Sessions = request.app.state.sessions
    device = device_of(request)
    opened = sessions.sign_in(body.school_id, body.code, address=address_of(request), device=device)
    set_cookies(request, response, opened)
    return shown(opened.signed)


@router.post("/sign-out")
def sign_out(caller: HalfCallerOf, request: Request, response: Response) -> Empty:
    """End this session at once."""
    caller.sessions.sign_out(caller.signed)
    clear_cookie(request, response)
    return Empty()


@router.get("/me")
def me(caller: HalfCallerOf) -> Me:
    """Who is signed in."""
    return shown(caller.signed)


@router.post("/me/role")
def choose_role(caller: CallerOf, body: Choose, key: Key) -> Empty:
    """Act in another of one's roles, from the next request on."""
    caller.sessions.choose(caller.signed, body.grant_id)
    return Empty()


@router.get("/permissions")
def permissions(caller: CallerOf) -> list[RuleOut]:
    """Who may do what: the table this service decides by."""
    return [
        RuleOut(action=action, field_class=rule.field_class, when=rule.when, gate=rule.gate,
                roles={role: rule.cells[role] for role in ROLES})
        for action, rule in RULES.items()
    ]  # fmt: skip


def shown(signed: Signed) -> Me:
    """Who is signed in; ``factor``: none (not asked), proved, needed, to_enrol."""
    viewer = signed.viewer
    return Me(
        id=viewer.id, school_id=viewer.school_id, role=viewer.role, scope=viewer.scope, trained=viewer.trained,
        expires_at=signed.expires_at, factor=signed.factor,
        choices=[RoleChoice(grant_id=one.grant_id, role=one.role) for one in signed.choices],
    )  # fmt: skip
