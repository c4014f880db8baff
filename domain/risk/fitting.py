"""Fitting the model's parameters to sittings, by moments: what a trust does before it trusts our assumptions.

Errors of different sittings are independent, so products of deviations in two sittings of one pupil estimate the true
levels' covariance after that gap; how it falls with the gap is the drift; what one sitting adds is the shared error.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from domain.base import DomainError
from domain.risk.kalman import Sittings
from domain.risk.model import Correlation, Model, Norms, Parameters, correlations

Floats = NDArray[np.float64]
SITTINGS_LEAST = 2000
LAGS_MAX = 6
_SAME = correlations(Correlation(same_factor=2, same_context=3, neither=4))
KINDS = tuple(kind == _SAME for kind in (1, 2, 3, 4))
"""Which pairs of the eight are the same level, share the factor, the context, or neither."""


class TooFewSittings(DomainError):
    """There are not enough sittings to fit a model to."""


def fit(model: Model, sittings: Sittings) -> Parameters:
    """Parameters for these sittings, on the ages of the model's norms. Raises TooFewSittings."""
    values = np.asarray(sittings.values, float)
    there = ~np.isnan(values).any(axis=-1)
    if int(there.sum()) < SITTINGS_LEAST:
        raise TooFewSittings(f"a model is fitted to {SITTINGS_LEAST} sittings or more: wait for further rounds")
    norms = model.artefact.parameters.norms
    hats = _hats(norms.ages, np.asarray(sittings.months))
    means = np.linalg.lstsq(hats[there], values[there], rcond=None)[0]
    away = np.where(there[..., None], values - hats @ means, np.nan)
    shape = hats @ (np.array(norms.sd) / np.mean(norms.sd))
    products, gaps, weights = _lagged(away / shape[..., None], np.asarray(sittings.days))
    variance, halving = _decay(products[:, 0], gaps, weights)
    kept = np.exp2(-gaps / halving)
    same_factor, same_context, neither = (
        float(np.average(products[:, kind] / kept, weights=weights * kept**2)) / variance for kind in (1, 2, 3)
    )
    given = Correlation(same_factor=same_factor, same_context=same_context, neither=neither)
    return Parameters(
        norms=Norms(ages=norms.ages, mean=tuple(tuple(row) for row in means.tolist()), sd=_sds(norms, variance)),
        correlation=given,
        halving_days=halving,
        occasion_sd=_occasion(away / shape[..., None], variance, given),
    )


def _sds(norms: Norms, variance: float) -> tuple[float, ...]:
    return tuple(float(sd / np.mean(norms.sd) * math.sqrt(variance)) for sd in norms.sd)


def _hats(ages: tuple[float, ...], months: NDArray[np.integer]) -> Floats:
    """The weight of each age of the norms at each sitting (N, T, ages): straight lines between them."""
    return np.stack([np.interp(months / 12, ages, row) for row in np.eye(len(ages))], axis=-1)


def _lagged(away: Floats, days: NDArray[np.integer]) -> tuple[Floats, Floats, Floats]:
    """By pair of rounds up to six apart: mean products by KINDS (pairs, 4), the mean gap in days, how many."""
    rows = []
    for first, second in combinations(range(away.shape[1]), 2):
        both = ~np.isnan(away[:, first]).any(axis=-1) & ~np.isnan(away[:, second]).any(axis=-1)
        if second - first > LAGS_MAX or both.sum() < 30:
            continue
        product = away[both, first].T @ away[both, second] / both.sum()
        gap = (days[both, second] - days[both, first]).mean()
        rows.append(([product[kind].mean() for kind in KINDS], gap, both.sum()))
    if len(rows) < 2:
        raise TooFewSittings("a model is fitted to pupils who sat several rounds: wait for further ones")
    products, gaps, counts = zip(*rows, strict=True)
    return np.array(products), np.array(gaps, float), np.array(counts, float)


def _decay(products: Floats, gaps: Floats, weights: Floats) -> tuple[float, float]:
    """The variance and halving time of products that fall as v 2^(-gap / h): weighted least squares on logarithms."""
    logs = np.log2(np.maximum(products, 1e-6))
    slope, start = np.polyfit(gaps, logs, 1, w=np.sqrt(weights) * np.maximum(products, 1e-6))
    return float(2.0**start), float(min(max(-1 / min(slope, -1e-9), 1.0), 36_500.0))


def _occasion(away: Floats, variance: float, given: Correlation) -> float:
    """What different levels of one sitting share beyond the true covariance."""
    whole = away[~np.isnan(away).any(axis=-1)]
    within = whole.T @ whole / len(whole)
    excess = (within - variance * correlations(given))[~KINDS[0]].mean()
    return math.sqrt(max(float(excess), 0.0))
