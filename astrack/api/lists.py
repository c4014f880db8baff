"""Lists: who needs a look, who is on roll, which plans are due, how a round goes, how groups stand, what moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, StringConstraints

from astrack import looking
from astrack.access.callers import Caller, CallerOf
from astrack.api.common import BadCursor, Body, Code, Cursor, Day, Limit, Out, cursor_of, cursor_uuid, read_cursor
from domain.authority import Action
from domain.journey.facts import Group
from domain.scope import Scope
from projections import cohort, plan_board, pupils, risk_register, round_progress, transfer_ledger

router = APIRouter(tags=["lists"])
SEARCH_MAX = 50
PERIOD = timedelta(days=365)
Eight = list[float | None]
Few = Annotated[int, Query(ge=1, le=60)]


class OnRoll(Out):
    """One pupil on a list of names."""

    pupil_id: UUID
    name: str
    year_group: int | None
    groups: list[tuple[str, str]]


class Absentee(OnRoll):
    """One pupil who has not sat a round; `not_today_on`: the last day they said "not today", else null."""

    not_today_on: date | None


class Search(Body):
    """A part of a name. It is sent in the body, because addresses end up in logs."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]
    on_roll: bool = True


class RollPage(Out):
    """A page of the roll, by surname."""

    items: list[OnRoll]
    next: str | None


class NeedLine(Out):
    """One pupil worth a look: how much, since when, how many signs nobody has looked at. No name for an auditor."""

    pupil_id: UUID
    name: str | None
    year_group: int | None
    need: float
    unreviewed: int
    newest_on: date | None
    due_on: date | None
    talk_on: date | None
    flags: dict[str, dict[str, Any]]
    behind: bool


class LookLine(Out):
    """One pupil to look at, and what stands out most; review it under `sign_id`. A few are drawn by a round without any
    sign, and nothing tells them apart until somebody has looked. No name for an auditor.
    """

    pupil_id: UUID
    name: str | None
    year_group: int | None
    sign_id: UUID
    said: str
    behind: bool


class NeedPage(Out):
    """A page of pupils by need."""

    items: list[NeedLine]
    next: str | None


class PlanLine(Out):
    """One running plan: whose, what for, when the next look is due."""

    plan_id: UUID
    pupil_id: UUID
    goal: str
    factor: str | None
    owner_id: UUID
    end_on: date
    due_on: date
    overdue: bool


class PlanPage(Out):
    """A page of running plans, the next due first."""

    items: list[PlanLine]
    next: str | None


class RoundLine(Out):
    """One round in numbers of the pupils you may see; no numbers for roles that see none.

    Of those expected who have not sat, some said "not today" and the others are absent.
    """

    round_id: UUID
    name: str
    opens_on: date
    closes_on: date
    year_groups: list[int]
    closed: bool
    expected: int | None
    sat: int | None
    not_today: int | None
    absent: int | None


class CohortCell(Out):
    """One group's newest sittings; every number is null where the group is too small to be shown."""

    name: str
    shown: bool
    pupils: int | None
    mean: Eight | None
    spread: Eight | None
    moved_pupils: int | None
    moved: Eight | None
    flagged: int | None


class TransferLine(Out):
    """One transfer: which way, how far, and by when."""

    transfer_id: UUID
    pupil_id: UUID | None
    direction: str
    kind: str
    state: str
    other_school_id: UUID | None
    lawful_basis: str
    protected: bool
    accepted_on: date | None
    start_on: date | None
    not_after: date | None
    moved_at: AwareDatetime
    facts: int | None


class TransferPage(Out):
    """A page of the ledger, the last moved first."""

    items: list[TransferLine]
    next: str | None


@router.get("/pupils")
def roll(caller: CallerOf, limit: Limit = 50, cursor: Cursor = None, on_roll: bool = True) -> RollPage:
    """The pupils whose names you may see, by surname."""
    scope, last_seen = caller.listed(Action.SEE_NAME), cursor_uuid(cursor)
    with reading(caller) as (cur, school):
        after = _place(pupils.found(cur, school, [last_seen]).get(last_seen), scope) if last_seen else None
        found = pupils.listed(cur, school, scope, on_roll=on_roll, after=after, limit=limit + 1)
    page = found[:limit]
    caller.looked(Action.SEE_NAME, [one.pupil_id for one in page])
    more = cursor_of(page[-1].pupil_id) if len(found) > limit else None
    return RollPage(items=[_named(one) for one in page], next=more)


@router.post("/pupils/search")
def search(caller: CallerOf, body: Search) -> list[OnRoll]:
    """Pupils whose names begin so, among those whose names you may see. Changes nothing, so it needs no key."""
    scope = caller.listed(Action.SEE_NAME)
    with reading(caller) as (cur, school):
        found = pupils.listed(cur, school, scope, on_roll=body.on_roll, search=body.name, limit=SEARCH_MAX)
    caller.looked(Action.SEE_NAME, [one.pupil_id for one in found])
    return [_named(one) for one in found]


@router.get("/pupils/by-need")
def by_need(caller: CallerOf, limit: Limit = 50, cursor: Cursor = None) -> NeedPage:
    """Pupils with early signs, most in need first; for those who review signs, without pupils they are to look at."""
    scope, after = caller.listed(Action.SEE_STORY), _after(cursor, float, UUID)
    with reading(caller) as (cur, school):
        waiting = looking.drawn(caller, cur, school, scope) if caller.reviews else None
        found = risk_register.by_need(cur, school, scope, after, limit + 1, waiting)
    last = found[limit - 1].risk if len(found) > limit else None
    return NeedPage(items=_needs(caller, found[:limit]), next=cursor_of([last.need, last.pupil_id]) if last else None)


@router.get("/pupils/lists/new")
def to_look_at(caller: CallerOf, limit: Few = 60) -> list[LookLine]:
    """Who is to be looked at: up to the review load, in an order that tells nothing."""
    scope = caller.listed(Action.SEE_STORY)
    with reading(caller) as (cur, school):
        asked = looking.listed(caller, cur, school, scope).pupils[:limit]
    caller.looked(Action.SEE_STORY, [line.pupil.pupil_id for line, _ in asked])
    return [LookLine(**_whose(caller, line), sign_id=look.sign_id, said=look.said) for line, look in asked]


@router.get("/pupils/lists/{name}")
def one_list(caller: CallerOf, name: Literal["due", "better", "talks"], limit: Few = 60) -> list[NeedLine]:
    """Whose plan is due, who is getting better, who asked to talk."""
    scope = caller.listed(Action.SEE_STORY)
    with reading(caller) as (cur, school):
        match name:
            case "due":
                found = risk_register.due(cur, school, scope, caller.today, limit)
            case "better":
                better = risk_register.better(cur, school, scope, caller.today, limit)
                waiting = set(looking.drawn(caller, cur, school, scope))
                found = [one for one in better if one.pupil.pupil_id not in waiting]
            case "talks":
                found = risk_register.wishes_to_talk(cur, school, scope, limit)
    return _needs(caller, found)


@router.get("/plans")
def plans(caller: CallerOf, mine: bool = False, limit: Limit = 50, cursor: Cursor = None) -> PlanPage:
    """Running plans of the pupils you may see, the next due first; `mine` for those you own."""
    scope, after = caller.listed(Action.SEE_PLANS), _after(cursor, date.fromisoformat, UUID)
    owner = caller.viewer.id if mine else None
    with reading(caller) as (cur, school):
        found = plan_board.running(cur, school, scope, caller.today, owner_id=owner, after=after, limit=limit + 1)
    page, last = found[:limit], found[limit - 1].plan if len(found) > limit else None
    caller.looked(Action.SEE_PLANS, sorted({one.plan.pupil_id for one in page}))
    return PlanPage(items=[PlanLine(**_fields(PlanLine, one.plan), overdue=one.overdue) for one in page],
                    next=cursor_of([last.due_on, last.plan_id]) if last else None)  # fmt: skip


@router.get("/rounds")
def rounds(caller: CallerOf, limit: Limit = 30) -> list[RoundLine]:
    """The school's rounds, the newest first, with how many of the pupils you may see have sat."""
    caller.may(Action.SEE_ROUNDS)
    counted = caller.can_list(Action.SEE_NAME)
    with reading(caller) as (cur, school):
        found = round_progress.rounds(cur, school, counted or Scope(), limit)
    hidden = {} if counted else dict.fromkeys(("expected", "sat", "not_today", "absent"))
    return [RoundLine(**{**one._asdict(), **hidden}) for one in found]


@router.get("/rounds/{round_id}/absentees")
def absentees(caller: CallerOf, round_id: UUID, limit: Limit = 200) -> list[Absentee]:
    """Pupils who are expected in a round and have not sat it yet, and who of them said "not today"."""
    scope = caller.listed(Action.SEE_NAME)
    with reading(caller) as (cur, school):
        found = round_progress.still_to_sit(cur, school, round_id, scope, limit)
    caller.looked(Action.SEE_NAME, [one.pupil.pupil_id for one in found])
    return [Absentee(**_named(one.pupil).model_dump(), not_today_on=one.not_today_on) for one in found]


@router.get("/cohort")
def cohort_view(
    caller: CallerOf, dimension: Code = "year", since: Day | None = None, until: Day | None = None
) -> list[CohortCell]:
    """How the groups of one dimension stand; fewer than ten pupils are never shown."""
    caller.see(Action.SEE_AGGREGATES)
    last = until or caller.today
    with reading(caller) as (cur, school):
        found = cohort.cells(cur, school, Scope(everyone=True), dimension, since=since or last - PERIOD, until=last)
    return [CohortCell(**{**one._asdict(), **_lists(one)}) for one in found]


@router.get("/transfers")
def transfers(
    caller: CallerOf, direction: Literal["in", "out"] | None = None, limit: Limit = 50, cursor: Cursor = None
) -> TransferPage:
    """The ledger: what was prepared, sent, received, acknowledged; the last moved first."""
    caller.see(Action.SEE_TRANSFERS)
    after = _after(cursor, _instant, UUID)
    with reading(caller) as (cur, school):
        found = transfer_ledger.transfers(cur, school, direction=direction, after=after, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return TransferPage(items=[TransferLine(**_fields(TransferLine, one)) for one in found[:limit]],
                        next=cursor_of([last.moved_at.isoformat(), last.transfer_id]) if last else None)  # fmt: skip


@contextmanager
def reading(caller: Caller) -> Iterator[tuple[Any, UUID]]:
    """A cursor on this school's read models, caught up, and the school's id."""
    school_id = caller.records.school_id
    caller.app.views.catch_up(school_id)
    with caller.app.views.reading(school_id) as cur:
        yield cur, school_id


def _place(last: pupils.Row | None, scope: Scope) -> tuple[str, str, UUID]:
    # a cursor stands in addresses, and so in logs: it holds an id, no name; and only somebody in sight has a place
    groups = [Group(dimension=dimension, name=name) for dimension, name in pupils.groups_of(last)] if last else []
    if last is None or not scope.covers(last.year_group, groups):
        raise BadCursor("this cursor is not one of this list's: start again without it")
    return last.surname, last.called, last.pupil_id


def _after(cursor: str | None, *kinds: Any) -> Any:
    values = read_cursor(cursor)
    if values is None:
        return None
    try:
        return tuple(kind(value) for kind, value in zip(kinds, values, strict=True))
    except (TypeError, ValueError, AttributeError) as error:
        raise BadCursor("this cursor is not one of this list's: start again without it") from error


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at


def _needs(caller: Caller, found: Sequence[risk_register.Line]) -> list[NeedLine]:
    caller.looked(Action.SEE_STORY, [one.pupil.pupil_id for one in found])
    return [NeedLine(**_fields(NeedLine, one.risk) | _whose(caller, one)) for one in looking.known(caller, found)]


def _whose(caller: Caller, line: risk_register.Line) -> dict[str, Any]:
    one, named = line.pupil, caller.can_list(Action.SEE_NAME) is not None
    return {
        "pupil_id": one.pupil_id, "name": f"{one.called} {one.surname}" if named else None,
        "year_group": one.year_group, "behind": line.behind,
    }  # fmt: skip


def _named(one: pupils.Row) -> OnRoll:
    return OnRoll(
        pupil_id=one.pupil_id, name=f"{one.called} {one.surname}", year_group=one.year_group,
        groups=pupils.groups_of(one),
    )  # fmt: skip


def _fields(model: type[Out], row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in model.model_fields if hasattr(row, name)}


def _lists(cell: cohort.Cell) -> dict[str, Eight | None]:
    return {name: list(value) if (value := getattr(cell, name)) is not None else None
            for name in ("mean", "spread", "moved")}  # fmt: skip
