"""The demo's clock: it tells the story's time, a little later at each look, and jumps when the story does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

TICK = timedelta(milliseconds=20)


class StoryClock:
    """Call it for the present instant of the story."""

    def __init__(self, day: date) -> None:
        self._now = datetime.combine(day, time(9), UTC)

    def __call__(self) -> datetime:
        """The present instant of the story."""
        self._now += TICK
        return self._now

    def go_to(self, day: date) -> date:
        """Jump to nine o'clock of a day; never back."""
        self._now = max(self._now, datetime.combine(day, time(9), UTC))
        return self._now.date()

    @property
    def today(self) -> date:
        """The story's day."""
        return self._now.date()
