"""Sittings, signs and plans as bytes that numpy reads as they lie: a trust of 50,000 pupils is reckoned from them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.impact.cases import NONE, Panel, Plans

Ints = NDArray[np.int64]
FACTORS = ("self_disclosure", "trust_of_self", "trust_of_others", "seeking_change")
CONTEXTS = ("general", "school")
FLAG_DAYS = 60
"""A sign belongs to the pupil's last sitting before it, if that is not longer ago."""
STEPS_A_POINT = 10_000
"""Scores and errors are kept in steps of a ten-thousandth of a scale point: far below any error of measurement."""
NO_SCORE = 65_535
SAT = np.dtype([("day", "<i4"), ("round", "<u8"), ("year", "i1"), ("usable", "?"), ("values", "<u2", 8),
                ("errors", "<u2", 8)])  # fmt: skip
SIGN = np.dtype([("day", "<i4"), ("aimed", "u1")])
PLAN = np.dtype([("start", "<i4"), ("end", "<i4"), ("owner", "<u8"), ("together", "<u8")])
_SAT, _SIGN, _PLAN = struct.Struct("<iQb?16H"), struct.Struct("<iB"), struct.Struct("<iiQQ")


class Pupil(NamedTuple):
    """One pupil: the tutor group, and the bytes of their sittings, signs and plans, each in the order recorded."""

    group: str
    sat: bytes
    signs: bytes
    plans: bytes


def mark(one: UUID | None) -> int:
    """The last 64 bits of an id: enough to tell those of one school apart. 0 is nobody's."""
    return one.int & 0xFFFF_FFFF_FFFF_FFFF if one else 0


def sat(
    on: date,
    round_id: UUID | None,
    year_group: int | None,
    usable: bool,
    values: Sequence[float | None],
    errors: Sequence[float | None],
) -> bytes:
    """A sitting; one outside a round goes by its month. Raises struct.error for a score that is not 0 to 6.5534."""
    when = mark(round_id) or on.year * 100 + on.month
    return _SAT.pack(on.toordinal(), when, NONE if year_group is None else year_group, usable,
                     *map(_steps, values), *map(_steps, errors))  # fmt: skip


def _steps(value: float | None) -> int:
    return NO_SCORE if value is None else round(value * STEPS_A_POINT)


def sign(on: date, factor: str | None, context: str | None) -> bytes:
    """An early sign and the scores it names, a bit each: of one context, or without one of both."""
    if factor not in FACTORS:
        return _SIGN.pack(on.toordinal(), 0)
    where = [CONTEXTS.index(context)] if context in CONTEXTS else [0, 1]
    return _SIGN.pack(on.toordinal(), sum(1 << (4 * one + FACTORS.index(factor)) for one in where))


def plan(start: date, end: date, owner: UUID, together: UUID | None) -> bytes:
    """A plan begun."""
    return _PLAN.pack(start.toordinal(), end.toordinal(), mark(owner), mark(together))


class Read(NamedTuple):
    """Schools as arrays, a round of a school a column in the order of first sittings; which of all plans are among
    them (those begun by the last day).
    """

    panel: Panel
    plans: Plans
    begun: NDArray[np.bool_]


def read(schools: Sequence[Sequence[Pupil]], until: date) -> Read:
    """Schools as one: all up to a day, rows in the order given. ``panel.school`` says which; each keeps its own rounds,
    groups, owners and group plans.
    """
    last = until.toordinal()
    sat = [_sittings([one.sat for one in pupils], last) for pupils in schools]
    panel = _empty(schools, max([1, *(one.columns for one in sat)]))
    at = np.cumsum([0, *map(len, schools)])
    for pupils, some, first in zip(schools, sat, at, strict=False):
        _fill(panel, some, first)
        _flag(panel, some, first, *lines(SIGN, [one.signs for one in pupils]), last)
    begun = [lines(PLAN, [one.plans for one in pupils]) for pupils in schools]
    whose = [who + first for (who, _), first in zip(begun, at, strict=False)]
    plans = np.concatenate([np.zeros(0, PLAN), *(one for _, one in begun)])
    known = plans["start"] <= last
    school = np.repeat(np.arange(len(schools)), [len(one) for one in whose])[known]
    pupil, plans = np.concatenate([np.zeros(0, np.int64), *whose])[known], plans[known]
    days = plans["start"].astype(np.int64), plans["end"].astype(np.int64)
    return Read(panel, Plans(pupil, *days, _codes(school, plans["owner"]), _codes(school, plans["together"])), known)


def lines(kind: np.dtype[np.void], held: Sequence[bytes]) -> tuple[Ints, NDArray[np.void]]:
    """Whose each record is (an index into what is held), and the records, in order."""
    counts = np.array([len(one) for one in held], dtype=np.int64) // kind.itemsize
    return np.repeat(np.arange(len(held)), counts), np.frombuffer(b"".join(held), dtype=kind)


class Sittings(NamedTuple):
    """A school's sittings: whose, the column of the round, the day (ordinal), the records; by pupil, then by day."""

    who: Ints
    column: Ints
    day: Ints
    records: NDArray[np.void]
    columns: int


def _sittings(held: Sequence[bytes], last: int) -> Sittings:
    who, records = lines(SAT, held)
    day = records["day"].astype(np.int64)
    key = _key(who, day)
    order = np.arange(len(key)) if (np.diff(key) >= 0).all() else np.argsort(key, kind="stable")
    order = order[day[order] <= last]
    who, day, records = who[order], day[order], records[order]
    rounds, inverse = np.unique(records["round"], return_inverse=True)
    first = np.full(len(rounds), last + 1)
    np.minimum.at(first, inverse, day)
    return Sittings(who, np.argsort(np.argsort(first, kind="stable"))[inverse], day, records, len(rounds))


def _key(who: Ints, day: Ints) -> Ints:
    return who << 32 | day


def _empty(schools: Sequence[Sequence[Pupil]], r: int) -> Panel:
    codes: dict[str, int] = {}
    group = np.array([codes.setdefault(one.group, len(codes)) for pupils in schools for one in pupils], dtype=np.int64)
    n = len(group)
    return Panel(
        school=np.repeat(np.arange(len(schools)), [len(one) for one in schools]), days=np.zeros((n, r), dtype=np.int64),
        values=np.full((n, r, 8), np.nan), errors=np.full((n, r, 8), np.nan), adequate=np.zeros((n, r), dtype=bool),
        flagged=np.zeros((n, r), dtype=bool), aimed=np.zeros((n, r, 8), dtype=bool),
        year=np.zeros((n, r), dtype=np.int64), group=np.broadcast_to(group[:, None], (n, r)),
    )  # fmt: skip


def _fill(panel: Panel, sat: Sittings, first: int) -> None:
    """Put sittings in their places; of two by one pupil in one round the later stays."""
    at = sat.who + first, sat.column
    panel.days[at], panel.year[at], panel.adequate[at] = sat.day, sat.records["year"], sat.records["usable"]
    panel.values[at], panel.errors[at] = _points(sat.records["values"]), _points(sat.records["errors"])


def _points(steps: NDArray[np.uint16]) -> NDArray[np.float64]:
    made = steps / STEPS_A_POINT
    made[steps == NO_SCORE] = np.nan
    return made


def _flag(panel: Panel, sat: Sittings, first: int, who: Ints, signs: NDArray[np.void], last: int) -> None:
    """Mark the sitting that each sign followed, and the scores it names."""
    stays = panel.days[sat.who + first, sat.column] == sat.day
    of, day, column = sat.who[stays], sat.day[stays], sat.column[stays]
    if not len(of):
        return
    on = signs["day"].astype(np.int64)
    before = np.searchsorted(_key(of, day), _key(who, on), side="right") - 1
    there = (before >= 0) & (of[before] == who) & (day[before] > on - FLAG_DAYS) & (on <= last)
    row, place, aimed = who[there] + first, column[before[there]], signs["aimed"][there]
    panel.flagged[row, place] = True
    for cell in range(8):
        named = (aimed >> cell & 1) > 0
        panel.aimed[row[named], place[named], cell] = True


def _codes(school: Ints, marks: NDArray[np.uint64]) -> Ints:
    """A small number for each mark of a school, NONE for nobody's."""
    codes = np.unique(marks, return_inverse=True)[1].astype(np.int64)
    apart = np.unique(school * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1].astype(np.int64)
    return np.where(marks == 0, NONE, apart)
