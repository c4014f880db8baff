"""Restriction: a record that is kept and not used until a question about it is settled (UK GDPR article 18)."""

from __future__ import annotations

from datetime import date

from domain.base import Event, Stamp
from domain.journey import facts as f
from domain.journey import refusals as no
from domain.journey.state import Journey


def restrict(journey: Journey, stamp: Stamp, *, ground: f.Ground, on: date) -> list[Event]:
    """Keep the record and do not use it; twice is once. Raises NotEnrolled."""
    _known(journey)
    return [] if journey.restricted else [f.ProcessingRestricted(**stamp.fresh(), ground=ground, happened_on=on)]


def lift_restriction(journey: Journey, stamp: Stamp, *, on: date, told_on: date) -> list[Event]:
    """Let the record be used again, once whoever asked was told (article 18(3)); twice is once.

    Raises NotEnrolled, NotToldFirst.
    """
    _known(journey)
    if told_on > on:
        raise no.NotToldFirst("whoever asked for the restriction is told before it is lifted: tell them, then lift it")
    return [f.RestrictionLifted(**stamp.fresh(), happened_on=on, told_on=told_on)] if journey.restricted else []


def _known(journey: Journey) -> None:
    if journey.enrolled is None:
        raise no.NotEnrolled("this pupil has no record here: import the roster or receive their sealed file first")
