"""What became of each case, arm by arm, beside what doing nothing would look like; pairs matched at the baseline."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.impact.cases import Cases, Panel
from domain.statistics import Z95, normal_cdfs, wilson
from domain.statistics.student_t import t_two_sided

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
CLASSES = ("reliably_improved", "improved", "unchanged", "worse", "reliably_worse", "crossed")
RELIABLE = 1.96
SAME = 1e-9
CALIPER_SD = 0.25
"""Pairs differ at the baseline by at most this share of the baseline's standard deviation."""


@dataclass(frozen=True, slots=True)
class Share:
    """A count, of how many, its share and the Wilson interval of it."""

    count: int
    of: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Pairs of a supported and an unsupported pupil alike at the baseline.

    ``nearer``: mean difference of the follow-up distances (positive: the supported are nearer the middle), t interval;
    ``improved``: difference of the shares that improved, Newcombe's interval for pairs.
    """

    pairs: int
    nearer: tuple[float, float, float]
    improved: tuple[float, float, float]


def share(count: int, of: int) -> Share:
    """A share with its interval; NaN where nothing was counted."""
    low, high = wilson(count, of)
    return Share(count, of, count / of if of else math.nan, low, high)


def classes(panel: Panel, cases: Cases) -> NDArray[np.int64]:
    """The class of each case as an index into CLASSES by its farthest named score, -1 where not reassessed.

    The rule of domain.change.classify: nearer the middle is improved, from pole to pole is crossed and never improved,
    and more than 1.96 standard errors of the difference is reliable (Jacobson and Truax 1991).
    """
    before, after = cases.score_before, cases.score_after
    crossed = ((before <= panel.low) & (after >= panel.high)) | ((before >= panel.high) & (after <= panel.low))
    nearer = np.abs(before - panel.middle) - np.abs(after - panel.middle)
    reliable = np.abs(nearer) > RELIABLE * cases.error
    found = np.select(
        [crossed, np.abs(nearer) < SAME, (nearer > 0) & reliable, nearer > 0, reliable], [5, 2, 0, 1, 4], default=3
    )
    return np.where(np.isnan(after), -1, found)


def counted(found: NDArray[np.int64]) -> dict[str, Share]:
    """Each class's share of those reassessed, and "any_improvement" for the two first together."""
    of = int((found >= 0).sum())
    made = {name: share(int((found == index).sum()), of) for index, name in enumerate(CLASSES)}
    return made | {"any_improvement": share(int(((found == 0) | (found == 1)).sum()), of)}


@dataclass(frozen=True, slots=True)
class Retest:
    """How scores go on without regard to support: mean, standard deviation and retest correlation, eight of each."""

    mean: Floats
    sd: Floats
    r: Floats


def retest(panel: Panel) -> Retest | None:
    """From every pupil's first two adequate sittings, flagged or not; None with fewer than ten such pupils."""
    at = np.argsort(~panel.adequate, axis=1, kind="stable")[:, :2]
    if at.shape[1] < 2:
        return None
    both = np.flatnonzero(panel.adequate[np.arange(len(at)), at[:, 1]])
    one, two = panel.values[both, at[both, 0]], panel.values[both, at[both, 1]]
    whole = ~(np.isnan(one) | np.isnan(two)).any(axis=1)
    if whole.sum() < 10:
        return None
    one, two = one[whole], two[whole]
    m1, m2, s1, s2 = one.mean(axis=0), two.mean(axis=0), one.std(axis=0), two.std(axis=0)
    r = ((one - m1) * (two - m2)).mean(axis=0) / np.maximum(s1 * s2, SAME)
    return Retest((m1 + m2) / 2, np.maximum((s1 + s2) / 2, SAME), np.clip(r, 0, 0.999))


def expected_improvement(panel: Panel, cases: Cases, known: Retest) -> float:
    """The mean chance that a case's score is nearer the middle next time with nobody doing anything.

    Next score ~ N(m + r (x - m), sd^2 (1 - r^2)); nearer and not from pole to pole: within the baseline's distance.
    """
    if not len(cases):
        return math.nan
    m, sd, r = known.mean[cases.cell], known.sd[cases.cell], known.r[cases.cell]
    centre, spread = m + r * (cases.score_before - m), sd * np.sqrt(1 - r * r)
    out = np.abs(cases.score_before - panel.middle)
    far = np.where(cases.score_before > panel.middle, panel.low, panel.high)
    low, high = panel.middle - out, panel.middle + out
    low = np.where(cases.score_before >= panel.high, np.maximum(low, far), low)
    high = np.where(cases.score_before <= panel.low, np.minimum(high, far), high)
    chance = normal_cdfs((high - centre) / spread) - normal_cdfs((low - centre) / spread)
    return float(chance.mean())


def match(cases: Cases, of: Flags) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs (supported, unsupported) of the same stratum among ``of``, nearest at the baseline, each once.

    Supported pupils are taken from the farthest out; a pair differs by at most CALIPER_SD baseline deviations.
    """
    caliper = CALIPER_SD * float(np.std(cases.before[of])) if of.any() else 0.0
    order = np.argsort(-cases.before, kind="stable")
    pool: dict[int, list[tuple[float, int]]] = {}
    for index in order[of[order] & ~cases.supported[order]].tolist():
        pool.setdefault(int(cases.stratum[index]), []).append((-float(cases.before[index]), index))
    pairs = []
    for index in order[of[order] & cases.supported[order]].tolist():
        waiting, out = pool.get(int(cases.stratum[index]), []), -float(cases.before[index])
        best = _nearest(waiting, out)
        if best is not None and abs(waiting[best][0] - out) <= caliper:
            pairs.append((index, waiting.pop(best)[1]))
    left, right = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    return left, right


def _nearest(waiting: Sequence[tuple[float, int]], out: float) -> int | None:
    """Where in a list in order the nearest is; of two as near the one farther out, of equal ones the first."""
    at = bisect_left(waiting, (out, -1))
    if at and (at == len(waiting) or out - waiting[at - 1][0] <= waiting[at][0] - out):
        return bisect_left(waiting, (waiting[at - 1][0], -1))
    return at if at < len(waiting) else None


def paired(panel: Panel, cases: Cases) -> Paired | None:
    """Matched pairs and what they show; None with fewer than ten pairs."""
    left, right = match(cases, cases.reassessed & ~np.isnan(cases.before))
    if len(left) < 10:
        return None
    gap = cases.after[right] - cases.after[left]
    half = t_two_sided(0.05, len(gap) - 1) * float(gap.std(ddof=1)) / math.sqrt(len(gap))
    found = classes(panel, cases)
    a, b = np.isin(found[left], (0, 1)), np.isin(found[right], (0, 1))
    table = [int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())]
    mean = float(gap.mean())
    return Paired(len(left), (mean, mean - half, mean + half), newcombe_paired(*table))


def newcombe_paired(both: int, first: int, second: int, neither: int, z: float = Z95) -> tuple[float, float, float]:
    """Difference of two paired proportions and its interval, Newcombe 1998 (paired paper), method 10.

    ``both`` ... ``neither``: pairs in which both, only the first, only the second, neither improved.
    """
    n = both + first + second + neither
    p1, p2 = (both + first) / n, (both + second) / n
    (l1, u1), (l2, u2) = wilson(both + first, n, z), wilson(both + second, n, z)
    phi = _phi(both, first, second, neither)
    dl1, du1, dl2, du2 = p1 - l1, u1 - p1, p2 - l2, u2 - p2
    low = math.sqrt(max(0.0, dl1**2 - 2 * phi * dl1 * du2 + du2**2))
    high = math.sqrt(max(0.0, du1**2 - 2 * phi * du1 * dl2 + dl2**2))
    return p1 - p2, p1 - p2 - low, p1 - p2 + high


def _phi(e: int, f: int, g: int, h: int) -> float:
    """The correlation of the pairs, with the paper's continuity correction where it is positive."""
    product = (e + f) * (g + h) * (e + g) * (f + h)
    if product == 0:
        return 0.0
    excess, n = e * h - f * g, e + f + g + h
    if excess > 0:
        excess = max(excess - n / 2, 0)  # type: ignore[assignment]
    return excess / math.sqrt(product)
