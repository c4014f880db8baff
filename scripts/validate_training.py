"""The gate before real data, and difficulties from answers, in simulated staff who also guess.

Whom the gate lets through and whom it holds back; and whether a calibration finds again difficulties that are not those
of judgement, from the forms people really draw, and says truly how sure it is.

scripts/validate training [--staff 2000] [--json]. Levels in logits; below 0 is not ready. A guess is right in one of
three. Attempts draw new items and count together.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from domain import training as t
from domain.staff import FIRST_MODULE
from domain.training import TrainingSat
from domain.training.calibration import calibrate
from domain.training.rasch import p_right

LEVELS, ATTEMPTS, GUESS = (-2.0, -1.0, 0.0, 1.0, 2.0), 3, 1 / 3
JUDGED_SD = 0.5
"""How far judgement is off in the simulated truth, in logits."""
PEOPLE = (100, 400, 1600)


def passes(level: float, number: int, guess: float) -> int | None:
    """The attempt at which one simulated person passes; None within three."""
    chance = np.random.default_rng([number, int((level + 10) * 10), int(guess * 100)])
    of = t.module(FIRST_MODULE)
    taken: list[TrainingSat] = []
    for attempt in range(ATTEMPTS):
        drawn = t.draw(of, UUID(int=number + 1), taken)
        right = {one.id: bool(chance.random() < guess + (1 - guess) * p_right(level, one.difficulty)) for one in drawn}
        answers = {one.id: one.right if right[one.id] else (one.right + 1) % len(one.option) for one in drawn}
        taken.append(t.TrainingSat.model_construct(module=of.name, answers=answers, happened_on=date(2026, 9, 1)))
        if t.level_over(t.scored(taken, of.name)).sure_above(t.READY) >= t.SURE:
            return attempt + 1
    return None


def recovered(people: int, guess: float, runs: int = 20) -> dict[str, object]:
    """Over so many calibrations: how far difficulties are from the truth, and how often their interval takes it in."""
    old = {item.id: item.difficulty for one in t.modules().values() for item in one.item}
    off, inside = [], []
    for run in range(runs):
        chance = np.random.default_rng([run, people])
        truth = {item: was + float(chance.normal(0, JUDGED_SD)) for item, was in old.items()}
        answers = [drawn_and_answered(person, truth, guess, chance) for person in range(people)]
        made = calibrate(answers, old, 1, chance, draws=100).items
        # where the two scales meet is a convention: both are centred on the items calibrated
        shift = np.mean([truth[item] - one.difficulty for item, one in made.items()])
        errors = [one.difficulty + shift - truth[item] for item, one in made.items()]
        off += errors
        inside += [abs(error) <= 1.96 * one.error for error, one in zip(errors, made.values(), strict=True)]
    rms = round(float(np.sqrt(np.mean(np.square(off)))), 3)
    return {"people": people, "guess": round(guess, 2), "judgement_off_sd": JUDGED_SD, "rms_error": rms,
            "coverage": round(float(np.mean(inside)), 3), "items": len(inside) // runs}  # fmt: skip


def drawn_and_answered(
    person: int, truth: dict[str, float], guess: float, chance: np.random.Generator
) -> dict[str, bool]:
    """What one person of a level of their own answered first, over two attempts at every module."""
    level, answers = float(chance.normal(0.5, 1)), dict[str, bool]()
    for of in t.modules().values():
        taken: list[t.TrainingSat] = []
        for _ in range(2):
            items = t.draw(of, UUID(int=person + 1), taken)
            taken.append(t.TrainingSat.model_construct(module=of.name, answers=dict.fromkeys((i.id for i in items), 0)))
            for one in items:
                answers.setdefault(one.id, bool(chance.random() < guess + (1 - guess) * p_right(level, truth[one.id])))
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--staff", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for guess in (0.0, GUESS):
        for level in LEVELS:
            at = [passes(level, number, guess) for number in range(asked.staff)]
            rows.append({"guess": round(guess, 2), "level": level,
                         "let_through_by_attempt": [round(sum(one is not None and one <= k for one in at) / len(at), 3)
                                                    for k in range(1, ATTEMPTS + 1)]})  # fmt: skip
    found = [recovered(people, guess) for guess in (0.0, GUESS) for people in PEOPLE]
    if asked.json:
        print(json.dumps({"gate": rows, "calibration": found}))
        return
    print("level (logits) | guesses right | let through by attempt 1, 2, 3")
    for row in rows:
        shares = "  ".join(f"{one:.1%}" for one in row["let_through_by_attempt"])
        print(f"{row['level']:14} | {row['guess']:13} | {shares}")
    print(f"\nDifficulties where judgement is off by {JUDGED_SD} logits (SD):")
    for one in found:
        print(f"  {one['people']:5} people, guesses right {one['guess']}: off by {one['rms_error']} logits,"
              f" 95 % intervals take in {one['coverage']:.1%}, {one['items']} items")  # fmt: skip


if __name__ == "__main__":
    main()
