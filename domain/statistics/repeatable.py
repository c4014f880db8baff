"""Intervals of how repeatable values are: of Cronbach's alpha, of a correlation, of an intraclass correlation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from domain.statistics import Z95, icc_2_1, mean_squares
from domain.statistics.student_t import f_quantile

Interval = tuple[float, float]
TAIL = 0.025


def alpha_interval(alpha: float, pupils: int, items: int) -> Interval:
    """95 % interval of Cronbach's alpha (Feldt 1965): exact where items are parallel and totals normal."""
    free = pupils - 1, (pupils - 1) * (items - 1)
    return 1 - (1 - alpha) * f_quantile(1 - TAIL, *free), 1 - (1 - alpha) * f_quantile(TAIL, *free)


def pearson_interval(r: float, pupils: int) -> Interval:
    """95 % interval of a correlation by Fisher's z (1921)."""
    if abs(r) >= 1:
        return r, r
    middle, half = math.atanh(r), Z95 / math.sqrt(pupils - 3)
    return math.tanh(middle - half), math.tanh(middle + half)


def icc_2_1_interval(rows: ArrayLike) -> Interval:
    """95 % interval of ICC(2,1) (Shrout and Fleiss 1979, by Satterthwaite's degrees of freedom); pupils x rounds."""
    x = np.asarray(rows, dtype=float)
    n, k = x.shape
    icc, (between, rounds, rest) = icc_2_1(x), mean_squares(x)
    if rest <= 0:
        return icc, icc
    of_rounds, whole = k * icc * rounds / rest, n * (1 + (k - 1) * icc) - k * icc
    free = (k - 1) * (n - 1) * (of_rounds + whole) ** 2 / ((n - 1) * of_rounds**2 + whole**2)
    low, high = f_quantile(1 - TAIL, n - 1, free), f_quantile(1 - TAIL, free, n - 1)
    noise = k * rounds + (k * n - k - n) * rest
    return n * (between - low * rest) / (low * noise + n * between), n * (high * between - rest) / (
        noise + n * high * between
    )
