"""The risk model in worlds with known truth: assumptions first, then what it finds, misses and loses to.

Everything is simulated: this shows what the model does when its assumptions hold or break, never that pupils are so.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from validation_calibration import calibrated, no_link
from validation_data import (
    CLASSES,
    EQUAL_RATE,
    HORIZON,
    LINK,
    MODEL,
    PREVALENCES,
    ROUNDS,
    SEED_CHECK,
    SEED_SET,
    indexes,
    sat_of,
    stands,
    up_to,
)
from validation_lead import lead
from validation_plots import Line, intervals
from validation_report import Report

from domain import risk, simulation
from domain.instrument import CELLS
from domain.journey.state import Sat
from domain.risk.signs import Subject
from domain.scoring.reliability import Estimate, reliability
from domain.simulation import screening
from domain.simulation.worlds import ITEMS, WORLDS
from domain.statistics import auc, predictive_values, wilson

SHOWN = {"sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV", "auc": "AUC"}


def assumptions(out: Report) -> None:
    """What is assumed, before any figure."""
    p, priority, poles = MODEL.artefact.parameters, MODEL.cuts.priority, MODEL.instrument.poles
    r = p.correlation
    out.say(f"Model {MODEL.artefact.name} {MODEL.artefact.version} ({MODEL.digest[:16]}), for {MODEL.instrument.name} "
            f"{MODEL.instrument.version} ({MODEL.instrument.status})")  # fmt: skip
    for line in (
        "All pupils, answers and outcomes here are simulated. No figure below is about children.",
        f"Status of its parameters: {MODEL.artefact.status}. {MODEL.artefact.note}",
        f"Levels halve their way back to the peers' mean in {p.halving_days:.0f} days.",
        f"Correlations {r.same_factor} (same factor), {r.same_context} (same context), {r.neither} (neither).",
        f"An end: at or below {poles.low}, at or above {poles.high}. Priority: two or more factors at an end,",
        f"raised at P >= {priority.on}, eased below {priority.off}.",
        f"The outcome is not polarity itself: a hazard each round, log-odds rising by {LINK} for each unit of burden",
        "(how far factors lie beyond 3/5 of the way to an end, summed),",
        f"counted over the {HORIZON} rounds after round {ROUNDS}.",
        "Direct questions: same error, rounds and filter; pupils at an end show half of how far out they are.",
        "What pupils hide from direct questions is assumed, not shown.",
    ):
        out.say(f"  {line}")


def load(out: Report, pupils: int) -> None:
    """The priority rate by round on two seeds, and what a class of 30 brings a tutor."""
    rates = []
    for seed in (SEED_SET, SEED_CHECK):
        made = simulation.simulate(MODEL, ITEMS, pupils, 30, np.random.default_rng(seed))
        p = risk.cohort(MODEL, made.sittings, 2).p_priority
        rates.append((stands(made.sittings, p).mean(axis=0), p))
    low, high = (one / 30 for one in MODEL.artefact.load_per_30)
    fitted = float(np.quantile(rates[0][1][:, 3:], 1 - (low + high) / 2 + 0.01))
    out.say(
        f"  On the seed they are set on, {100 * rates[0][0][3:].mean():.1f} % stand from round 4 on "
        f"(a cut at {fitted:.2f} without hysteresis gives one pupil in {1 / ((low + high) / 2):.1f})."
    )
    out.say("  Priority standing, per class of 30, rounds 1-30, set seed / check seed:")
    for start in (0, 10, 20):
        pairs = (
            f"{30 * a:.1f}/{30 * b:.1f}"
            for a, b in zip(rates[0][0][start : start + 10], rates[1][0][start : start + 10], strict=True)
        )
        out.say("   " + "  ".join(pairs))
    checked = rates[1][0]
    out.figures["priority_per_30"] = [round(float(30 * one), 2) for one in checked]
    out.check(
        "the priority rate on the check seed is within a tenth of that on the set seed",
        abs(checked[3:].mean() / rates[0][0][3:].mean() - 1) < 0.1,
    )


def work(out: Report) -> None:
    """Everything that makes work, by the same function that serves a request, in a few classes."""
    made = simulation.simulate(MODEL, ITEMS, 30 * CLASSES, 30, np.random.default_rng(SEED_CHECK + 1))
    standing, fresh = np.zeros(30), np.zeros(30)
    kinds: dict[str, int] = {}
    for pupil in range(30 * CLASSES):
        before: frozenset[Subject] = frozenset()
        sats: list[Sat] = []
        for at in range(30):
            sat = sat_of(made.sittings, pupil, at)
            if sat is None:
                standing[at] += any(risk.makes_work(one[0]) for one in before)
                continue
            sats.append(sat)
            found = risk.findings(MODEL, sats, before, sat.on)
            now = frozenset(one.subject for one in found)
            standing[at] += any(risk.makes_work(one.kind) for one in found)
            fresh[at] += any(risk.makes_work(one[0]) for one in now - before)
            for one in now - before:
                kinds[one[0]] = kinds.get(one[0], 0) + 1
            before = now
    out.say("  Pupils with a sign that makes work, per class of 30, rounds 1-30 (new ones in brackets):")
    for start in (0, 10, 20):
        rows = zip(standing[start : start + 10] / CLASSES, fresh[start : start + 10] / CLASSES, strict=True)
        out.say("   " + "  ".join(f"{a:.1f} ({b:.1f})" for a, b in rows))
    total = 30 * 30 * CLASSES
    out.say(
        "  Raised, per class and round: "
        + ", ".join(f"{k} {30 * v / total:.2f}" for k, v in sorted(kinds.items(), key=lambda kv: -kv[1]))
    )
    mean = float(standing[3:].mean() / CLASSES)
    low, high = MODEL.artefact.load_per_30
    out.figures["work_per_30"] = round(mean, 2)
    out.check(
        f"from round 4 on a class of 30 has {low:.0f} to {high:.0f} pupils with a sign that makes work ({mean:.1f})",
        low <= mean <= high,
    )


def repeatable(out: Report, pupils: int) -> None:
    """How repeatable simulated answers are, within a sitting and from one round to the next, in ordinal items."""
    chance = np.random.default_rng(SEED_CHECK + 5)
    made = simulation.simulate(MODEL, ITEMS, pupils, ROUNDS, chance)
    tool, sd, nobody = MODEL.instrument, np.full(pupils, ITEMS.item_sd), np.zeros(pupils, bool)
    given = simulation.answers(tool, made.levels[:, -1].astype(float), sd, np.zeros(len(tool.items)), chance, nobody)
    values = np.asarray(made.sittings.values, dtype=float)
    out.say("  factor, context                  within a sitting: alpha   round to round: correlation   ICC(2,1)")
    for (context, factor), one in zip(CELLS, reliability(tool, given, values[:, -2], values[:, -1]), strict=True):
        out.say(f"  {f'{factor}, {context}':30s}   {_estimate(one.alpha)}     {_estimate(one.retest)}        "
                f"{_estimate(one.icc)}   of {one.alpha.pupils} and {one.retest.pupils}")  # fmt: skip


def _estimate(one: Estimate) -> str:
    return f"{one.value:.3f} ({one.low:.3f}, {one.high:.3f})" if one.value is not None else "too few"


def found(out: Report, pupils: int, plots: Path | None) -> None:
    """Screening figures at three prevalences, in the world of ordinal items."""
    made = simulation.simulate(MODEL, ITEMS, pupils, ROUNDS + HORIZON, np.random.default_rng(SEED_CHECK))
    seen = up_to(made.sittings, ROUNDS)
    p = risk.cohort(MODEL, seen, 2).p_priority
    flagged = stands(seen, p)[:, -1]
    weight = simulation.burden(MODEL, made.levels)[:, ROUNDS:]
    out.say("  prevalence  sensitivity           specificity           PPV                   NPV                   AUC")
    screens: dict[str, screening.Screen] = {}
    for prevalence in PREVALENCES:
        happened = np.any(simulation.outcomes(weight, prevalence, LINK, HORIZON, np.random.default_rng(8)), axis=1)
        s = screening.screen(p[:, -1], flagged, happened)
        screens[f"prevalence {100 * prevalence:.0f} %"] = s
        out.say(f"  {s.prevalence:.3f}       {s.sensitivity}  {s.specificity}  {s.ppv}  {s.npv}  {s.auc}")
        out.figures[f"auc_prevalence_{int(prevalence * 100)}"] = round(s.auc.value, 4)
    true = simulation.ends(MODEL, made.levels[:, ROUNDS - 1]).sum(axis=-1) >= 2
    s = screening.screen(p[:, -1], flagged, true)
    screens["true priority"] = s
    if plots:
        (plots / "screening.svg").write_text(pictured(screens))
    out.say(f"  true priority {s.prevalence:.3f}: {s.sensitivity}  {s.specificity}  {s.ppv}  {s.npv}  {s.auc}")
    out.say(
        "  The best any index could do at prevalence .20, knowing every true level to come: AUC "
        f"{auc(weight.mean(axis=1), happened):.3f}."
    )
    values = "/".join(f"{100 * predictive_values(0.82, 0.82, one)[0]:.0f}" for one in PREVALENCES)
    out.say(f"  For scale: sensitivity = specificity = .82 would give PPV {values} % at these prevalences.")


def pictured(screens: dict[str, screening.Screen]) -> str:
    """The five figures at every prevalence as a picture."""
    lines = []
    for name, called in SHOWN.items():
        rates = [(of, getattr(one, name)) for of, one in screens.items()]
        lines += [
            Line(called if number == 0 else "", of, one.value, one.low, one.high)
            for number, (of, one) in enumerate(rates)
        ]
    return intervals("What the priority flag finds", lines, 1.0, "share, or area under the curve")


def worlds(out: Report, pupils: int) -> None:
    """Every world, every rival, at an equal flag rate; losses stand out."""
    beats = {}
    for world in WORLDS:
        made = simulation.simulate(MODEL, world, pupils, ROUNDS + HORIZON, np.random.default_rng(SEED_CHECK))
        true = simulation.ends(MODEL, made.levels[:, ROUNDS - 1]).sum(axis=-1) >= 2
        weight = simulation.burden(MODEL, made.levels)[:, ROUNDS:]
        happened = np.any(simulation.outcomes(weight, 0.10, LINK, HORIZON, np.random.default_rng(8)), axis=1)
        index = indexes(made, ROUNDS)
        out.say(f"\n  {world.name}: {world.says}  [{true.mean():.3f} truly two or more at an end]")
        beats[world.name] = compared(out, index, true, happened)
    name = ITEMS.name
    out.check(
        f"in the world of {name} the model beats the raw cut at equal flag rate, intervals apart (true priority)",
        beats[name][0],
    )
    out.check(
        f"in the world of {name} the model beats the raw cut at equal flag rate, intervals apart (later outcome)",
        beats[name][1],
    )


def compared(out: Report, index: dict[str, np.ndarray], true: np.ndarray, happened: np.ndarray) -> tuple[bool, bool]:
    """One world's table; whether the model's intervals lie clear above the raw cut's, for either truth."""
    model = screening.top(index["model"], EQUAL_RATE)
    of = int(true.sum()), int(happened.sum())
    ours = [wilson(int((model & truth).sum()), n) for truth, n in zip((true, happened), of, strict=True)]
    clear = (False, False)
    heads = "finds true priority    AUC     finds later outcome    AUC     model's margin on priority; on outcome"
    out.say(f"    {'':20s} {heads}")
    for name, one in index.items():
        flagged = screening.top(one, EQUAL_RATE)
        cells, margins, intervals = [], [], []
        for truth, n in zip((true, happened), of, strict=True):
            hit = int((flagged & truth).sum())
            intervals.append(wilson(hit, n))
            cells.append(f"{hit / n:.3f} ({intervals[-1][0]:.3f}, {intervals[-1][1]:.3f})  {auc(one, truth):.3f}")
            m, low, high = screening.paired_margin(model, flagged, truth)
            verdict = "  LOSES" if high < 0 else "  even" if low <= 0 <= high else ""
            margins.append(f"{m:+.3f} ({low:+.3f}, {high:+.3f}){verdict}")
        if name == "raw cut":
            clear = ours[0][0] > intervals[0][1], ours[1][0] > intervals[1][1]
        out.say(f"    {name:20s} {cells[0]}   {cells[1]}   " + ("" if name == "model" else "; ".join(margins)))
    return clear


def main() -> int:
    """Run all parts; 1 where something that must hold does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=20_000)
    parser.add_argument("--plots", type=Path, help="a folder to draw the figures into, as SVG")
    parser.add_argument("--json", action="store_true", help="only the figures and checks, as JSON")
    options = parser.parse_args()
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
    out = Report(options.json)
    with out.part("Assumptions"):
        assumptions(out)
    with out.part("Cut-offs and load"):
        load(out, options.pupils)
        work(out)
    with out.part("What the priority flag finds (a later outcome; Wilson, Hanley-McNeil intervals)"):
        found(out, options.pupils, options.plots)
    with out.part("Lead time"):
        lead(out, options.pupils, options.plots)
    with out.part("How repeatable answers are (two questions, never averaged)"):
        repeatable(out, options.pupils)
    with out.part(f"Rivals in every world, each flagging {100 * EQUAL_RATE:.0f} % (prevalence .10)"):
        worlds(out, options.pupils)
    with out.part("Calibration"):
        calibrated(out, options.pupils, options.plots)
    with out.part("No link between polarity and outcome"):
        no_link(out)
    failed = [name for name, held in out.checks.items() if not held]
    if options.json:
        print(json.dumps({"figures": out.figures, "checks": out.checks}))
    out.say(f"\n{len(out.checks) - len(failed)} of {len(out.checks)} checks hold.")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
