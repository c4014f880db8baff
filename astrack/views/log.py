"""A school's log out of the database at the speed of the disk: COPY out, decrypt, decode what read models take."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import ClientCursor
from psycopg.pq import ExecStatus

from astrack.store import keys, mapper
from astrack.store.pool import Connection
from astrack.store.ring import Ring
from astrack.views.corrections import Corrections
from astrack.views.lean import NO_READS, Reads, lean, lean_many, unwrapped
from domain.base import TOPICS, UPCASTS, Event, Fact, Opaque

COLUMNS = "position, version, recorded_at, stream_id, kind, topic, state"
FIXED = struct.Struct(">hiqiqiqi16si")
FIXED_BYTES = FIXED.size
COMMITMENT, BODY, SALT = mapper.COMMITMENT_BYTES, mapper.BODY, mapper.SALT_BYTES
SEALED = BODY + keys.NONCE_BYTES
SCHOOL_CLASS = bytes([keys.SCHOOL_CLASS])
COPY_HEAD = b"PGCOPY\n\xff\r\n\0"
COPY_HEAD_BYTES = 19
SINCE_2000 = datetime(2000, 1, 1, tzinfo=UTC)
CHUNK = 512
KEYS_AT_ONCE = 2_000
KEYS_OF = (
    "SELECT k.stream_id, s.pupil_id, k.class, k.generation, k.school_generation, k.wrapped FROM keys.stream_keys k"
    " LEFT JOIN record.streams s ON s.school_id = k.school_id AND s.stream_id = k.stream_id WHERE k.school_id = %s"
)


class Known(NamedTuple):
    """What is known of a stream: its id, whose it is, its ciphers by the header that names them."""

    stream_id: UUID
    pupil_id: UUID | None
    ciphers: dict[bytes, AESGCM]


class Raw(NamedTuple):
    """A row of the log, opened: ``payload`` is None when it is not what was sealed."""

    position: int
    version: int
    micros: int
    stream: bytes
    kind: str
    topic: str
    payload: bytes | None


class Snapshot:
    """One school's log as it was at one instant. Used inside a REPEATABLE READ transaction of the service."""

    def __init__(self, conn: Connection, ring: Ring, school_id: UUID) -> None:
        self._conn, self._school = conn, school_id
        conn.execute(f"SET LOCAL app.school = '{school_id}'".encode())
        row = conn.execute("SELECT next_position FROM record.schools WHERE school_id = %s", (school_id,)).fetchone()
        self.size = int(row[0]) if row else 0
        self._own = school_id.bytes
        self._known = self._keys(ring)

    @property
    def pupils(self) -> dict[UUID, UUID]:
        """stream -> pupil, for what must be taken out again when a stream is erased meanwhile."""
        return {one.stream_id: one.pupil_id for one in self._known.values() if one.pupil_id is not None}

    def facts(self, takes: frozenset[type[Event]]) -> Iterator[Fact]:
        """The facts of these classes in order, as they were written."""
        return chain.from_iterable(self.chunks(takes))

    def chunks(
        self,
        takes: frozenset[type[Event]],
        moved: Callable[[int], None] = lambda _: None,
        known: Corrections | None = None,
        reads: Reads = NO_READS,
    ) -> Iterator[list[Fact]]:
        """The facts of these classes in order, some hundreds at once: each step runs over all of them while it is warm.

        They read as they do now where ``known`` says what was corrected; ``reads``: the only fields wanted of some
        classes; ``moved`` hears how many rows more have been passed.
        """
        passed, rows = -1, self.rows(takes)
        while chunk := list(islice(rows, CHUNK)):
            moved(chunk[-1].position - passed)
            passed = chunk[-1].position
            facts = [fact for fact in self._decoded(chunk, known, reads) if type(fact.event) in takes]
            yield [known.now(fact) for fact in facts] if known else facts
        moved(self.size - 1 - passed)

    def _decoded(self, chunk: Sequence[Raw], known: Corrections | None, reads: Reads) -> Iterator[Fact]:
        corrected = known.corrected if known else frozenset()
        events = _events(chunk, reads)
        for raw, event in zip(chunk, events, strict=True):
            stream = self._known.get(raw.stream)
            if event is None or stream is None or event.event_id in corrected:
                yield self._whole(raw, corrected)
            else:
                # its author's instant is the row's: both are sealed together
                yield Fact(raw.position, stream.pupil_id, stream.stream_id, raw.version, event.recorded_at, event)

    def rows(self, takes: frozenset[type[Event]] | None) -> Iterator[Raw]:
        """The rows that may hold facts of these classes, None for all; without those that have been erased."""
        query = f"COPY (SELECT {COLUMNS} FROM record.events WHERE school_id = %s AND position < %s"
        query += f" AND recorded_at IS NOT NULL{_wanted(takes)} ORDER BY position) TO STDOUT (FORMAT BINARY)"
        known, school, fixed, bind = self._known, self._own, FIXED.unpack_from, mapper.bound_columns
        topics: dict[bytes, str] = {}
        for data, start in _copied(self._conn, query, (self._school, self.size)):
            # all in one loop: this runs once for each event of the log, and a call costs as much as a step
            _, _, position, _, version, _, micros, _, stream, size = fixed(data, start)
            kind_at = start + FIXED_BYTES
            topic_at = kind_at + size + 4
            state_at = topic_at + int.from_bytes(data[topic_at - 4 : topic_at], "big") + 4
            name = data[topic_at : state_at - 4]
            topic = topics.get(name) or topics.setdefault(name, name.decode())
            kind = "event" if data[kind_at : topic_at - 4] == b"event" else data[kind_at : topic_at - 4].decode()
            header = data[state_at + COMMITMENT : state_at + BODY]
            owner = known.get(school if header[1:2] == SCHOOL_CLASS else stream)
            cipher = owner.ciphers.get(header) if owner else None
            if cipher is None:
                continue  # the key has been destroyed
            aad = bind(
                school, stream, version, kind, topic, micros + mapper.MICROS_TO_2000, header,
                data[state_at : state_at + COMMITMENT],
            )  # fmt: skip
            try:
                plain = cipher.decrypt(data[state_at + BODY : state_at + SEALED], data[state_at + SEALED :], aad)
            except InvalidTag:
                yield Raw(position, version, micros, stream, kind, topic, None)
                continue
            yield Raw(position, version, micros, stream, kind, topic, plain[SALT:])

    def _whole(self, raw: Raw, corrected: Container[UUID]) -> Fact:
        """The fact with every field, as the full reader gives it; imports by way of their innermost envelope."""
        stream = self._known.get(raw.stream)
        stream_id, pupil_id = (stream.stream_id, stream.pupil_id) if stream else (UUID(bytes=raw.stream), None)
        at = SINCE_2000 + timedelta(microseconds=raw.micros)
        origin, event = _read(raw, corrected)
        return Fact(raw.position, pupil_id, stream_id, raw.version, at, event, origin)

    def _keys(self, ring: Ring) -> dict[bytes, Known]:
        made: dict[bytes, Known] = {}
        rows = self._conn.execute(KEYS_OF, (self._school,))
        while some := rows.fetchmany(KEYS_AT_ONCE):
            ring.learn([(row[0], *row[2:]) for row in some])
            for stream, pupil, key_class, generation, *_ in some:
                key = ring.exactly(stream, key_class, generation)
                known = made.setdefault(stream.bytes, Known(stream, pupil, {}))
                if key is not None:
                    known.ciphers[mapper.HEADER.pack(mapper.FORMAT, key_class, generation)] = key.cipher
        return made


def _events(chunk: Sequence[Raw], reads: Reads) -> list[Event | None]:
    """The events of own facts, those of one topic read together; None where only the full reader can tell."""
    places: dict[str, list[int]] = {}
    for place, raw in enumerate(chunk):
        if raw.payload is not None and raw.kind != "import":
            places.setdefault(raw.topic, []).append(place)
    made: list[Event | None] = [None] * len(chunk)
    for topic, those in places.items():
        payloads = [chunk[place].payload or b"" for place in those]
        for place, event in zip(those, lean_many(topic, payloads, reads), strict=True):
            made[place] = event
    return made


def _read(raw: Raw, corrected: Container[UUID]) -> tuple[str, Event]:
    if raw.payload is None:
        return "", mapper.unreadable("the row is not what was sealed")
    inner = unwrapped(raw.payload) if raw.kind == "import" else None
    event = lean(inner[1], inner[2]) if inner else None
    if inner is None or event is None or event.event_id in corrected:
        return mapper.fact_event(raw.payload)
    return inner[0], event


def _copied(conn: Connection, query: str, values: Sequence[Any]) -> Iterator[tuple[bytes, int]]:
    """The rows of a binary COPY, one a message, and where in it the row begins.

    Straight from libpq: the driver's own loop takes several times as long for each.
    """
    with ClientCursor(conn) as cursor:
        text = cursor.mogrify(query.encode(), values)
    pgconn, size = conn.pgconn, 0
    result = pgconn.exec_(text.encode())
    if result.status != ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(result)
    try:
        while True:
            size, block = pgconn.get_copy_data(0)
            if size < 0:
                break
            data = bytes(block)
            start = COPY_HEAD_BYTES if data.startswith(COPY_HEAD) else 0
            if size - start > FIXED_BYTES:
                yield data, start
    finally:
        if size >= 0:
            conn.close()  # left in the middle: the rest is not wanted
    while last := pgconn.get_result():
        if last.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(last)


def _wanted(takes: frozenset[type[Event]] | None) -> str:
    if takes is None:
        return ""
    topics = {topic for topic, cls in TOPICS.items() if cls in takes}
    older = True
    while older:
        more = {old for old, (new, _) in UPCASTS.items() if new in topics} - topics
        older = bool(more)
        topics |= more
    listed = ", ".join(_literal(topic) for topic in sorted(topics)) or "''"
    unknown = ", ".join(_literal(topic) for topic in sorted({*TOPICS, *UPCASTS}))
    strange = f" OR topic NOT IN ({unknown})" if Opaque in takes else ""
    return f" AND (topic IN ({listed}) OR kind = 'import'{strange})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
