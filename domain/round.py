"""An assessment round: a window in which pupils of some year groups sit one instrument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass


class RoundDatesWrong(DomainError):
    """A round closes after it opens, within one academic year."""


class RoundUnknown(DomainError):
    """There is no such round."""


class RoundAlreadyClosed(DomainError):
    """The round has been closed."""


class RoundNotOpenYet(DomainError):
    """The round's first day is still to come."""


class RoundOpened(Event):
    """A round was opened: from when to when, for which year groups, with which instrument."""

    TOPIC: ClassVar[str] = "round.opened.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    round_id: UUID
    name: Annotated[str, Field(max_length=80)]
    opens_on: date
    closes_on: date
    year_groups: tuple[int, ...]
    instrument: str
    instrument_version: int


class RoundClosed(Event):
    """A round ended; so many were expected, so many sat, and so many others had said "not today" (None: not told)."""

    TOPIC: ClassVar[str] = "round.closed.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    round_id: UUID
    expected: int
    sat: int
    not_today: int | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What a round's facts add up to."""

    opened: RoundOpened | None = None
    closed: bool = False


def replay(events: Iterable[Event]) -> Round:
    """The round after these facts."""
    state = Round()
    for event in events:
        if isinstance(event, RoundOpened):
            state = replace(state, opened=event)
        elif isinstance(event, RoundClosed):
            state = replace(state, closed=True)
    return state


def open_round(state: Round, opened: RoundOpened) -> list[Event]:
    """Open a round; the same one twice is one. Raises RoundDatesWrong."""
    if not opened.opens_on <= opened.closes_on:
        raise RoundDatesWrong(f"the round {opened.name} would close before it opens: choose a later closing day")
    return [opened] if state.opened is None else []


def close_round(state: Round, stamp: Stamp, *, expected: int, sat: int, not_today: int | None = None) -> list[Event]:
    """Close a round. Raises RoundUnknown, RoundAlreadyClosed."""
    opened = _known(state)
    return [RoundClosed(**stamp.fresh(), round_id=opened.round_id, expected=expected, sat=sat, not_today=not_today)]


def check_sittable(state: Round, on: date) -> RoundOpened:
    """The round, if a pupil may sit it on this day. Raises RoundUnknown, RoundAlreadyClosed, RoundNotOpenYet."""
    opened = _known(state)
    if on < opened.opens_on:
        raise RoundNotOpenYet(f"the round {opened.name} opens on {opened.opens_on}: come back then")
    if on > opened.closes_on:
        raise RoundAlreadyClosed(f"the round {opened.name} closed on {opened.closes_on}: ask for a later round")
    return opened


def _known(state: Round) -> RoundOpened:
    if state.opened is None:
        raise RoundUnknown("there is no such round: open one first")
    if state.closed:
        raise RoundAlreadyClosed(f"the round {state.opened.name} has been closed: open a new one")
    return state.opened
