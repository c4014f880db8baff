"""Wishes to talk: who waits, since when, and who is told next when nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.base import Fact
from domain.journey import facts as f
from domain.journey.state import Journey

TALK_HOURS = 24
"""How long a wish to talk waits for the tutor before the safeguarding lead is told."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One wish to talk. ``state``: requested, acknowledged or escalated."""

    id: UUID
    at: datetime
    state: str

    def late(self, now: datetime) -> bool:
        """Whether it has waited too long."""
        return self.state != "acknowledged" and now - self.at >= timedelta(hours=TALK_HOURS)


def talks_of(journey: Journey, facts: Sequence[Fact]) -> list[Talk]:
    """A pupil's wishes to talk, the newest first."""
    asked = [fact for fact in facts if isinstance(fact.event, f.TalkRequested)]
    found = [Talk(one.event.talk_id, one.recorded_at, journey.talks[one.event.talk_id]) for one in asked]  # type: ignore[attr-defined]
    return found[::-1]
