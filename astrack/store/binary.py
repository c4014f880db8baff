"""Values as PostgreSQL's own binary form: nothing is quoted or spelt out here, and nothing parsed there."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

EventRow = tuple[UUID, int, str, str, datetime, bytes]
AnswerRow = tuple[UUID, str, bytes, UUID, bytes]
"""Actor, key, hash of the request, stream whose key seals it, sealed answer."""
UUID_OID, INT_OID, BIGINT_OID, TEXT_OID, BYTES_OID, INSTANT_OID = 2950, 23, 20, 25, 17, 1184
OF_ROW = (UUID_OID, BIGINT_OID, TEXT_OID, TEXT_OID, INSTANT_OID, BYTES_OID)
OF_ANSWER = (INT_OID, UUID_OID, TEXT_OID, BYTES_OID, UUID_OID, BYTES_OID)
SINCE = datetime(2000, 1, 1, tzinfo=UTC)
_ARRAY, _EMPTY, _INT, _BIGINT = struct.Struct(">iiiii"), struct.Struct(">iii"), struct.Struct(">i"), struct.Struct(">q")


def array(oid: int, values: Sequence[bytes]) -> bytes:
    """An array of one dimension of values in their binary form, none of them NULL; ``oid`` names their type."""
    if not values:
        return _EMPTY.pack(0, 0, oid)
    return _ARRAY.pack(1, 0, oid, len(values), 1) + b"".join([_INT.pack(len(value)) + value for value in values])


def integer(value: int) -> bytes:
    """An int."""
    return _INT.pack(value)


def bigint(value: int) -> bytes:
    """A bigint."""
    return _BIGINT.pack(value)


def instant(value: datetime) -> bytes:
    """A timestamptz."""
    since = value - SINCE
    return _BIGINT.pack((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def row(values: EventRow) -> list[bytes]:
    """One event, a value for each column."""
    stream, version, kind, topic, at, state = values
    return [stream.bytes, bigint(version), kind.encode(), topic.encode(), instant(at), state]


def columns(rows: Sequence[EventRow]) -> list[bytes]:
    """Several events, an array for each column."""
    return [array(oid, column) for oid, column in zip(OF_ROW, zip(*map(row, rows), strict=True), strict=True)]


def answers(kept: Sequence[tuple[int, AnswerRow]]) -> list[bytes]:
    """Several answers, each with the number (from 1) of an event of its school: an array for each column."""
    rows = [
        (integer(number), actor.bytes, key.encode(), request, stream.bytes, sealed)
        for number, (actor, key, request, stream, sealed) in kept
    ]
    return [array(oid, [one[at] for one in rows]) for at, oid in enumerate(OF_ANSWER)]
