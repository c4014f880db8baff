"""From sittings over time to early signs: the level as known that day, how sure, and what is worth a look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.journey.decisions import Finding
from domain.journey.state import Sat
from domain.risk import kalman
from domain.risk.kalman import Sittings
from domain.risk.model import ALGORITHM, Model, by_digest, load
from domain.risk.signs import Subject, signs, unsure
from domain.risk.view import View, outlook

__all__ = [
    "ALGORITHM",
    "Cohort",
    "Finding",
    "Model",
    "Track",
    "by_digest",
    "cohort",
    "findings",
    "load_model",
    "makes_work",
    "nearest",
    "nearest_of",
    "reads",
    "track",
]

Floats = NDArray[np.float64]
Small = NDArray[np.float32]
SITTINGS_MAX = 120
BLOCK = 6136
"""Pupils at a time: rows of 6144 would fall on the same lines of the cache as each other."""
EPOCH = date(2000, 1, 1)
KINDS = ("priority", "worsening", "both_contexts", "polar", "context_gap", "unsettled", "flat", "response_quality")
"""The kinds of flags; beside them ``composite_`` and a name from the instrument."""
WORK = ("priority", "worsening", "both_contexts")


@dataclass(frozen=True, slots=True)
class Track:
    """What the picture draws: for each sitting that counts, the level as known that day and its sd (n, 8) on the
    instrument's scale, P(at an end) (n, 8) and P(two or more factors at an end) (n,).
    """

    days: tuple[date, ...]
    level: Floats
    sd: Floats
    p_polar: Floats
    p_priority: Floats


@dataclass(frozen=True, slots=True)
class Cohort:
    """The same for pupils x rounds: ``level``, ``sd``, ``p_low``, ``p_high`` (N, T, 8), ``p_priority`` (N, T)."""

    level: Small
    sd: Small
    p_low: Small
    p_high: Small
    p_priority: Small


def load_model() -> Model:
    """The model in use."""
    return load()


@lru_cache(256)
def reads(instrument: str, version: int) -> bool:
    """Whether the model in use reads sittings of an instrument: others are scored, kept and shown, and no sign rests on
    them, nor are they among figures that compare numbers.
    """
    return load_model().reads((instrument, version))


def makes_work(kind: str) -> bool:
    """Whether a flag of this kind asks a tutor to look; the others are information."""
    return kind in WORK or kind.startswith("composite_")


def findings(model: Model, sittings: Sequence[Sat], standing: Iterable[Subject], on: date) -> list[Finding]:
    """What is worth a look on a day, most urgent first.

    ``standing``: the subjects of flags that stand, which ease later than they are raised. Everything is read from the
    last sitting that counts, as known that day; without a recent one nothing is raised: not sitting is no sign.
    """
    known = [sat for sat in sittings if sat.on <= on and model.reads(sat.instrument)][-SITTINGS_MAX:]
    usable = [sat for sat in known if sat.usable]
    view = _view(model, usable) if usable else None
    return signs(model, known, usable, view, frozenset(standing), on)


def nearest(model: Model, sittings: Sequence[Sat], on: date) -> Finding | None:
    """What comes nearest a sign that makes work, as that sign would say it, however unsure; None without a sitting.

    It is no sign: it is what there is to say of a pupil without one, in the same words.
    """
    return nearest_of(model, [sittings], on)[0]


def nearest_of(model: Model, stories: Sequence[Sequence[Sat]], on: date) -> list[Finding | None]:
    """``nearest`` for several pupils in one walk of the filter, which takes about as long as one alone."""
    usable = [_usable(model, sittings, on) for sittings in stories]
    views = iter(_views(model, [one for one in usable if one]))
    return [_likeliest(model, one, next(views)) if one else None for one in usable]


def _likeliest(model: Model, usable: Sequence[Sat], view: View) -> Finding:
    _, found = max(unsure(model, usable, view), key=lambda one: (one[1].probability or 0.0) / one[0].on)
    return found


def track(model: Model, sittings: Sequence[Sat], up_to: date) -> Track:
    """The levels as known at each sitting that counts, up to a day; nothing from later is in them."""
    usable = _usable(model, sittings, up_to)
    if not usable:
        return Track((), np.empty((0, 8)), np.empty((0, 8)), np.empty((0, 8)), np.empty(0))
    seen = _view(model, usable).outlook
    parts = (seen.level.T, seen.sd.T, (seen.low + seen.high).T, seen.priority)
    return Track(tuple(sat.on for sat in usable), *(one.astype(np.float64) for one in parts))


def cohort(model: Model, sittings: Sittings, workers: int = 1) -> Cohort:
    """Every pupil and round at once, in blocks of pupils, shared among threads; the same numbers as one by one."""
    pupils, rounds = sittings.days.shape
    eight = [np.empty((rounds, 8, pupils), np.float32) for _ in range(4)]
    together = np.empty((rounds, pupils), np.float32)

    def block(start: int) -> None:
        rows = slice(start, start + BLOCK)
        for at, belief in enumerate(kalman.beliefs(model, sittings.part(start, start + BLOCK))):
            seen = outlook(model, belief)
            together[at, rows] = seen.priority
            for array, part in zip(eight, (seen.level, seen.sd, seen.low, seen.high), strict=True):
                array[at, :, rows] = part

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(block, range(0, pupils, BLOCK)))
    level, sd, low, high = (array.transpose(2, 0, 1) for array in eight)
    return Cohort(level, sd, low, high, together.T)


def sittings_of(stories: Sequence[Sequence[Sat]]) -> Sittings:
    """Pupils' sittings as arrays (N, T), each pupil's last in the last round; none of them without a sitting.

    Who has sat fewer is given empty rounds in front, on the day of the first: they say nothing.
    """
    longest = max(map(len, stories))
    days, months = (np.empty((len(stories), longest), np.int64) for _ in range(2))
    values, errors = (np.full((len(stories), longest, 8), np.nan) for _ in range(2))
    for at, usable in enumerate(stories):
        since = longest - len(usable)
        days[at], months[at] = (usable[0].on - EPOCH).days, usable[0].age_months or 0
        days[at, since:] = [(sat.on - EPOCH).days for sat in usable]
        months[at, since:] = [sat.age_months or 0 for sat in usable]
        values[at, since:] = np.array([sat.values for sat in usable], np.float64)
        errors[at, since:] = np.array([sat.errors for sat in usable], np.float64)
    return Sittings(days, months, values, errors)


def _usable(model: Model, sittings: Sequence[Sat], on: date) -> list[Sat]:
    return [sat for sat in sittings if sat.usable and sat.on <= on and model.reads(sat.instrument)][-SITTINGS_MAX:]


def _view(model: Model, usable: Sequence[Sat]) -> View:
    return _views(model, [usable])[0]


def _views(model: Model, stories: Sequence[Sequence[Sat]]) -> list[View]:
    """Each pupil's beliefs, the rounds laid along the last axis, so that all are read at once."""
    if not stories:
        return []
    belief = kalman.joined([one.copy() for one in kalman.beliefs(model, sittings_of(stories))])
    whole = View(belief, outlook(model, belief))
    ends = belief.mean.shape[-1]
    # round after round, in each the pupils in order: one pupil's are every so many-th, the last of them theirs
    return [
        whole.part(slice(ends - len(stories) * len(usable) + at, None, len(stories)))
        for at, usable in enumerate(stories)
    ]
