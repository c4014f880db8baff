"""What the API has on the topic `truth`. Written by `scripts/client`."""

from __future__ import annotations

from typing import Literal

from astrack.client.calling import Caller, Got, Sent, new_key
from astrack.client.shared import Empty


class DifferenceOut(Got):
    """How differently a group answers an item, in spreads of the item, with its 95 % interval; p of no difference."""

    item: str
    smd: float
    low: float
    high: float
    p: float


class EstimateOut(Got):
    """A coefficient with its 95 % interval, resting on so many pupils; null where they are too few."""

    value: float | None
    low: float | None
    high: float | None
    pupils: int


class FigureOut(Got):
    """A share with its 95 % interval, resting on so many; or withheld (null) for what it `lacks`."""

    value: float | None
    low: float | None
    high: float | None
    counted: int
    lacks: list[NeedOut]


class GroupItemsOut(Got):
    """Of a group, the items compared, those worth a look, and the one furthest off; null where too few answered."""

    dimension: str
    name: str
    compared: int
    notable: int
    widest: DifferenceOut | None


class ItemsOut(Got):
    """What came of looking at every item of an instrument, on the newest sitting of `pupils`, for every group; with
    fewer than `needed` pupils on either side it is withheld.
    """

    instrument: str
    instrument_version: int
    pupils: int
    notable: list[NotableOut]
    groups: list[GroupItemsOut]
    compared: int
    withheld: int
    needed: int


class LoadIn(Sent):
    """How many pupils of a class of 30 a tutor is asked to look at, those drawn without a sign among them."""

    least: float = 3
    most: float = 5
    unflagged: float = 1


class NeedOut(Got):
    """What a withheld figure has too little of: so many have been counted of those needed."""

    of: str
    counted: int
    needed: int


class NotableOut(Got):
    """An item worth a look: a clear difference, and not a small one."""

    item: str
    smd: float
    low: float
    high: float
    p: float
    dimension: str
    name: str


class RateOut(Got):
    """How often a group has a sign that makes work, and by how much more than all others; null where withheld."""

    dimension: str
    name: str
    pupils: int | None
    rate: list[float] | None
    more: list[float] | None


class ReliabilityOut(Got):
    """Of a factor in a context: Cronbach's alpha within a sitting; correlation and ICC(2,1) from one to the next."""

    factor: str
    context: str
    alpha: EstimateOut
    retest: EstimateOut
    icc: EstimateOut
    needed: int


class TruthOut(Got):
    """Staff agreement (never a PPV), and what later outcomes say."""

    agreed: FigureOut
    new_to_us: FigureOut
    unreviewed: int
    ppv: FigureOut
    sensitivity: FigureOut
    specificity: FigureOut
    outcomes: int
    not_followed_up: int
    drawn: int


class WatchIn(Sent):
    """The fields of pupils' background to look at, and what for; no field ends it."""

    watched: list[Literal["sen", "eal", "fsm", "ethnicity"]]
    purpose: str = ""


class TruthCalls(Caller):
    """What the API has on the topic `truth`."""

    def right(self) -> TruthOut:
        """How right early signs have been here; each figure is withheld until enough has been counted."""
        return self.value(TruthOut, "GET", "/truth")

    def fair(self) -> list[RateOut]:
        """Rates of early signs by group; a group under ten is withheld, and what would let it be worked out."""
        return self.value(list[RateOut], "GET", "/fairness")

    def fair_items(self) -> list[ItemsOut]:
        """Whether pupils of equal standing answer each item alike, by the same groups; each instrument on its own."""
        return self.value(list[ItemsOut], "GET", "/fairness/items")

    def repeatable(self) -> list[ReliabilityOut]:
        """How repeatable each factor is in each context: within a sitting, and from one sitting to the next, kept
        apart.
        """
        return self.value(list[ReliabilityOut], "GET", "/reliability")

    def watch_backgrounds(self, body: WatchIn, *, key: str | None = None) -> Empty:
        """Say in which fields of pupils' background the school looks whether groups fare alike, and what for."""
        return self.value(Empty, "PUT", "/school/backgrounds", body=body, key=key or new_key())

    def set_review_load(self, body: LoadIn, *, key: str | None = None) -> Empty:
        """Set how many pupils a tutor is asked to look at."""
        return self.value(Empty, "PUT", "/school/review-load", body=body, key=key or new_key())
