"""The reader in real Chromium, from a file on disk and without a network: opens, refuses, discloses, goes on, prints."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from transfer import age, disclosure, package, reader
from transfer.keys.trust import Trust

FILES = Path(__file__).parents[2] / "transfer" / "reader" / "conformance"
WAIT_MS = 60_000
LOOKS = [(360, "light"), (1280, "dark")]
KEY = (FILES / "student.agekey").read_text().split("\n")[1]


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page, opened from disk with no network at all."""
    path = tmp_path_factory.mktemp("reader") / reader.NAME
    path.write_bytes(reader.page())
    context = browser.new_context(offline=True, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(path.as_uri())
    yield page
    context.close()


@pytest.fixture
def page(opened: Page) -> Page:
    opened.reload()
    return opened


def open_record(page: Page, data: bytes, key: str = KEY) -> None:
    page.set_input_files("#file", {"name": "record.tar.age", "mimeType": "application/octet-stream", "buffer": data})
    page.fill("#key", key)
    page.click("#open button[type=submit]")
    page.wait_for_selector("#verified, #refused")


def good() -> bytes:
    return (FILES / "good.tar.age").read_bytes()


def test_a_students_record_opens_and_is_told(page: Page) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    spaced = " ".join(KEY[at : at + 8] for at in range(0, len(KEY), 8)).lower()
    open_record(page, good(), spaced)
    text = page.inner_text("#result")
    for part in ("Mabli Hartley, from 8 to 18", "Verified", "It tells 8 facts", "From ash school: 5 facts",
                 "What this page cannot know", "You joined Ash school in Year 4", "A plan began",
                 "One adult, the same each time.", "corrected since"):  # fmt: skip
        assert part in text, part
    assert page.locator("svg.journey-wide circle.dot").count() == 14
    assert page.evaluate("document.activeElement.id") == "result"
    assert wrong == []


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_a_flipped_byte_is_refused_and_nothing_is_shown(page: Page, share: float) -> None:
    changed = bytearray(good())
    changed[int(len(changed) * share)] ^= 1
    open_record(page, bytes(changed))
    assert "Not verified" in page.inner_text("#result")
    assert "Mabli" not in page.inner_text("body")


def test_a_rewritten_fact_and_a_wrong_key_are_refused(page: Page) -> None:
    open_record(page, (FILES / "bad-fact-rewritten.tar.age").read_bytes())
    assert "does not commit to this payload" in page.inner_text("#refused")
    open_record(page, good(), (FILES / "other.agekey").read_text())
    assert "sealed for another key" in page.inner_text("#refused")
    open_record(page, good(), KEY[:-1])
    assert "a letter of it is wrong or missing" in page.inner_text("#refused")


def test_chosen_events_are_disclosed_and_anybody_can_check_them(page: Page) -> None:
    open_record(page, good())
    page.click("#disclose summary")
    page.fill("#whom", "A college")
    page.check("#about")
    chosen = ["00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000007"]
    for event in chosen:
        page.check(f"#choose-{event}")
    with page.expect_download() as saved:
        page.click("#save-proof")
    data = Path(saved.value.path()).read_bytes()
    found = disclosure.read(data, Trust())
    told = {json.loads(payload)["event_id"] for one in found.logs for payload in one.payloads}
    assert told == set(chosen)
    assert found.person is not None and found.person["surname"] == "Hartley"
    page.reload()
    page.set_input_files("#proof", {"name": "a.proof", "mimeType": "application/octet-stream", "buffer": data})
    page.set_input_files("#proof-trust", FILES / "beech.keydoc")
    page.click("#check button[type=submit]")
    page.wait_for_selector("#verified")
    text = page.inner_text("#result")
    assert "2 events, chosen by the holder of the record for A college" in text
    assert "About Mabli Hartley, born 4 March 2016, as beech school signed it." in text
    assert "keys of ash school" in text and "keys of beech school" not in text


def test_an_altered_proof_is_refused(page: Page) -> None:
    page.set_input_files("#proof", FILES / "bad-fact-rewritten.proof")
    page.click("#check button[type=submit]")
    page.wait_for_selector("#refused")


def test_the_student_goes_on_with_their_own_words(page: Page) -> None:
    open_record(page, good())
    page.click("#add summary")
    page.fill("#reflection", 'I <b>kept</b> the plan & "more".')
    with page.expect_download() as saved:
        page.click("#save-record")
    data = Path(saved.value.path()).read_bytes()
    key = age.read_agekey((FILES / "student.agekey").read_text())
    assert len(package.read(package.open_sealed(io.BytesIO(data), [key]), Trust()).lines) == 9
    page.reload()
    open_record(page, data)
    assert 'I <b>kept</b> the plan & "more".' in page.inner_text("#story")
    assert "From The student: 1 fact" in page.inner_text("#verified")


def test_nothing_can_leave_the_page(page: Page) -> None:
    asked = "url => fetch(url).then(() => 'sent', () => 'blocked')"
    for url in ("https://example.org/", "data:text/plain,x", page.url):
        assert page.evaluate(asked, url) == "blocked", url


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_is_accessible_and_fits(page: Page, axe: str, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    open_record(page, good())
    page.click("#disclose summary")
    page.click("#add summary")
    page.evaluate(axe)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints(page: Page) -> None:
    open_record(page, good())
    page.emulate_media(media="print")
    assert not page.is_visible("#open") and page.is_visible("#story") and page.is_visible("svg.journey-wide")
    assert page.pdf().startswith(b"%PDF")
    page.emulate_media(media="screen")
