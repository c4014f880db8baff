"""A whole school sits at once while staff read: latencies, errors, lost answers; and the same with a kill halfway.

1,000 pupils, each somewhere in the questions and with two earlier sittings, answer one after another (a page, an
answer, a pause of 8 to 16 seconds: ten minutes for the 48 of the demonstration instrument) and hand in when they are
through; 50 members of staff open lists and pupils' pages, one each 3 to 7 seconds. Browsers run no scripts here, which
costs two requests an answer. By default one minute of it is measured, which is the harder run where the service is
killed: an outage of seconds is a tenth of it, and one in a hundred of a sitting; ``--seconds 600`` is the whole
sitting. The service is ``astrack serve``; the outage lasts from the kill until it says that it answers, and who was cut
off counts as waiting from the first try on. Service, database and clients share this machine; what each takes of it is
told. An answer counts as lost when it was acknowledged and is not, with its value, in the pupil's draft or sitting at
the end.
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
from astrack.records import Records
from astrack.records.sitting import Sitting
from astrack.settings import Settings
from astrack.store.embedded import Embedded
from astrack.web import draft as drafts
from domain import instrument, staff
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey.facts import AssessmentSat, Group
from domain.scope import Scope

OFFICE = Actor(id=UUID(int=1), role="administrator")
PAUSE_S, STAFF_PAUSE_S = (8.0, 16.0), (3.0, 7.0)
TOKEN, ITEM, SITTING = (re.compile(rb'name="%s" value="([^"]+)"' % one) for one in (b"token", b"item", b"sitting"))


@dataclass
class Tally:
    """What was met: seconds by kind of request, statuses that were not as they should be, reconnections."""

    took: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"page": [], "answer": [], "staff": []})
    wrong: list[str] = field(default_factory=list)
    cut: int = 0
    down: tuple[float, float] | None = None
    acknowledged: dict[UUID, dict[str, int]] = field(default_factory=dict)
    handed_in: int = 0
    cpu: dict[str, float] = field(default_factory=dict)


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
        for ago in (50, 30):
            sat_before(records, list(school.pupils), today - timedelta(days=ago))
        records.open_round(
            ask(), round_id=school.round_id, name="Autumn", opens_on=today - timedelta(days=1),
            closes_on=today + timedelta(days=7), year_groups=[7],
        )  # fmt: skip
        for pupil in school.pupils:
            begin(app, records, school.round_id, pupil)
        for number in range(tutors):
            scope = Scope(dimensions={"tutor group": frozenset({f"{number:02}"})})
            school.tutors.append(tutor(app, sessions, school.school_id, scope))
        app.views.catch_up(school.school_id)
    return school


def sat_before(records: Records, pupils: list[UUID], on: date) -> None:
    round_id, items = uuid4(), [one.id for one in instrument.newest().items]
    records.open_round(ask(), round_id=round_id, name="Before", opens_on=on, closes_on=on, year_groups=[7])
    for start in range(0, len(pupils), 50):
        sat = [
            Sitting(pupil, uuid4(), {item: min(6, max(1, round(random.gauss(3.5, 1.4)))) for item in items})
            for pupil in pupils[start : start + 50]
        ]
        records.hand_in_class(ask(), sat, round_id=round_id, on=on)


def begin(app: App, records: Records, round_id: UUID, pupil: UUID) -> None:
    items = [one.id for one in instrument.newest().items]
    answered = dict.fromkeys(items[: random.randrange(len(items))], 3)
    drafts.save(records, round_id, pupil, drafts.Draft(app.new_id(), practised=1, answers=answered))


def tutor(app: App, sessions: Sessions, school_id: UUID, scope: Scope) -> str:
    records, staff_id = app.school(school_id), uuid4()
    records.add_staff(ask(), staff_id=staff_id, name="Tutor")
    records.grant_role(ask(), staff_id, grant_id=uuid4(), role="tutor", scope=scope)
    records.record_training(ask(), staff_id, module=staff.FIRST_MODULE, on=datetime.now(UTC).date())
    return sessions.sign_in(school_id, sessions.credentials(school_id).code(staff_id), address="bench").cookie


class Server:
    """The service as a process of its own."""

    def __init__(self, home: Path, port: int, workers: int) -> None:
        self.home, self.port, self._workers = home, port, workers
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from astrack.cli import main; main()",
             "serve", "--port", str(self.port), "--workers", str(self._workers)],
            env={**os.environ, "ASTRACK_HOME": str(self.home), "ASTRACK_SECOND_FACTOR": "off", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1], start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("astrack is at")

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


class Browser:
    """One connection that is kept, with one session; opened again when it was cut."""

    def __init__(self, port: int, cookie: str, tally: Tally) -> None:
        self._port, self._cookie, self._tally = port, cookie, tally
        self.location = ""
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, kind: str, method: str, path: str, form: str = "") -> tuple[int, bytes]:
        # from the first try on: who was cut off has waited since then
        begun = time.perf_counter()
        while True:
            try:
                status, body = await asyncio.wait_for(self._send(method, path, form), 30)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                # the way back may have been cut after the answer was taken: asking again is what a browser does
                self._tally.cut += 1
                self._writer = None
                await asyncio.sleep(0.5)
                continue
            self._tally.took[kind].append((begun, time.perf_counter()))
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
        moved = re.search(r"location: (\S+)", answer)
        self.location = moved[1] if moved else ""
        size = re.search(r"content-length: (\d+)", answer)
        body = await self._reader.readexactly(int(size[1])) if size else b""
        if "connection: close" in answer:
            self._writer.close()
            self._writer = None
        return int(answer.split()[1]), body


async def sit(browser: Browser, pupil: UUID, tally: Tally, until: float) -> None:
    given = tally.acknowledged.setdefault(pupil, {})
    await asyncio.sleep(random.uniform(0, PAUSE_S[1]))
    while time.monotonic() < until:
        status, page = await browser.ask("page", "GET", "/sit/next")
        token, item, sitting = TOKEN.search(page), ITEM.search(page), SITTING.search(page)
        if status != 200 or token is None or item is None or sitting is None:
            tally.wrong.append(f"page {status}")
            await asyncio.sleep(1)
            continue
        value = random.randint(1, 6)
        form = f"token={token[1].decode()}&sitting={sitting[1].decode()}&item={item[1].decode()}&answer={value}"
        status, _ = await browser.ask("answer", "POST", "/sit/answer", form)
        if status != 303:
            tally.wrong.append(f"answer {status}")
            continue
        given[item[1].decode()] = value
        if browser.location == "/sit/done":
            tally.handed_in += 1
            return
        await asyncio.sleep(random.uniform(*PAUSE_S))


async def read(browser: Browser, tally: Tally, until: float) -> None:
    await asyncio.sleep(random.uniform(0, STAFF_PAUSE_S[1]))
    paths = lists = ["/pupils", "/plans", "/pupils/all"]
    while time.monotonic() < until:
        status, page = await browser.ask("staff", "GET", random.choice(paths))
        if status != 200:
            tally.wrong.append(f"staff {status}")
        found = re.findall(rb'href="(/pupils/[0-9a-f-]{36})"', page)
        paths = [*lists, *(one.decode() for one in found[:5])] if found else paths
        await asyncio.sleep(random.uniform(*STAFF_PAUSE_S))


async def halfway(server: Server, tally: Tally, after_s: float) -> None:
    await asyncio.sleep(after_s)
    begun = time.perf_counter()
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    tally.down = begun, time.perf_counter()


async def run(server: Server, school: School, seconds: float, *, kill: bool) -> Tally:
    tally, until = Tally(), time.monotonic() + seconds
    people = [sit(Browser(server.port, cookie, tally), pupil, tally, until) for pupil, cookie in school.pupils.items()]
    watched = None if kill else Watched(server)
    people += [read(Browser(server.port, cookie, tally), tally, until) for cookie in school.tutors]
    if kill:
        people.append(halfway(server, tally, seconds / 2))
    await asyncio.gather(*people)
    tally.cpu = watched.shares() if watched else {}
    return tally


class Watched:
    """What the service, its database, these clients and everybody else take of the machine from now on."""

    def __init__(self, server: Server) -> None:
        self._server, self._begun = server, time.monotonic()
        self._at = self._now()

    def shares(self) -> dict[str, float]:
        """Per cent of all cores."""
        whole = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        used = {name: now - self._at[name] for name, now in self._now().items()}
        used["others"] = used.pop("machine") - sum(used.values())
        return {name: round(100 * seconds / whole, 1) for name, seconds in used.items()}

    def _now(self) -> dict[str, float]:
        of = {int(one.name): one for one in Path("/proc").iterdir() if one.name.isdigit()}
        lines = {pid: stat for pid, place in of.items() if (stat := stat_of(place))}
        tick = os.sysconf("SC_CLK_TCK")
        busy = sum(map(int, [*Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:4]]))
        postmaster = Embedded(self._server.home).pid()
        return {"service": tree(lines, self._server.process.pid) / tick, "database": tree(lines, postmaster) / tick,
                "clients": tree(lines, os.getpid(), alone=True) / tick, "machine": busy / tick}  # fmt: skip


def stat_of(place: Path) -> list[str]:
    try:
        return (place / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def tree(stats: dict[int, list[str]], root: int | None, *, alone: bool = False) -> int:
    """Ticks of a process, of what it waited for, and of those below it."""
    mine = sum(map(int, stats[root][11 : 13 if alone else 15])) if root in stats else 0
    below = [] if alone else [pid for pid, stat in stats.items() if int(stat[1]) == root]
    return mine + sum(tree(stats, pid) for pid in below)


def lost(home: Path, school: School, tally: Tally) -> int:
    with App.open(Settings(home=home, second_factor=False)) as app:
        records, missing = app.school(school.school_id), 0
        for pupil, given in tally.acknowledged.items():
            kept = drafts.load(records, school.round_id, pupil)
            sat = [fact.event for fact in records.journey(pupil)[1] if isinstance(fact.event, AssessmentSat)]
            ended = next((one.answers for one in sat if one.round_id == school.round_id), {})
            have = {**ended, **(kept.answers if kept else {})}
            missing += sum(have.get(item) != value for item, value in given.items())
        return missing


def figures(tally: Tally, missing: int) -> dict[str, Any]:
    spans = [one for kind in tally.took.values() for one in kind]
    everything = [end - begun for begun, end in spans]
    waits = {kind: [end - begun for begun, end in took] for kind, took in tally.took.items()}
    made: dict[str, Any] = {
        f"{kind}_p95_ms": round(statistics.quantiles(took, n=20)[-1] * 1000, 1)
        for kind, took in {**waits, "all": everything}.items()
        if len(took) > 20
    }
    made |= {"p50_ms": round(statistics.median(everything) * 1000, 1), "worst_ms": round(max(everything) * 1000, 1)}
    made["over_250_ms"] = sum(one > 0.25 for one in everything)
    if tally.down:
        down, up = tally.down
        met = sum(begun < up and end > down for begun, end in spans)
        made |= {"outage_s": round(up - down, 2), "requests_that_met_it": met}
    answers = sum(map(len, tally.acknowledged.values()))
    return {**made, "requests": len(everything), "answers": answers, "errors": len(tally.wrong),
            "kinds_of_error": sorted(set(tally.wrong))[:5], "connections_cut": tally.cut,
            "handed_in": tally.handed_in, "lost_answers": missing, "cpu_percent": tally.cpu}  # fmt: skip


def measure(args: argparse.Namespace, *, kill: bool) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="astrack-load-"))
    home.chmod(0o711)
    try:
        school = prepare(home, args.pupils, args.staff)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = Server(home, port, args.workers)
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
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--json", action="store_true")
    options.add_argument("--only", choices=["steady", "killed"])
    args = options.parse_args()
    wanted = [args.only] if args.only else ["steady", "killed"]
    found = {name: measure(args, kill=name == "killed") for name in wanted}
    asked = {name: getattr(args, name) for name in ("pupils", "staff", "workers", "seconds")}
    print(json.dumps({"cores": os.cpu_count(), **asked, **found}, indent=1))


if __name__ == "__main__":
    main()
