"""A hand-over in real Chromium: files are dropped, and every page on the way is as accessible as the others."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import date
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

from astrack.settings import Settings
from astrack.store import Store
from domain.identity import Person
from tests.browser.conftest import SignIn, visiting
from tests.browser.test_accessible import WIDTHS, looked_at
from tests.support.small_school import SmallSchool, build

pytestmark = pytest.mark.browser
DROP = """(drop, [name, content]) => {
    const bytes = Uint8Array.from(atob(content), one => one.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], name));
    drop.dispatchEvent(new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def leaving(store: Store, settings: Settings, school: SmallSchool, address: str) -> SmallSchool:
    """Another school of the same service, with one pupil in Year 10 and a student of 18."""
    made = build(store, settings, pupils=1, years=1, with_past=False)
    made.sessions = school.sessions  # type: ignore[attr-defined]
    grown = Person(surname="Quince", forename="Ann", date_of_birth=date(2008, 1, 2))
    answer = made.records.admit(made.ask(), grown, on=date(2026, 1, 8), year_group=13)
    made.pupils["Ann"] = UUID(answer["pupil_id"])
    return made


@pytest.fixture
def here(browser: Browser, axe: str, leaving: SmallSchool, address: str) -> Iterator[SignIn]:
    """Signs in at the school that a pupil leaves, with axe-core in every page."""
    with visiting(browser, leaving, address) as visit:

        def sign_in(who: str, **asked: bool) -> Page:
            page = visit(who, **asked)
            page.add_init_script(axe)
            return page

        yield sign_in


def has_no_fault(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    assert not (wrong := [one for width in WIDTHS for one in looked_at(page, width)]), page.url + "\n".join(wrong)
    page.set_viewport_size({"width": 1280, "height": 800})


def dropped(page: Page, name: str, content: bytes) -> None:
    page.locator(".drop").first.evaluate(DROP, [name, base64.b64encode(content).decode()])
    assert page.locator(".drop input[type=file]").first.evaluate("one => one.files[0].name") == name


def test_a_record_is_sealed_for_a_school_whose_key_was_dropped_and_what_follows_is_looked_at(
    here: SignIn, visit: SignIn, address: str
) -> None:
    there: Page = visit("dsl")
    there.goto(f"{address}/transfers")
    words = re.findall(r"<strong>([a-z]+(?: [a-z]+){7})</strong>", there.content())[0]
    document = there.request.get(f"{address}/transfers/key-document").body()
    page = here("dsl")
    page.goto(f"{address}/transfers")
    dropped(page, "school.keydoc", document)
    page.fill("form[action='/transfers/take-in'] input[name=words]", words)
    page.click("form[action='/transfers/take-in'] button")
    expect(page.get_by_text("You know this school now")).to_be_visible()
    has_no_fault(page)
    form = page.locator("form[action='/transfers/prepare']")
    form.locator("[name=year]").select_option("10")
    form.locator("[name=to]").select_option(label="Riverside Secondary School")
    form.locator("[name=accepted_on]").fill("2026-03-01")
    form.locator("[name=start_on]").fill("2026-04-20")
    form.locator("button").click()
    expect(page.get_by_text("1 record sealed").first).to_be_visible()
    has_no_fault(page)
    page.goto(f"{address}/transfers")
    has_no_fault(page)
    for kind in ("late", "safeguarding"):
        page.goto(f"{address}/transfers")
        href = page.locator(f"a[href$='/{kind}']").first.get_attribute("href")
        page.goto(f"{address}{href}")
        has_no_fault(page)


def test_a_student_takes_their_own_copy_and_its_page_has_no_fault(here: SignIn, address: str) -> None:
    page = here("Ann")
    page.goto(f"{address}/me")
    with page.expect_navigation():
        page.click("form[action='/me/copy'] button")
    expect(page.get_by_text("AGE-SECRET-KEY-PQ-1").first).to_be_visible()
    has_no_fault(page)
