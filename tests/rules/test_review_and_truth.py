"""Whom to look at, and what may be said of how right flags have been."""

from __future__ import annotations

from random import Random
from uuid import UUID

import numpy as np
import pytest
from pydantic import ValidationError

from domain import review, truth
from domain.review import Load, Sign
from domain.truth import Watched

CLASS = [UUID(int=n) for n in range(30)]


def signs(*urgencies: float) -> list[Sign]:
    return [Sign(CLASS[n], urgency) for n, urgency in enumerate(urgencies)]


def test_the_list_holds_the_surest_signs_and_one_pupil_without() -> None:
    found = review.review_list(signs(0.9, 0.5, 0.8, 0.45, 0.7, 0.6), CLASS, Random(1))
    assert set(found.show) - found.drawn == {CLASS[0], CLASS[2], CLASS[4], CLASS[5]}
    assert found.waiting == (CLASS[1], CLASS[3])
    assert len(found.drawn) == 1 and found.drawn.isdisjoint({CLASS[n] for n in range(6)})
    assert found.chance == pytest.approx(1 / 24)


def test_a_pupil_with_two_signs_takes_one_place() -> None:
    found = review.review_list([Sign(CLASS[0], 0.4), Sign(CLASS[0], 0.9), Sign(CLASS[1], 0.5)], CLASS, Random(1))
    assert len(found.show) == 3


def test_the_order_does_not_tell_who_was_drawn() -> None:
    places = [list(found.show).index(next(iter(found.drawn)))
              for found in (review.review_list(signs(0.9, 0.8, 0.7, 0.6), CLASS, Random(seed)) for seed in range(400))]  # fmt: skip
    assert np.bincount(places, minlength=5).min() > 50


def test_every_pupil_without_a_sign_is_as_likely_to_be_drawn() -> None:
    counts = np.zeros(30)
    for seed in range(3000):
        for pupil in review.review_list(signs(0.9, 0.8), CLASS, Random(seed)).drawn:
            counts[pupil.int] += 1
    assert counts[:2].sum() == 0
    assert counts[2:].min() > 70 and counts[2:].max() < 150


def test_the_same_randomness_draws_the_same_pupils() -> None:
    assert review.review_list(signs(0.9), CLASS, Random(7)) == review.review_list(signs(0.9), CLASS, Random(7))


def test_the_load_grows_with_the_group() -> None:
    assert Load().room(30) == 5 and Load().room(60) == 10 and Load().room(4) == 1
    assert len(review.review_list([], CLASS[:8], Random(1), Load(most=2, least=1, unflagged=0)).show) == 0


@pytest.mark.parametrize("fields", [{"least": 0}, {"least": 6}, {"most": 31}, {"unflagged": 9}])
def test_a_load_that_makes_no_sense_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="review load"):
        Load(**fields)


def test_agreement_is_withheld_below_ten_reviews_and_says_how_many() -> None:
    found = truth.agreement(["new_to_us"] * 5 + ["not_what_we_see"] * 4 + [None] * 3)
    assert found.agreed.withheld and (found.agreed.counted, found.agreed.needed) == (9, 10)
    assert found.unreviewed == 3


def test_agreement_and_the_share_new_to_us_have_intervals() -> None:
    found = truth.agreement(["new_to_us"] * 12 + ["already_known"] * 6 + ["not_what_we_see"] * 2)
    assert found.agreed.value == 0.9 and found.new.value == pytest.approx(12 / 18)
    assert found.agreed.low < 0.9 < found.agreed.high


def watched(count: int, flagged: bool, outcome: bool | None, weight: float = 1.0, start: int = 0) -> list[Watched]:
    return [Watched(UUID(int=start + n), flagged, outcome, weight) for n in range(count)]


def test_nothing_is_said_of_ppv_before_enough_outcomes() -> None:
    found = truth.followed(watched(30, True, False) + watched(9, True, True, start=100))
    assert found.ppv.withheld and found.sensitivity.withheld and found.outcomes == 9


def test_ppv_is_flags_followed_by_an_outcome() -> None:
    found = truth.followed(
        watched(30, True, False) + watched(20, True, True, start=100) + watched(4, True, None, start=300)
    )
    assert found.ppv.value == pytest.approx(0.4)
    assert found.not_followed_up == 4


def test_flags_of_one_pupil_do_not_count_as_many_pupils() -> None:
    once = watched(30, True, False) + watched(20, True, True, start=100)
    often = [one for one in once for _ in range(5)]
    assert truth.followed(often).ppv.value == truth.followed(once).ppv.value
    width = truth.followed(once).ppv.high - truth.followed(once).ppv.low
    assert truth.followed(often).ppv.high - truth.followed(often).ppv.low == pytest.approx(width, rel=0.05)


def test_drawn_pupils_stand_for_those_who_were_not_drawn() -> None:
    rows = (
        watched(20, True, True)
        + watched(5, False, True, weight=8.0, start=100)
        + watched(60, False, False, 8.0, start=200)
    )
    assert truth.followed(rows).sensitivity.value == pytest.approx(20 / (20 + 40))


def test_weighted_sensitivity_finds_the_true_one() -> None:
    chance = np.random.default_rng(3)
    found = []
    for _ in range(60):
        ill = chance.random(3000) < 0.1
        flag = np.where(ill, chance.random(3000) < 0.6, chance.random(3000) < 0.1)
        looked = flag | (chance.random(3000) < 0.1)
        rows = [
            Watched(UUID(int=n), bool(flag[n]), bool(ill[n]), 1.0 if flag[n] else 10.0) for n in np.nonzero(looked)[0]
        ]
        found.append(truth.followed(rows).sensitivity)
    assert np.mean([one.value for one in found]) == pytest.approx(0.6, abs=0.03)
    assert np.mean([one.low <= 0.6 <= one.high for one in found]) > 0.85
