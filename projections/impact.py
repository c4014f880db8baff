"""What impact figures rest on: signs that asked for work and plans begun; with the sittings, a school as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor

from domain.base import Event, Fact
from domain.impact.cases import NONE, Panel, Plans
from domain.journey import facts as f
from domain.risk import makes_work
from domain.scope import Scope
from domain.support import Tried
from projections import cohort, plan_board, pupils
from projections.shape import capped, in_scope, untag

NAME, VERSION = "impact", 1
KEY = ("pupil_id", "line_id")
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, line_id uuid NOT NULL, sort text NOT NULL,"
    " kind text NOT NULL, factor text, context text, pole text, from_on date NOT NULL, to_on date, owner_id uuid,"
    " group_plan_id uuid, signposts text[] NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id, line_id)",
)
FACTORS = ("self_disclosure", "trust_of_self", "trust_of_others", "seeking_change")
CONTEXTS = ("general", "school")
FLAG_DAYS = 60
"""A sign belongs to the pupil's last sitting before it, if that is not longer ago."""
MAX_LINES = 1_000_000


class Row(NamedTuple):
    """One early sign (``sort`` "sign", ``from_on`` the day it was raised) or one plan begun ("plan", to its end)."""

    pupil_id: UUID
    line_id: UUID
    sort: str
    kind: str
    factor: str | None
    context: str | None
    pole: str | None
    from_on: date
    to_on: date | None
    owner_id: UUID | None
    group_plan_id: UUID | None
    signposts: list[str]


def rows(fact: Fact) -> list[Row]:
    """The row of a sign or a plan; signs that ask for no work have none."""
    make = STEPS.get(type(fact.event))
    return make(fact.pupil_id, fact.event) if make and fact.pupil_id else []


def _sign(pupil_id: UUID, event: f.FlagRaised) -> list[Row]:
    if not makes_work(event.kind):
        return []
    return [
        Row(pupil_id, event.flag_id, "sign", event.kind, event.factor, event.context, event.pole, event.day, None, None,
            None, [])
    ]  # fmt: skip


def _plan(pupil_id: UUID, event: f.PlanOpened) -> list[Row]:
    return [
        Row(pupil_id, event.plan_id, "plan", event.kind, event.factor, event.context, event.pole, event.start_on,
            event.end_on, event.owner_id, event.group_plan_id, list(event.signposts))
    ]  # fmt: skip


STEPS: dict[type[Event], Callable[[UUID, Any], list[Row]]] = {f.FlagRaised: _sign, f.PlanOpened: _plan}
TAKES = frozenset(STEPS)


class School(NamedTuple):
    """A school as ``domain.impact.assess`` takes it. ``parts``: masks over pupils by dimension (year, house, kind of
    sign, ...); ``plan_parts``: masks over plans by signpost; ``signs``, ``plan_count``: how many lines there are.
    """

    panel: Panel
    plans: Plans
    parts: dict[str, dict[str, NDArray[np.bool_]]]
    plan_parts: dict[str, NDArray[np.bool_]]
    signs: dict[str, int]


def school(cur: Cursor[Any], school_id: UUID, scope: Scope, *, until: date) -> School:
    """All sittings, signs and plans of pupils in scope up to a day, on roll or not, as arrays."""
    scoped, values = in_scope(scope)
    tags = {row[0]: row[1] for row in _asked(cur, f"SELECT p.pupil_id, p.tags FROM {pupils.TABLE} p WHERE p.school_id"
                                             f" = %s AND {scoped} ORDER BY 1", (school_id, *values))}  # fmt: skip
    at = {pupil_id: index for index, pupil_id in enumerate(tags)}
    sat = [row for row in _asked(cur, 'SELECT pupil_id, round_id, happened_on, year_group, usable, "values", errors'
           f" FROM {cohort.TABLE} WHERE school_id = %s AND happened_on <= %s ORDER BY happened_on", (school_id, until))
           if row[0] in at]  # fmt: skip
    columns = ", ".join(f'"{name}"' for name in Row._fields)
    lines = [Row(*row) for row in _asked(
        cur, f"SELECT {columns} FROM {TABLE} WHERE school_id = %s AND from_on <= %s ORDER BY from_on, line_id",
        (school_id, until)) if row[0] in at]  # fmt: skip
    return assembled(at, tags, sat, lines)


def _asked(cur: Cursor[Any], query: str, values: Sequence[Any]) -> list[Any]:
    cur.execute(
        f"{query} LIMIT {MAX_LINES}".encode(), values, binary=True
    )  # numbers as they are: text would be parsed anew
    return cur.fetchall()


def assembled(
    at: dict[UUID, int], tags: dict[UUID, list[str]], sat: Sequence[Sequence[Any]], lines: Sequence[Row]
) -> School:
    """The arrays: a column for each round in the order of its first sitting; sittings outside a round go by month."""
    rounds: dict[Any, int] = {}
    for row in sat:
        rounds.setdefault(_round(row), len(rounds))
    panel = _empty(len(at), max(len(rounds), 1), np.array([_group(tags[one]) for one in at], dtype=object))
    _put(panel, [at[row[0]] for row in sat], [rounds[_round(row)] for row in sat], sat)
    signs = [one for one in lines if one.sort == "sign"]
    begun = [one for one in lines if one.sort == "plan"]
    for one in signs:
        _flag(panel, at[one.pupil_id], one)
    return School(panel, _plans(begun, at), _parts(at, tags, signs), _by_signpost(begun), _counted(signs))


def _round(row: Sequence[Any]) -> Any:
    return row[1] or (row[2].year, row[2].month)


def _group(tags: Sequence[str]) -> str:
    return next((name for dimension, name in map(untag, tags) if dimension == "tutor group"), "")


def _empty(n: int, r: int, group: NDArray[np.object_]) -> Panel:
    codes = np.unique(group.astype(str), return_inverse=True)[1] if n else np.zeros(0, dtype=np.int64)
    return Panel(
        school=np.zeros(n, dtype=np.int64), days=np.zeros((n, r), dtype=np.int64), values=np.full((n, r, 8), np.nan),
        errors=np.full((n, r, 8), np.nan), adequate=np.zeros((n, r), dtype=bool), flagged=np.zeros((n, r), dtype=bool),
        aimed=np.zeros((n, r, 8), dtype=bool), year=np.zeros((n, r), dtype=np.int64),
        group=np.repeat(codes.astype(np.int64)[:, None], r, axis=1),
    )  # fmt: skip


def _put(panel: Panel, pupil: Sequence[int], column: Sequence[int], sat: Sequence[Sequence[Any]]) -> None:
    """Every sitting into its place; of two by one pupil in one round the later stays."""
    at = (_ints(pupil), _ints(column))
    panel.days[at] = [row[2].toordinal() for row in sat]
    panel.year[at] = [NONE if row[3] is None else row[3] for row in sat]
    panel.adequate[at] = [row[4] for row in sat]
    panel.values[at] = np.array([row[5] for row in sat], dtype=float).reshape(-1, 8)
    panel.errors[at] = np.array([row[6] for row in sat], dtype=float).reshape(-1, 8)


def _flag(panel: Panel, pupil: int, sign: Row) -> None:
    days, day = panel.days[pupil], sign.from_on.toordinal()
    fits = np.where((days > 0) & (days <= day) & (days > day - FLAG_DAYS), days, 0)
    column = int(fits.argmax())
    if not fits[column]:
        return
    panel.flagged[pupil, column] = True
    if sign.factor in FACTORS:
        contexts = [CONTEXTS.index(sign.context)] if sign.context in CONTEXTS else range(2)
        for context in contexts:
            panel.aimed[pupil, column, context * 4 + FACTORS.index(sign.factor)] = True


def _plans(begun: Sequence[Row], at: dict[UUID, int]) -> Plans:
    owners, groups = _codes([one.owner_id for one in begun]), _codes([one.group_plan_id for one in begun])
    return Plans(
        _ints([at[one.pupil_id] for one in begun]), _ints([one.from_on.toordinal() for one in begun]),
        _ints([(one.to_on or one.from_on).toordinal() for one in begun]), owners, groups,
    )  # fmt: skip


def _ints(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _codes(ids: Sequence[UUID | None]) -> NDArray[np.int64]:
    known: dict[UUID, int] = {}
    return _ints([NONE if one is None else known.setdefault(one, len(known)) for one in ids])


def _parts(
    at: dict[UUID, int], tags: dict[UUID, list[str]], signs: Sequence[Row]
) -> dict[str, dict[str, NDArray[np.bool_]]]:
    parts: dict[str, dict[str, NDArray[np.bool_]]] = {}
    for pupil_id, index in at.items():
        for dimension, name in map(untag, tags[pupil_id]):
            if dimension != "tutor group":
                parts.setdefault(dimension, {}).setdefault(name, np.zeros(len(at), dtype=bool))[index] = True
    for one in signs:
        kinds = parts.setdefault("kind of sign", {})
        kinds.setdefault(one.kind, np.zeros(len(at), dtype=bool))[at[one.pupil_id]] = True
    return parts


def tried(cur: Cursor[Any], school_id: UUID, factor: str, pole: str, limit: int = 5000) -> list[tuple[UUID, Tried]]:
    """Plans here that ended, at one end of one factor, the newest first, each with whose it was; ``own`` is not set."""
    cur.execute(
        f"SELECT b.pupil_id, b.context, i.signposts, b.came FROM {plan_board.TABLE} b JOIN {TABLE} i"
        " ON i.school_id = b.school_id AND i.pupil_id = b.pupil_id AND i.line_id = b.plan_id"
        " WHERE b.school_id = %s AND b.factor = %s AND b.pole = %s AND b.came IS NOT NULL"
        " ORDER BY b.closed_on DESC, b.plan_id LIMIT %s",
        (school_id, factor, pole, capped(limit)),
    )
    return [(row[0], Tried(factor, pole, row[1], tuple(row[2]), row[3])) for row in cur]


def _by_signpost(begun: Sequence[Row]) -> dict[str, NDArray[np.bool_]]:
    made: dict[str, NDArray[np.bool_]] = {}
    for index, one in enumerate(begun):
        for code in one.signposts:
            made.setdefault(code, np.zeros(len(begun), dtype=bool))[index] = True
    return made


def _counted(signs: Sequence[Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in signs:
        counts[one.kind] = counts.get(one.kind, 0) + 1
    return counts


class Kept(NamedTuple):
    """Plans begun in a period: how many, how many were looked at since, are running, and what came of the rest."""

    begun: int
    looked_at: int
    running: int
    overdue: int
    came: dict[str, int]


def kept(cur: Cursor[Any], school_id: UUID, scope: Scope, *, since: date, until: date) -> Kept:
    """Plans of pupils in scope that began in [since, until]."""
    scoped, values = in_scope(scope)
    found = _asked(
        cur, f"SELECT b.came, b.going IS NOT NULL OR b.looked_on > b.start_on, b.due_on < %s, count(*)"
        f" FROM {plan_board.TABLE} b JOIN {pupils.TABLE} p ON p.school_id = b.school_id AND p.pupil_id = b.pupil_id"
        f" WHERE b.school_id = %s AND b.start_on BETWEEN %s AND %s AND {scoped} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (until, school_id, since, until, *values),
    )  # fmt: skip
    came: dict[str, int] = {}
    for how, _, _, count in found:
        if how is not None:
            came[how] = came.get(how, 0) + count
    return Kept(
        sum(row[3] for row in found), sum(row[3] for row in found if row[1]),
        sum(row[3] for row in found if row[0] is None), sum(row[3] for row in found if row[0] is None and row[2]), came,
    )  # fmt: skip
