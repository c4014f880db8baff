"""The one loop behind every command: load, decide, save; again on a clash; a repeated key gets its first answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from astrack.store import (
    Also,
    Change,
    ClockBehind,
    Idempotency,
    PupilStreams,
    SchoolLog,
    StoreError,
    Stream,
    VersionClash,
)
from astrack.witnesses import Witnesses
from domain.base import Actor, DomainError, Event, Fact, Stamp, StreamClass
from domain.journey import outside
from domain.school import StreamErased

ATTEMPTS = 8
KEY_MAX = 200
SKEW_MAX = timedelta(minutes=2)
Answer = dict[str, Any]


NOT_HERE = "there is no record of that pupil here that you may see: look for them in the list of pupils"
"""One sentence for a pupil who is not here and for one the viewer may not see: nobody learns which it is."""


class NoSuchPupil(DomainError):
    """This school has no record of the pupil named."""


class BadKey(DomainError):
    """The idempotency key is not 1 to 200 characters."""


class RecordMoved(DomainError):
    """Somebody else has written to this record since you looked at it."""

    def __init__(self, said: str, news: Sequence[Fact] = ()) -> None:
        super().__init__(said)
        self.news = news


class TooBusy(StoreError):
    """Others kept writing to the same record first."""


class ClockSetBack(StoreError):
    """This computer's clock is behind the record."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks, and their key for this one request: repeating it gives the first answer, whatever happened since.

    ``expects``: the version of the command's first stream that the caller decided on, where they say so; ``shown``: how
    many entries the school's log had when they were shown what they decide on. Only what others wrote since counts.
    """

    by: Actor
    key: str
    expects: int | None = None
    shown: int | None = None

    def part(self, name: str) -> Ask:
        """The key of one part of a larger request."""
        whole = f"{self.key}/{name}"
        fits = len(whole) <= KEY_MAX
        return Ask(self.by, whole if fits else hashlib.sha256(whole.encode()).hexdigest(), shown=self.shown)


@dataclass(frozen=True, slots=True)
class Target:
    """A stream that a command reads or writes. ``pupil_id`` is given for a pupil's own streams.

    ``only``: the topics that the decision looks at, where it is not all of them; the others are not even opened.
    """

    stream_id: UUID
    stream_class: StreamClass
    pupil_id: UUID | None = None
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a command decided: new events for each of its targets (in their order) and the answer to its caller.

    ``also`` gives statements of the same transaction.
    """

    events: Sequence[Sequence[Event]]
    answer: Answer = field(default_factory=dict)
    new_pupils: tuple[PupilStreams, ...] = ()
    also: Also | None = None


Decide = Callable[[list[list[Event]], Stamp], Decided]


class Changing:
    """One school's log with a clock and a source of ids: what every command needs."""

    def __init__(
        self,
        log: SchoolLog,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        witnesses: Witnesses | None = None,
    ) -> None:
        self.log, self.clock, self.new_id = log, clock, new_id
        self.witnesses = witnesses or Witnesses(())
        self._streams: dict[UUID, PupilStreams] = {}

    @property
    def school_id(self) -> UUID:
        """Whose log this is."""
        return self.log.school_id

    def change(self, ask: Ask, request: Answer, targets: Sequence[Target], decide: Decide) -> Answer:
        """Load the targets, decide, append all or nothing, and keep the answer under the caller's key.

        ``request`` names the command and its arguments: its hash tells a repeat from another request.
        Raises whatever ``decide`` raises, KeyReused, BadKey, RecordMoved, TooBusy, ClockSetBack, StoreUnavailable.
        """
        if not 1 <= len(ask.key) <= KEY_MAX:
            raise BadKey("the idempotency key must have 1 to 200 characters: make a fresh random one for each request")
        digest = hashlib.sha256(_canonical(request)).digest()
        at = self.clock()
        for _ in range(ATTEMPTS):
            only = {one.stream_id: one.only for one in targets if one.only is not None}
            streams, kept = self.log.load_for([one.stream_id for one in targets], ask.by.id, ask.key, digest, only)
            if kept is not None:
                return _answer(kept)
            _check_unmoved(ask, streams)
            decided = decide([[fact.event for fact in one.facts] for one in streams], Stamp(at, ask.by, self.new_id))
            changes = _changes(targets, [one.version for one in streams], decided)
            idempotency = Idempotency(ask.by.id, ask.key, digest, _canonical(decided.answer))
            try:
                self.log.append(changes, idempotency=idempotency, new_pupils=decided.new_pupils, also=decided.also)
            except ClockBehind as behind:
                at = self._not_before(behind.previous)
            except VersionClash:
                at = self.clock()
            else:
                return decided.answer
        raise TooBusy("others kept writing to the same record: try again with the same key")

    def answered(self, ask: Ask, request: Answer) -> Answer | None:
        """The answer this request was given before, None when it is new. Raises KeyReused."""
        digest = hashlib.sha256(_canonical(request)).digest()
        kept = self.log.load_for((), ask.by.id, ask.key, digest)[1]
        return None if kept is None else _answer(kept)

    def _not_before(self, previous: datetime) -> datetime:
        now = self.clock()
        if previous - now > SKEW_MAX:
            raise ClockSetBack(f"this computer's clock says {now:%Y-%m-%d %H:%M} but the record is already at "
                               f"{previous:%Y-%m-%d %H:%M}: set the clock, then try again")  # fmt: skip
        return max(now, previous)

    def streams_of(self, pupil_id: UUID) -> PupilStreams:
        """The three streams of a pupil. Raises NoSuchPupil."""
        found = self._streams.get(pupil_id) or self.log.pupil(pupil_id)
        if found is None:
            raise NoSuchPupil(NOT_HERE)
        self._remember(found)
        return found

    def streams_of_many(self, pupil_ids: Sequence[UUID]) -> list[PupilStreams]:
        """The streams of these pupils in the order asked, without those who are not here."""
        for one in self.log.those([one for one in pupil_ids if one not in self._streams]):
            self._remember(one)
        return [self._streams[one] for one in pupil_ids if one in self._streams]

    def _remember(self, streams: PupilStreams) -> None:
        if len(self._streams) > 50_000:
            self._streams.clear()
        self._streams[streams.pupil_id] = streams

    def facts_of(self, pupil_id: UUID, stream: Stream) -> list[Fact]:
        """What was loaded of a pupil who is still here: another process may have erased them. Raises NoSuchPupil."""
        if stream.facts and isinstance(stream.facts[-1].event, StreamErased):
            self.forget(pupil_id)
            self.streams_of(pupil_id)
        return stream.facts

    def journey_of(self, pupil_id: UUID) -> Target:
        """The journey stream of a pupil as a target. Raises NoSuchPupil."""
        return Target(self.streams_of(pupil_id).journey_id, StreamClass.JOURNEY, pupil_id)

    def identity_of(self, pupil_id: UUID) -> Target:
        """The identity stream of a pupil as a target. Raises NoSuchPupil."""
        return Target(self.streams_of(pupil_id).identity_id, StreamClass.IDENTITY, pupil_id)

    def safeguarding_of(self, pupil_id: UUID) -> Target:
        """The safeguarding stream of a pupil as a target. Raises NoSuchPupil."""
        return Target(self.streams_of(pupil_id).safeguarding_id, StreamClass.SAFEGUARDING, pupil_id)

    def own(self) -> Target:
        """The school's own stream as a target."""
        return Target(self.school_id, StreamClass.SCHOOL)

    def forget(self, pupil_id: UUID) -> None:
        """Drop what is remembered of a pupil (after an erasure)."""
        self._streams.pop(pupil_id, None)


MOVED = "somebody else has written to this record since you looked: look again, then decide"


def _check_unmoved(ask: Ask, streams: Sequence[Stream]) -> None:
    if ask.expects is not None and ask.expects != (streams[0].version if streams else -1):
        raise RecordMoved(MOVED)
    if ask.shown is None:
        return
    later = [fact for one in streams for fact in one.facts if fact.position >= ask.shown]
    by_others = [fact for fact in later if fact.event.by.id != ask.by.id and fact.event.KIND != "heads"]
    if news := outside.seen_by(ask.by.role, by_others):
        raise RecordMoved(MOVED, news)


def _changes(targets: Sequence[Target], versions: Sequence[int], decided: Decided) -> list[Change]:
    return [
        Change(target.stream_id, target.stream_class, version, tuple(events), target.pupil_id)
        for target, version, events in zip(targets, versions, decided.events, strict=True)
        if events
    ]


def _canonical(value: Answer) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _answer(kept: bytes) -> Answer:
    answer: Answer = json.loads(kept)
    return answer
