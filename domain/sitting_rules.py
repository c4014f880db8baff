"""Where a pupil stands in a round: the one re-offer, by response quality alone, before any value is seen; not today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.base import Event, Stamp
from domain.journey import refusals as no
from domain.journey.facts import NotTodaySaid
from domain.journey.holding import held
from domain.journey.state import Journey, Sat
from domain.round import RoundOpened

TRIES = 2
"""The first and the one re-offer."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one pupil stands in a round. ``counts``: the sitting that counts; ``offer``: whether one may be sat now."""

    counts: Sat | None
    tries: int
    offer: bool


def standing(sittings: Sequence[Sat], round_id: UUID) -> Standing:
    """Where a pupil stands: the first sitting of adequate quality counts, and where neither has it, none does.

    Whether a second is offered rests on response quality alone, never on values and never on anyone's choice.
    """
    own = [sat for sat in sittings if sat.round_id == round_id]
    good = next((sat for sat in own if sat.usable), None)
    return Standing(good, len(own), good is None and len(own) < TRIES)


def say_not_today(journey: Journey, stamp: Stamp, opened: RoundOpened) -> list[Event]:
    """A pupil would rather not sit an open round today; said twice on one day it is said once. Nothing follows from it.

    Raises NotEnrolled, RecordFrozen, OptedOut, NotInRound, SittingAlreadyTaken.
    """
    held(journey)
    if journey.opted_out:
        raise no.OptedOut("an opt-out is on this record: there is nothing to sit, today or later")
    if journey.year_group not in opened.year_groups:
        raise no.NotInRound(f"the round {opened.name} is for other year groups: choose a round of this pupil's year")
    if not standing(journey.sittings, opened.round_id).offer:
        raise no.SittingAlreadyTaken("this pupil has sat this round already: there is nothing left to say not today to")
    said = (one for one in journey.events.values() if isinstance(one, NotTodaySaid))
    if any(one.round_id == opened.round_id and one.day == stamp.at.date() for one in said):
        return []
    return [NotTodaySaid(**stamp.fresh(), round_id=opened.round_id)]
