"""A correction can itself be corrected, and of two the later has the word."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.base import Actor, Event, Stamp
from domain.journey import decisions
from domain.journey import facts as f
from domain.journey.refusals import NotCorrectable
from domain.journey.state import Journey, corrected, replay

AT = datetime(2026, 9, 2, tzinfo=UTC)
STAMP = Stamp(AT, Actor(id=UUID(int=7), role="dsl"), uuid4)


def head() -> dict[str, Any]:
    return {"event_id": uuid4(), "recorded_at": AT, "by": Actor(id=UUID(int=7), role="tutor")}


def left(day: int) -> f.PupilLeft:
    return f.PupilLeft(**head(), happened_on=date(2026, 9, day))


def correction(of: Event, **changes: Any) -> f.FactCorrected:
    return f.FactCorrected(**head(), corrects=of.event_id, changes=changes, why="a slip")


def day_of(events: list[Event]) -> int:
    first = corrected(events)[0]
    assert isinstance(first, f.PupilLeft)
    return first.happened_on.day


def test_of_two_corrections_the_later_has_the_word() -> None:
    fact = left(1)
    assert day_of([fact, correction(fact, happened_on="2026-09-02"), correction(fact, happened_on="2026-09-03")]) == 3


def test_a_corrected_correction_is_applied_as_it_reads_now() -> None:
    fact = left(1)
    first = correction(fact, happened_on="2026-09-02")
    assert day_of([fact, first, correction(first, changes={"happened_on": "2026-09-09"})]) == 9


def test_an_early_correction_corrected_late_still_comes_before_the_second_one() -> None:
    fact = left(1)
    first = correction(fact, happened_on="2026-09-02")
    second = correction(fact, happened_on="2026-09-03")
    assert day_of([fact, first, second, correction(first, changes={"happened_on": "2026-09-09"})]) == 3


def recorded(*events: Event) -> Journey:
    begun = f.PupilEnrolled(**head(), school_id=UUID(int=1), happened_on=date(2026, 9, 1), year_group=5)
    return replay([begun, *events])


@pytest.mark.parametrize(
    "wrong",
    [{"happened_on": "some day"}, {"by": {"id": str(UUID(int=8)), "role": "head"}}, {"event_id": str(UUID(int=9))}, {}],
    ids=["a value it cannot have", "who recorded it", "its id", "nothing"],
)
def test_a_correction_is_not_corrected_into_what_could_not_be_said_at_first(wrong: dict[str, Any]) -> None:
    fact = left(1)
    first = correction(fact, happened_on="2026-09-02")
    second = correction(first, changes={"happened_on": "2026-09-03"})
    journey = recorded(fact, first, second)
    for of, changes in ((first, {"changes": wrong}), (second, {"changes": {"changes": wrong}})):
        with pytest.raises(NotCorrectable):
            decisions.correct(journey, STAMP, corrects=of.event_id, changes=changes, why="no")


def test_a_correction_is_corrected_into_what_could_be_said_at_first() -> None:
    fact = left(1)
    first = correction(fact, happened_on="2026-09-02")
    changes = {"changes": {"happened_on": "2026-09-09"}}
    (made,) = decisions.correct(recorded(fact, first), STAMP, corrects=first.event_id, changes=changes, why="no")
    assert day_of([fact, first, made]) == 9
