"""What goes on whether anybody asks or not: once for an installation, however many processes answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from astrack.access.looks import Looks
from astrack.app import App
from astrack.server.clockwork import Clockwork
from astrack.server.pulls import EVERY_S as PULL_EVERY_S
from astrack.server.pulls import Pulls
from astrack.server.rounds import Rounds
from astrack.server.ticking import Ticker
from astrack.views.worker import Worker
from astrack.webhooks.sending import EVERY_S as SEND_EVERY_S
from astrack.webhooks.sending import Sender

LOOKS_EVERY_S = 60.0


@contextmanager
def by_the_clock(app: App) -> Iterator[None]:
    """While the block runs: what is due, the read models, those of who looked, rosters and the round of the post."""
    looks = Looks(app.store, lambda: app.clock(), app.new_id)
    minutes = app.settings.mailbox_minutes
    going = (
        Ticker(app.store.schools, Clockwork(app)),
        Ticker(app.store.schools, Sender(app), SEND_EVERY_S),
        Ticker(app.store.schools, Pulls(app), PULL_EVERY_S),
        Worker(app.views, app.store.schools),
        Worker(looks.views, looks.logs, LOOKS_EVERY_S),
        Ticker(app.store.schools if minutes else lambda: (), Rounds(app), 60.0 * (minutes or 60)),
    )
    for one in going:
        one.start()
    try:
        yield
    finally:
        for one in going:
            one.stop()
