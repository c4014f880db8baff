"""Whether flags and items treat groups of pupils alike, from a school's record; small groups are never shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from astrack.app import App
from domain import fairness, instrument
from domain.background import WATCHABLE
from domain.base import Event
from domain.fairness import GroupRate, ItemDifference
from domain.instrument import Instrument
from domain.journey import facts as f
from domain.journey.state import corrected
from domain.small import hidden
from projections import background, truth
from projections.truth import Flagged

PUPILS_MAX = 20_000
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Rate(NamedTuple):
    """How often a group has a sign that makes work, beside everybody else; ``rate`` withheld (None in it) where few."""

    dimension: str
    name: str
    rate: GroupRate


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
    """What came of looking at every item: the notable ones, every group, how many comparisons were made or withheld."""

    notable: list[Differing]
    groups: list[OfGroup]
    compared: int
    withheld: int


def flag_rates(app: App, school_id: UUID) -> list[Rate]:
    """Rates by sex, by year group (which is the age on 31 August), by each group of the roster, and by SEN, EAL, FSM
    and ethnicity where the school watches these and a roster states them.

    A group under ten is withheld, and so is whatever would let it be worked out.
    """
    found = _people(app, school_id)
    members = _members(found)
    flags = np.array([one.flagged for one in found], dtype=bool)
    made = []
    for dimension in sorted({dimension for dimension, _ in members}):
        groups = {name: member for (of, name), member in members.items() if of == dimension}
        sizes = {name: [int(member.sum())] for name, member in groups.items()}
        gone = hidden(sizes, [len(found) - sum(size for (size,) in sizes.values())])
        for name, said in sorted(fairness.flag_rates(groups, flags).items()):
            made.append(Rate(dimension, name, GroupRate(0, None, None) if name in gone else said))
    return made


def _people(app: App, school_id: UUID) -> list[Flagged]:
    """Every pupil on roll who sat, with their groups, and of their background what the school watches today."""
    app.views.catch_up(school_id)
    watched = frozenset(WATCHABLE[name] for name in app.school(school_id).school_state().watched)
    with app.views.reading(school_id) as cur:
        found = truth.flagged(cur, school_id)
        known = background.known(cur, school_id, watched)
    return [one._replace(groups=[*one.groups, *known.get(one.pupil_id, [])]) for one in found]


def _members(found: list[Flagged]) -> dict[tuple[str, str], NDArray[np.bool_]]:
    members: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for at, one in enumerate(found):
        for key in one.groups:
            members.setdefault(key, np.zeros(len(found), dtype=bool))[at] = True
    return members


def items(app: App, school_id: UUID, moved: Callable[[int], None] | None = None) -> Items:
    """Differential item functioning of the newest instrument, on each pupil's newest sitting that can be read.

    By the same groups as ``flag_rates``; below fifty on either side nothing is compared.
    """
    records, tool = app.school(school_id), instrument.newest()
    answers: list[Floats] = []
    people: list[Flagged] = []
    for one in _people(app, school_id)[:PUPILS_MAX]:
        _, story = records.journey(one.pupil_id)
        sat = _newest([fact.event for fact in story], tool)
        if sat is not None:
            answers.append(_keyed(tool, sat))
            people.append(one)
        if moved:
            moved(1)
    return _compared(tool, np.array(answers), people)


def _newest(events: list[Event], tool: Instrument) -> f.AssessmentSat | None:
    sat = [one for one in corrected(events) if isinstance(one, f.AssessmentSat) and one.usable]
    fits = [one for one in sat if one.instrument_digest == tool.digest]
    return max(fits, key=lambda one: one.happened_on, default=None)


def _keyed(tool: Instrument, sat: f.AssessmentSat) -> Floats:
    turn = tool.scale.least + tool.scale.most
    given = (sat.answers.get(item.id) for item in tool.items)
    return np.array([
        np.nan if answer is None else answer if item.keyed > 0 else turn - answer
        for item, answer in zip(tool.items, given, strict=True)
    ])  # fmt: skip


def _compared(tool: Instrument, answers: Floats, people: list[Flagged]) -> Items:
    groups = sorted(_members(people).items())
    made = [
        Differing(dimension, name, item.id, fairness.item_difference(given, rest, member[there]))
        for item, (there, given, rest) in zip(tool.items, _beside_fellows(tool, answers), strict=True)
        for (dimension, name), member in groups
    ]
    shown = [one for one in made if one.said.smd is not None]
    notable = sorted((one for one in shown if one.said.notable), key=lambda one: (one.dimension, one.name))
    return Items(notable, [_of(group, shown) for group, _ in groups], len(shown), len(made) - len(shown))


def _of(group: tuple[str, str], shown: list[Differing]) -> OfGroup:
    here = [one for one in shown if (one.dimension, one.name) == group]
    widest = max(here, key=lambda one: abs(one.said.smd or 0), default=None)
    return OfGroup(*group, len(here), sum(one.said.notable for one in here), widest)


def _beside_fellows(tool: Instrument, answers: Floats) -> Iterator[tuple[Flags, Floats, Floats]]:
    """By item: who answered it and its fellow items, what they chose, and their mean of the fellows."""
    if not len(answers):
        answers = np.empty((0, len(tool.items)))
    for at, item in enumerate(tool.items):
        fellows = [place for place, other in enumerate(tool.items) if other.cell == item.cell and place != at]
        there = np.asarray(~np.isnan(answers[:, [at, *fellows]]).any(axis=1))
        chosen = answers[there]
        yield there, chosen[:, at], chosen[:, fellows].mean(axis=1)
