"""The simulator is reproducible and does what it says; fitting finds what was put in; fairness is said where numbers allow."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from domain import fairness, risk, simulation
from domain.instrument import licensed
from domain.risk import fitting, rivals
from domain.scoring import AnswerOutOfScale, NothingAnswered, UnknownItem
from domain.simulation import Staff, screening
from domain.simulation.worlds import ITEMS, PLAIN, WORLDS

MODEL = risk.load_model()


def made(
    world=ITEMS, pupils: int = 600, rounds: int = 6, seed: int = 1, staff: Staff | None = None
) -> simulation.Simulated:
    return simulation.simulate(MODEL, world, pupils, rounds, np.random.default_rng(seed), staff)


def test_the_same_seed_is_the_same_world() -> None:
    first, second, other = made(seed=3), made(seed=3), made(seed=4)
    assert np.array_equal(first.levels, second.levels)
    assert np.array_equal(first.sittings.values, second.sittings.values, equal_nan=True)
    assert not np.array_equal(first.levels, other.levels)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_every_world_can_be_lived_in(world) -> None:
    lived = made(world)
    assert lived.sittings.values.shape == (600, 6, 8)
    assert 0.5 < (~np.isnan(lived.sittings.values)).mean() < 1
    assert np.isfinite(lived.levels).all()


def test_pupils_who_stay_away_because_they_are_at_an_end_are_absent_more() -> None:
    lived = made(next(world for world in WORLDS if world.absent_at_end), pupils=4000)
    absent = np.isnan(lived.sittings.values).all(axis=-1)
    two = simulation.raw_ends(MODEL, lived.levels) >= 2
    assert absent[two].mean() > 3 * absent[~two].mean()


def test_pupils_who_move_miss_that_round() -> None:
    lived = made(staff=Staff(move=0.2))
    assert lived.moved.any()
    assert np.isnan(lived.sittings.values[lived.moved]).all()


def test_help_brings_levels_nearer_the_middle() -> None:
    helped, left = (made(pupils=4000, rounds=9, staff=Staff(act=1.0, helps=helps)) for helps in (0.3, 0.0))
    away = [np.abs(one.levels[:, -1] - 3.5)[one.acted[:, :-1].any(axis=1)].mean() for one in (helped, left)]
    assert away[0] < away[1] - 0.03


def test_an_outcome_has_the_prevalence_asked_for_and_follows_the_burden_only_when_linked() -> None:
    weight = simulation.burden(MODEL, made(pupils=8000, rounds=3).levels)
    for link, apart in ((3.0, True), (0.0, False)):
        happened = simulation.outcomes(weight, 0.10, link, 3, np.random.default_rng(2)).any(axis=1)
        assert happened.mean() == pytest.approx(0.10, abs=0.012)
        assert bool(weight.mean(axis=1)[happened].mean() > 1.3 * weight.mean()) == apart


def test_fitting_finds_the_parameters_a_world_was_made_with() -> None:
    found = fitting.fit(MODEL, made(PLAIN, pupils=6000, rounds=12).sittings)
    given = MODEL.artefact.parameters
    assert found.correlation.same_factor == pytest.approx(given.correlation.same_factor, abs=0.04)
    assert found.correlation.same_context == pytest.approx(given.correlation.same_context, abs=0.04)
    assert found.correlation.neither == pytest.approx(given.correlation.neither, abs=0.04)
    assert found.halving_days == pytest.approx(given.halving_days, rel=0.15)
    assert found.occasion_sd == pytest.approx(given.occasion_sd, abs=0.06)
    assert np.mean(found.norms.sd) == pytest.approx(np.mean(given.norms.sd), abs=0.04)


def test_a_model_is_not_fitted_to_a_handful() -> None:
    with pytest.raises(fitting.TooFewSittings):
        fitting.fit(MODEL, made(pupils=100, rounds=3).sittings)


def test_in_its_own_world_what_the_model_says_is_so() -> None:
    lived = made(PLAIN, pupils=6000, rounds=6)
    seen = risk.cohort(MODEL, lived.sittings)
    poles = MODEL.instrument.poles
    true = (lived.levels <= poles.low) | (lived.levels >= poles.high)
    assert screening.calibration(seen.p_low + seen.p_high, true).gap < 0.005
    assert screening.calibration(seen.p_priority, simulation.ends(MODEL, lived.levels).sum(axis=-1) >= 2).gap < 0.01


def test_the_model_beats_one_raw_cut_at_an_equal_rate_of_flags() -> None:
    lived = made(pupils=6000, rounds=9)
    true = simulation.ends(MODEL, lived.levels[:, -1]).sum(axis=-1) >= 2
    ours = screening.top(risk.cohort(MODEL, lived.sittings).p_priority[:, -1], 0.13)
    raw = screening.top(rivals.last_sitting(MODEL, np.asarray(lived.sittings.values)), 0.13)
    assert screening.paired_margin(ours, raw, true)[1] > 0


def test_top_flags_exactly_the_share_asked_for() -> None:
    index = np.array([0.5, np.nan, 0.5, 0.9, 0.1])
    assert screening.top(index, 0.4).sum() == 2
    assert screening.top(index, 0.4)[3] and not screening.top(index, 0.8)[1]


def test_a_flag_eases_later_than_it_is_raised_and_stands_while_nobody_sits() -> None:
    p = np.array([[0.6, 0.45, 0.2, 0.2], [0.45, 0.6, 0.0, 0.1]])
    seen = np.array([[True, True, True, True], [True, True, False, True]])
    assert screening.standing(p, seen, 0.5, 0.4).tolist() == [[True, True, False, False], [False, True, True, False]]


def test_lead_is_the_unbroken_run_of_rounds_before_the_outcome() -> None:
    stands = np.array([[1, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]], bool)
    happened = np.array([[0, 0, 0, 0, 0, 1], [0, 0, 1, 0, 0, 0], [0] * 6], bool)
    leads, of = screening.lead_rounds(stands, happened)
    assert leads.tolist() == [2] and of == 2


def test_a_rival_uses_the_last_sittings_there_are() -> None:
    values = np.full((1, 4, 8), 3.5, np.float32)
    values[0, 1, :2] = 6.0
    values[0, 2:] = np.nan
    assert rivals.last_sitting(MODEL, values)[0] == pytest.approx(2.5)
    assert rivals.mean_of_last(MODEL, values, 2)[0] == pytest.approx(1.25)


def test_flag_rates_of_small_groups_are_withheld() -> None:
    member = np.arange(200) < 9
    found = fairness.flag_rates({"few": member, "many": np.arange(200) < 100}, np.arange(200) % 5 == 0)
    assert found["few"].flagged is None and found["few"].of == 9
    assert found["many"].flagged.value == pytest.approx(0.2)
    assert found["many"].more[1] < 0 < found["many"].more[2]


def test_an_item_that_works_alike_in_two_groups_is_left_in_peace() -> None:
    chance, notable = np.random.default_rng(1), 0
    for _ in range(100):
        focal = chance.random(400) < 0.4
        level = chance.normal(0, 1, 400) - 0.5 * focal
        rest = (level[:, None] + chance.normal(0, 1, (400, 5))).mean(axis=1)
        notable += fairness.item_difference(np.round(level + chance.normal(0, 1, 400) + 3.5), rest, focal).notable
    assert notable <= 12


def test_the_interval_of_an_items_difference_takes_in_no_difference_as_often_as_it_says() -> None:
    chance, within = np.random.default_rng(3), 0
    for _ in range(400):
        focal = chance.random(400) < 0.3
        level = chance.normal(0, 1, 400)
        rest = (level[:, None] + chance.normal(0, 1, (400, 5))).mean(axis=1)
        said = fairness.item_difference(np.round(level + chance.normal(0, 1, 400) + 3.5), rest, focal)
        assert said.low < said.smd < said.high
        within += said.low <= 0 <= said.high
    assert 0.925 <= within / 400 <= 0.975


def test_an_item_that_is_harder_for_one_group_is_found() -> None:
    chance = np.random.default_rng(2)
    focal = chance.random(800) < 0.5
    level = chance.normal(0, 1, 800)
    rest = (level[:, None] + chance.normal(0, 1, (800, 5))).mean(axis=1)
    found = fairness.item_difference(np.round(level - 0.9 * focal + chance.normal(0, 1, 800) + 3.5), rest, focal)
    assert found.notable and found.smd < -0.3
    assert fairness.item_difference(level[:60], rest[:60], focal[:60]).smd is None


def test_totals_of_a_licensed_instrument_are_kept_whole_or_not_at_all() -> None:
    of = licensed.TotalsOf(
        name="some-questionnaire", version="2", licence="held by the school", totals={"total": {"least": 0, "most": 40}}
    )
    assert licensed.checked(of, {"total": 12}) == {"total": 12}
    for given, refusal in (({}, NothingAnswered), ({"other": 1}, UnknownItem), ({"total": 41}, AnswerOutOfScale)):
        with pytest.raises(refusal):
            licensed.checked(of, given)


def test_the_lead_has_an_interval_from_pupils_drawn_again_the_same_with_the_same_seed() -> None:
    leads = np.random.default_rng(1).poisson(2, 400) + 1
    found = screening.lead_time(leads, np.random.default_rng(2))
    assert found == screening.lead_time(leads, np.random.default_rng(2))
    half = 1.96 * leads.std(ddof=1) / np.sqrt(len(leads))
    assert (found.mean.low, found.mean.high) == pytest.approx((leads.mean() - half, leads.mean() + half), abs=0.03)
    assert found.mean.low < found.mean.value == leads.mean() < found.mean.high
    assert found.median.low <= np.median(leads) <= found.median.high
    # order statistics: the 95 % interval of a median goes from the 180th to the 221st of 400
    ordered = np.sort(leads)
    assert (found.median.low, found.median.high) == (ordered[179], ordered[220])
    assert screening.lead_time(np.array([], np.int64), np.random.default_rng(2)) is None


@pytest.mark.parametrize("field", ["version", "licence"])
@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_licensed_instrument_names_its_version_and_its_licence(field: str, blank: str) -> None:
    stated = {"name": "another", "version": "2", "licence": "L-1", "totals": {"worry": {"least": 0, "most": 10}}}
    assert licensed.TotalsOf.model_validate(stated).licence == "L-1"
    with pytest.raises(ValidationError, match=field):
        licensed.TotalsOf.model_validate({**stated, field: blank})
