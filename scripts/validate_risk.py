"""The risk model in worlds with known truth: assumptions first, then what it finds, misses and loses to, with intervals.

Everything is simulated: this shows what the model does when its assumptions hold or break, never that pupils are so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from domain import risk, rivals, screening, simulation
from domain.journey.state import Sat
from domain.kalman import Sittings
from domain.statistics import auc, auc_interval, predictive_values, wilson
from domain.worlds import ITEMS, WORLDS

ROUNDS, HORIZON, EQUAL_RATE, LINK = 9, 3, 0.13, 3.0
PREVALENCES = (0.05, 0.10, 0.20)
SEED_SET, SEED_CHECK = 2026, 4051
NULL_RUNS, NULL_PUPILS = 2000, 1000
CLASSES = 6
MODEL = risk.load_model()
Index = Callable[[Sittings], np.ndarray]


def up_to(sittings: Sittings, rounds: int) -> Sittings:
    """The first rounds only."""
    return Sittings(*(getattr(sittings, name)[:, :rounds] for name in ("days", "months", "values", "errors")))


def direct_sittings(made: simulation.Simulated, rounds: int) -> Sittings:
    """The same rounds as direct questions would have them."""
    values = made.direct[:, :rounds]
    errors = np.where(np.isnan(values), np.nan, 0.45).astype(np.float32)
    seen = up_to(made.sittings, rounds)
    return Sittings(seen.days, seen.months, values, errors)


def indexes(made: simulation.Simulated, rounds: int) -> dict[str, np.ndarray]:
    """What each way of reading the same rounds ranks pupils by."""
    seen = up_to(made.sittings, rounds)
    values = np.asarray(seen.values)
    return {
        "model": risk.cohort(MODEL, seen, 2).p_priority[:, -1],
        "raw cut": rivals.last_sitting(MODEL, values),
        "mean of 2": rivals.mean_of_last(MODEL, values, 2),
        "mean of 3": rivals.mean_of_last(MODEL, values, 3),
        "running mean": rivals.running_mean(MODEL, values),
        "EWMA": rivals.weighted_mean(MODEL, values),
        "direct, same filter": risk.cohort(MODEL, direct_sittings(made, rounds), 2).p_priority[:, -1],
    }


class Report:
    """Prints as it goes, remembers checks and figures."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.checks, self.figures = quiet, {}, {}

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


def assumptions(out: Report) -> None:
    """What is assumed, before any figure."""
    p, cuts = MODEL.artefact.parameters, MODEL.cuts
    out.say(f"Model {MODEL.artefact.name} {MODEL.artefact.version}, {MODEL.digest[:16]}..., "
            f"for {MODEL.instrument.name} {MODEL.instrument.version} ({MODEL.instrument.status})")  # fmt: skip
    out.say("  All pupils, answers and outcomes here are simulated. No figure below is about children.")
    out.say(f"  Status of its parameters: {MODEL.artefact.status}. {MODEL.artefact.note}")
    out.say(f"  Levels halve their way back to the peers' mean in {p.halving_days:.0f} days; correlations {p.correlation.same_factor}"
            f" (same factor), {p.correlation.same_context} (same context), {p.correlation.neither} (neither).")  # fmt: skip
    out.say(f"  An end: at or below {MODEL.instrument.poles.low}, at or above {MODEL.instrument.poles.high}. Priority: two or more "
            f"factors at an end; raised at P >= {cuts.priority.on}, eased below {cuts.priority.off}.")  # fmt: skip
    out.say(f"  The outcome is not polarity itself: a hazard each round, log-odds rising by {LINK} for each unit of burden (how far "
            f"factors lie beyond 3/5 of the way to an end, summed), within {HORIZON} rounds after round {ROUNDS}.")  # fmt: skip
    out.say("  Direct questions: same error, same rounds, same filter; pupils at an end show half of how far out they are.")
    out.say("  What pupils hide from direct questions is assumed, not shown.")


def load(out: Report, pupils: int) -> list[float]:
    """The priority rate by round on two seeds, and what a class of 30 brings a tutor."""
    on, off = MODEL.cuts.priority.on, MODEL.cuts.priority.off
    rates = []
    for seed in (SEED_SET, SEED_CHECK):
        made = simulation.simulate(MODEL, ITEMS, pupils, 30, np.random.default_rng(seed))
        seen = ~np.isnan(made.sittings.values).all(axis=-1)
        p = risk.cohort(MODEL, made.sittings, 2).p_priority
        rates.append((screening.standing(p, seen, on, off).mean(axis=0), p, seen))
    low, high = (one / 30 for one in MODEL.artefact.load_per_30)
    fitted = float(np.quantile(rates[0][1][:, 3:], 1 - (low + high) / 2 + 0.01))
    out.say(f"  On the seed they are set on, {100 * rates[0][0][3:].mean():.1f} % stand from round 4 on "
            f"(a cut at {fitted:.2f} without hysteresis gives one pupil in {1 / ((low + high) / 2):.1f}).")  # fmt: skip
    out.say("  Priority standing, per class of 30, rounds 1-30, set seed / check seed:")
    for start in (0, 10, 20):
        pairs = (f"{30 * a:.1f}/{30 * b:.1f}" for a, b in zip(rates[0][0][start:start + 10], rates[1][0][start:start + 10], strict=True))
        out.say("   " + "  ".join(pairs))
    checked = rates[1][0]
    out.figures["priority_per_30"] = [round(float(30 * one), 2) for one in checked]
    out.check("the priority rate on the check seed is within a tenth of that on the set seed",
              abs(checked[3:].mean() / rates[0][0][3:].mean() - 1) < 0.1)  # fmt: skip
    return list(checked)


def work(out: Report) -> None:
    """Everything that makes work, by the same function that serves a request, in a few classes."""
    made = simulation.simulate(MODEL, ITEMS, 30 * CLASSES, 30, np.random.default_rng(SEED_CHECK + 1))
    stands, fresh = np.zeros(30), np.zeros(30)
    kinds: dict[str, int] = {}
    for pupil in range(30 * CLASSES):
        before: frozenset[risk.Subject] = frozenset()
        sats: list[Sat] = []
        for at in range(30):
            sat = sat_of(made.sittings, pupil, at)
            if sat is None:
                stands[at] += any(risk.makes_work(one[0]) for one in before)
                continue
            sats.append(sat)
            found = risk.findings(MODEL, sats, before, sat.on)
            now = frozenset(one.subject for one in found)
            stands[at] += any(risk.makes_work(one.kind) for one in found)
            fresh[at] += any(risk.makes_work(one[0]) for one in now - before)
            for one in now - before:
                kinds[one[0]] = kinds.get(one[0], 0) + 1
            before = now
    out.say("  Pupils with a sign that makes work, per class of 30, rounds 1-30 (new ones in brackets):")
    for start in (0, 10, 20):
        rows = zip(stands[start:start + 10] / CLASSES, fresh[start:start + 10] / CLASSES, strict=True)
        out.say("   " + "  ".join(f"{a:.1f} ({b:.1f})" for a, b in rows))
    total = 30 * 30 * CLASSES
    out.say("  Raised, per class and round: " + ", ".join(f"{k} {30 * v / total:.2f}" for k, v in sorted(kinds.items(), key=lambda kv: -kv[1])))
    mean = float(stands[3:].mean() / CLASSES)
    low, high = MODEL.artefact.load_per_30
    out.figures["work_per_30"] = round(mean, 2)
    out.check(f"from round 4 on a class of 30 has {low:.0f} to {high:.0f} pupils with a sign that makes work ({mean:.1f})", low <= mean <= high)


def sat_of(sittings: Sittings, pupil: int, at: int) -> Sat | None:
    """A simulated sitting as the journey keeps it; None where the pupil was absent."""
    values = sittings.values[pupil, at]
    if np.isnan(values).all():
        return None
    nothing = [None if np.isnan(one) else float(one) for one in values]
    errors = [None if np.isnan(one) else float(one) for one in sittings.errors[pupil, at]]
    number = UUID(int=pupil * 100 + at)
    on = date(2026, 9, 14) + timedelta(days=int(sittings.days[pupil, at]))
    return Sat(number, number, None, on, tuple(nothing), tuple(errors), True, int(sittings.months[pupil, at]))


def found(out: Report, pupils: int) -> None:
    """Screening figures at three prevalences, in the world of ordinal items."""
    made = simulation.simulate(MODEL, ITEMS, pupils, ROUNDS + HORIZON, np.random.default_rng(SEED_CHECK))
    seen = up_to(made.sittings, ROUNDS)
    p = risk.cohort(MODEL, seen, 2).p_priority
    flagged = screening.standing(p, ~np.isnan(seen.values).all(axis=-1), MODEL.cuts.priority.on, MODEL.cuts.priority.off)[:, -1]
    weight = simulation.burden(MODEL, made.levels)[:, ROUNDS:]
    out.say("  prevalence  sensitivity           specificity           PPV                   NPV                   AUC")
    for prevalence in PREVALENCES:
        happened = simulation.outcomes(weight, prevalence, LINK, HORIZON, np.random.default_rng(8)).any(axis=1)
        s = screening.screen(p[:, -1], flagged, happened)
        out.say(f"  {s.prevalence:.3f}       {s.sensitivity}  {s.specificity}  {s.ppv}  {s.npv}  {s.auc}")
        out.figures[f"auc_prevalence_{int(prevalence * 100)}"] = round(s.auc.value, 4)
    true = simulation.ends(MODEL, made.levels[:, ROUNDS - 1]).sum(axis=-1) >= 2
    s = screening.screen(p[:, -1], flagged, true)
    out.say(f"  true priority {s.prevalence:.3f}: {s.sensitivity}  {s.specificity}  {s.ppv}  {s.npv}  {s.auc}")
    out.say("  The best any index could do, knowing every true level of the months to come: AUC "
            f"{auc(weight.mean(axis=1), happened):.3f}.")  # fmt: skip
    values = "/".join(f"{100 * predictive_values(0.82, 0.82, one)[0]:.0f}" for one in PREVALENCES)
    out.say(f"  For scale: sensitivity = specificity = .82 would give PPV {values} % at these prevalences.")


def lead(out: Report, pupils: int) -> None:
    """How many rounds before the outcome a flag stood."""
    rounds = 18
    made = simulation.simulate(MODEL, ITEMS, pupils, rounds, np.random.default_rng(SEED_CHECK + 2))
    p = risk.cohort(MODEL, made.sittings, 2).p_priority
    stands = screening.standing(p, ~np.isnan(made.sittings.values).all(axis=-1), MODEL.cuts.priority.on, MODEL.cuts.priority.off)
    for prevalence in PREVALENCES:
        for link, name in ((LINK, "linked"), (0.0, "no link")):
            weight = simulation.burden(MODEL, made.levels)
            happened = simulation.outcomes(weight, prevalence, link, HORIZON, np.random.default_rng(9))
            happened[:, :3] = False
            leads, of = screening.lead_rounds(stands, happened)
            low, high = wilson(len(leads), of)
            quartiles = np.percentile(leads, [25, 50, 75]) if len(leads) else [float("nan")] * 3
            out.say(f"  prevalence {prevalence:.2f}, {name:8s}: a flag stood beforehand in {len(leads) / of:.3f} ({low:.3f}, {high:.3f}) of {of}; "
                    f"lead {quartiles[1]:.0f} rounds (quartiles {quartiles[0]:.0f} to {quartiles[2]:.0f})")  # fmt: skip


def worlds(out: Report, pupils: int) -> None:
    """Every world, every rival, at an equal flag rate; losses stand out."""
    beats = {}
    for world in WORLDS:
        made = simulation.simulate(MODEL, world, pupils, ROUNDS + HORIZON, np.random.default_rng(SEED_CHECK))
        true = simulation.ends(MODEL, made.levels[:, ROUNDS - 1]).sum(axis=-1) >= 2
        weight = simulation.burden(MODEL, made.levels)[:, ROUNDS:]
        happened = simulation.outcomes(weight, 0.10, LINK, HORIZON, np.random.default_rng(8)).any(axis=1)
        index = indexes(made, ROUNDS)
        out.say(f"\n  {world.name}: {world.says}  [{true.mean():.3f} truly two or more at an end]")
        beats[world.name] = compared(out, index, true, happened)
    name = ITEMS.name
    out.check(f"in the world of {name} the model beats the raw cut at equal flag rate, intervals apart (true priority)", beats[name][0])
    out.check(f"in the world of {name} the model beats the raw cut at equal flag rate, intervals apart (later outcome)", beats[name][1])


def compared(out: Report, index: dict[str, np.ndarray], true: np.ndarray, happened: np.ndarray) -> tuple[bool, bool]:
    """One world's table; whether the model's intervals lie clear above the raw cut's, for either truth."""
    model = screening.top(index["model"], EQUAL_RATE)
    of = int(true.sum()), int(happened.sum())
    ours = [wilson(int((model & truth).sum()), n) for truth, n in zip((true, happened), of, strict=True)]
    clear = (False, False)
    out.say(f"    {'':20s} finds true priority    AUC     finds later outcome    AUC     model's margin on priority; on outcome")
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
        rows = list(slices(days, months, sat, yearly))
        out.say(f"  {world.name}:    said / so (of), by tenths of P(polar), after a sitting")
        whole = screening.calibration(said[sat], true[sat])
        out.say("    " + "  ".join(f"{a:.2f}/{b.value:.2f}" for a, b in zip(whole.said, whole.so, strict=True)))
        for name, where in rows:
            one = screening.calibration(said[where], true[where])
            top = said[where].ravel() >= 0.5
            out.say(f"    {name:26s} Brier {one.brier:.4f}  mean gap {one.gap:.4f}   above one half: said {said[where].ravel()[top].mean():.3f}, "
                    f"so {true[where].ravel()[top].mean():.3f} (of {int(top.sum())})")  # fmt: skip
            if name == "all":
                out.figures[f"brier_{world.name.replace(' ', '_')}"] = round(one.brier, 5)
                out.figures[f"calibration_gap_{world.name.replace(' ', '_')}"] = round(one.gap, 5)
        worst = max(screening.calibration(said[where], true[where]).gap for _, where in rows)
        out.check(f"{world.name}: P(polar) is within {0.01 if world.ordinal is False else 0.02} on average in every slice ({worst:.4f})",
                  worst <= (0.02 if world.ordinal else 0.01))  # fmt: skip
        if plots:
            (plots / f"reliability-{world.name.replace(' ', '-')}.svg").write_text(reliability_svg(whole, world.name))


def slices(days: np.ndarray, months: np.ndarray, sat: np.ndarray, yearly: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
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
    """With outcomes that have nothing to do with polarity, every index's AUC interval should miss .5 one time in twenty."""
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
        out.check(f"no link, {name}: the AUC interval contains .5 in {100 * held / NULL_RUNS:.1f} % of {NULL_RUNS} runs (93 to 97)",
                  0.93 <= held / NULL_RUNS <= 0.97)  # fmt: skip


def reliability_svg(one: screening.Calibration, title: str) -> str:
    """A reliability plot: said across, so up, intervals as bars."""
    side, edge = 320, 40
    dots = []
    for said, so in zip(one.said, one.so, strict=True):
        x = edge + said * side
        y, top, bottom = (edge + (1 - v) * side for v in (so.value, so.high, so.low))
        dots.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" stroke="#555"/><circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    frame = f'<rect x="{edge}" y="{edge}" width="{side}" height="{side}" fill="none" stroke="#999"/>'
    line = f'<line x1="{edge}" y1="{edge + side}" x2="{edge + side}" y2="{edge}" stroke="#999" stroke-dasharray="4"/>'
    words = f'<text x="{edge}" y="24">{title}: P(polar) said (across) and so (up); Brier {one.brier:.4f}; simulated</text>'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="560" height="{side + 2 * edge}" font-family="sans-serif" font-size="12">'
            f'<title>{title}: reliability of P(polar), simulated</title>{frame}{line}{"".join(dots)}{words}</svg>\n')  # fmt: skip


def main() -> int:
    """Run all parts; 1 where something that must hold does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=20_000)
    parser.add_argument("--plots", type=Path)
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
        found(out, options.pupils)
    with out.part("Lead time"):
        lead(out, options.pupils)
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
