"""What impact figures rest on: each pupil's sittings, signs that asked for work and plans, packed for arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor

from domain.base import Event, Fact
from domain.impact.cases import Panel, Plans
from domain.journey import facts as f
from domain.risk import makes_work, reads
from domain.scope import Scope
from domain.support import Tried
from projections import packed, plan_board, pupils
from projections.packed import Pupil
from projections.shape import NOBODY, capped, in_scope, untag

NAME, VERSION = "impact", 2
KEY = ("pupil_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, sat bytea NOT NULL, signs bytea NOT NULL,"
    " sign_kinds text[] NOT NULL, plans bytea NOT NULL, plan_ids uuid[] NOT NULL, signposts text[] NOT NULL,"
    " newest bigint NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id)",
)
PUPILS_MAX = 20_000
JOINED = "\x1f"
"""Between the tags of a pupil: many texts of one pupil each are read much faster than many lists."""
MASK = NDArray[np.bool_]


class Row(NamedTuple):
    """One pupil. ``sat``, ``signs``, ``plans``: records of ``projections.packed`` in the order recorded; beside each
    sign its kind, beside each plan its id and its signposts, joined by spaces. ``newest``: position of the last fact.
    """

    pupil_id: UUID
    sat: bytes = b""
    signs: bytes = b""
    sign_kinds: Sequence[str] = ()
    plans: bytes = b""
    plan_ids: Sequence[UUID] = ()
    signposts: Sequence[str] = ()
    newest: int = -1


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each pupil who has sat what the model in use reads; signs that ask for no work make none."""
    return (fact.pupil_id,) if fact.pupil_id and _counts(fact.event) else None


def _counts(event: Event) -> bool:
    if isinstance(event, f.AssessmentSat):
        return reads(event.instrument, event.instrument_version)
    return not isinstance(event, f.FlagRaised) or makes_work(event.kind)


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more; one that is in it already adds nothing."""
    row = row or Row(fact.pupil_id or NOBODY)
    return (
        row if fact.position <= row.newest else STEPS[type(fact.event)](row, fact.event)._replace(newest=fact.position)
    )


def _sat(row: Row, event: f.AssessmentSat) -> Row:
    more = packed.sat(event.happened_on, event.round_id, event.year_group, event.usable, event.values, event.errors)
    return row._replace(sat=row.sat + more)


def _sign(row: Row, event: f.FlagRaised) -> Row:
    more = packed.sign(event.day, event.factor, event.context)
    return row._replace(signs=row.signs + more, sign_kinds=[*row.sign_kinds, event.kind])


def _plan(row: Row, event: f.PlanOpened) -> Row:
    more = packed.plan(event.start_on, event.end_on, event.owner_id, event.group_plan_id)
    return row._replace(
        plans=row.plans + more, plan_ids=[*row.plan_ids, event.plan_id],
        signposts=[*row.signposts, " ".join(event.signposts)],
    )  # fmt: skip


STEPS: dict[type[Event], Callable[[Row, Any], Row]] = {f.AssessmentSat: _sat, f.FlagRaised: _sign, f.PlanOpened: _plan}
TAKES = frozenset(STEPS)


class School(NamedTuple):
    """A school as ``domain.impact.assess`` takes it. ``parts``: masks over pupils by dimension (year, house, kind of
    sign, ...); ``plan_parts``: masks over plans by signpost; ``signs``: the day (ordinal) of every sign, by kind.
    """

    panel: Panel
    plans: Plans
    parts: dict[str, dict[str, MASK]]
    plan_parts: dict[str, MASK]
    signs: dict[str, list[int]]


def packs(cur: Cursor[Any], school_id: UUID) -> list[Pupil]:
    """Everybody's sittings, signs and plans, on roll or not, as they lie: what a trust is put together from."""
    return _pupils(_asked(cur, school_id, Scope(everyone=True), ""))


def school(cur: Cursor[Any], school_id: UUID, scope: Scope, *, until: date) -> School:
    """The same of pupils in scope, with the parts that figures are given by."""
    return assembled(_asked(cur, school_id, scope, ", i.sign_kinds, i.signposts"), until)


def _asked(cur: Cursor[Any], school_id: UUID, scope: Scope, more: str) -> list[Any]:
    scoped, values = in_scope(scope)
    cur.execute(
        f"SELECT array_to_string(p.tags, chr({ord(JOINED)})), i.sat, i.signs, i.plans{more} FROM {pupils.TABLE} p"
        f" JOIN {TABLE} i ON i.school_id = p.school_id AND i.pupil_id = p.pupil_id"
        f" WHERE p.school_id = %s AND {scoped} ORDER BY p.pupil_id LIMIT {PUPILS_MAX}".encode(),
        (school_id, *values), binary=True,
    )  # fmt: skip
    return cur.fetchall()


def _pupils(found: Sequence[Sequence[Any]]) -> list[Pupil]:
    groups = {tags: _group(tags) for tags in {row[0] for row in found}}
    return [Pupil(groups[row[0]], row[1], row[2], row[3]) for row in found]


def _group(tags: str) -> str:
    return next((name for dimension, name in map(untag, tags.split(JOINED)) if dimension == "tutor group"), "")


def assembled(found: Sequence[tuple[str, bytes, bytes, bytes, list[str], list[str]]], until: date) -> School:
    """(tags, sittings, signs, plans, kinds of the signs, signposts of the plans) of each pupil -> the school."""
    panel, plans, begun = packed.read([_pupils(found)], until)
    who, signs = packed.lines(packed.SIGN, [row[2] for row in found])
    known = signs["day"] <= until.toordinal()
    named = [kind for row in found for kind in row[4]]
    raised = {kind: mask & known for kind, mask in _members([[kind] for kind in named]).items()}
    of_kind = {kind: mask for kind, mask in raised.items() if mask.any()}
    parts = _parts([row[0] for row in found])
    if of_kind:
        parts["kind of sign"] = {kind: np.isin(np.arange(len(found)), who[mask]) for kind, mask in of_kind.items()}
    chosen = _members([one.split() for row in found for one in row[5]])
    return School(
        panel, plans, parts, {name: mask[begun] for name, mask in chosen.items()},
        {kind: signs["day"][mask].tolist() for kind, mask in of_kind.items()},
    )  # fmt: skip


def _parts(tags: Sequence[str]) -> dict[str, dict[str, MASK]]:
    """Masks over pupils by dimension and name; tutor groups are too small to tell anything."""
    parts: dict[str, dict[str, MASK]] = {}
    for held, mask in _members([one.split(JOINED) for one in tags]).items():
        dimension, name = untag(held)
        if dimension not in ("tutor group", ""):
            parts.setdefault(dimension, {})[name] = mask
    return parts


def _members(named: Sequence[Iterable[str]]) -> dict[str, MASK]:
    """For each name the mask of the lines that have it."""
    made: dict[str, MASK] = {}
    for index, names in enumerate(named):
        for name in names:
            made.setdefault(name, np.zeros(len(named), dtype=bool))[index] = True
    return made


def tried(
    cur: Cursor[Any], school_id: UUID, factor: str | None, pole: str | None, limit: int = 5000
) -> list[tuple[UUID, Tried]]:
    """Plans here that ended, at one end of one factor (both None: about several, or a pattern), the newest first, each
    with whose it was; ``own`` is not set.
    """
    cur.execute(
        "SELECT b.pupil_id, b.context, i.signposts[array_position(i.plan_ids, b.plan_id)], b.came"
        f" FROM {plan_board.TABLE} b JOIN {TABLE} i ON i.school_id = b.school_id AND i.pupil_id = b.pupil_id"
        " WHERE b.school_id = %s AND b.factor IS NOT DISTINCT FROM %s AND b.pole IS NOT DISTINCT FROM %s"
        " AND b.came IS NOT NULL ORDER BY b.closed_on DESC, b.plan_id LIMIT %s",
        (school_id, factor, pole, capped(limit)),
    )
    return [(row[0], Tried(factor, pole, row[1], tuple((row[2] or "").split()), row[3])) for row in cur]


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
    cur.execute(
        f"SELECT b.came, b.going IS NOT NULL OR b.looked_on > b.start_on, b.due_on < %s, count(*)"
        f" FROM {plan_board.TABLE} b JOIN {pupils.TABLE} p ON p.school_id = b.school_id AND p.pupil_id = b.pupil_id"
        f" WHERE b.school_id = %s AND b.start_on BETWEEN %s AND %s AND {scoped} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (until, school_id, since, until, *values),
    )  # fmt: skip
    found = cur.fetchall()
    came: dict[str, int] = {}
    for how, _, _, count in found:
        if how is not None:
            came[how] = came.get(how, 0) + count
    return Kept(
        sum(row[3] for row in found), sum(row[3] for row in found if row[1]),
        sum(row[3] for row in found if row[0] is None), sum(row[3] for row in found if row[0] is None and row[2]), came,
    )  # fmt: skip
