"""Scoring: each fault refused by name, nothing scored half, old sittings score the same for ever."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from uuid import uuid4

import numpy as np
import pytest

from domain import instrument, scoring
from domain.base import Actor
from domain.journey.facts import AssessmentSat
from domain.scoring import reliability
from domain.scoring.many import score_many

DEMO = instrument.load("astrack-demo", 1)
MIDDLE = {item.id: 3 + n % 2 for n, item in enumerate(DEMO.items)}


def at_level(level: float, seed: int = 1, sd: float = 1.0) -> dict[str, int]:
    chance = np.random.default_rng(seed)
    return {
        item.id: int(np.clip(round(3.5 + item.keyed * (level - 3.5) + chance.normal(0, sd)), 1, 6))
        for item in DEMO.items
    }


def test_a_published_version_scores_the_same_for_ever() -> None:
    answers = {item.id: 1 + (7 * n) % 6 if n % 5 else 4 for n, item in enumerate(DEMO.items)}
    scored = scoring.score(DEMO, answers)
    assert scored.values == PINNED_VALUES
    assert scored.errors == PINNED_ERRORS


def test_the_high_end_of_a_swapped_item_is_its_low_answer() -> None:
    high = scoring.score(DEMO, {item.id: 5 if item.keyed == 1 else 2 for item in DEMO.items})
    low = scoring.score(DEMO, {item.id: 2 if item.keyed == 1 else 5 for item in DEMO.items})
    assert min(high.values) > 4.9 and max(low.values) < 2.1
    assert high.values[0] + low.values[0] == pytest.approx(7, abs=1e-5)


def test_answers_in_the_middle_are_read_as_they_are() -> None:
    scored = scoring.score(DEMO, {item.id: 4 if item.keyed == 1 else 3 for item in DEMO.items})
    assert scored.values[0] == pytest.approx(4.0, abs=0.02)


def test_the_error_is_wider_at_the_floor_and_at_the_ceiling() -> None:
    middle, ceiling, floor = (scoring.score(DEMO, {item.id: up if item.keyed == 1 else 7 - up for item in DEMO.items})
                              for up in (4, 6, 1))  # fmt: skip
    assert ceiling.errors[0] > 1.3 * middle.errors[0]
    assert floor.errors[0] == pytest.approx(ceiling.errors[0])


def test_the_error_is_wider_where_answers_are_at_odds() -> None:
    steady, torn = (scoring.score(DEMO, at_level(3.5, sd=sd)) for sd in (0.3, 1.6))
    assert all(a > b for a, b in zip(torn.errors, steady.errors, strict=True))


def test_a_cell_with_too_few_answers_has_no_value_and_the_rest_have() -> None:
    gone = [item.id for item in DEMO.items if item.cell == 2][:3]
    scored = scoring.score(DEMO, {key: one for key, one in MIDDLE.items() if key not in gone})
    assert scored.values[2] is None and scored.errors[2] is None
    assert None not in scored.values[:2] + scored.values[3:]
    assert "missing" in scored.quality and not scored.usable


def test_two_items_left_out_of_a_cell_are_no_loss() -> None:
    gone = [item.id for item in DEMO.items if item.cell == 2][:2]
    scored = scoring.score(DEMO, {key: one for key, one in at_level(3.5).items() if key not in gone})
    assert scored.values[2] is not None and scored.usable


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ({}, scoring.NothingAnswered),
        ({**MIDDLE, "g-sd-99": 3}, scoring.UnknownItem),
        ({**MIDDLE, "g-sd-1": 0}, scoring.AnswerOutOfScale),
        ({**MIDDLE, "g-sd-1": 7}, scoring.AnswerOutOfScale),
        ({**MIDDLE, "g-sd-1": 3.5}, scoring.AnswerOutOfScale),
        ({**MIDDLE, "g-sd-1": True}, scoring.AnswerOutOfScale),
        ([*MIDDLE.items(), ("g-sd-1", 3)], scoring.AnsweredTwice),
    ],
    ids=["nothing", "unknown item", "below the scale", "above the scale", "between two steps", "not a number", "twice"],
)
def test_a_malformed_answer_is_refused_by_name_and_nothing_is_scored(answers, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        scoring.score(DEMO, answers)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 90_000.0, "3.5", None, True])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(scoring.SecondsWrong):
        scoring.score(DEMO, MIDDLE, {"g-sd-1": seconds})


def test_answers_to_another_version_are_refused() -> None:
    with pytest.raises(scoring.WrongInstrumentVersion):
        scoring.check_version(DEMO, "astrack-demo", 2)
    with pytest.raises(scoring.WrongInstrumentVersion):
        scoring.check_version(DEMO, "astrack-demo", 1, "0" * 64)


def test_a_sitting_on_record_is_scored_again_with_the_instrument_it_names() -> None:
    scored = scoring.score(DEMO, at_level(4.6))
    sat = AssessmentSat(
        event_id=uuid4(), recorded_at=datetime(2026, 10, 1, tzinfo=UTC), by=Actor(id=uuid4(), role="pupil"),
        sitting_id=uuid4(), happened_on=date(2026, 10, 1), instrument=DEMO.name, instrument_version=1,
        instrument_digest=DEMO.digest, answers=at_level(4.6), values=scored.values, errors=scored.errors,
    )  # fmt: skip
    assert scoring.rescore(sat) == scored
    with pytest.raises(scoring.WrongInstrumentVersion):
        scoring.rescore(sat.model_copy(update={"instrument_digest": "0" * 64}))


def on_record(
    answers: dict[str, int], seconds: dict[str, float], rules: int, named: bool = True, **changes: object
) -> AssessmentSat:
    scored = scoring.score(DEMO, answers, seconds, rules)
    fields = {
        "event_id": uuid4(), "recorded_at": datetime(2026, 10, 1, tzinfo=UTC), "by": Actor(id=uuid4(), role="pupil"),
        "sitting_id": uuid4(), "happened_on": date(2026, 10, 1), "instrument": DEMO.name, "instrument_version": 1,
        "instrument_digest": DEMO.digest, "answers": answers, "seconds": seconds, "values": scored.values,
        "errors": scored.errors, "quality": scored.quality, "usable": scored.usable,
        "scoring_rules": rules if named else None,
    }  # fmt: skip
    return AssessmentSat.model_validate({**fields, **changes})


ONE_FAST = {DEMO.items[0].id: 0.01}
"""Where the two rules differ: one time was kept, and it is short."""


@pytest.mark.parametrize("named", [True, False], ids=["which names its rules", "of before they were numbered"])
@pytest.mark.parametrize(("rules", "codes", "usable"), [(1, ("too_fast",), False), (2, (), True)])
def test_an_old_sitting_keeps_its_quality_when_it_is_scored_again(
    rules: int, codes: tuple[str, ...], usable: bool, named: bool
) -> None:
    sat = on_record(at_level(3.5), ONE_FAST, rules, named)
    assert (sat.quality, sat.usable) == (codes, usable)
    assert scoring.differing(sat) == ()


def test_what_comes_out_otherwise_is_named_and_rules_of_a_later_version_are_refused() -> None:
    sat = on_record(at_level(3.5), ONE_FAST, 1)
    assert scoring.differing(sat.model_copy(update={"scoring_rules": 2})) == ("quality", "usable")
    assert scoring.differing(sat.model_copy(update={"values": (1.0, *sat.values[1:])})) == ("values",)
    with pytest.raises(scoring.NoSuchRules):
        scoring.rescore(sat.model_copy(update={"scoring_rules": 3}))


@pytest.mark.parametrize(("rules", "pinned"), [(1, "027f7ef5c677"), (2, "2f125b9f77d3")])
def test_the_rules_judge_the_same_for_ever(rules: int, pinned: str) -> None:
    """Mend no rule that has judged sittings on record: number a new one and keep this."""
    chance = np.random.default_rng(11)
    said = hashlib.sha256()
    for seed in range(400):
        answers = at_level(float(chance.uniform(1.5, 5.5)), seed, float(chance.uniform(0.1, 2)))
        answers = {item: 4 if chance.random() < (seed % 5) / 5 else one for item, one in answers.items()}
        kept = [item for item in answers if chance.random() < 0.97 - (seed % 7) / 20]
        seconds = {item: round(float(chance.gamma(1 + seed % 3)), 3) for item in answers if chance.random() < 0.8}
        scored = scoring.score(DEMO, {item: answers[item] for item in kept}, seconds or None, rules)
        said.update(repr((scored.quality, scored.usable)).encode())
    assert said.hexdigest()[:12] == pinned


@pytest.mark.parametrize(
    ("answers", "seconds", "code"),
    [
        (dict.fromkeys(MIDDLE, 4), None, "straight_lining"),
        ({key: 5 if n < 20 else one for n, (key, one) in enumerate(MIDDLE.items())}, None, "longest_run"),
        (at_level(3.5), {item.id: 0.6 for item in DEMO.items}, "too_fast"),
        ({item.id: 6 for item in DEMO.items if item.context == "general"} | {item.id: 1 for item in DEMO.items if item.context == "school"},
         None, "inconsistent"),
        (dict(list(at_level(3.5).items())[:40]), None, "missing"),
    ],
)  # fmt: skip
def test_answers_that_are_hard_to_read_are_marked(
    answers: dict[str, int], seconds: dict[str, float] | None, code: str
) -> None:
    assert code in scoring.score(DEMO, answers, seconds).quality


def test_one_fast_answer_among_many_is_not_a_fast_sitting_however_few_times_were_kept() -> None:
    answers, ids = at_level(3.5), [item.id for item in DEMO.items]
    assert scoring.score(DEMO, answers, {ids[0]: 0.01}).usable
    few = dict.fromkeys(ids[: len(ids) // 4], 0.01)
    assert "too_fast" not in scoring.score(DEMO, answers, few).quality
    assert "too_fast" in scoring.score(DEMO, answers, dict.fromkeys(ids[1:], 0.01)).quality


def test_a_time_beside_no_answer_is_no_fast_answer() -> None:
    answers = at_level(3.5)
    left_out = dict.fromkeys(list(answers)[:7], 0.01)
    kept = {item: one for item, one in answers.items() if item not in left_out}
    assert "too_fast" not in scoring.score(DEMO, kept, left_out).quality


def test_a_careful_sitting_is_marked_with_nothing() -> None:
    marked = [seed for seed in range(200) if scoring.score(DEMO, at_level(3.5 + (seed % 9 - 4) / 3, seed)).quality]
    assert len(marked) <= 4


def test_most_answers_at_random_are_caught() -> None:
    chance = np.random.default_rng(5)
    caught = [
        not scoring.score(DEMO, {item.id: int(chance.integers(1, 7)) for item in DEMO.items}).usable for _ in range(300)
    ]
    assert np.mean(caught) > 0.6


def test_a_long_run_alone_is_noted_and_does_not_count_against_a_sitting() -> None:
    scored = scoring.score(DEMO, at_level(3.5) | {item.id: 4 for item in DEMO.items[10:24]})
    assert scored.quality == ("longest_run",) and scored.usable


def test_a_context_gap_has_an_error_of_its_own() -> None:
    scored = scoring.score(DEMO, at_level(3.5))
    gap, error = scoring.context_gap(scored.values, scored.errors, 1)
    assert gap == pytest.approx(scored.values[5] - scored.values[1])
    assert error == pytest.approx(np.hypot(scored.errors[1], scored.errors[5]))
    assert scoring.context_gap((*scored.values[:5], None, *scored.values[6:]), scored.errors, 1) is None


def test_a_school_at_once_scores_as_one_by_one() -> None:
    chance = np.random.default_rng(3)
    answers = chance.integers(0, 7, (300, len(DEMO.items))).astype(np.int8)
    answers[::3] = np.array([list(at_level(2.0 + n / 40, n).values()) for n in range(100)])
    many = score_many(DEMO, answers)
    for row, values, errors, usable in zip(answers, many.values, many.errors, many.usable, strict=True):
        one = scoring.score(DEMO, {item.id: int(given) for item, given in zip(DEMO.items, row, strict=True) if given})
        blank = [np.nan if value is None else value for value in one.values]
        assert values == pytest.approx(blank, abs=2e-5, nan_ok=True)
        assert errors == pytest.approx(
            [np.nan if value is None else value for value in one.errors], abs=2e-5, nan_ok=True
        )
        assert usable == one.usable


def test_distance_is_to_the_nearer_end_and_nothing_at_it() -> None:
    assert scoring.distance_from_end(DEMO, 3.5) == pytest.approx(1.3)
    assert scoring.distance_from_end(DEMO, 4.6) == pytest.approx(0.2)
    assert scoring.distance_from_end(DEMO, 2.2) == 0 and scoring.distance_from_end(DEMO, 5.5) < 0


def test_reliability_within_a_sitting_and_across_rounds_are_kept_apart() -> None:
    chance = np.random.default_rng(6)
    level = chance.normal(3.5, 0.75, (900, 8))
    answers = np.array([[np.clip(round(3.5 + item.keyed * (row[item.cell] - 3.5) + chance.normal(0, 1.05)), 1, 6) for item in DEMO.items]
                        for row in level]).astype(np.int8)  # fmt: skip
    first, later = (
        score_many(DEMO, answers).values,
        level + chance.normal(0, 0.6, level.shape) + chance.normal(0, 0.45, level.shape),
    )
    found = reliability.reliability(DEMO, answers, first, later)
    # six items of spread .75 and error 1.09: the Spearman-Brown value
    expected = 0.75**2 / (0.75**2 + (1.05**2 + 1 / 12) / 6)
    assert np.mean([one.alpha.value for one in found]) == pytest.approx(expected, abs=0.03)
    assert max(one.retest.value for one in found) < min(one.alpha.value for one in found)
    assert found[0].icc.value == pytest.approx(found[0].retest.value, abs=0.05)
    assert all(
        each.low < each.value < each.high and each.pupils == 900
        for one in found
        for each in (one.alpha, one.retest, one.icc)
    )
    few = reliability.Estimate(None, None, None, 9)
    assert reliability.reliability(DEMO, answers[:9], first[:9], later[:9])[0] == reliability.Reliability(few, few, few)
    alike = np.full_like(answers, 3)
    assert reliability.reliability(DEMO, alike, first, later)[0].alpha == reliability.Estimate(None, None, None, 900)


PINNED_VALUES = (3.668999, 4.180837, 3.668999, 2.991139, 3.161548, 4.180837, 3.331001, 2.644836)
PINNED_ERRORS = (0.461681, 0.461659, 0.630781, 0.576889, 0.510734, 0.517292, 0.587455, 0.474045)
