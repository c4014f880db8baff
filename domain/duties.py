"""The statutory clocks of a hand-over: what must be done within how many days of what kind, each with its source.

Figures are policy data: a school may replace a duty with ``changed``. Where a source leaves the kind of day open, the
stricter reading stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from domain.base import DomainError, Value
from domain.school import Term
from domain.school_year import SATURDAY, TermDatesMissing, add_school_days

HAND_OVER = ("child_protection_file", "educational_record")
"""What arises when a pupil goes to another school."""
HALF_TERM_MAX = timedelta(days=11)
"""From a Friday to the Monday after a half-term week are 10 days: a break no longer than that begins no new term."""


class NoSuchDuty(DomainError):
    """The duty named is not one of the policy's."""


class DayKind(StrEnum):
    """Which days count. From strict to lenient: every day, Monday to Friday, days on which the school is open."""

    CALENDAR = "calendar"
    WEEKDAY = "weekday"
    SCHOOL = "school"


class Duty(Value):
    """Something due ``days`` days of a kind after the day it became a duty.

    ``first_of_term``: when that day is the first of a term or in a holiday, it is due within the first ``days`` days of
    the (next) term instead, the first day counting as one. ``maintained_only``: binds maintained schools.
    """

    code: str
    title: str
    days: Annotated[int, Field(ge=0, le=400)]
    kind: DayKind
    source: str
    reason: str = ""
    first_of_term: bool = False
    maintained_only: bool = False


CHILD_PROTECTION_FILE = Duty(
    code="child_protection_file",
    title="Send the child-protection file, apart from the main file, securely, and have its receipt confirmed",
    days=5,
    kind=DayKind.CALENDAR,
    source="Keeping children safe in education (DfE, statutory guidance under Education Act 2002 s.175), "
    "part two, child protection files",
    reason="the guidance says 5 days and not of which kind: every day counts",
    first_of_term=True,
)
EDUCATIONAL_RECORD = Duty(
    code="educational_record",
    title="Send the educational record and the Common Transfer File",
    days=15,
    kind=DayKind.SCHOOL,
    source="The Education (Pupil Information) (England) Regulations 2005, SI 2005/1437, regulation 9",
    maintained_only=True,
)
PARENT_INSPECTION = Duty(
    code="parent_inspection",
    title="Let a parent see the educational record they asked for",
    days=15,
    kind=DayKind.SCHOOL,
    source="The Education (Pupil Information) (England) Regulations 2005, SI 2005/1437, regulation 5",
    maintained_only=True,
)
POLICY: dict[str, Duty] = {duty.code: duty for duty in (CHILD_PROTECTION_FILE, EDUCATIONAL_RECORD, PARENT_INSPECTION)}


def changed(code: str, changes: Mapping[str, object], policy: Mapping[str, Duty] = POLICY) -> dict[str, Duty]:
    """The policy with some fields of one duty replaced. Raises NoSuchDuty, pydantic's ValidationError."""
    duty = policy.get(code)
    if duty is None:
        raise NoSuchDuty(f"there is no duty {code!r}: choose one of {', '.join(policy)}")
    return {**policy, code: Duty.model_validate({**duty.model_dump(), **changes, "code": code})}


def binding(maintained: bool, policy: Mapping[str, Duty] = POLICY) -> list[Duty]:
    """The duties that bind a school."""
    return [duty for duty in policy.values() if maintained or not duty.maintained_only]


class Owed(NamedTuple):
    """A duty that arose on a day; ``due_on`` is its last day, None where the term dates known do not reach that far."""

    duty: Duty
    from_day: date
    due_on: date | None


def owed(
    codes: Iterable[str], from_day: date, terms: Iterable[Term], *, maintained: bool,
    policy: Mapping[str, Duty] = POLICY,
) -> list[Owed]:  # fmt: skip
    """What a school owes of these duties from a day on: those that bind it, and no other."""
    known, wanted = list(terms), set(codes)
    found = []
    for duty in binding(maintained, policy):
        if duty.code in wanted:
            try:
                found.append(Owed(duty, from_day, due_on(duty, from_day, known)))
            except TermDatesMissing:
                found.append(Owed(duty, from_day, None))
    return found


def reminder(due: int, overdue: int) -> str | None:
    """What an e-mail or a banner may say: how many, never who or what. None where nothing is due."""
    if not due and not overdue:
        return None
    late = f", {overdue} of them overdue" if overdue else ""
    count = due + overdue
    said = "duty of the school is" if count == 1 else "duties of the school are"
    return f"{count} {said} due{late}. Sign in to see which."


def due_on(duty: Duty, from_day: date, terms: Iterable[Term] = ()) -> date:
    """The last day on which a duty that arose on ``from_day`` is met in time; ``from_day`` itself is day nought.

    Raises TermDatesMissing where school days are counted past the terms known.
    """
    known = sorted(terms, key=lambda term: term.first_on)
    term_start = _term_start(from_day, known) if duty.first_of_term else None
    if term_start is not None:
        return _count(duty.kind, term_start - timedelta(days=1), duty.days, known)
    return _count(duty.kind, from_day, duty.days, known)


def _term_start(day: date, terms: list[Term]) -> date | None:
    """The first day of the new term that begins on or next after a day outside every term.

    None in term, in a half-term and past the terms known: there the days count from the day itself, which is stricter.
    """
    ends = [None, *(term.last_on for term in terms)]
    for term, before in zip(terms, ends, strict=False):
        if day <= term.first_on:
            new = before is None or term.first_on - before > HALF_TERM_MAX
            return term.first_on if new and (before is None or day > before) else None
    return None


def _count(kind: DayKind, day: date, days: int, terms: list[Term]) -> date:
    if kind is DayKind.CALENDAR:
        return day + timedelta(days=days)
    if kind is DayKind.SCHOOL:
        return add_school_days(day, days, terms)
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < SATURDAY
    return day
