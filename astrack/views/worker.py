"""Catches schools up in the background: after bulk work, and whatever another process has written."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from astrack.views import Views

LOG = logging.getLogger("astrack.views")
POLL_S = 30.0
PAGE = 5_000
PAUSE_MAX_S = 60.0


@dataclass(slots=True)
class Health:
    """How the worker is: facts taken, faults since the last good turn, how often it died."""

    taken: int = 0
    faults: int = 0
    restarts: int = 0


class Worker:
    """One thread that is started again when it dies. Requests do not need it: they catch up themselves.

    ``schools`` says which schools there are; every ``poll_s`` seconds each is looked at, a woken one at once.
    """

    def __init__(self, views: Views, schools: Callable[[], list[UUID]], poll_s: float = POLL_S) -> None:
        self._views, self._schools, self._poll_s = views, schools, poll_s
        self._woken: set[UUID] = set()
        self._bell = threading.Condition()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self.health = Health()

    def start(self) -> None:
        """Begin; returns at once."""
        self._stopped.clear()
        thread = threading.Thread(target=self._supervise, name="astrack-views", daemon=True)
        self._threads = [thread]
        thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End after the page under way, waiting at most ``timeout_s``."""
        self._stopped.set()
        with self._bell:
            self._bell.notify_all()
        for thread in self._threads:
            thread.join(timeout_s)

    def wake(self, school_id: UUID) -> None:
        """Say that a school has facts to be taken."""
        with self._bell:
            self._woken.add(school_id)
            self._bell.notify_all()

    def _supervise(self) -> None:
        pause = 0.1
        while not self._stopped.is_set():
            try:
                self._rounds()
            except Exception:
                # whatever it was, the views must go on; requests see the same fault if it lasts
                self.health.restarts += 1
                LOG.exception("the worker of the views died and is started again in %.1f s", pause)
                self._stopped.wait(pause)
                pause = min(PAUSE_MAX_S, pause * 2)

    def _rounds(self) -> None:
        next_look = 0.0
        while not self._stopped.is_set():
            now = time.monotonic()
            if now >= next_look:
                self._woken.update(self._schools())
                next_look = now + self._poll_s
            self._all_woken()
            with self._bell:
                if not self._woken:
                    self._bell.wait(max(0.05, next_look - time.monotonic()))

    def _all_woken(self) -> None:
        with self._bell:
            woken, self._woken = self._woken, set()
        for school_id in woken:
            if self._stopped.is_set():
                return
            self._catch_up(school_id)

    def _catch_up(self, school_id: UUID) -> None:
        try:
            while not self._stopped.is_set() and (taken := self._views.advance(school_id, PAGE)):
                self.health.taken += taken
            self.health.faults = 0
        except Exception as error:
            self.health.faults += 1
            LOG.warning("the views of school %s could not be caught up: %s", school_id, error)
            self._stopped.wait(min(PAUSE_MAX_S, 0.1 * 2**self.health.faults))
            self.wake(school_id)
