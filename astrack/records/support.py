"""Training and a school's own guidance, wired to the record: what to draw, what was answered, what is offered here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from astrack.changing import Answer, Ask, Decided, Target
from astrack.records import Records
from domain import guidance, reporting, staff, support, training
from domain.base import Event, Stamp, StreamClass
from domain.guidance import Entry, Guidance, Kind, Pole
from domain.guidance import local as guidance_local
from domain.guidance.local import Own
from domain.journey import decisions, state
from domain.journey.facts import PlanOpened
from domain.reporting import ReportMade
from domain.training import Item, TrainingSat

GUIDANCE, REPORTS = "guidance", "reports"


class Support:
    """What a school does about training and guidance, over its records."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def attempts(self, staff_id: UUID) -> list[TrainingSat]:
        """Every training attempt of a member of staff, oldest first."""
        facts = self.records.log.load(staff_id).facts
        return [fact.event for fact in facts if isinstance(fact.event, TrainingSat)]

    def drawn(self, staff_id: UUID, module: str) -> list[tuple[Item, list[int]]]:
        """The questions of the next attempt, each with the order to show its options in. Raises NoSuchModule."""
        taken = self.attempts(staff_id)
        return [(one, training.shown(one, staff_id)) for one in training.draw(training.module(module), staff_id, taken)]

    def sit_training(self, ask: Ask, staff_id: UUID, *, module: str, answers: Mapping[str, int], on: date) -> Answer:
        """Answer a module's drawn questions -> {"passed", "right", "of", "level", "level_sd"}.

        Raises NoSuchModule, AnswersIncomplete, StaffUnknown, StaffAlreadyLeft.
        """

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            state, taken = staff.replay(loaded[0]), [one for one in loaded[0] if isinstance(one, TrainingSat)]
            events = training.sit(state, taken, stamp, name=module, answers=answers, on=on)
            return Decided([events], _told(events[0], len(answers)))

        request: Answer = {"do": "sit_training", "of": staff_id, "module": module, "answers": dict(answers), "on": on}
        return self.records.change(ask, request, [Target(staff_id, StreamClass.STAFF)], decide)

    def own_guidance(self) -> Own:
        """What this school added and retired."""
        return guidance_local.replay(fact.event for fact in self.records.log.load(self._guidance_stream).facts)

    def guidance(self) -> Guidance:
        """What this school offers: the library with its own additions, without what it retired."""
        return guidance_local.merged(guidance.load(), self.own_guidance())

    def add_guidance(self, ask: Ask, *, kind: Kind, factor: str, pole: Pole | None, entry: Entry) -> Answer:
        """Add an entry of the school's own. Raises GuidanceTaken, GuidanceTooThin."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            own = guidance_local.replay(loaded[0])
            made = guidance_local.add(guidance.load(), own, stamp, kind=kind, factor=factor, pole=pole, entry=entry)
            return Decided([made], {"entry_id": entry.id})

        said = entry.model_dump(mode="json")
        request: Answer = {"do": "add_guidance", "kind": kind, "factor": factor, "pole": pole, "entry": _sorted(said)}
        return self.records.change(ask, request, [self._target], decide)

    def retire_guidance(self, ask: Ask, entry_id: str, *, why: str = "") -> Answer:
        """Stop offering an entry. Raises NoSuchGuidance, GuidanceTooThin."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            own = guidance_local.replay(loaded[0])
            made = guidance_local.retire(guidance.load(), own, stamp, entry_id=entry_id, why=why)
            return Decided([made], {"entry_id": entry_id})

        request: Answer = {"do": "retire_guidance", "entry_id": entry_id, "why": why}
        return self.records.change(ask, request, [self._target], decide)

    def review_guidance(self, ask: Ask, entry_id: str, *, reviewer: str, happened_on: date) -> Answer:
        """Put on record who reviewed an entry and when. Raises NoSuchGuidance, GuidanceWrong, ValidationError."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            own = guidance_local.replay(loaded[0])
            made = guidance_local.review(
                guidance.load(), own, stamp, entry_id=entry_id, reviewer=reviewer, happened_on=happened_on
            )
            return Decided([made], {"entry_id": entry_id})

        request: Answer = {"do": "review_guidance", "entry_id": entry_id, "by": reviewer, "on": happened_on}
        return self.records.change(ask, request, [self._target], decide)

    def open_group_plan(
        self,
        ask: Ask,
        plan: Mapping[str, Any],
        pupils: Sequence[UUID],
        flags: Mapping[UUID, tuple[UUID, ...]],
        group_plan_id: UUID,
        *,
        keep_words: bool = False,
    ) -> Answer:
        """One plan for several pupils, all or none. Raises GroupTooSmall and what opening a plan raises."""
        made = support.for_group(plan, pupils, flags, group_plan_id)

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            opened = [PlanOpened(**stamp.fresh(), **fields) for fields in made.values()]
            events = [
                decisions.open_plan(state.replay(facts), one, keep_words=keep_words)
                for facts, one in zip(loaded, opened, strict=True)
            ]
            return Decided(events, {"group_plan_id": str(group_plan_id), "pupils": [str(one) for one in made]})

        answers = {str(one): list(flags.get(one, ())) for one in made}
        request: Answer = {"do": "open_group_plan", "id": group_plan_id, "plan": dict(plan), "flags": answers}
        return self.records.change(ask, request, [self.records.journey_of(one) for one in made], decide)

    def record_report(self, ask: Ask, *, since: date, until: date, sha256: str) -> Answer:
        """Put on record that a report was given out. Raises ReportDatesWrong."""

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            return Decided([reporting.make(stamp, since=since, until=until, sha256=sha256)], {"sha256": sha256})

        request: Answer = {"do": "record_report", "since": since, "until": until, "sha256": sha256}
        target = Target(uuid5(self.records.school_id, REPORTS), StreamClass.SCHOOL)
        return self.records.change(ask, request, [target], decide)

    def reports_made(self) -> list[ReportMade]:
        """The reports that were given out, oldest first."""
        facts = self.records.log.load(uuid5(self.records.school_id, REPORTS)).facts
        return [fact.event for fact in facts if isinstance(fact.event, ReportMade)]

    @property
    def _guidance_stream(self) -> UUID:
        return uuid5(self.records.school_id, GUIDANCE)

    @property
    def _target(self) -> Target:
        return Target(self._guidance_stream, StreamClass.SCHOOL)


def _sorted(said: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(one) if isinstance(one, list) else one for name, one in said.items()}


def _told(sat: Event, of: int) -> Answer:
    assert isinstance(sat, TrainingSat)
    return {"passed": sat.passed, "right": sat.right, "of": of, "level": sat.level, "level_sd": sat.level_sd}
