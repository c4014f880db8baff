"""The gate before real data: whom it lets through and whom it holds back, in simulated staff who also guess.

scripts/validate training [--staff 2000] [--json]. Levels in logits; below 0 is not ready. A guess is right in one of
three. Attempts draw new items and count together.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from domain import training as t
from domain.staff import FIRST_MODULE
from domain.training.rasch import p_right

LEVELS, ATTEMPTS, GUESS = (-2.0, -1.0, 0.0, 1.0, 2.0), 3, 1 / 3


def passes(level: float, number: int, guess: float) -> int | None:
    """The attempt at which one simulated person passes; None within three."""
    chance = np.random.default_rng([number, int((level + 10) * 10), int(guess * 100)])
    of, taken = t.module(FIRST_MODULE), []
    for attempt in range(ATTEMPTS):
        drawn = t.draw(of, UUID(int=number + 1), taken)
        right = {one.id: bool(chance.random() < guess + (1 - guess) * p_right(level, one.difficulty)) for one in drawn}
        answers = {one.id: one.right if right[one.id] else (one.right + 1) % len(one.option) for one in drawn}
        taken.append(t.TrainingSat.model_construct(module=of.name, answers=answers, happened_on=date(2026, 9, 1)))
        if t.level_over(t.scored(taken, of.name)).sure_above(t.READY) >= t.SURE:
            return attempt + 1
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--staff", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = []
    for guess in (0.0, GUESS):
        for level in LEVELS:
            at = [passes(level, number, guess) for number in range(asked.staff)]
            rows.append({"guess": round(guess, 2), "level": level,
                         "let_through_by_attempt": [round(sum(one is not None and one <= k for one in at) / len(at), 3)
                                                    for k in range(1, ATTEMPTS + 1)]})  # fmt: skip
    if asked.json:
        print(json.dumps(rows))
        return
    print("level (logits) | guesses right | let through by attempt 1, 2, 3")
    for row in rows:
        shares = "  ".join(f"{one:.1%}" for one in row["let_through_by_attempt"])
        print(f"{row['level']:14} | {row['guess']:13} | {shares}")


if __name__ == "__main__":
    main()
