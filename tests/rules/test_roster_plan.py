from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey.facts import Group
from domain.journey.state import Custody
from domain.roster import (
    HeldBack,
    Listed,
    ManyLeavers,
    Numbers,
    RollMoved,
    Roster,
    RosterImported,
    RosterPlan,
    confirm,
    not_overtaken,
)
from domain.roster.matching import Known
from domain.roster.plan import draw_up

ON = date(2026, 11, 24)
SCHOOL = SchoolName(school_id=UUID(int=1), name="Brook", urn="900101", lea="330", estab="2345")
OURS = Numbers(lea="330", estab="2345", urn="900101", name="Brook")
FIRST, SECOND, TEMPORARY = "B801200005001", "X823432109876", "M80120000500A"
EMPTIES = frozenset({"preferred_forename", "middle_names", "carried"})
BORN = date(2018, 3, 15)


def person(**more: object) -> Person:
    return Person.model_validate(
        {"surname": "Hartley", "forename": "Mabli", "date_of_birth": BORN, "upn": FIRST} | more
    )


def known(who: Person, number: int = 1, **more: object) -> Known:
    values: dict[str, object] = {"year_group": 4, "groups": (), "on_roll": True, "custody": Custody.HELD}
    return Known(UUID(int=number), who, **(values | more))  # type: ignore[arg-type]


def listed(who: Person, place: str = "pupil 1", **more: object) -> Listed:
    return Listed.model_validate({"place": place, "person": who, "year_group": 4} | more)


def roster(*pupils: Listed, **more: object) -> Roster:
    values: dict[str, object] = {
        "source": "ctf", "version": "25.0", "file_sha256": "0" * 64, "full": True, "stated_on": ON,
        "from_school": OURS, "pupils": pupils, "empties": EMPTIES,
    }  # fmt: skip
    return Roster.model_validate(values | more)


def planned(pupils: list[Listed], here: list[Known], **more: object) -> RosterPlan:
    return draw_up(roster(*pupils, **more), here, SCHOOL, ON)


def fields(plan: RosterPlan) -> dict[str, tuple[str, str]]:
    return {one.field: (one.before, one.after) for one in plan.changed[0].fields}


def test_a_pupil_nobody_knows_is_new() -> None:
    plan = planned([listed(person())], [])
    assert [one.person for one in plan.new] == [person()]


def test_the_same_upn_and_particulars_are_unchanged() -> None:
    plan = planned([listed(person())], [known(person())])
    assert (plan.unchanged, plan.size, plan.warnings) == ((UUID(int=1),), 0, ())


def test_a_upn_finds_a_pupil_whose_name_changed() -> None:
    plan = planned([listed(person(surname="Rees"))], [known(person())])
    assert fields(plan) == {"surname": ("Hartley", "Rees")}


def test_a_former_upn_in_the_file_finds_the_pupil_with_a_warning() -> None:
    plan = planned([listed(person(upn=SECOND, former_upns=(FIRST,)))], [known(person())])
    assert fields(plan) == {"UPN": (FIRST, SECOND), "former UPNs": ("", FIRST)}
    assert any("former UPN" in warning for warning in plan.warnings)


def test_a_former_upn_on_record_finds_the_pupil_and_the_newer_number_stays() -> None:
    plan = planned([listed(person())], [known(person(upn=SECOND, former_upns=(FIRST,)))])
    assert len(plan.unchanged) == 1
    assert any("former UPN" in warning for warning in plan.warnings)


def test_without_a_upn_the_same_name_and_birth_date_are_the_same_pupil_with_a_warning() -> None:
    plan = planned([listed(person(upn=None))], [known(person())])
    assert len(plan.unchanged) == 1
    assert any("name and date of birth" in warning for warning in plan.warnings)


def test_a_upn_given_later_is_added_to_the_pupil_found_by_name() -> None:
    plan = planned([listed(person())], [known(person(upn=None))])
    assert fields(plan) == {"UPN": ("", FIRST)}


def test_capitals_spaces_and_composed_accents_do_not_make_another_name() -> None:
    here = known(person(surname="De  Siân", upn=None))
    plan = planned([listed(person(surname="de Sia\u0302n", upn=None))], [here])
    assert plan.new == ()


def test_twins_are_two_pupils() -> None:
    twins = [listed(person()), listed(person(forename="Carys", upn=SECOND), "pupil 2")]
    assert len(planned(twins, []).new) == 2
    plan = planned(twins, [known(person()), known(person(forename="Carys", upn=SECOND), 2)])
    assert len(plan.unchanged) == 2


def test_a_twin_without_upn_is_not_taken_for_the_other() -> None:
    plan = planned([listed(person(forename="Carys", upn=None))], [known(person())])
    assert [one.person.forename for one in plan.new] == ["Carys"]


def test_a_namesake_with_another_permanent_upn_is_held_back_and_nobody_leaves() -> None:
    plan = planned([listed(person(upn=SECOND))], [known(person())])
    assert "another UPN" in plan.held_back[0].why
    assert (plan.size, plan.leavers) == (0, ())


def test_a_permanent_upn_replaces_a_temporary_one() -> None:
    plan = planned([listed(person())], [known(person(upn=TEMPORARY))])
    assert fields(plan)["UPN"] == (TEMPORARY, FIRST)
    assert plan.changed[0].person.former_upns == (TEMPORARY,)


def test_a_temporary_upn_never_replaces_a_permanent_one() -> None:
    plan = planned([listed(person(upn=TEMPORARY))], [known(person())])
    assert len(plan.unchanged) == 1


def test_two_namesakes_here_are_not_guessed_between() -> None:
    here = [known(person(upn=None)), known(person(upn=None), 2)]
    plan = planned([listed(person(upn=None))], here)
    assert "several pupils" in plan.held_back[0].why
    assert plan.leavers == ()


def test_numbers_that_point_to_two_pupils_are_held_back() -> None:
    here = [known(person()), known(person(forename="Carys", upn=SECOND), 2)]
    plan = planned([listed(person(former_upns=(SECOND,)))], here)
    assert "two pupils" in plan.held_back[0].why
    assert plan.leavers == ()


def test_a_upn_that_belongs_to_somebody_else_altogether_is_held_back() -> None:
    other = person(surname="Rees", forename="Gethin", date_of_birth=date(2017, 10, 2))
    plan = planned([listed(other)], [known(person())])
    assert "another name and date of birth" in plan.held_back[0].why
    assert plan.size == 0


def test_a_pupil_listed_twice_without_upn_is_held_back() -> None:
    plan = planned([listed(person(upn=None)), listed(person(upn=None), "pupil 2")], [])
    assert (plan.new, len(plan.held_back)) == ((), 2)


def test_two_listed_pupils_never_become_one() -> None:
    pair = [listed(person()), listed(person(upn=None), "pupil 2")]
    plan = planned(pair, [known(person())])
    assert len(plan.unchanged) == 1
    assert [one.place for one in plan.held_back] == ["pupil 2"]


def test_a_upn_and_the_same_number_as_former_upn_of_another_never_mean_one_pupil() -> None:
    pair = [listed(person()), listed(person(forename="Carys", upn=None, former_upns=(FIRST,)), "pupil 2")]
    plan = planned(pair, [known(person())])
    assert (len(plan.unchanged), plan.size) == (1, 0)
    assert [one.place for one in plan.held_back] == ["pupil 2"]


def test_two_pupils_with_one_former_upn_are_both_held_back() -> None:
    pair = [listed(person(forename=name, upn=None, former_upns=(FIRST,)), name) for name in ("Carys", "Dilys")]
    plan = planned(pair, [known(person())])
    assert (plan.size, len(plan.held_back)) == (0, 2)


@pytest.mark.parametrize("born", [date(2026, 11, 25), date(2025, 11, 24), date(1999, 1, 1)])
def test_an_age_no_pupil_can_have_is_held_back(born: date) -> None:
    plan = planned([listed(person(date_of_birth=born))], [])
    assert plan.new == ()
    assert "date of birth" in plan.held_back[0].why


def test_what_a_full_file_leaves_out_of_its_own_fields_is_gone() -> None:
    plan = planned([listed(person())], [known(person(preferred_forename="Mab", carried="<Pupil/>"))])
    assert fields(plan) == {"preferred first name": ("Mab", ""), "other details, kept to be handed on": ("", "")}


def test_what_a_partial_file_leaves_out_stays() -> None:
    here = known(person(preferred_forename="Mab", carried="<Pupil/>", middle_names="Mair", sex="F"))
    assert planned([listed(person())], [here], empties=frozenset(), full=False).size == 0


def test_an_import_never_takes_a_number_sex_or_year_group_away() -> None:
    here = known(person(sex="F", former_upns=(SECOND,)))
    assert planned([listed(person(upn=None), year_group=None)], [here]).size == 0


def test_groups_of_dimensions_the_file_speaks_of_are_replaced_and_others_stay() -> None:
    house, old, new = (
        Group(dimension=d, name=n) for d, n in (("house", "Elm"), ("tutor group", "3B"), ("tutor group", "4B"))
    )
    here = known(person(), groups=(house, old))
    plan = planned([listed(person(), groups=(new,))], [here], dimensions=frozenset({"tutor group"}))
    assert plan.changed[0].groups == (house, new)


def test_the_order_of_groups_is_no_change() -> None:
    house, tutor = Group(dimension="house", name="Elm"), Group(dimension="tutor group", name="4B")
    here = known(person(), groups=(tutor, house))
    plan = planned([listed(person(), groups=(tutor,))], [here], dimensions=frozenset({"tutor group"}))
    assert plan.size == 0


def test_a_file_without_groups_leaves_groups_alone() -> None:
    here = known(person(), groups=(Group(dimension="house", name="Elm"),))
    assert planned([listed(person())], [here]).size == 0


def test_a_pupil_taught_out_of_year_is_kept_as_stated_with_a_warning() -> None:
    plan = planned([listed(person(), year_group=5)], [])
    assert plan.new[0].year_group == 5
    assert any("pupil 1: Year 5 is stated" in warning for warning in plan.warnings)


def test_a_file_of_last_year_is_a_warning() -> None:
    plan = planned([listed(person())], [], stated_on=date(2026, 3, 2))
    assert any("2025/26" in warning for warning in plan.warnings)


def test_who_is_on_roll_and_not_in_a_full_file_leaves() -> None:
    plan = planned([listed(person())], [known(person()), known(person(forename="Carys", upn=SECOND), 2)])
    assert [one.name for one in plan.leavers] == ["Carys Hartley"]


@pytest.mark.parametrize(
    "more",
    [{"full": False}, {"from_school": Numbers(lea="999", estab="1111", urn="900999")}],
    ids=["a partial file", "another school's file"],
)
def test_other_files_make_no_leavers(more: dict[str, object]) -> None:
    assert planned([], [known(person())], **more).leavers == ()


def test_another_schools_file_says_so_in_a_warning() -> None:
    plan = planned(
        [], [known(person())], from_school=Numbers(lea="999", estab="1111"), to_school=Numbers(lea="888", estab="2222")
    )
    assert any("another school" in warning for warning in plan.warnings)
    assert any("third school" in warning for warning in plan.warnings)


def test_a_school_without_numbers_takes_a_full_file_for_its_own() -> None:
    plan = draw_up(roster(listed(person())), [known(person(upn=SECOND, forename="Carys"))], None, ON)
    assert len(plan.leavers) == 1


def test_who_was_held_back_by_the_reader_has_not_left() -> None:
    held = HeldBack(
        place="pupil 1", why="the check letter", surname="Hartley", forename="Mabli", born=BORN, upn="A801200005001"
    )
    assert planned([], [known(person())], held_back=(held,)).leavers == ()


def test_who_left_before_does_not_leave_again() -> None:
    assert planned([], [known(person(), on_roll=False)]).leavers == ()


def test_who_left_and_is_listed_again_comes_back() -> None:
    plan = planned([listed(person(), year_group=5)], [known(person(), on_roll=False)])
    assert [(one.pupil_id, one.year_group) for one in plan.returning] == [(UUID(int=1), 5)]


def test_who_was_handed_over_comes_back_by_sealed_file_only() -> None:
    plan = planned([listed(person())], [known(person(), on_roll=False, custody=Custody.RELEASED)])
    assert plan.returning == ()
    assert "sealed file" in plan.held_back[0].why


@pytest.mark.parametrize("custody", [Custody.FROZEN, Custody.RELEASED])
def test_a_record_being_handed_over_is_left_as_it_is(custody: Custody) -> None:
    here = known(person(), custody=custody)
    assert len(planned([listed(person(), year_group=5)], [here]).held_back) == 1
    assert len(planned([listed(person())], [here]).unchanged) == 1


def test_a_pupil_said_to_leave_leaves_also_by_a_partial_file() -> None:
    plan = planned([listed(person(), leaving=True)], [known(person())], full=False)
    assert len(plan.leavers) == 1


def test_a_pupil_said_to_leave_whom_nobody_knows_is_nothing() -> None:
    assert planned([listed(person(), leaving=True)], []).size == 0


def crowd(count: int) -> list[Known]:
    return [known(person(upn=None, surname=f"Hartley{number}"), number + 10) for number in range(count)]


@pytest.mark.parametrize(
    ("on_roll", "leave", "many"),
    [(100, 20, False), (100, 21, True), (40, 10, False), (40, 11, True), (10, 10, False), (1000, 200, False)],
)
def test_more_than_ten_and_more_than_a_fifth_are_many_leavers(on_roll: int, leave: int, many: bool) -> None:
    here = crowd(on_roll)
    plan = planned([listed(one.person, f"pupil {n}") for n, one in enumerate(here[leave:])], here)
    assert (len(plan.leavers), plan.many_leavers) == (leave, many)


def test_many_leavers_pass_only_when_confirmed() -> None:
    plan = planned([], crowd(30))
    with pytest.raises(ManyLeavers, match="30 of the 30"):
        confirm(plan, confirm_leavers=False)
    confirm(plan, confirm_leavers=True)


def test_leavers_whose_record_was_handed_over_need_no_confirmation() -> None:
    here = [known(one.person, n + 10, custody=Custody.RELEASED) for n, one in enumerate(crowd(30))]
    assert not planned([], here).many_leavers


def imported(number: int) -> RosterImported:
    return RosterImported.model_validate(
        {"event_id": UUID(int=number), "recorded_at": "2026-11-24T08:00:00Z", "by": Actor(id=UUID(int=9), role="administrator"),
         "import_id": UUID(int=number), "source": "ctf", "file_sha256": "0" * 64, "happened_on": ON,
         "joined": 1, "changed": 0, "left": 0}
    )  # fmt: skip


def test_a_plan_is_overtaken_by_any_later_import_but_its_own() -> None:
    plan = planned([], []).model_copy(update={"imports_before": 1})
    not_overtaken(plan, UUID(int=5), [imported(4), imported(5)])
    with pytest.raises(RollMoved):
        not_overtaken(plan, UUID(int=5), [imported(4), imported(6)])
