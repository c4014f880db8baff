"""The proof: every entry checked beside the pages, and what came of it, whole or exactly what is wrong."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.store import SchoolLog
from astrack.store.fsck import check_store
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.site import Site, see_other
from domain.authority import Action

FINDINGS_SHOWN, KEPT_MAX = 50, 200
AT_ONCE_S = 0.04
"""A small log is checked while the page waits; a large one takes seconds, and nobody waits for a page that long."""
AT_A_TIME_S, RESTS = 0.005, 2
"""What takes longer works so long at a time, and rests so many times as long: pages are made by the same process."""


@dataclass(slots=True)
class Check:
    """One check of one log: ``done_at`` is None while it runs; ``broke``: it could not be carried through."""

    entries: int
    begun_at: datetime
    done_at: datetime | None = None
    findings: list[tuple[int, str]] = field(default_factory=list)
    broke: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


class Checks:
    """The newest check of each log, in this process alone. Safe to share between threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._newest: dict[UUID, Check] = {}

    def newest(self, log: SchoolLog) -> Check:
        """The newest check of a log, the first one begun here; a short one is waited for."""
        with self._lock:
            known = self._newest.get(log.school_id)
        if known is None:
            known = self.begin(log)
            known.ended.wait(AT_ONCE_S)
        return known

    def begin(self, log: SchoolLog) -> Check:
        """Check a log anew, unless that is being done already."""
        with self._lock:
            running = self._newest.get(log.school_id)
            if running is not None and running.done_at is None:
                return running
            made = self._newest[log.school_id] = Check(log.size(), self._clock())
            while len(self._newest) > KEPT_MAX:
                self._newest.pop(next(iter(self._newest)))
        threading.Thread(target=self._run, args=(log, made), daemon=True, name="check").start()
        return made

    def _run(self, log: SchoolLog, check: Check) -> None:
        try:
            found = islice(check_store(log, moved=gently()), FINDINGS_SHOWN)
            check.findings = [(one.position, one.what) for one in found]
        except Exception:  # whatever stops a check must show on the page, not in a thread nobody sees
            logging.getLogger(__name__).exception("a check of a log could not be carried through")
            check.broke = True
        check.done_at = self._clock()
        check.ended.set()


def gently(
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Callable[[], None]:
    """To be called at each step of long work beside pages: leaves them most of the time, once it has taken too long to
    be waited for.
    """
    begun = since = clock()

    def rest() -> None:
        nonlocal since
        now = clock()
        if now - since > AT_A_TIME_S and now - begun > AT_ONCE_S:
            sleep(RESTS * (now - since))
            since = clock()

    return rest


def proof_pages(site: Site) -> APIRouter:
    """What the newest check found, and another one."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    checks = Checks(lambda: site.app.clock())

    @router.get("/audit/proof")
    def proof(request: Request, who: Who) -> Response:
        who.see(Action.VERIFY)
        checked = [(name, log.size(), checks.newest(log)) for name, log in _logs(who)]
        running = any(one.done_at is None for _, _, one in checked)
        return site.page(request, "proof.html", viewer=who.viewer, checked=checked, running=running)

    @router.post("/audit/proof")
    def again(who: Who, sent: Sent) -> Response:
        who.may(Action.VERIFY)
        for _, log in _logs(who):
            checks.begin(log)
        return see_other("/audit/proof")

    return router


def _logs(who: Caller) -> list[tuple[str, SchoolLog]]:
    return [("record", who.records.log), ("looks", who.looks.log(who.records.school_id))]
