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

DIFFICULTY_SD = 3.0
"""Items before any answer: mean 0, standard deviation 3 logits: hardly any pull."""
STEPS = 30


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

    By pairs (Choppin 1968; Zwinderman 1995): of people who met two items and had one right, the share who had this one
    depends on the two difficulties alone, whoever answered. The likeliest difficulties by Newton's steps; a pair that
    nobody met says nothing. Drawn a little to the middle, so that an item nobody missed has a finite difficulty.
    """
    yes, no = np.nan_to_num(right), np.where(np.isnan(right), 0.0, 1 - right)
    won = yes.T @ no
    met, found = won + won.T, np.zeros(right.shape[1])
    for _ in range(STEPS):
        chance = p_right(found[None, :], found[:, None])
        slope = (met * chance - won).sum(axis=1) - found / DIFFICULTY_SD**2
        bend = met * chance * (1 - chance)
        bend = np.diag(bend.sum(axis=1) + DIFFICULTY_SD**-2) - bend
        found = found + np.clip(np.linalg.solve(bend, slope), -1, 1)
    return np.asarray(found - found.mean(), dtype=float)


def link(old: Mapping[str, float], new: Mapping[str, float]) -> float:
    """What to add to the new difficulties so that shared items agree in the mean. Raises ValueError without any."""
    shared = sorted(old.keys() & new.keys())
    if not shared:
        raise ValueError("forms without an item in common cannot be linked: give both the same anchor items")
    return sum(old[one] - new[one] for one in shared) / len(shared)
