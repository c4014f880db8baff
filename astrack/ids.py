"""Fresh ids: UUID version 7 (RFC 9562, section 5.7), so that ids made later sort later."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from uuid import UUID


def uuid7(at: datetime, chance: bytes) -> UUID:
    """The id for an instant and 10 random bytes."""
    millis = int(at.timestamp() * 1000).to_bytes(6, "big")
    raw = bytearray(millis + chance)
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return UUID(bytes=bytes(raw))


def maker(clock: Callable[[], datetime], random: Callable[[int], bytes] = os.urandom) -> Callable[[], UUID]:
    """A function that makes ids from a clock and a source of random bytes."""
    return lambda: uuid7(clock(), random(10))
