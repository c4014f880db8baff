"""The filter: eight levels that drift back to the middle in elapsed time, seen through sittings of known error.

Levels are kept in units of their own spread at that age, x = (level - mean(age)) / sd(age); x is an Ornstein-Uhlenbeck
process with one rate, so over d days x -> a x with a = 2^(-d / halving_days), and its covariance is drawn back to the
stationary one. Errors of one sitting share a part (the day's mood). Each of the eight values is an update by a scalar
(Anderson and Moore 1979, 6.4) as if that part were known, beside it how the levels lean on it (Friedland 1969); at the
end it is weighed out. The covariance is kept as what was learnt beyond the stationary one, so that drifting back is one
product. Pupils lie last and in single precision: every step is one pass over numbers that fit the processor's cache.
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
ONE = np.float32(1)
GROUPS = (slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 8))
"""Rows of the covariance that are worked on at once, each up to its last row's diagonal: the rest mirrors them."""


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
    (8, N), one over the sd in units of the peers' spread, and ``learnt`` (8, 8, N): by how much the covariance in those
    units lies from the ``stationary`` one (8, 8), that of a pupil nothing is known of.

    ``learnt`` is the filter's own and changes with the next round: keep ``copy()``. Only its lower half is filled.
    """

    mean: Small
    sd: Small
    inverse: Small
    learnt: Small
    stationary: Small

    def covariance(self, a: int, b: int) -> Small:
        """Of two of the eight levels (N,), in units of the peers' spread."""
        row: Small = self.learnt[max(a, b), min(a, b)] + self.stationary[a, b]
        return row

    def correlation(self, a: int, b: int, at: int = -1) -> float:
        """Of two of the eight levels of one pupil."""
        covariance = self.learnt[max(a, b), min(a, b), at] + self.stationary[a, b]
        return float(covariance * self.inverse[a, at] * self.inverse[b, at])

    def part(self, some: slice) -> Belief:
        """Some of the pupils."""
        return Belief(
            self.mean[:, some], self.sd[:, some], self.inverse[:, some], self.learnt[:, :, some], self.stationary
        )

    def copy(self) -> Belief:
        """The same, to keep."""
        return Belief(self.mean, self.sd, self.inverse, self.learnt.copy(), self.stationary)


def joined(some: Sequence[Belief]) -> Belief:
    """Several beliefs as one, laid one after another."""
    mean, sd, inverse, learnt = (
        np.concatenate([getattr(one, name) for one in some], axis=-1) for name in ("mean", "sd", "inverse", "learnt")
    )
    return Belief(mean, sd, inverse, learnt, some[0].stationary)


def beliefs(model: Model, sittings: Sittings) -> Iterator[Belief]:
    """Walk the rounds in order and yield what was known after each: never anything from later (filtered only)."""
    pupils, rounds = sittings.days.shape
    state, learnt = np.zeros((2, 8, pupils), np.float32), np.zeros((8, 8, pupils), np.float32)
    work = _Work(pupils)
    values, errors, days, months = _rounds_first(sittings)
    for at in range(rounds):
        if at:
            _drift(state, learnt, model.kept(days[at] - days[at - 1]))
        centre, sd = model.norms(months[at])
        _update(state, learnt, *_seen(values[at], errors[at], centre, sd), model.stationary, work)
        _settle(state, learnt, (model.occasion_sd / sd) ** 2, work)
        yield _belief(state[0], learnt, centre, sd, model.stationary)


class _Work:
    """Room for what is in between: made once, as fetching memory anew takes as long as the sums."""

    def __init__(self, pupils: int) -> None:
        self.across, self.gain = (np.empty((8, pupils), np.float32) for _ in range(2))
        self.step = np.empty((2, 8, pupils), np.float32)
        self.total, self.share = (np.empty(pupils, np.float32) for _ in range(2))
        self.miss, self.told, self.part = (np.empty((2, pupils), np.float32) for _ in range(3))


def _drift(state: Small, learnt: Small, kept: Small) -> None:
    state[0] *= kept
    # what has been learnt is forgotten; the stationary part stays, so it is kept out of the sums
    kept = kept * kept
    for rows in GROUPS:
        learnt[rows, : rows.stop] *= kept


def _rounds_first(sittings: Sittings) -> tuple[Small, Small, Ints, Ints]:
    values, errors = (
        np.ascontiguousarray(one.transpose(1, 2, 0), np.float32) for one in (sittings.values, sittings.errors)
    )
    return values, errors, np.ascontiguousarray(sittings.days.T), np.ascontiguousarray(sittings.months.T)


def _seen(value: Small, error: Small, centre: Small, sd: Small) -> tuple[Small, Small]:
    none = np.isnan(value + error)
    unit = ONE / sd
    seen: Small = (value - centre) * unit
    variance: Small = error * unit
    variance *= variance
    if none.any():
        np.copyto(seen, 0, where=none)
        np.copyto(variance, np.inf, where=none)
    return seen, variance


def _update(state: Small, learnt: Small, seen: Small, variance: Small, stationary: Small, work: _Work) -> None:
    """Take the eight values in turn as if the day's shift b were known: the levels are state[0] + b state[1].

    ``work.told``: what the misses tell of b: minus its weighted sum, and the sum of its weights.
    """
    across, gain, total, miss = work.across, work.gain, work.total, work.miss
    state[1], work.told[:] = 0, 0
    for cell in range(8):
        np.add(learnt[cell, :cell], stationary[cell, :cell, None], out=across[:cell])
        np.add(learnt[cell:, cell], stationary[cell:, cell, None], out=across[cell:])
        np.add(across[cell], variance[cell], out=total)
        np.divide(across, total, out=gain)
        np.subtract(seen[cell], state[0, cell], out=miss[0])
        np.subtract(-ONE, state[1, cell], out=miss[1])
        state += np.multiply(gain, miss[:, None], out=work.step)
        np.divide(miss[1], total, out=work.share)
        work.told += np.multiply(miss, work.share, out=work.part)
        _take(learnt, gain, across, work, -1)


def _take(learnt: Small, one: Small, other: Small, work: _Work, sign: int) -> None:
    """Add to the lower half (``sign`` +1) or take from it (-1) the product of two columns."""
    put = np.add if sign > 0 else np.subtract
    for rows in GROUPS:
        part = learnt[rows, : rows.stop]
        put(part, np.multiply(one[rows, None], other[None, : rows.stop], out=work.step[:, : rows.stop]), out=part)


def _settle(state: Small, learnt: Small, variance: Small, work: _Work) -> None:
    """Weigh all shifts the day may have had: b is normal, of this variance before, and as the misses tell after."""
    after = variance / (ONE + variance * work.told[1])
    np.multiply(state[1], after, out=work.gain)
    state[0] -= np.multiply(work.gain, work.told[0], out=work.across)
    _take(learnt, work.gain, state[1], work, 1)


def _belief(level: Small, learnt: Small, centre: Small, sd: Small, stationary: Small) -> Belief:
    unit: Small = np.stack([learnt[cell, cell] for cell in range(8)])
    unit += np.diag(stationary)[:, None]
    np.sqrt(unit, out=unit)
    inverse: Small = ONE / unit
    return Belief(centre + sd * level, sd * unit, inverse, learnt, stationary)
