"""What the service does by the clock, for every school, while it runs: a wish to talk does not wait for a page."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from uuid import UUID

EVERY_S = 60.0
log = logging.getLogger(__name__)


class Ticker:
    """A thread that does something for each school at each turn; a fault in one school does not stop the others."""

    def __init__(
        self, schools: Callable[[], Sequence[UUID]], act: Callable[[UUID], object], every_s: float = EVERY_S
    ) -> None:
        self._schools, self._act, self._every_s = schools, act, every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Begin with a first turn at once."""
        self._thread.start()

    def stop(self, wait_s: float = 10) -> None:
        """End after the school at hand."""
        self._stopped.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._turn()
            self._stopped.wait(self._every_s)

    def _turn(self) -> None:
        try:
            schools = self._schools()
        except Exception:
            log.exception("the clock's work could not begin: it is tried again")
            return
        for school_id in schools:
            if self._stopped.is_set():
                return
            try:
                self._act(school_id)
            except Exception:
                log.exception("the clock's work failed for a school: it is tried again")
