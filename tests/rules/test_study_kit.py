"""The study kit's table of how many pupils is what the formulas give, found here a second time."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from math import ceil, sqrt
from pathlib import Path

from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

KIT = Path(__file__).parents[2] / "docs" / "study-kit.md"
LINE = re.compile(
    r"^\| (sensitivity|AUC) near (\.\d+) \| (\.\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE
)
PREVALENCES = (0.05, 0.10, 0.20)


def fewest(half: Callable[[int], float], within: float) -> int:
    return next(pupils for pupils in count(20) if half(pupils) <= within)


def wilson_half(sensitivity: float, with_outcome: int) -> float:
    low, high = proportion_confint(sensitivity * with_outcome, with_outcome, method="wilson")
    return float(high - low) / 2


def hanley_mcneil_half(area: float, pupils: int, prevalence: float) -> float:
    some, none = pupils * prevalence, pupils * (1 - prevalence)
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (some - 1) * (q1 - area**2) + (none - 1) * (q2 - area**2)
    return float(norm.ppf(0.975)) * sqrt(spread / (some * none))


def needed(figure: str, near: float, within: float, prevalence: float) -> int:
    if figure == "sensitivity":
        with_outcome = fewest(lambda some: wilson_half(near, some), within)
        return round(with_outcome / prevalence)
    pupils = fewest(lambda all_of: hanley_mcneil_half(near, all_of, prevalence), within)
    return 10 * ceil(pupils / 10)


def test_the_table_of_sample_sizes_is_what_the_formulas_give() -> None:
    lines = LINE.findall(KIT.read_text())
    assert len(lines) == 5
    for figure, near, within, *stated in lines:
        found = [needed(figure, float(near), float(within), prevalence) for prevalence in PREVALENCES]
        assert [int(one.replace(",", "")) for one in stated] == found, (figure, near, within)
