"""Whether an instrument and its flags treat groups of pupils alike, where numbers allow one to say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.simulation.screening import Rate, rate
from domain.statistics import Z95, newcombe

Flags = NDArray[np.bool_]
Floats = NDArray[np.floating]
CELL_LEAST = 10
DIF_LEAST = 50
STRATA = 10
NOTABLE_SMD = 0.25
"""A standardised mean difference of a quarter of the item's spread is worth a look (after Zwick and Thayer 1996)."""


@dataclass(frozen=True, slots=True)
class GroupRate:
    """How often a group is flagged, and by how much more than all others; None where fewer than ten are in either."""

    of: int
    flagged: Rate | None
    more: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """How differently one item is answered by pupils of equal standing on the rest: ``smd`` in the item's own spread,
    focal minus reference, with its 95 % interval; ``p`` of no difference (Mantel 1963). Withheld (None) below fifty in
    either group.
    """

    smd: float | None
    p: float | None
    low: float | None = None
    high: float | None = None

    @property
    def notable(self) -> bool:
        """Whether the item is worth a look: a clear difference and not a small one."""
        return self.smd is not None and self.p is not None and abs(self.smd) >= NOTABLE_SMD and self.p < 0.01


def flag_rates(groups: Mapping[str, Flags], flagged: Flags) -> dict[str, GroupRate]:
    """Rates by group (age, sex, SEN, EAL, FSM, ethnicity ...); each against all who are not in it (Newcombe 1998)."""
    found = {}
    for name, member in groups.items():
        here, others = int(member.sum()), int((~member).sum())
        hits = int((flagged & member).sum())
        if min(here, others) < CELL_LEAST:
            found[name] = GroupRate(here, None, None)
            continue
        more = newcombe(hits, here, int((flagged & ~member).sum()), others)
        found[name] = GroupRate(here, rate(hits, here), more)
    return found


def item_difference(item: Floats, rest: Floats, focal: Flags) -> ItemDifference:
    """``item_differences`` of one group."""
    return item_differences(item, rest, focal[:, None])[0]


def item_differences(item: Floats, rest: Floats, focal: Flags) -> list[ItemDifference]:
    """Differential functioning of one ordinal item, for each group: answers (N,), keyed; ``rest`` (N,): the mean of its
    fellow items; ``focal`` (N, groups): who is in each, the others being its reference.

    Pupils are compared within tenths of ``rest`` (Mantel 1963, as in Zwick, Donoghue and Grima 1993). The interval
    takes the tenths' differences as independent means, weighted by the focal group (Zwick and Thayer 1996).
    """
    size = focal.sum(axis=0)
    enough = np.minimum(size, len(item) - size) >= DIF_LEAST
    made = [ItemDifference(None, None)] * focal.shape[1]
    if enough.any():
        gap, variance, apart, apart_variance = _by_tenths(item, rest, focal[:, enough])
        whole = size[enough] * item.std()
        for at, *sums in zip(np.flatnonzero(enough).tolist(), gap, variance, apart, apart_variance, whole, strict=True):
            made[at] = _difference(*map(float, sums))
    return made


def _difference(gap: float, variance: float, apart: float, apart_variance: float, whole: float) -> ItemDifference:
    if variance <= 0:
        return ItemDifference(0.0, 1.0, 0.0, 0.0)
    smd, half = apart / whole, Z95 * math.sqrt(apart_variance) / whole
    return ItemDifference(smd, math.erfc(abs(gap) / math.sqrt(2 * variance)), smd - half, smd + half)


def _by_tenths(item: Floats, rest: Floats, focal: Flags) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each group, over the tenths in which it and the others are: Mantel's gap and its variance; the gap of means
    weighted by the group, and its variance.
    """
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, STRATA + 1)[1:-1]))
    tenth = (np.digitize(rest, edges) == np.arange(len(edges) + 1)[:, None]).astype(float)
    (f, r), (fy, ry), (fyy, ryy) = (_sums(tenth, focal, item**power) for power in (0, 1, 2))
    both = (f > 0) & (r > 0)
    f, r, fy, ry, fyy, ryy = (np.where(both, one, 1.0) for one in (f, r, fy, ry, fyy, ryy))
    all_of, mean = f + r, (fy + ry) / (f + r)
    spread = np.maximum(0, (fyy + ryy) / all_of - mean**2)
    squares = np.maximum(0, fyy - fy**2 / f) + np.maximum(0, ryy - ry**2 / r)
    # where each has one pupil alone, the two are taken as one group
    within = np.where(all_of > 2, squares / np.maximum(1, all_of - 2), 2 * spread)
    parts = (
        fy - f * mean,
        f * r / (all_of - 1) * spread,
        f * (fy / f - ry / r),
        f * f * within * (1 / f + 1 / r),
    )
    gap, variance, apart, apart_variance = (np.where(both, one, 0.0).sum(axis=0) for one in parts)
    return gap, variance, apart, apart_variance


def _sums(tenth: Floats, focal: Flags, weight: Floats) -> tuple[Floats, Floats]:
    """Of each tenth and group, the sum of a weight over the group, and over all others."""
    here = tenth @ (focal * weight[:, None])
    return here, (tenth @ weight)[:, None] - here
