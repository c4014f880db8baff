"""kill -9 of the service and of PostgreSQL at random moments: what was acknowledged is there, and nothing is twice."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import pytest

from astrack.settings import Settings
from astrack.store import Store
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from domain.base import Event

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
SCHOOLS = [UUID(int=1), UUID(int=2)]


class KnockHeard(Event):
    """A knock was heard (for these tests)."""

    TOPIC: ClassVar[str] = "test.knock-heard.v1"
    key: str


# four callers, each repeating a command with its own key until it is answered; an answer is told at once
SERVICE = """
import os, sys, threading, time
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4
from astrack.changing import Ask, Changing, Decided, Target, TooBusy
from astrack.settings import Settings
from astrack.store import Store, StoreUnavailable
from domain.base import Actor, Event, StreamClass

class KnockHeard(Event):
    TOPIC: ClassVar[str] = "test.knock-heard.v1"
    key: str

turn = sys.stdin.readline().strip()  # everything is loaded: the turn of this one comes when the one before is dead
store = Store.open(Settings(home=Path(sys.argv[1]), timeout_s=10))
ACTOR = Actor(id=UUID(int=7), role="tutor")

def call(number):
    school = UUID(int=1 + number % 2)
    changing = Changing(store.log(school), lambda: datetime.now(UTC), uuid4)
    shared = UUID(int=100 + number % 2)
    for count in range(10**9):
        key = f"{turn}/{number}/{count}"
        stream = shared if count % 3 == 0 else uuid4()
        decide = lambda loaded, stamp: Decided([[KnockHeard(**stamp.fresh(), key=key)]], {"key": key})
        while True:
            try:
                changing.change(Ask(ACTOR, key), {"knock": key}, [Target(stream, StreamClass.JOURNEY)], decide)
                break
            except (StoreUnavailable, TooBusy):
                time.sleep(0.02)
        os.write(1, f"{school.int} {key}\\n".encode())

threads = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="astrack-"))
    folder.chmod(0o711)
    yield folder
    Store.open(Settings(home=folder)).close()
    shutil.rmtree(folder, ignore_errors=True)


class Loop:
    """A service under fire: what it acknowledged, and what is stored."""

    def __init__(self, home: Path, seed: int) -> None:
        self.home, self.chance, self.said = home, random.Random(seed), home / "said"
        self.round = 0
        with Store.open(Settings(home=home)) as store:
            for school in SCHOOLS:
                store.create_school(school, AT)
            # stays in use, so that no round spends its time on an orderly stop
            self.next = self.spawn()
            self.child = self.start()
            self.wait_for_words(0)

    def spawn(self) -> subprocess.Popen[bytes]:
        """A service that loads its modules now and waits for its turn: no round spends its time on that either."""
        with self.said.open("ab") as out:
            return subprocess.Popen([sys.executable, "-c", SERVICE, str(self.home)], stdin=subprocess.PIPE, stdout=out,
                                    cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip

    def start(self) -> subprocess.Popen[bytes]:
        self.round += 1
        child, self.next = self.next, self.spawn()
        assert child.stdin is not None
        child.stdin.write(b"%d\n" % self.round)
        child.stdin.close()
        return child

    def wait_for_words(self, before: int | None = None) -> None:
        """Until the service has acknowledged something since now, or more than ``before`` bytes of it."""
        before = self.said.stat().st_size if before is None else before
        until = time.monotonic() + 60
        while self.said.stat().st_size == before:
            assert time.monotonic() < until, "the service acknowledges nothing any more"
            time.sleep(0.01)

    def strike(self) -> None:
        """Let it work for a random moment, then kill the service, PostgreSQL, one of its processes, or all."""
        self.wait_for_words()
        time.sleep(self.chance.random() * 0.3)
        aim = self.chance.choice(["service", "postgres", "backend", "both"])
        postmaster = Embedded(self.home).pid()
        if aim in ("service", "both"):
            self.child.kill()
            self.child.wait(30)
        if aim != "service" and postmaster is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.one_of(postmaster) if aim == "backend" else postmaster, signal.SIGKILL)
        if aim in ("service", "both"):
            self.child = self.start()

    def one_of(self, postmaster: int) -> int:
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children")
        found = children.read_text().split() if children.exists() else []
        return int(self.chance.choice(found)) if found else postmaster

    def stop(self) -> None:
        for child in (self.child, self.next):
            child.kill()
            child.wait(30)

    def verify(self) -> int:
        """Everything acknowledged is there, nothing is twice, and every log is sound; how many were acknowledged."""
        acknowledged = [line.split(" ", 1) for line in self.said.read_text().split("\n")[:-1]]
        with Store.open(Settings(home=self.home, timeout_s=20)) as store:
            for school in SCHOOLS:
                log = store.log(school)
                stored: Counter[str] = Counter()
                after = -1
                while page := log.page(after, 2000):
                    stored.update(fact.event.key for fact in page if isinstance(fact.event, KnockHeard))
                    after = page[-1].position
                told = {key for number, key in acknowledged if int(number) == school.int}
                assert told - set(stored) == set(), "acknowledged and lost"
                assert [key for key, count in stored.items() if count > 1] == []
                assert list(check_store(log)) == []
        return len(acknowledged)


def shoot(home: Path, times: int, seed: int) -> None:
    print(f"seed {seed}")
    loop = Loop(home, seed)
    try:
        for number in range(1, times + 1):
            loop.strike()
            if number % 25 == 0:
                loop.verify()
        loop.wait_for_words()
    finally:
        loop.stop()
    assert loop.verify() >= times


def test_what_was_acknowledged_survives_ten_kills(home: Path) -> None:
    shoot(home, 10, 1)


@pytest.mark.long
def test_what_was_acknowledged_survives_two_hundred_kills(home: Path) -> None:
    shoot(home, 200, int.from_bytes(os.urandom(4), "big"))
