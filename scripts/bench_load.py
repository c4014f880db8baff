"""A whole school sits at once while staff read: latencies, errors, lost answers; and the same with a kill halfway.

1,000 pupils answer one question after another (a page, an answer, a pause of 8 to 16 seconds: ten minutes for the 48
of the demonstration instrument), 50 members of staff open lists and pupils' pages. Server, database and clients share
this machine. An answer counts as lost when it was acknowledged and is not in the pupil's draft at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))

from astrack.access.sessions import Sessions
from astrack.app import App
from astrack.changing import Ask
from astrack.settings import Settings
from astrack.web import draft as drafts
from domain import staff
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey.facts import Group
from domain.scope import Scope

OFFICE = Actor(id=UUID(int=1), role="administrator")
PAUSE_S, STAFF_PAUSE_S = (8.0, 16.0), (3.0, 7.0)
TOKEN, ITEM = re.compile(rb'name="token" value="([^"]+)"'), re.compile(rb'name="item" value="([^"]+)"')
SERVE = """
import sys
from dataclasses import replace
from pathlib import Path
from astrack import server
from astrack.app import App
from astrack.settings import Settings
with App.open(Settings(home=Path(sys.argv[1]), second_factor=False)) as app:
    server.run(app, "127.0.0.1", int(sys.argv[2]), lambda: print("ready", flush=True))
"""


@dataclass
class Tally:
    """What was met: seconds by kind of request, statuses that were not as they should be, reconnections."""

    took: dict[str, list[float]] = field(default_factory=lambda: {"page": [], "answer": [], "staff": []})
    wrong: list[str] = field(default_factory=list)
    cut: int = 0
    acknowledged: dict[UUID, set[str]] = field(default_factory=dict)


@dataclass
class School:
    """Who takes part, each with a session cookie."""

    school_id: UUID
    round_id: UUID
    pupils: dict[UUID, str] = field(default_factory=dict)
    tutors: list[str] = field(default_factory=list)


def ask() -> Ask:
    return Ask(OFFICE, str(uuid4()))


def prepare(home: Path, pupils: int, tutors: int) -> School:
    with App.open(Settings(home=home, second_factor=False)) as app:
        school = School(uuid4(), uuid4())
        app.create_school(school.school_id)
        records, sessions = app.school(school.school_id), Sessions(app)
        records.register_school(ask(), SchoolName(school_id=school.school_id, name="Mill Lane"))
        today = datetime.now(UTC).date()
        for number in range(pupils):
            born = date(today.year - 12, 1, 1) + timedelta(days=number % 300)
            person = Person(surname=f"Pupil{number:04}", forename="Sam", date_of_birth=born)
            group = Group(dimension="tutor group", name=f"{number % tutors:02}")
            made = records.admit(ask(), person, on=today - timedelta(days=60), year_group=7, groups=[group])
            pupil = UUID(made["pupil_id"])
            card = sessions.credentials(school.school_id).card(pupil)
            school.pupils[pupil] = sessions.sign_in(school.school_id, card, address="bench").cookie
        records.open_round(
            ask(), round_id=school.round_id, name="Autumn", opens_on=today - timedelta(days=1),
            closes_on=today + timedelta(days=7), year_groups=[7],
        )  # fmt: skip
        for number in range(tutors):
            scope = Scope(dimensions={"tutor group": frozenset({f"{number:02}"})})
            school.tutors.append(tutor(app, sessions, school.school_id, scope))
        app.views.catch_up(school.school_id)
    return school


def tutor(app: App, sessions: Sessions, school_id: UUID, scope: Scope) -> str:
    records, staff_id = app.school(school_id), uuid4()
    records.add_staff(ask(), staff_id=staff_id, name="Tutor")
    records.grant_role(ask(), staff_id, grant_id=uuid4(), role="tutor", scope=scope)
    records.record_training(ask(), staff_id, module=staff.FIRST_MODULE, on=datetime.now(UTC).date())
    return sessions.sign_in(school_id, sessions.credentials(school_id).code(staff_id), address="bench").cookie


class Server:
    """The service as a process of its own."""

    def __init__(self, home: Path, port: int) -> None:
        self._home, self.port = home, port
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self._home), str(self.port)], stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[1],
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


class Browser:
    """One connection that is kept, with one session; opened again when it was cut."""

    def __init__(self, port: int, cookie: str, tally: Tally) -> None:
        self._port, self._cookie, self._tally = port, cookie, tally
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, kind: str, method: str, path: str, form: str = "") -> tuple[int, bytes]:
        while True:
            begun = time.perf_counter()
            try:
                status, body = await asyncio.wait_for(self._send(method, path, form), 30)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                # the way back may have been cut after the answer was taken: asking again is what a browser does
                self._tally.cut += 1
                self._writer = None
                await asyncio.sleep(0.5)
                continue
            self._tally.took[kind].append(time.perf_counter() - begun)
            return status, body

    async def _send(self, method: str, path: str, form: str) -> tuple[int, bytes]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nCookie: astrack={self._cookie}\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n"
        self._writer.write((head + "\r\n" + form).encode())
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size = re.search(r"content-length: (\d+)", answer)
        body = await self._reader.readexactly(int(size[1])) if size else b""
        if "connection: close" in answer:
            self._writer.close()
            self._writer = None
        return int(answer.split()[1]), body


async def sit(browser: Browser, pupil: UUID, tally: Tally, until: float) -> None:
    given = tally.acknowledged.setdefault(pupil, set())
    await asyncio.sleep(random.uniform(0, PAUSE_S[1]))
    status, _ = 0, b""
    while time.monotonic() < until:
        status, page = await browser.ask("page", "GET", "/sit/next")
        token, item = TOKEN.search(page), ITEM.search(page)
        if status != 200 or token is None or item is None:
            tally.wrong.append(f"page {status}")
            await asyncio.sleep(1)
            continue
        form = f"token={token[1].decode()}&item={item[1].decode()}&answer={random.randint(1, 6)}"
        status, _ = await browser.ask("answer", "POST", "/sit/answer", form)
        if status == 303:
            given.add(item[1].decode())
        else:
            tally.wrong.append(f"answer {status}")
        await asyncio.sleep(random.uniform(*PAUSE_S))


async def read(browser: Browser, tally: Tally, until: float) -> None:
    await asyncio.sleep(random.uniform(0, STAFF_PAUSE_S[1]))
    paths = ["/pupils", "/plans"]
    while time.monotonic() < until:
        status, page = await browser.ask("staff", "GET", random.choice(paths))
        if status != 200:
            tally.wrong.append(f"staff {status}")
        found = re.findall(rb'href="(/pupils/[0-9a-f-]{36})"', page)
        paths = ["/pupils", "/plans", *(one.decode() for one in found[:5])]
        await asyncio.sleep(random.uniform(*STAFF_PAUSE_S))


async def halfway(server: Server, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def run(server: Server, school: School, seconds: float, *, kill: bool) -> Tally:
    tally, until = Tally(), time.monotonic() + seconds
    people = [sit(Browser(server.port, cookie, tally), pupil, tally, until) for pupil, cookie in school.pupils.items()]
    people += [read(Browser(server.port, cookie, tally), tally, until) for cookie in school.tutors]
    if kill:
        people.append(halfway(server, seconds / 2))
    await asyncio.gather(*people)
    return tally


def lost(home: Path, school: School, tally: Tally) -> int:
    with App.open(Settings(home=home, second_factor=False)) as app:
        records, missing = app.school(school.school_id), 0
        for pupil, given in tally.acknowledged.items():
            kept = drafts.load(records, school.round_id, pupil)
            sat = any(one.round_id == school.round_id for one in records.journey(pupil)[0].sittings)
            have = set(kept.answers) | {"practice"} if kept else set()
            missing += 0 if sat else len(given - have)
        return missing


def figures(tally: Tally, missing: int) -> dict[str, Any]:
    everything = [one for kind in tally.took.values() for one in kind]
    made: dict[str, Any] = {
        f"{kind}_p95_ms": round(statistics.quantiles(took, n=20)[-1] * 1000, 1)
        for kind, took in {**tally.took, "all": everything}.items()
        if len(took) > 20
    }
    made["p50_ms"] = round(statistics.median(everything) * 1000, 1)
    answers = sum(map(len, tally.acknowledged.values()))
    return {**made, "requests": len(everything), "answers": answers, "errors": len(tally.wrong),
            "kinds_of_error": sorted(set(tally.wrong))[:5], "connections_cut": tally.cut,
            "lost_answers": missing}  # fmt: skip


def measure(args: argparse.Namespace, *, kill: bool) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="astrack-load-"))
    home.chmod(0o711)
    try:
        school = prepare(home, args.pupils, args.staff)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = Server(home, port)
        try:
            tally = asyncio.run(run(server, school, args.seconds, kill=kill))
        finally:
            server.stop()
        return figures(tally, lost(home, school, tally))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--pupils", type=int, default=1000)
    options.add_argument("--staff", type=int, default=50)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--json", action="store_true")
    options.add_argument("--only", choices=["steady", "killed"])
    args = options.parse_args()
    wanted = [args.only] if args.only else ["steady", "killed"]
    found = {name: measure(args, kill=name == "killed") for name in wanted}
    print(json.dumps({"cores": os.cpu_count(), "pupils": args.pupils, "staff": args.staff, **found}, indent=1))


if __name__ == "__main__":
    main()
