"""Schools side by side: chance alone sets few apart, a school far out is seen, small ones stay hidden."""

from __future__ import annotations

import numpy as np
import pytest

from domain.impact.funnel import Z998, funnel, limits


def alike(schools: int, seed: int, p: float = 0.6) -> list[tuple[str, int, int]]:
    chance = np.random.default_rng(seed)
    sizes = chance.integers(20, 200, schools)
    return [(f"School {n}", int(chance.binomial(of, p)), int(of)) for n, of in enumerate(sizes)]


def test_schools_that_differ_by_chance_alone_are_rarely_set_apart() -> None:
    apart = [
        one.where != "as expected"
        for seed in range(60)
        for one in (funnel(alike(20, seed)) or pytest.fail("no funnel")).places
    ]
    assert 0.01 < np.mean(apart) < 0.07


def test_a_school_far_out_is_seen() -> None:
    made = funnel([*alike(30, 1), ("Far Away", 20, 150)])
    assert made is not None
    assert next(one.where for one in made.places if one.name == "Far Away") != "as expected"


def test_limits_narrow_with_size() -> None:
    assert limits(0.5, 400, Z998)[0] > limits(0.5, 40, Z998)[0]
    assert limits(0.0, 40, Z998) == (0.0, 0.0)


def test_places_are_in_order_of_size_and_never_of_rank() -> None:
    made = funnel(alike(12, 4))
    assert made is not None
    assert [one.of for one in made.places] == sorted((one.of for one in made.places), reverse=True)


def test_small_schools_are_left_out_and_counted() -> None:
    made = funnel([*alike(5, 2), ("Tiny", 4, 9)])
    assert made is not None
    assert made.left_out == 1
    assert "Tiny" not in {one.name for one in made.places}


def test_two_schools_make_no_funnel() -> None:
    assert funnel(alike(2, 3)) is None


def test_schools_that_all_differ_widen_the_limits() -> None:
    chance = np.random.default_rng(5)
    made = funnel([(f"S{n}", int(chance.binomial(150, p)), 150) for n, p in enumerate(chance.uniform(0.3, 0.9, 20))])
    assert made is not None
    assert made.spread > 3
    assert sum(one.where == "as expected" for one in made.places) >= 15
