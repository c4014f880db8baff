"""A correction can itself be corrected, and of two the later has the word."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from domain.base import Actor, Event
from domain.journey import facts as f
from domain.journey.state import corrected

AT = datetime(2026, 9, 2, tzinfo=UTC)


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
