"""What is kept beside the facts, encrypted with their streams' keys: answers, drafts, dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from astrack.store.database import rows_of
from astrack.store.reading import SIZE, Only, Reading, capped, size_of
from astrack.store.types import DeadLetter, KeyReused, StoreError, Stream

ANSWER = (
    "SELECT encode(request_hash, 'hex'), stream_id, encode(sealed, 'hex') FROM record.answers"
    " WHERE school_id = %s AND actor_id = %s AND key = %s"
)
KEEP_DRAFT = "EXECUTE keep_draft (%s, %s, %s, %s, %s)"
LOAD_DRAFTS = "EXECUTE load_drafts (%s, %s)"
DEAD_LETTER = (
    "INSERT INTO record.dead_letters VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT (school_id, projection, position) DO UPDATE SET sealed = EXCLUDED.sealed"
)


class Kept(Reading):
    """One school's log with its working data."""

    def load_for(
        self, stream_ids: Sequence[UUID], actor_id: UUID, key: str, request_hash: bytes, only: Only | None = None
    ) -> tuple[list[Stream], bytes | None]:
        """The streams a command decides on and the answer stored under its key, in one round trip.

        ``only``: of some streams, the topics whose facts are wanted; a stream's version is that of all its facts.
        Raises KeyReused when the key was used for another request.
        """
        streams, (found,) = self._load(stream_ids, None, (ANSWER, (self.school_id, actor_id, key)), only=only)
        if not found.ntuples:
            return streams, None
        kept_hash, stream, sealed = ((found.get_value(0, column) or b"").decode() for column in range(3))
        if bytes.fromhex(kept_hash) != request_hash:
            raise KeyReused(f"the idempotency key {key!r} was used for another request: use a new one")
        return streams, self.ring.open_small(
            UUID(stream), bytes.fromhex(sealed), b"answer", actor_id.bytes, key.encode()
        )

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
        self.ask(DEAD_LETTER, projection, position, stream, sealed)

    def dead_letters(self, projection: str, limit: int = 100) -> list[DeadLetter]:
        """What a projection could not take, by position."""
        query = "SELECT position, stream_id, sealed FROM record.dead_letters WHERE school_id = %s AND projection = %s"
        rows = self.ask(query + " ORDER BY position LIMIT %s", projection, capped(limit))
        texts = [self.ring.open_small(stream, box, projection.encode(), b"%d" % at) for at, stream, box in rows]
        return [DeadLetter(projection, row[0], (text or b"").decode()) for row, text in zip(rows, texts, strict=True)]

    def save_draft(self, draft_id: UUID, stream_id: UUID, content: bytes) -> None:
        """Keep working data under a stream's key, in place of what the draft held. Raises StoreError without a key."""
        self.ring.find([stream_id])
        key = self.ring.newest(stream_id)
        if key is None:
            raise StoreError(f"stream {stream_id} has no key: add the pupil first")
        sealed = self.ring.seal_small(key, content, b"draft", draft_id.bytes)
        self.ask(KEEP_DRAFT, draft_id, stream_id, key.generation, sealed)

    def load_with_drafts(self, stream_id: UUID) -> tuple[Stream, dict[UUID, bytes], int]:
        """A stream, the drafts kept under its key by their ids, and the log's size, in one round trip."""
        more = (LOAD_DRAFTS, (self.school_id, stream_id)), (SIZE, (self.school_id,))
        (stream,), (drafts, size) = self._load([stream_id], None, *more)
        opened = [
            (one, self.ring.open_small(stream_id, sealed, b"draft", one.bytes)) for one, sealed in rows_of(drafts)
        ]
        return stream, {one: content for one, content in opened if content is not None}, size_of(rows_of(size))

    def load_draft(self, draft_id: UUID) -> bytes | None:
        """The content of a draft, None when there is none."""
        rows = self.ask("SELECT stream_id, sealed FROM record.drafts WHERE school_id = %s AND draft_id = %s", draft_id)
        return self.ring.open_small(*rows[0], b"draft", draft_id.bytes) if rows else None

    def delete_draft(self, draft_id: UUID) -> None:
        """Drop a draft; does nothing where there is none."""
        self.ask("DELETE FROM record.drafts WHERE school_id = %s AND draft_id = %s", draft_id)
