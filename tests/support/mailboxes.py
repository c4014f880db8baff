"""A mailbox for tests: in this process with a clock of its own, or as a real process that can be killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from astrack.mailbox import shelf
from astrack.mailbox.client import Mailbox
from astrack.mailbox.proof import BoxKey

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """A mailbox as a process; its log goes to a file."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def start(self, before: Callable[[], None] | None = None) -> Served:
        command = [
            sys.executable,
            "-c",
            "from astrack.cli import main; main()",
            "mailbox",
            "serve",
            "--dir",
            str(self.folder),
            "--port",
            str(self.port),
        ]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, preexec_fn=before,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        assert self.process.stdout is not None
        assert "The mailbox is at" in self.process.stdout.readline(), self.log.read_text()
        return self

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            assert self.process.stdout is not None
            self.process.stdout.close()

    def invite(self) -> str:
        return shelf.invite(self.folder, datetime.now(UTC) + timedelta(days=1))

    def box(self) -> BoxKey:
        """A box of its own in this mailbox."""
        key = BoxKey(os.urandom(32))
        with self.client() as asked:
            asked.join(key, self.invite())
        return key

    def client(self) -> Mailbox:
        return Mailbox(self.address, sleep=lambda _: None)
