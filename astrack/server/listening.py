"""How the service listens: the port is open before anything is loaded, so that who comes waits and is not refused."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import uvicorn

STOP_S = 20
CONNECTIONS_MAX = 4_000
"""More than a large school has tablets and staff: each keeps a connection open between two answers."""
WAITING_MAX = 2_048


def door(host: str, port: int) -> socket.socket:
    """A socket that listens already. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(WAITING_MAX)
    except OSError:
        made.close()
        raise
    return made


def config(site: Any | Callable[[], Any], **more: Any) -> uvicorn.Config:
    """What uvicorn is told."""
    return uvicorn.Config(
        site, log_level="warning", access_log=False, server_header=False, log_config=None,
        timeout_graceful_shutdown=STOP_S, timeout_keep_alive=30, limit_concurrency=CONNECTIONS_MAX,
        backlog=WAITING_MAX, h11_max_incomplete_event_size=65_536, **more,
    )  # fmt: skip


class Server(uvicorn.Server):
    """Tells when the port is answered."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self._ready is not None and self.started:
            self._ready()
