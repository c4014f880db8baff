"""Wishes to talk: who waits, since when, and who is told next when nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from astrack.access.callers import Caller
from astrack.app import App
from astrack.changing import Ask
from domain.base import Actor, Fact
from domain.journey import facts as f
from domain.journey.state import Journey
from domain.scope import Scope
from projections import risk_register

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


def adults_told(who: Caller, journey: Journey) -> list[str]:
    """The names of those who are told first: who acts as the tutor of this pupil."""
    ids = who.records.staff_ids(STAFF_READ)
    return [
        state.added.name
        for state in who.records.staff_states(ids)
        if state.added and any(
            grant.role == "tutor" and grant.scope.covers(journey.year_group, journey.groups)
            for grant in state.standing(who.today)
        )
    ]  # fmt: skip


def taken_up_by(who: Caller, facts: Sequence[Fact], talk_id: UUID) -> str:
    """The name of who took a wish to talk up; "" where nobody did, or where they have no name here."""
    kind = f.TalkAcknowledged
    by = [one.event.by.id for one in facts if isinstance(one.event, kind) and one.event.talk_id == talk_id]
    state = who.records.staff_state(by[-1]) if by else None
    return state.added.name if state and state.added else ""


WAITING_READ = 500
STAFF_READ = 300


def escalate_waiting(app: App, school_id: UUID) -> int:
    """Tell the safeguarding lead of every wish to talk that has waited too long; how many were told of now.

    Safe to call as often as one likes: each wish is passed on once.
    """
    app.views.catch_up(school_id)
    with app.views.reading(school_id) as cur:
        waiting = risk_register.wishes_to_talk(cur, school_id, Scope(everyone=True), WAITING_READ)
    unanswered = {
        one.pupil.pupil_id for one in waiting if not all(talk["escalated"] for talk in one.risk.talks.values())
    }
    return sum(_escalate(app, school_id, pupil_id) for pupil_id in unanswered)


def _escalate(app: App, school_id: UUID, pupil_id: UUID) -> int:
    records, now = app.school(school_id), app.clock()
    late = [one for one in talks_of(*records.journey(pupil_id)) if one.state == "requested" and one.late(now)]
    for one in late:
        # the service itself acts here, by the clock: no person decided it
        ask = Ask(Actor(id=school_id, role="service"), f"escalate/{one.id}")
        records.escalate_talk(ask, pupil_id, talk_id=one.id, to_role="dsl")
    return len(late)
