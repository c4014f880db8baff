"""The commands of a school as a whole: registering it, its terms, its assessment rounds."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from astrack.changing import Answer, Ask, Changing, Decided, Target
from domain import background, instrument, review, school
from domain import round as rounds
from domain.background import Watchable
from domain.base import Event, Stamp, StreamClass, topics_of
from domain.identity import SchoolName
from domain.review import Load


class SchoolRecords(Changing):
    """What a school decides for itself."""

    def register_school(self, ask: Ask, name: SchoolName, maintained: bool = True) -> Answer:
        """Set the school up, or state its particulars anew. Raises SchoolAlreadyRegistered."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            events = school.register(school.replay(loaded[0]), stamp, name, maintained=maintained)
            return Decided([events], {"school_id": str(self.school_id)})

        request = {"do": "register_school", "name": name.model_dump(mode="json"), "maintained": maintained}
        return self.change(ask, request, [self.own()], decide)

    def set_term_dates(self, ask: Ask, *, academic_year: str, terms: tuple[school.Term, ...]) -> Answer:
        """State one year's terms. Raises TermDatesWrong."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            state = school.replay(loaded[0])
            return Decided([school.set_term_dates(state, stamp, academic_year=academic_year, terms=terms)])

        stated = [one.model_dump(mode="json") for one in terms]
        request = {"do": "set_term_dates", "year": academic_year, "terms": stated}
        return self.change(ask, request, [self.own()], decide)

    def set_review_load(self, ask: Ask, load: Load) -> Answer:
        """Say how many pupils of a class a tutor is asked to look at, drawn ones among them."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            return Decided([school.set_review_load(school.replay(loaded[0]), stamp, load)])

        return self.change(ask, {"do": "set_review_load", **load.model_dump()}, [self.own()], decide)

    def watch_backgrounds(self, ask: Ask, watched: Sequence[Watchable], purpose: str) -> Answer:
        """Say in which fields of pupils' background the school looks whether groups fare alike, and what for.

        Raises PurposeMissing.
        """

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            return Decided([background.watch(school.replay(loaded[0]).backgrounds, stamp, watched, purpose)])

        request = {"do": "watch_backgrounds", "watched": list(watched), "purpose": purpose}
        return self.change(ask, request, [self.own()], decide)

    def open_round(
        self,
        ask: Ask,
        *,
        round_id: UUID,
        name: str,
        opens_on: date,
        closes_on: date,
        year_groups: Sequence[int],
        instrument_name: str | None = None,
        instrument_version: int | None = None,
    ) -> Answer:
        """Open a window in which these year groups sit an instrument. Raises RoundDatesWrong, NoSuchInstrument."""
        named = instrument_name is not None
        chosen = instrument.load(instrument_name or "", instrument_version or 1) if named else instrument.newest()

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            opened = rounds.RoundOpened(
                **stamp.fresh(), round_id=round_id, name=name, opens_on=opens_on, closes_on=closes_on,
                year_groups=tuple(year_groups), instrument=chosen.name, instrument_version=chosen.version,
            )  # fmt: skip
            return Decided([rounds.open_round(rounds.replay(loaded[0]), opened)], {"round_id": str(round_id)})

        request = {"do": "open_round", "round_id": round_id, "name": name, "opens": opens_on, "closes": closes_on,
                   "years": list(year_groups), "instrument": [chosen.name, chosen.version]}  # fmt: skip
        return self.change(ask, request, [round_stream(round_id)], decide)

    def close_round(self, ask: Ask, *, round_id: UUID, expected: int, sat: int, not_today: int | None = None) -> Answer:
        """Close a round, saying how many were expected, sat, and said "not today" instead, where that was counted.

        Raises RoundUnknown, RoundAlreadyClosed.
        """
        told: dict[str, Any] = {"expected": expected, "sat": sat, "not_today": not_today}

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            return Decided([rounds.close_round(rounds.replay(loaded[0]), stamp, **told)])

        request = {"do": "close_round", "round_id": round_id, **told}
        return self.change(ask, request, [round_stream(round_id)], decide)

    def registered(self) -> SchoolName | None:
        """The school as it registered itself; None before."""
        only = topics_of(school.SchoolRegistered)
        found = school.replay(fact.event for fact in self.log.load(self.school_id, only=only).facts).registered
        return found.school if found else None

    def school_state(self) -> school.School:
        """The school as its own facts state it."""
        return school.replay(fact.event for fact in self.log.load(self.school_id).facts)

    def draw(self) -> review.Draw:
        """How the school's rounds draw pupils without a sign."""
        key = hmac.digest(self.log.secret(), b"astrack/review/v2", "sha256")
        return review.Draw(key, self.school_state().loads)

    def round_state(self, round_id: UUID) -> rounds.Round:
        """One round as its facts state it."""
        return rounds.replay(fact.event for fact in self.log.load(round_id).facts)


def round_stream(round_id: UUID) -> Target:
    """The stream of a round: its own, under the school's key."""
    return Target(round_id, StreamClass.SCHOOL)
