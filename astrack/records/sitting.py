"""Handing in sittings: scored and flagged in the same decision, one pupil or a class at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from astrack.changing import Answer, Ask, Changing, Decided, Target
from domain import instrument, risk, scoring, sitting_rules
from domain import round as rounds
from domain.base import DomainError, Event, Stamp, StreamClass, topics_of
from domain.instrument import Instrument
from domain.journey import decisions, facts, state
from domain.journey.facts import AssessmentSat, FactCorrected, Helper, Mode
from domain.journey.state import Journey, corrected

CLASS_MAX = 60
PUPILS_AT_ONCE = 500
SITTINGS, CORRECTIONS = topics_of(AssessmentSat), topics_of(FactCorrected)


class ClassTooLarge(DomainError):
    """More pupils were named than a class has."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """What a pupil handed in: answers by item (1-6) and, where known, the seconds each took.

    ``helped_by``: the role of the adult who wrote for them, where the mode is supported.
    """

    pupil_id: UUID
    sitting_id: UUID
    answers: Mapping[str, int]
    seconds: Mapping[str, float] = field(default_factory=dict)
    mode: Mode = "alone"
    helped_by: Helper | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """What a pupil's next answer rests on: their journey, the drafts kept under it by id, and the log's size."""

    journey: Journey
    drafts: Mapping[UUID, bytes]
    size: int


class SittingRecords(Changing):
    """What happens when a pupil answers and has answered."""

    def seat(self, pupil_id: UUID) -> Seat:
        """A pupil's place at a sitting, in one round trip. Raises NoSuchPupil."""
        stream, drafts, size = self.log.load_with_drafts(self.streams_of(pupil_id).journey_id)
        return Seat(state.replay(fact.event for fact in self.facts_of(pupil_id, stream)), drafts, size)

    def sat(self, pupil_ids: Sequence[UUID], newest: int | None = None) -> Iterator[tuple[UUID, list[AssessmentSat]]]:
        """The sittings of many pupils as they read now, in order of the record; who is not here is left out.

        ``newest``: of those on record here no more than so many, the last ones.
        """
        for first in range(0, len(pupil_ids), PUPILS_AT_ONCE):
            streams = self.streams_of_many(pupil_ids[first : first + PUPILS_AT_ONCE])
            ids = [one.journey_id for one in streams]
            sat = self.log.load_many(ids, only=SITTINGS, newest=newest) if ids else []
            mended = self.log.load_many(ids, only=CORRECTIONS) if ids else []
            for one, *parts in zip(streams, sat, mended, strict=True):
                events = {fact.event.event_id: fact.event for part in parts for fact in part.facts}
                now = corrected(list(events.values()))
                yield one.pupil_id, [event for event in now if isinstance(event, AssessmentSat)]

    def hand_in(
        self,
        ask: Ask,
        pupil_id: UUID,
        *,
        sitting_id: UUID,
        round_id: UUID | None,
        on: date,
        answers: Mapping[str, int],
        seconds: Mapping[str, float] | None = None,
        mode: Mode = "alone",
        helped_by: Helper | None = None,
    ) -> Answer:
        """Hand in one sitting.

        Raises RoundUnknown, RoundAlreadyClosed, RoundNotOpenYet, SittingAlreadyTaken, HelpNotSaid, OptedOut,
        RecordFrozen and the refusals of scoring.
        """
        one = Sitting(pupil_id, sitting_id, answers, seconds or {}, mode, helped_by)
        return self.hand_in_class(ask, [one], round_id=round_id, on=on)

    def hand_in_class(self, ask: Ask, sittings: Sequence[Sitting], *, round_id: UUID | None, on: date) -> Answer:
        """Hand in the sittings of a class, all or none; at most 60. Raises what ``hand_in`` raises."""
        if len(sittings) > CLASS_MAX:
            raise ClassTooLarge(f"a class has at most {CLASS_MAX} sittings, not {len(sittings)}: hand them in in parts")
        targets = [self.journey_of(one.pupil_id) for one in sittings]
        if round_id is not None:
            targets.append(Target(round_id, StreamClass.SCHOOL))

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            chosen = _instrument(loaded[-1] if round_id else [], on)
            made = [
                judged(state.replay(events), stamp, one, chosen, round_id, on)
                for one, events in zip(sittings, loaded, strict=False)
            ]
            answer = {"flags": [_raised(one.pupil_id, events) for one, events in zip(sittings, made, strict=True)]}
            return Decided([*made, *([[]] if round_id else [])], answer)

        request = {"do": "hand_in", "round": round_id, "on": on, "sittings": [_asked(one) for one in sittings]}
        return self.change(ask, request, targets, decide)

    def say_not_today(self, ask: Ask, pupil_id: UUID, *, round_id: UUID) -> Answer:
        """A pupil would rather not sit a round today, said by them or for them.

        Raises RoundUnknown, RoundAlreadyClosed, RoundNotOpenYet, NotInRound, SittingAlreadyTaken, OptedOut,
        RecordFrozen.
        """

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            opened = rounds.check_sittable(rounds.replay(loaded[1]), stamp.at.date())
            said = sitting_rules.say_not_today(state.replay(loaded[0]), stamp, opened)
            return Decided([said, []], {"pupil_id": str(pupil_id), "events": [str(one.event_id) for one in said]})

        request = {"do": "say_not_today", "of": pupil_id, "round": round_id}
        return self.change(ask, request, [self.journey_of(pupil_id), Target(round_id, StreamClass.SCHOOL)], decide)


def judged(
    journey: Journey, stamp: Stamp, sitting: Sitting, chosen: Instrument, round_id: UUID | None, on: date
) -> list[Event]:
    """The sitting as a fact and the flags it raises or eases: the one place where answers become a judgement."""
    scored = scoring.score(chosen, sitting.answers, sitting.seconds or None)
    sat = facts.AssessmentSat(
        **stamp.fresh(),
        sitting_id=sitting.sitting_id,
        round_id=round_id,
        happened_on=on,
        age_months=journey.age_months_on(on),
        year_group=journey.year_group,
        instrument=chosen.name,
        instrument_version=chosen.version,
        instrument_digest=chosen.digest,
        mode=sitting.mode,
        helped_by=sitting.helped_by,
        answers=dict(sitting.answers),
        seconds=dict(sitting.seconds),
        values=scored.values,
        errors=scored.errors,
        quality=scored.quality,
        usable=scored.usable,
        scoring_rules=scoring.RULES,
    )
    after = decisions.sit(journey, sat)
    model = risk.load_model()
    findings = risk.findings(model, after.sittings, after.standing_subjects(), on)
    return [sat, *decisions.flag(after, stamp, findings, model.digest)]


def _instrument(round_events: Sequence[Event], on: date) -> Instrument:
    if not round_events:
        return instrument.newest()
    opened = rounds.check_sittable(rounds.replay(round_events), on)
    return instrument.load(opened.instrument, opened.instrument_version)


def _raised(pupil_id: UUID, events: Sequence[Event]) -> Answer:
    flags = [str(one.flag_id) for one in events if isinstance(one, facts.FlagRaised)]
    return {"pupil_id": str(pupil_id), "raised": flags}


def _asked(one: Sitting) -> Answer:
    return {
        "pupil": one.pupil_id,
        "sitting": one.sitting_id,
        "answers": dict(one.answers),
        "seconds": dict(one.seconds),
        "mode": one.mode,
        "helped_by": one.helped_by,
    }
