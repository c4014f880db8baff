"""Formulas: the test values of the field, and agreement with maintained libraries on random data."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from scipy import stats

from domain import statistics as s
from domain.statistics import repeatable
from domain.statistics.student_t import f_quantile

RETEST = [(7, 8), (5, 4), (9, 9), (3, 5), (6, 6), (8, 7)]


def test_alpha_of_the_worked_example() -> None:
    assert s.cronbach_alpha([(2, 3, 3), (4, 4, 5), (1, 2, 1), (5, 4, 5), (3, 3, 4)]) == pytest.approx(
        0.944444, abs=1e-6
    )


def test_agreement_consistency_and_correlation_of_the_worked_example() -> None:
    assert s.icc_2_1(RETEST) == pytest.approx(0.853556, abs=1e-6)
    assert s.icc_3_1(RETEST) == pytest.approx(0.832653, abs=1e-6)
    assert s.pearson(*zip(*RETEST, strict=True)) == pytest.approx(0.841282, abs=1e-6)


def test_a_difference_is_far_less_reliable_than_what_it_is_made_of() -> None:
    assert s.difference_reliability(0.80, 0.80, 0.60) == pytest.approx(0.50)


def test_the_error_of_measurement() -> None:
    assert s.sem(7.5, 0.80) == pytest.approx(3.354102, abs=1e-6)


def test_reliable_change_of_the_worked_example_names_its_denominator() -> None:
    assert s.reliable_change_index(47.5, 32.5, 7.5, 0.80) == pytest.approx(-3.162, abs=1e-3)
    assert "1991" in s.RCI_DENOMINATOR


def test_fluctuation_of_the_worked_example_and_none_below_four_rounds() -> None:
    assert s.mssd([6, 9, 7, 12, 7]) == 15.75
    assert s.mssd([6, 9, 7]) is None


def test_newcombe_of_the_worked_example() -> None:
    assert s.newcombe(56, 70, 48, 80) == pytest.approx((0.2000, 0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize(
    ("n", "low", "high"), [(20, 0.05, 0.58), (50, 0.13, 0.48), (100, 0.20, 0.45), (200, 0.24, 0.41)]
)
def test_how_wide_a_difference_of_80_and_47_per_cent_is(n: int, low: float, high: float) -> None:
    _, below, above = s.newcombe(round(0.80 * n), n, round(0.47 * n), n)
    # the table was reckoned from proportions, ours from whole pupils
    assert below == pytest.approx(low, abs=0.016)
    assert above == pytest.approx(high, abs=0.016)


@pytest.mark.parametrize(("prevalence", "ppv"), [(0.05, 0.19), (0.10, 0.34), (0.20, 0.53)])
def test_what_a_sensitivity_and_specificity_of_82_per_cent_mean(prevalence: float, ppv: float) -> None:
    assert s.predictive_values(0.82, 0.82, prevalence)[0] == pytest.approx(ppv, abs=0.005)


@pytest.mark.parametrize(("r", "area"), [(0.4, 0.73), (0.8, 0.97)])
def test_a_point_biserial_correlation_is_not_an_auc(r: float, area: float) -> None:
    distance = 2 * r / math.sqrt(1 - r * r)
    assert s.normal_cdf(distance / math.sqrt(2)) == pytest.approx(area, abs=0.005)


def test_the_fall_after_selection_by_a_score_is_what_chance_gives() -> None:
    chance = np.random.default_rng(1)
    r, z = 0.7, 1.2815516
    true = chance.normal(0, math.sqrt(r), 400_000)
    first, second = (true + chance.normal(0, math.sqrt(1 - r), true.size) for _ in range(2))
    picked = first > z
    assert (first - second)[picked].mean() == pytest.approx(s.expected_fall(z, 1.0, r), abs=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_correlation_and_auc_agree_with_scipy(seed: int) -> None:
    chance = np.random.default_rng(seed)
    x, y = chance.normal(size=(2, 40))
    truth = chance.random(40) < 0.4
    rounded = np.round(x, 1)
    area = stats.mannwhitneyu(rounded[truth], rounded[~truth]).statistic / (truth.sum() * (~truth).sum())
    assert s.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert s.auc(rounded, truth) == pytest.approx(area, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_wilson_agrees_with_scipy(seed: int) -> None:
    chance = np.random.default_rng(seed)
    of = int(chance.integers(1, 200))
    count = int(chance.integers(0, of + 1))
    ours = s.wilson(count, of)
    theirs = stats.binomtest(count, of).proportion_ci(method="wilson")
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_the_normal_distribution_agrees_with_scipy(seed: int) -> None:
    z = float(np.random.default_rng(seed).normal(0, 3))
    assert s.normal_cdf(z) == pytest.approx(stats.norm.cdf(z), abs=1e-12)
    assert s.normal_pdf(z) == pytest.approx(stats.norm.pdf(z), abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_intraclass_correlations_agree_with_an_analysis_of_variance(seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(12, 3)) + np.random.default_rng(seed + 99).normal(size=(12, 1))
    between = 3 * x.mean(axis=1).var(ddof=1)
    rounds = 12 * x.mean(axis=0).var(ddof=1)
    total = ((x - x.mean()) ** 2).sum()
    rest = (total - between * 11 - rounds * 2) / 22
    assert s.icc_3_1(x) == pytest.approx((between - rest) / (between + 2 * rest), abs=1e-9)
    assert s.icc_2_1(x) == pytest.approx((between - rest) / (between + 2 * rest + 3 * (rounds - rest) / 12), abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_alpha_of_parallel_items_is_the_spearman_brown_of_their_correlation(seed: int) -> None:
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(50, 1)) + chance.normal(size=(50, 4))
    covariance = np.cov(x.T)
    mean_covariance = covariance[np.triu_indices(4, 1)].mean()
    expected = 4 * mean_covariance / (covariance.trace() / 4 + 3 * mean_covariance)
    assert s.cronbach_alpha(x) == pytest.approx(expected, abs=1e-9)


def test_an_auc_without_both_kinds_is_not_a_number() -> None:
    assert math.isnan(s.auc([1, 2, 3], [True, True, True]))


def test_a_proportion_of_nothing_may_be_anything() -> None:
    assert s.wilson(0, 0) == (0.0, 1.0)


def test_hanley_mcneil_covers_the_true_area() -> None:
    chance, held = np.random.default_rng(4), 0
    truth = np.repeat([True, False], [60, 240])
    area = s.normal_cdf(1 / math.sqrt(2))
    for _ in range(400):
        low, high = s.auc_interval(s.auc(chance.normal(size=300) + truth, truth), 60, 240)
        held += low <= area <= high
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize("seed", range(20))
def test_newcombe_agrees_with_statsmodels(seed: int) -> None:
    proportion = importlib.import_module("statsmodels.stats.proportion")
    chance = np.random.default_rng(seed)
    n1, n2 = (int(n) for n in chance.integers(5, 120, 2))
    c1, c2 = int(chance.integers(0, n1 + 1)), int(chance.integers(0, n2 + 1))
    theirs = proportion.confint_proportions_2indep(c1, n1, c2, n2, method="newcomb", compare="diff")
    assert s.newcombe(c1, n1, c2, n2)[1:] == pytest.approx(theirs, abs=1e-9)


def test_the_normal_distribution_of_many_is_that_of_each() -> None:
    z = np.random.default_rng(3).normal(0, 3, 50)
    assert s.normal_cdfs(z) == pytest.approx([s.normal_cdf(float(one)) for one in z], abs=1e-15)


@pytest.mark.parametrize("free", [(1, 9.5), (29, 145), (899, 4495), (3.7, 41), (5000, 2)])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
def test_quantiles_of_f_agree_with_scipy(free: tuple[float, float], share: float) -> None:
    assert f_quantile(share, *free) == pytest.approx(stats.f.ppf(share, *free), rel=1e-9)


def test_the_interval_of_alpha_is_feldts_and_holds_its_share() -> None:
    low, high = repeatable.alpha_interval(0.8, 41, 26)
    top, bottom = (0.2 * stats.f.ppf(tail, 40, 40 * 25) for tail in (0.975, 0.025))
    assert (low, high) == pytest.approx((1 - top, 1 - bottom), abs=1e-9)
    chance, within = np.random.default_rng(4), 0
    for _ in range(1000):
        rows = chance.normal(0, 1, (40, 1)) + chance.normal(0, 1, (40, 6))
        low, high = repeatable.alpha_interval(s.cronbach_alpha(rows), 40, 6)
        within += low <= 6 / 7 <= high
    assert 930 <= within <= 970


def test_the_interval_of_a_correlation_agrees_with_scipy() -> None:
    rows = np.random.default_rng(5).normal(0, 1, (60, 2)) @ [[1, 0.6], [0, 0.8]]
    theirs = stats.pearsonr(rows[:, 0], rows[:, 1]).confidence_interval()
    ours = repeatable.pearson_interval(s.pearson(rows[:, 0], rows[:, 1]), 60)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_the_interval_of_agreement_is_that_of_shrout_and_fleisss_own_example() -> None:
    judged = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
    assert s.icc_2_1(judged) == pytest.approx(0.29, abs=0.005)
    assert repeatable.icc_2_1_interval(judged) == pytest.approx((0.019, 0.761), abs=0.0005)


def test_the_interval_of_agreement_holds_its_share() -> None:
    chance, within = np.random.default_rng(6), 0
    for _ in range(1000):
        rows = chance.normal(0, 1, (50, 1)) + chance.normal(0, 0.7, (50, 2))
        low, high = repeatable.icc_2_1_interval(rows)
        within += low <= 1 / 1.49 <= high
    assert 925 <= within <= 975
