"""Plots of the report as SVG that reads aloud, prints in grey and never tells by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

from domain.impact import Estimate, Impact

WIDTH, ROW, LEFT, RIGHT = 640, 44, 150, 610
COLOURS = {"ink": "#1d2430", "quiet": "#5b6573", "bar": "#76828e", "rule": "#d5dae1", "paper": "#ffffff"}
"""What a mark is painted with on paper. A page paints by class with its own tokens, so that it follows the screen."""


def arms(found: Impact) -> str:
    """Share nearer the middle in both arms with intervals, and where each would stand with nobody doing anything."""
    rows = (("With a plan", found.supported), ("Without", found.unsupported))
    parts, said = [], []
    for index, (name, arm) in enumerate(rows):
        y, one = 60 + index * ROW, arm.classes["any_improvement"]
        parts += [words(LEFT - 12, y + 5, name, "end"), _bar(_at(one.low), _at(one.high), y), _dot(_at(one.share), y)]
        said.append(f"{name}: {one.share:.0%}, interval {one.low:.0%} to {one.high:.0%}")
        if arm.null == arm.null:
            parts.append(_diamond(_at(arm.null), y))
            said.append(f"expected with nobody doing anything {arm.null:.0%}")
    axis = [words(_at(share), 30, f"{share:.0%}", "middle", "quiet") + _rule(_at(share), 38, 126)
            for share in (0.0, 0.25, 0.5, 0.75, 1.0)]  # fmt: skip
    legend = _dot(LEFT, 150) + words(LEFT + 12, 155, "seen, with interval", "start", "quiet")
    legend += _diamond(LEFT + 190, 150) + words(LEFT + 202, 155, "with nobody doing anything", "start", "quiet")
    return framed(170, "Nearer the middle at the next look", ". ".join(said) + ".", [*axis, *parts, legend])


def estimate(one: Estimate) -> str:
    """The primary estimate with its interval, about zero."""
    reach = max(abs(one.low), abs(one.high), 0.1) * 1.2

    def at(value: float) -> float:
        return LEFT + (value + reach) / (2 * reach) * (RIGHT - LEFT)

    said = f"{one.nearer:+.2f} scale points, 95 % interval {one.low:+.2f} to {one.high:+.2f}; zero is no difference."
    parts = [_rule(at(0), 34, 84), words(at(0), 28, "no difference", "middle", "quiet"),
             words(LEFT - 12, 65, "With a plan", "end"), _bar(at(one.low), at(one.high), 60), _dot(at(one.nearer), 60),
             words(LEFT, 104, "farther from the middle", "start", "quiet"),
             words(RIGHT, 104, "nearer", "end", "quiet")]  # fmt: skip
    return framed(116, "Difference at follow-up, allowing for the start", said, parts)


def progress(points: Sequence[tuple[date, float, float]], cut: float) -> str:
    """A level over attempts, (day, mean, sd) each in logits, with 95 % bars; ``cut`` is what is asked for."""
    step = (RIGHT - LEFT) / max(len(points), 2)

    def y(value: float) -> float:
        return 120 - max(-3.0, min(3.0, value)) * 30

    parts = [f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y(cut):.1f}" y2="{y(cut):.1f}" {painted(stroke="quiet")}'
             ' stroke-dasharray="4 4"/>', words(LEFT - 12, y(cut) + 5, "asked for", "end", "quiet")]  # fmt: skip
    for number, (day, mean, sd) in enumerate(points):
        x, low, high = LEFT + step * (number + 0.5), y(mean - 1.96 * sd), y(mean + 1.96 * sd)
        parts.append(f'<rect x="{x - 5:.1f}" y="{high:.1f}" width="10" height="{low - high:.1f}" {painted("bar")}/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y(mean):.1f}" r="6" {painted("ink")}/>')
        if len(points) <= 6 or number in (0, len(points) - 1):
            parts.append(words(x, 236, f"{day:%d.%m.%y}", "middle", "quiet"))
    said = ". ".join(f"{day}: {mean:+.1f}, {mean - 1.96 * sd:+.1f} to {mean + 1.96 * sd:+.1f}"
                     for day, mean, sd in points)  # fmt: skip
    return framed(246, "Level after each attempt", f"{said}.", parts)


def _at(share: float) -> float:
    return LEFT + share * (RIGHT - LEFT)


def framed(height: int, title: str, said: str, parts: list[str]) -> str:
    """An SVG with a title and a description."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" width="100%"'
        f' font-family="system-ui, sans-serif" font-size="14"><title>{escape(title)}</title><desc>{escape(said)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def painted(fill: str = "", stroke: str = "") -> str:
    """The attributes that colour a mark, each by a name of ``COLOURS``; "" leaves one out."""
    both = [(how, name) for how, name in (("fill", fill), ("stroke", stroke)) if name]
    classes = " ".join(f"{how}-{name}" for how, name in both)
    return " ".join([f'class="{classes}"', *(f'{how}="{COLOURS[name]}"' for how, name in both)])


def words(x: float, y: float, said: str, anchor: str, colour: str = "ink") -> str:
    """A line of text in a plot."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {painted(colour)}>{escape(said)}</text>'


def _bar(x1: float, x2: float, y: float) -> str:
    return f'<rect x="{x1:.1f}" y="{y - 6}" width="{max(x2 - x1, 1):.1f}" height="12" {painted("bar")}/>'


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y}" r="6" {painted("ink")}/>'


def _diamond(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y - 8} l7 8 l-7 8 l-7 -8 z" {painted("paper", "ink")} stroke-width="2"/>'


def _rule(x: float, y1: float, y2: float) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y1}" y2="{y2}" {painted(stroke="rule")}/>'
