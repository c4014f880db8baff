"""The filter: eight levels that drift back to the middle in elapsed time, seen through sittings of known error.

Levels are kept in units of their own spread at that age, x = (level - mean(age)) / sd(age); x is an Ornstein-Uhlenbeck
process with one rate, so over d days x -> a x with a = 2^(-d / halving_days), and its covariance is drawn back to the
stationary one. Errors of one sitting share a part (the day's mood): it is a ninth, white state. Each of the eight
values is then an update by a scalar (Anderson and Moore 1979, 6.4), over many pupils at once. Pupils lie last and in
single precision: every step is then one pass over numbers that fit the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.risk.model import Model

Floats = NDArray[np.float64]
Small = NDArray[np.float32]
Ints = NDArray[np.int64]
DAY = 8
"""The place of the part of the error that a sitting's values share."""
ONE = np.float32(1)
HALF = 4
"""Of the covariance, what is right of the first four columns in the first four rows is not kept: it mirrors the rest"""


@dataclass(frozen=True, slots=True)
class Sittings:
    """Pupils x rounds. ``days`` (N, T) whole days from any origin, not falling; ``months`` (N, T) age, 0 where unknown;
    ``values`` and ``errors`` (N, T, 8) on the instrument's scale, nan where there is none (missing rounds, cells).
    """

    days: Ints
    months: Ints
    values: NDArray[np.floating]
    errors: NDArray[np.floating]

    def part(self, start: int, stop: int) -> Sittings:
        """Some of the pupils."""
        some = slice(start, stop)
        return Sittings(self.days[some], self.months[some], self.values[some], self.errors[some])


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known after one round, pupils last: ``mean`` and ``sd`` (8, N) on the instrument's scale; ``inverse``
    (8, N), one over the sd in units of the peers' spread, and ``spread`` (9, 9, N), the covariance in those units.

    ``spread`` is the filter's own and changes with the next round: keep ``copy()``. Only its lower half is filled.
    """

    mean: Small
    sd: Small
    inverse: Small
    spread: Small

    def covariance(self, a: int, b: int) -> Small:
        """Of two of the eight levels (N,), in units of the peers' spread."""
        row: Small = self.spread[max(a, b), min(a, b)]
        return row

    def correlation(self, a: int, b: int, at: int = -1) -> float:
        """Of two of the eight levels of one pupil."""
        return float(self.covariance(a, b)[at] * self.inverse[a, at] * self.inverse[b, at])

    def copy(self) -> Belief:
        """The same, to keep."""
        return Belief(self.mean, self.sd, self.inverse, self.spread.copy())


def joined(some: Sequence[Belief]) -> Belief:
    """Several beliefs as one, laid one after another."""
    mean, sd, inverse, spread = (
        np.concatenate([getattr(one, name) for one in some], axis=-1) for name in ("mean", "sd", "inverse", "spread")
    )
    return Belief(mean, sd, inverse, spread)


def beliefs(model: Model, sittings: Sittings) -> Iterator[Belief]:
    """Walk the rounds in order and yield what was known after each: never anything from later (filtered only)."""
    pupils, rounds = sittings.days.shape
    stationary = model.stationary[:, :, None]
    state, spread = np.zeros((9, pupils), np.float32), np.zeros((9, 9, pupils), np.float32)
    spread[:8, :8] = stationary
    product = np.empty_like(spread)
    values, errors, days, months = _rounds_first(sittings)
    for at in range(rounds):
        if at:
            _drift(state, spread, model.kept(days[at] - days[at - 1]), stationary, product)
        centre, sd = model.norms(months[at])
        _open_day(state, spread, (model.occasion_sd / sd) ** 2)
        _update(state, spread, *_seen(values[at], errors[at], centre, sd), product)
        yield _belief(state, spread, centre, sd)


def _drift(state: Small, spread: Small, kept: Small, stationary: Small, product: Small) -> None:
    state *= kept
    kept = kept * kept
    spread *= kept
    spread[:8, :8] += np.multiply(stationary, ONE - kept, out=product[:8, :8])


def _open_day(state: Small, spread: Small, shared_variance: Small) -> None:
    state[DAY] = 0
    spread[DAY] = 0
    spread[HALF:, DAY] = 0
    spread[DAY, DAY] = shared_variance


def _rounds_first(sittings: Sittings) -> tuple[Small, Small, Ints, Ints]:
    values, errors = (
        np.ascontiguousarray(one.transpose(1, 2, 0), np.float32) for one in (sittings.values, sittings.errors)
    )
    return values, errors, np.ascontiguousarray(sittings.days.T), np.ascontiguousarray(sittings.months.T)


def _seen(value: Small, error: Small, centre: Small, sd: Small) -> tuple[Small, Small]:
    none = np.isnan(value + error)
    seen: Small = (value - centre) / sd
    variance: Small = (error / sd) ** 2
    if none.any():
        seen[none] = 0
        variance[none] = np.inf
    return seen, variance


def _update(state: Small, spread: Small, seen: Small, variance: Small, product: Small) -> None:
    across, gain, step = (np.empty_like(state) for _ in range(3))
    miss, total = np.empty_like(state[0]), np.empty_like(state[0])
    for cell in range(8):
        side = HALF if cell < HALF else DAY + 1
        np.add(spread[cell, :side], spread[DAY, :side], out=across[:side])
        np.add(spread[side:, cell], spread[DAY, side:], out=across[side:])
        np.add(across[cell], across[DAY], out=total)
        total += variance[cell]
        np.divide(across, total, out=gain)
        np.subtract(seen[cell], state[cell], out=miss)
        miss -= state[DAY]
        state += np.multiply(gain, miss, out=step)
        for rows, columns in ((slice(HALF), slice(HALF)), (slice(HALF, None), slice(None))):
            part = spread[rows, columns]
            part -= np.multiply(gain[rows, None], across[None, columns], out=product[rows, columns])


def _belief(state: Small, spread: Small, centre: Small, sd: Small) -> Belief:
    unit: Small = np.stack([spread[cell, cell] for cell in range(8)])
    np.sqrt(unit, out=unit)
    inverse: Small = ONE / unit
    return Belief(centre + sd * state[:8], sd * unit, inverse, spread)
