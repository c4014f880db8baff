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
ENOUGH_WATCHED = 20
ENOUGH_REVIEWS = 10


@dataclass(frozen=True, slots=True)
class Need:
    """Something a figure rests on that has been ``counted`` too few times yet: ``needed`` are needed."""

    of: str
    counted: int
    needed: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A share with its interval (95 %), resting on ``counted``; or withheld: then ``value`` is None and ``lacks`` says
    what there is too little of, and how much of it there is.
    """

    value: float | None
    low: float | None
    high: float | None
    counted: int
    lacks: tuple[Need, ...] = ()

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
        _share(agreed, reviewed, Need("flags reviewed", reviewed, ENOUGH_REVIEWS)),
        _share(counts["new_to_us"], agreed, Need("flags staff agreed with", agreed, ENOUGH_REVIEWS)),
        counts[None],
    )


def followed(watched: Sequence[Watched]) -> Truth:
    """PPV, sensitivity and specificity with intervals, each withheld until enough pupils have been seen on each side.

    PPV rests on flags alone. The other two need pupils with an outcome and without one, flagged ones and drawn ones:
    without those drawn nothing is known of what was missed.
    """
    known = [one for one in watched if one.outcome is not None]
    flags = [one for one in known if one.flagged]
    having = Need("pupils with an outcome", _pupils(one for one in known if one.outcome), ENOUGH_OUTCOMES)
    clear = Need("pupils followed up without one", _pupils(one for one in known if not one.outcome), ENOUGH_OUTCOMES)
    flagged = Need("pupils flagged and followed up", _pupils(flags), ENOUGH_WATCHED)
    drawn = Need("pupils drawn and followed up", _pupils(one for one in known if not one.flagged), ENOUGH_WATCHED)
    with_outcome, without = ([one for one in known if bool(one.outcome) is had] for had in (True, False))
    return Truth(
        _clustered([(one, bool(one.outcome)) for one in flags], (flagged, having)),
        _clustered([(one, one.flagged) for one in with_outcome], (having, clear, flagged, drawn)),
        _clustered([(one, not one.flagged) for one in without], (having, clear, flagged, drawn)),
        sum(one.flagged and one.outcome is None for one in watched),
        having.counted,
    )


def _pupils(some: Iterable[Watched]) -> int:
    return len({one.pupil_id for one in some})


def _too_few(needs: Iterable[Need]) -> tuple[Need, ...]:
    return tuple(one for one in needs if one.counted < one.needed)


def _share(count: int, of: int, need: Need) -> Figure:
    if lacks := _too_few([need]):
        return Figure(None, None, None, of, lacks)
    return Figure(count / of, *wilson(count, of), of)


def _clustered(rows: Sequence[tuple[Watched, bool]], needs: Sequence[Need]) -> Figure:
    """A weighted share (Hajek) of the rows that hit. The rows of one pupil are one draw: its variance is linearised and
    taken between pupils, and the interval is Wilson's on the number of pupils that this variance stands for, never more
    than there are. Where all or none hit it stands for none, and Kish's number of the pupils' weights is taken.
    """
    pupils: dict[UUID, float] = {}
    for one, _ in rows:
        pupils[one.pupil_id] = pupils.get(one.pupil_id, 0.0) + one.weight
    if lacks := _too_few(needs):
        return Figure(None, None, None, len(pupils), lacks)
    total = sum(pupils.values())
    p = sum(one.weight for one, hit in rows if hit) / total
    off = dict.fromkeys(pupils, 0.0)
    for one, hit in rows:
        off[one.pupil_id] += one.weight * (hit - p)
    count = len(pupils)
    variance = sum(one * one for one in off.values()) / total**2 * count / (count - 1)
    kish = total**2 / sum(weight * weight for weight in pupils.values())
    effective = min(p * (1 - p) / variance, count) if 0 < p < 1 and variance > 0 else kish
    return Figure(p, *_wilson(p, effective), count)


def _wilson(p: float, of: float) -> tuple[float, float]:
    zz = Z95 * Z95
    centre, half = p + zz / (2 * of), Z95 * math.sqrt(p * (1 - p) / of + zz / (4 * of * of))
    return max(0.0, (centre - half) / (1 + zz / of)), min(1.0, (centre + half) / (1 + zz / of))
