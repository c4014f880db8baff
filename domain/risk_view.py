"""A belief read against the cut-offs: how likely each level is at an end, and two or more factors are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain import gaussian, priority
from domain.kalman import Belief
from domain.risk_model import Model

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outlook:
    """``level``, ``sd`` (8, N) on the scale; P(at the low, high end) (8, N); P(two or more factors) (N,)."""

    level: Floats
    sd: Floats
    low: Floats
    high: Floats
    priority: Floats


@dataclass(frozen=True, slots=True)
class View:
    """A belief and how it reads."""

    belief: Belief
    outlook: Outlook


def outlook(model: Model, belief: Belief) -> Outlook:
    """Read a belief against the instrument's poles."""
    poles = model.instrument.poles
    unit = np.sqrt(np.stack([belief.covariance[cell, cell] for cell in range(8)]))
    sd = unit * belief.sd
    z_low, z_high = (poles.low - belief.mean) / sd, (poles.high - belief.mean) / sd
    low, high = gaussian.cdf(z_low), gaussian.cdf(-z_high)
    rho = belief.covariance / (unit[:, None] * unit[None])
    return Outlook(belief.mean, sd, low, high, priority.two_or_more(z_low, z_high, low + high, rho))
