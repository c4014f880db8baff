"""Every page of a school of 1,500 pupils: server time, bytes on the wire the first time, Largest Contentful Paint.

The service runs in a process of its own, as it does in a school; the browser is a real Chromium with an empty cache.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import get_args
from uuid import UUID

import httpx
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from astrack.access.callers import COOKIE
from astrack.access.sessions import Sessions
from astrack.app import App
from astrack.records import Ask
from astrack.settings import Settings
from domain.base import Actor, Fact
from domain.journey.facts import AssessmentSat
from domain.journey.state import Journey
from domain.scope import Scope
from domain.staff import StaffRole
from projections import pupils
from tests.support.addresses import PAGES, filled

SERVER_MS, WIRE_KIB, PAINT_MS = 80, 150, 1000
CLASS_MAX = 60
READY_S, SETTLE_S = 120, 2
"""How long the service may take to begin, and to come to rest after it, before anything is measured: seconds."""
STAFF: tuple[StaffRole, ...] = tuple(role for role in get_args(StaffRole) if role != "accreditor")
PAINT = """() => new Promise(told => new PerformanceObserver(seen => told(seen.getEntries().at(-1).startTime))
    .observe({type: 'largest-contentful-paint', buffered: true}))"""


@dataclass(slots=True)
class Page:
    """What one page took: milliseconds of the service, KiB on the wire with an empty cache, milliseconds to paint."""

    who: str
    path: str
    server_p50_ms: float
    server_p95_ms: float
    first_ms: float
    wire_kib: float
    paint_ms: float

    @property
    def holds(self) -> bool:
        """Whether all three bars are held."""
        return self.server_p95_ms < SERVER_MS and self.wire_kib < WIRE_KIB and self.paint_ms < PAINT_MS


def people(app: App, school_id: UUID) -> tuple[dict[str, str], dict[str, object]]:
    """A session cookie for each who, and what the addresses name: one pupil with a plan stands for all of theirs."""
    sessions, everyone = Sessions(app), Scope(everyone=True)
    app.views.catch_up(school_id)
    with app.views.reading(school_id) as cur:
        groups = pupils.dimensions(cur, school_id, everyone)
        group = max(groups["tutor group"], key=lambda one: groups["tutor group"][one])
        mine = Scope(dimensions={"tutor group": frozenset({group})})
        theirs = [one.pupil_id for one in pupils.listed(cur, school_id, mine, limit=CLASS_MAX)]
    journeys = app.school(school_id).journeys(theirs)
    pupil = max(theirs, key=lambda one: len(journeys[one][0].plans))
    year = Scope(dimensions={"year": frozenset({next(iter(groups["year"]))})})
    scopes = {"tutor": mine, "head_of_year": year}
    staff: dict[str, UUID] = {role: _add(app, school_id, role, scopes.get(role, everyone)) for role in STAFF}
    known = {"Mia": pupil, "Kofi": pupil, **staff, **_named(app, school_id, pupil, *journeys[pupil])}
    made = sessions.credentials(school_id)
    codes = {"Mia": made.card(pupil), "family": made.letter(_parent(app, school_id, pupil), pupil)}
    app.school(school_id).release_account(_ask(app), pupil, release_id=app.new_id(), agreed_with_pupil=True)
    codes |= {role: made.code(staff_id) for role, staff_id in staff.items()}
    return {who: _signed_in(sessions, school_id, code) for who, code in codes.items()}, known


def _ask(app: App) -> Ask:
    return Ask(Actor(id=UUID(int=7), role="administrator"), str(app.new_id()))


def _named(app: App, school_id: UUID, pupil: UUID, journey: Journey, facts: Sequence[Fact]) -> dict[str, object]:
    records, asked = app.school(school_id), app.new_id()
    records.receive_request(_ask(app), pupil, request_id=asked, kind="access", asked_by="pupil", on=app.clock().date())
    today, years = app.clock().date(), [] if journey.year_group is None else [journey.year_group]
    records.open_round(
        _ask(app), round_id=app.new_id(), name="Now", opens_on=today, closes_on=today + timedelta(days=9),
        year_groups=years,
    )  # fmt: skip
    if not journey.plans:
        raise SystemExit("Nobody in the tutor group measured has a plan: simulate a larger school.")
    sat = next(fact.event.event_id for fact in facts if isinstance(fact.event, AssessmentSat))
    return {"asked": asked, "sat": sat, "plan": next(iter(journey.plans))}


def _parent(app: App, school_id: UUID, pupil: UUID) -> UUID:
    relation, today = app.new_id(), app.clock().date()
    app.school(school_id).record_relation(
        _ask(app), pupil, relation_id=relation, name="A parent", kind="natural_parent", from_on=today,
        verified_on=today, proof="birth certificate",
    )  # fmt: skip
    return relation


def _signed_in(sessions: Sessions, school_id: UUID, code: str) -> str:
    opened = sessions.sign_in(school_id, code, address="here")
    sessions.mark_proved(opened.signed)  # as after the second factor, which is given once a session
    return opened.cookie


def _add(app: App, school_id: UUID, role: StaffRole, scope: Scope) -> UUID:
    records, staff_id = app.school(school_id), app.new_id()
    records.add_staff(_ask(app), staff_id=staff_id, name=f"A {role}")
    records.record_training(_ask(app), staff_id, module="first-steps", on=app.clock().date(), skill=None)
    records.grant_role(_ask(app), staff_id, grant_id=app.new_id(), role=role, scope=scope)
    return staff_id


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The service in a process of its own, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("astrack")), "serve", "--port", str(port)]
    child = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "ASTRACK_HOME": str(home)})
    base = f"http://127.0.0.1:{port}"
    try:
        _await_ready(base, child)
        yield base
    finally:
        child.terminate()
        child.wait(30)


def _await_ready(base: str, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and child.poll() is None:
        try:
            httpx.get(f"{base}/ready", timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    ended = "ended by itself" if child.poll() is not None else f"was not ready after {READY_S} seconds"
    raise SystemExit(f"The service {ended}, so nothing was measured: what it printed above says why.")


def measure(base: str, browser: Browser, cookies: dict[str, str], who: str, path: str, times: int) -> Page:
    """One page: asked for ``times`` times by a plain client, then once by a browser that never saw the service."""
    jar = {COOKIE: cookies[who]} if who else {}
    took = []
    with httpx.Client(base_url=base, cookies=jar, headers={"Accept-Encoding": "gzip"}, timeout=60) as client:
        for _ in range(times + 1):
            begun = time.perf_counter()
            answer = client.get(path)
            took.append((time.perf_counter() - begun) * 1000)
            assert answer.status_code == 200, f"{who} {path}: {answer.status_code}"
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    if who:
        context.add_cookies([{"name": COOKIE, "value": cookies[who], "url": base}])
    page = context.new_page()
    sizes: list[float] = []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda one: sizes.append(one["encodedDataLength"]))
    page.goto(base + path, wait_until="networkidle")
    paint = page.evaluate(PAINT)
    context.close()
    later = sorted(took[1:])
    return Page(
        who or "anybody", path, later[len(later) // 2], later[min(len(later) - 1, int(0.95 * len(later)))], took[0],
        sum(sizes) / 1024, paint,
    )  # fmt: skip


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder of this run's own, thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="astrack-pages-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # the database's own user goes through it to its folder
        yield Path(folder)


def simulated(home: Path, count: int, rounds: int) -> None:
    """A made-up school of so many pupils in ``home``, unless one is there."""
    if (home / "bench-pages").exists():
        return
    command = [str(ROOT / "scripts" / "simulate"), "--pupils", str(count), "--rounds", str(rounds)]
    subprocess.run(command, check=True, env={**os.environ, "ASTRACK_HOME": str(home)}, stdout=subprocess.DEVNULL)
    (home / "bench-pages").touch()


def run(home: Path, count: int, rounds: int, times: int, only: str) -> list[Page]:
    """Every page of PAGES, or those whose address holds ``only``."""
    simulated(home, count, rounds)
    with App.open(replace(Settings.from_environment(), home=home)) as app:
        school_id = app.store.schools()[0]
        cookies, known = people(app, school_id)
        facts = app.store.log(school_id).size()
    print(f"{count:,} pupils, {facts:,} facts", file=sys.stderr)
    found = shutil.which("chromium") or shutil.which("google-chrome")
    with serving(home) as base, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=found or play.chromium.executable_path, args=["--no-sandbox", "--disable-gpu"]
        )
        time.sleep(SETTLE_S)
        done = []
        for who, path in PAGES:
            if only in path:
                done.append(measure(base, browser, cookies, who, filled(path, known), times))
                done[-1].path = path
                print(_line(done[-1]), file=sys.stderr)
        browser.close()
    return done


def _line(one: Page) -> str:
    return (
        f"{one.who:17} {one.path:40} p50 {one.server_p50_ms:6.0f} ms  p95 {one.server_p95_ms:6.0f} ms  first"
        f" {one.first_ms:6.0f} ms  {one.wire_kib:5.0f} KiB  LCP {one.paint_ms:5.0f} ms{'' if one.holds else '   OVER'}"
    )


def main() -> int:
    """Measure, print, and say by the status whether every page holds its bars."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--pupils", type=int, default=1500)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--times", type=int, default=20, help="requests for each page (20)")
    options.add_argument("--home", type=Path, help="keep the made-up school here, and use it again")
    options.add_argument("--only", default="", help="only pages whose address holds this")
    given = options.parse_args()
    with nullcontext(given.home) if given.home else temporary() as home:
        done = run(home, given.pupils, given.rounds, given.times, given.only)
    if given.json:
        bars = {"server_p95_ms": SERVER_MS, "wire_kib": WIRE_KIB, "paint_ms": PAINT_MS}
        print(json.dumps({"pupils": given.pupils, "bars": bars, "pages": [asdict(one) for one in done]}, indent=1))
    return int(not all(one.holds for one in done))


if __name__ == "__main__":
    sys.exit(main())
