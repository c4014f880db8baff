"""From changes to the statements and rows of one message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from astrack.store import mapper
from astrack.store.binary import AnswerRow, EventRow
from astrack.store.database import Statement
from astrack.store.keys import CLASSES, SCHOOL_CLASS, Key
from astrack.store.line import Parcel
from astrack.store.literals import Listed
from astrack.store.ring import Ring
from astrack.store.types import Change, Idempotency, PupilStreams, StreamErased
from domain.base import Opaque, StreamClass, encode

APPEND = "SELECT record.append(%s, %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::bytea[])"
APPEND_ONE = "EXECUTE append_one(%s, %s, %s, %s, %s, %s, %s)"
# under the school's newest key or not at all: the column takes no NULL
NEW_KEY = (
    "INSERT INTO keys.stream_keys SELECT %s, %s, %s, %s, (SELECT g.generation FROM keys.school_keys g"
    " WHERE g.school_id = %s AND g.generation = %s AND NOT EXISTS (SELECT FROM keys.school_keys n"
    " WHERE n.school_id = g.school_id AND n.generation > g.generation)), %s"
)
NEW_STREAM = "INSERT INTO record.streams VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
NEW_PUPIL = "INSERT INTO record.pupils VALUES (%s, %s, %s, %s, %s)"
NEW_ANSWER = "INSERT INTO record.answers VALUES (%s, %s, %s, %s, %s, %s)"
PUPIL_CLASSES = (StreamClass.JOURNEY, StreamClass.IDENTITY, StreamClass.SAFEGUARDING)
KeyOf = Callable[[UUID], Key]
Also = Callable[[KeyOf], Sequence[Statement]]
"""Further statements of an append, made once the keys of its streams are there."""


class Packing:
    """Makes the parcels of one school."""

    def __init__(self, school_id: UUID, ring: Ring) -> None:
        self._school, self._ring = school_id, ring

    def parcel(
        self,
        changes: Sequence[Change],
        idempotency: Idempotency | None,
        new_pupils: Sequence[PupilStreams],
        also: Also | None,
    ) -> Parcel:
        """One caller's parcel. Raises StreamErased, SchoolUnknown."""
        made: dict[UUID, Key] = {}
        statements = self.new_pupils(new_pupils, made)
        statements += self.new_streams(changes, made)
        if also is not None:
            statements += also(lambda stream: made.get(stream) or self._ring.newest(stream) or self._ring.own())
        answer = None if idempotency is None else self._answer(idempotency, changes, made)
        rows = [row for change in changes for row in self._rows(change, made)]
        return Parcel(self._school, statements, rows, made, answer)

    def new_pupils(self, pupils: Sequence[PupilStreams], made: dict[UUID, Key]) -> list[Statement]:
        """What adds pupils with their streams and keys."""
        statements: list[Statement] = []
        for pupil in pupils:
            streams = (pupil.journey_id, pupil.identity_id, pupil.safeguarding_id)
            statements.append((NEW_PUPIL, (self._school, pupil.pupil_id, *streams)))
            for stream, name in zip(streams, PUPIL_CLASSES, strict=True):
                statements += self._new_key(stream, name, pupil.pupil_id, made)
        return statements

    def new_streams(self, changes: Sequence[Change], made: dict[UUID, Key]) -> list[Statement]:
        """What adds the keys of streams that have none yet."""
        statements: list[Statement] = []
        for change in changes:
            stream = change.stream_id
            if change.stream_class is StreamClass.SCHOOL or stream in made or self._ring.newest(stream):
                continue
            self._ring.find({stream, self._school})
            if self._ring.newest(stream):
                continue
            if change.expected_version >= 0:
                raise StreamErased(f"stream {stream} has been erased: nothing may follow the erasure")
            statements += self._new_key(stream, change.stream_class, change.pupil_id, made)
        return statements

    def key(self, stream: UUID, name: StreamClass, made: dict[UUID, Key]) -> Key:
        """The key new facts of a stream are sealed with. Raises StreamErased."""
        if CLASSES[name] == SCHOOL_CLASS:
            return self._ring.own()
        key = made.get(stream) or self._ring.newest(stream)
        if key is None:
            raise StreamErased(f"stream {stream} has been erased: nothing may follow the erasure")
        return key

    def _new_key(self, stream: UUID, name: StreamClass, pupil: UUID | None, made: dict[UUID, Key]) -> list[Statement]:
        made[stream], school_generation, wrapped = self._ring.make(stream, CLASSES[name])
        key = made[stream]
        place = (self._school, stream, key.key_class, key.generation)
        return [
            (NEW_KEY, (*place, self._school, school_generation, wrapped)),
            (NEW_STREAM, (self._school, stream, pupil)),
        ]

    def _answer(self, given: Idempotency, changes: Sequence[Change], made: dict[UUID, Key]) -> AnswerRow:
        stream = self._school if not changes else changes[0].stream_id
        key = self.key(stream, changes[0].stream_class if changes else StreamClass.SCHOOL, made)
        sealed = self._ring.seal_small(key, given.answer, b"answer", given.actor_id.bytes, given.key.encode())
        return given.actor_id, given.key, given.request_hash, stream, sealed

    def _rows(self, change: Change, made: dict[UUID, Key]) -> Iterator[EventRow]:
        stream, key = change.stream_id, self.key(change.stream_id, change.stream_class, made)
        begun = mapper.beginning(self._school.bytes, stream.bytes)
        for version, event in enumerate(change.events, change.expected_version + 1):
            topic = event.topic if type(event) is Opaque else event.TOPIC
            place = (version, event.KIND, topic, event.recorded_at)
            yield stream, *place, mapper.seal_state(key, begun, *place, encode(event))


def statements_of(parcel: Parcel) -> list[Statement]:
    """All that a parcel sends, in the order it is to be done; the events last."""
    answer = [] if parcel.answer is None else [(NEW_ANSWER, (parcel.school, *parcel.answer))]
    return [*answer, *parcel.statements, *_append(parcel.school, parcel.rows)]


def _append(school: UUID, rows: Sequence[EventRow]) -> list[Statement]:
    if not rows:
        return []
    if len(rows) == 1:
        return [(APPEND_ONE, (school, *rows[0]))]
    return [(APPEND, (school, *(Listed(column) for column in zip(*rows, strict=True))))]
