"""Training: questions drawn anew and alike in difficulty, answers explained, a level that compares, the gate."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import resources
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain import staff
from domain import training as t
from domain.base import Actor, Stamp
from domain.training import rasch as r

STAMP = Stamp(datetime(2026, 9, 7, 9, tzinfo=UTC), Actor(id=uuid4(), role="tutor"), uuid4)
WHO = uuid4()
STATE = staff.replay(staff.add(staff.Staff(), STAMP, staff_id=WHO, name="Jo Reed"))
FIRST = t.module(staff.FIRST_MODULE)


def answer(items: list[t.Item], wrong: int = 0) -> dict[str, int]:
    return {one.id: (one.right + (index < wrong)) % len(one.option) for index, one in enumerate(items)}


def attempt(taken: list[t.TrainingSat], wrong: int = 0, state: staff.Staff = STATE) -> list:
    drawn = t.draw(FIRST, WHO, taken)
    return t.sit(state, taken, STAMP, name=FIRST.name, answers=answer(drawn, wrong), on=date(2026, 9, 7))


@pytest.mark.parametrize("name", list(t.modules()))
def test_every_answer_of_every_module_is_explained_and_one_is_right(name: str) -> None:
    for item in t.module(name).item:
        assert sum(one.right for one in item.option) == 1
        assert all(one.because.strip() for one in item.option)


def test_the_first_module_is_the_one_that_opens_records() -> None:
    assert next(iter(t.modules())) == staff.FIRST_MODULE


def test_a_retake_draws_items_not_met_before() -> None:
    first = t.draw(FIRST, WHO, [])
    sat = attempt([], wrong=6)[0]
    again = t.draw(FIRST, WHO, [sat])
    assert not {one.id for one in first} & {one.id for one in again}


def test_drawing_twice_for_one_attempt_gives_the_same_questions() -> None:
    assert t.draw(FIRST, WHO, []) == t.draw(FIRST, WHO, [])


def test_forms_are_parallel_in_difficulty() -> None:
    sums = [sum(one.difficulty for one in t.draw(FIRST, uuid4(), [])) for _ in range(200)]
    assert max(sums) - min(sums) < 2.4  # the bank's items span 3 logits each
    assert float(np.std(sums)) < 0.5


def test_the_right_answer_is_not_always_shown_first() -> None:
    people = [UUID(int=number) for number in range(20)]
    firsts = [t.shown(item, who)[0] == item.right for item in FIRST.item for who in people]
    assert 0.2 < sum(firsts) / len(firsts) < 0.45  # three answers to each


def test_answering_well_finishes_the_module_and_says_how_sure_that_is() -> None:
    sat, recorded = attempt([])
    assert sat.passed
    assert isinstance(recorded, staff.TrainingRecorded)
    assert recorded.module == staff.FIRST_MODULE
    assert recorded.skill is not None and recorded.skill >= t.SURE


def test_answering_badly_is_on_record_and_opens_nothing() -> None:
    made = attempt([], wrong=4)
    assert [type(one) for one in made] == [t.TrainingSat]
    assert not made[0].passed


def test_passing_again_records_nothing_twice() -> None:
    done = staff.replay([staff.add(staff.Staff(), STAMP, staff_id=WHO, name="Jo Reed")[0], attempt([])[1]])
    assert len(attempt([], state=done)) == 1


def test_earlier_attempts_count_with_later_ones() -> None:
    bad = attempt([], wrong=6)[0]
    assert attempt([bad])[0].level < attempt([])[0].level


def test_answers_to_other_questions_are_refused() -> None:
    drawn = t.draw(FIRST, WHO, [])
    other = [one for one in FIRST.item if one not in drawn][: len(drawn)]
    with pytest.raises(t.AnswersIncomplete):
        t.sit(STATE, [], STAMP, name=FIRST.name, answers=answer(other), on=date(2026, 9, 7))


@pytest.mark.parametrize("chosen", [-1, 3])
def test_an_option_that_is_not_there_is_refused(chosen: int) -> None:
    answers = answer(t.draw(FIRST, WHO, []))
    answers[next(iter(answers))] = chosen
    with pytest.raises(t.AnswersIncomplete):
        t.sit(STATE, [], STAMP, name=FIRST.name, answers=answers, on=date(2026, 9, 7))


def test_an_unknown_module_is_refused() -> None:
    with pytest.raises(t.NoSuchModule):
        t.module("juggling")


def test_somebody_who_does_not_work_here_is_refused() -> None:
    with pytest.raises(staff.StaffUnknown):
        t.sit(staff.Staff(), [], STAMP, name=FIRST.name, answers={}, on=date(2026, 9, 7))


def test_feedback_explains_each_chosen_answer() -> None:
    sat = attempt([], wrong=2)[0]
    told = t.explained(sat)
    assert [one.right for one in told].count(False) == 2
    assert all(one.because for one in told)


def test_progress_narrows_with_answers() -> None:
    one = attempt([])[0]
    two = attempt([one])[0]
    (_, first), (_, second) = t.progress([one, two])
    assert second.sd < first.sd < r.PRIOR_SD


@pytest.mark.parametrize(
    ("break_it", "says"),
    [(lambda b: b.replace(b"right = true", b"", 1), "exactly one right"), (lambda b: b.replace(b"draw = 6", b"draw = 7"), "14 different"), (lambda b: b"x", "cannot be read")],
)  # fmt: skip
def test_a_faulty_module_is_refused_with_the_remedy(break_it, says: str) -> None:
    with pytest.raises(t.TrainingWrong, match=says):
        t.parse(break_it((resources.files("domain") / "training" / "first-steps.toml").read_bytes()))


def test_difficulties_are_found_again_from_answers() -> None:
    chance = np.random.default_rng(3)
    truth = np.linspace(-1.5, 1.5, 9)
    right = (chance.random((4000, 9)) < r.p_right(chance.normal(0.5, 1, (4000, 1)), truth)).astype(float)
    right[chance.random(right.shape) < 0.4] = np.nan
    assert r.difficulties(right) == pytest.approx(truth, abs=0.15)


def test_two_forms_are_brought_to_one_scale_by_their_anchors() -> None:
    old, new = {"a": -1.0, "b": 0.5, "c": 1.0}, {"a": -1.4, "b": 0.1, "d": 0.9}
    assert r.link(old, new) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="anchor"):
        r.link({"a": 0.0}, {"b": 0.0})


def test_a_level_is_the_mean_of_its_posterior() -> None:
    # one right answer at difficulty 0 with a standard normal prior: E = integral of x phi(x) 2 logistic(x)
    grid = np.linspace(-8, 8, 20001)
    weight = np.exp(-0.5 * grid**2) / (1 + np.exp(-grid))
    assert r.level_of([(0.0, True)]).mean == pytest.approx(float((grid * weight).sum() / weight.sum()), abs=1e-3)


def test_levels_of_easy_and_hard_forms_compare() -> None:
    chance = np.random.default_rng(8)
    easy, hard = np.full(40, -0.8), np.full(40, 0.8)
    found = []
    for form in (easy, hard):
        level = [r.level_of([(d, bool(chance.random() < r.p_right(0.7, d))) for d in form]).mean for _ in range(300)]
        found.append(float(np.mean(level)))
    assert found[0] == pytest.approx(found[1], abs=0.15)
