"""Did support help: which pupils are compared, what counts as better, and what is kept from view."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from domain import impact
from domain.change import classify
from domain.impact import classes as impact_classes
from domain.impact import words as impact_words
from domain.impact.cases import NONE, Panel, Plans, cases
from domain.impact.trusts import trust
from domain.statistics import newcombe

DAY = 738_000


def panel(rows: list[list[tuple[int, float]]], flagged: list[list[bool]], **over) -> Panel:
    """Pupils x rounds of (day, value of the first score); every other score is at the middle."""
    p, r = len(rows), len(rows[0])
    values = np.full((p, r, 8), 3.5)
    values[..., 0] = [[value for _, value in row] for row in rows]
    days = np.array([[day for day, _ in row] for row in rows])
    aimed = np.zeros((p, r, 8), dtype=bool)
    aimed[..., 0] = flagged
    ones = np.ones((p, r), dtype=np.int64)
    kept = {
        "school": np.zeros(p, dtype=np.int64), "days": days, "values": values, "errors": np.full((p, r, 8), 0.3),
        "adequate": days > 0, "flagged": np.array(flagged), "aimed": aimed, "year": ones * 5, "group": ones,
    }  # fmt: skip
    return Panel(**(kept | over))


def plans(*some: tuple[int, int], weeks: int = 6) -> Plans:
    pupil, start = (np.array([one[i] for one in some], dtype=np.int64) for i in (0, 1))
    return Plans(pupil, start, start + weeks * 7, np.arange(len(some)) + 100, np.full(len(some), NONE))


def test_a_follow_up_counts_from_eight_weeks_after_the_plan_starts() -> None:
    p = panel([[(DAY, 1.5), (DAY + 14 + 55, 2.0), (DAY + 14 + 56, 2.5)]], [[True, False, False]])
    found = cases(p, plans((0, DAY + 14)), DAY, DAY)
    assert found.after[0] == pytest.approx(1.0)


def test_unsupported_pupils_wait_as_long_as_supported_ones() -> None:
    rows = [[(DAY, 1.5), (DAY + 60, 2.0), (DAY + 120, 2.5)]] * 2
    found = cases(panel(rows, [[True, False, False]] * 2), plans((0, DAY + 10)), DAY, DAY)
    assert list(found.supported) == [True, False]
    assert list(found.after) == pytest.approx([1.0, 1.0])


def test_pupils_with_a_plan_running_already_are_left_out_and_counted() -> None:
    rows = [[(DAY, 1.5), (DAY + 100, 2.0)]] * 2
    found = cases(panel(rows, [[True, False]] * 2), plans((0, DAY - 10)), DAY, DAY)
    assert (len(found), found.already_supported) == (1, 1)


def test_a_plan_begun_counts_as_support_however_it_went() -> None:
    rows = [[(DAY, 1.5), (DAY + 100, 1.2)]]
    assert cases(panel(rows, [[True, False]]), plans((0, DAY + 1), weeks=1), DAY, DAY).supported[0]


def test_a_pupil_who_was_not_reassessed_is_counted_not_dropped() -> None:
    found = cases(panel([[(DAY, 1.5), (0, 3.5)]], [[True, False]]), plans((0, DAY + 7)), DAY, DAY)
    assert (len(found), int(found.reassessed.sum())) == (1, 0)


def test_an_inadequate_sitting_is_no_follow_up() -> None:
    p = panel(
        [[(DAY, 1.5), (DAY + 90, 3.5), (DAY + 190, 2.0)]],
        [[True, False, False]],
        adequate=np.array([[True, False, True]]),
    )
    assert cases(p, plans((0, DAY + 7)), DAY, DAY).after[0] == pytest.approx(1.5)


def test_change_is_read_on_the_scores_that_the_signs_named() -> None:
    p = panel([[(DAY, 1.5), (DAY + 100, 3.0)]], [[True, False]])
    p.values[0, 1, 5] = 6.0
    found = cases(p, plans((0, DAY + 7)), DAY, DAY)
    assert (found.before[0], found.after[0]) == (pytest.approx(2.0), pytest.approx(0.5))


@pytest.mark.parametrize(
    ("after", "name"),
    [
        (3.4, "reliably_improved"),
        (1.7, "improved"),
        (1.5, "unchanged"),
        (1.3, "worse"),
        (0.5, "reliably_worse"),
        (5.0, "crossed"),
        (4.79, "improved"),
    ],
)
def test_classes_follow_the_rule_for_one_score(after: float, name: str) -> None:
    p = panel([[(DAY, 1.5), (DAY + 100, after)]], [[True, False]])
    found = cases(p, plans((0, DAY + 7)), DAY, DAY)
    assert impact_classes.CLASSES[impact_classes.classes(p, found)[0]] == name
    assert classify(1.5, after, math.hypot(0.3, 0.3), 3.5, 2.2, 4.8) == name


def test_newcombes_interval_is_that_of_the_field_guide() -> None:
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_pairs_that_never_differ_leave_no_room_for_a_difference() -> None:
    difference, low, high = impact_classes.newcombe_paired(40, 0, 0, 20)
    assert difference == 0
    assert low <= 0 <= high < 0.06


def test_pairs_without_any_correlation_are_two_independent_arms() -> None:
    paired = impact_classes.newcombe_paired(10, 10, 10, 10)
    assert paired == pytest.approx(newcombe(20, 40, 20, 40))


def test_pairs_are_nearest_at_the_baseline_one_by_one_from_the_farthest_out() -> None:
    p, q = _trust(0.2, pupils=1200)
    p.values[:] = np.round(p.values * 4) / 4  # many are alike, so that ties are tried
    found = cases(p, q, 0, 10**7)
    left, right = impact_classes.match(found, found.reassessed)
    caliper = impact_classes.CALIPER_SD * float(np.std(found.before[found.reassessed]))
    waiting = set(np.flatnonzero(found.reassessed & ~found.supported).tolist())
    pairs = []
    for one in sorted(np.flatnonzero(found.reassessed & found.supported).tolist(), key=lambda i: (-found.before[i], i)):
        near = [i for i in waiting if found.stratum[i] == found.stratum[one]]
        near.sort(key=lambda i: (abs(found.before[i] - found.before[one]), -found.before[i], i))
        if near and abs(found.before[near[0]] - found.before[one]) <= caliper:
            waiting.remove(near[0])
            pairs.append((one, near[0]))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == pairs


def test_one_pupil_without_a_baseline_does_not_undo_the_pairs_of_the_others() -> None:
    p, q = _trust(0.2, pupils=1200)
    whole = impact_classes.paired(p, cases(p, q, 0, 10**7))
    found = cases(p, q, 0, 10**7)
    found.before[np.flatnonzero(found.reassessed)[0]] = np.nan
    fewer = impact_classes.paired(p, found)
    assert whole and fewer and whole.pairs - 1 <= fewer.pairs <= whole.pairs


def test_paired_intervals_cover_the_truth() -> None:
    chance = np.random.default_rng(4)
    inside = 0
    for row in chance.multinomial(40, [0.4, 0.25, 0.1, 0.25], size=800):
        _, low, high = impact_classes.newcombe_paired(*(int(one) for one in row))
        inside += low <= 0.15 <= high
    assert 0.93 <= inside / 800 <= 0.98


def test_doing_nothing_is_predicted_from_how_scores_repeat() -> None:
    found = impact.assess(*_trust(0.0, pupils=6000), 0, 10**7)
    seen = found.unsupported.classes["any_improvement"]
    assert found.unsupported.null == pytest.approx(seen.share, abs=0.05)


def _trust(effect: float, chosen="record", seed: int = 5, pupils: int = 900):
    made = trust(np.random.default_rng(seed), chosen, effect, pupils=pupils)
    return made.panel, made.plans


def test_support_that_helps_is_seen_and_support_that_does_not_is_not() -> None:
    helped, idle = (impact.assess(*_trust(effect, pupils=3000), 0, 10**7).primary for effect in (0.5, 0.0))
    assert helped and idle
    assert helped.low > 0
    assert idle.low <= 0 <= idle.high


def test_what_the_record_cannot_see_fools_the_estimate_and_the_bound_says_how_little_it_takes() -> None:
    found = impact.assess(*_trust(0.0, "hidden", pupils=3000), 0, 10**7)
    assert found.primary and found.hidden
    assert found.primary.low > 0
    assert found.hidden.whole < 0.25


@pytest.mark.parametrize("chosen", ["chance", "record"])
def test_without_an_effect_few_trusts_exclude_zero(chosen: str) -> None:
    told = [
        impact.primary(cases(p, q, 0, 10**7), 1.0)[0] for p, q in (_trust(0.0, chosen, seed) for seed in range(120))
    ]
    assert sum(one.excludes_zero for one in told) <= 14  # 5 % of 120 is 6; more than 14 has a chance of 1 in 700


def test_an_estimate_does_not_depend_on_the_order_of_pupils() -> None:
    p, q = _trust(0.2)
    order = np.random.default_rng(1).permutation(len(p.school))
    back = np.argsort(order)
    moved = Panel(
        **{n: getattr(p, n)[order] if isinstance(getattr(p, n), np.ndarray) else getattr(p, n) for n in p.__slots__}
    )
    shifted = Plans(back[q.pupil], q.start, q.end, q.owner, q.together)
    one, two = impact.assess(p, q, 0, 10**7).primary, impact.assess(moved, shifted, 0, 10**7).primary
    assert one and two
    assert (one.nearer, one.low) == (pytest.approx(two.nearer), pytest.approx(two.low))


def test_too_few_pupils_give_no_estimate() -> None:
    rows = [[(DAY, 1.5), (DAY + 100, 2.0)]] * 8
    found = impact.assess(panel(rows, [[True, False]] * 8), plans((0, DAY + 1), (1, DAY + 1)), DAY, DAY)
    assert found.primary is None
    assert found.supported.flagged == 2


def test_nobody_flagged_is_an_answer_too() -> None:
    found = impact.assess(panel([[(DAY, 3.5), (DAY + 100, 3.5)]], [[False, False]]), plans(), DAY, DAY)
    assert (found.supported.flagged, found.unsupported.flagged, found.primary) == (0, 0, None)
    assert impact_words.sentences(found)


def test_small_parts_are_hidden_and_never_just_one_of_them() -> None:
    p, q = _trust(0.2)
    n = len(p.school)
    houses = {
        "Red": np.arange(n) < 20,
        "Blue": (np.arange(n) >= 20) & (np.arange(n) < 400),
        "Green": np.arange(n) >= 400,
    }
    found = impact.assess(p, q, 0, 10**7, {"house": houses})
    shown = {one.name: one.shown for one in found.subgroups}
    assert shown["Red"] is False
    assert sum(not one for one in shown.values()) == 2
    assert all(one.supported is None for one in found.subgroups if not one.shown)


BANNED = ("caused", "because of", "thanks to", "led to", "proves", "proved", "due to", "effective", "works")


@pytest.mark.parametrize("effect", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("chosen", ["chance", "record", "hidden"])
def test_no_sentence_claims_a_cause(effect: float, chosen: str) -> None:
    said = impact_words.sentences(impact.assess(*_trust(effect, chosen), 0, 10**7))
    text = " ".join([said.headline, *said.beside, said.may_not, said.why_not]).lower()
    assert not re.findall(rf"\b({'|'.join(BANNED)})\b", text)
    assert "nan" not in text


def test_an_interval_that_takes_in_zero_is_not_told_as_a_gain() -> None:
    found = impact.assess(*_trust(0.0, "chance", seed=3), 0, 10**7)
    assert found.primary and not found.primary.excludes_zero
    assert "cannot tell" in impact_words.sentences(found).headline
