"""The ten main pages of a small made-up school as pictures for the docs: the same school, the same days, every time."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from astrack.server.site import build as build_service
from astrack.settings import Settings
from astrack.store import Store
from tests.support.small_school import SmallSchool, build

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 900 * 1024
SHOTS = (
    # name, who, address, width, height
    ("my-pupils", "tutor", "/pupils", 1280, 560),
    ("pupil", "tutor", "/pupils/{Mia}", 1280, 620),
    ("pupil-phone", "tutor", "/pupils/{Mia}", 360, 720),
    ("plan", "tutor", "/pupils/{Kofi}/plan?about=self_disclosure.low.school", 1280, 620),
    ("sitting", "Tom", "/sit/next", 1280, 720),
    ("my-story", "Mia", "/me", 1280, 620),
    ("handing-over", "dsl", "/transfers", 1280, 560),
    ("audit", "dsl", "/audit/pupils/{Mia}?day=2022-03-12", 1280, 620),
    ("did-it-help", "head", "/impact", 1280, 560),
    ("set-up", "administrator", "/setup", 1280, 560),
)


def main() -> int:
    """Every picture, each with its size; 1 where all together are too large for the docs."""
    os.umask(0o022)
    home = Path(tempfile.mkdtemp(prefix="astrack-shots-"))
    home.chmod(0o711)
    settings = Settings(home=home, database="shots", timeout_s=30, second_factor=False)
    try:
        with Store.open(settings) as store:
            return _take(build(store, settings, pupils=24, years=3, busy=True))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _take(small: SmallSchool) -> int:
    service = build_service(small.app)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(service, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        found = shutil.which("chromium") or shutil.which("google-chrome") or play.chromium.executable_path
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        sizes = [_shot(browser, service, small, f"http://127.0.0.1:{port}", *shot) for shot in SHOTS]
        browser.close()
    server.should_exit = True
    thread.join(20)
    print(f"together {sum(sizes) / 1024:.0f} KiB, at most {MOST_BYTES / 1024:.0f}")
    return int(sum(sizes) > MOST_BYTES)


def _shot(
    browser: Browser,
    service: object,
    small: SmallSchool,
    base: str,
    name: str,
    who: str,
    path: str,
    width: int,
    height: int,
) -> int:
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=1, reduced_motion="reduce"
    )
    page = context.new_page()
    _sign_in(page, service, small, base, who)
    for forename, pupil_id in small.pupils.items():
        path = path.replace(f"{{{forename}}}", str(pupil_id))
    if path == "/sit/next":
        _answer_some(page)
    else:
        page.goto(base + path)
    if "/plan?" in path:
        for step in page.locator(".step").all():
            step.locator("label.choice").first.click()
        page.evaluate("window.scrollTo(0, 0)")
    file = IMAGES / f"{name}.png"
    page.screenshot(path=file)
    context.close()
    print(f"{file.relative_to(ROOT)}  {file.stat().st_size / 1000:.0f} kB")
    return file.stat().st_size


def _answer_some(page: Page) -> None:
    page.click("form[action='/sit/begin'] button")
    for number in range(36):
        before = page.input_value("input[name=item]")
        page.locator(".six button").nth((2, 3, 1, 4)[number % 4]).click()
        page.wait_for_function("was => document.querySelector('input[name=item]')?.value !== was", arg=before)


def _sign_in(page: Page, service: object, small: SmallSchool, base: str, who: str) -> None:
    made = service.state.sessions.credentials(small.school_id)  # type: ignore[attr-defined]
    code = made.card(small.pupils[who]) if who in small.pupils else made.code(small.staff[who])
    page.goto(f"{base}/sign-in")
    page.fill("#code", code)
    page.click("main form button")
    page.wait_for_load_state()


if __name__ == "__main__":
    sys.exit(main())
