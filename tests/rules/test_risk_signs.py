"""Early signs: raised on evidence, eased later, never by not sitting, each with a sentence anyone can read."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain import change, reading, risk
from domain.instrument import CELLS, FACTORS
from domain.journey.state import Sat
from domain.risk import words as risk_words
from domain.risk.signs import _candidates, _open_to_all, unsure

MODEL = risk.load_model()
BEGAN = date(2026, 9, 21)
NOTHING: frozenset[tuple[str, str | None, str | None, str | None]] = frozenset()
NONE = (None,) * 8


def sat(
    number: int,
    values: dict[int, float] | list[float],
    *,
    usable: bool = True,
    gap: int = 120,
    quality: tuple[str, ...] = (),
) -> Sat:
    full = list(values) if isinstance(values, list) else [values.get(cell, 3.5) for cell in range(8)]
    return Sat(
        uuid4(),
        uuid4(),
        None,
        BEGAN + timedelta(days=gap * number),
        tuple(full),
        (0.42,) * 8,
        usable,
        104 + 4 * number,
        quality,
    )


def kinds(found: list[risk.Finding]) -> set[str]:
    return {one.kind for one in found}


def test_two_factors_at_an_end_are_a_priority_and_make_work() -> None:
    sats = [sat(n, {0: 1.3, 2: 1.4}) for n in range(4)]
    found = risk.findings(MODEL, sats, NOTHING, sats[-1].on)
    assert found[0].kind == "priority" and risk.makes_work("priority")
    assert {one.subject for one in found} >= {
        ("polar", "self_disclosure", "general", "low"),
        ("polar", "trust_of_others", "general", "low"),
    }
    assert "composite_closed_circle" in kinds(found)


def test_what_lies_nearest_an_end_is_the_same_for_a_pupil_alone_and_among_others() -> None:
    stories = [
        [sat(n, {n % 8: 1.6, (n + 3) % 8: 4.9}, gap=90 + 11 * count) for n in range(count)] for count in (3, 0, 9, 1, 5)
    ]
    together = risk.nearest_of(MODEL, stories, date(2030, 1, 1))
    assert together == [risk.nearest(MODEL, one, date(2030, 1, 1)) for one in stories]
    assert together[1] is None and len({one.reason for one in together if one}) == 4
    assert risk.nearest_of(MODEL, [], date(2030, 1, 1)) == []


def test_what_could_come_nearest_are_all_the_kinds_that_make_work_and_no_other() -> None:
    sats = [sat(n, {0: 3.5 - n / 2.5, 3: 3.5 - n / 2.5, 5: 4.9}) for n in range(6)]
    view = risk._view(MODEL, sats)
    every = {one.kind for _, one in _candidates(_open_to_all(MODEL), sats, view)}
    assert {one.kind for _, one in unsure(MODEL, sats, view)} == {one for one in every if risk.makes_work(one)}
    assert {"polar", "context_gap", "priority", "worsening", "both_contexts"} <= every


def test_one_factor_in_both_contexts_is_its_own_sign_and_no_priority() -> None:
    sats = [sat(n, {3: 5.8, 7: 5.8}) for n in range(4)]
    found = risk.findings(MODEL, sats, NOTHING, sats[-1].on)
    assert "both_contexts" in kinds(found) and "priority" not in kinds(found)


def test_opposite_ends_in_the_two_contexts_are_a_gap_and_not_both() -> None:
    sats = [sat(n, {0: 5.6, 4: 1.4}) for n in range(4)]
    found = risk.findings(MODEL, sats, NOTHING, sats[-1].on)
    gap = next(one for one in found if one.kind == "context_gap")
    assert (gap.factor, gap.pole) == ("self_disclosure", "low") and "both_contexts" not in kinds(found)


def test_one_level_at_an_end_is_information_only() -> None:
    sats = [sat(n, {1: 1.2}) for n in range(4)]
    found = risk.findings(MODEL, sats, NOTHING, sats[-1].on)
    assert "polar" in kinds(found)
    assert not [one for one in found if risk.makes_work(one.kind) and one.kind != "worsening"]


def test_nobody_in_the_middle_is_flagged() -> None:
    chance = np.random.default_rng(1)
    sats = [sat(n, list(chance.normal(3.5, 0.35, 8))) for n in range(6)]
    assert kinds(risk.findings(MODEL, sats, NOTHING, sats[-1].on)) <= {"flat"}


def test_nothing_is_raised_without_a_recent_sitting() -> None:
    sats = [sat(n, {0: 1.2, 2: 1.2}) for n in range(4)]
    later = sats[-1].on + timedelta(days=MODEL.rules.recent_days + 1)
    assert risk.findings(MODEL, sats, NOTHING, later) == []


def test_what_stands_is_not_eased_by_staying_away_for_a_while_but_in_the_end_it_is() -> None:
    sats = [sat(n, {0: 1.2, 2: 1.2}) for n in range(4)]
    standing = frozenset(one.subject for one in risk.findings(MODEL, sats, NOTHING, sats[-1].on))
    missed = sats[-1].on + timedelta(days=MODEL.rules.recent_days + 1)
    forgotten = sats[-1].on + timedelta(days=MODEL.rules.standing_days + 1)
    assert {one.subject for one in risk.findings(MODEL, sats, standing, missed)} == standing
    assert risk.findings(MODEL, sats, standing, forgotten) == []


def test_a_standing_sign_eases_later_than_it_is_raised() -> None:
    between = (MODEL.cuts.polar.on + MODEL.cuts.polar.off) / 2
    sats = [sat(0, {0: 2.0})]
    low = np.linspace(1.0, 3.0, 200)
    chances = [risk.track(MODEL, [sat(0, {0: value})], sats[0].on).p_polar[0, 0] for value in low]
    sats = [sat(0, {0: float(low[int(np.argmin(np.abs(np.array(chances) - between)))])})]
    subject = ("polar", "self_disclosure", "general", "low")
    assert subject not in {one.subject for one in risk.findings(MODEL, sats, NOTHING, sats[-1].on)}
    assert subject in {one.subject for one in risk.findings(MODEL, sats, frozenset({subject}), sats[-1].on)}


def test_a_sitting_that_cannot_be_read_is_left_out_and_said() -> None:
    good = [sat(n, {}) for n in range(3)]
    bad = sat(3, {0: 1.0, 1: 1.0, 2: 1.0}, usable=False, quality=("too_fast",))
    found = risk.findings(MODEL, [*good, bad], NOTHING, bad.on)
    assert [one.kind for one in found if one.kind in ("priority", "polar", "response_quality")] == ["response_quality"]
    assert found[0].rests_on == (bad.event_id,) and "very fast" in found[0].reason


def test_a_sitting_after_the_day_asked_for_is_not_known_yet() -> None:
    sats = [sat(n, {0: 1.2, 2: 1.2}) for n in range(4)]
    assert risk.findings(MODEL, sats, NOTHING, BEGAN - timedelta(days=1)) == []
    assert len(risk.track(MODEL, sats, sats[1].on).days) == 2


def test_a_level_that_moves_out_is_worsening_and_one_that_crosses_is_not_improvement() -> None:
    sats = [*(sat(n, {5: 3.4}) for n in range(3)), *(sat(n, {5: 1.3}) for n in (3, 4))]
    found = risk.findings(MODEL, sats, NOTHING, sats[-1].on)
    worse = next(one for one in found if one.kind == "worsening")
    assert (worse.factor, worse.context, worse.pole) == ("trust_of_self", "school", "low")
    assert change.classify(1.5, 5.5, 0.6, 3.5, 2.2, 4.8) == "crossed"


@pytest.mark.parametrize(
    ("before", "after", "is_"),
    [(2.0, 3.4, "reliably_improved"), (2.0, 2.4, "improved"), (3.0, 3.0, "unchanged"), (3.0, 2.6, "worse"),
     (3.4, 1.4, "reliably_worse"), (5.5, 4.0, "reliably_improved"), (4.0, 3.0, "unchanged"), (1.5, 5.5, "crossed")],
)  # fmt: skip
def test_improved_means_towards_the_middle(before: float, after: float, is_: str) -> None:
    assert change.classify(before, after, 0.6, 3.5, 2.2, 4.8) == is_


def test_pupils_whose_answers_only_err_are_rarely_called_unsettled_or_flat() -> None:
    chance, called = np.random.default_rng(2), {"unsettled": 0, "flat": 0}
    for _ in range(400):
        level = chance.normal(3.5, 0.6, 8)
        sats = [sat(n, list(level + chance.normal(0, 0.42, 8) + chance.normal(0, 0.2))) for n in range(6)]
        for kind in called:
            called[kind] += kind in kinds(risk.findings(MODEL, sats, NOTHING, sats[-1].on))
    assert called["unsettled"] <= 10 and called["flat"] <= 30


def test_answers_that_swing_are_unsettled_and_the_same_ones_each_time_are_flat() -> None:
    swing = [sat(n, [2.4 if (n + cell) % 2 else 4.6 for cell in range(8)]) for n in range(6)]
    same = [sat(n, [3.0] * 8) for n in range(6)]
    assert "unsettled" in kinds(risk.findings(MODEL, swing, NOTHING, swing[-1].on))
    assert "flat" in kinds(risk.findings(MODEL, same, NOTHING, same[-1].on))


def test_no_fluctuation_is_read_from_fewer_than_four_rounds() -> None:
    assert change.fluctuation(MODEL, [sat(n, [1.0 + 4 * (n % 2)] * 8) for n in range(3)]) is None


def test_a_sign_rests_on_sittings_that_are_on_record_and_ends_with_the_last() -> None:
    sats = [sat(n, {0: 1.2, 2: 1.3, 6: 5.9}) for n in range(8)]
    ids = {one.event_id for one in sats}
    for one in risk.findings(MODEL, sats, NOTHING, sats[-1].on):
        assert set(one.rests_on) <= ids and one.rests_on[-1] == sats[-1].event_id


def test_the_same_sittings_give_the_same_signs() -> None:
    chance = np.random.default_rng(7)
    sats = [sat(n, list(chance.normal(3.5, 1.2, 8))) for n in range(9)]
    assert risk.findings(MODEL, sats, NOTHING, sats[-1].on) == risk.findings(MODEL, sats, NOTHING, sats[-1].on)


def test_cells_without_a_value_are_taken_as_not_asked() -> None:
    first = sat(0, {})
    blank = Sat(uuid4(), uuid4(), None, first.on + timedelta(days=120), NONE, NONE, True)
    assert risk.findings(MODEL, [first, blank], NOTHING, blank.on) == []
    assert np.isfinite(risk.track(MODEL, [first, blank], blank.on).level).all()


def every_sentence() -> list[str]:
    shares = (0.28, 0.4, 0.5, 0.61, 0.72, 0.85, 0.93, 0.99)
    days = (None, date(2026, 10, 1), date(2027, 2, 1), date(2027, 6, 1))
    said = [risk_words.polar(factor, context, pole, p, other, day)
            for (context, factor), pole, p, other, day in product(CELLS, ("low", "high"), shares, (0.1, 0.45, 0.9), days)]  # fmt: skip
    ends = list(product(FACTORS, ("low", "high")))
    said += [
        risk_words.priority((a, b), p, day)
        for a, b in product(ends, ends)
        if a[0] != b[0]
        for p in shares
        for day in days
    ]
    said += [risk_words.both_contexts(factor, pole, p) for factor, pole in ends for p in shares]
    said += [
        risk_words.composite(one.says, context, p)
        for one in MODEL.instrument.composites
        for context in ("general", "school")
        for p in shares
    ]
    said += [risk_words.gap(factor, pole, p) for factor, pole in ends for p in shares]
    said += [
        risk_words.worsening(factor, context, pole, p, day)
        for (context, factor), pole, p, day in product(CELLS, ("low", "high"), shares, days[1:])
    ]
    said += [say(rounds) for say in (risk_words.unsettled, risk_words.flat) for rounds in range(4, 7)]
    codes = list(risk_words.QUALITY)
    return said + [
        risk_words.response_quality(some) for some in [(), *((one,) for one in codes), *product(codes, codes)]
    ]


SENTENCES = every_sentence()


def test_every_sentence_can_be_read_at_twelve() -> None:
    hard = [(round(reading.reading_age(one), 1), one) for one in SENTENCES if reading.reading_age(one) > 12]
    assert hard == []


def test_every_sentence_fits_its_place_and_names_nobody() -> None:
    assert max(map(len, SENTENCES)) <= risk_words.REASON_MAX
    assert not [one for one in SENTENCES if "{" in one or "None" in one or "nan" in one]


def test_no_sentence_diagnoses_alarms_or_scores() -> None:
    banned = ("score", "risk", "abnormal", "disorder", "self-harm", "diagnos", "bully", "danger", "fail")
    assert not [(word, one) for one in SENTENCES for word in banned if word in one.lower()]


def test_a_sentence_says_how_sure_in_words_and_tenths() -> None:
    assert risk_words.sure(0.8) == "Fairly sure (8 in 10)."
    assert risk_words.sure(0.35).startswith("We are not sure yet (4 in 10)") or risk_words.sure(0.35).startswith(
        "We are not sure yet (3 in 10)"
    )
    assert risk_words.sure(0.999) == "Very sure (more than 9 in 10)."


def test_every_finding_becomes_a_flag_that_fits_its_fact() -> None:
    from domain.base import Actor, Stamp
    from domain.journey import decisions, state

    sats = [
        *(sat(n, {0: 1.2, 2: 1.3, 4: 3.5, 6: 5.9}) for n in range(5)),
        sat(5, {}, usable=False, quality=("missing",)),
    ]
    found = risk.findings(MODEL, sats, NOTHING, sats[-1].on)
    ids = iter(range(1, 1000))
    stamp = Stamp(at=__import__("datetime").datetime(2028, 1, 1, tzinfo=__import__("datetime").UTC), by=Actor(id=uuid4(), role="system"),
                  new_id=lambda: UUID(int=next(ids)))  # fmt: skip
    raised = decisions.flag(state.Journey(), stamp, found, MODEL.digest)
    assert len(raised) == len(found) >= 4
