"""The Rasch model: a level with its uncertainty from right and wrong answers, difficulties from many, forms linked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
GRID: Floats = np.linspace(-5, 5, 201)
PRIOR_SD = 1.0
"""Staff before any answer: mean 0, standard deviation 1 logit."""


@dataclass(frozen=True, slots=True)
class Level:
    """Where somebody stands, in logits, with its standard deviation, and how many answers it rests on."""

    mean: float
    sd: float
    answers: int

    def sure_above(self, cut: float) -> float:
        """The chance that the true level is above a cut, taken as normal."""
        return 0.5 * math.erfc((cut - self.mean) / (self.sd * math.sqrt(2)))


def p_right(level: Floats | float, difficulty: Floats | float) -> Floats:
    """The chance of a right answer: 1 / (1 + exp(difficulty - level)), Rasch 1960."""
    return np.asarray(1 / (1 + np.exp(np.subtract(difficulty, level))), dtype=float)


def level_of(answers: Sequence[tuple[float, bool]]) -> Level:
    """The expected level a posteriori (Bock and Mislevy 1982) of (difficulty, right) answers; finite for all right."""
    weight = np.exp(-0.5 * (GRID / PRIOR_SD) ** 2)
    for difficulty, right in answers:
        chance = p_right(GRID, difficulty)
        weight = weight * (chance if right else 1 - chance)
    weight /= weight.sum()
    mean = float((weight * GRID).sum())
    return Level(mean, math.sqrt(float((weight * (GRID - mean) ** 2).sum())), len(answers))


def difficulties(right: Floats) -> Floats:
    """Item difficulties from people x items (1 right, 0 wrong, NaN not asked), centred on 0.

    Choppin's pairs (1968): how often the one of two items was right and the other wrong, whoever answered; a half is
    added to each count. Needs no levels, and people need not have met the same items.
    """
    yes, no = np.nan_to_num(right), np.where(np.isnan(right), 0.0, 1 - right)
    won = yes.T @ no
    log_odds = np.log((won.T + 0.5) / (won + 0.5))
    np.fill_diagonal(log_odds, 0.0)
    made = log_odds.mean(axis=1)
    return np.asarray(made - made.mean(), dtype=float)


def link(old: Mapping[str, float], new: Mapping[str, float]) -> float:
    """What to add to the new difficulties so that shared items agree in the mean. Raises ValueError without any."""
    shared = sorted(old.keys() & new.keys())
    if not shared:
        raise ValueError("forms without an item in common cannot be linked: give both the same anchor items")
    return sum(old[one] - new[one] for one in shared) / len(shared)
