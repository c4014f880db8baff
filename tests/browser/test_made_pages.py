"""Pages that no address leads to, but a form: axe-core finds nothing on them either, at both widths, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import SignIn, visiting
from tests.browser.test_accessible import WIDTHS, looked_at
from tests.support.small_school import SmallSchool

pytestmark = pytest.mark.browser
ROSTER = Path(__file__).parents[2] / "docs" / "examples" / "roster.xml"
Steps = Callable[[SignIn, str, SmallSchool], Page]


@pytest.fixture
def opened(browser: Browser, axe: str, school: SmallSchool, address: str) -> Iterator[SignIn]:
    """As ``visit``, with axe-core in every page."""
    with visiting(browser, school, address) as visit:

        def sign_in(who: str, **asked: bool) -> Page:
            page = visit(who, **asked)
            page.add_init_script(axe)
            return page

        yield sign_in


def pressed(page: Page, selector: str) -> Page:
    """The page that a button leads to."""
    with page.expect_navigation():
        page.locator(selector).first.click()
    return page


def unfolded(page: Page) -> Page:
    """The same page with everything that can be folded away open."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return page


def wrong_card(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("", faults=True)
    page.goto(f"{address}/sign-in?school={school.school_id}")
    page.fill("#code", "acorn album alien amber")
    return pressed(page, "main form button")


def late_form(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("tutor", faults=True)
    page.goto(f"{address}/pupils/{school.pupils['Kofi']}")
    unfolded(page).evaluate("document.querySelector('form[action$=\"/outcomes\"] input[name=token]').value = 'x'")
    return pressed(page, "form[action$='/outcomes'] button")


def news(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page, kofi = visit("tutor", faults=True), school.pupils["Kofi"]
    page.goto(f"{address}/pupils/{kofi}")
    school.records.report_outcome(
        school.ask("dsl"), kofi, outcome_id=school.app.new_id(), on=school.clock().date(), code="attendance",
        source="staff",
    )  # fmt: skip
    pressed(unfolded(page), "form[action$='/outcomes'] button")
    assert page.get_by_role("heading", name="Somebody wrote here while you did").is_visible()
    return page


def goal_question(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("tutor", faults=True)
    page.goto(f"{address}/pupils/{school.pupils['Sam']}/plan?about=trust_of_self.low.school")
    for step in page.locator(".step").all():
        step.locator("label.choice").first.click()
    page.fill("[name=goal]", "Stops being late")
    return pressed(page, "main form button:visible >> nth=-1")


def a_code(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("administrator")
    page.goto(f"{address}/setup/people/{school.staff['tutor']}")
    return pressed(page, "form[action$='/code'] button")


def cards(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("administrator")
    page.goto(f"{address}/setup")
    return pressed(page, "form[action='/setup/cards'] button")


def letters(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("administrator")
    page.goto(f"{address}/setup")
    return pressed(page, "form[action='/setup/letters'] button")


def roster_diff(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("administrator", faults=True)
    page.goto(f"{address}/setup")
    page.locator("input[name=roster]").set_input_files(ROSTER)
    return pressed(page, "form[action='/setup/roster'] button")


def roster_refused(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("administrator", faults=True)
    page.goto(f"{address}/setup")
    page.locator("input[name=roster]").set_input_files({"name": "r.xml", "mimeType": "text/xml", "buffer": b"<CTfile>"})
    return pressed(page, "form[action='/setup/roster'] button")


def hook_key(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("administrator")
    page.goto(f"{address}/setup/webhooks")
    page.fill("[name=address]", "https://93.184.215.14/told")
    page.locator("[name=kind]").first.check()
    return pressed(page, "form[action='/setup/webhooks'] button")


def hook_refused(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("administrator", faults=True)
    page.goto(f"{address}/setup/webhooks")
    page.fill("[name=address]", "https://10.0.0.1/told")
    page.locator("[name=kind]").first.check()
    return pressed(page, "form[action='/setup/webhooks'] button")


def training_answers(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("tutor")
    page.goto(f"{address}/training/first-steps")
    for name in page.eval_on_selector_all("main input[type=radio]", "all => [...new Set(all.map(one => one.name))]"):
        page.locator(f"input[name='{name}']").first.check()
    return pressed(page, "main form button")


def not_today(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("Lowri")
    page.goto(f"{address}/sit")
    return pressed(page, "form[action='/sit/not-today'] button")


def stopped(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("Sam")
    pressed(page, "form[action='/sit/begin'] button")
    return pressed(page, "form[action='/sit/stop'] button")


def asked_to_talk(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("Kofi")
    page.goto(f"{address}/talk")
    return pressed(page, "form[action='/talk'] button")


def welsh_story(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("Mia")
    page.goto(f"{address}/me?lang=cy")
    return unfolded(page)


def welsh_sitting(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("Priya")
    page.goto(f"{address}/sit?lang=cy")
    return pressed(page, "form[action='/sit/begin'] button")


def everything_open(visit: SignIn, address: str, school: SmallSchool) -> Page:
    page = visit("dsl")
    page.goto(f"{address}/pupils/{school.pupils['Mia']}/family")
    return unfolded(page)


MADE: dict[str, Steps] = {
    one.__name__: one
    for one in (
        wrong_card, late_form, news, goal_question, a_code, cards, letters, roster_diff, roster_refused, hook_key,
        hook_refused, training_answers, not_today, stopped, asked_to_talk, welsh_story, welsh_sitting, everything_open,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_a_page_that_a_form_leads_to_has_no_fault(opened: SignIn, address: str, school: SmallSchool, name: str) -> None:
    page = MADE[name](opened, address, school)
    if not page.evaluate("typeof axe !== 'undefined'"):
        raise AssertionError("axe-core is not in the page")
    assert not (wrong := [one for width in WIDTHS for one in looked_at(page, width)]), "\n".join(wrong)
