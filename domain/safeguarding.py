"""Dated hand-offs to the DSL (designated safeguarding lead): a reference to the school's own system, no narrative."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass

Reference = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._/-]+$")]


class HandOffUnknown(DomainError):
    """The hand-off named is not on this record, or was taken up already."""


class HandOffMade(Event):
    """A member of staff handed a concern to the DSL in the school's own system, and says where it is kept there."""

    TOPIC: ClassVar[str] = "safeguarding.hand-off-made.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SAFEGUARDING
    hand_off_id: UUID
    happened_on: date
    reference: Reference


class HandOffAcknowledged(Event):
    """The DSL has taken up a hand-off."""

    TOPIC: ClassVar[str] = "safeguarding.hand-off-acknowledged.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SAFEGUARDING
    hand_off_id: UUID


def open_hand_offs(events: Iterable[Event]) -> dict[UUID, HandOffMade]:
    """The hand-offs nobody has taken up, oldest first."""
    waiting: dict[UUID, HandOffMade] = {}
    for event in events:
        if isinstance(event, HandOffMade):
            waiting[event.hand_off_id] = event
        elif isinstance(event, HandOffAcknowledged):
            waiting.pop(event.hand_off_id, None)
    return waiting


def hand_off(events: Iterable[Event], stamp: Stamp, *, hand_off_id: UUID, on: date, reference: str) -> list[Event]:
    """Hand a concern to the DSL; the same one twice is one."""
    if any(isinstance(event, HandOffMade) and event.hand_off_id == hand_off_id for event in events):
        return []
    return [HandOffMade(**stamp.fresh(), hand_off_id=hand_off_id, happened_on=on, reference=reference)]


def acknowledge(events: Iterable[Event], stamp: Stamp, *, hand_off_id: UUID) -> list[Event]:
    """Take up a hand-off. Raises HandOffUnknown."""
    if hand_off_id not in open_hand_offs(events):
        raise HandOffUnknown("this hand-off is not waiting: it was taken up already, or is not on this record")
    return [HandOffAcknowledged(**stamp.fresh(), hand_off_id=hand_off_id)]
