"""Keys: a root key opens each school's key, which opens the keys of its streams."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astrack.store.chance import fresh_bytes
from astrack.store.types import KeyMissing
from domain.base import StreamClass

NONCE_BYTES = 12
KEY_BYTES = 32
WRAP_LABEL = b"astrack/wrap/v1"
CLASSES: dict[StreamClass, int] = {
    StreamClass.JOURNEY: 1,
    StreamClass.IDENTITY: 2,
    StreamClass.SAFEGUARDING: 3,
    StreamClass.STAFF: 4,
    StreamClass.SCHOOL: 5,
}
SCHOOL_CLASS = CLASSES[StreamClass.SCHOOL]


@dataclass(frozen=True, slots=True)
class Key:
    """One key ready for use, with the class and generation that headers name."""

    key_class: int
    generation: int
    cipher: AESGCM


def seal(cipher: AESGCM, plain: bytes, aad: bytes) -> bytes:
    """nonce || AES-256-GCM."""
    nonce = fresh_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, aad)


def unseal(cipher: AESGCM, sealed: bytes, aad: bytes) -> bytes:
    """What ``seal`` sealed. Raises InvalidTag."""
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], aad)


def bound(label: bytes, *parts: bytes) -> bytes:
    """A label and length-prefixed parts: no two different lists give the same bytes."""
    return label + b"".join(struct.pack(">I", len(part)) + part for part in parts)


def wrap(under: AESGCM, key: bytes, school: UUID, stream: UUID, key_class: int, generation: int) -> bytes:
    """A key sealed under another, bound to where it belongs."""
    return seal(under, key, place_of(school, stream, key_class, generation))


def unwrap(under: AESGCM, wrapped: bytes, school: UUID, stream: UUID, key_class: int, generation: int) -> AESGCM:
    """The key again, ready for use. Raises KeyMissing when it was wrapped under another key or for another place."""
    return AESGCM(bare(under, wrapped, school, stream, key_class, generation))


def bare(under: AESGCM, wrapped: bytes, school: UUID, stream: UUID, key_class: int, generation: int) -> bytes:
    """The key's own bytes, to wrap them anew. Raises KeyMissing."""
    try:
        return unseal(under, wrapped, place_of(school, stream, key_class, generation))
    except InvalidTag as error:
        raise KeyMissing(
            f"the key of stream {stream} of school {school} does not open: check that the root key is the one "
            "this database was written with"
        ) from error


def new_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def place_of(school: UUID, stream: UUID, key_class: int, generation: int) -> bytes:
    """What binds a wrapped key to where it belongs; a school's own wrapping key has class 0."""
    return bound(WRAP_LABEL, school.bytes, stream.bytes, bytes([key_class]), struct.pack(">I", generation))
