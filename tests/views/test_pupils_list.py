"""Who is on a school's list: its own pupils, and whoever it has received."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from domain.base import Actor, Event, Fact
from domain.journey import facts as f
from domain.journey.state import replay
from projections import pupils

AT = datetime(2026, 9, 14, 8, tzinfo=UTC)
ON = date(2026, 9, 14)
PUPIL = uuid4()


def made(cls: type[Event], **fields: Any) -> Event:
    head = {"event_id": uuid4(), "recorded_at": AT, "by": Actor(id=UUID(int=7), role="dsl")}
    return cls(**head, **fields)


def row_after(*steps: tuple[Event, str]) -> pupils.Row:
    row: pupils.Row | None = None
    for position, (event, origin) in enumerate(steps):
        if type(event) in pupils.TAKES:
            row = pupils.evolve(row, Fact(position, PUPIL, PUPIL, position, AT, event, origin))
    assert row is not None
    journey = replay(event for event, _ in steps)
    assert (row.left_on, row.custody) == (journey.left_on, journey.custody.value)
    return row


def enrolled(year: int) -> Event:
    return made(f.PupilEnrolled, school_id=uuid4(), happened_on=ON, year_group=year)


def record_of(school: str) -> list[tuple[Event, str]]:
    """What a sealed file brings from another school, and that it was received."""
    prepared = made(f.TransferPrepared, transfer_id=uuid4(), lawful_basis="public_task", accepted_on=ON, start_on=ON)
    brought = [enrolled(6), made(f.PupilLeft, happened_on=ON), prepared]
    received = made(f.RecordReceived, transfer_id=uuid4(), manifest_sha256="0" * 64, from_school_id=None, facts=3)
    return [*((event, school) for event in brought), (received, "")]


def test_a_received_pupil_is_on_the_list_before_any_roster_names_them() -> None:
    row = row_after(*record_of("ash.example/log"))
    assert (row.on_roll, row.custody, row.left_on, row.year_group) == (True, "held", None, 6)


def test_what_was_brought_alone_puts_nobody_on_the_list_who_has_left_there() -> None:
    assert not row_after(*record_of("ash.example/log")[:-1]).on_roll


def test_an_earlier_record_that_joins_a_pupil_of_ours_leaves_them_on_the_list() -> None:
    assert row_after((enrolled(7), ""), *record_of("ash.example/log")).on_roll


def test_a_received_pupil_who_leaves_is_off_the_list() -> None:
    assert not row_after(*record_of("ash.example/log"), (made(f.PupilLeft, happened_on=ON), "")).on_roll
