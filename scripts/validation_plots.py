"""Pictures of what validations find: a figure a line with its interval, by the same strokes as the reports' plots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from astrack.reports.plot import WIDTH, framed, painted, words

LEFT, RIGHT, ROW, TOP = 262, WIDTH - 140, 22, 64
STEPS = 5


class Line(NamedTuple):
    """A figure with its 95 % interval; the first of a group bears the group's name."""

    group: str
    name: str
    value: float
    low: float
    high: float


def intervals(title: str, lines: Sequence[Line], most: float, unit: str) -> str:
    """Dots with bars from 0 to ``most``, one line a figure, the numbers beside them for who cannot see the picture."""

    def at(value: float) -> float:
        return LEFT + min(max(value / most, 0), 1) * (RIGHT - LEFT)

    bottom = TOP + ROW * len(lines)
    parts = [words(12, 24, f"{title}; 95 % intervals; simulated", "start")]
    for step in range(STEPS + 1):
        x = at(most * step / STEPS)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 14}" y2="{bottom}" {painted(stroke="rule")}/>')
        parts.append(words(x, TOP - 20, f"{most * step / STEPS:.1f}", "middle", "quiet"))
    for number, one in enumerate(lines):
        parts += _line(one, TOP + ROW * (number + 0.5), at)
    parts.append(words((LEFT + RIGHT) / 2, bottom + 20, unit, "middle", "quiet"))
    said = ". ".join(f"{one.group}, {one.name}: {_numbers(one)}" for one in lines)
    return framed(bottom + 34, title, f"{said}.", parts) + "\n"


def _line(one: Line, y: float, at: Callable[[float], float]) -> list[str]:
    if one.value != one.value:
        return [
            words(12, y + 5, one.group, "start"),
            words(LEFT, y + 5, f"{one.name}: nothing counted", "start", "quiet"),
        ]
    low, high = at(one.low), at(one.high)
    return [
        words(12, y + 5, one.group, "start"),
        words(LEFT - 10, y + 5, one.name, "end", "quiet"),
        f'<rect x="{low:.1f}" y="{y - 5:.1f}" width="{max(high - low, 1):.1f}" height="10" {painted("rule")}/>',
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}" {painted(stroke="ink")} stroke-width="2"/>',
        f'<circle cx="{at(one.value):.1f}" cy="{y:.1f}" r="4" {painted("ink")}/>',
        words(WIDTH - 4, y + 5, _numbers(one), "end", "quiet"),
    ]


def _numbers(one: Line) -> str:
    return f"{one.value:.2f} ({one.low:.2f}, {one.high:.2f})"
