"""A real Chromium over the real service: found or skipped aloud; axe-core fetched once by npm or skipped aloud."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Request, sync_playwright

from astrack.server.site import build as build_service
from astrack.settings import Settings
from astrack.store import Store
from tests.support.small_school import SmallSchool, build

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = "axe-core@4"
WAIT_MS = 90_000
"""Long enough for a machine that does other things too; nothing waits that long when all is well."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one Playwright brought."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    with sync_playwright() as play:
        own = Path(play.chromium.executable_path)
        if found is None and not own.exists():
            pytest.skip("no Chromium: `apt-get install chromium` or `playwright install chromium`")
        started = play.chromium.launch(executable_path=found or str(own), args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core, fetched once."""
    folder = Path(tempfile.gettempdir()) / "astrack-axe-core"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm to fetch axe-core with: install nodejs and npm")
        folder.mkdir(exist_ok=True)
        asked = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
        done = subprocess.run(asked, capture_output=True, timeout=180, check=False)
        if done.returncode or not script.exists():
            pytest.skip("axe-core could not be fetched by npm: check that the registry can be reached")
    return script.read_text()


@pytest.fixture(scope="session")
def school(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings)


@pytest.fixture(scope="session")
def address(school: SmallSchool) -> Iterator[str]:
    """Where the service answers, on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = build_service(school.app)
    server = uvicorn.Server(uvicorn.Config(service, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.05)
    school.sessions = service.state.sessions  # type: ignore[attr-defined]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


SignIn = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, school: SmallSchool, address: str) -> Iterator[SignIn]:
    """A page signed in as a role or a pupil, closed with the test."""
    with visiting(browser, school, address) as sign_in:
        yield sign_in


@contextmanager
def visiting(browser: Browser, school: SmallSchool, address: str) -> Iterator[SignIn]:
    """Signs in as a role or a pupil; any request that leaves the host, and any console error, fails at the end."""
    wrong: list[str] = []
    opened = []

    def sign_in(who: str, *, width: int = 1280, dark: bool = False, faults: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda request: _stays(request, address, wrong))
        if not faults:
            page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
        page.goto(f"{address}/sign-in?school={school.school_id}")
        if who:
            made = school.sessions.credentials(school.school_id)  # type: ignore[attr-defined]
            page.fill("#code", school.code_of(made, who))
            page.click("main form button")
            page.wait_for_load_state()
        return page

    yield sign_in
    for context in opened:
        context.close()
    assert not wrong


def _stays(request: Request, address: str, wrong: list[str]) -> None:
    if not request.url.startswith((address, "data:")):
        wrong.append(f"left the host: {request.url}")
