"""Fresh ids: UUID version 7 (RFC 9562, section 5.7), so that ids made later sort later."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

FIXED, VERSION_7 = 0xF << 76 | 0b11 << 62, 0x7 << 76 | 0b10 << 62


def uuid7(at: datetime, chance: bytes) -> UUID:
    """The id for an instant and 10 random bytes."""
    raw = int(at.timestamp() * 1000) << 80 | int.from_bytes(chance, "big")
    return UUID(int=raw & ~FIXED | VERSION_7)


def maker(clock: Callable[[], datetime], random: Callable[[int], bytes] = os.urandom) -> Callable[[], UUID]:
    """A function that makes ids from a clock and a source of random bytes."""
    return lambda: uuid7(clock(), random(10))
