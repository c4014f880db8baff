"""The pictures of the risk validation show every figure at its place, and say it in words too."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
import validate_risk
import validation_lead
import validation_plots
from validation_report import Report


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pictures of a small run, by name."""
    folder, out = tmp_path_factory.mktemp("plots"), Report(quiet=True)
    validate_risk.found(out, 1000, folder)
    validation_lead.lead(out, 1000, folder)
    return {file.stem: file.read_text() for file in folder.glob("*.svg")}


def test_every_figure_is_drawn_at_every_prevalence_with_its_interval(drawn: dict[str, str]) -> None:
    assert set(drawn) == {"screening", "lead-share", "lead-time"}
    for name, dots in (("screening", 5 * 4), ("lead-share", 3 * 2), ("lead-time", 3 * 2 * 2)):
        svg = drawn[name]
        assert svg.count("<circle") == dots == len(re.findall(r"\d\.\d\d \(\d\.\d\d, \d\.\d\d\)</text>", svg)), name
        for prevalence in ("5 %", "10 %", "20 %"):
            assert f"prevalence {prevalence}" in svg
    for called in ("Sensitivity", "Specificity", "PPV", "NPV", "AUC"):
        assert f">{called}</text>" in drawn["screening"]


def test_a_dot_lies_where_its_figure_is_and_the_bar_over_its_interval() -> None:
    line = validation_plots.Line("Of", "some", 0.5, 0.25, 1.0)
    svg = validation_plots.intervals("A figure", [line], 1.0, "share")
    left, right = validation_plots.LEFT, validation_plots.RIGHT
    assert f'<circle cx="{(left + right) / 2:.1f}"' in svg
    assert f'<rect x="{left + (right - left) / 4:.1f}"' in svg and f'width="{3 * (right - left) / 4:.1f}"' in svg
    assert "Of, some: 0.50 (0.25, 1.00)." in svg


def test_what_was_never_counted_is_said_and_not_drawn() -> None:
    svg = validation_plots.intervals(
        "A figure", [validation_plots.Line("Of", "none", float("nan"), 0, 1)], 1.0, "share"
    )
    assert "nothing counted" in svg and "<circle" not in svg
