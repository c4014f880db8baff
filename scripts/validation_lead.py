"""How many rounds before the outcome a flag stood, and how often one did, in simulated lives."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from validation_data import HORIZON, LINK, MODEL, PREVALENCES, SEED_CHECK, stands
from validation_plots import Line, intervals
from validation_report import Report

from domain import risk, simulation
from domain.simulation import screening
from domain.simulation.worlds import ITEMS

LIVED, WARMING = 18, 3
"""Rounds that are lived through, and those at the beginning whose outcomes do not count: no flag could stand yet."""


def lead(out: Report, pupils: int, plots: Path | None) -> None:
    """At each prevalence, with an outcome that has to do with polarity and one that has not; drawn into ``plots``."""
    made = simulation.simulate(MODEL, ITEMS, pupils, LIVED, np.random.default_rng(SEED_CHECK + 2))
    standing = stands(made.sittings, risk.cohort(MODEL, made.sittings, 2).p_priority)
    weight, chance = simulation.burden(MODEL, made.levels), np.random.default_rng(SEED_CHECK + 6)
    share: list[Line] = []
    ahead: list[Line] = []
    for prevalence in PREVALENCES:
        for link, name in ((LINK, "linked"), (0.0, "no link")):
            happened = simulation.outcomes(weight, prevalence, link, HORIZON, np.random.default_rng(9))
            happened[:, :WARMING] = False
            leads, of = screening.lead_rounds(standing, happened)
            stood, led = screening.rate(len(leads), of), screening.lead_time(leads, chance)
            out.say(
                f"  prevalence {prevalence:.2f}, {name:8s}: a flag stood beforehand in {stood} of {of}; {_said(led)}"
            )
            says = f"prevalence {100 * prevalence:.0f} %, {name}"
            share.append(_line("", says, stood))
            if led is not None:
                ahead += [_line("Mean", says, led.mean), _line("Median", says, led.median)]
    if plots:
        most = math.ceil(max([5.0, *(one.high for one in ahead)]))
        (plots / "lead-share.svg").write_text(intervals("How often a flag stood beforehand", share, 1.0, "share"))
        (plots / "lead-time.svg").write_text(intervals("How far ahead it stood", ahead, most, "rounds"))


def _line(group: str, name: str, one: screening.Rate) -> Line:
    return Line(group, name, one.value, one.low, one.high)


def _said(led: screening.Lead | None) -> str:
    if led is None:
        return "no lead"
    middle = f"median {led.median.value:.1f} ({led.median.low:.1f}, {led.median.high:.1f})"
    return f"lead {led.mean} rounds on average, {middle}, quartiles {led.quartiles[0]:.0f} to {led.quartiles[1]:.0f}"
