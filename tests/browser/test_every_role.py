"""Every role's main journey in real Chromium: by keyboard alone on a wide light screen, by finger on a dark phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from domain.scope import Scope
from tests.browser.conftest import SignIn
from tests.browser.test_journeys import tab_to
from tests.support.small_school import SmallSchool

pytestmark = pytest.mark.browser


@dataclass
class Hand:
    """Somebody at a page: with the Tab key and no mouse, or with a finger."""

    page: Page
    address: str
    school: SmallSchool
    keyboard: bool

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def reach(self, selector: str) -> None:
        """Put the focus on the first of what the selector names."""
        if self.keyboard:
            tab_to(self.page, selector, most=300)
        else:
            self.page.locator(selector).first.scroll_into_view_if_needed()

    def open(self, selector: str) -> None:
        """Unfold what is folded away."""
        self.reach(selector)
        if self.keyboard:
            self.page.keyboard.press("Enter")
        else:
            self.page.locator(selector).first.click()

    def write(self, selector: str, words: str) -> None:
        self.reach(selector)
        if self.keyboard:
            self.page.keyboard.type(words)
        else:
            self.page.locator(selector).first.fill(words)

    def tick(self, selector: str) -> None:
        self.reach(selector)
        if self.keyboard:
            self.page.keyboard.press("Space")
        else:
            self.page.locator(selector).first.check()

    def press(self, selector: str) -> None:
        """A link or a button, and the page it leads to."""
        self.reach(selector)
        with self.page.expect_navigation():
            if self.keyboard:
                self.page.keyboard.press("Enter")
            else:
                self.page.locator(selector).first.click()

    def reads(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible()


def family(hand: Hand) -> None:
    hand.press("button[value=out]")
    hand.reads("no assessment is taken until you change it")
    hand.press("button[value=in]")
    hand.reads("your child may take part again")
    hand.press("a[href='/about']")


def head(hand: Hand) -> None:
    hand.reads("Did it help?")
    hand.press("form.filters button")
    hand.press("a[href='/truth']") if hand.keyboard else hand.go("/truth")
    hand.reads("How right?")


def head_of_year(hand: Hand) -> None:
    talk(hand.school, "Aisha")
    hand.go("/talks")
    hand.press("form[action^='/talks/'] button")
    hand.reads("Thank you. The pupil's page says that you will see them.")


def tutor(hand: Hand) -> None:
    hand.press("a[href='/plans']")
    hand.reads("Plans")
    hand.go(f"/pupils/{hand.school.pupils['Mia']}")
    hand.press("a[href$='/plan']")
    hand.reads("Plan in ten minutes")


def pupil(hand: Hand) -> None:
    hand.go("/talk")
    if hand.page.locator("form[action='/talk']").count():
        hand.press("form[action='/talk'] button")
    hand.reads("Your tutor has been told")
    hand.go("/me")
    hand.reads("My story")


def dsl(hand: Hand) -> None:
    made, today = hand.school.app.new_id(), hand.school.clock().date()
    hand.school.records.hand_off(
        hand.school.ask("tutor"), hand.school.pupils["Tom"], hand_off_id=made, on=today, reference="CP-2026-014"
    )
    hand.go("/safeguarding")
    hand.press(f"form[action$='{made}'] button")
    hand.reads("It is on record that you have taken this up.")


def dpo(hand: Hand) -> None:
    request: UUID = hand.school.app.new_id()
    hand.school.records.receive_request(
        hand.school.ask("dsl"), hand.school.pupils["Tom"], request_id=request, kind="access", asked_by="pupil",
        on=hand.school.clock().date(),
    )  # fmt: skip
    hand.go("/rights")
    hand.press(f"a[href='/rights/requests/{request}']")
    form = "form[action$='/extend']"
    if not hand.page.locator(f"{form} button").is_visible():
        hand.open(f"details:has({form}) > summary")
    hand.write(f"{form} textarea, {form} input[name=extend_why]", "there are four hundred items to read")
    hand.press(f"{form} button")
    hand.reads("There are up to two months more.")


def administrator(hand: Hand) -> None:
    hand.press("a[href='/setup/people']")
    hand.write("input[name=name]", "Una Outram")
    hand.tick("input[name=scope]")
    hand.press("form[action='/setup/people'] button")
    hand.reads("Una Outram")


def lead_practitioner(hand: Hand) -> None:
    hand.go("/guidance?about=trust_of_self.low.school")
    hand.open("details:has(form[action='/guidance/review']) > summary")
    hand.write("form[action='/guidance/review'] input[name=reviewer]", "Dr Lee, educational psychologist")
    hand.press("form[action='/guidance/review'] button")
    hand.reads("It is on record who reviewed it, and when.")


def auditor(hand: Hand) -> None:
    hand.press("a[href='/audit/proof']")
    expect(hand.page.get_by_text("Whole.").first).to_be_visible()
    hand.go("/audit")
    hand.reach("form[action='/audit/bundle'] button")
    with hand.page.expect_download() as given:
        if hand.keyboard:
            hand.page.keyboard.press("Enter")
        else:
            hand.page.locator("form[action='/audit/bundle'] button").click()
    assert given.value.suggested_filename


def accreditor(hand: Hand) -> None:
    hand.reads("Accreditation")


JOURNEYS: dict[str, Callable[[Hand], None]] = {
    "tutor": tutor, "head_of_year": head_of_year, "Priya": pupil, "family": family, "head": head, "dsl": dsl, "dpo": dpo,
    "administrator": administrator, "lead_practitioner": lead_practitioner, "auditor": auditor, "accreditor": accreditor,
}  # fmt: skip


def talk(school: SmallSchool, name: str) -> None:
    school.records.ask_to_talk(school.ask("pupil"), school.pupils[name], talk_id=school.app.new_id())


@pytest.mark.parametrize("keyboard", [True, False], ids=["keyboard", "phone"])
@pytest.mark.parametrize("who", JOURNEYS)
def test_the_main_journey_of_a_role(visit: SignIn, address: str, school: SmallSchool, who: str, keyboard: bool) -> None:
    if who == "accreditor" and who not in school.staff:
        school.add_staff("accreditor", Scope(everyone=True), "Dr Outside")
    page = visit(who, width=1280 if keyboard else 360, dark=not keyboard)
    JOURNEYS[who](Hand(page, address, school, keyboard))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
