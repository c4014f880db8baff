"""The keys of one school in memory: each is unwrapped once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.pq.abc import PGresult

from astrack.store import keys
from astrack.store.database import Database, Statement, rows_of
from astrack.store.keys import Key
from astrack.store.rootkey import RootKey
from astrack.store.types import KeyMissing, SchoolUnknown

MAX_CACHED = 50_000
KEEP_S = 900
ROTATIONS = 5
"""How often a school's key may be rotated while one question is answered."""
SMALL_LABEL = b"astrack/small/v1"
KEYS_OF = (
    "SELECT k.stream_id, k.class, k.generation, k.school_generation, k.wrapped FROM keys.stream_keys k"
    " WHERE k.school_id = %s AND k.stream_id = ANY (%s::uuid[]) ORDER BY k.generation"
)


class Ring:
    """Finds, makes and caches the keys of one school's streams."""

    def __init__(self, db: Database, root: RootKey, school: UUID) -> None:
        self._db, self._root, self._school = db, root, school
        self._schools: dict[int, AESGCM] = {}
        self._streams: dict[UUID, dict[int, Key]] = {}
        self._until = time.monotonic() + KEEP_S
        self._lock = threading.Lock()

    def question(self, streams: Iterable[UUID]) -> list[Statement]:
        """The statement that asks for the keys not known yet; none when all are."""
        if time.monotonic() > self._until:
            self.renew()
        missing = [stream for stream in streams if stream not in self._streams]
        return [(KEYS_OF, (self._school, missing))] if missing else []

    def take(self, result: PGresult) -> None:
        """Take in what ``question`` asked for, as a bare result."""
        self.learn(rows_of(result))

    def learn(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Take in what ``question`` asked for."""
        try:
            self._learn(rows)
        except KeyMissing:
            # the school's key was rotated after these rows were read: they are under the new one now
            self._ask((KEYS_OF, (self._school, [row[0] for row in rows])))

    def _ask(self, statement: Statement) -> None:
        for attempt in range(ROTATIONS):
            (rows,) = self._db.ask(self._school, statement)
            try:
                self._learn(rows)
                return
            except KeyMissing:
                if attempt == ROTATIONS - 1:
                    raise

    def _learn(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for stream, key_class, generation, school_generation, wrapped in rows:
            under = self._school_key(school_generation)
            cipher = keys.unwrap(under, wrapped, self._school, stream, key_class, generation)
            self.know(stream, Key(key_class, generation, cipher))

    def find(self, streams: Iterable[UUID]) -> None:
        """Fetch the keys of these streams where not known yet."""
        for statement in self.question(set(streams)):
            self._ask(statement)

    def know(self, stream: UUID, key: Key) -> None:
        """Keep a key for use."""
        with self._lock:
            if len(self._streams) >= MAX_CACHED:
                self._streams = {}
            self._streams.setdefault(stream, {})[key.generation] = key

    def forget(self, stream: UUID) -> None:
        """Drop a key from memory."""
        self._streams.pop(stream, None)

    def renew(self) -> None:
        """Drop every key from memory: what another process has destroyed or rotated is not kept here for long."""
        with self._lock:
            self._streams, self._schools = {}, {}
            self._until = time.monotonic() + KEEP_S

    def newest(self, stream: UUID) -> Key | None:
        """The key that new facts of a stream are sealed with."""
        known = self._streams.get(stream)
        return known[max(known)] if known else None

    def exactly(self, stream: UUID, key_class: int, generation: int) -> Key | None:
        """The key a state names; None when it has been destroyed."""
        owner = self._school if key_class == keys.SCHOOL_CLASS else stream
        found = self._streams.get(owner, {}).get(generation)
        if found is None:
            # dropped from memory meanwhile, or destroyed: the database knows which
            self.find([owner])
            found = self._streams.get(owner, {}).get(generation)
        return found

    def own(self) -> Key:
        """The key of the school's own streams. Raises SchoolUnknown."""
        self.find([self._school])
        key = self.newest(self._school)
        if key is None:
            raise SchoolUnknown(f"school {self._school} has no log here: create the school first")
        return key

    def make(self, stream: UUID, key_class: int) -> tuple[Key, int, bytes]:
        """A fresh key, the generation of the school's key that it is wrapped under, and its wrapped bytes."""
        schools = self._schools or self._school_keys()
        newest = max(schools)
        fresh = keys.new_key()
        wrapped = keys.wrap(schools[newest], fresh, self._school, stream, key_class, 1)
        return Key(key_class, 1, AESGCM(fresh)), newest, wrapped

    def seal_small(self, key: Key, content: bytes, *place: bytes) -> bytes:
        """A draft, an answer or a dead letter, bound to its place."""
        header = bytes([key.key_class]) + key.generation.to_bytes(4, "big")
        return header + keys.seal(key.cipher, content, keys.bound(SMALL_LABEL, self._school.bytes, header, *place))

    def open_small(self, stream: UUID, sealed: bytes, *place: bytes) -> bytes | None:
        """What ``seal_small`` sealed; None when the key has been destroyed. Raises KeyMissing when altered."""
        header = sealed[:5]
        self.find([self._school if header[0] == keys.SCHOOL_CLASS else stream])
        key = self.exactly(stream, header[0], int.from_bytes(header[1:], "big"))
        if key is None:
            return None
        try:
            return keys.unseal(key.cipher, sealed[5:], keys.bound(SMALL_LABEL, self._school.bytes, header, *place))
        except InvalidTag as error:
            raise KeyMissing(f"what is kept for stream {stream} has been altered: restore it from a backup") from error

    def _school_keys(self) -> dict[int, AESGCM]:
        query = "SELECT generation, wrapped FROM keys.school_keys WHERE school_id = %s"
        found: dict[int, AESGCM] = {}
        for number, wrapped in self._db.ask(self._school, (query, (self._school,)))[0]:
            place = keys.place_of(self._school, self._school, 0, number)
            found[number] = AESGCM(self._root.unwrap(wrapped, place))
        if not found:
            raise SchoolUnknown(f"school {self._school} has no log here: create the school first")
        self._schools = found
        return found

    def _school_key(self, generation: int) -> AESGCM:
        found = self._schools.get(generation) or self._school_keys().get(generation)
        if found is None:
            raise KeyMissing(
                f"generation {generation} of the key of school {self._school} is missing: restore the keys"
            )
        return found
