"""A small made-up school for tests of pages and for screenshots: a tutor group with some years of story."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from astrack.access.credentials import Credentials
from astrack.app import App
from astrack.changing import Ask, Decided
from astrack.records import Records, admission_targets
from astrack.store import PupilStreams, Store
from domain import instrument
from domain.base import Actor, Event, Stamp
from domain.identity import Identity, Person, SchoolName, name_school, record
from domain.journey import facts as f
from domain.journey.decisions import enrol
from domain.journey.facts import Group
from domain.journey.state import Journey
from domain.review import Load
from domain.scope import Scope
from domain.staff import StaffRole

ROUND_DAYS = ((10, 9), (2, 6), (6, 12))
NAMES = [
    one.split("/")
    for one in [
        "Mia/Okafor",
        "Tom/Hughes",
        "Aisha/Rahman",
        "Ewan/Castell",
        "Lowri/Rees",
        "Kofi/Osei",
        "Priya/Patel",
        "Sam/Whitlock",
        "Nadia/Haddad",
        "Leo/Rossi",
        "Carys/Bevan",
        "Omar/Farah",
        "Freya/Lindqvist",
        "Isaac/Mbeki",
        "Seren/Vaughan",
        "Rafi/Khalil",
        "Beatrix/Doyle",
        "Hamza/Ahmed",
        "Ivy/Lacey",
        "Marcus/Conteh",
        "Zofia/Nowak",
        "Theo/Marsh",
        "Uma/Sharma",
        "Finn/Nolan",
    ]
]
FEW = 8
NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)


class Clock:
    """A clock that stands where it is put and never goes back."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def to(self, day: date, hour: int = 10) -> None:
        self.at = max(self.at, datetime.combine(day, time(hour), UTC))


@dataclass
class SmallSchool:
    """What tests need of it. ``staff`` by role, ``pupils`` by first name; ``open_round`` is open at ``NOW``."""

    app: App
    clock: Clock
    records: Records
    staff: dict[str, UUID] = field(default_factory=dict)
    pupils: dict[str, UUID] = field(default_factory=dict)
    open_round: UUID = field(default_factory=uuid4)
    other: SchoolName | None = None
    busy: bool = False

    @property
    def school_id(self) -> UUID:
        return self.records.school_id

    def ask(self, role: str = "administrator") -> Ask:
        return Ask(Actor(id=self.staff.get(role) or uuid4(), role=role), uuid4().hex)

    def add_staff(self, role: StaffRole, scope: Scope, name: str) -> UUID:
        staff_id = self.app.new_id()
        self.records.add_staff(self.ask("lead_practitioner"), staff_id=staff_id, name=name)
        self.records.record_training(
            self.ask("lead_practitioner"), staff_id, module="first-steps", on=self.clock().date(), skill=None
        )
        self.records.grant_role(
            self.ask("lead_practitioner"), staff_id, grant_id=self.app.new_id(), role=role, scope=scope
        )
        self.staff[role] = staff_id
        return staff_id

    def code_of(self, credentials: Credentials, who: str) -> str:
        """What somebody types to sign in: the words of a pupil, a letter to Mia's verified parent, a code of staff."""
        if who in self.pupils:
            return credentials.card(self.pupils[who])
        if who == "family":
            return credentials.letter(self.parent_of("Mia"), self.pupils["Mia"])
        return credentials.code(self.staff[who])

    def parent_of(self, name: str) -> UUID:
        """A verified parent of a pupil, stated once."""
        known = self.records.family(self.pupils[name]).relations
        if not known:
            today = self.clock().date()
            relation_id = self.app.new_id()
            self.records.record_relation(
                self.ask("administrator"), self.pupils[name], relation_id=relation_id, name="Ada Okafor",
                kind="natural_parent", from_on=today, verified_on=today, proof="birth certificate",
            )  # fmt: skip
            return relation_id
        return next(iter(known))


def build(
    store: Store,
    settings: object,
    *,
    pupils: int = FEW,
    years: int = 3,
    with_past: bool = True,
    busy: bool = False,
    load: Load | None = None,
) -> SmallSchool:
    """A school whose tutor group 10B has sat ``years`` years of rounds; Mia was at a primary school before."""
    clock = Clock(datetime(2016, 9, 1, 7, tzinfo=UTC))
    app = App(settings, store, clock)  # type: ignore[arg-type]
    school_id = uuid4()
    records = app.create_school(school_id)
    small = SmallSchool(app, clock, records, busy=busy)
    name = SchoolName(school_id=school_id, name="Riverside Secondary School", lea="330", estab="4205")
    records.register_school(small.ask(), name)
    if load:
        records.set_review_load(small.ask(), load)
    _staff(small)
    chance = random.Random(7)
    if with_past:
        _past(small, name, 2025 - years + 1, chance)
    first = 2025 - years + 1
    clock.to(date(first, 9, 3))
    for forename, surname in NAMES[0 if not with_past else 1 : pupils]:
        _admit(small, forename, surname, first)
    if with_past:
        _moves_up(small, name, first)
    _rounds(small, first, chance)
    _plans(small)
    clock.to(NOW.date())
    return small


OF_ALL: tuple[tuple[StaffRole, str], ...] = (
    ("dsl", "Ana Silva"),
    ("lead_practitioner", "Lee Nolan"),
    ("head", "Ruth Clarke"),
    ("administrator", "Ned Usman"),
    ("dpo", "Kay Gill"),
    ("auditor", "Pat Lacey"),
)
"""Who works for the whole school, by role."""


def _staff(small: SmallSchool) -> None:
    group = Scope(dimensions={"tutor group": frozenset({"10B"})})
    everyone = Scope(everyone=True)
    small.add_staff("tutor", group, "Jo Barlow")
    small.add_staff("head_of_year", Scope(dimensions={"year": frozenset({"10"})}), "Sam Marsh")
    for role, who in OF_ALL:
        small.add_staff(role, everyone, who)


def _admit(small: SmallSchool, forename: str, surname: str, autumn: int) -> None:
    person = Person(surname=surname, forename=forename, date_of_birth=date(2011, 3, 4 + len(small.pupils)))
    year = 10 - (2025 - autumn)
    answer = small.records.admit(
        small.ask(),
        person,
        on=date(autumn, 9, 3),
        year_group=year,
        groups=(Group(dimension="tutor group", name="10B"),),
    )
    small.pupils[forename] = UUID(answer["pupil_id"])


def _past(small: SmallSchool, here: SchoolName, until: int, chance: random.Random) -> None:
    """Mia's primary years, as if they had come with a sealed file."""
    other = SchoolName(school_id=uuid4(), name="Ashcombe Primary School")
    small.clock.to(date(2019, 9, 3))
    person = Person(surname="Okafor", forename="Mia", date_of_birth=date(2011, 3, 3))
    new = PupilStreams(*(small.app.new_id() for _ in range(4)))
    pupil = small.pupils["Mia"] = new.pupil_id

    def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
        began = enrol(Journey(), stamp, school_id=other.school_id, on=date(2019, 9, 3), year_group=4, age_months=102)
        stated = record(Identity(), stamp, person)
        named = [one for school in (other, here) for one in name_school(Identity(), stamp, school)]
        return Decided([began, [*stated, *named]], {}, (new,))

    small.records.change(small.ask(), {"past": str(pupil)}, admission_targets(new), decide)
    small.other = other
    for autumn in range(2019, until):
        for month, day in ROUND_DAYS:
            on = date(autumn + (month < 9), month, day)
            small.clock.to(on)
            _sit(small, "Mia", None, on, chance)
            if small.busy:
                _support(small, on)


def _moves_up(small: SmallSchool, here: SchoolName, autumn: int) -> None:
    pupil, other = small.pupils["Mia"], small.other
    assert other

    def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
        received = f.RecordReceived(
            **stamp.fresh(), transfer_id=uuid4(), manifest_sha256="ab" * 32, from_school_id=other.school_id, facts=14
        )
        left = f.PupilLeft(**stamp.fresh(), happened_on=date(autumn, 7, 20))
        joined = f.PupilEnrolled(
            **stamp.fresh(), school_id=here.school_id, happened_on=date(autumn, 9, 3), year_group=10 - (2025 - autumn),
            age_months=150, groups=(Group(dimension="tutor group", name="10B"),),
        )  # fmt: skip
        return Decided([[left, received, joined]])

    small.records.change(small.ask("dsl"), {"move": str(pupil)}, [small.records.journey_of(pupil)], decide)


def _rounds(small: SmallSchool, first: int, chance: random.Random) -> None:
    for autumn in range(first, 2026):
        if autumn > first:
            _next_year(small, autumn)
        for number, (month, day) in enumerate(ROUND_DAYS, start=1):
            on = date(autumn + (month < 9), month, day)
            if on >= NOW.date():
                break
            _round(small, autumn, number, on, chance)
        small.clock.to(date(autumn + 1, 7, 1) if autumn < 2025 else date(2026, 2, 20))
    small.clock.to(date(2026, 3, 16))
    small.records.open_round(
        small.ask(), round_id=small.open_round, name="Spring 2026", opens_on=date(2026, 3, 16), closes_on=date(2026, 4, 3),
        year_groups=(10,),
    )  # fmt: skip


def _next_year(small: SmallSchool, autumn: int) -> None:
    small.clock.to(date(autumn, 9, 2))
    for pupil in small.pupils.values():
        small.records.regroup(
            small.ask(), pupil, on=date(autumn, 9, 2), year_group=10 - (2025 - autumn),
            groups=(Group(dimension="tutor group", name="10B"),),
        )  # fmt: skip


def _round(small: SmallSchool, autumn: int, number: int, on: date, chance: random.Random) -> None:
    small.clock.to(on - timedelta(days=3))
    round_id = uuid4()
    small.records.open_round(
        small.ask(), round_id=round_id, name=f"Round {number} of {autumn}", opens_on=on - timedelta(days=3),
        closes_on=on + timedelta(days=11), year_groups=(10,),
    )  # fmt: skip
    small.clock.to(on)
    for name in small.pupils:
        if chance.random() > 0.06 or name == "Mia":
            _sit(small, name, round_id, on, chance)
    if small.busy and on < date(2026, 1, 1):
        _support(small, on)


CAME: tuple[f.Came, ...] = ("helped", "helped_partly", "helped", "did_not_help")
JUDGED: tuple[f.Judgement, ...] = ("new_to_us", "already_known", "new_to_us", "not_what_we_see")


def _support(small: SmallSchool, on: date) -> None:
    """What staff of a busy school do ten days after a round: end last round's plans, review signs, begin new plans."""
    small.clock.to(on + timedelta(days=10))
    for name, pupil in small.pupils.items():
        journey, _ = small.records.journey(pupil)
        for number, (plan_id, plan) in enumerate(journey.plans.items()):
            if plan.came is None:
                came = CAME[(number + len(name) + on.month) % len(CAME)]
                small.records.close_plan(small.ask("tutor"), pupil, plan_id=plan_id, came=came)
        for flag_id, flag in journey.flags.items():
            if flag.judgement is None and not flag.eased:
                judgement = JUDGED[(len(name) + on.month) % len(JUDGED)]
                small.records.review_flag(small.ask("tutor"), pupil, flag_id=flag_id, judgement=judgement)
                raised = flag.raised
                running = any(one.came is None for one in small.records.journey(pupil)[0].plans.values())
                if raised.factor and raised.pole and judgement != "not_what_we_see" and not running:
                    open_plan(
                        small, name, raised.factor, raised.context or "general", PLAN_GOALS[raised.factor], raised.pole
                    )


PLAN_GOALS = {
    "self_disclosure": "Chooses what to tell, and to whom",
    "trust_of_self": "Decides small things without asking",
    "trust_of_others": "Relies on one person here",
    "seeking_change": "Finishes what was begun",
}


def _sit(small: SmallSchool, name: str, round_id: UUID | None, on: date, chance: random.Random) -> None:
    one = instrument.newest()
    level = _levels(name, on)
    answers = {}
    for item in one.items:
        wish = level(item.factor, item.context) + chance.gauss(0, 0.7)
        answers[item.id] = min(6, max(1, round(wish if item.keyed > 0 else 7 - wish)))
    seconds = {item.id: 2.5 + chance.random() * 6 for item in one.items}
    small.records.hand_in(
        small.ask("pupil"), small.pupils[name], sitting_id=small.app.new_id(), round_id=round_id, on=on, answers=answers,
        seconds=seconds,
    )  # fmt: skip


def _levels(name: str, on: date) -> Callable[[str, str], float]:
    base = random.Random(name)
    home = {
        (factor, context): base.gauss(3.5, 0.45) for factor in instrument.FACTORS for context in instrument.CONTEXTS
    }

    def level(factor: str, context: str) -> float:
        value = home[(factor, context)]
        if name == "Mia" and (factor, context) == ("self_disclosure", "school"):
            return value - (2.9 if on >= date(2025, 1, 1) else 0.6 if on >= date(2024, 9, 1) else 0)
        if name == "Mia" and factor == "seeking_change" and date(2020, 9, 1) <= on < date(2021, 9, 1):
            return value + 1.7
        if name == "Kofi" and factor in ("trust_of_others", "self_disclosure") and on >= date(2025, 9, 1):
            return value - 2.4
        if name == "Omar" and factor == "seeking_change" and on >= date(2024, 1, 1):
            return value + (2.0 if on < date(2026, 1, 1) else 0.9)
        if name == "Ivy" and (factor, context) == ("trust_of_self", "school") and on >= date(2025, 9, 1):
            return value - 2.2
        if name == "Theo" and factor == "trust_of_others" and on >= date(2024, 9, 1):
            return value + 2.2
        if name == "Lowri" and factor == "trust_of_self":
            return value - (2.2 if on < date(2025, 9, 1) else 0.4)
        return value

    return level


def _plans(small: SmallSchool) -> None:
    small.clock.to(date(2026, 2, 23))
    for name, factor, context, goal in (
        ("Mia", "self_disclosure", "school", "Has one adult in school to tell things to"),
        ("Lowri", "trust_of_self", "general", "Decides small things without asking"),
    ):
        if name in small.pupils:
            open_plan(small, name, factor, context, goal)


def open_plan(small: SmallSchool, name: str, factor: str, context: str, goal: str, pole: str = "low") -> UUID:
    """A plan of six weeks from today."""
    from domain import guidance

    fit = guidance.load().suggest(factor, pole, context, "14-18")
    plan_id, today = small.app.new_id(), small.clock().date()
    plan = {
        "plan_id": plan_id, "kind": "individual", "goal": goal, "factor": factor, "context": context, "pole": pole,
        "causes": (fit.causes[0].id,), "risks": (fit.risks[0].id,), "signposts": (fit.signposts[0].id, fit.signposts[1].id),
        "owner_id": small.staff["tutor"], "start_on": today, "end_on": today + timedelta(weeks=6),
        "guidance_digest": guidance.load().digest,
    }  # fmt: skip
    small.records.open_plan(small.ask("tutor"), small.pupils[name], plan=plan)
    return plan_id


def raise_sign(small: SmallSchool, pupil_id: UUID, *, seen: bool = False, **fields: str | None) -> UUID:
    """An early sign put on record by hand; ``seen``: somebody has reviewed it as new to us."""
    flag_id = small.app.new_id()

    def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
        known: dict[str, Any] = {"flag_id": flag_id, "probability": 0.8, "model_digest": "ab" * 32, **fields}
        sign = f.FlagRaised(**stamp.fresh(), **known)
        review = [f.FlagReviewed(**stamp.fresh(), flag_id=flag_id, judgement="new_to_us")] if seen else []
        return Decided([[sign, *review]])

    small.records.change(small.ask(), {"sign": str(flag_id)}, [small.records.journey_of(pupil_id)], decide)
    return flag_id
