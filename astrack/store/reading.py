"""What is read of one school's log: rows as they lie in the database, and the facts and entries they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from psycopg.pq.abc import PGresult

from astrack.store import database, mapper
from astrack.store.database import SOURCE, Database, Statement
from astrack.store.ring import Ring
from astrack.store.rootkey import RootKey
from astrack.store.types import Row, StoreError, Stream
from domain.base import Fact, Kind
from transfer.evidence.chain import ZERO, entry

MAX_PAGE = 10_000
NO_END = 1 << 62
PAGE_OF_HISTORY = 1_000
COLUMNS = database.COLUMNS
JOINED = f" {SOURCE} WHERE e.school_id = %s"
STREAMS = "EXECUTE load_streams (%s, %s, %s)"
PAGE = "SELECT " + COLUMNS + JOINED + " AND e.position > %s AND e.position < %s ORDER BY e.position LIMIT %s"
LEAVES = "SELECT leaf FROM record.events WHERE school_id = %s AND position >= %s AND position < %s ORDER BY position"
BEFORE = (
    "SELECT e.stream_id, e.leaf FROM record.events e JOIN unnest(%s::uuid[], %s::bigint[]) AS u(s, v)"
    " ON e.stream_id = u.s AND e.version = u.v WHERE e.school_id = %s"
)


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


class Reading:
    """One school's log, as it is read. Positions are dense from 0 and are the leaf indexes of its Merkle tree."""

    def __init__(self, db: Database, root: RootKey, school_id: UUID) -> None:
        self.school_id = school_id
        self._db = db
        self.ring = Ring(db, root, school_id)

    def load(self, stream_id: UUID, up_to: int | None = None) -> Stream:
        """One stream with its facts in order; an unknown stream is an empty one.

        ``up_to`` leaves out everything at that position of the log or later: the stream as it was then.
        """
        return self._load([stream_id], up_to)[0][0]

    def load_many(self, stream_ids: Sequence[UUID], up_to: int | None = None) -> list[Stream]:
        """Several streams in the order asked, in one round trip; ``up_to`` as in ``load``."""
        return self._load(stream_ids, up_to)[0]

    def page(self, after_position: int, limit: int, up_to: int | None = None) -> list[Fact]:
        """At most ``limit`` facts after a position (-1 for the beginning), in order; none at ``up_to`` or later."""
        return [self.to_fact(row) for row in self._page(after_position, limit, up_to)]

    def rows(self, after_position: int, limit: int, up_to: int | None = None) -> list[Row]:
        """At most ``limit`` entries after a position, with salt and payload: what a sealed file is made of."""
        stored = self._page(after_position, limit, up_to)
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
        result = self._db.question(self.school_id, (LEAVES, (self.school_id, start, NO_END if end is None else end)))[0]
        return [_bytes(result.get_value(row, 0)) for row in range(result.ntuples)]

    def size(self) -> int:
        """How many entries the log has."""
        rows = self.ask("SELECT next_position FROM record.schools WHERE school_id = %s")
        return int(rows[0][0]) if rows else 0

    def position_at(self, instant: datetime) -> int:
        """How many entries had been recorded by an instant: the longest prefix with recorded_at <= instant."""
        return int(self.ask("SELECT record.position_at(%s, %s)", instant)[0][0])

    def happened_by(self, day: date, known: int, stream_id: UUID | None = None) -> Iterator[Fact]:
        """What had happened by the end of a day, as far as it was known when the log had ``known`` entries, in order.

        Of the whole school, or of one stream. A correction is among it whatever its own day: it speaks of another's.
        """
        if stream_id is not None:
            yield from (fact for fact in self.load(stream_id, known).facts if _happened(fact, day))
            return
        after = -1
        while page := self.page(after, PAGE_OF_HISTORY, known):
            yield from (fact for fact in page if _happened(fact, day))
            after = page[-1].position

    def stored(self, after_position: int, limit: int, up_to: int | None = None) -> list[Stored]:
        """The rows as they are, for checking."""
        values = (self.school_id, after_position, NO_END if up_to is None else up_to, capped(limit))
        return list(stored_rows(self._db.question(self.school_id, (PAGE, values))[0]))

    def opened(self, row: Stored) -> tuple[bytes, bytes] | None:
        """(salt, payload); None when erased, or when the row does not open."""
        try:
            return self.open_row(row)
        except InvalidTag:
            return None

    def open_row(self, row: Stored) -> tuple[bytes, bytes] | None:
        """(salt, payload); None when erased. Raises InvalidTag when the row is not what was sealed."""
        _, stream, version, kind, topic, at, _, state, _ = row
        named = mapper.key_named(state)
        key = self.ring.exactly(stream, *named) if named else None
        if key is None or at is None:
            return None
        return mapper.open_state(key, self.school_id, stream, version, kind, topic, at, state)

    def to_fact(self, row: Stored) -> Fact:
        """A row as a fact; never an error, whatever the row holds."""
        if row.kind == "erasure":
            self.ring.forget(row.stream_id)  # another process may have erased it
        at = row.recorded_at or mapper.BLANK
        try:
            opened = self.open_row(row)
            origin, event = mapper.fact_event(opened[1], row.kind) if opened else ("", mapper.erased(at))
        except InvalidTag:
            origin, event = "", mapper.unreadable("the row is not what was sealed")
        return Fact(row.position, row.pupil_id, row.stream_id, row.version, at, event, origin)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement whose first value is the school."""
        results = self._db.ask(self.school_id, (query, (self.school_id, *values)))
        return results[0] if results else []

    def _load(
        self, stream_ids: Sequence[UUID], up_to: int | None, *more: Statement
    ) -> tuple[list[Stream], Sequence[PGresult]]:
        asked = self.ring.question([*stream_ids, self.school_id])
        query = (STREAMS, (self.school_id, list(stream_ids), NO_END if up_to is None else up_to))
        first, *others = self._db.question(self.school_id, query, *more, *asked)
        if asked:
            self.ring.take(others.pop())
        by_stream: dict[UUID, list[Stored]] = {}
        for row in stored_rows(first):
            by_stream.setdefault(row.stream_id, []).append(row)
        return [self._stream(stream, by_stream.get(stream, [])) for stream in stream_ids], others

    def _stream(self, stream_id: UUID, rows: list[Stored]) -> Stream:
        facts = [self.to_fact(row) for row in rows]
        return Stream(stream_id, facts, rows[-1].version if rows else -1, rows[-1].leaf if rows else ZERO)

    def _page(self, after_position: int, limit: int, up_to: int | None) -> list[Stored]:
        rows = self.stored(after_position, limit, up_to)
        self.ring.find({row.stream_id for row in rows} | {self.school_id})
        return rows

    def _previous(self, rows: list[Stored]) -> dict[UUID, bytes]:
        firsts: dict[UUID, int] = {}
        for row in rows:
            firsts.setdefault(row.stream_id, row.version)
        before = [version - 1 for version in firsts.values()]
        (found,) = self._db.ask(self.school_id, (BEFORE, (list(firsts), before, self.school_id)))
        return dict.fromkeys(firsts, ZERO) | dict(found)


def stored_rows(result: PGresult) -> Iterable[Stored]:
    """The rows of a result in the order of COLUMNS; the driver's own loaders take four times as long."""
    value, ids = result.get_value, _Ids()
    for row in range(result.ntuples):
        at = value(row, 5)
        yield Stored(
            _int(value(row, 0)), ids[value(row, 1)], _int(value(row, 2)), _text(value(row, 3)), _text(value(row, 4)),
            datetime.fromisoformat(at.decode()) if at else None, _bytes(value(row, 6)), _bytes(value(row, 7)),
            ids[value(row, 8)],
        )  # fmt: skip


def capped(limit: int) -> int:
    """The limit of a page. Raises StoreError outside 1 to MAX_PAGE."""
    if not 1 <= limit <= MAX_PAGE:
        raise StoreError(f"a page has 1 to {MAX_PAGE} lines, not {limit}")
    return limit


def _happened(fact: Fact, day: date) -> bool:
    return fact.event.day <= day or getattr(fact.event, "corrects", None) is not None


class _Ids(dict[bytes | None, Any]):
    """Text -> id, each made once: a page names few streams many times."""

    def __missing__(self, text: bytes | None) -> UUID | None:
        made = None if text is None else UUID(text.decode())
        self[text] = made
        return made


def _int(value: bytes | None) -> int:
    return int(value or b"-1")


def _text(value: bytes | None) -> Any:
    return value.decode() if value is not None else ""


def _bytes(value: bytes | None) -> bytes:
    # PostgreSQL's text of bytea is \x and hexadecimal digits
    return bytes.fromhex(value[2:].decode()) if value is not None else b""
