"""How repeatable values are, as two questions: within one sitting, and from one round to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.instrument import Instrument
from domain.statistics import cronbach_alpha, icc_2_1, pearson

Answers = NDArray[np.int8]
PUPILS_LEAST = 30


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of one factor in one context; None where fewer than thirty pupils say anything. Never to be averaged.

    ``alpha``: do the items of one sitting agree (Cronbach); ``retest``, ``icc``: do two rounds (correlation; absolute
    agreement, ICC(2,1)). True change between rounds lowers the latter two and not the first.
    """

    alpha: float | None
    retest: float | None
    icc: float | None


def reliability(
    instrument: Instrument, answers: Answers, first: NDArray[np.floating], second: NDArray[np.floating]
) -> tuple[Reliability, ...]:
    """Of the eight, in order. ``answers`` (N, items) of one round, 0 where there is none; ``first``, ``second`` (M, 8):
    values of the same pupils in two rounds, nan where there is none.
    """
    return tuple(
        Reliability(_alpha(instrument, answers, cell), *_across(first[:, cell], second[:, cell])) for cell in range(8)
    )


def _alpha(instrument: Instrument, answers: Answers, cell: int) -> float | None:
    at = [n for n, item in enumerate(instrument.items) if item.cell == cell]
    keys = np.array([instrument.items[n].keyed for n in at])
    chosen = answers[:, at].astype(float)
    whole = chosen[(chosen > 0).all(axis=1)]
    if len(whole) < PUPILS_LEAST:
        return None
    return cronbach_alpha(np.where(keys == 1, whole, instrument.scale.least + instrument.scale.most - whole))


def _across(first: NDArray[np.floating], second: NDArray[np.floating]) -> tuple[float | None, float | None]:
    both = ~(np.isnan(first) | np.isnan(second))
    if both.sum() < PUPILS_LEAST:
        return None, None
    return pearson(first[both], second[both]), icc_2_1(np.stack([first[both], second[both]], axis=1))
