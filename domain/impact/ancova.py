"""Least squares within strata, errors clustered in several ways at once, and how strong a hidden cause must be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from domain.statistics.student_t import t_two_sided

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
COLUMN_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class Fit:
    """One coefficient of a least-squares fit within strata.

    ``se`` is clustered; ``df`` what its t distribution has; ``residual_df`` the plain n - k; ``t_plain`` the t with
    errors taken as independent; ``share_y`` and ``share_x`` are the partial R squared of all covariates together with
    the outcome and with the regressor of interest: the yardstick for hidden causes.
    """

    effect: float
    se: float
    df: float
    n: int
    residual_df: int
    clusters: tuple[int, ...]
    t_plain: float
    share_y: float
    share_x: float

    @property
    def t(self) -> float:
        """Effect in standard errors."""
        return self.effect / self.se if self.se > 0 else 0.0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The interval of the effect by the t distribution."""
        half = t_two_sided(1 - level, self.df) * self.se
        return self.effect - half, self.effect + half


def fit(outcome: Floats, interest: Floats, covariates: Floats, strata: Ints, clusters: Sequence[Ints]) -> Fit | None:
    """The coefficient of ``interest`` (n) on ``outcome`` (n), given ``covariates`` (n, k) and stratum means.

    Frisch, Waugh and Lovell: stratum means are taken out, then the covariates. ``clusters``: one label array a way of
    clustering; variances are combined as in Cameron, Gelbach and Miller 2011, each with G/(G-1) (n-1)/(n-k).
    None where nothing is left to tell the arms apart.
    """
    labels, strata = np.unique(strata, return_inverse=True)
    inside = _within(np.column_stack([outcome, interest, covariates]), strata, len(labels))
    y, x, basis = inside[:, 0], inside[:, 1], _basis(inside[:, 2:])
    k, n = basis.shape[1] + 1 + len(labels), len(y)
    x_rest, y_rest = _residual(x, basis), _residual(y, basis)
    ssx = float(x_rest @ x_rest)
    if n - k < 1 or ssx < COLUMN_TOLERANCE * n:
        return None
    effect = float(x_rest @ y_rest) / ssx
    rest = y_rest - effect * x_rest
    ways = [_coded(one) for one in clusters]
    variance, counts = _clustered(x_rest * rest, ways, n, k)
    plain = math.sqrt(float(rest @ rest) / (n - k) / ssx)
    bare = _residual(y, x[:, None] / math.sqrt(float(x @ x)))
    return Fit(
        effect, math.sqrt(variance) / ssx, _freedom(x_rest, ways), n, n - k, counts, effect / plain if plain else 0.0,
        _explained(rest, bare), _explained(x_rest, x),
    )  # fmt: skip


def _within(columns: Floats, strata: Ints, count: int) -> Floats:
    size = np.bincount(strata, minlength=count)
    means = [np.bincount(strata, weights=column, minlength=count) / size for column in columns.T]
    return columns - np.column_stack(means)[strata]


def _basis(z: Floats) -> Floats:
    """Orthonormal columns that span those of z, none for a column that the ones before it explain already."""
    made = np.empty((len(z), 0))
    for column in z.T:
        rest = _residual(column, made)
        size = float(rest @ rest)
        if size > COLUMN_TOLERANCE * max(float(column @ column), COLUMN_TOLERANCE):
            made = np.column_stack([made, rest / math.sqrt(size)])
    return made


def _residual(y: Floats, basis: Floats) -> Floats:
    """What orthonormal columns leave of y; taken out twice, as the first time leaves a rounding error of its own."""
    once = y - basis @ (basis.T @ y)
    out: Floats = once - basis @ (basis.T @ once)
    return out


def _explained(rest: Floats, before: Floats) -> float:
    """The share of a sum of squares that is gone; a rounding error below none is none."""
    total = float(before @ before)
    return max(0.0, 1 - float(rest @ rest) / total) if total > 0 else 0.0


def _coded(labels: Ints) -> Ints:
    codes: Ints = np.unique(labels, return_inverse=True)[1]
    return codes


def _clustered(scores: Floats, ways: Sequence[Ints], n: int, k: int) -> tuple[float, tuple[int, ...]]:
    """The middle of the sandwich. Where the combination is not positive, the widest single way stands for it."""
    single = [_meat(scores, way, n, k) for way in ways]
    total = sum(one for one, _ in single)
    for size in range(2, len(ways) + 1):
        for some in combinations(ways, size):
            total += (-1) ** (size + 1) * _meat(scores, _joint(some), n, k)[0]
    widest = max(one for one, _ in single)
    return (total if total > 0 else widest), tuple(count for _, count in single)


def _meat(scores: Floats, codes: Ints, n: int, k: int) -> tuple[float, int]:
    sums = np.bincount(codes, weights=scores)
    g = len(sums)
    if g < 2:
        return 0.0, g
    return float(sums @ sums) * g / (g - 1) * (n - 1) / (n - k), g


def _joint(ways: Sequence[Ints]) -> Ints:
    joined = ways[0]
    for way in ways[1:]:
        joined = _coded(joined * (way.max() + 1) + way)
    return joined


def _freedom(x_rest: Floats, ways: Sequence[Ints]) -> float:
    """Effective clusters less one, in the way that has fewest: (sum g)^2 / sum g^2 with g each cluster's share of what
    tells the arms apart (Carter, Schnepel and Steigerwald 2017, for errors that are independent inside a cluster).
    """
    least = math.inf
    for way in ways:
        share = np.bincount(way, weights=x_rest * x_rest)
        least = min(least, float(share.sum() ** 2 / (share @ share)))
    return max(1.0, least - 1)


def robustness(t: float, df: float, share: float = 1.0) -> float:
    """How much of what is left of both support and outcome a hidden cause must explain to take ``share`` of the effect.

    Cinelli and Hazlett 2020, equation 22: f = share |t| / sqrt(df); RV = (sqrt(f^4 + 4 f^2) - f^2) / 2.
    """
    return _value(share * abs(t) / math.sqrt(df))


def robustness_interval(t: float, df: float, level: float = 0.95) -> float:
    """The same for the interval to take in zero: f less the critical t over sqrt(df - 1); 0 where it does already."""
    if df <= 1:
        return 0.0
    return _value(max(0.0, abs(t) / math.sqrt(df) - t_two_sided(1 - level, df - 1) / math.sqrt(df - 1)))


def _value(f: float) -> float:
    return (math.sqrt(f**4 + 4 * f**2) - f**2) / 2


def bias(t: float, df: float, se: float, share_y: float, share_x: float) -> float:
    """How far a hidden cause of this strength can move the effect: se sqrt(df) sqrt(ry rx / (1 - rx)), their eq. 16."""
    if share_x >= 1:
        return math.inf
    return se * math.sqrt(df) * math.sqrt(share_y * share_x / (1 - share_x))
