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


def item_difference(item: NDArray[np.floating], rest: NDArray[np.floating], focal: Flags) -> ItemDifference:
    """Differential functioning of one ordinal item: answers (N,), keyed; ``rest``: the mean of its fellow items.

    Pupils are compared within tenths of ``rest`` (Mantel 1963, as in Zwick, Donoghue and Grima 1993). The interval
    takes the tenths' differences as independent means, weighted by the focal group (Zwick and Thayer 1996).
    """
    if min(int(focal.sum()), int((~focal).sum())) < DIF_LEAST:
        return ItemDifference(None, None)
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, STRATA + 1)[1:-1]))
    stratum = np.digitize(rest, edges)
    apart = expected_gap = variance = apart_variance = 0.0
    for one in range(len(edges) + 1):
        here = stratum == one
        f, r = int((here & focal).sum()), int((here & ~focal).sum())
        if f == 0 or r == 0:
            continue
        answers = item[here]
        expected_gap += item[here & focal].sum() - f * answers.mean()
        variance += f * r / (f + r - 1) * answers.var()
        apart += f * (item[here & focal].mean() - item[here & ~focal].mean())
        apart_variance += f * f * _within(item[here & focal], item[here & ~focal]) * (1 / f + 1 / r)
    if variance == 0:
        return ItemDifference(0.0, 1.0, 0.0, 0.0)
    whole = float(focal.sum() * item.std())
    smd, half = float(apart) / whole, Z95 * math.sqrt(apart_variance) / whole
    return ItemDifference(smd, math.erfc(abs(expected_gap) / math.sqrt(2 * variance)), smd - half, smd + half)


def _within(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """The pooled variance of two groups; of the two as one where each has one pupil alone."""
    free = len(first) + len(second) - 2
    squares = len(first) * first.var() + len(second) * second.var()
    return float(squares / free if free else np.concatenate([first, second]).var(ddof=1))
