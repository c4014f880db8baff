"""The round of the post: while the service runs, every school's boxes are looked into by the clock."""

from __future__ import annotations

import logging
from datetime import date
from uuid import UUID

from astrack.app import App
from astrack.changing import Ask
from astrack.directory.following import Follower
from astrack.handover import Handover
from astrack.mailbox.carrying import Carrier, CollectingAlready
from domain.base import Actor, DomainError
from transfer.errors import TransferRefused

log = logging.getLogger(__name__)


class Rounds:
    """Called for each school at each turn; what was refused once waits for a person."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._days: dict[UUID, date] = {}

    def __call__(self, school_id: UUID) -> None:
        """Read on in directories once a day, take in what came, send receipts; counts alone are logged."""
        hands, ask = Handover(self._app.school(school_id)), Ask(Actor(id=school_id, role="service"), "round")
        self._directories(hands, ask)
        post = Carrier.of(hands, self._app.settings)
        if not post.boxes():
            return
        try:
            events = post.collect(ask, again=False)
        except CollectingAlready:
            return
        for what in sorted({event.what for event in events}):
            log.info("the round of the post: %s %d", what, sum(event.what == what for event in events))

    def _directories(self, hands: Handover, ask: Ask) -> None:
        """A key that was revoked this morning is refused tomorrow, whoever remembers to look."""
        today = hands.clock().date()
        if self._days.get(hands.records.school_id) == today:
            return
        for address in (follower := Follower(hands)).addresses():
            try:
                found = follower.fetch(ask, address)
            except (DomainError, TransferRefused) as refused:
                log.warning("a directory could not be followed: %s", type(refused).__name__)
                continue
            if found["not_ours"] or found["refused"]:
                log.warning("a directory shows keys that are not right: `astrack directory check` says which")
        self._days[hands.records.school_id] = today
