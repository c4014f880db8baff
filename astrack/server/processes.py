"""Several processes that answer at one port: one process has one core, and a whole school sits at once.

The parent holds the port and starts again whoever dies; one process does what is due by the clock, the others answer.
All are forked from one that has loaded what they need (``seed``). What they share lies in the database: sessions,
allowances, drafts, the places of the read models.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing import connection, forkserver, get_context, parent_process
from multiprocessing.process import BaseProcess
from socket import socket
from typing import TYPE_CHECKING

import uvicorn._subprocess
from uvicorn.supervisors import Multiprocess

from astrack.server import listening
from astrack.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

MOST = 8
"""Each holds ASTRACK_POOL_SIZE connections and half as many again; the embedded PostgreSQL takes 200."""
HEALTHY_S, START_S = 30, 120
SEED = "astrack.server.seed"
FORKED = get_context("forkserver")


def begin() -> None:
    """Start the process from which the others are forked: it loads while the caller opens the database."""
    FORKED.set_forkserver_preload([SEED])
    forkserver.ensure_running()


def run(settings: Settings, door: socket, workers: int, ready: Callable[[], None] | None) -> None:
    """Serve with so many processes until SIGTERM or SIGINT; each finishes the requests under way."""
    begin()
    # uvicorn would have each load everything anew
    uvicorn._subprocess.spawn = FORKED  # type: ignore[assignment]
    config = listening.config(partial(answering, settings), factory=True, workers=workers)
    config.timeout_worker_healthcheck = HEALTHY_S
    _Processes(config, door, partial(keeping_time, settings), ready).run()


def answering(settings: Settings) -> FastAPI:
    """The service of one process, over an App of its own."""
    from astrack.app import App
    from astrack.server import site, watching

    _stand_alone(settings)
    made = site.serving(App.open(settings, create=False))
    watching.serve_beside(made.state.watch, settings.metrics_port, MOST)
    return made


def keeping_time(settings: Settings) -> None:
    """Do what is due by the clock until SIGTERM."""
    from astrack.app import App
    from astrack.server import background

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    _stand_alone(settings)
    with App.open(settings, create=False) as app, background.by_the_clock(app):
        ended.wait()


def _stand_alone(settings: Settings) -> None:
    from astrack.server import logs, watching

    threading.Thread(target=_leave_with_parent, name="parent", daemon=True).start()
    logs.to_stderr()
    watching.trace_to(settings.traces)


def _leave_with_parent() -> None:
    """End when the parent was killed: whoever starts the service anew finds the port free."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


class _Processes(Multiprocess):
    """Tells when every process answers, and keeps the one that does what is due going beside them."""

    def __init__(
        self, config: uvicorn.Config, door: socket, clock: Callable[[], None], ready: Callable[[], None] | None
    ) -> None:
        super().__init__(config, [door])
        self._ready, self._clock = ready, clock
        self._time: BaseProcess | None = None

    def init_processes(self) -> None:
        super().init_processes()
        if all(one.wait_until_ready(START_S, self.should_exit) for one in self.processes) and self._ready:
            self._ready()

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        if not self.should_exit.is_set() and (self._time is None or not self._time.is_alive()):
            self._time = FORKED.Process(target=self._clock)
            self._time.start()

    def terminate_all(self) -> None:
        super().terminate_all()
        if self._time is not None:
            self._time.terminate()

    def join_all(self) -> None:
        super().join_all()
        if self._time is not None:
            self._time.join(listening.STOP_S)
