"""A mailbox as a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import uvicorn

from astrack import ids
from astrack.app import utc_now
from astrack.mailbox.limits import Limits
from astrack.mailbox.service import build
from astrack.mailbox.shelf import Shelf
from astrack.server import logs
from astrack.server.listening import STOP_S, Server

CONNECTIONS_MAX = 1_000


def run(root: Path, host: str, port: int, address: str, limits: Limits, ready: Callable[[], None]) -> None:
    """Serve the mailbox in a folder until SIGTERM or SIGINT. Raises BadSetting."""
    logs.to_stderr()
    shelf = Shelf(root, utc_now, limits)
    config = uvicorn.Config(
        build(shelf, address, utc_now, ids.maker(utc_now)), host=host, port=port, log_level="warning", access_log=False,
        server_header=False, log_config=None, timeout_graceful_shutdown=STOP_S, timeout_keep_alive=30,
        limit_concurrency=CONNECTIONS_MAX, h11_max_incomplete_event_size=16_384,
    )  # fmt: skip
    try:
        Server(config, ready).run()
    finally:
        shelf.close()
