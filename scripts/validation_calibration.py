"""Whether probabilities say what is so, in every slice; and that nothing is found where there is nothing to find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from validation_data import MODEL, NULL_PUPILS, NULL_RUNS, ROUNDS, SEED_CHECK, indexes
from validation_report import Report, reliability_svg

from domain import risk, simulation
from domain.simulation import screening
from domain.simulation.worlds import ITEMS, WORLDS
from domain.statistics import auc, auc_interval


def calibrated(out: Report, pupils: int, plots: Path | None) -> None:
    """P(polar) against the truth: by age, round number and gap length, in the model's world and in that of items."""
    for world in WORLDS[:2]:
        made = simulation.simulate(MODEL, world, pupils // 2, 30, np.random.default_rng(SEED_CHECK + 3))
        days, months = np.asarray(made.sittings.days), np.asarray(made.sittings.months)
        # some schools sit once a year: every third round only
        yearly = np.arange(len(days)) % 3 == 0
        made.sittings.values[np.ix_(yearly, [at for at in range(30) if at % 3])] = np.nan
        seen = risk.cohort(MODEL, made.sittings, 2)
        said = seen.p_low + seen.p_high
        poles = MODEL.instrument.poles
        true = (made.levels <= poles.low) | (made.levels >= poles.high)
        sat = ~np.isnan(made.sittings.values).all(axis=-1)
        rows = list(slices(days, months, sat))
        out.say(f"  {world.name}:    said / so (of), by tenths of P(polar), after a sitting")
        whole = screening.calibration(said[sat], true[sat])
        out.say("    " + "  ".join(f"{a:.2f}/{b.value:.2f}" for a, b in zip(whole.said, whole.so, strict=True)))
        for name, where in rows:
            one = screening.calibration(said[where], true[where])
            out.say(f"    {name:22s} {described(one, said[where].ravel(), true[where].ravel())}")
            if name == "all":
                out.figures[f"brier_{world.name.replace(' ', '_')}"] = round(one.brier, 5)
                out.figures[f"calibration_gap_{world.name.replace(' ', '_')}"] = round(one.gap, 5)
        worst = max(screening.calibration(said[where], true[where]).gap for _, where in rows)
        two = screening.calibration(seen.p_priority[sat], (simulation.ends(MODEL, made.levels).sum(axis=-1) >= 2)[sat])
        tenths = "  ".join(f"{a:.2f}/{b.value:.2f}" for a, b in zip(two.said, two.so, strict=True))
        out.say(f"    P(priority), all: Brier {two.brier:.4f}, mean gap {two.gap:.4f}, by tenths {tenths}")
        within = 0.02 if world.ordinal else 0.01
        out.check(f"{world.name}: P(polar) is within {within} on average in every slice ({worst:.4f})", worst <= within)
        if plots:
            (plots / f"reliability-{world.name.replace(' ', '-')}.svg").write_text(reliability_svg(whole, world.name))


def described(one: screening.Calibration, said: np.ndarray, so: np.ndarray) -> str:
    """One line: the Brier score, the mean gap, and what became of what was said with more than one half."""
    top = said >= 0.5
    above = f"above one half: said {said[top].mean():.3f}, so {so[top].mean():.3f} (of {int(top.sum())})"
    return f"Brier {one.brier:.4f}  mean gap {one.gap:.4f}  {above}"


def slices(days: np.ndarray, months: np.ndarray, sat: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """By age, by number of the round, by days since the sitting before: each a mask (N, T)."""
    number = np.cumsum(sat, axis=1)
    previous = np.zeros_like(days)
    last = np.full(len(days), -1)
    for at in range(days.shape[1]):
        previous[:, at] = np.where(last >= 0, days[:, at] - last, 0)
        last = np.where(sat[:, at], days[:, at], last)
    yield "all", sat
    for low, high in ((8, 11), (11, 14), (14, 19)):
        yield f"age {low} to {high - 1}", sat & (months >= 12 * low) & (months < 12 * high)
    for low, high in ((1, 1), (2, 3), (4, 8), (9, 30)):
        yield f"sitting {low}" + (f" to {high}" if high > low else ""), sat & (number >= low) & (number <= high)
    for low, high in ((1, 150), (150, 330), (330, 10_000)):
        yield f"gap {low} to {high} days", sat & (previous >= low) & (previous < high)


def no_link(out: Report) -> None:
    """With outcomes that have nothing to do with polarity, an AUC interval should miss .5 one time in twenty."""
    chance = np.random.default_rng(SEED_CHECK + 4)
    made = simulation.simulate(MODEL, ITEMS, 20_000, ROUNDS, chance)
    index = indexes(made, ROUNDS)
    for name, one in index.items():
        held = 0
        for _ in range(NULL_RUNS):
            some = chance.integers(0, len(one), NULL_PUPILS)
            happened = chance.random(NULL_PUPILS) < 0.10
            area = auc(one[some], happened)
            low, high = auc_interval(area, int(happened.sum()), int((~happened).sum()))
            held += low <= 0.5 <= high
        share = held / NULL_RUNS
        says = f"no link, {name}: the AUC interval contains .5 in {100 * share:.1f} % of {NULL_RUNS} runs (93 to 97)"
        out.check(says, 0.93 <= share <= 0.97)
