"""What passes between the store and its callers: changes in, streams and rows out, and the refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.base import DomainError, Event, Fact, Kind, StreamClass, instant_text


@dataclass(frozen=True, slots=True)
class PupilStreams:
    """A pupil and the three streams that hold what is known of them, each under its own key."""

    pupil_id: UUID
    journey_id: UUID
    identity_id: UUID
    safeguarding_id: UUID


@dataclass(frozen=True, slots=True)
class Change:
    """New events for one stream whose last known version is ``expected_version`` (-1 when it is empty)."""

    stream_id: UUID
    stream_class: StreamClass
    expected_version: int
    events: tuple[Event, ...]
    pupil_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key for one request, the SHA-256 of that request, and the answer to give when it is repeated."""

    actor_id: UUID
    key: str
    request_hash: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream as loaded. ``version`` is that of its last fact, -1 when empty; ``leaf`` is 32 zero bytes then."""

    stream_id: UUID
    facts: list[Fact]
    version: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the log with what opens its commitment. ``payload`` is None and ``salt`` empty once erased."""

    position: int
    stream_id: UUID
    version: int
    kind: Kind
    entry: bytes
    salt: bytes
    payload: bytes | None
    leaf: bytes


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A fact that a projection could not take, and why. ``error`` is "" once the fact's key has been destroyed."""

    projection: str
    position: int
    error: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the position of the entry, -1 when it concerns the school as a whole, and a sentence."""

    position: int
    what: str


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What is left of a stream: its entries stay and can be proved, their contents are gone.

    ``erased`` counts the entries that can no longer be read, ``position`` is where the erasure stands (-1 when the
    stream has not been erased), ``intact`` says that the chain of its leaves still holds, and ``left`` names whatever
    else of the stream is still there, by table; nothing, when all is as it should be.
    """

    stream_id: UUID
    erased: int
    position: int
    intact: bool
    left: dict[str, int]

    def __str__(self) -> str:
        if self.position < 0:
            return f"stream {self.stream_id} has not been erased"
        chain = "the chain still holds" if self.intact else "THE CHAIN DOES NOT HOLD: run astrack check-store"
        rest = ", ".join(f"{count} in {table}" for table, count in self.left.items()) or "nothing"
        return (f"{self.erased} entries, unreadable since entry {self.position}; {chain}, and every other stream is "
                f"as it was; left over: {rest}; sealed files already delivered keep what was in them")  # fmt: skip


class StoreError(DomainError):
    """Raised when the store refuses or cannot do what was asked. ``str(error)`` says what to do."""


class VersionClash(StoreError):
    """Raised when somebody else has written to a stream since it was loaded: load again and decide again."""


class ClockBehind(StoreError):
    """Raised when a fact would be recorded before the last one of its school: restamp with ``previous``, retry."""

    def __init__(self, previous: datetime) -> None:
        super().__init__(f"the school's log is already at {instant_text(previous)}: record at that instant or later")
        self.previous = previous


class KeyReused(StoreError):
    """Raised when an idempotency key comes back with another request: use a new key for a new request."""


class SchoolUnknown(StoreError):
    """Raised when a school has no log here: create the school first."""


class StreamErased(StoreError):
    """Raised when a stream has been erased: nothing may follow the erasure."""


class StreamHeld(StoreError):
    """Raised when what is to be erased is under a legal hold: release the hold first."""


class KeysRotated(StoreError):
    """Raised when a school's key was rotated while a new stream was made: send it again."""


class RowHeld(StoreError):
    """Raised when a school's row is held longer than a group of callers waits for it: those are then sent alone."""


class StoreUnavailable(StoreError):
    """Raised when the database does not answer or the connection was lost: repeat with the same idempotency key."""


class UnsafeRole(StoreError):
    """Raised at the start when the database role could bypass row-level security: use a role that cannot."""


class BadSetting(StoreError):
    """Raised when a setting cannot be used: the message names it and says what to set."""


class KeyMissing(StoreError):
    """Raised when a root or school key is absent or does not fit what it should open."""
