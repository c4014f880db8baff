"""What is the DSL's (designated safeguarding lead's): dated hand-offs with a reference to the school's own system, and
outcomes as codes that only they say. No narrative.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass

Reference = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._/-]+$")]


class OutcomeUnknown(DomainError):
    """The outcome named is not on this record, or was taken back already."""


class HandOffUnknown(DomainError):
    """The hand-off named is not on this record, or was taken up already."""


class NothingToHandOver(DomainError):
    """Nothing is on record of this pupil that goes from DSL to DSL."""


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


class OutcomeKnown(Event):
    """What later came to pass for a pupil, as a code that only the DSL (designated safeguarding lead) says and sees.

    It counts for how right flags have been as any other outcome does, and stays out of what travels with the story.
    """

    TOPIC: ClassVar[str] = "safeguarding.outcome-known.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SAFEGUARDING
    outcome_id: UUID
    happened_on: date
    code: Literal["self_harm"]


class OutcomeTakenBack(Event):
    """An outcome was recorded by the DSL in error: which, and why."""

    TOPIC: ClassVar[str] = "safeguarding.outcome-taken-back.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SAFEGUARDING
    outcome_id: UUID
    why: Annotated[str, Field(min_length=1, max_length=200)]


class SafeguardingFilePrepared(Event):
    """What is the DSL's of a pupil was made ready, as a file of its own, for the DSL of the school it went to."""

    TOPIC: ClassVar[str] = "safeguarding.file-prepared.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SAFEGUARDING
    transfer_id: UUID
    follows: UUID
    not_after: date


class SafeguardingFileConfirmed(Event):
    """The other school's DSL confirmed that they have the safeguarding file."""

    TOPIC: ClassVar[str] = "safeguarding.file-confirmed.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SAFEGUARDING
    transfer_id: UUID
    receipt_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SafeguardingFileReceived(Event):
    """A safeguarding file came from another school's DSL, verified: the facts before this one are not this school's."""

    TOPIC: ClassVar[str] = "safeguarding.file-received.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SAFEGUARDING
    transfer_id: UUID
    manifest_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    from_school_id: UUID | None
    facts: int


def prepare_file(events: Iterable[Event], prepared: SafeguardingFilePrepared) -> list[Event]:
    """Make what is the DSL's ready for the next one. Raises NothingToHandOver."""
    told = list(events)
    if not any(isinstance(one, HandOffMade) for one in told) and not standing_outcomes(told):
        raise NothingToHandOver("there is nothing here that goes from DSL to DSL: tell the other DSL so by telephone")
    return [prepared]


def confirm_file(events: Iterable[Event], stamp: Stamp, *, transfer_id: UUID, receipt_sha256: str) -> list[Event]:
    """The receipt for a safeguarding file came; the same twice is one."""
    if any(isinstance(one, SafeguardingFileConfirmed) and one.transfer_id == transfer_id for one in events):
        return []
    return [SafeguardingFileConfirmed(**stamp.fresh(), transfer_id=transfer_id, receipt_sha256=receipt_sha256)]


def standing_outcomes(events: Iterable[Event]) -> dict[UUID, OutcomeKnown]:
    """The outcomes that have not been taken back, in order of the record."""
    known: dict[UUID, OutcomeKnown] = {}
    for event in events:
        if isinstance(event, OutcomeKnown):
            known[event.outcome_id] = event
        elif isinstance(event, OutcomeTakenBack):
            known.pop(event.outcome_id, None)
    return known


def know_outcome(events: Iterable[Event], known: OutcomeKnown) -> list[Event]:
    """Say what came to pass; the same twice is one, and so is one that was taken back since."""
    return (
        [] if any(isinstance(one, OutcomeKnown) and one.outcome_id == known.outcome_id for one in events) else [known]
    )


def take_back_outcome(events: Iterable[Event], stamp: Stamp, *, outcome_id: UUID, why: str) -> list[Event]:
    """Say that an outcome was recorded in error. Raises OutcomeUnknown."""
    if outcome_id not in standing_outcomes(events):
        raise OutcomeUnknown("this outcome is not on record, or was taken back already: open the pupil's page again")
    return [OutcomeTakenBack(**stamp.fresh(), outcome_id=outcome_id, why=why)]


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
