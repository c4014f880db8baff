"""Requests over a record and their clock, who speaks for a pupil, how long a record is kept: the rules alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.bank_holidays import bank_holidays, easter_sunday
from domain.base import Actor, Stamp
from domain.rights import family, handling, requests, retention
from domain.rights.family import Family
from domain.rights.requests import Request
from domain.rights.retention import Retention
from domain.school import Term
from projections import retention as retention_view
from projections import shape

TODAY = date(2026, 11, 20)
ASKED = date(2026, 11, 2)
DPO, DSL = Actor(id=UUID(int=1), role="dpo"), Actor(id=UUID(int=2), role="dsl")
WHY = "because somebody asked for it"
PARENT, PUPIL = UUID(int=7), UUID(int=8)


def stamp(by: Actor = DPO, on: date = TODAY) -> Stamp:
    return Stamp(datetime(on.year, on.month, on.day, 9, tzinfo=UTC), by, uuid4)


def received(kind: Any = "access", by: Any = "pupil", on: date = ASKED, known: Family | None = None) -> Request:
    made = handling.receive(
        Request(), stamp(), known or Family(), request_id=uuid4(), pupil_id=PUPIL, kind=kind, asked_by=by, on=on,
        relation_id=PARENT if by == "parent" else None,
    )  # fmt: skip
    return requests.replay(made)


def then(request: Request, events: list[Any]) -> Request:
    for event in events:
        request = requests.evolve(request, event)
    return request


def related(verified: date | None = date(2026, 9, 1)) -> Family:
    made = family.record_relation(
        Family(), stamp(), relation_id=PARENT, name="Una", kind="natural_parent", from_on=date(2016, 1, 1),
        verified_on=verified,
    )  # fmt: skip
    return family.replay(made)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (date(2026, 11, 2), date(2026, 12, 2)),
        (date(2026, 11, 14), date(2026, 12, 14)),
        (date(2027, 1, 31), date(2027, 3, 1)),  # February has no 31st: its last day is a Sunday
        (date(2026, 11, 25), date(2026, 12, 29)),  # Christmas, its weekend, and Boxing Day's Monday
    ],
)
def test_a_request_is_due_a_month_later_or_on_the_next_working_day(asked: date, due: date) -> None:
    request = requests.replay([
        requests.RequestReceived(**stamp().fresh(), request_id=uuid4(), pupil_id=PUPIL, kind="access",
                                 asked_by="pupil", happened_on=asked)
    ])  # fmt: skip
    assert requests.due(request, (), bank_holidays(2026) | bank_holidays(2027)) == due


def test_the_days_the_clock_stood_are_added() -> None:
    request = received()
    stopped = then(request, handling.stop_clock(request, stamp(), on=date(2026, 11, 5), why="identity"))
    assert requests.due(stopped) is None
    going = then(stopped, handling.start_clock(stopped, stamp(), on=date(2026, 11, 12)))
    assert requests.due(going) == date(2026, 12, 9)
    with pytest.raises(requests.ClockStandsAlready):
        handling.start_clock(going, stamp(), on=date(2026, 11, 13))


def test_a_complex_request_takes_two_months_more_once_and_only_in_time() -> None:
    request = received()
    longer = then(request, handling.extend(request, stamp(), on=date(2026, 11, 9), why=WHY))
    assert requests.due(longer) == date(2027, 2, 2)
    for late in (longer, request):
        with pytest.raises(requests.ExtensionTooLate):
            handling.extend(late, stamp(on=date(2026, 12, 9)), on=date(2026, 12, 9), why=WHY)


def test_a_parents_inspection_is_due_after_fifteen_school_days() -> None:
    terms = [Term(first_on=date(2026, 9, 2), last_on=date(2026, 12, 18))]
    assert requests.due(received("inspection", "parent", known=related()), terms) == date(2026, 11, 23)


def test_a_parents_look_has_the_ordinary_month_where_the_school_is_not_maintained() -> None:
    request = received("inspection", "parent", known=related())
    assert requests.due(request, maintained=False) == requests.due(received())
    assert requests.clock_of("inspection", maintained=False) == requests.clock_of("access") == "month"
    assert requests.clock_of("inspection") == "school_days"


@pytest.mark.parametrize("known", [Family(), related(verified=None)])
def test_a_parent_nobody_verified_may_only_object(known: Family) -> None:
    for kind in ("access", "inspection", "erasure", "rectification", "restriction"):
        with pytest.raises(requests.AskerMayNot):
            received(kind, "parent", known=known)
    assert received("objection", "parent", known=known).open


def test_an_order_and_the_end_of_a_relation_shut_the_parent_out_from_that_day_on() -> None:
    known = related()
    ordered = family.evolve(known, family.record_order(
        known, stamp(), order_id=uuid4(), kind="no_contact", limits="information", from_on=date(2026, 11, 10),
        until_on=date(2026, 11, 15), relation_id=PARENT, reference="FC-1")[0])  # fmt: skip
    stood = [ordered.stands(PARENT, date(2026, 11, day)) for day in (9, 10, 15, 16)]
    assert stood == [True, False, False, True]
    ended = family.evolve(known, family.end_relation(known, stamp(), relation_id=PARENT, on=date(2026, 11, 10))[0])
    assert [ended.stands(PARENT, date(2026, 11, day)) for day in (10, 11)] == [True, False]


@pytest.mark.parametrize(
    ("by", "competent", "adult", "refused"),
    [
        ("pupil", None, False, requests.CompetenceUndecided),
        ("pupil", False, False, requests.AskerMayNot),
        ("pupil", True, False, None),
        ("pupil", None, True, None),
        ("parent", None, False, requests.CompetenceUndecided),
        ("parent", True, False, requests.AskerMayNot),
        ("parent", False, False, None),
        ("parent", False, True, requests.AskerMayNot),
    ],
)
def test_the_right_is_the_childs_and_competence_is_a_decision(
    by: str, competent: bool | None, adult: bool, refused: type[Exception] | None
) -> None:
    known = related()
    if competent is not None:
        known = family.evolve(known, family.decide_competence(stamp(), competent=competent, on=TODAY, why=WHY)[0])
    request = received("access", by, known=known)
    if refused is None:
        handling.check_copy(request, known, TODAY, adult=adult)
        return
    with pytest.raises(refused):
        handling.check_copy(request, known, TODAY, adult=adult)


def test_nobody_reviews_what_they_proposed_to_withhold_and_nothing_is_answered_before() -> None:
    request = received("rectification")
    kept = then(request, handling.withhold(request, stamp(DPO), item="fact:1", because="third_party", why=WHY))
    with pytest.raises(requests.OwnWithholdingReviewed):
        handling.review_withholding(kept, stamp(DPO), item="fact:1", upheld=True)
    with pytest.raises(requests.WithholdingUnreviewed):
        handling.answer(kept, stamp(), on=TODAY, outcome="granted")
    reviewed = then(kept, handling.review_withholding(kept, stamp(DSL), item="fact:1", upheld=True))
    assert set(reviewed.kept_back) == {"fact:1"}
    assert handling.answer(reviewed, stamp(), on=TODAY, outcome="granted")


def test_a_copy_made_before_the_last_decision_answers_nothing() -> None:
    request = received()
    made = then(request, handling.made_copy(stamp(), sha256="a" * 64, recipient="x", items=3, withheld=0))
    assert handling.answer(made, stamp(), on=TODAY, outcome="granted")
    kept = then(made, handling.withhold(made, stamp(), item="fact:1", because="court", why=WHY))
    stale = then(kept, handling.review_withholding(kept, stamp(DSL), item="fact:1", upheld=True))
    with pytest.raises(requests.FileNotMade):
        handling.answer(stale, stamp(), on=TODAY, outcome="granted")


def test_an_answered_request_takes_no_more_steps() -> None:
    request = received("objection")
    done = then(request, handling.answer(request, stamp(), on=TODAY, outcome="refused", why=WHY))
    for step in (
        lambda: handling.stop_clock(done, stamp(), on=TODAY, why="identity"),
        lambda: handling.extend(done, stamp(), on=TODAY, why=WHY),
        lambda: handling.withdraw(done, stamp(), on=TODAY),
        lambda: handling.withhold(done, stamp(), item="fact:1", because="court", why=WHY),
    ):
        with pytest.raises(requests.RequestEnded):
            step()


def test_no_step_lies_before_the_request_or_after_today() -> None:
    request = received()
    for day in (ASKED - timedelta(days=1), TODAY + timedelta(days=1)):
        with pytest.raises(requests.RequestDatesWrong):
            handling.stop_clock(request, stamp(), on=day, why="identity")


@pytest.mark.parametrize(
    ("events", "released", "due"),
    [
        ([], None, date(2041, 12, 5)),
        ([{"retention_class": "sen"}], None, date(2047, 12, 5)),
        ([], date(2027, 7, 1), date(2028, 7, 1)),
    ],
)
def test_a_record_is_reviewed_when_its_class_says(events: list[Any], released: date | None, due: date) -> None:
    state = Retention()
    for one in events:
        state = retention.evolve(state, retention.set_class(state, stamp(), **one)[0])
    assert retention.review_on(state, date(2016, 12, 5), released) == due


def test_a_review_that_keeps_a_record_moves_its_day_on() -> None:
    kept = retention.review(stamp(), decision="keep", until_on=date(2060, 1, 1), why=WHY)
    assert retention.review_on(retention.replay(kept), date(2016, 12, 5)) == date(2060, 1, 1)
    for wrong in ({"decision": "keep"}, {"decision": "erase", "until_on": date(2060, 1, 1)}):
        with pytest.raises(retention.KeptUntilWrong):
            retention.review(stamp(), why=WHY, **wrong)  # type: ignore[arg-type]


def test_an_erasure_needs_a_decision_a_second_person_and_no_hold() -> None:
    with pytest.raises(retention.NotReviewed):
        retention.check_erasing(Retention(), DSL.id)
    decided = retention.replay(retention.review(stamp(DPO), decision="erase", why=WHY))
    assert retention.check_erasing(decided, DSL.id) == DPO.id
    with pytest.raises(retention.OwnErasure):
        retention.check_erasing(decided, DPO.id)
    held = retention.evolve(decided, retention.place_hold(decided, stamp(), hold_id=uuid4(), why=WHY)[0])
    with pytest.raises(retention.RecordOnHold):
        retention.check_erasing(held, DSL.id)
    asked = received("erasure")
    granted = then(asked, handling.answer(asked, stamp(DPO), on=TODAY, outcome="granted"))
    assert retention.check_erasing(Retention(), DSL.id, granted) == DPO.id
    refused = then(asked, handling.answer(asked, stamp(DPO), on=TODAY, outcome="refused", why=WHY))
    with pytest.raises(retention.NotReviewed):
        retention.check_erasing(Retention(), DSL.id, refused)


def test_bank_holidays_are_those_the_government_lists() -> None:
    assert sorted(bank_holidays(2027)) == [
        date(2027, 1, 1), date(2027, 3, 26), date(2027, 3, 29), date(2027, 5, 3), date(2027, 5, 31),
        date(2027, 8, 30), date(2027, 12, 27), date(2027, 12, 28),
    ]  # fmt: skip
    assert [easter_sunday(year) for year in (2024, 2025, 2026)] == [
        date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5)]  # fmt: skip


def test_lists_leave_restricted_records_out_by_the_read_model_that_knows_them() -> None:
    assert f"{retention_view.TABLE} r" in shape.USABLE
