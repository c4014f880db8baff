"""Runs the service at a port until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from astrack.server import listening

if TYPE_CHECKING:
    from astrack.app import App


def run(
    app: App, host: str = "127.0.0.1", port: int = 8765, ready: Callable[[], None] | None = None, workers: int = 1
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way have 20 seconds to finish. See ``at``. Raises OSError."""
    with listening.door(host, port) as door:
        at(door, app, ready, workers)


def at(door: socket.socket, app: App, ready: Callable[[], None] | None, workers: int) -> None:
    """The same at a socket that listens already.

    With several ``workers`` each answers in a process of its own, and another does what is due by the clock: this
    one holds the port, and loads nothing of what they need.
    """
    if workers > 1:
        from astrack.server import processes

        processes.run(app.settings, door, workers, ready)
    else:
        _alone(door, app, ready)


def _alone(door: socket.socket, app: App, ready: Callable[[], None] | None) -> None:
    from astrack.server import background, logs, site, watching

    logs.to_stderr()
    watching.trace_to(app.settings.traces)
    made = site.serving(app)
    figures = watching.serve(made.state.watch, app.settings.metrics_port)
    try:
        with background.by_the_clock(app):
            listening.Server(listening.config(made), ready).run([door])
    finally:
        if figures is not None:
            figures.shutdown()
