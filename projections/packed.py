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


def read(pupils: Sequence[Pupil], until: date) -> tuple[Panel, Plans, NDArray[np.bool_]]:
    """A school as arrays: all up to a day, rows in the order given; and which of all plans are among them.

    A round is a column, in the order of first sittings.
    """
    last = until.toordinal()
    panel = _sittings(pupils, last)
    who, signs = lines(SIGN, [one.signs for one in pupils])
    _flag(panel, who[signs["day"] <= last], signs[signs["day"] <= last])
    whose, plans = lines(PLAN, [one.plans for one in pupils])
    begun = plans["start"] <= last
    whose, plans = whose[begun], plans[begun]
    ends = plans["start"].astype(np.int64), plans["end"].astype(np.int64)
    return panel, Plans(whose, *ends, _codes(plans["owner"]), _codes(plans["together"])), begun


def lines(kind: np.dtype[np.void], held: Sequence[bytes]) -> tuple[Ints, NDArray[np.void]]:
    """Whose each record is (an index into what is held), and the records, in order."""
    counts = np.array([len(one) for one in held], dtype=np.int64) // kind.itemsize
    return np.repeat(np.arange(len(held)), counts), np.frombuffer(b"".join(held), dtype=kind)


def _sittings(pupils: Sequence[Pupil], last: int) -> Panel:
    who, records = lines(SAT, [one.sat for one in pupils])
    order = np.argsort(records["day"], kind="stable")
    order = order[records["day"][order] <= last]
    who, records = who[order], records[order]
    _, first, inverse = np.unique(records["round"], return_index=True, return_inverse=True)
    panel = _empty(len(pupils), max(len(first), 1), [one.group for one in pupils])
    # of two by one pupil in one round the later stays
    at = who, np.argsort(np.argsort(first))[inverse]
    panel.days[at], panel.year[at], panel.adequate[at] = records["day"], records["year"], records["usable"]
    panel.values[at], panel.errors[at] = _points(records["values"]), _points(records["errors"])
    return panel


def _points(steps: NDArray[np.uint16]) -> NDArray[np.float64]:
    made = steps / STEPS_A_POINT
    made[steps == NO_SCORE] = np.nan
    return made


def _empty(n: int, r: int, groups: Sequence[str]) -> Panel:
    codes: dict[str, int] = {}
    group = np.array([codes.setdefault(one, len(codes)) for one in groups], dtype=np.int64)
    return Panel(
        school=np.zeros(n, dtype=np.int64), days=np.zeros((n, r), dtype=np.int64), values=np.full((n, r, 8), np.nan),
        errors=np.full((n, r, 8), np.nan), adequate=np.zeros((n, r), dtype=bool), flagged=np.zeros((n, r), dtype=bool),
        aimed=np.zeros((n, r, 8), dtype=bool), year=np.zeros((n, r), dtype=np.int64),
        group=np.repeat(group[:, None], r, axis=1),
    )  # fmt: skip


def _flag(panel: Panel, who: Ints, signs: NDArray[np.void]) -> None:
    """Mark the sitting that each sign followed, and the scores it names."""
    days, day = panel.days[who], signs["day"].astype(np.int64)[:, None]
    fits = np.where((days > 0) & (days <= day) & (days > day - FLAG_DAYS), days, 0)
    column = fits.argmax(axis=1)
    there = fits[np.arange(len(who)), column] > 0
    panel.flagged[who[there], column[there]] = True
    for cell in range(8):
        named = there & (signs["aimed"] >> cell & 1 > 0)
        panel.aimed[who[named], column[named], cell] = True


def _codes(marks: NDArray[np.uint64]) -> Ints:
    """A small number for each mark, NONE for nobody's."""
    codes = np.unique(marks, return_inverse=True)[1].astype(np.int64)
    return np.where(marks == 0, NONE, codes)


def stacked(schools: Sequence[tuple[Panel, Plans]]) -> tuple[Panel, Plans]:
    """Schools as one: ``panel.school`` says which; each keeps its own rounds, groups, owners and group plans."""
    schools = schools or [read((), date.min)[:2]]
    if len(schools) == 1:
        return schools[0]
    sizes = [one.days.shape for one, _ in schools]
    n, r = sum(size[0] for size in sizes), max((size[1] for size in sizes), default=1)
    whole = _empty(n, r, [""] * n)
    at = np.cumsum([0, *(size[0] for size in sizes)])
    for index, (panel, _) in enumerate(schools):
        rows, columns = slice(at[index], at[index + 1]), slice(sizes[index][1])
        whole.school[rows] = index
        whole.group[rows] = panel.group[:, :1]
        for name in ("days", "values", "errors", "adequate", "flagged", "aimed", "year"):
            getattr(whole, name)[rows, columns] = getattr(panel, name)
    return whole, _all_plans([plans for _, plans in schools], at)


def _all_plans(schools: Sequence[Plans], at: Ints) -> Plans:
    owners = _apart([one.owner for one in schools])
    return Plans(
        np.concatenate([one.pupil + first for one, first in zip(schools, at, strict=False)]),
        np.concatenate([one.start for one in schools]), np.concatenate([one.end for one in schools]), owners,
        _apart([one.together for one in schools]),
    )  # fmt: skip


def _apart(codes: Sequence[Ints]) -> Ints:
    """The codes of several schools made different from each other; NONE stays."""
    made, used = [], 0
    for one in codes:
        made.append(np.where(one == NONE, NONE, one + used))
        used += int(one.max(initial=NONE)) + 1
    return np.concatenate(made)
