"""Training and a school's own guidance on the record of a real store."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from astrack.app import App
from astrack.changing import Ask
from astrack.records import NoSuchPupil, Records
from astrack.records.support import Support
from astrack.settings import Settings
from astrack.store import Store
from domain import guidance, training
from domain.base import Actor
from domain.guidance import Signpost
from domain.guidance import local as guidance_local
from domain.identity import Person, SchoolName
from domain.journey.refusals import NoSuchFlag
from domain.staff import FIRST_MODULE
from projections import impact, plan_board
from projections import training as trained

DAY = date(2026, 11, 2)
FISH = Signpost(
    id="own.fish", say="Feed the fish together before lessons.", who="caretaker", where="the pond", weeks=4,
    first="The fish are waiting; which one is boldest today?", stop="the pupil brings a friend along",
    not_when="the pond is frozen over", contexts=frozenset({"school"}), ages=frozenset({"8-11"}),
)  # fmt: skip


def ask() -> Ask:
    return Ask(Actor(id=uuid4(), role="lead_practitioner"), uuid4().hex)


@pytest.fixture
def records(store: Store, settings: Settings) -> Records:
    made = App(settings, store, lambda: datetime.now(UTC)).create_school(uuid4())
    made.register_school(ask(), SchoolName(school_id=made.school_id, name="Pond School"))
    return made


def answers(support: Support, staff_id, wrong: int = 0) -> dict[str, int]:
    drawn = support.drawn(staff_id, FIRST_MODULE)
    return {item.id: (item.right + (n < wrong)) % len(item.option) for n, (item, _) in enumerate(drawn)}


def test_training_opens_records_once_it_shows_enough(records: Records, store: Store, settings: Settings) -> None:
    support, staff_id = Support(records), uuid4()
    records.add_staff(ask(), staff_id=staff_id, name="Jo Reed")
    first = support.sit_training(ask(), staff_id, module=FIRST_MODULE, answers=answers(support, staff_id, 5), on=DAY)
    assert not first["passed"]
    assert FIRST_MODULE not in records.staff_state(staff_id).trained
    for _ in range(3):
        last = support.sit_training(ask(), staff_id, module=FIRST_MODULE, answers=answers(support, staff_id), on=DAY)
    assert last["passed"]
    assert FIRST_MODULE in records.staff_state(staff_id).trained
    assert len(training.progress(support.attempts(staff_id))) == 4


def test_a_training_answer_sent_twice_is_one_attempt(records: Records) -> None:
    support, staff_id, once = Support(records), uuid4(), ask()
    records.add_staff(ask(), staff_id=staff_id, name="Jo Reed")
    given = answers(support, staff_id)
    told = [support.sit_training(once, staff_id, module=FIRST_MODULE, answers=given, on=DAY) for _ in range(2)]
    assert told[0] == told[1]
    assert len(support.attempts(staff_id)) == 1


def test_the_training_read_model_follows(records: Records, store: Store, settings: Settings) -> None:
    app, support, staff_id = App(settings, store, lambda: datetime.now(UTC)), Support(records), uuid4()
    records.add_staff(ask(), staff_id=staff_id, name="Jo Reed")
    support.sit_training(ask(), staff_id, module=FIRST_MODULE, answers=answers(support, staff_id), on=DAY)
    app.views.catch_up(records.school_id)
    with app.views.reading(records.school_id) as cur:
        levels = trained.levels(cur, records.school_id)
        (row,) = trained.everybody(cur, records.school_id)
    assert (levels.people, levels.finished, levels.measured) == (1, {FIRST_MODULE: 1}, 1)
    assert (row.staff_id, row.attempts) == (staff_id, 1)


def test_a_schools_own_guidance_is_offered_beside_the_library(records: Records) -> None:
    support = Support(records)
    support.add_guidance(ask(), kind="signpost", factor="trust_of_others", pole="low", entry=FISH)
    offered = support.guidance().suggest("trust_of_others", "low", "school", "8-11").signposts
    assert offered[-1] == FISH
    with pytest.raises(guidance_local.GuidanceTaken):
        support.add_guidance(ask(), kind="signpost", factor="trust_of_others", pole="low", entry=FISH)


def test_what_a_school_retires_is_offered_no_more(records: Records) -> None:
    support = Support(records)
    support.add_guidance(ask(), kind="signpost", factor="trust_of_others", pole="low", entry=FISH)
    support.retire_guidance(ask(), "own.fish", why="the pond is gone")
    assert FISH not in support.guidance().suggest("trust_of_others", "low", "school", "8-11").signposts


def admitted(records: Records, count: int) -> list[UUID]:
    people = [Person(surname=f"Pond{n}", forename="Ada", date_of_birth=date(2015, 5, 1)) for n in range(count)]
    told = [records.admit(ask(), one, on=date(2026, 9, 2), year_group=6) for one in people]
    return [UUID(one["pupil_id"]) for one in told]


def stated(**over) -> dict:
    fit = guidance.load().suggest("trust_of_others", "low", "school", "8-11")
    return {
        "goal": "Relies on one person here", "factor": "trust_of_others", "pole": "low", "context": "school",
        "causes": (fit.causes[0].id,), "risks": (fit.risks[0].id,), "signposts": (fit.signposts[0].id,),
        "owner_id": uuid4(), "start_on": DAY, "end_on": DAY + timedelta(weeks=6),
    } | over  # fmt: skip


def test_a_group_plan_is_opened_for_all_of_its_pupils_or_for_none(records: Records) -> None:
    support, pupils = Support(records), admitted(records, 3)
    records.leave(ask(), pupils[2], on=DAY)
    gone = uuid4()
    with pytest.raises(NoSuchPupil):
        support.open_group_plan(ask(), stated(), [*pupils[:2], gone], {}, uuid4())
    with pytest.raises(NoSuchFlag):
        support.open_group_plan(ask(), stated(), pupils[:2], {pupils[1]: (uuid4(),)}, uuid4())
    assert [len(records.journey(one)[0].plans) for one in pupils[:2]] == [0, 0]


def test_a_group_plan_sent_twice_is_one_plan_a_pupil_in_one_step_of_the_log(records: Records) -> None:
    support, pupils, once, group = Support(records), admitted(records, 2), ask(), uuid4()
    owner = uuid4()
    told = [support.open_group_plan(once, stated(owner_id=owner), pupils, {}, group) for _ in range(2)]
    assert told[0] == told[1]
    plans = [plan.opened for one in pupils for plan in records.journey(one)[0].plans.values()]
    assert len(plans) == 2
    assert {one.group_plan_id for one in plans} == {group}
    assert len({one.recorded_at for one in plans}) == 1


def test_what_was_tried_here_is_counted_by_its_end_and_factor(
    records: Records, store: Store, settings: Settings
) -> None:
    app = App(settings, store, lambda: datetime.now(UTC))
    for pupil_id in admitted(records, 2):
        plan = stated(plan_id=uuid4(), kind="individual")
        records.open_plan(ask(), pupil_id, plan=plan)
        records.close_plan(ask(), pupil_id, plan_id=plan["plan_id"], came="helped")
    app.views.catch_up(records.school_id)
    with app.views.reading(records.school_id) as cur:
        found = impact.tried(cur, records.school_id, "trust_of_others", "low")
        other = impact.tried(cur, records.school_id, "trust_of_others", "high")
    assert [(one.came, one.signposts) for _, one in found] == [("helped", stated()["signposts"])] * 2
    assert other == []


def test_a_reminder_counts_each_owners_plans_and_names_none(records: Records, store: Store, settings: Settings) -> None:
    app, owner = App(settings, store, lambda: datetime.now(UTC)), uuid4()
    for pupil_id in admitted(records, 2):
        records.open_plan(ask(), pupil_id, plan=stated(plan_id=uuid4(), kind="individual", owner_id=owner))
    app.views.catch_up(records.school_id)
    due_on = DAY + timedelta(days=7)
    with app.views.reading(records.school_id) as cur:
        told = [plan_board.waiting(cur, records.school_id, due_on + timedelta(days=n)).get(owner) for n in (-1, 0, 1)]
    assert told == [None, (2, 0), (0, 2)]
