"""The main journeys in real Chromium: by mouse, once by keyboard alone, once without scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from domain import instrument, support
from tests.support.small_school import SmallSchool

pytestmark = pytest.mark.browser
ITEMS = len(instrument.newest().items)


def test_a_tutor_goes_from_the_list_to_a_plan(visit: Any, address: str, school: SmallSchool) -> None:
    page: Page = visit("tutor")
    expect(page).to_have_title("My pupils - astrack")
    page.get_by_role("link", name="Kofi Osei", exact=True).first.click()
    page.get_by_role("link", name="Plan in ten minutes").click()
    page.get_by_role("link", name="In school: keeps to self").click()
    second, third = page.locator(".step").nth(1), page.locator(".step").nth(2)
    expect(second.locator("fieldset")).to_be_hidden()
    page.locator(".step").nth(0).locator("label.choice").first.click()
    expect(second.locator("fieldset")).to_be_visible()
    expect(third.locator("fieldset")).to_be_hidden()
    second.locator("label.choice").nth(1).click()
    third.locator("label.choice").nth(0).click()
    page.get_by_role("button", name="Begin the plan").click()
    expect(page.get_by_text("The plan has begun")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Plan in ten minutes")).to_be_visible()


def tab_to(page: Page, selector: str, most: int = 150) -> None:
    """Go on with the Tab key until the focus is on what the selector names: no mouse, no script of ours."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
            return
    raise AssertionError(f"the Tab key does not reach {selector}")


def follow(page: Page, selector: str) -> None:
    """Press a link or a button by keyboard and wait for the page it leads to."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_plan_is_written_by_keyboard_alone_in_at_most_twelve_decisions(
    visit: Any, address: str, school: SmallSchool
) -> None:
    page: Page = visit("tutor")
    pupil = school.pupils["Aisha"]
    page.goto(f"{address}/pupils/{pupil}")
    before = set(school.records.journey(pupil)[0].plans)
    path, decisions = f"/pupils/{pupil}/plan", 0
    follow(page, f"a[href='{path}']")
    follow(page, f"a[href='{path}?about=trust_of_self.low.school']")
    for name in ("cause", "risk", "signpost"):
        tab_to(page, f"input[name={name}]")
        page.keyboard.press("Space")
        decisions += 1
    follow(page, "main form button")
    decisions += 2
    expect(page.get_by_text("The plan has begun")).to_be_visible()
    (made,) = (plan.opened for key, plan in school.records.journey(pupil)[0].plans.items() if key not in before)
    assert decisions <= support.DECISIONS_MAX
    assert (len(made.causes), len(made.risks), len(made.signposts), made.own_strategies) == (1, 1, 1, ())
    assert made.goal and made.owner_id == school.staff["tutor"]
    assert made.end_on - made.start_on == timedelta(weeks=6)


def test_a_step_cannot_be_reached_before_the_one_before_it_is_answered(
    visit: Any, address: str, school: SmallSchool
) -> None:
    page: Page = visit("tutor")
    page.goto(f"{address}/pupils/{school.pupils['Aisha']}/plan?about=trust_of_self.low.school")
    with pytest.raises(AssertionError, match="does not reach"):
        tab_to(page, "input[name=risk], input[name=signpost]", most=60)
    tab_to(page, "input[name=cause]")
    page.keyboard.press("Space")
    tab_to(page, "input[name=risk]")
    with pytest.raises(AssertionError, match="does not reach"):
        tab_to(page, "input[name=signpost]", most=60)


def test_a_sign_is_reviewed_in_two_clicks(visit: Any, school: SmallSchool) -> None:
    page: Page = visit("tutor")
    page.get_by_role("link", name=re.compile("^Review")).first.click()
    page.get_by_role("button", name="We knew").first.click()
    expect(page.get_by_text("Your review is on record")).to_be_visible()


def test_a_pupil_answers_by_keyboard_alone(visit: Any, school: SmallSchool) -> None:
    page: Page = visit("Tom")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.get_by_role("button", name="Let us begin").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sit/next")
    for number in range(ITEMS + 1):
        before = page.locator("input[name=item]").input_value()
        target = page.locator(".six button").nth(number % 6)
        target.focus()
        page.keyboard.press("Space")
        page.wait_for_function("was => document.querySelector('input[name=item]')?.value !== was", arg=before)
    expect(page.get_by_role("heading", name="Your place is finished")).to_be_visible()
    expect(page.locator("h1")).to_be_focused()


def test_targets_of_the_sitting_are_large_enough_for_a_finger(visit: Any, address: str, school: SmallSchool) -> None:
    page: Page = visit("Lowri", width=360)
    page.get_by_role("button", name="Let us begin").click()
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, button.inner_text()
        assert box["width"] >= 44, button.inner_text()


def test_an_answer_survives_a_lost_connection(visit: Any, address: str, school: SmallSchool) -> None:
    page: Page = visit("Ewan", faults=True)
    page.get_by_role("button", name="Let us begin").click()
    page.locator(".six button").first.click()
    page.wait_for_function("() => document.querySelector('input[name=item]').value !== 'practice'")
    page.route("**/sit/answer", lambda route: route.fulfill(status=503, body="away"))
    page.locator(".six button").nth(2).click()
    expect(page.get_by_text("The connection is gone for a moment")).to_be_visible()
    page.unroute("**/sit/answer")
    before = page.locator("input[name=item]").input_value()
    page.locator(".six button").nth(2).click()
    page.wait_for_function("was => document.querySelector('input[name=item]')?.value !== was", arg=before)


def test_a_form_is_kept_while_offline(visit: Any, address: str, school: SmallSchool) -> None:
    page: Page = visit("tutor", faults=True)
    page.goto(f"{address}/pupils/{school.pupils['Sam']}/plan?about=trust_of_others.low.general")
    for step in page.locator(".step").all():
        step.locator("label.choice").first.click()
    page.fill("#own_1", "A seat beside Ana")
    page.context.set_offline(True)
    page.get_by_role("button", name="Begin the plan").click()
    expect(page.get_by_text("What you typed stays here")).to_be_visible()
    expect(page.locator("#own_1")).to_have_value("A seat beside Ana")
    page.context.set_offline(False)
    page.get_by_role("button", name="Begin the plan").click()
    expect(page.get_by_text("A seat beside Ana")).to_be_visible()


def test_everything_works_without_scripts(browser: Browser, address: str, school: SmallSchool) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/sign-in?school={school.school_id}")
    made = school.sessions.credentials(school.school_id)  # type: ignore[attr-defined]
    page.fill("#code", made.card(school.pupils["Aisha"]))
    page.click("main form button")
    page.click("form[action='/sit/begin'] button")
    page.click(".six button >> nth=3")
    page.click(".six button >> nth=4")
    expect(page.get_by_text(re.compile(f"Step 2 of {ITEMS}"))).to_be_visible()
    context.close()


def test_the_safeguarding_leads_navigation_is_six_words_and_opens_by_keyboard(
    visit: Any, address: str, school: SmallSchool
) -> None:
    page: Page = visit("dsl")
    top = page.locator("nav[aria-label='Main'] > ul > li")
    expect(top).to_have_count(6)
    tab_to(page, "nav li:nth-of-type(5) > details > summary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Data rights")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Data rights")).to_be_hidden()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Data rights").click()
    expect(page.get_by_role("heading", name="Data rights")).to_be_visible()
    expect(page.locator("nav summary.within")).to_have_text(re.compile("Records"))


def test_the_auditors_slider_moves_the_day(visit: Any, address: str, school: SmallSchool) -> None:
    page: Page = visit("dsl")
    page.goto(f"{address}/audit/pupils/{school.pupils['Mia']}")
    slider = page.locator("#slider")
    slider.focus()
    before = page.url
    page.keyboard.press("Home")
    page.wait_for_url(lambda url: url != before and "day=2019-09-03" in url)
    expect(page.get_by_role("heading", name="as known on 3 September 2019")).to_be_visible()


def test_the_picture_fits_a_phone_and_names_its_marks(visit: Any, address: str, school: SmallSchool) -> None:
    page: Page = visit("tutor", width=360)
    page.goto(f"{address}/pupils/{school.pupils['Mia']}")
    expect(page.locator("svg.journey-narrow").first).to_be_visible()
    expect(page.locator("svg.journey-wide").first).to_be_hidden()
    titles = page.locator("svg.journey-narrow title").all_text_contents()
    assert any(title.startswith("Plan:") for title in titles)
    texts = page.evaluate(OVERLAPS)
    assert not texts, f"these words cover each other: {texts}"


def test_no_words_of_the_wide_picture_cover_each_other(visit: Any, address: str, school: SmallSchool) -> None:
    page: Page = visit("tutor")
    for name in school.pupils.values():
        page.goto(f"{address}/pupils/{name}")
        assert not page.evaluate(OVERLAPS)


OVERLAPS = """() => {
  const shown = [...document.querySelectorAll('svg.journey text')].filter(one => one.getClientRects().length);
  const boxes = shown.map(one => [one.textContent, one.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    const over = p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3;
    if (over) found.push(a + ' / ' + b);
  }));
  return found;
}"""


def test_a_plan_prints_on_one_side(visit: Any, address: str, school: SmallSchool) -> None:
    page: Page = visit("tutor")
    plan_id = next(iter(school.records.journey(school.pupils["Mia"])[0].plans))
    page.goto(f"{address}/pupils/{school.pupils['Mia']}/plans/{plan_id}")
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
