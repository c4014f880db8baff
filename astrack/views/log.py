"""A school's log out of the database at the speed of the disk: COPY out, decrypt, decode what read models take."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
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
from astrack.views.lean import NO_READS, Reads, imported_topic, lean_many
from domain.base import TOPICS, UPCASTS, Event, Fact, Opaque
from transfer.evidence.chain import IMPORT_TOPIC

COLUMNS = "position, version, recorded_at, stream_id, state, kind, topic"
FIXED = struct.Struct(">hiqiqiqi16si")
STATE = FIXED.size
HEADER = STATE + mapper.COMMITMENT_BYTES
NONCE = STATE + mapper.BODY
SEALED = NONCE + keys.NONCE_BYTES
SALT = mapper.SALT_BYTES
SCHOOL_CLASS = bytes([keys.SCHOOL_CLASS])
COPY_HEAD = b"PGCOPY\n\xff\r\n\0"
COPY_HEAD_BYTES = 19
SINCE_2000 = datetime(2000, 1, 1, tzinfo=UTC)
CHUNK = 512
ALTERED = "the row is not what was sealed"
KEYS_AT_ONCE = 2_000
KEYS_OF = (
    "SELECT k.stream_id, s.pupil_id, k.class, k.generation, k.school_generation, k.wrapped FROM keys.stream_keys k"
    " LEFT JOIN record.streams s ON s.school_id = k.school_id AND s.stream_id = k.stream_id WHERE k.school_id = %s"
)


class Known(NamedTuple):
    """What is known of a stream: its id, whose it is, what binds its rows; by the header naming them, keys not opened
    yet and ciphers.
    """

    stream_id: UUID
    pupil_id: UUID | None
    begun: bytes
    closed: dict[bytes, tuple[Any, ...]]
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
        self._conn, self._ring, self._school = conn, ring, school_id
        conn.execute(f"SET LOCAL app.school = '{school_id}'".encode())
        row = conn.execute("SELECT next_position FROM record.schools WHERE school_id = %s", (school_id,)).fetchone()
        self.size = int(row[0]) if row else 0
        self._own = school_id.bytes
        self._known = self._keys()

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
        passed = -1
        pupils = known.pupils if known else frozenset[UUID]()
        amended = {stream for stream, one in self._known.items() if one.pupil_id in pupils}
        enveloped = None if Opaque in takes else _topics(takes) | {IMPORT_TOPIC}
        for chunk in self._opened(takes):
            moved(chunk[-1].position - passed)
            passed = chunk[-1].position
            yield self._decoded([raw for raw in chunk if _may_hold(raw, enveloped)], takes, known, amended, reads)
        moved(self.size - 1 - passed)

    def _decoded(
        self,
        chunk: Sequence[Raw],
        takes: frozenset[type[Event]],
        known: Corrections | None,
        amended: Container[bytes],
        reads: Reads,
    ) -> list[Fact]:
        made: list[Fact] = []
        streams = self._known
        for raw, event in zip(chunk, _events(chunk, reads), strict=True):
            whole = raw.stream in amended and known is not None and known.names(event)
            if event is not None and not whole and raw.stream in streams:
                # its author's instant is the row's: both are sealed together
                stream_id, pupil_id, *_ = streams[raw.stream]
                made.append(Fact(raw.position, pupil_id, stream_id, raw.version, event.recorded_at, event))
                continue
            fact = self._whole(raw)
            if type(fact.event) in takes:
                made.append(known.now(fact) if known else fact)
        return made

    def rows(self, takes: frozenset[type[Event]] | None) -> Iterator[Raw]:
        """The rows that may hold facts of these classes, None for all; without those that have been erased."""
        return chain.from_iterable(self._opened(takes))

    def _opened(self, takes: frozenset[type[Event]] | None) -> Iterator[list[Raw]]:
        query = f"COPY (SELECT {COLUMNS} FROM record.events WHERE school_id = %s AND position < %s"
        query += f" AND recorded_at IS NOT NULL{_wanted(takes)} ORDER BY position) TO STDOUT (FORMAT BINARY)"
        known, school, fixed, bind = self._known, self._own, FIXED.unpack_from, mapper.bound_columns
        names = _Names()
        for block in _copied(self._conn, query, (self._school, self.size)):
            made = []
            # all in one loop: this runs once for each event of the log, and a call costs as much as a step
            for data in block:
                _, _, position, _, version, _, micros, _, stream, size = fixed(data)
                header = data[HEADER:NONCE]
                owner = known.get(school if header[1:2] == SCHOOL_CLASS else stream)
                cipher = (owner.ciphers.get(header) or self._cipher(owner, header)) if owner else None
                if owner is None or cipher is None:
                    continue  # the key has been destroyed
                kind, topic = names[data[STATE + size :]]
                begun = owner.begun if owner.begun.endswith(stream) else mapper.beginning(school, stream)
                aad = bind(begun, version, kind, topic, micros + mapper.MICROS_TO_2000, header, data[STATE:HEADER])
                try:
                    plain = cipher.decrypt(data[NONCE:SEALED], data[SEALED : STATE + size], aad)
                except InvalidTag:
                    made.append(Raw(position, version, micros, stream, kind, topic, None))
                    continue
                made.append(Raw(position, version, micros, stream, kind, topic, plain[SALT:]))
            if made:
                yield made

    def _whole(self, raw: Raw) -> Fact:
        """The fact with every field, as the full reader gives it; imports by way of their innermost envelope."""
        stream = self._known.get(raw.stream)
        stream_id, pupil_id = (stream.stream_id, stream.pupil_id) if stream else (UUID(bytes=raw.stream), None)
        at = SINCE_2000 + timedelta(microseconds=raw.micros)
        origin, event = mapper.fact_event(raw.payload, raw.kind) if raw.payload else ("", mapper.unreadable(ALTERED))
        return Fact(raw.position, pupil_id, stream_id, raw.version, at, event, origin)

    def _cipher(self, owner: Known, header: bytes) -> AESGCM | None:
        # a key is opened when its first row is met: most read models look at few streams of a pupil
        row = owner.closed.pop(header, None)
        if row is None:
            return None
        self._ring.learn([row])
        key = self._ring.exactly(*row[:3])
        if key is not None:
            owner.ciphers[header] = key.cipher
        return key.cipher if key else None

    def _keys(self) -> dict[bytes, Known]:
        made: dict[bytes, Known] = {}
        rows = self._conn.execute(KEYS_OF, (self._school,))
        while some := rows.fetchmany(KEYS_AT_ONCE):
            for stream, pupil, *key in some:
                place = stream.bytes
                known = made.get(place)
                if known is None:
                    known = made[place] = Known(stream, pupil, mapper.beginning(self._own, place), {}, {})
                known.closed[mapper.HEADER.pack(mapper.FORMAT, key[0], key[1])] = (stream, *key)
        return made


class _Names(dict[bytes, tuple[str, str]]):
    """The last two columns of a row -> (kind, topic), each made once."""

    def __missing__(self, tail: bytes) -> tuple[str, str]:
        size = int.from_bytes(tail[:4], "big")
        made = self[tail] = (tail[4 : 4 + size].decode(), tail[8 + size :].decode())
        return made


def _may_hold(raw: Raw, enveloped: frozenset[str] | None) -> bool:
    """Whether a row may hold a fact that is asked for: imports hide their topics, and most hold another."""
    if raw.kind != "import" or raw.payload is None or enveloped is None:
        return True
    topic = imported_topic(raw.payload)
    return topic is None or topic in enveloped


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


def _copied(conn: Connection, query: str, values: Sequence[Any]) -> Iterator[list[bytes]]:
    """The rows of a binary COPY, some hundreds at once.

    Straight from libpq: the driver's own loop takes several times as long for each.
    """
    with ClientCursor(conn) as cursor:
        text = cursor.mogrify(query.encode(), values)
    pgconn, size = conn.pgconn, 0
    result = pgconn.exec_(text.encode())
    if result.status != ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(result)
    held: list[bytes] = []
    try:
        while True:
            size, block = pgconn.get_copy_data(0)
            if size < 0:
                break
            data = bytes(block)
            if data.startswith(COPY_HEAD):
                data = data[COPY_HEAD_BYTES:]
            if len(data) > STATE:
                held.append(data)
            if len(held) == CHUNK:
                yield held
                held = []
        yield held
    finally:
        if size >= 0:
            conn.close()  # left in the middle: the rest is not wanted
    while last := pgconn.get_result():
        if last.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(last)


def _topics(takes: frozenset[type[Event]]) -> frozenset[str]:
    """The topics of these classes, older ones among them."""
    topics = {topic for topic, cls in TOPICS.items() if cls in takes}
    older = True
    while older:
        more = {old for old, (new, _) in UPCASTS.items() if new in topics} - topics
        older = bool(more)
        topics |= more
    return frozenset(topics)


def _wanted(takes: frozenset[type[Event]] | None) -> str:
    if takes is None:
        return ""
    listed = ", ".join(_literal(topic) for topic in sorted(_topics(takes))) or "''"
    unknown = ", ".join(_literal(topic) for topic in sorted({*TOPICS, *UPCASTS}))
    strange = f" OR topic NOT IN ({unknown})" if Opaque in takes else ""
    return f" AND (topic IN ({listed}) OR kind = 'import'{strange})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
