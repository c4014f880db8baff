"""From a verified file to what a school appends: which facts are new here, and the proof of all of them kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from astrack.handover.entries import entries_of
from domain import identity
from domain.base import DomainError, Event, Stamp, UnreadableFact, decode
from domain.identity import Identity, Person, SchoolName
from domain.journey import custody, supplement
from domain.journey.facts import FactImported, RecordReceived, SupplementPrepared, SupplementReceived, TransferPrepared
from domain.journey.state import Custody, Journey, replay
from domain.safeguarding import SafeguardingFilePrepared, SafeguardingFileReceived
from transfer import evidence, package
from transfer.errors import BadFile, BadStory, Conflict
from transfer.evidence import Unit, chain
from transfer.package import Package
from transfer.story import Line, StreamOf, Threads

OWN_SIGNATURES = 2
DIFFERING = ("surname", "forename", "date_of_birth", "upn", "sex")
HELD_ELSEWHERE = "held in this school's own stream"


class RecordHeldHere(DomainError):
    """The pupil whose record came is here already."""


class TransferUnanswered(DomainError):
    """The record is still on its way from here to another school."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the file that is not withheld: what it says, and where in the sender's log it stands."""

    index: int
    line: Line
    event: Event


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a file brings, read but not yet judged against what is here."""

    found: Package
    told: tuple[Told, ...]
    person: Person | None
    schools: tuple[SchoolName, ...]
    supplements: UUID | None = None
    """The transfer of the record that these late facts follow; None where the file brings the record itself."""
    follows: UUID | None = None
    """The transfer of the record that this safeguarding file follows; None for every other file."""


def arrival(found: Package) -> Arrival:
    """The facts and the identity in a file. Raises BadStory, BadFile."""
    unit = found.proved[found.manifest.sources[0].unit].unit
    told = []
    for index, line in zip(unit.indexes, found.lines, strict=True):
        if line.payload is not None:
            told.append(Told(index, line, _event(line.payload)))
    released = next((one.event for one in told if _releases(one.event, found.manifest.transfer_id)), None)
    if released is None:
        raise BadStory("it does not say that the record was released with this file", "events.jsonl")
    person, schools = _identity(found.members.get(package.IDENTITY))
    if isinstance(released, SafeguardingFilePrepared) != (found.manifest.kind == "safeguarding"):
        raise BadStory("what it holds is not of the kind that it says", "events.jsonl")
    late = released.supplements if isinstance(released, SupplementPrepared) else None
    follows = released.follows if isinstance(released, SafeguardingFilePrepared) else None
    return Arrival(found, tuple(told), person, schools, late, follows)


def _event(payload: bytes) -> Event:
    try:
        return decode(chain.innermost(payload)[1])
    except UnreadableFact as error:
        raise BadStory(str(error), "events.jsonl") from error


def _releases(event: Event, transfer_id: UUID) -> bool:
    return (
        isinstance(event, (TransferPrepared, SupplementPrepared, SafeguardingFilePrepared))
        and event.transfer_id == transfer_id
    )


def _identity(data: bytes | None) -> tuple[Person | None, tuple[SchoolName, ...]]:
    if data is None:
        return None, ()
    try:
        raw = json.loads(data)
        person = Person.model_validate(raw["person"]) if raw["person"] is not None else None
        return person, tuple(SchoolName.model_validate(one) for one in raw["schools"][:1000])
    except (ValidationError, KeyError, TypeError) as error:
        raise BadFile("it does not say who the pupil is in the prescribed form", package.IDENTITY) from error


def fresh(arrived: Arrival, here: Sequence[Event]) -> list[Told]:
    """The facts that are not here yet, recognised by event id. Raises Conflict when one came back different."""
    known = {event.event_id: event for event in here}
    new = []
    for one in arrived.told:
        held = known.get(one.event.event_id)
        if held is None:
            new.append(one)
        elif held != one.event:
            raise Conflict("a fact that is held here came back with other contents", f"fact {one.event.event_id}")
    return new


def check_custody(here: Sequence[Event], joining: bool) -> None:
    """A record that is held here is not taken over. Raises RecordHeldHere, TransferUnanswered."""
    standing = replay(here).custody
    if standing is Custody.FROZEN:
        raise TransferUnanswered(
            "this pupil's record is on its way from here to another school: take in the receipt or withdraw it first"
        )
    if standing is Custody.HELD and not joining:
        raise RecordHeldHere(
            "this pupil is here already and their record is held here: nothing was taken in; ask the sender why"
        )


def imports(arrived: Arrival, here: Sequence[Event], new: Sequence[Told], stamp: Stamp) -> list[Event]:
    """The facts that are new here, each in its envelope, and then that the record was received.

    Raises AlreadyEnrolled, RecordNotHere, RecordFrozen.
    """
    made = arrived.found.manifest
    head = stamp.fresh
    wrapped: list[Event] = [_wrapped(head(), made.sender.origin, one) for one in new]
    if arrived.supplements is not None:
        return [*wrapped, *_supplemented(arrived, here, new, head())]
    whole = (*here, *(one.event for one in new))
    after: Journey = replay(event for event in whole if isinstance(event, custody.DECIDING))
    received = RecordReceived(
        **head(), transfer_id=made.transfer_id, manifest_sha256=arrived.found.manifest_sha256, facts=len(new),
        from_school_id=UUID(made.sender.school_id) if made.sender.school_id else None,
        witnessed=all(len(one.signed_at) > OWN_SIGNATURES for one in arrived.found.proved.values()),
    )  # fmt: skip
    return [*wrapped, *custody.receive_record(after, received)]


def _supplemented(arrived: Arrival, here: Sequence[Event], new: Sequence[Told], head: dict[str, Any]) -> list[Event]:
    """That late facts were received. Raises RecordNotHere, RecordFrozen."""
    made, before = arrived.found.manifest, replay(event for event in here if isinstance(event, custody.DECIDING))
    assert arrived.supplements is not None
    received = SupplementReceived(
        **head, transfer_id=made.transfer_id, manifest_sha256=arrived.found.manifest_sha256, facts=len(new),
        from_school_id=UUID(made.sender.school_id) if made.sender.school_id else None,
        held=before.custody is Custody.HELD,
    )  # fmt: skip
    return supplement.receive_supplement(before, arrived.supplements, received)


def of_the_dsl(arrived: Arrival, new: Sequence[Told], stamp: Stamp) -> list[Event]:
    """What a safeguarding file brings that is new here, each in its envelope, and then that it was received."""
    made = arrived.found.manifest
    wrapped: list[Event] = [_wrapped(stamp.fresh(), made.sender.origin, one) for one in new]
    received = SafeguardingFileReceived(
        **stamp.fresh(), transfer_id=made.transfer_id, manifest_sha256=arrived.found.manifest_sha256, facts=len(new),
        from_school_id=UUID(made.sender.school_id) if made.sender.school_id else None,
    )  # fmt: skip
    return [*wrapped, received]


def _wrapped(head: dict[str, Any], origin: str, one: Told) -> FactImported:
    line = one.line
    assert line.payload is not None and line.salt is not None
    head |= chain.envelope(origin, one.index, line.entry, line.salt, line.payload)
    # the validator itself: a model's own way to it costs more than the check
    made: FactImported = FactImported.__pydantic_validator__.validate_python(head)
    return made


def identity_facts(arrived: Arrival, here: Identity, stamp: Stamp) -> list[Event]:
    """Who the pupil is and which schools the story speaks of, where that is not on record yet."""
    events: list[Event] = []
    for school in arrived.schools:
        events += identity.name_school(here, stamp, school)
    if arrived.person is not None and arrived.supplements is None:
        events += identity.record(here, stamp, arrived.person)
    return events


def differing(here: Person | None, came: Person | None) -> list[str]:
    """The fields in which a file states otherwise than this school who the pupil is; what one leaves open is none."""
    if here is None or came is None:
        return []
    stated = ((name, getattr(here, name), getattr(came, name)) for name in DIFFERING)
    return [name for name, ours, theirs in stated if ours and theirs and ours != theirs]


def units_after(arrived: Arrival, kept: Iterable[Unit], before: Threads, after: Threads, own: StreamOf) -> list[Unit]:
    """The evidence to keep: of each stream the unit that shows most, completed by what is in no envelope here.

    ``before`` and ``after`` are all entries in envelopes of the stream here without and with the new facts; ``own`` is
    that stream, which needs no evidence of its own. Raises BadChain when two units contradict each other.
    """
    best: dict[StreamOf, tuple[Unit, tuple[bytes, ...]]] = {}
    for unit, entries in _candidates(arrived, kept, before):
        stream = (unit.origin, unit.stream)
        if stream == own:
            continue
        if stream not in best or evidence.later(*best[stream], unit, entries):
            best[stream] = (unit, entries)
    return [_completed(unit, entries, after) for unit, entries in best.values()]


def _candidates(arrived: Arrival, kept: Iterable[Unit], before: Threads) -> Iterable[tuple[Unit, tuple[bytes, ...]]]:
    for unit in kept:
        yield unit, entries_of(unit, before)
    for proved in arrived.found.proved.values():
        yield proved.unit, proved.entries


def _completed(unit: Unit, entries: Sequence[bytes], reachable: Threads) -> Unit:
    held = reachable.found.get((unit.origin, unit.stream), {})
    others = tuple(
        Line(entry, omitted=HELD_ELSEWHERE)
        for index, entry in zip(unit.indexes, entries, strict=True)
        if index not in held
    )
    return replace(unit, others=others)


def envelopes(payloads: Iterable[bytes], new: Sequence[Told], origin: str) -> Threads:
    """Every entry in an envelope: of the imports that are here, and of the new facts once they are."""
    threads = Threads()
    for payload in payloads:
        for one in chain.nested(payload):
            threads.put(one.origin, one.index, one.entry)
    for told in new:
        threads.add(origin, told.index, told.line.entry, told.line.payload)
    return threads
