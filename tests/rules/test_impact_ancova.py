"""Clustered least squares and the bias bound against an independent implementation and published figures."""

from __future__ import annotations

import importlib
from itertools import combinations

import numpy as np
import pytest

from domain.impact import ancova as a
from domain.statistics.student_t import t_tail, t_two_sided

stats = importlib.import_module("scipy.stats")  # there wherever tests run: a test that is skipped shows nothing
sm = importlib.import_module("statsmodels.api")


def made(seed: int, n: int = 240, strata: int = 6, groups: int = 30) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(seed)
    stratum, group, owner = chance.integers(0, strata, n), chance.integers(0, groups, n), chance.integers(0, 12, n)
    z = np.column_stack([chance.normal(size=n), chance.normal(size=n)])
    x = (chance.random(n) < 1 / (1 + np.exp(-z[:, 0]))).astype(float)
    shock = chance.normal(size=groups)[group] + chance.normal(size=12)[owner]
    y = 0.3 * x + z @ [0.8, -0.2] + 0.5 * stratum + 0.4 * shock + chance.normal(size=n)
    return {"y": y, "x": x, "z": z, "stratum": stratum, "group": group, "owner": owner}


def reference(d: dict[str, np.ndarray], clusters: np.ndarray):
    dummies = (d["stratum"][:, None] == np.unique(d["stratum"])).astype(float)
    design = np.column_stack([d["x"], d["z"], dummies])
    return sm.OLS(d["y"], design).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)


@pytest.mark.parametrize("seed", range(4))
def test_one_way_of_clustering_agrees_with_statsmodels(seed: int) -> None:
    d = made(seed)
    ours, theirs = a.fit(d["y"], d["x"], d["z"], d["stratum"], [d["group"]]), reference(d, d["group"])
    assert ours is not None
    assert ours.effect == pytest.approx(theirs.params[0], abs=1e-9)
    assert ours.se == pytest.approx(theirs.bse[0], abs=1e-9)
    assert ours.residual_df == d["y"].size - 9


@pytest.mark.parametrize("seed", range(4))
def test_two_ways_of_clustering_agree_with_statsmodels(seed: int) -> None:
    d = made(seed)
    ours = a.fit(d["y"], d["x"], d["z"], d["stratum"], [d["group"], d["owner"]])
    theirs = reference(d, np.column_stack([d["group"], d["owner"]]))
    assert ours is not None
    assert ours.se == pytest.approx(theirs.bse[0], abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_three_ways_of_clustering_are_the_sum_of_statsmodels_over_every_join(seed: int) -> None:
    d = made(seed)
    together = np.random.default_rng(seed).integers(0, 40, d["y"].size)
    ways = [d["group"], d["owner"], together]
    variance = 0.0
    for size in (1, 2, 3):
        for some in combinations(ways, size):
            joined = np.unique(np.column_stack(some), axis=0, return_inverse=True)[1].ravel()
            variance += (-1) ** (size + 1) * reference(d, joined).bse[0] ** 2
    ours = a.fit(d["y"], d["x"], d["z"], d["stratum"], ways)
    assert ours is not None
    assert ours.se == pytest.approx(np.sqrt(variance), abs=1e-9)


def test_plain_t_and_partial_shares_agree_with_statsmodels() -> None:
    d = made(9)
    ours = a.fit(d["y"], d["x"], d["z"], d["stratum"], [d["group"]])
    dummies = (d["stratum"][:, None] == np.unique(d["stratum"])).astype(float)
    full = sm.OLS(d["y"], np.column_stack([d["x"], d["z"], dummies])).fit()
    bare = sm.OLS(d["y"], np.column_stack([d["x"], dummies])).fit()
    assert ours is not None
    assert ours.t_plain == pytest.approx(full.tvalues[0], abs=1e-9)
    assert ours.share_y == pytest.approx(1 - full.ssr / bare.ssr, abs=1e-9)


def test_a_covariate_that_others_explain_already_changes_nothing() -> None:
    d = made(3)
    once = a.fit(d["y"], d["x"], d["z"], d["stratum"], [d["group"]])
    twice = a.fit(d["y"], d["x"], np.column_stack([d["z"], d["z"][:, 0] * 2]), d["stratum"], [d["group"]])
    assert once is not None and twice is not None
    assert (twice.effect, twice.se) == (pytest.approx(once.effect), pytest.approx(once.se))


@pytest.mark.parametrize("seed", range(40))
def test_without_covariates_nothing_is_explained_by_them(seed: int) -> None:
    d = made(seed)
    bare = a.fit(d["y"], d["x"], np.empty((len(d["y"]), 0)), d["stratum"], [d["group"]])
    assert bare is not None
    assert (bare.share_y, bare.share_x) == pytest.approx((0, 0), abs=1e-12)
    assert a.bias(bare.t, bare.residual_df, bare.se, bare.share_y, bare.share_x) == pytest.approx(0, abs=1e-6)


def test_arms_that_the_strata_tell_apart_completely_give_no_estimate() -> None:
    d = made(1)
    x = (d["stratum"] > 2).astype(float)
    assert a.fit(d["y"], x, d["z"], d["stratum"], [d["group"]]) is None


def test_when_one_person_owns_every_plan_there_is_little_to_go_on() -> None:
    d = made(2)
    owner = np.where(d["x"] > 0, 0, -2 - np.arange(d["x"].size))
    fitted = a.fit(d["y"], d["x"], d["z"], d["stratum"], [d["group"], owner])
    assert fitted is not None and fitted.df < 3


def test_robustness_values_are_those_of_the_published_example() -> None:
    # Cinelli and Hazlett 2020, table 1: t = 4.18, df = 783 -> RV 13.9 %, at the 5 % level 7.6 %
    assert a.robustness(4.18, 783) == pytest.approx(0.139, abs=5e-4)
    assert a.robustness_interval(4.18, 783) == pytest.approx(0.076, abs=5e-4)


def test_a_hidden_cause_as_strong_as_the_robustness_value_moves_the_effect_to_zero() -> None:
    effect, se, df = 0.097, 0.0232, 783.0
    rv = a.robustness(effect / se, df)
    assert a.bias(effect / se, df, se, rv, rv) == pytest.approx(effect, rel=1e-9)


def test_an_interval_that_takes_in_zero_needs_no_hidden_cause() -> None:
    assert a.robustness_interval(1.5, 200) == 0.0


@pytest.mark.parametrize("df", [1.0, 2.3, 7.0, 30.0, 517.5, 1e4])
def test_students_t_agrees_with_scipy(df: float) -> None:
    assert t_two_sided(0.05, df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-10)
    assert t_tail(1.3, df) == pytest.approx(2 * stats.t.sf(1.3, df), rel=1e-9)
