"""A school's log out of the database at the speed of the disk: COPY out, decrypt, decode what read models take."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterator, Sequence
from datetime import UTC, datetime, timedelta
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
from astrack.view_lean import lean, unwrapped
from domain.base import TOPICS, UPCASTS, Event, Fact, Opaque

COLUMNS = "position, version, recorded_at, stream_id, kind, topic, state"
FIXED = struct.Struct(">hiqiqiqi16si")
LENGTH = struct.Struct(">i")
COPY_HEAD = b"PGCOPY\n\xff\r\n\0"
COPY_HEAD_BYTES = 19
SINCE_2000 = datetime(2000, 1, 1, tzinfo=UTC)
STEP = 2_000
KEYS_AT_ONCE = 2_000
KEYS_OF = (
    "SELECT k.stream_id, s.pupil_id, k.class, k.generation, k.school_generation, k.wrapped FROM keys.stream_keys k"
    " LEFT JOIN record.streams s ON s.school_id = k.school_id AND s.stream_id = k.stream_id WHERE k.school_id = %s"
)


class Raw(NamedTuple):
    """A row of the log as it came: micros since 2000, the state still sealed."""

    position: int
    version: int
    micros: int
    stream: bytes
    kind: str
    topic: str
    state: bytes


class Known(NamedTuple):
    """What is known of a stream: its id, whose it is, its keys by (class, generation)."""

    stream_id: UUID
    pupil_id: UUID | None
    ciphers: dict[tuple[int, int], AESGCM]


class Snapshot:
    """One school's log as it was at one instant. Used inside a REPEATABLE READ transaction of the service.

    ``whole``: ids of events to be decoded with every field, as corrections need them.
    """

    def __init__(self, conn: Connection, ring: Ring, school_id: UUID) -> None:
        self._conn, self._school = conn, school_id
        conn.execute(f"SET LOCAL app.school = '{school_id}'".encode())
        row = conn.execute("SELECT next_position FROM record.schools WHERE school_id = %s", (school_id,)).fetchone()
        self.size = int(row[0]) if row else 0
        self.whole: Container[UUID] = ()
        self._own = school_id.bytes
        self._known = self._keys(ring)

    @property
    def pupils(self) -> dict[UUID, UUID]:
        """stream -> pupil, for what must be taken out again when a stream is erased meanwhile."""
        return {one.stream_id: one.pupil_id for one in self._known.values() if one.pupil_id is not None}

    def facts(
        self, takes: frozenset[type[Event]] | None, moved: Callable[[int], None] = lambda _: None
    ) -> Iterator[Fact]:
        """The facts of these classes in order, None for all; ``moved`` hears how many rows more have been passed."""
        passed = 0
        for raw in self.rows(takes):
            if raw.position - passed >= STEP:
                moved(raw.position - passed)
                passed = raw.position
            fact = self.fact(raw)
            if fact is not None and (takes is None or type(fact.event) in takes):
                yield fact
        moved(self.size - passed)

    def rows(self, takes: frozenset[type[Event]] | None) -> Iterator[Raw]:
        """The rows that may hold facts of these classes, still sealed; erased ones are left out."""
        query = f"COPY (SELECT {COLUMNS} FROM record.events WHERE school_id = %s AND position < %s"
        query += f" AND recorded_at IS NOT NULL{_wanted(takes)} ORDER BY position) TO STDOUT (FORMAT BINARY)"
        for block in _copied(self._conn, query, (self._school, self.size)):
            raw = parsed(block)
            if raw is not None:
                yield raw

    def fact(self, raw: Raw) -> Fact | None:
        """The fact of a row; None when its key has been destroyed."""
        try:
            payload = self.opened(raw)
        except InvalidTag:
            return self._fact(raw, "", mapper.unreadable("the row is not what was sealed"))
        if payload is None:
            return None
        return self._fact(raw, *self._event(raw, payload))

    def _event(self, raw: Raw, payload: bytes) -> tuple[str, Event]:
        inner = unwrapped(payload) if raw.kind == "import" else ("", raw.topic, payload)
        event = lean(inner[1], inner[2]) if inner else None
        if inner is None or event is None or event.event_id in self.whole:
            return mapper.fact_event(payload)
        return inner[0], event

    def opened(self, raw: Raw) -> bytes | None:
        """The payload of a row; None when its key has been destroyed. Raises InvalidTag."""
        state = raw.state
        named = mapper.key_named(state)
        owner = self._own if named and named[0] == keys.SCHOOL_CLASS else raw.stream
        known = self._known.get(owner)
        cipher = known.ciphers.get(named) if known and named else None
        if cipher is None:
            return None
        header, committed = state[mapper.COMMITMENT_BYTES : mapper.BODY], state[: mapper.COMMITMENT_BYTES]
        micros = raw.micros + mapper.MICROS_TO_2000
        aad = mapper.bound_columns(self._own, raw.stream, raw.version, raw.kind, raw.topic, micros, header, committed)
        return keys.unseal(cipher, state[mapper.BODY :], aad)[mapper.SALT_BYTES :]

    def _fact(self, raw: Raw, origin: str, event: Event) -> Fact:
        known = self._known.get(raw.stream)
        stream_id, pupil_id = (known.stream_id, known.pupil_id) if known else (UUID(bytes=raw.stream), None)
        at = SINCE_2000 + timedelta(microseconds=raw.micros)
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
                    known.ciphers[key_class, generation] = key.cipher
        return made


def _copied(conn: Connection, query: str, values: Sequence[Any]) -> Iterator[bytes]:
    """The messages of a COPY, straight from libpq: the driver's own loop takes several times as long for each."""
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
            yield bytes(block)
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


def parsed(data: bytes) -> Raw | None:
    """One row of a binary COPY; None for its end mark. The server sends one row a message."""
    start = COPY_HEAD_BYTES if data.startswith(COPY_HEAD) else 0
    if len(data) - start < FIXED.size:
        return None
    _, _, position, _, version, _, micros, _, stream, size = FIXED.unpack_from(data, start)
    kind_at = start + FIXED.size
    topic_at = kind_at + size + LENGTH.size
    state_at = topic_at + LENGTH.unpack_from(data, kind_at + size)[0] + LENGTH.size
    topic = data[topic_at : state_at - LENGTH.size].decode()
    return Raw(position, version, micros, stream, data[kind_at : kind_at + size].decode(), topic, data[state_at:])
