"""How often a wrong sign-in may be tried: slow for who guesses, unnoticed by a class of thirty behind one address.

Only failures cost. Whoever signed in from a device before is known by a cookie and has an allowance of their own, so
that somebody who guesses from the same address, or from everywhere at once, cannot shut the others out. The buckets
lie in the database: several processes share them. An address is kept as a keyed hash, for a day at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from astrack.store import SchoolLog

KEPT_FOR = timedelta(days=1)
LEFT = "SELECT left_over, at FROM record.tries WHERE school_id = %s AND name = %s"
SPEND = (
    "INSERT INTO record.tries AS t VALUES (%s, %s, %s, %s) ON CONFLICT (school_id, name) DO UPDATE SET"
    " left_over = greatest(0, least(%s, t.left_over + %s * greatest(0, extract(epoch FROM excluded.at - t.at))) - 1),"
    " at = greatest(t.at, excluded.at)"
)
FORGET = "DELETE FROM record.tries WHERE school_id = %s AND at < %s"
REMEMBER = (
    "INSERT INTO record.tries AS t VALUES (%s, %s, 1, %s) ON CONFLICT (school_id, name) DO UPDATE SET at = excluded.at"
)

ONCE = "INSERT INTO record.tries VALUES (%s, %s, 0, %s) ON CONFLICT DO NOTHING RETURNING 1"


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many tries at once, then so many a minute."""

    burst: float
    per_minute: float


class Tries:
    """The allowances of one school. ``hashed`` makes a name's keyed hash."""

    def __init__(self, log: SchoolLog, clock: Callable[[], datetime], hashed: Callable[[str], bytes]) -> None:
        self._log, self._clock, self._hashed = log, clock, hashed

    def wait(self, allowance: Allowance, name: str) -> timedelta:
        """How long until another try is allowed; zero when one is now."""
        rows = self._log.ask(LEFT, self._hashed(name))
        if not rows:
            return timedelta(0)
        passed = max(0.0, (self._clock() - rows[0][1]).total_seconds())
        left = min(allowance.burst, rows[0][0] + passed * allowance.per_minute / 60)
        return timedelta(0) if left >= 1 else timedelta(seconds=(1 - left) * 60 / allowance.per_minute)

    def spend(self, allowance: Allowance, name: str) -> None:
        """Count one failure."""
        now, rate = self._clock(), allowance.per_minute / 60
        self._log.ask(SPEND, self._hashed(name), allowance.burst - 1, now, allowance.burst, rate)
        self._log.ask(FORGET, now - KEPT_FOR)

    def once(self, name: str, until: datetime) -> bool:
        """Whether a name is met for the first time; it is remembered past ``until``, which is at most a day ahead."""
        return bool(self._log.ask(ONCE, self._hashed("once/" + name), max(self._clock(), until)))

    def remember(self, name: str) -> None:
        """Note that somebody signed in from here."""
        self._log.ask(REMEMBER, self._hashed("known/" + name), self._clock())

    def known(self, name: str) -> bool:
        """Whether somebody signed in from here within a day."""
        rows = self._log.ask(LEFT, self._hashed("known/" + name))
        return bool(rows) and self._clock() - rows[0][1] < KEPT_FOR
