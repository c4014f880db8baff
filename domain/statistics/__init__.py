"""The statistics of measurement and screening: plain formulas with their sources, on plain numbers and numpy arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Z95 = 1.959963984540054
MSSD_LEAST = 4
RCI_DENOMINATOR = "Jacobson-Truax 1991: SD*sqrt(2)*sqrt(1-r)"


def normal_cdf(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def normal_cdfs(z: Floats) -> Floats:
    """The same for each of an array of one dimension."""
    return 0.5 * np.fromiter(map(math.erfc, (-z / math.sqrt(2)).tolist()), dtype=float, count=len(z))


def normal_pdf(z: float) -> float:
    """The standard normal density."""
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def cronbach_alpha(rows: ArrayLike) -> float:
    """Internal consistency: k/(k-1) (1 - sum of item variances / variance of totals), Cronbach 1951; rows x items."""
    x = np.asarray(rows, dtype=float)
    k = x.shape[1]
    return float(k / (k - 1) * (1 - x.var(axis=0, ddof=1).sum() / x.sum(axis=1).var(ddof=1)))


def mean_squares(x: Floats) -> tuple[float, float, float]:
    """Of pupils x rounds: between pupils, between rounds, and what is left, each by its degrees of freedom."""
    n, k = x.shape
    grand = x.mean()
    between = k * ((x.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    rounds = n * ((x.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    rest = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + grand
    return float(between), float(rounds), float((rest**2).sum() / ((n - 1) * (k - 1)))


def icc_2_1(rows: ArrayLike) -> float:
    """Absolute agreement of single measurements, two-way random, Shrout and Fleiss 1979; pupils x rounds."""
    x = np.asarray(rows, dtype=float)
    n, k = x.shape
    between, rounds, rest = mean_squares(x)
    return float((between - rest) / (between + (k - 1) * rest + k * (rounds - rest) / n))


def icc_3_1(rows: ArrayLike) -> float:
    """Consistency of single measurements, two-way mixed, Shrout and Fleiss 1979; pupils x rounds."""
    x = np.asarray(rows, dtype=float)
    between, _, rest = mean_squares(x)
    return float((between - rest) / (between + (x.shape[1] - 1) * rest))


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """The product-moment correlation."""
    return float(np.corrcoef(np.asarray(x, dtype=float), np.asarray(y, dtype=float))[0, 1])


def sem(sd: float, reliability: float) -> float:
    """Standard error of measurement: SD sqrt(1 - r)."""
    return sd * math.sqrt(1 - reliability)


def difference_reliability(r_xx: float, r_yy: float, r_xy: float) -> float:
    """Reliability of a difference of two scores of equal spread: ((r_xx + r_yy)/2 - r_xy)/(1 - r_xy)."""
    return ((r_xx + r_yy) / 2 - r_xy) / (1 - r_xy)


def reliable_change_index(before: float, after: float, sd: float, reliability: float) -> float:
    """(after - before) / (SD sqrt(2) sqrt(1 - r)), Jacobson and Truax 1991; |RCI| > 1.96 is reliable.

    The denominator is disputed (Temkin 2004, Maassen 2004): RCI_DENOMINATOR names the one used here.
    """
    return (after - before) / (sd * math.sqrt(2) * math.sqrt(1 - reliability))


def mssd(values: Sequence[float]) -> float | None:
    """Mean squared successive difference, von Neumann 1941; None below four rounds. Compare with 2 SEM^2."""
    if len(values) < MSSD_LEAST:
        return None
    return sum((b - a) ** 2 for a, b in pairwise(values)) / (len(values) - 1)


def wilson(count: int, of: int, z: float = Z95) -> tuple[float, float]:
    """Interval of a proportion, Wilson 1927; (0, 1) where nothing was counted."""
    if of == 0:
        return 0.0, 1.0
    p, zz = count / of, z * z
    centre, half = p + zz / (2 * of), z * math.sqrt(p * (1 - p) / of + zz / (4 * of * of))
    low, high = (centre - half) / (1 + zz / of), (centre + half) / (1 + zz / of)
    return (0.0 if count == 0 else low), (1.0 if count == of else high)


def newcombe(count1: int, of1: int, count2: int, of2: int, z: float = Z95) -> tuple[float, float, float]:
    """Difference of two independent proportions and its interval, Newcombe 1998 method 10."""
    p1, p2 = count1 / of1, count2 / of2
    (l1, u1), (l2, u2) = wilson(count1, of1, z), wilson(count2, of2, z)
    low = p1 - p2 - math.hypot(p1 - l1, u2 - p2)
    high = p1 - p2 + math.hypot(u1 - p1, p2 - l2)
    return p1 - p2, low, high


def auc(scores: ArrayLike, truth: ArrayLike) -> float:
    """Area under the ROC curve as the Mann-Whitney share, ties counted half; nan without both kinds."""
    x, t = np.asarray(scores, dtype=float), np.asarray(truth, dtype=bool)
    positives, negatives = int(t.sum()), int((~t).sum())
    if positives == 0 or negatives == 0:
        return math.nan
    return float((midranks(x)[t].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def midranks(x: Floats) -> Floats:
    """Ranks from 1, ties given their mean rank."""
    _, index, counts = np.unique(x, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mid: Floats = (ends - (counts - 1) / 2)[index]
    return mid


def auc_interval(area: float, positives: int, negatives: int, z: float = Z95) -> tuple[float, float]:
    """Interval of an AUC, Hanley and McNeil 1982, cut at 0 and 1."""
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    half = z * math.sqrt(variance / (positives * negatives))
    return max(0.0, area - half), min(1.0, area + half)


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """PPV and NPV by Bayes' rule."""
    flagged = sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
    cleared = specificity * (1 - prevalence) + (1 - sensitivity) * prevalence
    ppv = sensitivity * prevalence / flagged if flagged else math.nan
    return ppv, specificity * (1 - prevalence) / cleared if cleared else math.nan


def expected_fall(z: float, sd: float, reliability: float) -> float:
    """How far those above a cut at z fall back by chance alone: SD (1 - r) phi(z) / (1 - Phi(z))."""
    return sd * (1 - reliability) * normal_pdf(z) / (1 - normal_cdf(z))
