"""What is read of one school's log: rows as they lie in the database, and the facts and entries they hold."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.pq.abc import PGresult

from astrack.store import database, mapper
from astrack.store.database import SOURCE, Database, Rows, Statement
from astrack.store.literals import Listed
from astrack.store.mapper import BODY, COMMITMENT_BYTES, SALT_BYTES, SEALED
from astrack.store.ring import Ring
from astrack.store.rootkey import RootKey
from astrack.store.types import Row, StoreError, Stream
from domain.base import Event, Fact, Kind
from transfer.evidence.chain import ZERO, entry

MAX_PAGE = 10_000
NO_END = 1 << 62
PAGE_OF_HISTORY = 1_000
ALTERED = b""
COLUMNS = database.COLUMNS
JOINED = f" {SOURCE} WHERE e.school_id = %s"
SIZE = "EXECUTE log_size (%s)"
STREAM = "EXECUTE load_stream (%s, %s)"
SOME = "EXECUTE load_some (%s, %s, %s)"
HIDING = ("import", "erasure")
PAGE = "SELECT " + COLUMNS + JOINED + " AND e.position > %s AND e.position < %s ORDER BY e.position LIMIT %s"
NEWEST = (
    "SELECT "
    + COLUMNS
    + JOINED
    + " AND e.topic = ANY (%s::text[]) AND e.position < %s ORDER BY e.position DESC LIMIT %s"
)
LEAVES = "SELECT leaf FROM record.events WHERE school_id = %s AND position >= %s AND position < %s ORDER BY position"
BEFORE = (
    "SELECT e.stream_id, e.leaf FROM record.events e JOIN unnest(%s::uuid[], %s::bigint[]) AS u(s, v)"
    " ON e.stream_id = u.s AND e.version = u.v WHERE e.school_id = %s"
)


Only = Mapping[UUID, frozenset[str]]
"""Of some streams, the topics whose facts are wanted."""


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

    def load(self, stream_id: UUID, up_to: int | None = None, only: frozenset[str] | None = None) -> Stream:
        """One stream with its facts in order; an unknown stream is an empty one.

        ``up_to`` leaves out everything at that position of the log or later: the stream as it was then.
        ``only``: the topics of the facts that are wanted, where it is not all of them.
        """
        return self._load([stream_id], up_to, only={stream_id: only} if only is not None else None)[0][0]

    def load_many(
        self,
        stream_ids: Sequence[UUID],
        up_to: int | None = None,
        only: frozenset[str] | None = None,
        newest: int | None = None,
    ) -> list[Stream]:
        """Several streams in the order asked, in one round trip; ``up_to`` and ``only`` as in ``load``.

        ``newest``: of the wanted facts of each, no more than so many that were written here, the last ones.
        """
        wanted = dict.fromkeys(stream_ids, only) if only is not None else None
        return self._load(stream_ids, up_to, only=wanted, newest=newest)[0]

    def page(self, after_position: int, limit: int, up_to: int | None = None) -> list[Fact]:
        """At most ``limit`` facts after a position (-1 for the beginning), in order; none at ``up_to`` or later."""
        return self._facts(self._page(after_position, limit, up_to))

    def rows(self, after_position: int, limit: int, up_to: int | None = None) -> list[Row]:
        """At most ``limit`` entries after a position, with salt and payload: what a sealed file is made of."""
        stored = self._page(after_position, limit, up_to)
        previous = self._previous(stored)
        return self.entries(stored, previous)

    def entries(self, stored: Iterable[Stored], previous: dict[UUID, bytes]) -> list[Row]:
        """Rows as entries; ``previous``: of each stream the leaf before its first row here. The keys must be known."""
        made, last, named, before = [], None, b"", dict(previous)
        for row, plain in self._opened(stored):
            position, stream, version, kind, _, _, leaf, state, _ = row
            if stream is not last:
                last, named = stream, stream.bytes
                previous_leaf = before[stream]
            salt, payload = (plain[:SALT_BYTES], plain[SALT_BYTES:]) if plain else (b"", None)
            line = entry(kind, named, version, previous_leaf, state[:COMMITMENT_BYTES])
            previous_leaf = before[stream] = leaf
            made.append(Row(position, stream, version, kind, line, salt, payload, leaf))
        return made

    def newest(self, topics: Sequence[str], limit: int, before: int | None = None) -> list[Fact]:
        """At most ``limit`` facts of some topics, the newest first; ``before``: the position of the last one seen."""
        end = NO_END if before is None else max(0, min(before, NO_END))
        rows = list(self.found(NEWEST, Listed(topics), end, capped(limit)))
        self.find_keys(rows)
        return self._facts(rows)

    def leaves(self, start: int = 0, end: int | None = None) -> list[bytes]:
        """The leaves from ``start`` up to, not including, ``end``."""
        result = self._db.question(self.school_id, (LEAVES, (self.school_id, start, NO_END if end is None else end)))[0]
        return [unhexlify((result.get_value(row, 0) or b"")[2:]) for row in range(result.ntuples)]

    def size(self) -> int:
        """How many entries the log has."""
        return size_of(self.ask(SIZE))

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
        ((_, plain),) = self._opened([row])
        if plain == ALTERED:
            raise InvalidTag
        return None if plain is None else (plain[:SALT_BYTES], plain[SALT_BYTES:])

    def to_fact(self, row: Stored) -> Fact:
        """A row as a fact; never an error, whatever the row holds."""
        return self._facts([row])[0]

    def _facts(self, rows: Iterable[Stored]) -> list[Fact]:
        facts = []
        for row, plain in self._opened(rows):
            position, stream, version, kind, _, at, _, _, pupil = row
            origin, event = mapper.fact_event(plain[SALT_BYTES:], kind) if plain else ("", _untold(plain, at))
            if kind == "erasure":
                self.ring.forget(stream)  # another process may have erased it
            facts.append(Fact(position, pupil, stream, version, at or mapper.BLANK, event, origin))
        return facts

    def _opened(self, rows: Iterable[Stored]) -> Iterator[tuple[Stored, bytes | None]]:
        """Each row with its salt || payload: None when erased, ALTERED when it is not what was sealed.

        One loop, in which what rows of a stream share is worked out once: it runs for each fact that is read.
        """
        last, begun, ciphers = None, b"", dict[bytes, AESGCM | None]()
        for row in rows:
            _, stream, version, kind, topic, at, _, state, _ = row
            if stream is not last:
                last, begun, ciphers = stream, mapper.beginning(self.school_id.bytes, stream.bytes), {}
            committed, header = state[:COMMITMENT_BYTES], state[COMMITMENT_BYTES:BODY]
            if header not in ciphers:
                ciphers[header] = self._cipher(stream, state)
            cipher = ciphers[header]
            if cipher is None or at is None:
                yield row, None
                continue
            aad = mapper.columns_aad(begun, version, kind, topic, at, header, committed)
            try:
                yield row, cipher.decrypt(state[BODY:SEALED], state[SEALED:], aad)
            except InvalidTag:
                yield row, ALTERED

    def _cipher(self, stream: UUID, state: bytes) -> AESGCM | None:
        named = mapper.key_named(state)
        key = self.ring.exactly(stream, *named) if named else None
        return key.cipher if key else None

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement whose first value is the school."""
        results = self._db.ask(self.school_id, (query, (self.school_id, *values)))
        return results[0] if results else []

    def found(self, query: str, *values: Any) -> Iterable[Stored]:
        """The rows of record.events that a query of COLUMNS finds, its first value being the school."""
        return stored_rows(self._db.question(self.school_id, (query, (self.school_id, *values)))[0])

    def tell(self, statements: Sequence[Statement]) -> None:
        """Statements of one transaction."""
        if statements:
            self._db.write(self.school_id, *statements)

    def _load(
        self,
        stream_ids: Sequence[UUID],
        up_to: int | None,
        *more: Statement,
        only: Only | None = None,
        newest: int | None = None,
    ) -> tuple[list[Stream], Sequence[PGresult]]:
        asked = self.ring.question([*stream_ids, self.school_id])
        topics = only or {}
        loads = [_load_of(self.school_id, stream, topics.get(stream)) for stream in stream_ids]
        results = self._db.question(self.school_id, *loads, *more, *asked)
        if asked:
            self.ring.take(results.pop())
        count = len(stream_ids)
        found = zip(stream_ids, results[:count], strict=True)
        streams = [self._stream(one, list(stored_rows(rows)), up_to, topics.get(one), newest) for one, rows in found]
        return streams, results[count:]

    def _stream(
        self, stream_id: UUID, rows: list[Stored], up_to: int | None, only: frozenset[str] | None, newest: int | None
    ) -> Stream:
        if up_to is not None:
            rows = [row for row in rows if row.position < up_to]
        wanted = rows if only is None else [row for row in rows if row.topic in only or row.kind in HIDING]
        if newest is not None:
            last = [row.position for row in wanted if row.kind not in HIDING][-newest:]
            wanted = [row for row in wanted if row.kind in HIDING or row.position in last]
        return Stream(stream_id, self._facts(wanted), rows[-1].version if rows else -1, rows[-1].leaf if rows else ZERO)

    def _page(self, after_position: int, limit: int, up_to: int | None) -> list[Stored]:
        rows = self.stored(after_position, limit, up_to)
        self.find_keys(rows)
        return rows

    def find_keys(self, rows: Iterable[Stored]) -> None:
        """Fetch the keys that open these rows, in one question; those of the school's own streams are the school's."""
        self.ring.find({self.school_id, *(row.stream_id for row in rows if not mapper.under_schools_key(row.state))})

    def _previous(self, rows: list[Stored]) -> dict[UUID, bytes]:
        firsts: dict[UUID, int] = {}
        for row in rows:
            firsts.setdefault(row.stream_id, row.version)
        before = [version - 1 for version in firsts.values()]
        (found,) = self._db.ask(self.school_id, (BEFORE, (list(firsts), before, self.school_id)))
        return dict.fromkeys(firsts, ZERO) | dict(found)


def _load_of(school: UUID, stream: UUID, only: frozenset[str] | None) -> Statement:
    if only is None:
        return STREAM, (school, stream)
    return SOME, (school, stream, Listed(sorted(only)))


def stored_rows(result: PGresult) -> Iterable[Stored]:
    """The rows of a result in the order of COLUMNS; the driver's own loaders take four times as long."""
    value: Any = result.get_value
    ids, texts, row_of = _Ids(), _Texts(), tuple.__new__
    for row in range(result.ntuples):
        at = value(row, 5)
        # bytea as text is \\x and hexadecimal digits; only the time and the pupil may be NULL
        yield row_of(Stored, (
            int(value(row, 0)), ids[value(row, 1)], int(value(row, 2)), texts[value(row, 3)], texts[value(row, 4)],
            datetime.fromisoformat(at.decode()) if at else None, unhexlify(value(row, 6)[2:]),
            unhexlify(value(row, 7)[2:]), ids[value(row, 8)],
        ))  # fmt: skip


def size_of(rows: Rows) -> int:
    """How many entries a log has by what SIZE gives: none where there is no such log."""
    return int(rows[0][0]) if rows else 0


def capped(limit: int) -> int:
    """The limit of a page. Raises StoreError outside 1 to MAX_PAGE."""
    if not 1 <= limit <= MAX_PAGE:
        raise StoreError(f"a page has 1 to {MAX_PAGE} lines, not {limit}")
    return limit


def _untold(plain: bytes | None, at: datetime | None) -> Event:
    if plain is None:
        return mapper.erased(at or mapper.BLANK)
    return mapper.unreadable("the row is not what was sealed")


def _happened(fact: Fact, day: date) -> bool:
    return fact.event.day <= day or getattr(fact.event, "corrects", None) is not None


class _Ids(dict[bytes | None, Any]):
    """Text -> id, each made once: a page names few streams many times."""

    def __missing__(self, text: bytes | None) -> UUID | None:
        made = None if text is None else UUID(text.decode())
        self[text] = made
        return made


class _Texts(dict[bytes, str]):
    """The same for kinds and topics."""

    def __missing__(self, text: bytes) -> str:
        made = self[text] = text.decode()
        return made
