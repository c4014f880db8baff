"""What is due at a school by the clock, whoever opens a page or does not."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from astrack.app import App
from astrack.changing import Ask
from astrack.handover import Handover
from astrack.store import looks_log
from astrack.store.roots import keep_when_due
from astrack.web.talks import escalate_waiting
from domain.base import Actor


class Clockwork:
    """Called for each school at each turn; safe to call as often as one likes."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._days: dict[UUID, date] = {}

    def __call__(self, school_id: UUID) -> None:
        """Wishes to talk that waited too long go on, roots of logs that grew are kept, and once a day transfers whose
        receipt never came are ended.
        """
        escalate_waiting(self._app, school_id)
        for one in (school_id, looks_log(school_id)):
            keep_when_due(self._app.store.log(one), self._app.clock())
        today = self._app.clock().date()
        if self._days.get(school_id) != today:
            by = Actor(id=school_id, role="service")
            Handover(self._app.school(school_id)).expire(Ask(by, "expire"))
            self._days[school_id] = today
