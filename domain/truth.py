"""How right a school's flags have been: staff agreement from reviews, and PPV and sensitivity from later outcomes.

What staff say of a flag is agreement, never PPV: they cannot see what is hidden. Truth is a coded, dated outcome for
any pupil, flagged or not. Nothing is said before enough outcomes exist, and how many there are is always said.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.statistics import Z95, wilson

ENOUGH_OUTCOMES = 10
ENOUGH_FLAGS = 20
ENOUGH_REVIEWS = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A share with its interval (95 %), or withheld: then ``value`` is None and ``counted`` of ``needed`` says why."""

    value: float | None
    low: float | None
    high: float | None
    counted: int
    needed: int

    @property
    def withheld(self) -> bool:
        """Whether too little has been counted to say anything."""
        return self.value is None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What staff made of flags. ``agreed``: new or known already; ``new``: new among those agreed."""

    agreed: Figure
    new: Figure
    unreviewed: int


@dataclass(frozen=True, slots=True)
class Watched:
    """One pupil over the rounds after one look: ``flagged`` then, ``outcome`` within the rounds that followed (None:
    not followed up), ``weight``: one over the chance of having been looked at (1 for flags, more for a drawn pupil).
    """

    pupil_id: UUID
    flagged: bool
    outcome: bool | None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Truth:
    """``ppv`` per pupil, ``sensitivity`` and ``specificity`` weighted by the draw; ``not_followed_up`` among flags."""

    ppv: Figure
    sensitivity: Figure
    specificity: Figure
    not_followed_up: int
    outcomes: int


def agreement(judgements: Iterable[str | None]) -> Agreement:
    """From the judgements of all flags (new_to_us, already_known, not_what_we_see; None: nobody looked yet)."""
    counts = Counter(judgements)
    agreed = counts["new_to_us"] + counts["already_known"]
    reviewed = agreed + counts["not_what_we_see"]
    return Agreement(
        _share(agreed, reviewed, ENOUGH_REVIEWS), _share(counts["new_to_us"], agreed, ENOUGH_REVIEWS), counts[None]
    )


def followed(watched: Sequence[Watched]) -> Truth:
    """PPV, sensitivity and specificity with intervals, each withheld until enough has been seen."""
    known = [one for one in watched if one.outcome is not None]
    outcomes = len({one.pupil_id for one in known if one.outcome})
    flags = [one for one in known if one.flagged]
    enough = outcomes >= ENOUGH_OUTCOMES
    return Truth(
        _clustered(flags, outcomes),
        _weighted(known, True, outcomes) if enough else _nothing(outcomes),
        _weighted(known, False, outcomes) if enough else _nothing(outcomes),
        sum(one.flagged and one.outcome is None for one in watched),
        outcomes,
    )


def _share(count: int, of: int, needed: int) -> Figure:
    if of < needed:
        return Figure(None, None, None, of, needed)
    return Figure(count / of, *wilson(count, of), of, needed)


def _nothing(counted: int) -> Figure:
    return Figure(None, None, None, counted, ENOUGH_OUTCOMES)


def _clustered(flags: Sequence[Watched], outcomes: int) -> Figure:
    """The share of flags followed by an outcome; flags of one pupil are one draw (Wilson on the effective number)."""
    pupils = Counter(one.pupil_id for one in flags)
    if len(pupils) < ENOUGH_FLAGS or outcomes < ENOUGH_OUTCOMES:
        return Figure(None, None, None, len(pupils), ENOUGH_FLAGS)
    p = sum(bool(one.outcome) for one in flags) / len(flags)
    hits: Counter[UUID] = Counter()
    for one in flags:
        hits[one.pupil_id] += bool(one.outcome)
    squares = sum((hits[pupil] - p * count) ** 2 for pupil, count in pupils.items())
    n = len(flags)
    between = squares * len(pupils) / (len(pupils) - 1) / n**2
    effective = min(n, p * (1 - p) / between) if between > 0 else float(len(pupils))
    return Figure(p, *_wilson(p, effective), len(pupils), ENOUGH_FLAGS)


def _weighted(known: Sequence[Watched], had: bool, outcomes: int) -> Figure:
    """Sensitivity (``had``) or specificity: a weighted share (Hajek), its variance linearised and by pupil, Wilson on
    the effective number that this variance stands for.
    """
    rows = [one for one in known if bool(one.outcome) is had]
    total = sum(one.weight for one in rows)
    if not rows or total <= 0:
        return _nothing(outcomes)
    p = sum(one.weight for one in rows if one.flagged is had) / total
    off: dict[UUID, float] = {}
    for one in rows:
        off[one.pupil_id] = off.get(one.pupil_id, 0.0) + one.weight * ((one.flagged is had) - p)
    variance = sum(one * one for one in off.values()) / total**2
    kish = total**2 / sum(one.weight**2 for one in rows)
    return Figure(p, *_wilson(p, p * (1 - p) / variance if variance else kish), len(rows), ENOUGH_OUTCOMES)


def _wilson(p: float, of: float) -> tuple[float, float]:
    zz = Z95 * Z95
    centre, half = p + zz / (2 * of), Z95 * math.sqrt(p * (1 - p) / of + zz / (4 * of * of))
    return max(0.0, (centre - half) / (1 + zz / of)), min(1.0, (centre + half) / (1 + zz / of))
