"""The story itself: three years at primary school, a hand-over by sealed files, seven years at secondary school."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from astrack.app import App
from astrack.changing import Ask
from astrack.demo.cast import Pupil, answers, live_on
from astrack.demo.clock import StoryClock
from astrack.records import Records
from astrack.records.sitting import Sitting
from domain import instrument, risk
from domain.base import Actor
from domain.journey.facts import FlagRaised, Group
from domain.journey.state import Journey
from domain.school import Term

FACTORS = ("self_disclosure", "trust_of_self", "trust_of_others", "seeking_change")
CONTEXTS = ("general", "school")
ABSENT = 0.04
ROUND_STARTS = ((10, 3), (2, 1), (5, 15))
SIGNS_A_CLASS = 4
GOALS = {
    "self_disclosure": "tells one trusted adult one thing each week",
    "trust_of_self": "tries first and checks afterwards",
    "trust_of_others": "works with a partner of their choice twice a week",
    "seeking_change": "tries one new thing each week, with a friend",
}


@dataclass(slots=True)
class Stage:
    """Who is on stage: the service, its clock, chance, the staff, and how far the story has come."""

    app: App
    clock: StoryClock
    chance: np.random.Generator
    moved: Callable[[str, int], None]
    tutors: dict[str, Actor] = field(default_factory=dict)
    asked: int = 0
    waiting: set[UUID] = field(default_factory=set)
    """Pupils with a plan that runs or a sign that nobody has looked at."""

    def ask(self, by: Actor) -> Ask:
        """A fresh key of the story's own."""
        self.asked += 1
        return Ask(by, f"demo-{self.asked}")

    def tutor(self, group: str) -> Actor:
        """The tutor of a group."""
        return self.tutors.setdefault(group, Actor(id=self.app.new_id(), role="tutor"))

    def office(self) -> Actor:
        """The school office."""
        return self.tutors.setdefault("office", Actor(id=self.app.new_id(), role="administrator"))


def terms_of(year: int) -> tuple[Term, ...]:
    """The terms of the academic year that starts in ``year``, the same weeks every year."""
    edges = ((9, 3, 10, 21), (11, 1, 12, 17), (1, 5, 2, 12), (2, 22, 3, 28), (4, 15, 5, 27), (6, 5, 7, 21))
    return tuple(Term(first_on=_in_year(year, m1, d1), last_on=_in_year(year, m2, d2)) for m1, d1, m2, d2 in edges)


def _in_year(year: int, month: int, day: int) -> date:
    return date(year if month >= 9 else year + 1, month, day)


def round_days(year: int) -> list[date]:
    """The first days of the three rounds of an academic year."""
    return [_in_year(year, month, day) for month, day in ROUND_STARTS]


def open_a_round(stage: Stage, records: Records, name: str, first: date, years: Sequence[int]) -> UUID:
    """Open a round of two weeks."""
    stage.clock.go_to(first)
    round_id = stage.app.new_id()
    records.open_round(
        stage.ask(stage.office()), round_id=round_id, name=name, opens_on=first, closes_on=first + timedelta(days=14),
        year_groups=years,
    )  # fmt: skip
    return round_id


def sit_a_round(
    stage: Stage, records: Records, round_id: UUID, classes: dict[str, list[tuple[UUID, Pupil]]], name: str
) -> int:
    """Every class sits; signs are reviewed and plans are made. How many sat."""
    sat = expected = 0
    for group, members in sorted(classes.items()):
        stage.clock.go_to(stage.clock.today + timedelta(days=1))
        live_on([pupil for _, pupil in members], stage.chance)
        here = [one for one in members if stage.chance.random() > ABSENT]
        expected, sat = expected + len(members), sat + len(here)
        _hand_in(stage, records, round_id, here)
        _look_at_signs(stage, records, stage.tutor(group), here)
        stage.moved(f"{name}, class {group}", len(here))
    stage.clock.go_to(stage.clock.today + timedelta(days=1))
    records.close_round(stage.ask(stage.office()), round_id=round_id, expected=expected, sat=sat)
    records_catch_up(stage, records)
    return sat


def records_catch_up(stage: Stage, records: Records) -> None:
    """Bring the read models up to date, as a request would."""
    stage.app.views.catch_up(records.school_id)


def _hand_in(stage: Stage, records: Records, round_id: UUID, here: Sequence[tuple[UUID, Pupil]]) -> None:
    chosen = instrument.newest()
    sittings = []
    for pupil_id, pupil in here:
        given, seconds = answers(pupil, chosen, _place, stage.chance)
        sittings.append(Sitting(pupil_id, stage.app.new_id(), given, seconds))
    answer = records.hand_in_class(stage.ask(stage.office()), sittings, round_id=round_id, on=stage.clock.today)
    stage.waiting |= {UUID(one["pupil_id"]) for one in answer["flags"] if one["raised"]}


def _place(factor: str, context: str) -> int:
    return CONTEXTS.index(context) * 4 + FACTORS.index(factor)


def _look_at_signs(stage: Stage, records: Records, tutor: Actor, members: Sequence[tuple[UUID, Pupil]]) -> None:
    looked = 0
    for pupil_id, pupil in members:
        if pupil_id not in stage.waiting:
            continue
        journey, _ = records.journey(pupil_id)
        _end_plans(stage, records, tutor, pupil_id, pupil, journey)
        fresh = [one.raised for one in journey.waiting_flags() if risk.makes_work(one.raised.kind)]
        if fresh and looked < SIGNS_A_CLASS:
            looked += 1
            _review(stage, records, tutor, pupil_id, journey, fresh)
        elif all(plan.came is not None for plan in journey.plans.values()):
            stage.waiting.discard(pupil_id)


def _review(
    stage: Stage, records: Records, tutor: Actor, pupil_id: UUID, journey: Journey, fresh: Sequence[FlagRaised]
) -> None:
    seen = (
        "not_what_we_see"
        if stage.chance.random() < 0.15
        else "already_known"
        if stage.chance.random() < 0.3
        else "new_to_us"
    )
    for flag in fresh:
        records.review_flag(stage.ask(tutor), pupil_id, flag_id=flag.flag_id, judgement=seen)  # type: ignore[arg-type]
    running = any(plan.came is None for plan in journey.plans.values())
    if seen != "not_what_we_see" and not running and stage.chance.random() < 0.8:
        open_a_plan(stage, records, tutor, pupil_id, fresh)


def open_a_plan(stage: Stage, records: Records, tutor: Actor, pupil_id: UUID, flags: Sequence[FlagRaised]) -> UUID:
    """Open a plan of six weeks that answers these flags; note how it goes after two."""
    plan_id, factor = stage.app.new_id(), flags[0].factor or "self_disclosure"
    start = stage.clock.today + timedelta(days=2)
    plan = {
        "plan_id": plan_id, "kind": "individual", "goal": f"{GOALS[factor].capitalize()}", "factor": factor,
        "context": flags[0].context, "pole": flags[0].pole, "flags": tuple(one.flag_id for one in flags),
        "causes": ("a change in the friendship group",), "risks": ("joins in less",),
        "own_strategies": ("a weekly two-minute check-in at the same desk", "a job to do with one other pupil"),
        "owner_id": tutor.id, "start_on": start, "end_on": start + timedelta(weeks=6),
    }  # fmt: skip
    records.open_plan(stage.ask(tutor), pupil_id, plan=plan)
    going = "well" if stage.chance.random() < 0.6 else "as_planned"
    records.monitor_plan(stage.ask(tutor), pupil_id, plan_id=plan_id, going=going)  # type: ignore[arg-type]
    return plan_id


def _end_plans(stage: Stage, records: Records, tutor: Actor, pupil_id: UUID, pupil: Pupil, journey: Journey) -> None:
    for plan_id, plan in journey.plans.items():
        if plan.came is None and plan.end_on <= stage.clock.today:
            helped = stage.chance.random() < 0.65
            if helped:
                pupil.levels = 3.5 + 0.8 * (pupil.levels - 3.5)
            came = "helped" if helped else "did_not_help"
            records.close_plan(stage.ask(tutor), pupil_id, plan_id=plan_id, came=came)  # type: ignore[arg-type]


def groups_of(group: str) -> tuple[Group, ...]:
    """The groups of a pupil in the demo: the tutor group alone."""
    return (Group(dimension="tutor group", name=group),)
