"""Staff: who works here, what they were granted, what they were trained in, what they sign in with."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from astrack.access import clients
from astrack.access.callers import CallerOf
from astrack.access.credentials import CODE_FOR
from astrack.api.common import Body, Code, Cursor, Day, Empty, Key, Limit, Line, Name, Out, cursor_of, cursor_uuid
from domain import staff
from domain.authority import Action
from domain.scope import Scope
from domain.staff import Staff, StaffRole

router = APIRouter(tags=["staff"])
Names = Annotated[set[Code], Field(min_length=1, max_length=100)]


class StaffIn(Body):
    """Somebody to add: a person, or a service client such as a roster system."""

    staff_id: UUID
    name: Name
    kind: Literal["person", "service"] = "person"


class ScopeIn(Body):
    """Which pupils: everyone, or those who match one of the names in every dimension given."""

    everyone: bool = False
    dimensions: dict[Code, Names] = Field(default_factory=dict, max_length=10, examples=[{"year": ["5"]}])


class GrantIn(Body):
    """A role, towards the pupils of a scope, until a day."""

    grant_id: UUID
    role: StaffRole
    scope: ScopeIn
    until: Day | None = None


class Why(Body):
    """Why a grant is taken back."""

    why: Line = ""


class TrainingIn(Body):
    """A finished training module, with the measured skill from 0 to 1 where there is one."""

    module: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z0-9-]+$", examples=["first-steps"])]
    on: Day
    skill: Annotated[float, Field(ge=0, le=1)] | None = None


class OnDay(Body):
    """The day it happened."""

    on: Day


Only = Annotated[tuple[Action, ...], Field(max_length=staff.ACTIONS_MAX)]


class KeyDays(Body):
    """For how many days the key is good; the actions it is limited to, of those granted (none: all of these)."""

    days: Annotated[int, Field(ge=1, le=366)] = 90
    only: Only = ()


class ClientKeyIn(Body):
    """The public key of a service client, as a JWK, for how many days it is good, and the actions it is limited to."""

    key: dict[str, str]
    days: Annotated[int, Field(ge=1, le=366)] = 90
    only: Only = ()


class ClientOut(Out):
    """The client's id, for ``iss`` and ``sub``: "school/client"."""

    client_id: UUID
    issuer: str


class Secret(Out):
    """A code or key, shown this once and kept nowhere."""

    secret: str


class GrantOut(Out):
    """A standing grant."""

    grant_id: UUID
    role: str
    scope: Scope
    until: Day | None


class StaffOut(Out):
    """One member of staff."""

    staff_id: UUID
    name: str
    kind: str
    grants: list[GrantOut]
    trained: list[str]
    left_on: Day | None
    glass_waiting: list[UUID]


class StaffPage(Out):
    """A page of the staff list."""

    items: list[StaffOut]
    next: str | None


class StaffDone(Out):
    """A change to a member of staff that was carried out."""

    staff_id: UUID
    events: list[UUID]


@router.get("/staff")
def staff_list(caller: CallerOf, limit: Limit = 50, cursor: Cursor = None) -> StaffPage:
    """Everybody who works or worked here, in the order of their ids."""
    caller.may(Action.SEE_STAFF)
    ids = caller.records.staff_ids(limit + 1, cursor_uuid(cursor))
    more = cursor_of(ids[limit - 1]) if len(ids) > limit else None
    states = [(one, caller.records.staff_state(one)) for one in ids[:limit]]
    return StaffPage(items=[_shown(one, state, caller) for one, state in states if state.added], next=more)


@router.get("/staff/{staff_id}")
def one_of_staff(caller: CallerOf, staff_id: UUID) -> StaffOut:
    """One member of staff."""
    caller.may(Action.SEE_STAFF)
    return _shown(staff_id, caller.records.staff_state(staff_id), caller)


@router.post("/staff")
def add_staff(caller: CallerOf, body: StaffIn, key: Key) -> StaffDone:
    """Add somebody; they see nothing until they are granted a role."""
    caller.may(Action.MANAGE_STAFF)
    return StaffDone(**caller.records.add_staff(caller.ask(key), **body.model_dump()))


@router.post("/staff/{staff_id}/roles")
def grant_role(caller: CallerOf, staff_id: UUID, body: GrantIn, key: Key) -> StaffDone:
    """Allow a role; never to oneself."""
    caller.may(Action.MANAGE_STAFF)
    dimensions = {name: frozenset(names) for name, names in body.scope.dimensions.items()}
    scope = Scope(everyone=body.scope.everyone, dimensions=dimensions)
    done = caller.records.grant_role(
        caller.ask(key), staff_id, grant_id=body.grant_id, role=body.role, scope=scope, until=body.until
    )
    return StaffDone(**done)


@router.post("/staff/{staff_id}/roles/{grant_id}/withdraw")
def withdraw_role(caller: CallerOf, staff_id: UUID, grant_id: UUID, body: Why, key: Key) -> StaffDone:
    """Take a grant back; it holds from the next request on."""
    caller.may(Action.MANAGE_STAFF)
    return StaffDone(**caller.records.withdraw_role(caller.ask(key), staff_id, grant_id=grant_id, why=body.why))


@router.post("/staff/{staff_id}/training")
def record_training(caller: CallerOf, staff_id: UUID, body: TrainingIn, key: Key) -> StaffDone:
    """Record a finished training module; `first-steps` opens real data."""
    caller.may(Action.RECORD_TRAINING)
    return StaffDone(**caller.records.record_training(caller.ask(key), staff_id, **body.model_dump()))


@router.post("/staff/{staff_id}/leave")
def staff_leave(caller: CallerOf, staff_id: UUID, body: OnDay, key: Key) -> StaffDone:
    """Somebody leaves: their grants end, and their sessions and codes at once."""
    caller.may(Action.MANAGE_STAFF)
    done = caller.records.staff_leave(caller.ask(key), staff_id, on=body.on)
    caller.sessions.revoke(caller.records.school_id, staff_id)
    return StaffDone(**done)


@router.post("/staff/{staff_id}/invitation")
def invite(caller: CallerOf, staff_id: UUID, key: Key) -> Secret:
    """A code that signs somebody in once, within three days. Each call makes another: no secret is kept to repeat."""
    caller.may(Action.MANAGE_STAFF)
    until = caller.app.clock() + CODE_FOR
    caller.records.issue_sign_in(caller.ask(key), staff_id, kind="code", good_until=until)
    return Secret(secret=caller.sessions.credentials(caller.records.school_id).code(staff_id))


@router.post("/staff/{staff_id}/keys")
def make_key(caller: CallerOf, staff_id: UUID, body: KeyDays, key: Key) -> Secret:
    """A bearer token for a service client; it may do what the service was granted, or less."""
    caller.may(Action.MANAGE_STAFF)
    until = caller.app.clock() + timedelta(days=body.days)
    caller.records.issue_sign_in(caller.ask(key), staff_id, kind="key", good_until=until, only=body.only)
    return Secret(secret=caller.sessions.credentials(caller.records.school_id).key(staff_id, body.days, body.only))


@router.post("/staff/{staff_id}/clients")
def make_client(caller: CallerOf, staff_id: UUID, body: ClientKeyIn, key: Key) -> ClientOut:
    """Let a service client sign its requests itself (private_key_jwt, RFC 7523): its public key, no shared secret."""
    caller.may(Action.MANAGE_STAFF)
    public = clients.public_key(dict(body.key))
    until = caller.app.clock() + timedelta(days=body.days)
    caller.records.issue_sign_in(caller.ask(key), staff_id, kind="key", good_until=until, only=body.only)
    credentials = caller.sessions.credentials(caller.records.school_id)
    client_id = credentials.client_key(staff_id, public, body.days, body.only)
    return ClientOut(client_id=client_id, issuer=f"{caller.records.school_id}/{client_id}")


@router.post("/staff/{staff_id}/sign-out")
def sign_out_everywhere(caller: CallerOf, staff_id: UUID, key: Key) -> Empty:
    """End every session of somebody at once, with their codes and keys."""
    caller.may(Action.MANAGE_STAFF)
    caller.sessions.revoke(caller.records.school_id, staff_id)
    return Empty()


class GlassIn(Body):
    """Why one pupil's record must be opened, and for how many minutes."""

    glass_id: UUID
    reason: Annotated[str, Field(min_length=staff.GLASS_REASON_MIN, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
    minutes: Annotated[int, Field(ge=1, le=staff.GLASS_MINUTES_MAX)] = staff.GLASS_MINUTES_MAX


class GlassReview(Body):
    """Whether breaking the glass was in order."""

    in_order: bool
    note: Line = ""


@router.post("/pupils/{pupil_id}/glass")
def break_glass(caller: CallerOf, pupil_id: UUID, body: GlassIn, key: Key) -> StaffDone:
    """Open one pupil's record for at most an hour; a second person will ask why."""
    caller.may(Action.BREAK_GLASS, pupil_id)
    done = caller.records.break_glass(
        caller.ask(key), caller.viewer.id, glass_id=body.glass_id, pupil_id=pupil_id, reason=body.reason,
        minutes=body.minutes,
    )  # fmt: skip
    return StaffDone(**done)


@router.post("/staff/{staff_id}/glass/{glass_id}/review")
def review_glass(caller: CallerOf, staff_id: UUID, glass_id: UUID, body: GlassReview, key: Key) -> StaffDone:
    """Say whether breaking the glass was in order; never one's own."""
    caller.may(Action.REVIEW_GLASS)
    done = caller.records.review_glass(
        caller.ask(key), staff_id, glass_id=glass_id, in_order=body.in_order, note=body.note
    )
    return StaffDone(**done)


def _shown(staff_id: UUID, state: Staff, caller: CallerOf) -> StaffOut:
    if state.added is None:
        raise staff.StaffUnknown("nobody with this id works at this school: add them first")
    grants = [
        GrantOut(grant_id=one.grant_id, role=one.role, scope=one.scope, until=one.until)
        for one in state.standing(caller.today)
    ]
    return StaffOut(
        staff_id=staff_id, name=state.added.name, kind=state.added.kind, grants=grants, trained=sorted(state.trained),
        left_on=state.left_on, glass_waiting=sorted(state.unreviewed),
    )  # fmt: skip
