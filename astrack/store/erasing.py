"""Erasing: a stream's key and contents go, its entries stay; holds that forbid it; a report of what is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from astrack.store import mapper
from astrack.store.database import Statement
from astrack.store.kept import Kept
from astrack.store.reading import STREAM, Stored, stored_rows
from astrack.store.types import ErasureReport
from domain.base import Event, Fact, decode, encode
from transfer.evidence.chain import ZERO, entry, leaf

ERASE = "SELECT record.erase_stream(%s, %s, %s, %s, %s, %s)"
LEFT_IN = {
    "keys.stream_keys": "", "record.streams": "", "record.drafts": "", "record.dead_letters": "", "record.answers": "",
    "record.evidence": "", "record.transfers": " AND (sealed <> '' OR file IS NOT NULL)",
}  # fmt: skip
FORGOTTEN = (
    "SELECT e.stream_id, e.version, e.topic, e.recorded_at, e.state, last.version + 1, s.last_recorded_at"
    " FROM keys.erasures e JOIN record.schools s ON s.school_id = e.school_id"
    " JOIN LATERAL (SELECT v.version, v.kind FROM record.events v WHERE v.school_id = e.school_id"
    " AND v.stream_id = e.stream_id ORDER BY v.version DESC LIMIT 1) last ON last.kind <> 'erasure'"
    " WHERE e.school_id = %s ORDER BY e.recorded_at, e.stream_id"
)


class Erasing(Kept):
    """One school's log, with what may be forgotten of it."""

    def erase_stream(self, stream_id: UUID, reason: Event) -> Fact:
        """Destroy a stream's key and contents; ``reason`` (KIND "erasure") is its last entry, under the school's key.

        Erase a pupil's journey last: it takes the pupil off the list. Raises StreamHeld, StreamErased, ClockBehind.
        """
        version = self.load(stream_id).version + 1
        return self._erase(stream_id, version, reason)

    def erasure_report(self, stream_id: UUID) -> ErasureReport:
        """What of a stream was erased, what remains provable, and what is left over."""
        rows = list(stored_rows(self._db.question(self.school_id, (STREAM, (self.school_id, stream_id)))[0]))
        ends = [row.position for row in rows if row.kind == "erasure"]
        cut = sum(len(row.state) == mapper.COMMITMENT_BYTES and not row.topic for row in rows)
        return ErasureReport(stream_id, cut, ends[-1] if ends else -1, _chained(rows), self._left(stream_id))

    def replay_erasures(self, at: datetime) -> list[Fact]:
        """Erase again what had been erased when an older backup of the record was restored; what was done.

        The keys and the list of erasures have a backup of their own, restored at its newest. An entry is the very same
        as before where it still fits; where the backup is older it is recorded at ``at``, or at the log's last instant.
        """
        own = self.ring.own()
        done = []
        for stream, version, topic, recorded_at, state, following, last_at in self.ask(FORGOTTEN):
            begun = mapper.beginning(self.school_id.bytes, stream.bytes)
            plain = mapper.open_state(own.cipher, begun, version, "erasure", topic, recorded_at, state)
            reason = decode(plain[mapper.SALT_BYTES :])
            if version == following and recorded_at >= last_at:
                done.append(self._write(stream, version, reason, state))
            else:
                done.append(self._erase(stream, following, reason.restamped(max(at, last_at))))
        return done

    def held(self, pupil_id: UUID) -> bool:
        """Whether a pupil's record is under a legal hold."""
        return bool(self.ask("SELECT 1 FROM record.holds WHERE school_id = %s AND pupil_id = %s", pupil_id))

    def _erase(self, stream: UUID, version: int, reason: Event) -> Fact:
        begun = mapper.beginning(self.school_id.bytes, stream.bytes)
        place = (begun, version, "erasure", reason.TOPIC, reason.recorded_at)
        return self._write(stream, version, reason, mapper.seal_state(self.ring.own(), *place, encode(reason)))

    def _write(self, stream: UUID, version: int, reason: Event, state: bytes) -> Fact:
        rows = self.ask(ERASE, stream, version, reason.TOPIC, reason.recorded_at, state)
        self.ring.forget(stream)
        return Fact(rows[0][0], None, stream, version, reason.recorded_at, reason)

    def _left(self, stream: UUID) -> dict[str, int]:
        counts = {
            table: self.ask(f"SELECT count(*) FROM {table} WHERE school_id = %s AND stream_id = %s{where}", stream)[0][
                0
            ]
            for table, where in LEFT_IN.items()
        }
        return {table: count for table, count in counts.items() if count}


def hold(school_id: UUID, pupil_id: UUID, at: datetime) -> Callable[[Any], list[Statement]]:
    """For ``append(also=...)``: nothing of this pupil is erased from now on. Append the fact that says why with it."""
    query = "INSERT INTO record.holds VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
    return lambda _: [(query, (school_id, pupil_id, at))]


def release(school_id: UUID, pupil_id: UUID) -> Callable[[Any], list[Statement]]:
    """For ``append(also=...)``: the hold on this pupil's record ends."""
    query = "DELETE FROM record.holds WHERE school_id = %s AND pupil_id = %s"
    return lambda _: [(query, (school_id, pupil_id))]


def _chained(rows: list[Stored]) -> bool:
    previous = ZERO
    for number, row in enumerate(rows):
        if row.version != number:
            return False
        if leaf(entry(row.kind, row.stream_id.bytes, row.version, previous, row.state[:32])) != row.leaf:
            return False
        previous = row.leaf
    return True
