"""Every page in real Chromium: axe-core finds nothing, nothing is wider than the screen, in light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from astrack.reports import trust as reports_trust
from astrack.trusts import Trust, Trusts
from tests.browser.conftest import visiting
from tests.support.addresses import PAGES, filled, known_of
from tests.support.made_up_trust import made_up, report
from tests.support.small_school import SmallSchool

pytestmark = pytest.mark.browser
WIDTHS = (360, 1280)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "chosen => axe.run({runOnly: chosen, resultTypes: ['violations']})"
"""Violations are told in full; what passes is checked as well, but not written out, which would take most of the time."""
ALL = {"type": "tag", "values": RULES}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""What another colour scheme can change; that it changes nothing else is a test of its own."""
MARKS = """() => {
    const parts = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const bright = colour => parts(colour).map(one => one / 255)
        .map(one => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
        .reduce((sum, one, at) => sum + one * [.2126, .7152, .0722][at], 0);
    const ratio = (one, two) => (Math.max(one, two) + .05) / (Math.min(one, two) + .05);
    return [...document.querySelectorAll('.plot [class*=fill-], .plot [class*=stroke-]:not(.stroke-rule)')].map(mark => {
        const style = getComputedStyle(mark), name = mark.getAttribute('class');
        const colour = name.includes('stroke-') ? style.stroke : style.fill;
        const ground = getComputedStyle(mark.closest('.card')).backgroundColor;
        return [mark.tagName, ratio(bright(colour), bright(ground)), name];
    });
}"""
"""Each mark of a plot, (tag, contrast with the card behind, class): axe-core does not look at them. The lines of a
scale are left out, as its numbers say the same."""
KNOWN: dict[str, object] = {}
Keep = Callable[[str], Page]


@pytest.fixture(scope="module")
def kept(browser: Browser, axe: str, address: str, school: SmallSchool) -> Iterator[Keep]:
    """One page for each who, signed in once and with axe-core in it; it stays open for the whole file."""
    with visiting(browser, school, address) as visit:
        pages: dict[str, Page] = {}

        def keep(who: str) -> Page:
            if who not in pages:
                pages[who] = visit(who)
                pages[who].add_init_script(axe)
            return pages[who]

        yield keep


def named(school: SmallSchool) -> Mapping[str, object]:
    """What the addresses name, made once."""
    if not KNOWN:
        KNOWN.update(known_of(school))
    return KNOWN


def faults(page: Page, chosen: dict[str, Any]) -> list[str]:
    """What axe-core finds, each with the place."""
    found: dict[str, Any] = page.evaluate(RUN, chosen)
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"][:3]]


def looked_at(page: Page, width: int) -> Iterator[str]:
    """What is wrong with a loaded page at one width: wider than the screen, or a fault in light or in dark."""
    page.set_viewport_size({"width": width, "height": 800})
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        yield f"at {width} px: {wide} px wide"
    for scheme, chosen in (("light", ALL), ("dark", COLOURS)):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        yield from (f"at {width} px, {scheme}: {one}" for one in faults(page, chosen))


@pytest.mark.parametrize(("who", "path"), PAGES, ids=lambda part: part or "anybody")
def test_a_page_has_no_fault_and_is_not_wider_than_the_screen(
    kept: Keep, address: str, school: SmallSchool, who: str, path: str
) -> None:
    page = kept(who)
    page.goto(address + filled(path, named(school)))
    assert not (wrong := [one for width in WIDTHS for one in looked_at(page, width)]), "\n".join(wrong)


def test_the_schools_of_a_trust_have_no_fault_and_are_not_wider_than_the_screen(
    kept: Keep, address: str, school: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Trust(name="Northern Practice Trust", office=school.school_id, schools=(school.school_id,))
    monkeypatch.setattr(school.app, "trusts", Trusts((office,)))
    shown = report(made_up())
    # one small school fills neither funnel nor tables
    monkeypatch.setattr(reports_trust, "kept", lambda *args, **named: shown)
    page = kept("head")
    page.goto(f"{address}/trust")
    assert page.locator("h1").inner_text() == "Northern Practice Trust" and page.locator(".plot svg").count() == 3
    assert not (wrong := [one for width in WIDTHS for one in looked_at(page, width)]), "\n".join(wrong)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        marks = page.evaluate(MARKS)
        assert len(marks) > 30
        assert [one for one in marks if one[1] < (4.5 if one[0] == "text" else 3)] == [], scheme


@pytest.mark.parametrize(
    ("scheme", "harm"),
    [
        ("light", "document.querySelector('label').remove()"),
        ("dark", "document.querySelector('h1').style.color = '#333'"),
    ],
)
def test_axe_would_find_a_fault(kept: Keep, address: str, scheme: str, harm: str) -> None:
    page = kept("")
    page.goto(f"{address}/sign-in")
    page.evaluate(harm)
    assert any(scheme in one for one in looked_at(page, 1280))


@pytest.mark.parametrize("group", ["Safety", "Records", "How well?"])
def test_an_open_group_of_the_navigation_has_no_fault(kept: Keep, address: str, group: str) -> None:
    page = kept("dsl")
    page.goto(f"{address}/talks")
    page.locator("nav summary", has_text=group).click()
    assert not (wrong := [one for width in WIDTHS for one in looked_at(page, width)]), "\n".join(wrong)


def test_a_dark_screen_changes_colours_only(kept: Keep, address: str) -> None:
    page = kept("")
    page.goto(f"{address}/design")
    changed = page.evaluate(
        """() => [...document.styleSheets].flatMap(sheet => [...sheet.cssRules])
        .filter(rule => rule.media && rule.media.mediaText.includes('dark'))
        .flatMap(rule => [...rule.cssRules]).flatMap(rule => [...rule.style])"""
    )
    assert changed
    plain = ("--", "background", "color", "fill", "stroke")
    assert [one for one in changed if not one.startswith(plain) or one.startswith("stroke-w")] == []
