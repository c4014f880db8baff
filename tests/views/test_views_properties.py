"""For any legal history and any page size: rebuilt equals live, twice is once, and rows say what replay says."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as chosen
from hypothesis import strategies as st

from astrack.settings import Settings
from astrack.store import Change, PupilStreams, SchoolLog, Store
from astrack.store.embedded import Embedded
from astrack.views import Views
from domain.base import Actor, DomainError, Event, Kind, Opaque, Stamp, StreamClass, encode
from domain.identity import Person, record
from domain.identity import replay as identity_of
from domain.journey import custody
from domain.journey import decisions as d
from domain.journey import facts as f
from domain.journey.decisions import CORRECTABLE, Finding
from domain.journey.state import Journey, replay
from domain.risk import makes_work
from domain.round import RoundClosed, RoundOpened
from domain.school import ExportMade
from domain.scope import Scope
from projections import ALL, pupils, risk_register, timeline
from transfer.evidence.chain import ZERO, commitment, entry

OPENED = datetime(2026, 9, 1, 8, tzinfo=UTC)
BY = Actor(id=UUID(int=7), role="tutor")
GROUPS = [f.Group(dimension="house", name=name) for name in ("Red", "Blue=ish", "Gr\x00een")]
EVERYONE = Scope(everyone=True)


class PartErased(Event):
    """A stream was erased (for these tests)."""

    TOPIC: ClassVar[str] = "test.part-erased.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    KIND: ClassVar[Kind] = "erasure"


class History:
    """A school's log, written by legal decisions alone; what is refused leaves nothing."""

    def __init__(self, log: SchoolLog) -> None:
        self.log = log
        self.at = OPENED
        self.pupils = [PupilStreams(uuid4(), uuid4(), uuid4(), uuid4()) for _ in range(3)]
        self.erased: set[UUID] = set()
        self.rounds: list[UUID] = []
        self.school_version = -1
        log.append((), idempotency=None, new_pupils=self.pupils)

    def stamp(self) -> Stamp:
        self.at += timedelta(hours=7)
        return Stamp(self.at, BY, uuid4)

    def day(self) -> date:
        return self.at.date()

    def events(self, stream: UUID) -> list[Event]:
        return [fact.event for fact in self.log.load(stream).facts]

    def do(self, step: tuple[int, int, int]) -> None:
        verb, who, how = step
        pupil = self.pupils[who % len(self.pupils)]
        if pupil.journey_id in self.erased:
            return
        journey = replay(self.events(pupil.journey_id))
        try:
            events = VERBS[verb % len(VERBS)](self, pupil, journey, how)
        except (DomainError, StopIteration, ZeroDivisionError):
            return
        self.save(pupil.journey_id, StreamClass.JOURNEY, events, pupil.pupil_id)

    def save(self, stream: UUID, name: StreamClass, events: Sequence[Event], pupil_id: UUID | None = None) -> None:
        if events and stream not in self.erased:
            version = self.log.load(stream).version
            self.log.append([Change(stream, name, version, tuple(events), pupil_id)], idempotency=None)


def enrol(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    person = Person(surname=f"Sur\x00name{how}", forename="Ada", date_of_birth=date(2015, 1, 1), upn=f"A{how:012}")
    identity = identity_of(h.events(pupil.identity_id))
    h.save(pupil.identity_id, StreamClass.IDENTITY, record(identity, h.stamp(), person), pupil.pupil_id)
    return d.enrol(journey, h.stamp(), school_id=h.log.school_id, on=h.day(), year_group=4 + how % 9, age_months=100,
                   groups=[GROUPS[how % 3]])  # fmt: skip


def regroup(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    return d.regroup(journey, h.stamp(), on=h.day(), year_group=4 + how % 9, groups=GROUPS[: how % 4])


def leave(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    return d.leave(journey, h.stamp(), on=h.day()) if how % 4 == 0 else []


def sit(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    values: Any = [float((how * (n + 3)) % 50) / 10 for n in range(7)] + [None]
    sat = f.AssessmentSat(
        **h.stamp().fresh(), sitting_id=uuid4(), round_id=h.rounds[-1] if h.rounds else None, happened_on=h.day(),
        instrument="astrack-demo", instrument_version=1, instrument_digest="0" * 64, answers={"one": 3, "t}wo": 4},
        seconds={"one": 1.5}, values=values, errors=[1.0] * 8, usable=how % 5 != 0, year_group=how % 9,
    )  # fmt: skip
    after = d.sit(journey, sat)
    kinds = ("priority", "polar", "composite_x", "unsettled")
    seen = [Finding(kinds[how % 4], "trust_of_self", "school", "low", (how % 10) / 10, "a reason", (sat.event_id,))]
    return [sat, *d.flag(after, h.stamp(), seen[: how % 3], "1" * 64)]


def not_today(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    return [f.NotTodaySaid(**h.stamp().fresh(), round_id=h.rounds[how % len(h.rounds)])]


def review(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    judgements: list[Any] = ["new_to_us", "already_known", "not_what_we_see"]
    flags = list(journey.flags)
    return d.review_flag(journey, h.stamp(), flag_id=flags[how % len(flags)], judgement=judgements[how % 3])


def talk(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    if how % 3 == 0 or not journey.talks:
        return d.ask_to_talk(journey, h.stamp(), talk_id=uuid4())
    talk_id = list(journey.talks)[-1]
    if how % 3 == 1:
        return d.take_up_talk(journey, h.stamp(), talk_id=talk_id)
    return d.escalate_talk(journey, h.stamp(), talk_id=talk_id, to_role="dsl")


def plan(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    plans = [key for key, one in journey.plans.items() if one.came is None]
    if how % 4 == 0 or not plans:
        opened = f.PlanOpened(
            **h.stamp().fresh(), plan_id=uuid4(), kind="support", goal="speaks \\ up\t\n", causes=("c",), risks=("r",),
            signposts=("s",), owner_id=BY.id, start_on=h.day(), end_on=h.day() + timedelta(weeks=1 + how % 12),
        )  # fmt: skip
        return d.open_plan(journey, opened)
    which = plans[how % len(plans)]
    if how % 4 == 1:
        return d.monitor_plan(journey, h.stamp(), plan_id=which, going="well", note="n")
    if how % 4 == 2:
        return d.review_plan(journey, h.stamp(), plan_id=which, end_on=h.day() + timedelta(weeks=5))
    return d.close_plan(journey, h.stamp(), plan_id=which, came="helped" if how % 8 < 4 else "did_not_help")


WRONG: dict[str, Callable[[int], Any]] = {
    "happened_on": lambda how: f"2026-09-{1 + how % 28:02}",
    "year_group": lambda how: how % 10,
    "usable": lambda how: how % 2 == 0,
    "judgement": lambda how: ["new_to_us", "already_known", "not_what_we_see"][how % 3],
    "goal": lambda how: f"goal {how}",
    "end_on": lambda how: f"2026-12-{1 + how % 28:02}",
    "came": lambda how: ["helped", "stopped_early"][how % 2],
    "going": lambda how: ["well", "not_yet"][how % 2],
    "code": lambda how: "attendance",
    "groups": lambda how: [{"dimension": "house", "name": "Red"}],
}


def correct(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    able = [e for e in journey.events.values() if type(e) in CORRECTABLE]
    wrong = able[how % len(able)]
    if isinstance(wrong, f.FactCorrected):
        first = next(iter(wrong.changes))
        changes = {"changes": {first: WRONG[first](how + 1)}} if first in WRONG else {"why": f"again {how}"}
    else:
        name = next(name for name in WRONG if name in CORRECTABLE[type(wrong)])
        changes = {name: WRONG[name](how)}
    return d.correct(journey, h.stamp(), corrects=wrong.event_id, changes=changes, why="a slip")


def move(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    if journey.transfer is None:
        return custody.prepare_transfer(journey, f.TransferPrepared(
            **h.stamp().fresh(), transfer_id=uuid4(), accepted_on=h.day(), start_on=h.day(), lawful_basis="public_task"))  # fmt: skip
    which = journey.transfer.transfer_id
    if how % 3 == 0:
        export = ExportMade(**h.stamp().fresh(), transfer_id=which, kind="school", manifest_sha256="2" * 64)
        h.save(h.log.school_id, StreamClass.SCHOOL, [export])
        return []
    if how % 3 == 1:
        return custody.withdraw_transfer(journey, h.stamp(), transfer_id=which)
    return custody.release_custody(journey, h.stamp(), transfer_id=which, receipt_sha256="3" * 64)


def receive(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    """A record comes in: facts of another school, some of them corrected there, and perhaps our own come back."""
    if journey.enrolled is not None and journey.custody.value != "released":
        return []
    at = h.stamp()
    there = f.PupilEnrolled(**at.fresh(), school_id=uuid4(), happened_on=h.day(), year_group=5, groups=())
    slip = f.FactCorrected(**at.fresh(), corrects=there.event_id, changes={"year_group": 6}, why="there")
    own = [e for e in h.events(pupil.journey_id) if not isinstance(e, Opaque)][: how % 4]
    stamp = h.stamp()
    wrapped = [_wrapped(stamp, n, event) for n, event in enumerate([*own, there, slip])]
    came = f.RecordReceived(
        **stamp.fresh(), transfer_id=uuid4(), manifest_sha256="4" * 64, from_school_id=None, facts=2
    )
    return [*wrapped, came]


def _wrapped(stamp: Stamp, index: int, event: Event) -> f.FactImported:
    payload, salt = encode(event), bytes(32)
    line = entry("event", b"there", index, ZERO if index == 0 else b"p" * 32, commitment(salt, payload))
    texts = [base64.b64encode(part).decode() for part in (line, salt, payload)]
    return f.FactImported(**stamp.fresh(), origin="there.example", index=index, entry=texts[0], salt=texts[1],
                          payload=texts[2])  # fmt: skip


def opt(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    act = d.end_opt_out if journey.opted_out else d.opt_out
    return act(journey, h.stamp(), asked_by="parent", on=h.day())


def strange(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    return [Opaque(**h.stamp().fresh(), topic="journey.of-tomorrow.v9", data={"x": "\x00"})]


def school(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    if h.rounds and how % 2:
        closed = RoundClosed(**h.stamp().fresh(), round_id=h.rounds[-1], expected=3, sat=1)
        h.save(h.log.school_id, StreamClass.SCHOOL, [closed])
        return []
    h.rounds.append(uuid4())
    opened = RoundOpened(**h.stamp().fresh(), round_id=h.rounds[-1], name=f"R{how}", opens_on=h.day(),
                         closes_on=h.day(), year_groups=(5, 6), instrument="astrack-demo", instrument_version=1)  # fmt: skip
    h.save(h.log.school_id, StreamClass.SCHOOL, [opened])
    return []


def erase(h: History, pupil: PupilStreams, journey: Journey, how: int) -> list[Event]:
    if how % 6:
        return []
    # a journey goes last: it takes the pupil off the list
    streams = [pupil.identity_id] if how % 12 else [pupil.identity_id, pupil.journey_id]
    for stream in streams:
        if stream not in h.erased and h.log.load(stream).version >= 0:
            h.log.erase_stream(stream, PartErased(**h.stamp().fresh()))
            h.erased.add(stream)
    return []


VERBS = [enrol, sit, sit, not_today, review, plan, plan, correct, correct, regroup, talk, leave, move, receive, opt, strange,
         school, erase, enrol]  # fmt: skip
Steps = st.lists(st.tuples(st.integers(0, len(VERBS) - 1), st.integers(0, 2), st.integers(0, 200)), min_size=1,
                 max_size=40)  # fmt: skip
LEGAL = chosen(max_examples=30, deadline=None, derandomize=True,
                 suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip


def written(
    store: Store, steps: Sequence[tuple[int, int, int]], between: Callable[[UUID], None] | None = None
) -> History:
    school_id = uuid4()
    store.create_school(school_id, OPENED)
    history = History(store.log(school_id))
    for step in [(0, 0, 0), (0, 1, 3), *steps]:
        history.do(step)
        if between:
            between(school_id)
    return history


def dump(views: Views, school_id: UUID) -> dict[str, list[str]]:
    """Every row of every read model of a school, as text in an order of its own."""
    with views.reading(school_id) as cur:
        made = {}
        for one in ALL:
            cur.execute(f"SELECT to_jsonb(t) FROM {one.table} t".encode())
            made[one.name] = sorted(json.dumps(row, sort_keys=True) for (row,) in cur)
        cur.execute("SELECT to_jsonb(b) FROM views.behind b")
        made["behind"] = sorted(json.dumps(row, sort_keys=True) for (row,) in cur)
        return made


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[Store]:
    """A store of its own in a database that does not wait for the disk: these histories may be lost."""
    own = replace(settings, database="views_properties")
    with Store.open(own):
        with psycopg.connect(Embedded(own.home).conninfo("postgres", "postgres"), autocommit=True) as conn:
            conn.execute("ALTER DATABASE views_properties SET synchronous_commit = off")
        with Store.open(own) as opened:
            yield opened


@pytest.fixture(scope="module")
def views(store: Store) -> Views:
    return Views(store)


@LEGAL
@given(steps=Steps, page=st.integers(1, 30))
def test_rebuilt_equals_live_for_any_legal_history_and_page_size(
    store: Store, views: Views, steps: list[tuple[int, int, int]], page: int
) -> None:
    history = written(store, steps)
    school_id = history.log.school_id
    while views.advance(school_id, page):
        pass
    views.catch_up(school_id)
    live = dump(views, school_id)
    views.rebuild([school_id])
    assert dump(views, school_id) == live
    assert live["behind"] == []


# fewer: it catches up forty times a history, which is most of the time this file takes
@chosen(LEGAL, max_examples=12)
@given(steps=Steps)
def test_caught_up_after_each_step_equals_caught_up_at_the_end(
    store: Store, views: Views, steps: list[tuple[int, int, int]]
) -> None:
    history = written(store, steps, between=views.catch_up)
    school_id = history.log.school_id
    live = dump(views, school_id)
    for one in ALL:  # each alone: then only the fields that it reads are read
        views.rebuild([school_id], [one.name])
    assert dump(views, school_id) == live


@LEGAL
@given(steps=Steps, back=st.integers(0, 40))
def test_applying_a_page_twice_changes_nothing(
    store: Store, views: Views, steps: list[tuple[int, int, int]], back: int
) -> None:
    history = written(store, steps)
    school_id = history.log.school_id
    views.catch_up(school_id)
    once = dump(views, school_id)
    with history.log.views() as conn:
        conn.execute("UPDATE views.positions SET position = greatest(-1, position - %s)", (back,))
    views.catch_up(school_id)
    assert dump(views, school_id) == once


@LEGAL
@given(steps=Steps)
def test_rows_say_what_replay_says(store: Store, views: Views, steps: list[tuple[int, int, int]]) -> None:
    history = written(store, steps)
    school_id = history.log.school_id
    views.catch_up(school_id)
    with views.reading(school_id) as cur:
        for pupil in history.pupils:
            journey = replay(history.events(pupil.journey_id))
            if journey.enrolled is None:
                continue
            row = pupils.found(cur, school_id, [pupil.pupil_id])[pupil.pupil_id]
            assert (row.year_group, row.left_on) == (journey.year_group, journey.left_on)
            assert row.on_roll == (journey.left_on is None and journey.custody is not custody.Custody.RELEASED)
            assert (row.custody, row.opted_out) == (journey.custody.value, journey.opted_out)
            standing = risk_register.standing(cur, school_id, pupil.pupil_id)
            flags = {str(key): one.judgement for key, one in journey.flags.items() if not one.eased}
            rows = {key: one["judgement"] for key, one in standing.risk.flags.items()} if standing else {}
            assert rows == flags
            news = [one for one in journey.flags.values() if not one.eased and one.judgement is None]
            assert (standing.risk.unreviewed if standing else 0) == sum(makes_work(one.raised.kind) for one in news)
            told = {line.row.event_id for line in timeline.story(cur, school_id, pupil.pupil_id, limit=5000)}
            assert told == {event.event_id for event in history.events(pupil.journey_id)}
