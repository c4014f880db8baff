"""Change read from raw sittings with their errors: reliable change in the bi-polar sense, fluctuation against error.

Filtered levels contain their own past and are never compared with themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

from domain.journey.state import Sat
from domain.risk.model import Model
from domain.statistics import normal_cdf

Class = Literal["improved", "reliably_improved", "unchanged", "worse", "reliably_worse", "crossed"]
RELIABLE = 1.96
NOW, BEFORE, BEFORE_DAYS, WINDOW = 2, 3, 1100, 6


@dataclass(frozen=True, slots=True)
class Moved:
    """A level that moved away from the middle: how sure that by enough, since when, how many sittings it rests on."""

    probability: float
    began: date
    sittings: int


@dataclass(frozen=True, slots=True)
class Fluctuation:
    """How unlikely so much movement is: ``less_likely`` is the chance that error alone gives less. Over ``rounds``."""

    less_likely: float
    rounds: int


def classify(before: float, after: float, error: float, middle: float, low: float, high: float) -> Class:
    """Change of one value in the bi-polar sense: improved is towards the middle, crossing the poles never is.

    ``error``: the standard error of the difference; |difference| > 1.96 errors is reliable (Jacobson and Truax 1991).
    """
    if (before <= low and after >= high) or (before >= high and after <= low):
        return "crossed"
    nearer = abs(before - middle) - abs(after - middle)
    if abs(nearer) < 1e-9:
        return "unchanged"
    reliable = abs(nearer) > RELIABLE * error
    if nearer > 0:
        return "reliably_improved" if reliable else "improved"
    return "reliably_worse" if reliable else "worse"


def outward(model: Model, usable: Sequence[Sat], cell: int) -> Moved | None:
    """How sure it is that a level moved away from the middle by ``moved_least``: its last two values against the up to
    three before, each weighed by its error, drawn to what drift alone would do. None with fewer than three.
    """
    seen = [sat for sat in usable if sat.values[cell] is not None and sat.errors[cell] is not None]
    now, before = seen[-NOW:], [one for one in seen[:-NOW] if (seen[-1].on - one.on).days <= BEFORE_DAYS][-BEFORE:]
    if len(now) < NOW or not before:
        return None
    (after, e_after), (past, e_past) = (_mean(model, some, cell) for some in (now, before))
    middle = model.instrument.scale.middle
    moved = abs(after - middle) - (past - middle) * (1 if after > middle else -1)
    noise = e_after + e_past
    prior = _drift(model, now[0].age_months or 0, round(_middle(now) - _middle(before)))
    mean, variance = moved * prior / (prior + noise), prior * noise / (prior + noise)
    p = normal_cdf((mean - model.rules.moved_least) / math.sqrt(variance))
    return Moved(p, now[0].on, len([one for one in usable if one.on >= before[0].on]))


def _middle(some: Sequence[Sat]) -> float:
    return sum(one.on.toordinal() for one in some) / len(some)


def _mean(model: Model, some: Sequence[Sat], cell: int) -> tuple[float, float]:
    weights = [1 / ((one.errors[cell] or 0.0) ** 2 + model.shared_sd**2) for one in some]
    total = sum(weights)
    return sum(w * (one.values[cell] or 0.0) for w, one in zip(weights, some, strict=True)) / total, 1 / total


def _drift(model: Model, months: int, days: int) -> float:
    """The variance of a true level's change over so many days, in scale points squared."""
    half = model.artefact.parameters.halving_days
    sd = model.spread_at(months)
    return 2 * sd * sd * (1 - math.exp2(-days / half))


def fluctuation(model: Model, usable: Sequence[Sat]) -> Fluctuation | None:
    """Squared successive differences of all eight values (MSSD, von Neumann 1941) against error and drift.

    None below the rounds that the model asks for. Differences in a row share an error, and cells share the day, so the
    sum is read as a chi-square with fewer degrees of freedom (Satterthwaite), by Wilson and Hilferty 1931.
    """
    recent = usable[-WINDOW:]
    if len(recent) < model.rules.fluctuation_rounds:
        return None
    terms = [
        (b - a) ** 2
        / (ea * ea + eb * eb + 2 * model.shared_sd**2 + _drift(model, two.age_months or 0, (two.on - one.on).days))
        for one, two in pairwise(recent)
        for a, b, ea, eb in zip(one.values, two.values, one.errors, two.errors, strict=True)
        if a is not None and b is not None and ea is not None and eb is not None
    ]
    if len(terms) < 8 * (model.rules.fluctuation_rounds - 1):
        return None
    n = len(recent)
    freedom = 2 * (8 * (n - 1)) ** 2 / (8 * SHARED * (3 * n - 4))
    spread = 2 / (9 * freedom)
    z = ((sum(terms) / len(terms)) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return Fluctuation(normal_cdf(z), n)


SHARED = 1.35
"""How far the variance of the sum over cells exceeds that of independent ones, for the model's shared day and drift."""
