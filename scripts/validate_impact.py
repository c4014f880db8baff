"""The impact figures in simulated trusts whose truth is known; and what "80 % against 47 %" is worth.

scripts/validate impact [--trusts 2000] [--json]: error rate, coverage, power, width where support is
chosen by chance, on what is on record, and on what the record cannot see; the Newcombe intervals of 80 % against 47 %
at four sizes; the share that "improves" with nobody doing anything, under each definition of improved; the test values
of the field guide and the agreement with statsmodels.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, get_args

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from rich.progress import track

from domain import impact, statistics
from domain.impact import ancova
from domain.impact.cases import cases
from domain.impact.trusts import Chosen, trust
from domain.statistics import newcombe

EFFECTS = (0.0, 0.2, 0.5)
FAR = 10**7
FIELDS = ("nearer", "low", "high", "did_excludes", "whole", "interval", "recorded_y", "recorded_x", "truth")
RETESTS = (0.9, 0.8, 0.7, 0.6)


def one(task: tuple[Chosen, float, int]) -> tuple[float, ...]:
    """One trust: the estimate, its interval, the rival's verdict, the bias bound, and the truth."""
    chosen, effect, seed = task
    made = trust(np.random.default_rng([seed, int(effect * 10), get_args(Chosen).index(chosen)]), chosen, effect)
    found = cases(made.panel, made.plans, 0, FAR)
    spread = impact.spread_of(made.panel)
    (estimate, hidden), rival = impact.primary(found, spread), impact.change_compared(found, spread)
    assert estimate and hidden and rival
    return (estimate.nearer, estimate.low, estimate.high, float(rival.excludes_zero), hidden.whole, hidden.interval,
            hidden.recorded_outcome, hidden.recorded_support, float(made.truth.mean()))  # fmt: skip


def world(pool: ProcessPoolExecutor, chosen: Chosen, effect: float, trusts: int) -> dict[str, Any]:
    """A world's figures over so many trusts."""
    tasks = [(chosen, effect, seed) for seed in range(trusts)]
    name = f"{chosen}, {effect} SD"
    rows = np.array(list(track(pool.map(one, tasks, chunksize=20), name, trusts, disable=not sys.stderr.isatty())))
    at = dict(zip(FIELDS, rows.T, strict=True))
    truth = at["truth"].mean()
    excludes = (at["low"] > 0) | (at["high"] < 0)
    return {
        "chosen": chosen, "effect_sd": effect, "trusts": trusts, "truth": round(float(truth), 4),
        "mean_estimate": round(float(at["nearer"].mean()), 4), "excludes_zero": round(float(excludes.mean()), 4),
        "coverage": round(float(((at["low"] <= truth) & (truth <= at["high"])).mean()), 4),
        "median_width": round(float(np.median(at["high"] - at["low"])), 4),
        "difference_in_differences_excludes_zero": round(float(at["did_excludes"].mean()), 4),
        "hidden_cause_needed": round(float(np.median(at["whole"])), 4),
        "recorded_explains": [round(float(np.median(at[one])), 4) for one in ("recorded_y", "recorded_x")],
    }  # fmt: skip


def eighty_against_47() -> list[dict[str, Any]]:
    """The interval of 80 % less 47 % at four sizes of arm (Newcombe 1998, method 10)."""
    made = []
    for n in (20, 50, 100, 200):
        difference, low, high = newcombe(round(0.80 * n), n, round(0.47 * n), n)
        made.append({"an_arm": n, "difference": round(difference, 2), "low": round(low, 2), "high": round(high, 2)})
    return made


def noise_alone(pupils: int = 400_000, cut: float = 1.76, seed: int = 7) -> list[dict[str, Any]]:
    """Of pupils picked for two or more polar scores of eight: the share that improves by nothing but measurement."""
    chance = np.random.default_rng(seed)
    made = []
    for r in RETESTS:
        true = chance.normal(0, np.sqrt(r), (pupils, 8))
        first, second = (true + chance.normal(0, np.sqrt(1 - r), (pupils, 8)) for _ in range(2))
        polar = np.abs(first) >= cut
        picked = polar.sum(axis=1) >= 2
        made.append(
            {"retest": r, "picked": round(float(picked.mean()), 3), **_defined(first[picked], second[picked], r, cut)}
        )
    return made


def _defined(first: Any, second: Any, r: float, cut: float) -> dict[str, float]:
    aim = np.abs(first) >= cut
    before, after = ((np.abs(x) * aim).sum(axis=1) / aim.sum(axis=1) for x in (first, second))
    error = np.sqrt(2 * (1 - r) / aim.sum(axis=1))
    shares = {
        "left_the_flag": (np.abs(second) >= cut).sum(axis=1) < 2,
        "fewer_polar_scores": (np.abs(second) >= cut).sum(axis=1) < aim.sum(axis=1),
        "less_extreme": after < before,
        "reliably_less_extreme": (before - after) > 1.96 * error,
    }
    return {name: round(float(share.mean()), 3) for name, share in shares.items()}


def known_values() -> list[dict[str, Any]]:
    """The test values of the shared field guide, section 3, beside what our functions give."""
    alpha = statistics.cronbach_alpha([(2, 3, 3), (4, 4, 5), (1, 2, 1), (5, 4, 5), (3, 3, 4)])
    pairs = [(7, 8), (5, 4), (9, 9), (3, 5), (6, 6), (8, 7)]
    low, high = newcombe(56, 70, 48, 80)[1:]
    values = (
        ("Cronbach's alpha", 0.944444, alpha, 5e-7), ("ICC(2,1)", 0.853556, statistics.icc_2_1(pairs), 5e-7),
        ("ICC(3,1)", 0.832653, statistics.icc_3_1(pairs), 5e-7),
        ("r", 0.841282, statistics.pearson([a for a, _ in pairs], [b for _, b in pairs]), 5e-7),
        ("reliability of a difference", 0.5, statistics.difference_reliability(0.8, 0.8, 0.6), 5e-7),
        ("reliable change", -3.162, statistics.reliable_change_index(47.5, 32.5, 7.5, 0.8), 5e-4),
        ("MSSD", 15.75, statistics.mssd([6, 9, 7, 12, 7]) or math.nan, 5e-7),
        ("Newcombe, low", 0.0524, low, 5e-5), ("Newcombe, high", 0.3339, high, 5e-5),
        ("robustness value", 0.139, ancova.robustness(4.18, 783), 5e-4),
    )  # fmt: skip
    return [{"value": name, "stated": stated, "ours": round(ours, 6), "holds": abs(ours - stated) <= within}
            for name, stated, ours, within in values]  # fmt: skip


def against_statsmodels(sets: int = 20) -> float | None:
    """The largest difference of estimate and clustered standard error over random sets; None where it is not there."""
    try:
        import statsmodels.api as sm
    except ImportError:
        return None
    largest = 0.0
    for seed in range(sets):
        chance = np.random.default_rng(seed)
        stratum, group, owner = (chance.integers(0, k, 240) for k in (6, 30, 12))
        z = chance.normal(size=(240, 2))
        x = (chance.random(240) < 1 / (1 + np.exp(-z[:, 0]))).astype(float)
        y = 0.3 * x + z @ [0.8, -0.2] + 0.4 * chance.normal(size=30)[group] + chance.normal(size=240)
        design = np.column_stack([x, z, (stratum[:, None] == np.unique(stratum)).astype(float)])
        for clusters in ([group], [group, owner]):
            groups = clusters[0] if len(clusters) == 1 else np.column_stack(clusters)
            theirs = sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
            ours = ancova.fit(y, x, z, stratum, clusters)
            assert ours is not None
            largest = max(largest, abs(ours.effect - theirs.params[0]), abs(ours.se - theirs.bse[0]))
    return largest


def show(found: dict[str, Any]) -> None:
    print("Support chosen | effect SD | trusts | excludes 0 | coverage | width | bias | diff-in-diff excludes 0")
    for row in found["worlds"]:
        print(f"{row['chosen']:>14} | {row['effect_sd']:9} | {row['trusts']:6} | {row['excludes_zero']:10.3f} | "
              f"{row['coverage']:8.3f} | {row['median_width']:5.3f} | {row['mean_estimate'] - row['truth']:+.3f} | "
              f"{row['difference_in_differences_excludes_zero']:.3f}")  # fmt: skip
    print("\n80 % against 47 %:", *(f"n = {r['an_arm']}: ({r['low']:.2f}, {r['high']:.2f})" for r in found["claim"]))
    print("\nWith nobody doing anything, of pupils picked for two or more polar scores of eight:")
    for row in found["noise"]:
        print(f"  retest {row['retest']}: " + ", ".join(f"{k} {v:.0%}" for k, v in row.items() if k != "retest"))
    print(
        "\nTest values:",
        *(f"{r['value']} {r['ours']}{'' if r['holds'] else ' WRONG'}" for r in found["values"]),
        sep="\n  ",
    )
    apart = found["statsmodels"]
    print("statsmodels: " + ("not installed" if apart is None else f"apart by at most {apart:.1e}"))
    print("\nHolds." if not found["broken"] else "\nBROKEN: " + "; ".join(found["broken"]))


def broken(worlds: list[dict[str, Any]]) -> list[str]:
    """What does not hold of what must, with three standard errors' grace where fewer than 2,000 trusts were made."""
    wrong = []
    for row in (one for one in worlds if one["chosen"] != "hidden"):
        grace = 0.0 if row["trusts"] >= 2000 else 3 * np.sqrt(0.05 * 0.95 / row["trusts"])
        if row["effect_sd"] == 0 and not 0.03 - grace <= row["excludes_zero"] <= 0.07 + grace:
            wrong.append(f"{row['chosen']}: excludes zero in {row['excludes_zero']:.1%} of trusts")
        if not 0.93 - grace <= row["coverage"] <= 0.97 + grace:
            wrong.append(f"{row['chosen']}, {row['effect_sd']}: coverage {row['coverage']:.1%}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trusts", type=int, default=2000, help="trusts a line")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        worlds = [world(pool, chosen, effect, asked.trusts)
                  for chosen in get_args(Chosen) for effect in EFFECTS]  # fmt: skip
    values, apart = known_values(), against_statsmodels()
    wrong = [f"{one['value']} is {one['ours']}, not {one['stated']}" for one in values if not one["holds"]]
    wrong += [f"apart from statsmodels by {apart:.1e}"] if apart is not None and apart > 1e-9 else []
    found = {"worlds": worlds, "claim": eighty_against_47(), "noise": noise_alone(), "values": values,
             "statsmodels": apart, "broken": [*broken(worlds), *wrong]}  # fmt: skip
    print(json.dumps(found)) if asked.json else show(found)
    return 1 if found["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
