"""Schools side by side as a funnel, never as a league table: how far apart chance alone would put them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from domain.small import SMALLEST
from domain.statistics import Z95, wilson

Z998 = 3.0902323061678132
"""Two-sided 99.8 %: outside this a school is worth a conversation (Spiegelhalter 2005)."""
SCHOOLS_LEAST = 3


@dataclass(frozen=True, slots=True)
class Place:
    """One school's share. ``where``: "as expected", "worth a look" (outside 95 %) or "far out" (outside 99.8 %)."""

    name: str
    count: int
    of: int
    share: float
    low: float
    high: float
    where: str


@dataclass(frozen=True, slots=True)
class Funnel:
    """All schools' mean, its spread factor, and each school's place in order of size. ``left_out``: schools too small.

    ``spread``: how much more schools differ than chance alone (1 is chance; limits are widened by its square root).
    """

    mean: float
    spread: float
    places: tuple[Place, ...]
    left_out: int


def funnel(counts: Sequence[tuple[str, int, int]]) -> Funnel | None:
    """(name, count, of) of each school -> the funnel; None with fewer than three schools of ten pupils.

    Limits by the normal approximation about the mean at each size, over-dispersion by the mean squared z, not below
    1 (Spiegelhalter 2005, Funnel plots for comparing institutional performance, section 4).
    """
    large = [one for one in counts if one[2] >= SMALLEST]
    if len(large) < SCHOOLS_LEAST:
        return None
    mean = sum(one[1] for one in large) / sum(one[2] for one in large)
    squares = [_z(count, of, mean) ** 2 for _, count, of in large]
    spread = max(1.0, sum(squares) / len(squares))
    places = [_place(*one, mean, math.sqrt(spread)) for one in sorted(large, key=lambda one: (-one[2], one[0]))]
    return Funnel(mean, spread, tuple(places), len(counts) - len(large))


def limits(mean: float, of: int, z: float) -> tuple[float, float]:
    """Between what shares schools of a size fall by chance, for ``z`` standard errors about the mean."""
    half = z * math.sqrt(mean * (1 - mean) / of)
    return max(0.0, mean - half), min(1.0, mean + half)


def _z(count: int, of: int, mean: float) -> float:
    error = math.sqrt(mean * (1 - mean) / of)
    return (count / of - mean) / error if error else 0.0


def _place(name: str, count: int, of: int, mean: float, widened: float) -> Place:
    far = abs(_z(count, of, mean)) / widened
    where = "far out" if far > Z998 else ("worth a look" if far > Z95 else "as expected")
    return Place(name, count, of, count / of, *wilson(count, of), where)
