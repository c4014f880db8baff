"""Every page in real Chromium: axe-core finds nothing, nothing is wider than the screen, in light and dark."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.small_school import SmallSchool

pytestmark = pytest.mark.browser
PAGES = (
    ("", "/sign-in"), ("", "/about"), ("", "/design"),
    ("tutor", "/pupils"), ("tutor", "/pupils/all"), ("tutor", "/pupils/{Mia}"), ("tutor", "/pupils/{Kofi}"),
    ("tutor", "/pupils/{Kofi}/plan"), ("tutor", "/pupils/{Kofi}/plan?about=self_disclosure.low.school"),
    ("tutor", "/plans"), ("tutor", "/talks"),
    ("dsl", "/transfers"), ("dsl", "/audit"), ("dsl", "/audit/pupils/{Mia}?day=2024-03-12"),
    ("head", "/impact"), ("auditor", "/audit/proof"), ("auditor", "/audit/looks"), ("administrator", "/setup"), ("administrator", "/setup/people"),
    ("Mia", "/sit"), ("Mia", "/sit/next"), ("Mia", "/me"), ("Mia", "/talk"),
)  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def faults(page: Page, axe: str) -> list[str]:
    """What axe-core finds, each with the place."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", RULES)
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"][:3]]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_has_a_fault_or_is_wider_than_the_screen(
    visit: Any, axe: str, address: str, school: SmallSchool, width: int, dark: bool
) -> None:
    wrong: list[str] = []
    pages: dict[str, Page] = {}
    for who, path in PAGES:
        page = pages.get(who) or pages.setdefault(who, visit(who, width=width, dark=dark))
        where = re.sub(r"\{(\w+)\}", lambda found: str(school.pupils[found[1]]), path)
        page.goto(address + where)
        wrong += [f"{path}: {one}" for one in faults(page, axe)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        wrong += [f"{path}: {wide} px wide"] if wide > width else []
    assert not wrong, "\n".join(wrong)


def test_axe_would_find_a_fault(visit: Any, axe: str, address: str) -> None:
    page = visit("")
    page.evaluate("document.querySelector('label').remove()")
    assert any("label" in one for one in faults(page, axe))
