"""For those who inspect: everything checked, who looked, and the kinds of refusal."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import AwareDatetime

from astrack import changes, errors
from astrack.access.callers import CallerOf
from astrack.api.common import Cursor, Limit, Out, cursor_number, cursor_of
from astrack.store.fsck import check_store
from domain.authority import Action
from domain.base import DomainError, Fact
from domain.look import LookRefused, LookTaken

router = APIRouter(tags=["audit"])
FINDINGS_MAX = 100


class NoSuchProblem(DomainError):
    """There is no kind of refusal of this name."""


class FindingOut(Out):
    """One thing that is wrong, and where; position -1 is the log as a whole."""

    position: int
    what: str


class VerifyOut(Out):
    """Whether every chain, count and leaf is as written."""

    log: Literal["record", "access"]
    entries: int
    sound: bool
    findings: list[FindingOut]


class LookOut(Out):
    """One look: when, in which role, at what kind of thing, for what purpose."""

    at: AwareDatetime
    role: str
    action: str
    field_class: str
    purpose: str


class AccessOut(Out):
    """One line of the access log: a look, or one that was refused and why."""

    position: int
    at: AwareDatetime
    by: UUID
    role: str
    action: str
    outcome: Literal["seen", "refused"]
    field_class: str | None
    purpose: str | None
    reason: str | None
    pupils: list[UUID]


class AccessPage(Out):
    """A page of the access log, oldest first."""

    items: list[AccessOut]
    next: str | None


class ProblemType(Out):
    """One kind of refusal: its slug, its HTTP status, and the command line's exit code."""

    slug: str
    status: int
    exit_code: int


@router.get("/verify")
def verify(caller: CallerOf, log: Literal["record", "access"] = "record") -> VerifyOut:
    """Check every entry stored of this school, or of its log of looks: chains, leaves, columns, positions."""
    caller.see(Action.VERIFY)
    school_id = caller.records.school_id
    checked = caller.records.log if log == "record" else caller.looks.log(school_id)
    findings = [FindingOut(position=one.position, what=one.what) for one in islice(check_store(checked), FINDINGS_MAX)]
    return VerifyOut(log=log, entries=checked.size(), sound=not findings, findings=findings)


@router.get("/pupils/{pupil_id}/looks")
def looks_at(caller: CallerOf, pupil_id: UUID, limit: Limit = 50) -> list[LookOut]:
    """Who looked at a pupil's record: roles and purposes, newest first. Some are not told to families by default."""
    caller.see(Action.SEE_LOOKS, pupil_id)
    found = caller.looks.told(caller.viewer, pupil_id, limit)
    return [
        LookOut(at=one.at, role=one.role, action=one.action, field_class=one.field_class, purpose=one.purpose)
        for one in found
    ]


@router.get("/access-log")
def access_log(caller: CallerOf, limit: Limit = 50, cursor: Cursor = None) -> AccessPage:
    """Every look and every refusal at this school, in order."""
    after = cursor_number(cursor)
    caller.see(Action.SEE_ACCESS_LOG)
    facts = caller.looks.page(caller.records.school_id, after, limit + 1)
    more = cursor_of(facts[limit - 1].position) if len(facts) > limit else None
    return AccessPage(items=[_line(one) for one in facts[:limit]], next=more)


class ChangeOut(Out):
    """One fact that set something: when, by whom, what, and its ids, codes, days and numbers."""

    position: int
    at: AwareDatetime
    by: UUID
    role: str
    topic: str
    what: str
    details: dict[str, Any]


class ChangePage(Out):
    """A page of what was set, newest first."""

    items: list[ChangeOut]
    next: str | None


@router.get("/changes")
def what_was_set(caller: CallerOf, limit: Limit = 50, cursor: Cursor = None) -> ChangePage:
    """What was set and by whom, newest first: grants, accounts, terms, rounds, the library; no names, no free text."""
    before = None if cursor is None else cursor_number(cursor)
    caller.see(Action.VERIFY)
    found = changes.newest(caller.records.log, limit + 1, before)
    more = cursor_of(found[limit - 1].position) if len(found) > limit else None
    return ChangePage(items=[_change(one) for one in found[:limit]], next=more)


@router.get("/problems")
def problem_types() -> list[ProblemType]:
    """Every kind of refusal this service has, for the `type` of a problem."""
    return [ProblemType(**one) for one in errors.catalogue()]


@router.get("/problems/{slug}")
def problem_type(slug: Annotated[str, Path(max_length=60, pattern=r"^[a-z-]+$")]) -> ProblemType:
    """One kind of refusal: what a problem's `type` points at."""
    found = next((one for one in errors.catalogue() if one["slug"] == slug), None)
    if found is None:
        raise NoSuchProblem("there is no refusal of that name: see /api/v1/problems")
    return ProblemType(**found)


def _change(fact: Fact) -> ChangeOut:
    event = fact.event
    return ChangeOut(
        position=fact.position, at=fact.recorded_at, by=event.by.id, role=event.by.role, topic=event.TOPIC,
        what=changes.said(event), details=changes.details(event),
    )  # fmt: skip


def _line(fact: Fact) -> AccessOut:
    event = fact.event
    look = event if isinstance(event, LookTaken) else None
    refused = event if isinstance(event, LookRefused) else None
    pupils = list(look.pupils) if look else [refused.pupil_id] if refused and refused.pupil_id else []
    return AccessOut(
        position=fact.position, at=fact.recorded_at, by=event.by.id, role=event.by.role,
        action=look.action if look else refused.action if refused else "", outcome="seen" if look else "refused",
        field_class=look.field_class if look else None, purpose=look.purpose if look else None,
        reason=refused.reason if refused else None, pupils=pupils,
    )  # fmt: skip
