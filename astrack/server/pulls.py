"""Rosters that come by themselves: while the service runs, each school's own system is read once a day."""

from __future__ import annotations

import logging
from uuid import UUID

from astrack.app import App
from astrack.changing import Ask
from astrack.roster.source import RosterSource
from domain.base import Actor

EVERY_S = 600.0
log = logging.getLogger(__name__)


class Pulls:
    """Called for each school at each turn; what waits for a person or failed stands on the set-up page."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, school_id: UUID) -> None:
        """Read a roster that is due; what came of it alone is logged."""
        ours = RosterSource(self._app.school(school_id))
        if ours.due():
            ask = Ask(Actor(id=school_id, role="service"), f"roster-pull/{self._app.new_id()}")
            log.info("a roster was read: %s", ours.pull(ask).came)
