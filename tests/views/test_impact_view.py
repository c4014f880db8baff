"""A school's sittings, signs and plans as the arrays that impact figures take; training by opaque id."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain.base import Actor, Fact
from domain.impact.cases import NONE, cases
from domain.journey import facts as f
from domain.staff import StaffAdded, StaffLeft, TrainingRecorded
from domain.training import TrainingSat
from projections import impact, training

A, B, ROUND, OWNER = uuid4(), uuid4(), uuid4(), uuid4()
AUTUMN, SPRING = date(2026, 10, 5), date(2027, 2, 5)
TAGS = {A: ["tutor group=7A", "year=7", "house=Red"], B: ["tutor group=7B", "year=7", "house=Blue"]}


def sat(pupil: UUID, on: date, value: float, round_id: UUID | None = ROUND, usable: bool = True) -> tuple:
    return (pupil, round_id, on, 7, usable, [3.5] * 4 + [value] + [3.5] * 3, [0.3] * 8)


def sign(pupil: UUID, on: date, factor: str | None = "self_disclosure", context: str | None = "school") -> impact.Row:
    return impact.Row(pupil, uuid4(), "sign", "polar", factor, context, "low", on, None, None, None, [])


def plan(pupil: UUID, on: date) -> impact.Row:
    end = on + timedelta(weeks=6)
    return impact.Row(
        pupil,
        uuid4(),
        "plan",
        "individual",
        "self_disclosure",
        "school",
        "low",
        on,
        end,
        OWNER,
        None,
        ["sd.low.same-adult"],
    )


def school(sats: list[tuple], lines: list[impact.Row]) -> impact.School:
    return impact.assembled({A: 0, B: 1}, TAGS, sats, lines)


def test_a_sign_marks_the_sitting_it_followed_and_the_score_it_names() -> None:
    made = school([sat(A, AUTUMN, 1.5), sat(A, SPRING, 2.5, uuid4())], [sign(A, AUTUMN + timedelta(days=1))])
    assert made.panel.flagged.tolist() == [[True, False], [False, False]]
    assert np.argwhere(made.panel.aimed).tolist() == [[0, 0, 4]]


def test_a_sign_long_after_any_sitting_marks_none() -> None:
    made = school([sat(A, AUTUMN, 1.5)], [sign(A, AUTUMN + timedelta(days=90))])
    assert not made.panel.flagged.any()


def test_a_sign_without_a_context_names_both() -> None:
    made = school([sat(A, AUTUMN, 1.5)], [sign(A, AUTUMN, context=None)])
    assert np.argwhere(made.panel.aimed[0, 0]).ravel().tolist() == [0, 4]


def test_both_arms_come_out_of_the_lines() -> None:
    later = uuid4()
    sats = [sat(A, AUTUMN, 1.5), sat(B, AUTUMN, 1.4), sat(A, SPRING, 2.6, later), sat(B, SPRING, 1.6, later)]
    made = school(sats, [sign(A, AUTUMN), sign(B, AUTUMN), plan(A, AUTUMN + timedelta(days=3))])
    found = cases(made.panel, made.plans, AUTUMN.toordinal(), SPRING.toordinal())
    assert found.supported.tolist() == [True, False]
    assert found.after == pytest.approx([0.9, 1.9])
    assert made.plan_parts["sd.low.same-adult"].tolist() == [True]
    assert made.plans.together.tolist() == [NONE]


def test_parts_are_years_houses_and_kinds_of_sign_but_not_tutor_groups() -> None:
    made = school([sat(A, AUTUMN, 1.5)], [sign(A, AUTUMN)])
    assert set(made.parts) == {"year", "house", "kind of sign"}
    assert made.signs == {"polar": 1}


def test_a_school_without_anything_is_an_empty_panel() -> None:
    made = impact.assembled({}, {}, [], [])
    assert len(cases(made.panel, made.plans, 0, 10**7)) == 0


HEAD = {"event_id": uuid4(), "recorded_at": "2026-10-05T09:00:00Z", "by": Actor(id=uuid4(), role="tutor")}


def fact(event, pupil: UUID | None = None) -> Fact:
    return Fact(0, pupil, OWNER, 0, event.recorded_at, event)


def test_signs_that_ask_for_no_work_have_no_line() -> None:
    quality = f.FlagRaised(**HEAD, flag_id=uuid4(), kind="response_quality", reason="too quick", model_digest="0" * 64)
    polar = f.FlagRaised(**HEAD, flag_id=uuid4(), kind="priority", reason="two ends", model_digest="0" * 64)
    assert impact.rows(fact(quality, A)) == []
    assert len(impact.rows(fact(polar, A))) == 1


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
