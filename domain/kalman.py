"""The filter: eight levels that drift back to the middle in elapsed time, seen through sittings of known error.

Levels are kept in units of their own spread at that age, x = (level - mean(age)) / sd(age); x is an Ornstein-Uhlenbeck
process with one rate, so over d days x -> a x with a = 2^(-d / halving_days), and its covariance is drawn back to the
stationary one. Errors of one sitting share a part (the day's mood): it is a ninth, white state. Each of the eight
values is then an update by a scalar (Anderson and Moore 1979, 6.4), over many pupils at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.risk_model import Model

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAY = 8
"""The place of the part of the error that a sitting's values share."""


@dataclass(frozen=True, slots=True)
class Sittings:
    """Pupils x rounds. ``days`` (N, T) whole days from any origin, not falling; ``months`` (N, T) age, 0 where unknown;
    ``values`` and ``errors`` (N, T, 8) on the instrument's scale, nan where there is none (missing rounds, cells).
    """

    days: Ints
    months: Ints
    values: Floats
    errors: Floats

    def part(self, start: int, stop: int) -> Sittings:
        """Some of the pupils."""
        some = slice(start, stop)
        return Sittings(self.days[some], self.months[some], self.values[some], self.errors[some])


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known after one round, pupils last: ``mean`` (8, N), ``covariance`` (8, 8, N), on the instrument's scale.

    ``covariance`` is in units of the spread at that age: multiply by ``sd`` (N,) squared for scale points.
    """

    mean: Floats
    covariance: Floats
    sd: Floats


def beliefs(model: Model, sittings: Sittings) -> Iterator[Belief]:
    """Walk the rounds in order and yield what was known after each: never anything from later (filtered only)."""
    pupils, rounds = sittings.days.shape
    state = np.zeros((9, pupils))
    spread = np.zeros((9, 9, pupils))
    spread[:8, :8] = model.stationary[:, :, None]
    stationary = model.stationary[:, :, None]
    for at in range(rounds):
        if at:
            keep = model.kept(sittings.days[:, at] - sittings.days[:, at - 1])
            state *= keep
            keep *= keep
            spread *= keep
            spread[:8, :8] += (1 - keep) * stationary
        centre, sd = model.norms(sittings.months[:, at])
        _open_day(state, spread, (model.occasion_sd / sd) ** 2)
        _update(state, spread, *_seen(sittings, at, centre, sd))
        yield Belief(centre + sd * state[:8], spread[:8, :8], sd)


def _open_day(state: Floats, spread: Floats, shared_variance: Floats) -> None:
    state[DAY] = 0
    spread[DAY] = 0
    spread[:, DAY] = 0
    spread[DAY, DAY] = shared_variance


def _seen(sittings: Sittings, at: int, centre: Floats, sd: Floats) -> tuple[Floats, Floats]:
    value, error = sittings.values[:, at].T, sittings.errors[:, at].T
    none = np.isnan(value) | np.isnan(error)
    seen = np.where(none, 0.0, (value - centre) / sd)
    variance = np.where(none, np.inf, (error / sd) ** 2)
    return seen, variance


def _update(state: Floats, spread: Floats, seen: Floats, variance: Floats) -> None:
    product = np.empty_like(spread)
    for cell in range(8):
        across = spread[:, cell] + spread[:, DAY]
        gain = across / (across[cell] + across[DAY] + variance[cell])
        state += gain * (seen[cell] - state[cell] - state[DAY])
        np.multiply(gain[:, None], across[None], out=product)
        spread -= product
