"""One school's log: its streams, its order, its rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from astrack.store.types import Change, DeadLetter, Idempotency, PupilStreams, Row, Stream
from domain.base import Event, Fact


class SchoolLog:
    """One school's log. Positions are dense from 0 and are the leaf indexes of its Merkle tree."""

    school_id: UUID

    def add_pupil(self, pupil_id: UUID, journey_id: UUID, identity_id: UUID, safeguarding_id: UUID) -> None:
        """Make the three keys of a new pupil. (With facts in one transaction: ``append(new_pupils=...)``.)"""
        raise NotImplementedError

    def pupil(self, pupil_id: UUID) -> PupilStreams | None:
        """The streams of a pupil, None when this school has no such pupil."""
        raise NotImplementedError

    def pupils(self, limit: int, after: UUID | None = None) -> list[PupilStreams]:
        """At most ``limit`` pupils in the order of their ids, those after ``after``."""
        raise NotImplementedError

    def load(self, stream_id: UUID) -> Stream:
        """One stream with its facts in order; an unknown stream is an empty one."""
        raise NotImplementedError

    def load_for(
        self, stream_ids: Sequence[UUID], actor_id: UUID, key: str, request_hash: bytes
    ) -> tuple[list[Stream], bytes | None]:
        """The streams a command decides on and the answer stored under its key, in one round trip.

        Raises KeyReused when the key was used for another request.
        """
        raise NotImplementedError

    def append(
        self,
        changes: Sequence[Change],
        *,
        idempotency: Idempotency | None,
        new_pupils: Sequence[PupilStreams] = (),
    ) -> list[Fact]:
        """Append all or nothing, in the order given, with the answer for the idempotency key.

        ``changes`` may be empty: then only the answer and the new pupils are stored.
        Raises VersionClash, ClockBehind, KeyReused, StreamErased, SchoolUnknown, StoreUnavailable.
        """
        raise NotImplementedError

    def page(self, after_position: int, limit: int) -> list[Fact]:
        """At most ``limit`` facts after a position (-1 for the beginning), in order."""
        raise NotImplementedError

    def rows(self, after_position: int, limit: int) -> list[Row]:
        """At most ``limit`` entries after a position, with salt and payload: what a sealed file is made of."""
        raise NotImplementedError

    def leaves(self, start: int = 0, end: int | None = None) -> list[bytes]:
        """The leaves from ``start`` up to, not including, ``end``."""
        raise NotImplementedError

    def size(self) -> int:
        """How many entries the log has."""
        raise NotImplementedError

    def position_at(self, instant: datetime) -> int:
        """How many entries had been recorded by an instant: the longest prefix with recorded_at <= instant."""
        raise NotImplementedError

    def erase_stream(self, stream_id: UUID, reason: Event) -> Fact:
        """Destroy a stream's key and contents; ``reason`` (KIND "erasure") is its last entry, under the school's key.

        Erase a pupil's journey last: it takes the pupil off the list.
        """
        raise NotImplementedError

    def views(self) -> AbstractContextManager[psycopg.Connection[tuple[Any, ...]]]:
        """One transaction as the owner of the views, seeing this school's rows alone; commits at the end."""
        raise NotImplementedError

    def dead_letter(self, projection: str, position: int, error: str) -> None:
        """Keep, encrypted, why a projection could not take the fact at a position."""
        raise NotImplementedError

    def dead_letters(self, projection: str, limit: int = 100) -> list[DeadLetter]:
        """What a projection could not take, by position."""
        raise NotImplementedError

    def save_draft(self, draft_id: UUID, stream_id: UUID, content: bytes) -> None:
        """Keep working data under a stream's key, in place of what the draft held."""
        raise NotImplementedError

    def load_draft(self, draft_id: UUID) -> bytes | None:
        """The content of a draft, None when there is none."""
        raise NotImplementedError

    def delete_draft(self, draft_id: UUID) -> None:
        """Drop a draft; does nothing where there is none."""
        raise NotImplementedError
