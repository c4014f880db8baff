"""Several processes at one port: all answer, whoever dies is replaced, and none outlives the one that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
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
home, port, figures = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with App.open(Settings(home=home, database="tests", pool_size=3, metrics_port=figures)) as app:
    run(app, "127.0.0.1", port, lambda: print("ready", flush=True), workers=2)
"""


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody uses."""
    for first in range(20_000 + os.getpid() % 5_000, 60_000, 10):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(closing(socket.socket())).bind(("127.0.0.1", port))
            return first
    raise AssertionError("no free ports")


def body(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def children(pid: int) -> set[int]:
    """The processes that answer and the one that keeps the time: the children of the one they are forked from."""
    return {one for seed in born_of(pid) if b"forkserver" in cmdline(seed) for one in born_of(seed)}


def born_of(pid: int) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if holds():
                return True
        time.sleep(0.2)
    return False


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    first = free_ports(9)
    return first, first + 1


@pytest.fixture(scope="module")
def server(store: Store, settings: Settings, ports: tuple[int, int]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM, str(settings.home), *map(str, ports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_each_process_answers_and_serves_its_own_figures(server: subprocess.Popen[str], ports: tuple[int, int]) -> None:
    answered = 0
    for _ in range(200):
        assert '"ok"' in body(ports[0], "/health")
        answered += 1
        told = [body(ports[1] + one, "/metrics").count('route="/health"') for one in (0, 1)]
        if all(told):
            break
    assert all(told), f"one process took all of {answered} connections"


def test_each_process_that_died_is_replaced_while_the_others_answer(
    server: subprocess.Popen[str], ports: tuple[int, int]
) -> None:
    assert soon(lambda: len(children(server.pid)) == 3)
    for one in sorted(children(server.pid)):
        os.kill(one, signal.SIGKILL)
        assert soon(lambda: '"ok"' in body(ports[0], "/ready"))
        assert soon(lambda gone=one: len(children(server.pid) - {gone}) == 3)


def test_no_process_outlives_the_one_that_started_it(server: subprocess.Popen[str], ports: tuple[int, int]) -> None:
    left = children(server.pid)
    assert left
    server.kill()
    server.wait(20)
    assert soon(lambda: not any(Path(f"/proc/{one}").exists() for one in left))
    with closing(socket.socket()) as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", ports[0]))
