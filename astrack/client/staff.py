"""What the API has on the topic `staff`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from astrack.client.calling import Caller, Got, Sent, new_key, part
from astrack.client.shared import Empty, OnDay, Scope


class Action(Sent):
    """What can be asked for; pages and routes name one of these."""


class ClientKeyIn(Sent):
    """The public key of a service client, as a JWK, for how many days it is good, and the actions it is limited to."""

    key: dict[str, str]
    days: int = 90
    only: list[Action] = Field(default=[])


class ClientOut(Got):
    """The client's id, for ``iss`` and ``sub``: "school/client"."""

    client_id: UUID
    issuer: str


class GlassIn(Sent):
    """Why one pupil's record must be opened, and for how many minutes."""

    glass_id: UUID
    reason: str
    minutes: int = 60


class GlassReview(Sent):
    """Whether breaking the glass was in order."""

    in_order: bool
    note: str = ""


class GrantIn(Sent):
    """A role, towards the pupils of a scope, until a day."""

    grant_id: UUID
    role: Literal[
        "tutor", "head_of_year", "dsl", "lead_practitioner", "head", "administrator", "dpo", "auditor", "accreditor"
    ]
    scope: ScopeIn
    until: date | None = None


class GrantOut(Got):
    """A standing grant."""

    grant_id: UUID
    role: str
    scope: Scope
    until: date | None


class KeyDays(Sent):
    """For how many days the key is good; the actions it is limited to, of those granted (none: all of these)."""

    days: int = 90
    only: list[Action] = Field(default=[])


class ScopeIn(Sent):
    """Which pupils: everyone, or those who match one of the names in every dimension given."""

    everyone: bool = False
    dimensions: dict[str, list[str]] = Field(default={})


class Secret(Got):
    """A code or key, shown this once and kept nowhere."""

    secret: str


class StaffDone(Got):
    """A change to a member of staff that was carried out."""

    staff_id: UUID
    events: list[UUID]


class StaffIn(Sent):
    """Somebody to add: a person, or a service client such as a roster system."""

    staff_id: UUID
    name: str
    kind: Literal["person", "service"] = "person"


class StaffOut(Got):
    """One member of staff."""

    staff_id: UUID
    name: str
    kind: str
    grants: list[GrantOut]
    trained: list[str]
    left_on: date | None
    glass_waiting: list[UUID]


class StaffPage(Got):
    """A page of the staff list."""

    items: list[StaffOut]
    next: str | None


class TrainingIn(Sent):
    """A finished training module, with the measured skill from 0 to 1 where there is one."""

    module: str
    on: date
    skill: float | None = None


class Why(Sent):
    """Why a grant is taken back."""

    why: str = ""


class StaffCalls(Caller):
    """What the API has on the topic `staff`."""

    def staff_list(self, *, limit: int = 50, cursor: str | None = None) -> StaffPage:
        """Everybody who works or worked here, in the order of their ids."""
        return self.value(StaffPage, "GET", "/staff", query={"limit": limit, "cursor": cursor})

    def add_staff(self, body: StaffIn, *, key: str | None = None) -> StaffDone:
        """Add somebody; they see nothing until they are granted a role."""
        return self.value(StaffDone, "POST", "/staff", body=body, key=key or new_key())

    def one_of_staff(self, staff_id: UUID) -> StaffOut:
        """One member of staff."""
        return self.value(StaffOut, "GET", f"/staff/{part(staff_id)}")

    def grant_role(self, staff_id: UUID, body: GrantIn, *, key: str | None = None) -> StaffDone:
        """Allow a role; never to oneself."""
        return self.value(StaffDone, "POST", f"/staff/{part(staff_id)}/roles", body=body, key=key or new_key())

    def withdraw_role(self, staff_id: UUID, grant_id: UUID, body: Why, *, key: str | None = None) -> StaffDone:
        """Take a grant back; it holds from the next request on."""
        return self.value(
            StaffDone,
            "POST",
            f"/staff/{part(staff_id)}/roles/{part(grant_id)}/withdraw",
            body=body,
            key=key or new_key(),
        )

    def record_training(self, staff_id: UUID, body: TrainingIn, *, key: str | None = None) -> StaffDone:
        """Record a finished training module; `first-steps` opens real data."""
        return self.value(StaffDone, "POST", f"/staff/{part(staff_id)}/training", body=body, key=key or new_key())

    def staff_leave(self, staff_id: UUID, body: OnDay, *, key: str | None = None) -> StaffDone:
        """Somebody leaves: their grants end, and their sessions and codes at once."""
        return self.value(StaffDone, "POST", f"/staff/{part(staff_id)}/leave", body=body, key=key or new_key())

    def invite(self, staff_id: UUID, *, key: str | None = None) -> Secret:
        """A code that signs somebody in once, within three days. Each call makes another: no secret is kept to
        repeat.
        """
        return self.value(Secret, "POST", f"/staff/{part(staff_id)}/invitation", key=key or new_key())

    def make_key(self, staff_id: UUID, body: KeyDays, *, key: str | None = None) -> Secret:
        """A bearer token for a service client; it may do what the service was granted, or less."""
        return self.value(Secret, "POST", f"/staff/{part(staff_id)}/keys", body=body, key=key or new_key())

    def make_client(self, staff_id: UUID, body: ClientKeyIn, *, key: str | None = None) -> ClientOut:
        """Let a service client sign its requests itself (private_key_jwt, RFC 7523): its public key, no shared
        secret.
        """
        return self.value(ClientOut, "POST", f"/staff/{part(staff_id)}/clients", body=body, key=key or new_key())

    def sign_out_everywhere(self, staff_id: UUID, *, key: str | None = None) -> Empty:
        """End every session of somebody at once, with their codes and keys."""
        return self.value(Empty, "POST", f"/staff/{part(staff_id)}/sign-out", key=key or new_key())

    def break_glass(self, pupil_id: UUID, body: GlassIn, *, key: str | None = None) -> StaffDone:
        """Open one pupil's record for at most an hour; a second person will ask why."""
        return self.value(StaffDone, "POST", f"/pupils/{part(pupil_id)}/glass", body=body, key=key or new_key())

    def review_glass(self, staff_id: UUID, glass_id: UUID, body: GlassReview, *, key: str | None = None) -> StaffDone:
        """Say whether breaking the glass was in order; never one's own."""
        return self.value(
            StaffDone, "POST", f"/staff/{part(staff_id)}/glass/{part(glass_id)}/review", body=body, key=key or new_key()
        )
