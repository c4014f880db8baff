"""Difficulties from answers: found again from incomplete forms, linked to the scale in use, with honest errors and fit."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from domain import training as t
from domain.training import calibration as c
from domain.training.rasch import difficulties, p_right

OLD = {f"q{n}": float(d) for n, d in enumerate(np.linspace(-1.5, 1.5, 12))}


def answered(truth: dict[str, float], people: int, seed: int = 1, each: int = 6) -> list[dict[str, bool]]:
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(people):
        level, drawn = chance.normal(), chance.choice(sorted(truth), each, replace=False)
        made.append({str(one): bool(chance.random() < p_right(level, truth[str(one)])) for one in drawn})
    return made


def calibrated(people: list[dict[str, bool]], old: dict[str, float] = OLD) -> c.Calibration:
    return c.calibrate(people, old, 1, np.random.default_rng(2), draws=40)


def test_difficulties_are_found_from_forms_that_nobody_met_whole() -> None:
    made = calibrated(answered(OLD, 3000))
    apart = [one.difficulty - OLD[item] for item, one in made.items.items()]
    assert max(map(abs, apart)) < 0.25
    assert sum(abs(one) <= 1.96 * made.items[item].error for item, one in zip(made.items, apart, strict=True)) >= 10


def test_pairs_that_nobody_met_pull_nothing_to_the_middle() -> None:
    chance, truth = np.random.default_rng(3), np.array([-2.0, 0.0, 2.0])
    right = (chance.random((40_000, 3)) < p_right(chance.normal(size=(40_000, 1)), truth)).astype(float)
    right[:20_000, 2], right[20_000:, 0] = np.nan, np.nan
    assert difficulties(right) == pytest.approx(truth, abs=0.12)


def test_an_item_that_became_easier_is_told_and_does_not_move_the_others() -> None:
    truth = OLD | {"q11": OLD["q11"] - 2.5}
    made = calibrated(answered(truth, 3000)).items
    assert not made["q11"].anchor and sum(one.anchor for one in made.values()) == 11
    assert made["q11"].difficulty == pytest.approx(truth["q11"], abs=0.3)
    assert all(abs(one.difficulty - truth[item]) < 0.3 for item, one in made.items())


def test_an_item_answered_at_random_does_not_fit() -> None:
    chance = np.random.default_rng(4)
    levels = chance.normal(0, 1.5, 2000)
    people = []
    for level in levels:
        one = {item: bool(chance.random() < p_right(level, was)) for item, was in OLD.items()}
        people.append(one | {"q0": bool(chance.random() < 0.5)})
    made = calibrated(people).items
    assert not made["q0"].fits and all(one.fits for item, one in made.items() if item != "q0")


def test_items_with_few_answers_keep_their_difficulty_and_nothing_is_said_of_very_few_people() -> None:
    people = answered({item: was for item, was in OLD.items() if item != "q3"}, 400)
    assert "q3" not in calibrated(people).items
    with pytest.raises(c.TooFewAnswers, match="wait for more"):
        calibrated(answered(OLD, 20))


def test_the_same_answers_give_the_same_version_in_any_order_of_people() -> None:
    people = answered(OLD, 300)
    one, other = calibrated(people), calibrated(people[::-1])
    assert one.answers_sha256 == other.answers_sha256
    assert one.items["q5"].difficulty == pytest.approx(other.items["q5"].difficulty, abs=1e-6)
    assert c.read(one.model_dump_json().encode()) == one
    with pytest.raises(ValueError, match="cannot be read"):
        c.read(b"{}")


def test_a_version_changes_difficulties_and_the_digest_of_the_modules_that_it_names() -> None:
    first = t.module("first-steps")
    item = first.item[0].id
    new = c.Calibrated(difficulty=1.234, error=0.1, answers=99, was=0, infit=1, outfit=1, anchor=True)
    version = c.Calibration(version=1, people=99, answers_sha256="", items={item: new})
    changed = t.calibrated(first, version)
    assert changed.by_id()[item].difficulty == 1.234 and changed.digest != first.digest
    assert t.calibrated(t.module("contexts"), version) == t.module("contexts")
    assert t.calibrated(first, None) == first


def test_only_the_first_answer_to_a_question_counts() -> None:
    one = t.module("first-steps").item[0]
    wrong = (one.right + 1) % len(one.option)
    sat = [t.TrainingSat.model_construct(module="first-steps", answers={one.id: at}, happened_on=date(2026, 9, 1))
           for at in (wrong, one.right)]  # fmt: skip
    assert t.first_answers(sat) == {one.id: False}
