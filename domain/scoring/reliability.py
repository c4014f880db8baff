"""How repeatable values are, as two questions: within one sitting, and from one round to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.instrument import Instrument
from domain.statistics import cronbach_alpha, icc_2_1, pearson
from domain.statistics.repeatable import Interval, alpha_interval, icc_2_1_interval, pearson_interval

Answers = NDArray[np.int8]
Floats = NDArray[np.float64]
PUPILS_LEAST = 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient with its 95 % interval and how many pupils it rests on; None where these are fewer than thirty,
    or all say the same.
    """

    value: float | None
    low: float | None
    high: float | None
    pupils: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of one factor in one context. The two questions are never to be averaged.

    ``alpha``: do the items of one sitting agree (Cronbach); ``retest``, ``icc``: do two rounds (correlation; absolute
    agreement, ICC(2,1)). True change between rounds lowers the latter two and not the first.
    """

    alpha: Estimate
    retest: Estimate
    icc: Estimate


def reliability(
    instrument: Instrument, answers: Answers, first: NDArray[np.floating], second: NDArray[np.floating]
) -> tuple[Reliability, ...]:
    """Of the eight, in order. ``answers`` (N, items) of one round, 0 where there is none; ``first``, ``second`` (M, 8):
    values of the same pupils in two rounds, nan where there is none.
    """
    made = []
    for cell in range(8):
        pairs = np.stack([first[:, cell], second[:, cell]], axis=1)
        pairs = pairs[~np.isnan(pairs).any(axis=1)]
        made.append(
            Reliability(
                _estimate(_of_cell(instrument, answers, cell), cronbach_alpha, _of_alpha),
                _estimate(pairs, _correlation, lambda rows: pearson_interval(_correlation(rows), len(rows))),
                _estimate(pairs, icc_2_1, icc_2_1_interval),
            )
        )
    return tuple(made)


def _of_cell(instrument: Instrument, answers: Answers, cell: int) -> Floats:
    """The answers to the items of one factor and context by those who gave them all, turned to one direction."""
    at = [n for n, item in enumerate(instrument.items) if item.cell == cell]
    keys = np.array([instrument.items[n].keyed for n in at])
    chosen = answers[:, at].astype(float)
    whole = chosen[(chosen > 0).all(axis=1)]
    return np.where(keys == 1, whole, instrument.scale.least + instrument.scale.most - whole)


def _estimate(rows: Floats, of: Callable[[Floats], float], interval: Callable[[Floats], Interval]) -> Estimate:
    if len(rows) < PUPILS_LEAST or (rows == rows[0]).all(axis=0).any():
        return Estimate(None, None, None, len(rows))
    return Estimate(of(rows), *interval(rows), len(rows))


def _of_alpha(rows: Floats) -> Interval:
    return alpha_interval(cronbach_alpha(rows), *rows.shape)


def _correlation(rows: Floats) -> float:
    return pearson(rows[:, 0], rows[:, 1])
