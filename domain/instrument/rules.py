"""The rules an instrument states in numbers: its scale, scoring, response quality, ends, priority and gap."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domain.base import Value

Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
"""A number is written as one: true is none, nor is a text that looks like one."""
QualityCode = Literal["straight_lining", "longest_run", "too_fast", "inconsistent", "missing"]
Share = Annotated[Number, Field(gt=0, le=1)]


class Scale(Value):
    """The answers one may give: whole numbers from ``least``, 1 or above as 0 stands for no answer, to ``most``."""

    least: Annotated[Whole, Field(ge=1)]
    most: Annotated[Whole, Field(le=10)]

    @property
    def middle(self) -> float:
        """The point between the two ends."""
        return (self.least + self.most) / 2


class Scoring(Value):
    """How answers become values; ``item_sd`` in scale points, assumed until pupils are asked; ``slope_drawn``: how
    near the middle a mean is taken when its error is reckoned.
    """

    least_answered: Annotated[Whole, Field(ge=2)]
    item_sd: Annotated[Number, Field(gt=0)]
    item_sd_weight: Annotated[Number, Field(gt=0)]
    slope_drawn: Share


class Quality(Value):
    """From where on answers are hard to read; ``unusable`` names the codes that keep a sitting out of the model."""

    straight_share: Share
    longest_run: Annotated[Whole, Field(ge=4)]
    fast_seconds: Annotated[Number, Field(gt=0)]
    fast_share: Share
    inconsistent_gap: Annotated[Number, Field(gt=0)]
    answered_share: Share
    unusable: frozenset[QualityCode]


class Poles(Value):
    """The cut-offs on the instrument's scale: at or below ``low`` and at or above ``high`` a level is at an end."""

    low: Number
    high: Number


class Priority(Value):
    """How many distinct factors must be at an end."""

    least_factors: Annotated[Whole, Field(ge=1, le=4)]


class Gap(Value):
    """How far the two contexts of one factor must lie apart, in scale points."""

    least: Annotated[Number, Field(gt=0)]
