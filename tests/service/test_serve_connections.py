"""How many connections a command takes: the service as many as its settings say, any other a few."""

from __future__ import annotations

import socket
from contextlib import closing, nullcontext
from typing import Any

import pytest

from astrack.app import App
from astrack.server import running as server
from astrack.settings import Settings
from tests.support.command import Run


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("command", "size"), [("serve", 40), ("school list", 4)])
def test_the_service_takes_the_connections_it_was_given_and_a_command_a_few(
    run: Run, running: App, monkeypatch: pytest.MonkeyPatch, command: str, size: int
) -> None:
    opened: list[int] = []

    def noting(settings: Settings, **_: Any) -> Any:
        opened.append(settings.pool_size)
        return nullcontext(running)

    monkeypatch.setenv("ASTRACK_POOL_SIZE", "40")
    monkeypatch.setattr(App, "open", noting)
    monkeypatch.setattr(server, "at", lambda *_: None)
    asked = command.split() + (["--port", str(free_port())] if command == "serve" else [])
    assert run(*asked)[0] == 0
    assert opened == [size]
