"""The questions themselves, from a school's record: do groups answer them alike, and how repeatable are the answers?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from astrack import instruments
from astrack.app import App
from astrack.fairness import members_of, people
from astrack.newest import Newest
from astrack.records import Records
from domain import fairness
from domain.fairness import ItemDifference
from domain.instrument import CELLS, Instrument
from domain.journey.facts import AssessmentSat
from domain.scope import Scope
from domain.scoring.reliability import Reliability, reliability
from projections import cohort
from projections.truth import Flagged

PUPILS_MAX = 20_000
RECENT = 2
"""So many sittings of each are read first: the newest, and the one it may have been offered again after."""
Floats = NDArray[np.float64]


class Differing(NamedTuple):
    """An item that pupils of equal standing in a group answer otherwise than the rest."""

    dimension: str
    name: str
    item: str
    said: ItemDifference


class OfGroup(NamedTuple):
    """What came of a group: how many items were compared, how many are notable, and the one that lies furthest off.

    ``widest`` None: too few of the group, or of all others, answered.
    """

    dimension: str
    name: str
    compared: int
    notable: int
    widest: Differing | None


@dataclass(frozen=True, slots=True)
class Items:
    """What came of looking at every item of one instrument, on the newest sitting of it of so many ``pupils``: the
    notable ones, every group, how many comparisons were made or withheld.
    """

    instrument: Instrument
    pupils: int
    notable: list[Differing]
    groups: list[OfGroup]
    compared: int
    withheld: int


class Scale(NamedTuple):
    """How repeatable one factor in one context is, within a sitting and from one to the next, apart."""

    factor: str
    context: str
    said: Reliability


@dataclass(frozen=True, slots=True)
class Questions:
    """What a school's record says of the questions: ``items`` of each instrument on its own, the one that rounds begin
    with first; ``scales`` of that one.
    """

    items: list[Items]
    scales: list[Scale]


KEPT: Newest[UUID, Questions] = Newest(20)
SEEN: Newest[UUID, Questions] = Newest(20)
"""What was found last at some schools, with the sittings and groups it rests on, and with the size of the log in which
these were looked at: aggregates alone.
"""


def questions(app: App, school_id: UUID, moved: Callable[[int], None] | None = None) -> Questions:
    """Of each instrument that is here and was sat, on each pupil's newest sitting of it that can be read; worked out
    anew where a sitting, a group or who is on roll has changed since. ``moved`` is told of each pupil whose answers
    were read.

    Differences by the groups of ``fairness.flag_rates``, none below fifty on either side. Repeatability of everybody
    on roll: within the newest sitting, and from the one before to it.
    """
    return SEEN.of(school_id, app.school(school_id).log.size(), lambda: _kept(app, school_id, moved))


def _kept(app: App, school_id: UUID, moved: Callable[[int], None] | None) -> Questions:
    those = people(app, school_id)[:PUPILS_MAX]
    with app.views.reading(school_id) as cur:
        state = cohort.fingerprint(cur, school_id)
    groups = tuple((one.pupil_id, *one.groups) for one in those)
    return KEPT.of(school_id, (state, groups), lambda: _found(app, school_id, those, moved))


def _found(app: App, school_id: UUID, those: list[Flagged], moved: Callable[[int], None] | None) -> Questions:
    first, *others = instruments.offered()
    with app.views.reading(school_id) as cur:
        both = cohort.newest(cur, school_id, Scope(everyone=True), since=date.min, until=date.max)
    records = app.school(school_id)
    who, answers = _answers(records, first, those, moved)
    said = reliability(first, np.nan_to_num(answers).astype(np.int8), both.before, both.newest)
    scales = [Scale(factor, context, one) for (context, factor), one in zip(CELLS, said, strict=True)]
    more = [(tool, *_answers(records, tool, those, None)) for tool in others]
    sat = [(first, who, answers), *((tool, some, given) for tool, some, given in more if some)]
    return Questions([_compared(tool, _keyed(tool, given), some) for tool, some, given in sat], scales)


def _answers(
    records: Records, tool: Instrument, those: Sequence[Flagged], moved: Callable[[int], None] | None
) -> tuple[list[Flagged], Floats]:
    """Who answered, and what they chose, (N, items), nan where nothing."""
    found = {pupil_id: _newest(sittings, tool) for pupil_id, sittings in _read(records, those, RECENT, moved)}
    # who did not sit this instrument usably of late may have done so before
    earlier = [one for one in those if found.get(one.pupil_id) is None]
    found |= {pupil_id: _newest(sittings, tool) for pupil_id, sittings in _read(records, earlier, None, None)}
    who = [one for one in those if found.get(one.pupil_id) is not None]
    rows = [[sat.answers.get(item.id, np.nan) for item in tool.items] for one in who if (sat := found[one.pupil_id])]
    return who, np.array(rows, dtype=float).reshape(len(rows), len(tool.items))


def _read(
    records: Records, those: Sequence[Flagged], newest: int | None, moved: Callable[[int], None] | None
) -> Iterator[tuple[UUID, list[AssessmentSat]]]:
    for pupil_id, sittings in records.sat([one.pupil_id for one in those], newest):
        if moved:
            moved(1)
        yield pupil_id, sittings


def _newest(sittings: Sequence[AssessmentSat], tool: Instrument) -> AssessmentSat | None:
    fits = [one for one in sittings if one.usable and one.instrument_digest == tool.digest]
    return max(fits, key=lambda one: one.happened_on, default=None)


def _keyed(tool: Instrument, answers: Floats) -> Floats:
    reversed_ones = np.array([item.keyed < 0 for item in tool.items])
    return np.where(reversed_ones, tool.scale.least + tool.scale.most - answers, answers)


def _compared(tool: Instrument, answers: Floats, who: list[Flagged]) -> Items:
    members = sorted(members_of(who).items())
    focal = np.array([member for _, member in members], dtype=bool).reshape(len(members), len(who)).T
    made = []
    for at, item in enumerate(tool.items):
        fellows = [place for place, other in enumerate(tool.items) if other.cell == item.cell and place != at]
        there = ~np.isnan(answers[:, [at, *fellows]]).any(axis=1)
        rest = answers[there][:, fellows].mean(axis=1)
        said = fairness.item_differences(answers[there, at], rest, focal[there])
        made += [Differing(*group, item.id, one) for (group, _), one in zip(members, said, strict=True)]
    shown = [one for one in made if one.said.smd is not None]
    notable = sorted((one for one in shown if one.said.notable), key=lambda one: (one.dimension, one.name))
    return Items(
        tool, len(who), notable, [_of(group, shown) for group, _ in members], len(shown), len(made) - len(shown)
    )


def _of(group: tuple[str, str], shown: list[Differing]) -> OfGroup:
    here = [one for one in shown if (one.dimension, one.name) == group]
    widest = max(here, key=lambda one: abs(one.said.smd or 0), default=None)
    return OfGroup(*group, len(here), sum(one.said.notable for one in here), widest)
