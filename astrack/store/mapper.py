"""Between an event and its stored state: commitment || header || nonce || AES-256-GCM(salt || payload)."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astrack.store.chance import fresh_bytes
from astrack.store.keys import NONCE_BYTES, SCHOOL_CLASS, Key, bound
from domain import catalogue  # noqa: F401  (a topic is known once its module is loaded)
from domain.base import Actor, Erased, Event, Opaque, UnreadableFact, decode
from transfer.errors import TransferRefused
from transfer.evidence.chain import commitment, told

EVENT_LABEL = b"astrack/event/v1"
FORMAT = 1
COMMITMENT_BYTES = 32
HEADER = struct.Struct(">BBI")
SALT_BYTES = 32
BODY = COMMITMENT_BYTES + HEADER.size
SEALED = BODY + NONCE_BYTES
NAMES_MAX = 10_000
NOBODY = UUID(int=0)
BLANK = datetime(1970, 1, 1, tzinfo=UTC)
MICROS_TO_2000 = 946_684_800_000_000


def beginning(school: bytes, stream: bytes) -> bytes:
    """What all rows of a stream have in common of what binds a ciphertext to its row."""
    return _HEAD.pack(EVENT_LABEL, 16, school, 16, stream)


def columns_aad(
    begun: bytes, version: int, kind: str, topic: str, at: datetime, header: bytes, committed: bytes
) -> bytes:
    """What binds a ciphertext to its row; ``begun``: the ``beginning`` of its stream."""
    since = at - BLANK
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return begun + _VERSION.pack(8, version) + _named(kind, topic) + _TAIL.pack(micros, len(header), header,
                                                                                len(committed), committed)  # fmt: skip


def bound_columns(
    begun: bytes, version: int, kind: str, topic: str, micros: int, header: bytes, committed: bytes
) -> bytes:
    """``columns_aad`` of a bare time; ``micros``: microseconds since 1970."""
    tail = _TAIL.pack(micros, len(header), header, len(committed), committed)
    return begun + _VERSION.pack(8, version) + _named(kind, topic) + tail


@lru_cache(NAMES_MAX)
def _named(kind: str, topic: str) -> bytes:
    return bound(b"", kind.encode(), topic.encode()) + _LENGTH.pack(8)


def seal_state(key: Key, begun: bytes, version: int, kind: str, topic: str, at: datetime, payload: bytes) -> bytes:
    """The state of one row under a fresh salt; ``begun``: the ``beginning`` of its stream."""
    salt = fresh_bytes(SALT_BYTES)
    committed = commitment(salt, payload)
    header = HEADER.pack(FORMAT, key.key_class, key.generation)
    aad = columns_aad(begun, version, kind, topic, at, header, committed)
    nonce = fresh_bytes(NONCE_BYTES)
    return committed + header + nonce + key.cipher.encrypt(nonce, salt + payload, aad)


def key_named(state: bytes) -> tuple[int, int] | None:
    """(class, generation) of the key a state was sealed with; None when its contents have been erased."""
    if len(state) < BODY:
        return None
    version, key_class, generation = HEADER.unpack_from(state, COMMITMENT_BYTES)
    return (key_class, generation) if version == FORMAT else None


def under_schools_key(state: bytes) -> bool:
    """Whether a state was sealed with the key that all streams of the school's own share."""
    named = key_named(state)
    return named is not None and named[0] == SCHOOL_CLASS


def open_state(cipher: AESGCM, begun: bytes, version: int, kind: str, topic: str, at: datetime, state: bytes) -> bytes:
    """salt || payload of a row. Raises InvalidTag when any column or byte differs from what was sealed."""
    aad = columns_aad(begun, version, kind, topic, at, state[COMMITMENT_BYTES:BODY], state[:COMMITMENT_BYTES])
    return cipher.decrypt(state[BODY:SEALED], state[SEALED:], aad)


def fact_event(payload: bytes, kind: str = "import") -> tuple[str, Event]:
    """(origin, the innermost event) of a payload; what cannot be read stands as an Opaque event, never as an error."""
    try:
        origin, own = told(payload) if kind == "import" else ("", payload)
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


_HEAD = struct.Struct(f">{len(EVENT_LABEL)}sI16sI16s")
_VERSION = struct.Struct(">Iq")
_LENGTH = struct.Struct(">I")
_TAIL = struct.Struct(f">qI{HEADER.size}sI{COMMITMENT_BYTES}s")
