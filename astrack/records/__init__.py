"""The commands about one pupil: one method each, named with the domain's own verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from astrack.changing import Answer, Ask, Decided, NoSuchPupil, Target
from astrack.records.rights import RightsRecords
from astrack.records.school import SchoolRecords
from astrack.records.sitting import CLASS_MAX, ClassTooLarge, SittingRecords
from astrack.records.staff import StaffRecords
from astrack.store import PupilStreams
from domain import identity, review, safeguarding
from domain.base import Event, Fact, Stamp, StreamClass
from domain.journey import decisions, facts, outcomes, outside, state
from domain.journey.state import Journey
from domain.school_year import age_months

__all__ = ["Ask", "NoSuchPupil", "Records"]


class Records(SchoolRecords, SittingRecords, StaffRecords, RightsRecords):
    """Everything that can be done to the records of one school. Each command returns a JSON-able answer."""

    def admit(
        self,
        ask: Ask,
        person: identity.Person,
        *,
        on: date,
        year_group: int | None,
        groups: Sequence[facts.Group] = (),
    ) -> Answer:
        """Begin the record of a pupil who is new here; the answer holds their ``pupil_id``."""
        pupil = PupilStreams(self.new_id(), self.new_id(), self.new_id(), self.new_id())
        request = {"do": "admit", "person": person.model_dump(mode="json"), "on": on, "year": year_group,
                   "groups": [group.model_dump() for group in groups]}  # fmt: skip

        def decide(_: list[list[Event]], stamp: Stamp) -> Decided:
            months = age_months(person.date_of_birth, on)
            begun = decisions.enrol(
                Journey(),
                stamp,
                school_id=self.school_id,
                on=on,
                year_group=year_group,
                age_months=months,
                groups=groups,
            )
            stated = identity.record(identity.Identity(), stamp, person)
            return Decided([begun, stated], {"pupil_id": str(pupil.pupil_id)}, (pupil,))

        targets = admission_targets(pupil)
        return self.change(ask, request, targets, decide)

    def amend_identity(self, ask: Ask, pupil_id: UUID, person: identity.Person) -> Answer:
        """State anew who a pupil is; the earlier statement stays on record."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            return Decided([identity.record(identity.replay(loaded[0]), stamp, person)])

        request = {"do": "amend_identity", "pupil": pupil_id, "person": person.model_dump(mode="json")}
        return self.change(ask, request, [self.identity_of(pupil_id)], decide)

    def regroup(
        self, ask: Ask, pupil_id: UUID, *, on: date, year_group: int | None, groups: Sequence[facts.Group]
    ) -> Answer:
        """The year group or groups are different from a day on."""
        request = {"on": on, "year": year_group, "groups": [group.model_dump() for group in groups]}
        return self._on_journey(
            ask, pupil_id, "regroup", request,
            lambda journey, stamp: decisions.regroup(journey, stamp, on=on, year_group=year_group, groups=groups),
        )  # fmt: skip

    def regroup_class(
        self, ask: Ask, pupil_ids: Sequence[UUID], *, on: date, year_group: int | None, groups: Sequence[facts.Group]
    ) -> Answer:
        """Put a whole class into a year group and groups, all or none; at most 60. Raises what ``regroup`` raises."""
        if len(pupil_ids) > CLASS_MAX:
            raise ClassTooLarge(f"a class has at most {CLASS_MAX} pupils, not {len(pupil_ids)}: do it in parts")
        request = {"do": "regroup_class", "of": list(pupil_ids), "on": on, "year": year_group,
                   "groups": [group.model_dump() for group in groups]}  # fmt: skip

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            made = [
                decisions.regroup(state.replay(events), stamp, on=on, year_group=year_group, groups=groups)
                for events in loaded
            ]
            return Decided(made, {"changed": sum(bool(events) for events in made)})

        return self.change(ask, request, [self.journey_of(one) for one in pupil_ids], decide)

    def leave(self, ask: Ask, pupil_id: UUID, *, on: date) -> Answer:
        """The pupil leaves the roll."""
        return self._on_journey(
            ask, pupil_id, "leave", {"on": on}, lambda journey, stamp: decisions.leave(journey, stamp, on=on)
        )

    def return_to_roll(
        self, ask: Ask, pupil_id: UUID, *, on: date, year_group: int | None, groups: Sequence[facts.Group] = ()
    ) -> Answer:
        """Put a pupil whose record is here on roll (again), as when their record has been received."""
        born = self.identity(pupil_id).person
        months = age_months(born.date_of_birth, on) if born else None
        request = {"on": on, "year": year_group, "groups": [group.model_dump() for group in groups]}
        return self._on_journey(
            ask, pupil_id, "return_to_roll", request,
            lambda journey, stamp: decisions.enrol(
                journey, stamp, school_id=self.school_id, on=on, year_group=year_group, age_months=months, groups=groups
            ),
        )  # fmt: skip

    def review_flag(
        self, ask: Ask, pupil_id: UUID, *, flag_id: UUID, judgement: facts.Judgement, note: str = ""
    ) -> Answer:
        """Say what you make of a flag, by its own id or the one it was put before you under; or of a pupil without one
        whom a round drew. Raises NoSuchFlag, FlagAlreadyReviewed.
        """
        draw = self.draw()

        def decide(journey: Journey, stamp: Stamp) -> list[Event]:
            drawn = review.drawn(journey, pupil_id, draw)
            if drawn is None or drawn.sign_id != flag_id:
                put = {draw.sign_id(one, pupil_id): one for one in journey.flags}
                named = put.get(flag_id, flag_id)
                return decisions.review_flag(journey, stamp, flag_id=named, judgement=judgement, note=note)
            concern = judgement != "not_what_we_see"
            return decisions.look_at(
                journey, stamp, concern=concern, note=note, round_id=drawn.round_id, chance=drawn.chance
            )

        request = {"flag": flag_id, "judgement": judgement, "note": note}
        return self._on_journey(ask, pupil_id, "review_flag", request, decide)

    def look_at(self, ask: Ask, pupil_id: UUID, *, concern: bool, note: str = "") -> Answer:
        """Review a pupil who has no flag."""
        return self._on_journey(
            ask, pupil_id, "look_at", {"concern": concern, "note": note},
            lambda journey, stamp: decisions.look_at(journey, stamp, concern=concern, note=note),
        )  # fmt: skip

    def report_outcome(
        self, ask: Ask, pupil_id: UUID, *, outcome_id: UUID, on: date, code: outside.OutcomeCode, source: outside.Source
    ) -> Answer:
        """Say, as a code, what later came to pass, what is the DSL's in their stream. Raises OutcomeForTheDsl."""
        request = {"outcome": outcome_id, "on": on, "code": code, "source": source}
        if code in outside.FOR_THE_DSL:
            outcomes.check_said_by(source, ask.by.role)
            return self._on_safeguarding(
                ask, pupil_id, "report_outcome", request,
                lambda events, stamp: safeguarding.know_outcome(events, safeguarding.OutcomeKnown.model_validate(
                    {**stamp.fresh(), "outcome_id": outcome_id, "happened_on": on, "code": code})),
            )  # fmt: skip
        return self._on_journey(
            ask, pupil_id, "report_outcome", request,
            lambda journey, stamp: outcomes.report(
                journey, stamp, outcome_id=outcome_id, on=on, code=code, source=source
            ),
        )  # fmt: skip

    def take_back_outcome(self, ask: Ask, pupil_id: UUID, *, outcome_id: UUID, why: str) -> Answer:
        """Say that an outcome was recorded by the DSL in error. Raises OutcomeUnknown."""
        return self._on_safeguarding(
            ask, pupil_id, "take_back_outcome", {"outcome": outcome_id, "why": why},
            lambda events, stamp: safeguarding.take_back_outcome(events, stamp, outcome_id=outcome_id, why=why),
        )  # fmt: skip

    def take_in_totals(self, ask: Ask, pupil_id: UUID, fact: Mapping[str, Any]) -> Answer:
        """Take in the totals of a licensed instrument, or correct those on record of that day; ``fact``: the fields of
        TotalsImported without its head (``licensed.fact_of``). Raises RecordFrozen, NotEnrolled.
        """
        return self._on_journey(
            ask, pupil_id, "take_in_totals", dict(fact),
            lambda journey, stamp: outcomes.take_in_totals(
                journey, stamp, outside.TotalsImported.model_validate({**stamp.fresh(), **fact})
            ),
        )  # fmt: skip

    def ask_to_talk(self, ask: Ask, pupil_id: UUID, *, talk_id: UUID, with_role: str = "tutor") -> Answer:
        """The pupil would like to talk to someone."""
        return self._on_journey(
            ask, pupil_id, "ask_to_talk", {"talk": talk_id, "with": with_role},
            lambda journey, stamp: decisions.ask_to_talk(journey, stamp, talk_id=talk_id, with_role=with_role),
        )  # fmt: skip

    def take_up_talk(self, ask: Ask, pupil_id: UUID, *, talk_id: UUID) -> Answer:
        """Take up a pupil's wish to talk. Raises NoSuchTalk."""
        return self._on_journey(
            ask, pupil_id, "take_up_talk", {"talk": talk_id},
            lambda journey, stamp: decisions.take_up_talk(journey, stamp, talk_id=talk_id),
        )  # fmt: skip

    def escalate_talk(self, ask: Ask, pupil_id: UUID, *, talk_id: UUID, to_role: str) -> Answer:
        """Nobody took up a wish to talk in time. Raises NoSuchTalk."""
        return self._on_journey(
            ask, pupil_id, "escalate_talk", {"talk": talk_id, "to": to_role},
            lambda journey, stamp: decisions.escalate_talk(journey, stamp, talk_id=talk_id, to_role=to_role),
        )  # fmt: skip

    def open_plan(self, ask: Ask, pupil_id: UUID, *, plan: Mapping[str, Any], keep_words: bool = False) -> Answer:
        """Begin an action plan; ``plan`` holds the fields of PlanOpened without its head.

        Raises pydantic's ValidationError, CauseStepSkipped, RiskStepSkipped, SignpostMissing, PlanDatesWrong,
        GoalNotPositive.
        """

        def decide(journey: Journey, stamp: Stamp) -> list[Event]:
            return decisions.open_plan(journey, facts.PlanOpened(**stamp.fresh(), **plan), keep_words=keep_words)

        return self._on_journey(ask, pupil_id, "open_plan", dict(plan), decide)

    def monitor_plan(self, ask: Ask, pupil_id: UUID, *, plan_id: UUID, going: facts.Going, note: str = "") -> Answer:
        """Note how a plan is going. Raises NoSuchPlan, PlanAlreadyClosed."""
        return self._on_journey(
            ask, pupil_id, "monitor_plan", {"plan": plan_id, "going": going, "note": note},
            lambda journey, stamp: decisions.monitor_plan(journey, stamp, plan_id=plan_id, going=going, note=note),
        )  # fmt: skip

    def review_plan(self, ask: Ask, pupil_id: UUID, *, plan_id: UUID, end_on: date, note: str = "") -> Answer:
        """Look at a plan as a whole and let it go on. Raises NoSuchPlan, PlanAlreadyClosed, PlanDatesWrong."""
        return self._on_journey(
            ask, pupil_id, "review_plan", {"plan": plan_id, "end": end_on, "note": note},
            lambda journey, stamp: decisions.review_plan(journey, stamp, plan_id=plan_id, end_on=end_on, note=note),
        )  # fmt: skip

    def close_plan(self, ask: Ask, pupil_id: UUID, *, plan_id: UUID, came: facts.Came, note: str = "") -> Answer:
        """End a plan and say what came of it. Raises NoSuchPlan, PlanAlreadyClosed."""
        return self._on_journey(
            ask, pupil_id, "close_plan", {"plan": plan_id, "came": came, "note": note},
            lambda journey, stamp: decisions.close_plan(journey, stamp, plan_id=plan_id, came=came, note=note),
        )  # fmt: skip

    def correct(self, ask: Ask, pupil_id: UUID, *, corrects: UUID, changes: Mapping[str, Any], why: str) -> Answer:
        """Say that an earlier fact was wrong. Raises NoSuchFact, NotCorrectable, NothingToCorrect."""
        return self._on_journey(
            ask, pupil_id, "correct", {"corrects": corrects, "changes": dict(changes), "why": why},
            lambda journey, stamp: decisions.correct(journey, stamp, corrects=corrects, changes=changes, why=why),
        )  # fmt: skip

    def opt_out(self, ask: Ask, pupil_id: UUID, *, asked_by: str, on: date) -> Answer:
        """Record that no assessment is wanted."""
        return self._on_journey(
            ask, pupil_id, "opt_out", {"asked_by": asked_by, "on": on},
            lambda journey, stamp: decisions.opt_out(journey, stamp, asked_by=asked_by, on=on),
        )  # fmt: skip

    def end_opt_out(self, ask: Ask, pupil_id: UUID, *, asked_by: str, on: date) -> Answer:
        """Record that an opt-out is taken back."""
        return self._on_journey(
            ask, pupil_id, "end_opt_out", {"asked_by": asked_by, "on": on},
            lambda journey, stamp: decisions.end_opt_out(journey, stamp, asked_by=asked_by, on=on),
        )  # fmt: skip

    def hand_off(self, ask: Ask, pupil_id: UUID, *, hand_off_id: UUID, on: date, reference: str) -> Answer:
        """Hand a concern to the DSL in the school's own system."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            made = safeguarding.hand_off(loaded[0], stamp, hand_off_id=hand_off_id, on=on, reference=reference)
            return Decided([made], {"hand_off_id": str(hand_off_id)})

        request = {"do": "hand_off", "pupil": pupil_id, "id": hand_off_id, "on": on, "reference": reference}
        return self.change(ask, request, [self.safeguarding_of(pupil_id)], decide)

    def acknowledge_hand_off(self, ask: Ask, pupil_id: UUID, *, hand_off_id: UUID) -> Answer:
        """The DSL takes up a hand-off. Raises HandOffUnknown."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            return Decided([safeguarding.acknowledge(loaded[0], stamp, hand_off_id=hand_off_id)])

        request = {"do": "acknowledge_hand_off", "pupil": pupil_id, "id": hand_off_id}
        return self.change(ask, request, [self.safeguarding_of(pupil_id)], decide)

    def journey(self, pupil_id: UUID) -> tuple[Journey, list[Fact]]:
        """The state of a pupil's journey and the facts it is made of. Raises NoSuchPupil."""
        found = self.facts_of(pupil_id, self.log.load(self.streams_of(pupil_id).journey_id))
        return state.replay(fact.event for fact in found), found

    def journeys(self, pupil_ids: Sequence[UUID]) -> dict[UUID, tuple[Journey, list[Fact]]]:
        """The same of several pupils, in one question; who is not here is left out."""
        streams = self.streams_of_many(pupil_ids)
        loaded = self.log.load_many([one.journey_id for one in streams]) if streams else []
        return {
            one.pupil_id: (state.replay(fact.event for fact in stream.facts), stream.facts)
            for one, stream in zip(streams, loaded, strict=True)
        }

    def identity(self, pupil_id: UUID) -> identity.Identity:
        """Who a pupil is. Raises NoSuchPupil."""
        stream = self.log.load(self.streams_of(pupil_id).identity_id)
        return identity.replay(fact.event for fact in self.facts_of(pupil_id, stream))

    def safeguarding_facts(self, pupil_id: UUID) -> list[Fact]:
        """The facts of a pupil's safeguarding stream. Raises NoSuchPupil."""
        return self.log.load(self.streams_of(pupil_id).safeguarding_id).facts

    def _on_safeguarding(
        self, ask: Ask, pupil_id: UUID, verb: str, arguments: Answer, act: Callable[[list[Event], Stamp], list[Event]]
    ) -> Answer:
        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            events = act(loaded[0], stamp)
            return Decided([events], {"pupil_id": str(pupil_id), "events": [str(one.event_id) for one in events]})

        return self.change(ask, {**arguments, "do": verb, "of": pupil_id}, [self.safeguarding_of(pupil_id)], decide)

    def _on_journey(
        self, ask: Ask, pupil_id: UUID, verb: str, arguments: Answer, act: Callable[[Journey, Stamp], list[Event]]
    ) -> Answer:
        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            events = act(state.replay(loaded[0]), stamp)
            return Decided([events], {"pupil_id": str(pupil_id), "events": [str(one.event_id) for one in events]})

        return self.change(ask, {**arguments, "do": verb, "of": pupil_id}, [self.journey_of(pupil_id)], decide)


def admission_targets(pupil: PupilStreams) -> list[Target]:
    """The journey and identity streams of a pupil who is new."""
    return [
        Target(pupil.journey_id, StreamClass.JOURNEY, pupil.pupil_id),
        Target(pupil.identity_id, StreamClass.IDENTITY, pupil.pupil_id),
    ]
