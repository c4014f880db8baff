"""How often a wrong sign-in may be tried: slow for who guesses, unnoticed by a class of thirty behind one address.

Only failures cost. Whoever signed in from a device before is known by a cookie and has an allowance of their own, so
that somebody who guesses from the same address, or from everywhere at once, cannot shut the others out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

BUCKETS_MAX = 50_000


class Allowance:
    """Buckets of tries by name: ``burst`` at once, then ``per_minute``. The most recently used are remembered."""

    def __init__(self, clock: Callable[[], datetime], burst: int, per_minute: float) -> None:
        self._clock, self._burst, self._rate = clock, float(burst), per_minute / 60
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, name: str) -> timedelta:
        """How long until another try is allowed; zero when one is now."""
        with self._lock:
            left = self._left(name)
        return timedelta(0) if left >= 1 else timedelta(seconds=(1 - left) / self._rate)

    def spend(self, name: str) -> None:
        """Count one failure."""
        with self._lock:
            self._buckets[name] = (max(0.0, self._left(name) - 1), self._clock())
            self._buckets.move_to_end(name)
            while len(self._buckets) > BUCKETS_MAX:
                self._buckets.popitem(last=False)

    def _left(self, name: str) -> float:
        left, at = self._buckets.get(name, (self._burst, self._clock()))
        return min(self._burst, left + max(0.0, (self._clock() - at).total_seconds()) * self._rate)
