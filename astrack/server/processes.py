"""Several processes that answer at one port: one process has one core, and a whole school sits at once.

The parent holds the port, starts again whoever dies, and does what is due by the clock; the others only answer. What
they share lies in the database: sessions, allowances, drafts, the places of the read models.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing import connection, parent_process

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from astrack.app import App
from astrack.server import listening, logs, serving, watching
from astrack.settings import Settings

MOST = 8
"""Each holds ASTRACK_POOL_SIZE connections and half as many again; the embedded PostgreSQL takes 200."""
HEALTHY_S, START_S = 30, 120


def run(settings: Settings, host: str, port: int, workers: int, ready: Callable[[], None] | None) -> None:
    """Serve with so many processes until SIGTERM or SIGINT; each finishes the requests under way."""
    config = listening(partial(answering, settings), host, port, factory=True, workers=workers)
    config.timeout_worker_healthcheck = HEALTHY_S
    _Processes(config, ready).run()


def answering(settings: Settings) -> FastAPI:
    """The service of one process, over an App of its own."""
    threading.Thread(target=_leave_with_parent, name="parent", daemon=True).start()
    logs.to_stderr()
    watching.trace_to(settings.traces)
    site = serving(App.open(settings, create=False))
    watching.serve_beside(site.state.watch, settings.metrics_port, MOST)
    return site


def _leave_with_parent() -> None:
    """End when the parent was killed: whoever starts the service anew finds the port free."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


class _Processes(Multiprocess):
    """Tells when every process answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config, [config.bind_socket()])
        self._ready = ready

    def init_processes(self) -> None:
        super().init_processes()
        if all(one.wait_until_ready(START_S, self.should_exit) for one in self.processes) and self._ready:
            self._ready()
