"""A belief read against the cut-offs: how likely each level is at an end, and two or more factors are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.risk import gaussian, priority
from domain.risk.kalman import Belief
from domain.risk.model import Model

Small = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Outlook:
    """``level``, ``sd`` (8, N) on the scale; P(at the low, high end) (8, N); P(two or more factors) (N,)."""

    level: Small
    sd: Small
    low: Small
    high: Small
    priority: Small

    def part(self, some: slice) -> Outlook:
        """Some of the pupils or rounds."""
        return Outlook(
            self.level[:, some], self.sd[:, some], self.low[:, some], self.high[:, some], self.priority[some]
        )


@dataclass(frozen=True, slots=True)
class View:
    """A belief and how it reads."""

    belief: Belief
    outlook: Outlook

    def part(self, some: slice) -> View:
        """Some of the pupils or rounds."""
        return View(self.belief.part(some), self.outlook.part(some))


def outlook(model: Model, belief: Belief) -> Outlook:
    """Read a belief against the instrument's poles."""
    poles = model.instrument.poles
    unit = np.float32(1) / belief.sd
    z = np.empty((2, *unit.shape), np.float32)
    for end, pole in zip(z, (poles.low, poles.high), strict=True):
        np.subtract(np.float32(pole), belief.mean, out=end)
        end *= unit
    below, density = gaussian.normal(z)
    low, high = below[0], np.float32(1) - below[1]
    return Outlook(belief.mean, belief.sd, low, high, priority.two_or_more(z, below, density, belief))
