"""A school's sittings, signs and plans as the arrays that impact figures take; training by opaque id."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain.base import Actor, Fact
from domain.impact.cases import NONE, cases
from domain.journey import facts as f
from domain.staff import StaffAdded, StaffLeft, TrainingRecorded
from domain.training import TrainingSat
from projections import impact, packed, training

A, B, ROUND, OWNER = uuid4(), uuid4(), uuid4(), uuid4()
AUTUMN, SPRING = date(2026, 10, 5), date(2027, 2, 5)
TAGS = {A: ["tutor group=7A", "year=7", "house=Red"], B: ["tutor group=7B", "year=7", "house=Blue"]}
HEAD = {"event_id": uuid4(), "recorded_at": "2026-10-05T09:00:00Z", "by": Actor(id=uuid4(), role="tutor")}


def fact(event, pupil: UUID | None = None) -> Fact:
    return Fact(0, pupil, OWNER, 0, event.recorded_at, event)


def sat(pupil: UUID, on: date, value: float | None, round_id: UUID | None = ROUND, usable: bool = True) -> Fact:
    return fact(
        f.AssessmentSat.model_construct(
            instrument="astrack-demo",
            instrument_version=1,
            **HEAD, happened_on=on, round_id=round_id, year_group=7, usable=usable,
            values=[3.5] * 4 + [value] + [3.5] * 3, errors=[0.3] * 8,
        ),
        pupil,
    )  # fmt: skip


def sign(pupil: UUID, on: date, factor: str | None = "self_disclosure", context: str | None = "school") -> Fact:
    at = {"recorded_at": datetime.combine(on, time(9), UTC)}
    return fact(f.FlagRaised.model_construct(**HEAD | at, kind="worsening", factor=factor, context=context), pupil)


def plan(pupil: UUID, on: date) -> Fact:
    end = on + timedelta(weeks=6)
    made = f.PlanOpened.model_construct(
        **HEAD, plan_id=uuid4(), start_on=on, end_on=end, owner_id=OWNER, group_plan_id=None,
        signposts=("sd.low.same-adult",),
    )  # fmt: skip
    return fact(made, pupil)


def lines_of(*facts: Fact) -> list[tuple]:
    rows: dict[UUID, impact.Row] = {one: impact.Row(one) for one in (A, B)}
    for position, one in enumerate(facts):
        for (pupil,) in [impact.key(one)] if impact.key(one) else []:
            rows[pupil] = impact.evolve(rows[pupil], one._replace(position=position))
    return [
        (impact.JOINED.join(TAGS[one]), row.sat, row.signs, row.plans, list(row.sign_kinds), list(row.signposts))
        for one, row in rows.items()
    ]


def school(*facts: Fact, until: date = date(2030, 1, 1)) -> impact.School:
    return impact.assembled(lines_of(*facts), until)


def pupils(*facts: Fact) -> list[packed.Pupil]:
    return [packed.Pupil(*row[:4]) for row in lines_of(*facts)]


def test_a_sign_marks_the_sitting_it_followed_and_the_score_it_names() -> None:
    made = school(sat(A, AUTUMN, 1.5), sign(A, AUTUMN + timedelta(days=1)), sat(A, SPRING, 2.5, uuid4()))
    assert made.panel.flagged.tolist() == [[True, False], [False, False]]
    assert np.argwhere(made.panel.aimed).tolist() == [[0, 0, 4]]


def test_a_sign_long_after_any_sitting_marks_none() -> None:
    assert not school(sat(A, AUTUMN, 1.5), sign(A, AUTUMN + timedelta(days=90))).panel.flagged.any()


def test_a_sign_without_a_context_names_both_and_one_without_a_factor_none() -> None:
    assert np.argwhere(
        school(sat(A, AUTUMN, 1.5), sign(A, AUTUMN, context=None)).panel.aimed[0, 0]
    ).ravel().tolist() == [0, 4]
    unnamed = school(sat(A, AUTUMN, 1.5), sign(A, AUTUMN, factor=None)).panel
    assert unnamed.flagged[0, 0] and not unnamed.aimed.any()


def test_both_arms_come_out_of_the_facts() -> None:
    later = uuid4()
    made = school(
        sat(A, AUTUMN, 1.5), sat(B, AUTUMN, 1.4), sign(A, AUTUMN), sign(B, AUTUMN), plan(A, AUTUMN + timedelta(days=3)),
        sat(A, SPRING, 2.6, later), sat(B, SPRING, 1.6, later),
    )  # fmt: skip
    found = cases(made.panel, made.plans, AUTUMN.toordinal(), SPRING.toordinal())
    assert found.supported.tolist() == [True, False]
    assert found.after == pytest.approx([0.9, 1.9])
    assert made.plan_parts["sd.low.same-adult"].tolist() == [True]
    assert made.plans.together.tolist() == [NONE]


def test_what_came_after_the_last_day_is_not_there_yet() -> None:
    facts = (sat(A, AUTUMN, 1.5), sat(A, SPRING, 2.6, uuid4()), sign(A, SPRING), plan(A, SPRING))
    made = school(*facts, until=SPRING - timedelta(days=1))
    assert made.panel.days.shape == (2, 1) and not made.panel.flagged.any()
    assert (len(made.plans.start), made.signs, list(made.plan_parts["sd.low.same-adult"])) == (0, {}, [])
    assert "kind of sign" not in made.parts


def test_of_two_sittings_in_one_round_the_later_stays_in_whatever_order_they_were_recorded() -> None:
    one, two = sat(A, AUTUMN, 1.5), sat(A, AUTUMN + timedelta(days=4), 2.5)
    for facts in ((one, two), (two, one)):
        assert school(*facts).panel.values[0, 0, 4] == 2.5


def test_sittings_outside_a_round_go_by_month() -> None:
    made = school(sat(A, AUTUMN, 1.5, None), sat(B, AUTUMN + timedelta(days=9), 2.5, None), sat(A, SPRING, 3.0, None))
    assert (made.panel.days > 0).tolist() == [[True, True], [True, False]]


def test_scores_keep_four_digits_and_a_missing_one_stays_missing() -> None:
    made = school(sat(A, AUTUMN, 10 / 3), sat(B, AUTUMN, None))
    assert made.panel.values[0, 0, 4] == pytest.approx(10 / 3, abs=5e-5)
    assert np.isnan(made.panel.values[1, 0, 4]) and made.panel.errors[1, 0, 4] == 0.3


def test_a_score_that_does_not_fit_is_refused_and_not_cut() -> None:
    with pytest.raises(struct.error):
        school(sat(A, AUTUMN, 7.0))


def test_parts_are_years_houses_and_kinds_of_sign_but_not_tutor_groups() -> None:
    made = school(sat(A, AUTUMN, 1.5), sign(A, AUTUMN))
    assert set(made.parts) == {"year", "house", "kind of sign"}
    assert made.parts["kind of sign"]["worsening"].tolist() == [True, False]
    assert made.signs == {"worsening": [AUTUMN.toordinal()]}


def test_a_school_without_anything_is_an_empty_panel() -> None:
    made = impact.assembled([], SPRING)
    assert len(cases(made.panel, made.plans, 0, 10**7)) == 0


def test_schools_put_together_keep_their_own_rounds_groups_and_owners() -> None:
    one = pupils(sat(A, AUTUMN, 1.5), sign(A, AUTUMN), plan(A, AUTUMN), sat(A, SPRING, 2.0, uuid4()))
    two = pupils(sat(A, SPRING, 1.5), sign(A, SPRING), plan(A, SPRING), plan(B, SPRING))
    panel, plans, _ = packed.read([one, two], date(2030, 1, 1))
    assert panel.school.tolist() == [0, 0, 1, 1] and panel.days.shape == (4, 2)
    assert (plans.pupil.tolist(), plans.owner.tolist()) == ([0, 2, 3], [0, 1, 1])
    assert plans.together.tolist() == [NONE] * 3
    found = cases(panel, plans, 0, 10**7)
    assert len(set(found.stratum.tolist())) == len(set(found.tutor_group.tolist())) == 2


def test_signs_that_ask_for_no_work_have_no_row() -> None:
    quality = f.FlagRaised(**HEAD, flag_id=uuid4(), kind="response_quality", reason="too quick", model_digest="0" * 64)
    polar = f.FlagRaised(**HEAD, flag_id=uuid4(), kind="priority", reason="two ends", model_digest="0" * 64)
    assert impact.key(fact(quality, A)) is None
    assert impact.key(fact(polar, A)) == (A,)


def test_training_adds_up_by_person() -> None:
    events = [
        StaffAdded(**HEAD, staff_id=OWNER, name="Jo Reed"),
        TrainingSat(
            **HEAD,
            happened_on=AUTUMN,
            module="first-steps",
            module_digest="x",
            answers={},
            right=6,
            level=1.1,
            level_sd=0.7,
            passed=True,
        ),
        TrainingRecorded(**HEAD, happened_on=AUTUMN, module="first-steps", skill=0.9),
    ]
    row = None
    for event in events:
        row = training.evolve(row, fact(event))
    assert row == training.Row(OWNER, "person", ["first-steps"], 1, 1.1, 0.7, AUTUMN, True)
    assert not training.evolve(row, fact(StaffLeft(**HEAD, happened_on=SPRING))).here
