"""Reading answers back to a level: rounded and cut off at the ends of the scale, their mean falls short there.

An answer is taken to be the level plus an error of ``item_sd``, given as the nearest step of the scale (an ordinal
probit with equal steps; McCullagh 1980). The mean answer at a level is then a smooth curve, which is turned round.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.instrument import Instrument
from domain.statistics import normal_cdf, normal_pdf

Floats = NDArray[np.float64]
STEPS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The mean answer and its slope at levels from end to end of the scale."""

    levels: Floats
    means: Floats
    slopes: Floats
    drawn: float

    def level(self, mean: ArrayLike) -> Floats:
        """The level at which this is the mean answer, no further out than the ends of the scale."""
        return np.asarray(np.interp(np.asarray(mean), self.means, self.levels))

    def slope(self, mean: ArrayLike) -> Floats:
        """By how much the mean answer moves with the level, 1 far from the ends, at a mean drawn towards the middle:
        else values thrown out by chance would count for less than those thrown in, and levels would be read too mild.
        """
        middle = (self.levels[0] + self.levels[-1]) / 2
        return np.asarray(np.interp(middle + self.drawn * (np.asarray(mean) - middle), self.means, self.slopes))


@lru_cache(maxsize=32)
def _curve(least: int, most: int, item_sd: float, drawn: float) -> Curve:
    levels = np.linspace(least, most, STEPS + 1)
    between = [step + 0.5 for step in range(least, most)]
    means = np.array([least + sum(normal_cdf((x - cut) / item_sd) for cut in between) for x in levels])
    slopes = np.array([sum(normal_pdf((x - cut) / item_sd) for cut in between) / item_sd for x in levels])
    return Curve(levels, means, slopes, drawn)


def reading(instrument: Instrument) -> Curve:
    """The curve of an instrument."""
    scale, rules = instrument.scale, instrument.scoring
    return _curve(scale.least, scale.most, rules.item_sd, rules.slope_drawn)
