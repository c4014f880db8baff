"""What validations print: sections, checks that must hold, figures, and a reliability plot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from domain.simulation.screening import Calibration

SIDE, EDGE = 320, 40


class Report:
    """Prints as it goes, remembers checks and figures."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.checks: dict[str, bool] = {}
        self.figures: dict[str, Any] = {}

    def say(self, line: str = "") -> None:
        """One line."""
        if not self.quiet:
            print(line, flush=True)

    def check(self, name: str, held: bool) -> None:
        """Something that must hold."""
        self.checks[name] = bool(held)
        self.say(f"  {'holds' if held else 'DOES NOT HOLD'}: {name}")

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """A section, with how long it took."""
        begun = perf_counter()
        self.say(f"\n{title}\n{'-' * len(title)}")
        yield
        self.say(f"  ({perf_counter() - begun:.0f} s)")


def reliability_svg(one: Calibration, title: str) -> str:
    """A reliability plot: said across, so up, intervals as bars."""
    frame = f'<rect x="{EDGE}" y="{EDGE}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>'
    far = EDGE + SIDE
    line = f'<line x1="{EDGE}" y1="{far}" x2="{far}" y2="{EDGE}" stroke="#999" stroke-dasharray="4"/>'
    says = f"{title}: P(polar) said (across), so (up); Brier {one.brier:.4f}; simulated"
    dots = "".join(_dot(said, so.value, so.low, so.high) for said, so in zip(one.said, one.so, strict=True))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="560" height="{SIDE + 2 * EDGE}" font-size="12">'
    return f'{head}<title>{says}</title>{frame}{line}{dots}<text x="{EDGE}" y="24">{says}</text></svg>\n'


def _dot(said: float, so: float, low: float, high: float) -> str:
    x = EDGE + said * SIDE
    y, bottom, top = (EDGE + (1 - share) * SIDE for share in (so, low, high))
    bar = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" stroke="#555"/>'
    return f'{bar}<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
