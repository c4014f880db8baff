"""What the API has on the topic `audit`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from astrack.client.calling import Caller, Got, part


class AccessOut(Got):
    """One line of the access log: a look, or one that was refused and why."""

    position: int
    at: datetime
    by: UUID
    role: str
    action: str
    outcome: Literal["seen", "refused"]
    field_class: str | None
    purpose: str | None
    reason: str | None
    pupils: list[UUID]


class AccessPage(Got):
    """A page of the access log, oldest first."""

    items: list[AccessOut]
    next: str | None


class ChangeOut(Got):
    """One fact that set something: when, by whom, what, and its ids, codes, days and numbers."""

    position: int
    at: datetime
    by: UUID
    role: str
    topic: str
    what: str
    details: dict[str, Any]


class ChangePage(Got):
    """A page of what was set, newest first."""

    items: list[ChangeOut]
    next: str | None


class FindingOut(Got):
    """One thing that is wrong, and where; position -1 is the log as a whole."""

    position: int
    what: str


class LookOut(Got):
    """One look: when, in which role, at what kind of thing, for what purpose."""

    at: datetime
    role: str
    action: str
    field_class: str
    purpose: str


class ProblemType(Got):
    """One kind of refusal: its slug, its HTTP status, and the command line's exit code."""

    slug: str
    status: int
    exit_code: int


class VerifyOut(Got):
    """Whether every chain, count and leaf is as written."""

    log: Literal["record", "access"]
    entries: int
    sound: bool
    findings: list[FindingOut]


class AuditCalls(Caller):
    """What the API has on the topic `audit`."""

    def verify(self, *, log: Literal["record", "access"] = "record") -> VerifyOut:
        """Check every entry stored of this school, or of its log of looks: chains, leaves, columns, positions."""
        return self.value(VerifyOut, "GET", "/verify", query={"log": log})

    def looks_at(self, pupil_id: UUID, *, limit: int = 50) -> list[LookOut]:
        """Who looked at a pupil's record: roles and purposes, newest first. Some are not told to families by
        default.
        """
        return self.value(list[LookOut], "GET", f"/pupils/{part(pupil_id)}/looks", query={"limit": limit})

    def access_log(self, *, limit: int = 50, cursor: str | None = None) -> AccessPage:
        """Every look and every refusal at this school, in order."""
        return self.value(AccessPage, "GET", "/access-log", query={"limit": limit, "cursor": cursor})

    def what_was_set(self, *, limit: int = 50, cursor: str | None = None) -> ChangePage:
        """What was set and by whom, newest first: grants, accounts, terms, rounds, the library; no names, no free
        text.
        """
        return self.value(ChangePage, "GET", "/changes", query={"limit": limit, "cursor": cursor})

    def problem_types(self) -> list[ProblemType]:
        """Every kind of refusal this service has, for the `type` of a problem."""
        return self.value(list[ProblemType], "GET", "/problems")

    def problem_type(self, slug: str) -> ProblemType:
        """One kind of refusal: what a problem's `type` points at."""
        return self.value(ProblemType, "GET", f"/problems/{part(slug)}")
