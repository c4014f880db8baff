"""The marks of the journey picture: small pure functions from places to SVG."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

from markupsafe import escape

from astrack.picture import FACTORS, JUDGED, FlagMark, PlanSpan, term_of


def words_at(x: float, y: float, words: str, kind: str, size: float, anchor: str = "start") -> str:
    """A piece of text of a kind (its class), escaped."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'
    )


def rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    """A rectangle of a kind (its class); never of negative width."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{height:.1f}"/>'


def upright(kind: str, x: float, y0: float, y1: float) -> str:
    """A vertical line."""
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{y0:.1f}" y2="{y1:.1f}"/>'


ENVELOPE = (
    '<rect class="hit" x="-4" y="-5" width="26" height="24"/>'
    '<rect class="envelope" x="0.5" y="0.5" width="17" height="12" rx="2"/>'
    '<path class="envelope-flap" d="M1 1.5 9 8l8-6.5"/><circle class="envelope-seal" cx="9" cy="8" r="2.6"/>'
)


def hatches(name: str) -> str:
    """The hatching of the in-school bands, one pattern for each factor."""
    return (
        "<defs>"
        + "".join(
            f'<pattern id="{name}-hatch-{factor}" class="f-{factor}" width="5" height="5" '
            'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<line class="hatch" x1="0" x2="0" y1="0" y2="5"/></pattern>'
            for factor in FACTORS
        )
        + "</defs>"
    )


def link(href: str, said: str, mark: str) -> str:
    """A mark with what it says, and where it leads if anywhere."""
    words = escape(said)
    if not href:
        return f"<g><title>{words}</title>{mark}</g>"
    return f'<a href="{escape(href)}"><title>{words}</title>{mark}</a>'


def flag_mark(flag: FlagMark, x: float, y: float) -> str:
    """A sign: hollow until a person reviewed it, struck through when it is not what they see."""
    state = "hollow" if flag.judgement is None else "aside" if flag.judgement == "not_what_we_see" else "seen"
    mark = (
        f'<circle class="hit" cx="{x:.1f}" cy="{y:.1f}" r="12"/>'
        f'<path class="flag flag-{state}" d="M{x:.1f} {y - 6:.1f}l6 6-6 6-6-6z"/>'
    )
    if state == "aside":
        mark += f'<path class="flag-struck" d="M{x - 5:.1f} {y + 5:.1f}l10-10"/>'
    said = f"Early sign, {term_of(flag.on)}: {flag.said} {JUDGED[flag.judgement].capitalize()}"
    return link(flag.href, said, mark)


def plan_bar(x0: float, x1: float, y: float, came: str | None) -> str:
    """A plan and what came of it: full helped, half in part, ring not, bar stopped early, arrow goes on."""
    bar = f'<rect class="plan" x="{x0:.1f}" y="{y:.1f}" width="{x1 - x0:.1f}" height="7" rx="3.5"/>'
    tip, middle = x1 + 8, y + 3.5
    ends = {
        "helped": f'<circle class="came-full" cx="{tip:.1f}" cy="{middle}" r="4"/>',
        "helped_partly": f'<circle class="came-ring" cx="{tip:.1f}" cy="{middle}" r="3.4"/>'
        f'<path class="came-full" d="M{tip:.1f} {middle - 3.4}a3.4 3.4 0 0 0 0 6.8z"/>',
        "did_not_help": f'<circle class="came-ring" cx="{tip:.1f}" cy="{middle}" r="3.4"/>',
        "stopped_early": f'<path class="came-ring" d="M{tip - 3:.1f} {middle - 3}v6"/>',
    }
    return bar + ends.get(came or "", f'<path class="came-ring" d="M{x1 + 3:.1f} {y + 0.5:.1f}l4 3-4 3"/>')


def lanes(plans: list[PlanSpan]) -> list[tuple[PlanSpan, int]]:
    """Which of two lanes each plan is drawn in, so that neighbours do not touch."""
    placed: list[tuple[PlanSpan, int]] = []
    ends: list[date] = []
    for plan in sorted(plans, key=lambda one: one.from_on):
        lane = next((n for n, end in enumerate(ends) if (plan.from_on - end).days > 75), len(ends))
        ends[lane : lane + 1] = [plan.until_on]
        placed.append((plan, min(lane, 1)))
    return placed


def apart(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same places, moved aside where two marks would cover each other."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = dict(enumerate(places))
    for before, after in pairwise(order):
        (x0, y0), (x1, y1) = moved[before], moved[after]
        if x1 - x0 < 9 and abs(y1 - y0) < 13:
            moved[after] = (x0 + 11, y1)
    return [moved[index] for index in range(len(places))]


def fit(words: str, room: float, font: float) -> str:
    """A school's name in the room there is: whole, shortened, or nothing."""
    most = int(room / (font * 0.56))
    if len(words) <= most:
        return words
    short = re.sub(
        r"\b(Primary|Secondary|Junior|Infant|Community|Academy|School|of|the|College)\b\s*", "", words
    ).strip()
    if short and len(short) <= most:
        return short
    return words[: most - 1].rstrip() + "…" if most >= 4 else ""
