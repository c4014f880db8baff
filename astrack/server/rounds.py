"""The round of the post: while the service runs, every school's boxes are looked into by the clock."""

from __future__ import annotations

import logging
from uuid import UUID

from astrack.app import App
from astrack.changing import Ask
from astrack.handover import Handover
from astrack.mailbox.carrying import Carrier, CollectingAlready
from domain.base import Actor

log = logging.getLogger(__name__)


class Rounds:
    """Called for each school at each turn; what was refused once waits for a person."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, school_id: UUID) -> None:
        """Take in what came for a school, send receipts, see what was collected; counts alone are logged."""
        post = Carrier.of(Handover(self._app.school(school_id)), self._app.settings)
        if not post.boxes():
            return
        try:
            events = post.collect(Ask(Actor(id=school_id, role="service"), "round"), again=False)
        except CollectingAlready:
            return
        for what in sorted({event.what for event in events}):
            log.info("the round of the post: %s %d", what, sum(event.what == what for event in events))
