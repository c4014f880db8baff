"""One school's log: its streams, its order, its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astrack.store import mapper
from astrack.store.database import Database, Statement
from astrack.store.keys import CLASSES, SCHOOL_CLASS, Key
from astrack.store.ring import Ring
from astrack.store.types import (
    Change,
    DeadLetter,
    Idempotency,
    KeyReused,
    PupilStreams,
    Row,
    StoreError,
    Stream,
    StreamErased,
    VersionClash,
)
from domain.base import Event, Fact, Kind, StreamClass, encode
from transfer.chain import ZERO, entry

MAX_PAGE = 10_000
COLUMNS = "e.position, e.stream_id, e.version, e.kind, e.topic, e.recorded_at, e.leaf, e.state, s.pupil_id"
JOINED = (
    " FROM record.events e LEFT JOIN record.streams s ON s.school_id = e.school_id AND s.stream_id = e.stream_id"
    " WHERE e.school_id = %s"
)
STREAMS = "SELECT " + COLUMNS + JOINED + " AND e.stream_id = ANY (%s) ORDER BY e.stream_id, e.version"
PAGE = "SELECT " + COLUMNS + JOINED + " AND e.position > %s ORDER BY e.position LIMIT %s"
ANSWER = (
    "SELECT request_hash, stream_id, sealed FROM record.answers WHERE school_id = %s AND actor_id = %s AND key = %s"
)
APPEND = "SELECT record.append(%s, %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::bytea[])"
NEW_KEY = "INSERT INTO keys.stream_keys VALUES (%s, %s, %s, %s, %s, %s)"
NEW_STREAM = "INSERT INTO record.streams VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
NEW_PUPIL = "INSERT INTO record.pupils VALUES (%s, %s, %s, %s, %s)"
NEW_ANSWER = "INSERT INTO record.answers VALUES (%s, %s, %s, %s, %s, %s)"


KeyOf = Callable[[UUID], Key]
Also = Callable[[KeyOf], Sequence[Statement]]
"""Further statements of an append, made once the keys of its streams are there."""


class Stored(NamedTuple):
    """A row of record.events with its pupil, in the order of COLUMNS."""

    position: int
    stream_id: UUID
    version: int
    kind: Kind
    topic: str
    recorded_at: datetime | None
    leaf: bytes
    state: bytes
    pupil_id: UUID | None


class SchoolLog:
    """One school's log. Positions are dense from 0 and are the leaf indexes of its Merkle tree."""

    def __init__(self, db: Database, root: AESGCM, school_id: UUID) -> None:
        self.school_id = school_id
        self._db = db
        self.ring = Ring(db, root, school_id)

    def add_pupil(self, pupil_id: UUID, journey_id: UUID, identity_id: UUID, safeguarding_id: UUID) -> None:
        """Make the three keys of a new pupil. (With facts in one transaction: ``append(new_pupils=...)``.)"""
        self.append((), idempotency=None, new_pupils=[PupilStreams(pupil_id, journey_id, identity_id, safeguarding_id)])

    def pupil(self, pupil_id: UUID) -> PupilStreams | None:
        """The streams of a pupil, None when this school has no such pupil."""
        query = "SELECT pupil_id, journey_id, identity_id, safeguarding_id FROM record.pupils"
        rows = self.ask(query + " WHERE school_id = %s AND pupil_id = %s", pupil_id)
        return PupilStreams(*rows[0]) if rows else None

    def pupils(self, limit: int, after: UUID | None = None) -> list[PupilStreams]:
        """At most ``limit`` pupils in the order of their ids, those after ``after``."""
        query = "SELECT pupil_id, journey_id, identity_id, safeguarding_id FROM record.pupils WHERE school_id = %s"
        rows = self.ask(
            query + " AND (%s::uuid IS NULL OR pupil_id > %s) ORDER BY pupil_id LIMIT %s", after, after, _capped(limit)
        )
        return [PupilStreams(*row) for row in rows]

    def load(self, stream_id: UUID) -> Stream:
        """One stream with its facts in order; an unknown stream is an empty one."""
        return self._load([stream_id])[0][0]

    def load_many(self, stream_ids: Sequence[UUID]) -> list[Stream]:
        """Several streams in the order asked, in one round trip."""
        return self._load(stream_ids)[0]

    def load_for(
        self, stream_ids: Sequence[UUID], actor_id: UUID, key: str, request_hash: bytes
    ) -> tuple[list[Stream], bytes | None]:
        """The streams a command decides on and the answer stored under its key, in one round trip.

        Raises KeyReused when the key was used for another request.
        """
        streams, answers = self._load(stream_ids, (ANSWER, (self.school_id, actor_id, key)))
        if not answers:
            return streams, None
        kept_hash, stream_id, sealed = answers[0]
        if kept_hash != request_hash:
            raise KeyReused(f"the idempotency key {key!r} was used for another request: use a new one")
        return streams, self.ring.open_small(stream_id, sealed, b"answer", actor_id.bytes, key.encode())

    def append(
        self,
        changes: Sequence[Change],
        *,
        idempotency: Idempotency | None,
        new_pupils: Sequence[PupilStreams] = (),
        also: Also | None = None,
    ) -> list[Fact]:
        """Append all or nothing, in the order given, with the answer for the idempotency key.

        ``changes`` may be empty: then only the answer and the new pupils are stored. ``also`` gives further statements
        of the same transaction, run before the facts are written; it is handed a way to the keys of the streams.
        Raises VersionClash, ClockBehind, KeyReused, StreamErased, SchoolUnknown, StoreUnavailable.
        """
        made: dict[UUID, Key] = {}
        statements = self._new_pupils(new_pupils, made)
        statements += self._new_streams(changes, made)
        if also is not None:
            statements += also(lambda stream: made.get(stream) or self.ring.newest(stream) or self.ring.own())
        facts = [fact for change in changes for fact in self._facts(change)]
        if idempotency is not None:
            statements.insert(0, self._answer(idempotency, changes, made))
        if facts:
            statements.append((APPEND, self._columns(changes, made)))
        if facts and len(statements) == 1:
            first = self._db.append(self.school_id, statements[0][1][1:])
        else:
            results = self._send(statements, idempotency)
            first = results[-1][0][0] if facts else 0
        for stream, key in made.items():
            self.ring.know(stream, key)
        return [_placed(fact, first + index) for index, fact in enumerate(facts)]

    def page(self, after_position: int, limit: int) -> list[Fact]:
        """At most ``limit`` facts after a position (-1 for the beginning), in order."""
        return self._to_facts(self._page(after_position, limit))

    def rows(self, after_position: int, limit: int) -> list[Row]:
        """At most ``limit`` entries after a position, with salt and payload: what a sealed file is made of."""
        stored = self._page(after_position, limit)
        previous = self._previous(stored)
        made = []
        for row in stored:
            salt, payload = self.opened(row) or (b"", None)
            line = entry(row.kind, row.stream_id.bytes, row.version, previous[row.stream_id], row.state[:32])
            previous[row.stream_id] = row.leaf
            made.append(Row(row.position, row.stream_id, row.version, row.kind, line, salt, payload, row.leaf))
        return made

    def leaves(self, start: int = 0, end: int | None = None) -> list[bytes]:
        """The leaves from ``start`` up to, not including, ``end``."""
        query = (
            "SELECT leaf FROM record.events WHERE school_id = %s AND position >= %s AND position < %s ORDER BY position"
        )
        return [leaf for (leaf,) in self.ask(query, start, end if end is not None else (1 << 62))]

    def size(self) -> int:
        """How many entries the log has."""
        rows = self.ask("SELECT next_position FROM record.schools WHERE school_id = %s")
        return int(rows[0][0]) if rows else 0

    def position_at(self, instant: datetime) -> int:
        """How many entries had been recorded by an instant: the longest prefix with recorded_at <= instant."""
        return int(self.ask("SELECT record.position_at(%s, %s)", instant)[0][0])

    def erase_stream(self, stream_id: UUID, reason: Event) -> Fact:
        """Destroy a stream's key and contents; ``reason`` (KIND "erasure") is its last entry, under the school's key.

        Erase a pupil's journey last: it takes the pupil off the list.
        """
        key = self.ring.own()
        version = self.load(stream_id).version + 1
        payload = encode(reason)
        args = (self.school_id, stream_id, version, "erasure", reason.TOPIC, reason.recorded_at)
        state = mapper.seal_state(key, *args, payload)
        query = "SELECT record.erase_stream(%s, %s, %s, %s, %s, %s)"
        rows = self.ask(query, stream_id, version, reason.TOPIC, reason.recorded_at, state)
        self.ring.forget(stream_id)
        return Fact(rows[0][0], None, stream_id, version, reason.recorded_at, reason)

    def views(self) -> AbstractContextManager[psycopg.Connection[tuple[Any, ...]]]:
        """One transaction as the owner of the views, seeing this school's rows alone; commits at the end.

        After creating tables there, ``SELECT views.protect()`` puts them under row-level security.
        """
        return self._db.views(self.school_id)

    def dead_letter(self, projection: str, position: int, error: str) -> None:
        """Keep, encrypted, why a projection could not take the fact at a position."""
        found = self.ask("SELECT stream_id FROM record.events WHERE school_id = %s AND position = %s", position)
        if not found:
            raise StoreError(f"there is no entry at position {position}")
        stream = found[0][0]
        self.ring.find([stream])
        sealed = self.ring.seal_small(
            self.ring.newest(stream) or self.ring.own(), error[:2000].encode(), projection.encode(), b"%d" % position
        )
        query = "INSERT INTO record.dead_letters VALUES (%s, %s, %s, %s, %s)"
        self.ask(query + " ON CONFLICT (school_id, projection, position) DO UPDATE SET sealed = EXCLUDED.sealed",
                  projection, position, stream, sealed)  # fmt: skip

    def dead_letters(self, projection: str, limit: int = 100) -> list[DeadLetter]:
        """What a projection could not take, by position."""
        query = "SELECT position, stream_id, sealed FROM record.dead_letters WHERE school_id = %s AND projection = %s"
        rows = self.ask(query + " ORDER BY position LIMIT %s", projection, _capped(limit))
        texts = [self.ring.open_small(stream, box, projection.encode(), b"%d" % at) for at, stream, box in rows]
        return [DeadLetter(projection, row[0], (text or b"").decode()) for row, text in zip(rows, texts, strict=True)]

    def save_draft(self, draft_id: UUID, stream_id: UUID, content: bytes) -> None:
        """Keep working data under a stream's key, in place of what the draft held. Raises StoreError without a key."""
        self.ring.find([stream_id])
        key = self.ring.newest(stream_id)
        if key is None:
            raise StoreError(f"stream {stream_id} has no key: add the pupil first")
        sealed = self.ring.seal_small(key, content, b"draft", draft_id.bytes)
        query = (
            "INSERT INTO record.drafts SELECT k.school_id, %s, k.stream_id, %s FROM keys.stream_keys k"
            " WHERE k.school_id = %s AND k.stream_id = %s AND k.generation = %s"
            " ON CONFLICT (school_id, draft_id) DO UPDATE SET stream_id = EXCLUDED.stream_id, sealed = EXCLUDED.sealed"
        )
        self._db.ask(self.school_id, (query, (draft_id, sealed, self.school_id, stream_id, key.generation)))

    def load_draft(self, draft_id: UUID) -> bytes | None:
        """The content of a draft, None when there is none."""
        rows = self.ask("SELECT stream_id, sealed FROM record.drafts WHERE school_id = %s AND draft_id = %s", draft_id)
        return self.ring.open_small(*rows[0], b"draft", draft_id.bytes) if rows else None

    def delete_draft(self, draft_id: UUID) -> None:
        """Drop a draft; does nothing where there is none."""
        self.ask("DELETE FROM record.drafts WHERE school_id = %s AND draft_id = %s", draft_id)

    def stored(self, after_position: int, limit: int) -> list[Stored]:
        """The rows as they are, for checking."""
        rows = self.ask(PAGE, after_position, _capped(limit))
        return [Stored(*row) for row in rows]

    def opened(self, row: Stored) -> tuple[bytes, bytes] | None:
        """(salt, payload); None when erased, or when the row does not open."""
        try:
            return self.open_row(row)
        except InvalidTag:
            return None

    def open_row(self, row: Stored) -> tuple[bytes, bytes] | None:
        """(salt, payload); None when erased. Raises InvalidTag when the row is not what was sealed."""
        named = mapper.key_named(row.state)
        key = self.ring.exactly(row.stream_id, *named) if named else None
        if key is None or row.recorded_at is None:
            return None
        return mapper.open_state(
            key, self.school_id, row.stream_id, row.version, row.kind, row.topic, row.recorded_at, row.state
        )

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement whose first value is the school."""
        results = self._db.ask(self.school_id, (query, (self.school_id, *values)))
        return results[0] if results else []

    def key_for(self, stream: UUID, name: StreamClass) -> Key:
        """The key of a stream, made and stored when it has none yet."""
        change = Change(stream, name, -1, ())
        made: dict[UUID, Key] = {}
        self._send(self._new_streams([change], made), None)
        for owner, key in made.items():
            self.ring.know(owner, key)
        return self._key(stream, name, {})

    def _load(self, stream_ids: Sequence[UUID], *more: Statement) -> tuple[list[Stream], list[tuple[Any, ...]]]:
        asked = self.ring.question([*stream_ids, self.school_id])
        query = (STREAMS, (self.school_id, list(stream_ids)))
        results = self._db.ask(self.school_id, *asked, query, *more)
        if asked:
            self.ring.learn(results.pop(0))
        by_stream: dict[UUID, list[Stored]] = {}
        for row in results[0]:
            by_stream.setdefault(row[1], []).append(Stored(*row))
        streams = [self._stream(stream, by_stream.get(stream, [])) for stream in stream_ids]
        return streams, results[1] if more else []

    def _stream(self, stream_id: UUID, rows: list[Stored]) -> Stream:
        facts = [self.to_fact(row) for row in rows]
        return Stream(stream_id, facts, rows[-1].version if rows else -1, rows[-1].leaf if rows else ZERO)

    def _page(self, after_position: int, limit: int) -> list[Stored]:
        rows = self.stored(after_position, limit)
        self.ring.find({row.stream_id for row in rows} | {self.school_id})
        return rows

    def _to_facts(self, rows: Iterable[Stored]) -> list[Fact]:
        return [self.to_fact(row) for row in rows]

    def to_fact(self, row: Stored) -> Fact:
        """A row as a fact; never an error, whatever the row holds."""
        at = row.recorded_at or mapper.BLANK
        try:
            opened = self.open_row(row)
            origin, event = mapper.fact_event(opened[1]) if opened else ("", mapper.erased(at))
        except InvalidTag:
            origin, event = "", mapper.unreadable("the row is not what was sealed")
        return Fact(row.position, row.pupil_id, row.stream_id, row.version, at, event, origin)

    def _previous(self, rows: list[Stored]) -> dict[UUID, bytes]:
        firsts: dict[UUID, int] = {}
        for row in rows:
            firsts.setdefault(row.stream_id, row.version)
        query = (
            "SELECT e.stream_id, e.leaf FROM record.events e JOIN unnest(%s::uuid[], %s::bigint[]) AS u(s, v)"
            " ON e.stream_id = u.s AND e.version = u.v WHERE e.school_id = %s"
        )
        before = [version - 1 for version in firsts.values()]
        (found,) = self._db.ask(self.school_id, (query, (list(firsts), before, self.school_id)))
        return dict.fromkeys(firsts, ZERO) | dict(found)

    def _new_pupils(self, pupils: Sequence[PupilStreams], made: dict[UUID, Key]) -> list[Statement]:
        statements: list[Statement] = []
        for pupil in pupils:
            streams = (pupil.journey_id, pupil.identity_id, pupil.safeguarding_id)
            statements.append((NEW_PUPIL, (self.school_id, pupil.pupil_id, *streams)))
            for stream, name in zip(streams, _PUPIL_CLASSES, strict=True):
                statements += self._new_key(stream, name, pupil.pupil_id, made)
        return statements

    def _new_streams(self, changes: Sequence[Change], made: dict[UUID, Key]) -> list[Statement]:
        own = [change for change in changes if change.stream_class is not StreamClass.SCHOOL]
        self.ring.find({change.stream_id for change in own if change.stream_id not in made} | {self.school_id})
        statements: list[Statement] = []
        for change in own:
            if change.stream_id in made or self.ring.newest(change.stream_id):
                continue
            if change.expected_version >= 0:
                raise StreamErased(f"stream {change.stream_id} has been erased: nothing may follow the erasure")
            statements += self._new_key(change.stream_id, change.stream_class, change.pupil_id, made)
        return statements

    def _new_key(self, stream: UUID, name: StreamClass, pupil: UUID | None, made: dict[UUID, Key]) -> list[Statement]:
        made[stream], values = self.ring.make(stream, CLASSES[name])
        return [(NEW_KEY, values), (NEW_STREAM, (self.school_id, stream, pupil))]

    def _key(self, stream: UUID, name: StreamClass, made: dict[UUID, Key]) -> Key:
        if CLASSES[name] == SCHOOL_CLASS:
            return self.ring.own()
        key = made.get(stream) or self.ring.newest(stream)
        if key is None:
            raise StreamErased(f"stream {stream} has been erased: nothing may follow the erasure")
        return key

    def _answer(self, given: Idempotency, changes: Sequence[Change], made: dict[UUID, Key]) -> Statement:
        stream = self.school_id if not changes else changes[0].stream_id
        key = self._key(stream, changes[0].stream_class if changes else StreamClass.SCHOOL, made)
        sealed = self.ring.seal_small(key, given.answer, b"answer", given.actor_id.bytes, given.key.encode())
        return NEW_ANSWER, (self.school_id, given.actor_id, given.key, given.request_hash, stream, sealed)

    def _facts(self, change: Change) -> list[Fact]:
        made = []
        for number, event in enumerate(change.events, change.expected_version + 1):
            origin, shown = mapper.fact_event(encode(event)) if event.KIND == "import" else ("", event)
            made.append(Fact(-1, change.pupil_id, change.stream_id, number, event.recorded_at, shown, origin))
        return made

    def _columns(self, changes: Sequence[Change], made: dict[UUID, Key]) -> tuple[Any, ...]:
        rows = []
        for change in changes:
            key = self._key(change.stream_id, change.stream_class, made)
            for number, event in enumerate(change.events, change.expected_version + 1):
                topic = getattr(event, "topic", None) or event.TOPIC
                row = (change.stream_id, number, event.KIND, topic, event.recorded_at)
                rows.append((*row, mapper.seal_state(key, self.school_id, *row, encode(event))))
        return (self.school_id, *_arrays(rows))

    def _send(self, statements: list[Statement], idempotency: Idempotency | None) -> list[list[tuple[Any, ...]]]:
        if not statements:
            return []
        try:
            return self._db.ask(self.school_id, *statements)
        except VersionClash:
            if idempotency is not None:
                # the clash may be our own key, stored by a twin of this request: that twin's hash decides
                self.load_for((), idempotency.actor_id, idempotency.key, idempotency.request_hash)
            raise


_PUPIL_CLASSES = (StreamClass.JOURNEY, StreamClass.IDENTITY, StreamClass.SAFEGUARDING)


def _placed(fact: Fact, position: int) -> Fact:
    return Fact(position, fact.pupil_id, fact.stream_id, fact.version, fact.recorded_at, fact.event, fact.origin)


def _arrays(rows: list[tuple[Any, ...]]) -> Iterable[str]:
    # PostgreSQL's array text, made here: the driver's own takes ten times as long for a hundred rows
    streams, versions, kinds, topics, times, states = zip(*rows, strict=True)
    yield "{" + ",".join(map(str, streams)) + "}"
    yield "{" + ",".join(map(str, versions)) + "}"
    yield "{" + ",".join(kinds) + "}"
    yield "{" + ",".join('"' + topic.replace("\\", "\\\\").replace('"', '\\"') + '"' for topic in topics) + "}"
    yield "{" + ",".join(f'"{at.isoformat()}"' for at in times) + "}"
    yield "{" + ",".join('"\\\\x' + state.hex() + '"' for state in states) + "}"


def _capped(limit: int) -> int:
    if not 1 <= limit <= MAX_PAGE:
        raise StoreError(f"a page has 1 to {MAX_PAGE} lines, not {limit}")
    return limit
