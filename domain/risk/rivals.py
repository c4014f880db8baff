"""What the model is compared with: one raw cut, means of sittings, a weighted mean; the same rule on raw values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.risk.model import Model

Small = NDArray[np.float32]
EWMA_WEIGHT = 0.4


def second_furthest(model: Model, values: Small) -> Small:
    """The raw counterpart of P(priority): how far out the second furthest factor lies, in whichever context (N,)."""
    away = np.abs(values - np.float32(model.instrument.scale.middle))
    by_factor = np.sort(np.nan_to_num(np.fmax(away[..., :4], away[..., 4:]), nan=-1.0), axis=-1)
    second: Small = by_factor[..., -2].astype(np.float32)
    return second


def last_sitting(model: Model, values: Small) -> Small:
    """One raw cut: the last sitting there is; ``values`` (N, T, 8) up to now."""
    return second_furthest(model, _latest(values, 1)[:, 0])


def mean_of_last(model: Model, values: Small, sittings: int = 3) -> Small:
    """The mean of the last sittings there are."""
    return second_furthest(model, _mean(_latest(values, sittings)))


def running_mean(model: Model, values: Small) -> Small:
    """The mean of all sittings so far."""
    return second_furthest(model, _mean(values))


def weighted_mean(model: Model, values: Small) -> Small:
    """An exponentially weighted mean of all sittings so far."""
    level = np.full(values.shape[::2], np.nan, np.float32)
    for at in range(values.shape[1]):
        new = values[:, at]
        moved = np.where(np.isnan(level), new, level + np.float32(EWMA_WEIGHT) * (new - level))
        level = np.where(np.isnan(new), level, moved)
    return second_furthest(model, level)


def _latest(values: Small, count: int) -> Small:
    """The last ``count`` sittings of each pupil (N, count, 8), newest first, nan where there are fewer."""
    absent = np.asarray(np.isnan(values).all(axis=-1))
    order = np.argsort(absent[:, ::-1], axis=1, kind="stable")[:, :count]
    newest = values[:, ::-1]
    return np.take_along_axis(newest, order[..., None], axis=1)


def _mean(values: Small) -> Small:
    there = ~np.isnan(values)
    total = np.where(there, values, 0).sum(axis=1)
    count = there.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
