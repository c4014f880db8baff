"""What a school keeps for handing records over: its own keys, other schools' key documents, evidence, transfers, tiles.

Secrets and personal data are sealed: under the school's key, or under the key of the stream they belong to.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from astrack.store.database import Statement
from astrack.store.log import SchoolLog
from astrack.store.reading import COLUMNS, JOINED
from astrack.store.types import Row
from astrack.store.writing import KeyOf
from domain.identity import IdentityRecorded
from transfer.evidence import chain

MARK_LABEL = b"astrack/mark/v1\0"
MARKS = "marks"
RECALLS = "recalls/"
FOLLOWED = "directory of "
"""Before the origin of a directory that is followed."""
MAX_LISTED = 1000
FOLLOWED_MAX = 8 << 20
STREAM = "SELECT " + COLUMNS + JOINED + " AND e.stream_id = %s AND e.position < %s ORDER BY e.version"
LAST = "SELECT " + COLUMNS + JOINED + " AND e.stream_id = %s AND e.position < %s ORDER BY e.version DESC LIMIT 2"
KEEP = "INSERT INTO record.vault VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
PIN = (
    "INSERT INTO record.pinned VALUES (%s, %s, %s, %s) ON CONFLICT (school_id, origin)"
    " DO UPDATE SET serial = EXCLUDED.serial, sealed = EXCLUDED.sealed WHERE record.pinned.serial < EXCLUDED.serial"
)
STAND = (
    "INSERT INTO record.pinned VALUES (%s, %s, %s, %s) ON CONFLICT (school_id, origin)"
    " DO UPDATE SET serial = EXCLUDED.serial, sealed = EXCLUDED.sealed"
)
KEEP_EVIDENCE = (
    "INSERT INTO record.evidence VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (school_id, stream_id, mark) DO UPDATE SET sealed = EXCLUDED.sealed"
)
NEW_TRANSFER = "INSERT INTO record.transfers VALUES (%s, %s, %s, %s, %s, %s, %s, NULL, NULL)"
TRANSFER = (
    "SELECT direction, transfer_id, stream_id, state, at, sealed, receipt FROM record.transfers WHERE school_id = %s"
)
KEEP_TILE = (
    "INSERT INTO record.tiles VALUES (%s, %s, %s, %s) ON CONFLICT (school_id, level, place)"
    " DO UPDATE SET hashes = EXCLUDED.hashes WHERE length(record.tiles.hashes) < length(EXCLUDED.hashes)"
)
NAMED = (
    "SELECT DISTINCT s.pupil_id FROM record.events e JOIN record.streams s"
    " ON s.school_id = e.school_id AND s.stream_id = e.stream_id"
    " WHERE e.school_id = %s AND e.topic = %s AND e.position >= %s AND s.pupil_id IS NOT NULL"
)
EXPORTS = (
    "SELECT stream_id, count(*), (array_agg(transfer_id ORDER BY at DESC, transfer_id DESC))[1]"
    " FROM record.transfers WHERE school_id = %s AND direction = 'out' AND stream_id = ANY (%s::uuid[])"
    " GROUP BY stream_id"
)
LAST_TILE = (
    "SELECT place, length(hashes) FROM record.tiles WHERE school_id = %s AND level = 0 ORDER BY place DESC LIMIT 1"
)
LAST_ENTRIES = (
    "SELECT DISTINCT ON (stream_id) stream_id, version, leaf FROM record.events"
    " WHERE school_id = %s AND position >= %s AND position < %s ORDER BY stream_id, version DESC"
)

Exports = Mapping[UUID, tuple[int, UUID]]
"""Of some streams, how many files were made of each, and which was the last."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer as it stands. ``details`` are empty once the pupil's record has been erased."""

    direction: str
    transfer_id: UUID
    stream_id: UUID
    state: str
    at: datetime
    details: dict[str, Any] = field(default_factory=dict)
    receipt: bytes | None = None


class Vault:
    """The hand-over's own rows of one school."""

    def __init__(self, log: SchoolLog) -> None:
        self.log = log
        self._marks: bytes | None = None

    def kept(self, name: str) -> bytes | None:
        """What is kept under a name, None when nothing is."""
        rows = self.log.ask("SELECT sealed FROM record.vault WHERE school_id = %s AND name = %s", name)
        return self.log.ring.open_small(self.log.school_id, rows[0][0], b"vault", name.encode()) if rows else None

    def names(self, prefix: str) -> list[str]:
        """The names that begin with a prefix, in order."""
        query = "SELECT name FROM record.vault WHERE school_id = %s AND starts_with(name, %s) ORDER BY name LIMIT %s"
        return [name for (name,) in self.log.ask(query, prefix, MAX_LISTED)]

    def keep(self, name: str, content: bytes, at: datetime) -> bytes:
        """Keep something for ever under a name; what was there first, when something was, is the answer."""
        self.log.tell([self.keeping(name, content, at)])
        return self.kept(name) or content

    def keeping(self, name: str, content: bytes, at: datetime) -> Statement:
        """The statement that keeps something for ever under a name, unless something is kept there already."""
        sealed = self.log.ring.seal_small(self.log.ring.own(), content, b"vault", name.encode())
        return KEEP, (self.log.school_id, name, sealed, at)

    def pinned(self) -> list[bytes]:
        """The key documents of other schools that are known here, each school's oldest first."""
        # no key document has an origin with a space: what stands has
        query = "SELECT origin, sealed FROM record.pinned WHERE school_id = %s AND strpos(origin, ' ') = 0"
        return [one for origin, sealed in self.log.ask(query) for one in self._pinned(origin, sealed)]

    def _pinned(self, origin: str, sealed: bytes) -> list[bytes]:
        content = self.log.ring.open_small(self.log.school_id, sealed, b"pinned", origin.encode()) or b"[]"
        return [chain.unb64(one, "pinned", limit=FOLLOWED_MAX) for one in json.loads(content)]

    def followed(self, origin: str) -> list[bytes]:
        """What ``follow`` kept last of a directory; nothing when it never was."""
        return self.standing(FOLLOWED + origin)

    def follow(self, origin: str, size: int, parts: Sequence[bytes]) -> None:
        """Keep how far a directory has been seen; never less far than before."""
        self.pin(FOLLOWED + origin, size, parts)

    def standing(self, name: str) -> list[bytes]:
        """What stands last under a name with a space in it; nothing when nothing was set."""
        query = "SELECT origin, sealed FROM record.pinned WHERE school_id = %s AND origin = %s"
        return [one for row in self.log.ask(query, name) for one in self._pinned(*row)]

    def stand(self, name: str, at: datetime, parts: Sequence[bytes]) -> Statement:
        """The statement that sets what stands under a name with a space in it, in place of what was set earlier."""
        return STAND, (self.log.school_id, name, int(at.timestamp() * 1_000_000), self._sealed_pin(name, parts))

    def pin(self, origin: str, serial: int, documents: Sequence[bytes]) -> None:
        """Know a school by these key documents; never fewer than before."""
        self.log.ask(PIN, origin, serial, self._sealed_pin(origin, documents))

    def _sealed_pin(self, origin: str, parts: Sequence[bytes]) -> bytes:
        content = json.dumps([chain.b64(one) for one in parts]).encode()
        return self.log.ring.seal_small(self.log.ring.own(), content, b"pinned", origin.encode())

    def mark(self, origin: str, stream: bytes, at: datetime, random: bytes) -> bytes:
        """How a stream of another log is known here: under a key of this school, made at first use of ``random``."""
        secret = self._marks = self._marks or self.kept(MARKS) or self.keep(MARKS, random, at)
        return hmac.digest(secret, MARK_LABEL + chain.b64(stream).encode() + b"\n" + origin.encode(), hashlib.sha256)

    def recall_of(self, origin: str, transfer_id: UUID) -> str:
        """The name that a recall is kept under: by whom, and of which transfer."""
        return f"{RECALLS}{hashlib.sha256(origin.encode()).hexdigest()[:32]}/{transfer_id}"

    def holder(self, mark: bytes) -> UUID | None:
        """The stream here that holds the facts of a marked stream of another log."""
        rows = self.log.ask("SELECT stream_id FROM record.evidence WHERE school_id = %s AND mark = %s", mark)
        return rows[0][0] if rows else None

    def pupil_of(self, stream_id: UUID) -> UUID | None:
        """The pupil whose stream this is; None when it is nobody's, or has been erased."""
        query = "SELECT pupil_id FROM record.streams WHERE school_id = %s AND stream_id = %s"
        rows = self.log.ask(query, stream_id)
        return rows[0][0] if rows else None

    def named_since(self, position: int) -> list[UUID]:
        """The pupils of whom something was stated in their identity streams from a position on."""
        return [pupil for (pupil,) in self.log.ask(NAMED, IdentityRecorded.TOPIC, position)]

    def evidence(self, stream_id: UUID) -> dict[bytes, bytes]:
        """What proves the imported facts of a stream: mark -> content."""
        rows = self.log.ask(
            "SELECT mark, sealed FROM record.evidence WHERE school_id = %s AND stream_id = %s", stream_id
        )
        opened = [(mark, self.log.ring.open_small(stream_id, sealed, b"evidence", mark)) for mark, sealed in rows]
        return {bytes(mark): content for mark, content in opened if content is not None}

    def keep_evidence(self, key_of: KeyOf, stream_id: UUID, mark: bytes, content: bytes) -> Statement:
        """The statement that keeps one unit of evidence in place of an older one."""
        sealed = self.log.ring.seal_small(key_of(stream_id), content, b"evidence", mark)
        return KEEP_EVIDENCE, (self.log.school_id, stream_id, mark, sealed)

    def new_transfer(self, key_of: KeyOf, transfer: Transfer) -> Statement:
        """The statement that records a transfer; a second one of the same id is a VersionClash."""
        sealed = self._sealed(key_of, transfer)
        place = (self.log.school_id, transfer.direction, transfer.transfer_id, transfer.stream_id)
        return NEW_TRANSFER, (*place, transfer.state, transfer.at, sealed)

    def move(self, transfer: Transfer, state: str, at: datetime) -> Statement:
        """The statement that takes a transfer from the state it is in to another."""
        query = (
            "UPDATE record.transfers SET state = %s, at = %s"
            " WHERE school_id = %s AND direction = %s AND transfer_id = %s AND state = %s"
        )
        return query, (state, at, self.log.school_id, transfer.direction, transfer.transfer_id, transfer.state)

    def seal_transfer(self, transfer: Transfer, file: bytes) -> Statement:
        """The statement that keeps the sealed file and what is known of it, once: a file that is there stays."""
        self.log.ring.find([transfer.stream_id])
        sealed = self._sealed(lambda stream: self.log.ring.newest(stream) or self.log.ring.own(), transfer)
        query = (
            "UPDATE record.transfers SET file = %s, sealed = %s WHERE school_id = %s AND direction = 'out'"
            " AND transfer_id = %s AND file IS NULL AND state = 'prepared'"
        )
        return query, (file, sealed, self.log.school_id, transfer.transfer_id)

    def keeping_receipt(self, direction: str, transfer_id: UUID, receipt: bytes) -> Statement:
        """The statement that keeps a receipt, unless one is kept already."""
        query = (
            "UPDATE record.transfers SET receipt = %s WHERE school_id = %s AND direction = %s AND transfer_id = %s"
            " AND receipt IS NULL"
        )
        return query, (receipt, self.log.school_id, direction, transfer_id)

    def run(self, statement: Statement) -> None:
        """One statement by itself."""
        self.log.ask("WITH mine AS (SELECT %s::uuid) " + statement[0], *statement[1])

    def drop_file(self, transfer_id: UUID) -> Statement:
        """The statement that forgets a sealed file that is of no more use."""
        query = (
            "UPDATE record.transfers SET file = NULL WHERE school_id = %s AND direction = 'out' AND transfer_id = %s"
        )
        return query, (self.log.school_id, transfer_id)

    def unsealed(self, transfer_ids: Sequence[UUID]) -> list[Transfer]:
        """Those of these transfers that have no sealed file yet, in the order given."""
        return self.those("out", transfer_ids, " AND file IS NULL")

    def those(self, direction: str, transfer_ids: Sequence[UUID], also: str = "") -> list[Transfer]:
        """These transfers in the order given, without those that are not there; ``also`` says more of which."""
        query = TRANSFER + " AND direction = %s AND transfer_id = ANY (%s::uuid[])" + also
        rows = self.log.ask(query, direction, list(transfer_ids))
        self.log.ring.find([row[2] for row in rows])
        found = {row[1]: self._transfer(row) for row in rows}
        return [found[one] for one in transfer_ids if one in found]

    def called_back(self, stream_ids: Sequence[UUID]) -> list[Transfer]:
        """The transfers of these streams whose file was collected before they were called off."""
        query = TRANSFER + " AND direction = 'out' AND state = 'recalled' AND stream_id = ANY (%s::uuid[])"
        return [self._transfer(row) for row in self.log.ask(query, list(stream_ids))]

    def exports(self, stream_ids: Sequence[UUID]) -> Exports:
        """How many files were made of these streams, and which was the last of each."""
        rows = self.log.ask(EXPORTS, list(stream_ids))
        return {stream: (count, last) for stream, count, last in rows}

    def file(self, transfer_id: UUID) -> bytes | None:
        """The sealed file of a transfer that was made ready here."""
        query = "SELECT file FROM record.transfers WHERE school_id = %s AND direction = 'out' AND transfer_id = %s"
        with self.log.reading() as conn, conn.cursor(binary=True) as cursor:
            row = cursor.execute(query, (self.log.school_id, transfer_id)).fetchone()
        return row[0] if row else None

    def transfer(self, direction: str, transfer_id: UUID) -> Transfer | None:
        """One transfer, None when there is none."""
        rows = self.log.ask(TRANSFER + " AND direction = %s AND transfer_id = %s", direction, transfer_id)
        return self._transfer(rows[0]) if rows else None

    def transfers(self, limit: int = 200, stream_id: UUID | None = None) -> list[Transfer]:
        """The newest transfers, those of one stream where it is given."""
        rows = self.log.ask(
            TRANSFER + " AND (%s::uuid IS NULL OR stream_id = %s) ORDER BY at DESC, transfer_id DESC LIMIT %s",
            stream_id, stream_id, min(limit, MAX_LISTED),
        )  # fmt: skip
        return [self._transfer(row) for row in rows]

    def _sealed(self, key_of: KeyOf, transfer: Transfer) -> bytes:
        content = json.dumps(transfer.details, separators=(",", ":")).encode()
        key = key_of(transfer.stream_id)
        return self.log.ring.seal_small(key, content, b"transfer", transfer.transfer_id.bytes)

    def _transfer(self, row: tuple[Any, ...]) -> Transfer:
        direction, transfer_id, stream, state, at, sealed, receipt = row
        opened = self.log.ring.open_small(stream, sealed, b"transfer", transfer_id.bytes) if sealed else None
        details = json.loads(opened) if opened else {}
        return Transfer(direction, transfer_id, stream, state, at, details, bytes(receipt) if receipt else None)

    def tile(self, level: int, place: int) -> bytes:
        """The joined hashes of a tile, b"" when there is none."""
        query = "SELECT hashes FROM record.tiles WHERE school_id = %s AND level = %s AND place = %s"
        rows = self.log.ask(query, level, place)
        return bytes(rows[0][0]) if rows else b""

    def tiled(self) -> int:
        """How many leaves the tiles cover."""
        rows = self.log.ask(LAST_TILE)
        return rows[0][0] * 256 + rows[0][1] // 32 if rows else 0

    def keeping_tile(self, level: int, place: int, hashes: bytes) -> Statement:
        """The statement that keeps a tile in place of a shorter one."""
        return KEEP_TILE, (self.log.school_id, level, place, hashes)

    def last_entries(self, start: int, end: int) -> list[tuple[UUID, int, bytes]]:
        """(stream, number, leaf) of the last entry of each stream among the positions from start to end."""
        return [(stream, version, bytes(leaf)) for stream, version, leaf in self.log.ask(LAST_ENTRIES, start, end)]

    def stream(self, stream_id: UUID, up_to: int) -> list[Row]:
        """The entries of one stream below a position, with salt and payload."""
        self.log.ring.find([stream_id, self.log.school_id])
        return self.log.entries(self.log.found(STREAM, stream_id, up_to), {stream_id: chain.ZERO})

    def last(self, stream_id: UUID, up_to: int) -> Row:
        """The last entry of a stream below a position. The stream must have one there."""
        self.log.ring.find([stream_id, self.log.school_id])
        rows = list(self.log.found(LAST, stream_id, up_to))[::-1]
        before = rows[0].leaf if len(rows) > 1 else chain.ZERO
        return self.log.entries(rows[-1:], {stream_id: before})[0]
