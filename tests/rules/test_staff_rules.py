"""Who may be granted what: given these facts about a member of staff, when this is decided, then these facts or this refusal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain import staff
from domain.base import Actor, DomainError, Event, Stamp
from domain.scope import Scope

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
ADMIN = Actor(id=UUID(int=1), role="administrator")
STAMP = Stamp(AT, ADMIN, uuid4)
ANN, GRANT = UUID(int=2), UUID(int=3)
YEAR_5 = Scope(dimensions={"year": frozenset({"5"})})


def added(**fields: Any) -> staff.StaffAdded:
    return staff.StaffAdded(**STAMP.fresh(), **{"staff_id": ANN, "name": "Ann Lee", **fields})


def granted(**fields: Any) -> staff.RoleGranted:
    return staff.RoleGranted(**STAMP.fresh(), **{"grant_id": GRANT, "role": "tutor", "scope": YEAR_5, **fields})


def left() -> staff.StaffLeft:
    return staff.StaffLeft(**STAMP.fresh(), happened_on=AT.date())


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_nothing_is_allowed_until_it_is_granted() -> None:
    assert staff.replay([added()]).standing(AT.date()) == []


def test_a_grant_stands_with_its_scope() -> None:
    events = staff.grant(staff.replay([added()]), STAMP, grant_id=GRANT, role="tutor", scope=YEAR_5)
    (standing,) = staff.replay([added(), *events]).standing(AT.date())
    assert (standing.role, standing.scope) == ("tutor", YEAR_5)


def test_a_grant_ends_after_its_last_day() -> None:
    state = staff.replay([added(), granted(until=date(2026, 11, 2))])
    assert [len(state.standing(day)) for day in (date(2026, 11, 2), date(2026, 11, 3))] == [1, 0]


def test_the_same_grant_twice_is_one() -> None:
    assert staff.grant(staff.replay([added(), granted()]), STAMP, grant_id=GRANT, role="tutor", scope=YEAR_5) == []


def test_a_withdrawn_grant_no_longer_stands() -> None:
    before = staff.replay([added(), granted()])
    after = staff.replay([added(), granted(), *staff.withdraw(before, STAMP, grant_id=GRANT)])
    assert after.standing(AT.date()) == []


def test_leaving_ends_every_grant_and_coming_back_does_not_restore_them() -> None:
    assert staff.replay([added(), granted(), left()]).standing(AT.date()) == []
    assert staff.replay([added(), granted(), left(), added()]).standing(AT.date()) == []


def test_leaving_twice_changes_nothing() -> None:
    assert staff.leave(staff.replay([added(), left()]), STAMP, on=AT.date()) == []


def test_adding_the_same_person_again_changes_nothing_and_a_new_name_is_a_new_fact() -> None:
    state = staff.replay([added()])
    assert staff.add(state, STAMP, staff_id=ANN, name="Ann Lee") == []
    assert kinds(staff.add(state, STAMP, staff_id=ANN, name="Ann Low")) == ["StaffAdded"]


def test_training_is_remembered_by_module() -> None:
    events = staff.record_training(staff.replay([added()]), STAMP, module=staff.FIRST_MODULE, on=AT.date(), skill=0.9)
    assert staff.replay([added(), *events]).trained == {staff.FIRST_MODULE}


@pytest.mark.parametrize(
    ("given", "fields", "refusal"),
    [
        ([], {}, staff.StaffUnknown),
        ([added(), left()], {}, staff.StaffAlreadyLeft),
        ([added(staff_id=ADMIN.id)], {}, staff.OwnRoleGranted),
        ([added()], {"scope": Scope()}, staff.ScopeMissing),
        ([added()], {"until": date(2026, 11, 1)}, staff.GrantRunsOut),
    ],
)
def test_a_grant_is_refused_by_name(given: list[Event], fields: dict[str, Any], refusal: type[DomainError]) -> None:
    arguments = {"grant_id": GRANT, "role": "tutor", "scope": YEAR_5, **fields}
    with pytest.raises(refusal):
        staff.grant(staff.replay(given), STAMP, **arguments)


def test_a_grant_that_does_not_stand_cannot_be_withdrawn() -> None:
    with pytest.raises(staff.NoSuchGrant):
        staff.withdraw(staff.replay([added()]), STAMP, grant_id=GRANT)


# --- breaking the glass


def broken(**fields: Any) -> list[Event]:
    arguments = {"glass_id": GRANT, "pupil_id": UUID(int=9), "reason": "A court order came in", **fields}
    return staff.break_glass(staff.replay([added()]), STAMP, **arguments)


def test_broken_glass_mends_itself_after_its_minutes() -> None:
    state = staff.replay([added(), *broken(minutes=30)])
    assert state.open_glass(AT + timedelta(minutes=29)) == {UUID(int=9)}
    assert state.open_glass(AT + timedelta(minutes=30)) == frozenset()


@pytest.mark.parametrize("fields", [{"reason": "because"}, {"reason": " " * 20}, {"minutes": 61}, {"minutes": 0}])
def test_glass_is_not_broken_without_a_reason_or_for_over_an_hour(fields: dict[str, Any]) -> None:
    with pytest.raises(staff.GlassReasonMissing):
        broken(**fields)


def test_a_second_person_reviews_it_once() -> None:
    state = staff.replay([added(), *broken()])
    reviewed = staff.review_glass(state, STAMP, glass_id=GRANT, in_order=True)
    after = staff.replay([added(), *broken(), *reviewed])
    assert (state.unreviewed, after.unreviewed) == ({GRANT}, frozenset())
    with pytest.raises(staff.NoSuchGlass):
        staff.review_glass(after, STAMP, glass_id=GRANT, in_order=True)


def test_nobody_reviews_their_own() -> None:
    own = Stamp(AT, Actor(id=ANN, role="dpo"), uuid4)
    with pytest.raises(staff.OwnGlassReviewed):
        staff.review_glass(staff.replay([added(), *broken()]), own, glass_id=GRANT, in_order=True)


@pytest.mark.parametrize(("standing", "asked"), [("tutor", "accreditor"), ("accreditor", "tutor")])
def test_who_accredits_a_school_has_no_other_role_there(standing: Any, asked: Any) -> None:
    state = staff.replay([added(), granted(role=standing, scope=Scope(everyone=True))])
    with pytest.raises(staff.AccreditorInside):
        staff.grant(state, STAMP, grant_id=uuid4(), role=asked, scope=Scope(everyone=True))


def test_whoever_makes_a_code_does_not_take_the_factor_away_while_it_is_good_nor_the_other_way_round() -> None:
    one, other, machine = (Actor(id=uuid4(), role=role) for role in ("administrator", "head", staff.OPERATOR))
    until = AT + timedelta(days=3)

    def at(by: Actor, when: datetime = AT) -> Stamp:
        return Stamp(when, by, uuid4)

    new = staff.replay([added()])
    known = staff.evolve(new, staff.issue_sign_in(new, at(one), kind="code", good_until=until)[0])
    with pytest.raises(staff.SecondPersonNeeded):
        staff.take_factor_away(known, at(one))
    assert staff.take_factor_away(known, at(one, until)), "the code is good no longer"
    taken = staff.evolve(known, staff.take_factor_away(known, at(other))[0])
    with pytest.raises(staff.SecondPersonNeeded):
        staff.issue_sign_in(taken, at(other), kind="code", good_until=until)
    assert staff.issue_sign_in(taken, at(one), kind="code", good_until=until)
    assert staff.take_factor_away(known, at(machine)), "who runs the machine is held by no rule of two"
