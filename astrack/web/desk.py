"""A pupil's place at a sitting: the round they may sit today, what is answered so far, found in one round trip."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from astrack.access.callers import Caller
from astrack.records.sitting import Seat
from astrack.web.draft import Draft, draft_id
from astrack.web.site import BadForm
from domain import instrument, sitting_rules
from domain.authority import Action
from domain.instrument import Instrument
from domain.journey.refusals import SittingAlreadyTaken
from domain.journey.state import Journey
from projections import round_progress
from projections.round_progress import Sittable

FRESH_S = 5.0
SCHOOLS_MAX = 1_000
NOTHING_TO_SIT = "There are no questions for you at the moment. Your tutor will tell you when there are."


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one pupil sits: ``round`` is None where there is none to sit, ``draft`` where nothing was answered."""

    journey: Journey
    round: Sittable | None
    draft: Draft | None

    @property
    def tool(self) -> Instrument | None:
        """The instrument of the round, None where there is none to sit."""
        return instrument.load(self.round.instrument, self.round.instrument_version) if self.round else None

    @property
    def tried(self) -> bool:
        """Whether the pupil has handed this round in before."""
        return self.round is not None and sitting_rules.standing(self.journey.sittings, self.round.round_id).tries > 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to sit: answers that could not be read may be given once more, nobody decides."""
        return self.round is not None and _done(self.journey, self.round)


@dataclass(frozen=True, slots=True)
class Seated:
    """A desk with something to answer: the round, its instrument, and the draft as it is or begun now."""

    round: Sittable
    tool: Instrument
    draft: Draft


class Desks:
    """The desks of every school. Safe to share between threads."""

    def __init__(self) -> None:
        self._rounds = Rounds()

    def find(self, who: Caller, action: Action) -> Desk:
        """The caller's own desk, past the gate. Raises NotAllowed, NoSuchPupil."""
        seats: list[Seat] = []

        def journey_of(pupil_id: UUID) -> Journey:
            seats.append(who.records.seat(pupil_id))
            return seats[0].journey

        who.may(action, who.viewer.id, journey_of)
        seat = seats[0]
        one = self._round(who, seat)
        content = one and seat.drafts.get(draft_id(one.round_id, who.viewer.id))
        return Desk(seat.journey, one, Draft.read(content) if content else None)

    def take(self, who: Caller, sitting: UUID | None = None) -> Seated:
        """The caller's desk to answer at; ``sitting`` is the one a form was made for, where there was a form.

        Raises BadForm, SittingAlreadyTaken, NotAllowed, NoSuchPupil.
        """
        desk = self.find(who, Action.SIT)
        if any(one.sitting_id == sitting for one in desk.journey.sittings):
            raise SittingAlreadyTaken("these answers have been handed in already: thank you")
        tool = desk.tool
        if desk.round is None or tool is None:
            raise BadForm(NOTHING_TO_SIT)
        if desk.done:
            raise SittingAlreadyTaken("you have done this round already: thank you, there is nothing more to do")
        return Seated(desk.round, tool, desk.draft or Draft(who.app.new_id()))

    def _round(self, who: Caller, seat: Seat) -> Sittable | None:
        """The round this pupil may sit today: one not sat yet before one that was."""
        one = _first(self._rounds.today(who, seat.size), seat.journey)
        if one is None or _done(seat.journey, one):
            one = _first(self._rounds.today(who, seat.size, fresh=True), seat.journey)
        return one


@dataclass(slots=True)
class _Known:
    """What is known of one school's rounds: as of which size of its log, for which day, for how long."""

    rounds: Sequence[Sittable] = ()
    size: int = -1
    day: date = date.min
    until: float = 0.0
    reading: threading.Lock = field(default_factory=threading.Lock)


class Rounds:
    """The rounds that may be sat today, by school.

    A thousand pupils ask with every answer, and each who hands in makes the log grow: while it grows, the rounds are
    read again every five seconds, by one of them. Handing in asks the round itself.
    """

    def __init__(self) -> None:
        self._known: dict[UUID, _Known] = {}

    def today(self, who: Caller, size: int, *, fresh: bool = False) -> Sequence[Sittable]:
        """The rounds of the caller's school, whose log has ``size`` entries; ``fresh`` as of that size exactly."""
        if len(self._known) > SCHOOLS_MAX:
            self._known.clear()
        known = self._known.setdefault(who.records.school_id, _Known())
        if _holds(known, size, who.today, fresh):
            return known.rounds
        with known.reading:
            if not _holds(known, size, who.today, fresh):
                _read(known, who, size)
            return known.rounds


def _read(known: _Known, who: Caller, size: int) -> None:
    school_id, views = who.records.school_id, who.app.views
    views.catch_up(school_id)
    with views.reading(school_id) as cur:
        known.rounds = round_progress.sittable(cur, school_id, who.today)
    known.size, known.day, known.until = size, who.today, time.monotonic() + FRESH_S


def _holds(known: _Known, size: int, today: date, fresh: bool) -> bool:
    return known.day == today and (known.size >= size or (not fresh and time.monotonic() < known.until))


def _first(rounds: Sequence[Sittable], journey: Journey) -> Sittable | None:
    mine = [one for one in rounds if journey.year_group in one.year_groups]
    return min(mine, key=lambda one: _done(journey, one), default=None)


def _done(journey: Journey, one: Sittable) -> bool:
    return not sitting_rules.standing(journey.sittings, one.round_id).offer
