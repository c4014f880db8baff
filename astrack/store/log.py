"""One school's log: what can be done to it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import psycopg

from astrack.store.database import Database
from astrack.store.erasing import Erasing
from astrack.store.keys import Key
from astrack.store.line import Parcel
from astrack.store.reading import capped
from astrack.store.ring import ROTATIONS
from astrack.store.rootkey import RootKey
from astrack.store.types import Change, Idempotency, KeyMissing, KeysRotated, PupilStreams, VersionClash
from astrack.store.writing import Also, KeyOf, Packing, statements_of
from domain.base import StreamClass

__all__ = ["Also", "KeyOf", "SchoolLog"]
PEPPER_LABEL, SECRET_BYTES = b"pepper", 32
PUPILS = "SELECT pupil_id, journey_id, identity_id, safeguarding_id FROM record.pupils WHERE school_id = %s"


class SchoolLog(Erasing):
    """One school's log. Positions are dense from 0 and are the leaf indexes of its Merkle tree."""

    def __init__(self, db: Database, root: RootKey, school_id: UUID) -> None:
        super().__init__(db, root, school_id)
        self._packing = Packing(school_id, self.ring)
        self._secret: bytes | None = None

    def add_pupil(self, pupil_id: UUID, journey_id: UUID, identity_id: UUID, safeguarding_id: UUID) -> None:
        """Make the three keys of a new pupil. (With facts in one transaction: ``append(new_pupils=...)``.)"""
        self.append((), idempotency=None, new_pupils=[PupilStreams(pupil_id, journey_id, identity_id, safeguarding_id)])

    def pupil(self, pupil_id: UUID) -> PupilStreams | None:
        """The streams of a pupil, None when this school has no such pupil."""
        rows = self.ask(PUPILS + " AND pupil_id = %s", pupil_id)
        return PupilStreams(*rows[0]) if rows else None

    def those(self, pupil_ids: Sequence[UUID]) -> list[PupilStreams]:
        """The streams of these pupils, without those this school does not have."""
        return [PupilStreams(*row) for row in self.ask(PUPILS + " AND pupil_id = ANY (%s)", list(pupil_ids))]

    def pupils(self, limit: int, after: UUID | None = None) -> list[PupilStreams]:
        """At most ``limit`` pupils in the order of their ids, those after ``after``."""
        rows = self.ask(
            PUPILS + " AND (%s::uuid IS NULL OR pupil_id > %s) ORDER BY pupil_id LIMIT %s", after, after, capped(limit)
        )
        return [PupilStreams(*row) for row in rows]

    def append(
        self,
        changes: Sequence[Change],
        *,
        idempotency: Idempotency | None,
        new_pupils: Sequence[PupilStreams] = (),
        also: Also | None = None,
    ) -> range:
        """Append all or nothing, in the order given, with the answer for the idempotency key; the facts' positions.

        ``changes`` may be empty: then only the answer and the new pupils are stored. ``also`` gives further statements
        of the same transaction, run before the facts are written; it is handed a way to the keys of the streams.
        Raises VersionClash, ClockBehind, KeyReused, StreamErased, SchoolUnknown, StoreUnavailable.
        """
        try:
            return self._under_newest_keys(changes, idempotency, new_pupils, also)
        except VersionClash:
            if idempotency is not None:
                # the clash may be our own key, stored by a twin of this request: that twin's hash decides
                self.load_for((), idempotency.actor_id, idempotency.key, idempotency.request_hash)
            raise

    def secret(self) -> bytes:
        """A secret of the school, 32 bytes: made at first use, kept under the school's key. Raises KeyMissing."""
        if self._secret is None:
            fresh = self.ring.seal_small(self.ring.own(), secrets.token_bytes(SECRET_BYTES), PEPPER_LABEL)
            self.ask("INSERT INTO record.peppers VALUES (%s, %s) ON CONFLICT DO NOTHING", fresh)
            ((sealed,),) = self.ask("SELECT sealed FROM record.peppers WHERE school_id = %s")
            self._secret = self.ring.open_small(self.school_id, sealed, PEPPER_LABEL)
        if self._secret is None:
            raise KeyMissing("the key of the school's secret has been destroyed: restore it from a backup")
        return self._secret

    def views(self) -> AbstractContextManager[psycopg.Connection[tuple[Any, ...]]]:
        """One transaction as the owner of the views, seeing this school's rows alone; commits at the end.

        After creating tables there, ``SELECT views.protect()`` puts them under row-level security.
        """
        return self._db.views(self.school_id)

    def reading(self) -> AbstractContextManager[psycopg.Connection[tuple[Any, ...]]]:
        """One read-only transaction of the service, seeing this school's rows alone: what pages are read with."""
        return self._db.reading(self.school_id)

    def key_for(self, stream: UUID, name: StreamClass) -> Key:
        """The key of a stream, made and stored when it has none yet."""
        made: dict[UUID, Key] = {}
        statements = self._packing.new_streams([Change(stream, name, -1, ())], made)
        if statements:
            self._alone(Parcel(self.school_id, statements, [], made))
        return self._packing.key(stream, name, {})

    def _under_newest_keys(
        self,
        changes: Sequence[Change],
        idempotency: Idempotency | None,
        new_pupils: Sequence[PupilStreams],
        also: Also | None,
    ) -> range:
        for _ in range(ROTATIONS):
            try:
                return self._post(changes, idempotency, new_pupils, also)
            except KeysRotated:
                self.ring.renew()
        return self._post(changes, idempotency, new_pupils, also)

    def _post(
        self,
        changes: Sequence[Change],
        idempotency: Idempotency | None,
        new_pupils: Sequence[PupilStreams],
        also: Also | None,
    ) -> range:
        parcel = self._packing.parcel(changes, idempotency, new_pupils, also)
        if parcel.answer is None and not parcel.statements and not parcel.rows:
            return range(0)
        first = self._db.line.post(parcel, self._alone)
        return range(first, first + len(parcel.rows))

    def _alone(self, parcel: Parcel) -> int:
        if parcel.answer is None and not parcel.statements:
            return self._db.append(self.school_id, parcel.rows)
        result = self._db.write(self.school_id, *statements_of(parcel))
        for stream, key in parcel.made.items():
            self.ring.know(stream, key)
        return int(result.get_value(0, 0) or b"0") if parcel.rows else 0
