"""The loop behind every command: once per key, decided again on a clash, nothing half-written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack import ids
from astrack.changing import BadKey, ClockSetBack
from astrack.records import Ask, NoSuchPupil, Records
from astrack.store import KeyReused, Store
from astrack.store.fsck import check_store
from domain import instrument
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey import facts, refusals
from domain.journey.state import Custody

START = datetime(2026, 9, 7, 9, tzinfo=UTC)
DAY = START.date()
OFFICE = Actor(id=UUID(int=3), role="administrator")
PERSON = Person(surname="Hartley", forename="Mabli", date_of_birth=date(2017, 11, 3))


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(store: Store, clock: Clock) -> Records:
    school_id = uuid4()
    store.create_school(school_id, START - timedelta(days=1))
    return Records(store.log(school_id), clock, ids.maker(clock))


def ask(key: str | None = None) -> Ask:
    return Ask(OFFICE, key or uuid4().hex)


def admitted(records: Records) -> UUID:
    return UUID(records.admit(ask(), PERSON, on=DAY, year_group=4)["pupil_id"])


def test_a_pupil_is_admitted_with_journey_and_identity_in_one_go(records: Records) -> None:
    pupil_id = admitted(records)
    journey, story = records.journey(pupil_id)
    assert journey.custody is Custody.HELD and journey.year_group == 4
    assert journey.age_months_on(DAY) == 8 * 12 + 10
    assert [type(fact.event) for fact in story] == [facts.PupilEnrolled]
    assert records.identity(pupil_id).person == PERSON
    assert records.log.size() == 2 and list(check_store(records.log)) == []


def test_the_journey_holds_no_name_number_or_birth_date(records: Records) -> None:
    _, story = records.journey(admitted(records))
    text = "".join(fact.event.model_dump_json() for fact in story)
    assert "Hartley" not in text and "Mabli" not in text and "2017-11-03" not in text


def test_repeating_a_key_gives_the_first_answer_and_writes_nothing(records: Records) -> None:
    once = records.admit(ask("k"), PERSON, on=DAY, year_group=4)
    size = records.log.size()
    assert records.admit(ask("k"), PERSON, on=DAY, year_group=4) == once
    assert records.log.size() == size and len(records.log.pupils(10)) == 1


def test_a_repeat_is_answered_even_when_it_would_now_be_refused(records: Records) -> None:
    pupil_id = admitted(records)
    once = records.leave(ask("left"), pupil_id, on=DAY)
    records.return_to_roll(ask(), pupil_id, on=DAY, year_group=4)
    assert records.leave(ask("left"), pupil_id, on=DAY) == once
    assert records.journey(pupil_id)[0].left_on is None


def test_the_same_key_for_another_request_is_refused(records: Records) -> None:
    pupil_id = admitted(records)
    records.leave(ask("k"), pupil_id, on=DAY)
    with pytest.raises(KeyReused):
        records.leave(ask("k"), pupil_id, on=DAY + timedelta(days=1))


def test_the_same_sitting_with_other_answer_times_is_another_request(records: Records) -> None:
    pupil_id, newest = admitted(records), instrument.newest()
    answers = {item.id: 2 + number % 3 for number, item in enumerate(newest.items)}
    sat: dict[str, Any] = {"sitting_id": uuid4(), "round_id": None, "on": DAY, "answers": answers}
    slow, fast = (dict.fromkeys(answers, seconds) for seconds in (5.0, 0.2))
    once = records.hand_in(ask("k"), pupil_id, **sat, seconds=slow)
    assert records.hand_in(ask("k"), pupil_id, **sat, seconds=slow) == once
    with pytest.raises(KeyReused):
        records.hand_in(ask("k"), pupil_id, **sat, seconds=fast)


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_has_a_sensible_length(records: Records, key: str) -> None:
    with pytest.raises(BadKey):
        records.admit(Ask(OFFICE, key), PERSON, on=DAY, year_group=4)


def test_a_refused_command_leaves_nothing(records: Records) -> None:
    pupil_id = admitted(records)
    size = records.log.size()
    with pytest.raises(refusals.NoSuchPlan):
        records.close_plan(ask("k"), pupil_id, plan_id=uuid4(), came="helped")
    assert records.log.size() == size
    records.leave(ask("k"), pupil_id, on=DAY)  # the key was not used up


def test_a_pupil_of_no_record_here_is_named_so(records: Records) -> None:
    with pytest.raises(NoSuchPupil):
        records.leave(ask(), uuid4(), on=DAY)


def test_two_who_decide_at_once_are_decided_one_after_the_other(records: Records) -> None:
    pupil_id = admitted(records)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: records.leave(ask(), pupil_id, on=DAY), range(8)))
    assert sum(len(answer["events"]) for answer in answers) == 1
    assert records.log.size() == 3


def test_a_clock_a_little_behind_is_helped_and_one_set_back_is_refused(records: Records, clock: Clock) -> None:
    pupil_id = admitted(records)
    clock.now -= timedelta(seconds=30)
    records.leave(ask(), pupil_id, on=DAY)
    clock.now -= timedelta(days=1)
    with pytest.raises(ClockSetBack, match="set the clock"):
        records.return_to_roll(ask(), pupil_id, on=DAY, year_group=5)
    assert list(check_store(records.log)) == []


def test_a_school_is_registered_and_says_so_once(records: Records) -> None:
    name = SchoolName(school_id=records.school_id, name="Northfield Brook", urn="900101")
    records.register_school(ask(), name)
    records.register_school(ask(), name)
    registered = records.school_state().registered
    assert registered is not None and registered.school == name and records.log.size() == 1


def test_a_hand_off_is_kept_apart_from_the_journey(records: Records) -> None:
    pupil_id, hand_off = admitted(records), uuid4()
    records.hand_off(ask(), pupil_id, hand_off_id=hand_off, on=DAY, reference="CP/1")
    _, story = records.journey(pupil_id)
    assert len(story) == 1
    records.acknowledge_hand_off(ask(), pupil_id, hand_off_id=hand_off)
    assert records.log.size() == 4
