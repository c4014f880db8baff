"""What a mailbox takes and for how long, and how fast anybody may ask; every figure can be set by who runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from astrack.access import TooManyAttempts
from astrack.access.throttle import Allowance

GIB = 1 << 30
NAMES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. ``keep`` is how long a whole item waits, ``unfinished`` how long a part may stand still."""

    item_bytes: int = GIB + GIB // 8
    box_bytes: int = 20 * GIB
    box_items: int = 1_000
    all_bytes: int = 200 * GIB
    all_items: int = 100_000
    boxes: int = 20_000
    keep: timedelta = timedelta(days=30)
    unfinished: timedelta = timedelta(days=1)


BEGIN = Allowance(burst=600, per_minute=60)
"""Uploads begun into one box: a year group of 240 goes at once, a flood does not."""
ASK = Allowance(burst=600, per_minute=300)
"""Signed requests of one box, and appends to one upload."""
WRONG = Allowance(burst=20, per_minute=6)
"""What one address may get wrong: tokens, invitations, signatures."""


class Rates:
    """Allowances by name, in the memory of the one process that serves a mailbox. Raises TooManyAttempts."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, datetime]] = {}

    def check(self, allowance: Allowance, name: str) -> None:
        """Refuse where nothing is left."""
        left = self._now(allowance, name)
        if left < 1:
            raise TooManyAttempts(timedelta(seconds=(1 - left) * 60 / allowance.per_minute))

    def spend(self, allowance: Allowance, name: str) -> None:
        """Refuse where nothing is left, else take one."""
        self.check(allowance, name)
        left = self._now(allowance, name) - 1
        self._left.pop(name, None)
        while len(self._left) >= NAMES_MAX:
            self._left.pop(next(iter(self._left)))
        self._left[name] = (left, self._clock())

    def _now(self, allowance: Allowance, name: str) -> float:
        if name not in self._left:
            return allowance.burst
        left, at = self._left[name]
        passed = max(0.0, (self._clock() - at).total_seconds())
        return min(allowance.burst, left + passed * allowance.per_minute / 60)
