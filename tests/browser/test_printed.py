"""What is printed and given out: a card's square, looked at as a tablet does, leads to a sign-in and leaves no trace."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect

from tests.support.small_school import SmallSchool

pytestmark = pytest.mark.browser
DOTS = """async png => { const sent = await fetch('data:image/png;base64,' + png);
    const image = await createImageBitmap(await sent.blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    const dots = context.getImageData(0, 0, image.width, image.height).data;
    return [image.height, image.width, Array.from(dots).filter((_, at) => at % 4 === 1)]; }"""
"""A picture as numbers: its green is as good as its grey."""


def scanned(browser: Browser, square: bytes) -> str:
    """What a reader of codes makes of a picture."""
    page = browser.new_page()
    high, wide, dots = page.evaluate(DOTS, base64.b64encode(square).decode())
    page.close()
    (found,) = zxingcpp.read_barcodes(np.array(dots, np.uint8).reshape(high, wide))
    return found.text


def made(page: Page, address: str, kind: str) -> Page:
    """A sheet of cards or letters for a tutor group, as it is printed."""
    page.goto(f"{address}/setup")
    form = page.locator(f"form[action='/setup/{kind}']")
    form.locator("select").select_option("tutor group=10B")
    form.get_by_role("button").click()
    page.wait_for_selector(".qr")
    page.emulate_media(media="print")
    return page


def test_a_printed_card_is_scanned_and_signs_its_pupil_in(
    visit: Any, browser: Browser, address: str, school: SmallSchool
) -> None:
    sheet = made(visit("administrator"), address, "cards")
    ticket = sheet.locator(".ticket", has_text="Tom")
    words = ticket.locator(".words").inner_text()
    link = scanned(browser, ticket.locator(".qr").screenshot())
    assert link.partition("#")[0] == f"{address}/sign-in?school={school.school_id}"
    tablet: Page = visit("")
    sent: list[str] = []
    tablet.on("request", lambda one: sent.extend([one.url, one.post_data or "", *one.headers.values()]))
    tablet.goto(link)
    expect(tablet.locator("#code")).to_have_value(words)
    expect(tablet.locator("main form button").first).to_be_focused()
    assert "#" not in tablet.url and not any(words.split()[0] in one for one in sent), "the words went out"
    assert "/sign-in" in tablet.url, "nobody is signed in by a link alone"
    tablet.keyboard.press("Enter")
    expect(tablet.get_by_role("heading", name="Tom")).to_be_visible()


def test_a_letters_square_holds_its_code(visit: Any, browser: Browser, address: str, school: SmallSchool) -> None:
    letter = made(visit("administrator"), address, "letters").locator(".letter", has_text="Tom Hughes")
    link = scanned(browser, letter.locator(".qr").screenshot())
    assert link.partition("#card=")[2] == letter.locator(".ticket-code").inner_text()


def test_a_card_in_the_dark_is_still_black_on_white(visit: Any, browser: Browser, address: str) -> None:
    sheet = made(visit("administrator", dark=True, width=360), address, "cards")
    sheet.emulate_media(media="screen")
    assert "/sign-in?school=" in scanned(browser, sheet.locator(".qr").first.screenshot())
