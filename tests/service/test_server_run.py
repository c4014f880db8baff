"""The server as a process of its own: it says when it is ready, answers, and finishes what is under way when told to stop."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from astrack.settings import Settings
from astrack.store import Store

PROGRAM = """
import sys
from pathlib import Path
from astrack.app import App
from astrack.server.running import run
from astrack.settings import Settings
with App.open(Settings(home=Path(sys.argv[1]), database="tests", pool_size=4, second_factor=False)) as app:
    run(app, "127.0.0.1", int(sys.argv[2]), lambda: print("ready", flush=True))
"""


@pytest.fixture(scope="module")
def port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(store: Store, settings: Settings, port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM, str(settings.home), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_it_answers_once_it_says_it_is_ready(server: subprocess.Popen[str], port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = wire.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"status":"ok"' in answer
    assert b"server:" not in answer.lower().split(b"\r\n\r\n")[0]


def test_a_request_under_way_is_answered_before_it_stops(server: subprocess.Popen[str], port: int) -> None:
    body = b'{"school_id": "00000000-0000-0000-0000-000000000000", "code": "x"}'
    head = b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(head % len(body) + body[:10])
        time.sleep(0.5)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert server.poll() is None
        wire.sendall(body[10:])
        answer = wire.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"application/problem+json" in answer
    # 143: the embedded database stops in order and passes the signal on
    assert server.wait(20) in (0, 128 + signal.SIGTERM, -signal.SIGTERM)
