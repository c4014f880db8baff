"""Between an event and its stored state: commitment || header || nonce || AES-256-GCM(salt || payload)."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from uuid import UUID

from astrack.store.chance import fresh_bytes
from astrack.store.keys import Key, seal, unseal
from domain import catalogue  # noqa: F401  (a topic is known once its module is loaded)
from domain.base import Actor, Erased, Event, Opaque, UnreadableFact, decode
from transfer.errors import TransferRefused
from transfer.evidence.chain import commitment, innermost

EVENT_LABEL = b"astrack/event/v1"
FORMAT = 1
COMMITMENT_BYTES = 32
HEADER = struct.Struct(">BBI")
SALT_BYTES = 32
BODY = COMMITMENT_BYTES + HEADER.size
NOBODY = UUID(int=0)
BLANK = datetime(1970, 1, 1, tzinfo=UTC)
MICROS_TO_2000 = 946_684_800_000_000


def columns_aad(
    school: UUID, stream: UUID, version: int, kind: str, topic: str, at: datetime, header: bytes, committed: bytes
) -> bytes:
    """What binds a ciphertext to its row."""
    since = at - BLANK
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return bound_columns(school.bytes, stream.bytes, version, kind, topic, micros, header, committed)


def bound_columns(
    school: bytes, stream: bytes, version: int, kind: str, topic: str, micros: int, header: bytes, committed: bytes
) -> bytes:
    """``columns_aad`` of bare values; ``micros``: microseconds since 1970."""
    name = topic.encode()
    # the same bytes as keys.bound gives, in three strokes: this runs once for each event read
    head = _HEAD.pack(EVENT_LABEL, 16, school, 16, stream, 8, version, len(kind))
    tail = _TAIL.pack(8, micros, len(header), header, len(committed), committed)
    return b"".join((head, kind.encode(), _LENGTH.pack(len(name)), name, tail))


def seal_state(
    key: Key, school: UUID, stream: UUID, version: int, kind: str, topic: str, at: datetime, payload: bytes
) -> bytes:
    """The state of one row under a fresh salt."""
    salt = fresh_bytes(SALT_BYTES)
    committed = commitment(salt, payload)
    header = HEADER.pack(FORMAT, key.key_class, key.generation)
    aad = columns_aad(school, stream, version, kind, topic, at, header, committed)
    return committed + header + seal(key.cipher, salt + payload, aad)


def key_named(state: bytes) -> tuple[int, int] | None:
    """(class, generation) of the key a state was sealed with; None when its contents have been erased."""
    if len(state) < BODY:
        return None
    version, key_class, generation = HEADER.unpack_from(state, COMMITMENT_BYTES)
    return (key_class, generation) if version == FORMAT else None


def open_state(
    key: Key, school: UUID, stream: UUID, version: int, kind: str, topic: str, at: datetime, state: bytes
) -> tuple[bytes, bytes]:
    """(salt, payload) of a row. Raises InvalidTag when any column or byte differs from what was sealed."""
    aad = columns_aad(school, stream, version, kind, topic, at, state[COMMITMENT_BYTES:BODY], state[:COMMITMENT_BYTES])
    plain = unseal(key.cipher, state[BODY:], aad)
    return plain[:SALT_BYTES], plain[SALT_BYTES:]


def fact_event(payload: bytes, kind: str = "import") -> tuple[str, Event]:
    """(origin, the innermost event) of a payload; what cannot be read stands as an Opaque event, never as an error."""
    try:
        origin, own = innermost(payload) if kind == "import" else ("", payload)
        return origin, decode(own)
    except (UnreadableFact, TransferRefused) as error:
        return "", unreadable(str(error))


def unreadable(reason: str) -> Opaque:
    """Stands where a row is that does not open or decode; check_store says what is wrong with it."""
    return Opaque(event_id=NOBODY, recorded_at=BLANK, by=Actor(id=NOBODY, role=""), topic="store.unreadable",
                  data={"reason": reason})  # fmt: skip


def erased(at: datetime) -> Erased:
    """Stands where a fact was whose key has been destroyed."""
    return Erased(event_id=NOBODY, recorded_at=at, by=Actor(id=NOBODY, role=""))


_HEAD = struct.Struct(f">{len(EVENT_LABEL)}sI16sI16sIqI")
_LENGTH = struct.Struct(">I")
_TAIL = struct.Struct(f">IqI{HEADER.size}sI{COMMITMENT_BYTES}s")
