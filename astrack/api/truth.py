"""How right early signs have been, and whether groups fare alike: aggregates for those who lead."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from astrack import fairness
from astrack.access.callers import CallerOf
from astrack.api.common import Body, Empty, Key, Out
from astrack.api.lists import reading
from astrack.questions import Differing, Items, OfGroup, questions
from domain.authority import Action
from domain.background import Watchable
from domain.fairness import DIF_LEAST
from domain.review import load_of
from domain.scoring.reliability import PUPILS_LEAST, Estimate
from domain.truth import Figure
from projections import truth

router = APIRouter(tags=["truth"])
Few = Annotated[float, Field(ge=0, le=30)]


class NeedOut(Out):
    """What a withheld figure has too little of: so many have been counted of those needed."""

    of: str
    counted: int
    needed: int


class FigureOut(Out):
    """A share with its 95 % interval, resting on so many; or withheld (null) for what it `lacks`."""

    value: float | None
    low: float | None
    high: float | None
    counted: int
    lacks: list[NeedOut]


class TruthOut(Out):
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


class RateOut(Out):
    """How often a group has a sign that makes work, and by how much more than all others; null where withheld."""

    dimension: str
    name: str
    pupils: int | None
    rate: list[float] | None
    more: list[float] | None


class DifferenceOut(Out):
    """How differently a group answers an item, in spreads of the item, with its 95 % interval; p of no difference."""

    item: str
    smd: float
    low: float
    high: float
    p: float


class GroupItemsOut(Out):
    """Of a group, the items compared, those worth a look, and the one furthest off; null where too few answered."""

    dimension: str
    name: str
    compared: int
    notable: int
    widest: DifferenceOut | None


class NotableOut(DifferenceOut):
    """An item worth a look: a clear difference, and not a small one."""

    dimension: str
    name: str


class ItemsOut(Out):
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


class EstimateOut(Out):
    """A coefficient with its 95 % interval, resting on so many pupils; null where they are too few."""

    value: float | None
    low: float | None
    high: float | None
    pupils: int


class ReliabilityOut(Out):
    """Of a factor in a context: Cronbach's alpha within a sitting; correlation and ICC(2,1) from one to the next."""

    factor: str
    context: str
    alpha: EstimateOut
    retest: EstimateOut
    icc: EstimateOut
    needed: int


class WatchIn(Body):
    """The fields of pupils' background to look at, and what for; no field ends it."""

    watched: Annotated[list[Watchable], Field(max_length=4)]
    purpose: Annotated[str, Field(max_length=500)] = ""


class LoadIn(Body):
    """How many pupils of a class of 30 a tutor is asked to look at, those drawn without a sign among them."""

    least: Few = 3
    most: Few = 5
    unflagged: Few = 1


@router.get("/truth")
def right(caller: CallerOf) -> TruthOut:
    """How right early signs have been here; each figure is withheld until enough has been counted."""
    caller.see(Action.SEE_AGGREGATES)
    with reading(caller) as (cur, school):
        found = truth.right(cur, school, caller.today)
    return TruthOut(
        agreed=_figure(found.staff.agreed), new_to_us=_figure(found.staff.new), unreviewed=found.staff.unreviewed,
        ppv=_figure(found.truth.ppv), sensitivity=_figure(found.truth.sensitivity),
        specificity=_figure(found.truth.specificity), outcomes=found.truth.outcomes,
        not_followed_up=found.truth.not_followed_up, drawn=found.drawn,
    )  # fmt: skip


@router.get("/fairness")
def fair(caller: CallerOf) -> list[RateOut]:
    """Rates of early signs by group; a group under ten is withheld, and what would let it be worked out."""
    caller.see(Action.SEE_AGGREGATES)
    return [_rate(one) for one in fairness.flag_rates(caller.app, caller.records.school_id)]


@router.get("/fairness/items")
def fair_items(caller: CallerOf) -> list[ItemsOut]:
    """Whether pupils of equal standing answer each item alike, by the same groups; each instrument on its own."""
    caller.see(Action.SEE_AGGREGATES)
    return [_items(one) for one in questions(caller.app, caller.records.school_id).items]


def _items(found: Items) -> ItemsOut:
    return ItemsOut(
        instrument=found.instrument.name, instrument_version=found.instrument.version, pupils=found.pupils,
        notable=[NotableOut(dimension=one.dimension, name=one.name, **_difference(one)) for one in found.notable],
        groups=[_of_group(one) for one in found.groups],
        compared=found.compared, withheld=found.withheld, needed=DIF_LEAST,
    )  # fmt: skip


@router.get("/reliability")
def repeatable(caller: CallerOf) -> list[ReliabilityOut]:
    """How repeatable each factor is in each context: within a sitting, and from one sitting to the next, kept apart."""
    caller.see(Action.SEE_AGGREGATES)
    return [
        ReliabilityOut(
            factor=one.factor, context=one.context, alpha=_estimate(one.said.alpha),
            retest=_estimate(one.said.retest), icc=_estimate(one.said.icc), needed=PUPILS_LEAST,
        )
        for one in questions(caller.app, caller.records.school_id).scales
    ]  # fmt: skip


@router.put("/school/backgrounds")
def watch_backgrounds(caller: CallerOf, body: WatchIn, key: Key) -> Empty:
    """Say in which fields of pupils' background the school looks whether groups fare alike, and what for."""
    caller.may(Action.WATCH_BACKGROUNDS)
    caller.records.watch_backgrounds(caller.ask(key), body.watched, body.purpose)
    return Empty()


@router.put("/school/review-load")
def set_review_load(caller: CallerOf, body: LoadIn, key: Key) -> Empty:
    """Set how many pupils a tutor is asked to look at."""
    caller.may(Action.SET_ROUNDS)
    caller.records.set_review_load(caller.ask(key), load_of(**body.model_dump()))
    return Empty()


def _figure(one: Figure) -> FigureOut:
    lacks = [NeedOut(of=need.of, counted=need.counted, needed=need.needed) for need in one.lacks]
    return FigureOut(value=one.value, low=one.low, high=one.high, counted=one.counted, lacks=lacks)


def _rate(one: fairness.Rate) -> RateOut:
    rate = one.rate
    if rate.flagged is None or rate.more is None:
        return RateOut(dimension=one.dimension, name=one.name, pupils=None, rate=None, more=None)
    flagged = [rate.flagged.value, rate.flagged.low, rate.flagged.high]
    return RateOut(dimension=one.dimension, name=one.name, pupils=rate.of, rate=flagged, more=list(rate.more))


def _of_group(one: OfGroup) -> GroupItemsOut:
    widest = DifferenceOut(**_difference(one.widest)) if one.widest else None
    return GroupItemsOut(
        dimension=one.dimension, name=one.name, compared=one.compared, notable=one.notable, widest=widest
    )


def _difference(one: Differing) -> dict[str, Any]:
    said = one.said
    return {"item": one.item, "smd": said.smd, "low": said.low, "high": said.high, "p": said.p}


def _estimate(one: Estimate) -> EstimateOut:
    return EstimateOut(value=one.value, low=one.low, high=one.high, pupils=one.pupils)
