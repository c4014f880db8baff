"""The log as it was: at a position, at an instant, and by the day things happened."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from astrack.store import Change, SchoolLog
from domain.base import Actor, Event, StreamClass
from domain.journey.facts import FactCorrected

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")
ONE, TWO = UUID(int=1), UUID(int=2)


class WalkTaken(Event):
    """A walk was taken (for these tests)."""

    TOPIC: ClassVar[str] = "test.walk-taken.v1"
    happened_on: date
    name: str


def walk(name: str, days: int, happened: int) -> WalkTaken:
    at = AT + timedelta(days=days)
    on = (AT + timedelta(days=happened)).date()
    return WalkTaken(event_id=uuid4(), recorded_at=at, by=ACTOR, happened_on=on, name=name)


@pytest.fixture
def log(school_log: SchoolLog) -> SchoolLog:
    """a: day 0; b, of the other stream: day 1; c: recorded on day 3, happened on day 0; d: day 4; then a is corrected."""
    first = walk("a", 0, 0)
    correction = FactCorrected(
        event_id=uuid4(), recorded_at=AT + timedelta(days=5), by=ACTOR, corrects=first.event_id,
        changes={"name": "A"}, why="misheard",
    )  # fmt: skip
    put(school_log, ONE, -1, first)
    put(school_log, TWO, -1, walk("b", 1, 1))
    put(school_log, ONE, 0, walk("c", 3, 0))
    put(school_log, ONE, 1, walk("d", 4, 4))
    put(school_log, ONE, 2, correction)
    return school_log


def put(log: SchoolLog, stream: UUID, expected: int, event: Event) -> None:
    log.append([Change(stream, StreamClass.JOURNEY, expected, (event,))], idempotency=None)


def names(facts: object) -> str:
    return "".join(getattr(fact.event, "name", "*") for fact in facts)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("position", "one", "two", "all_of_it"), [
    (0, "", "", ""), (1, "a", "", "a"), (2, "a", "b", "ab"), (3, "ac", "b", "abc"), (5, "acd*", "b", "abcd*"),
])  # fmt: skip
def test_as_of_a_position(log: SchoolLog, position: int, one: str, two: str, all_of_it: str) -> None:
    assert names(log.load(ONE, position).facts) == one and log.load(ONE, position).version == len(one) - 1
    assert [names(stream.facts) for stream in log.load_many([TWO, ONE], position)] == [two, one]
    assert names(log.page(-1, 10, position)) == all_of_it == names(log.page(-1, 10))[:position]
    assert [row.position for row in log.rows(-1, 10, position)] == list(range(position))


@pytest.mark.parametrize(("days", "seen"), [(-1, ""), (0, "a"), (2, "ab"), (3, "abc"), (9, "abcd*")])
def test_as_of_an_instant(log: SchoolLog, days: int, seen: str) -> None:
    assert names(log.page(-1, 10, log.position_at(AT + timedelta(days=days)))) == seen


@pytest.mark.parametrize(("day", "known", "school", "one"), [
    (0, 5, "ac*", "ac*"),  # what is known today of the first day
    (0, 1, "a", "a"),  # what was known of it on the day itself
    (1, 4, "abc", "ac"), (4, 5, "abcd*", "acd*"), (-1, 2, "", ""),
])  # fmt: skip
def test_by_the_day_it_happened(log: SchoolLog, day: int, known: int, school: str, one: str) -> None:
    on = (AT + timedelta(days=day)).date()
    assert names(log.happened_by(on, known)) == school
    assert names(log.happened_by(on, known, ONE)) == one


def test_a_stream_as_it_was_has_the_leaf_it_had(log: SchoolLog) -> None:
    assert log.load(ONE, 3).leaf == log.leaves()[2] and log.load(ONE, 0).leaf == bytes(32)
