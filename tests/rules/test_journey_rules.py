"""What may happen next in a pupil's journey: given these facts, when this is decided, then exactly these facts or this refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.base import Actor, DomainError, Event, Stamp
from domain.journey import custody, decisions, facts, outcomes, refusals
from domain.journey.decisions import Finding
from domain.journey.state import Custody, Journey, replay

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = AT.date()
TUTOR = Actor(id=UUID(int=1), role="tutor")
SCHOOL, OTHER = UUID(int=10), UUID(int=11)
STAMP = Stamp(AT, TUTOR, uuid4)
DIGEST = "ab" * 32


def made(event_type: type[Event], /, **fields: Any) -> Any:
    return event_type(**STAMP.fresh(), **fields)


def enrolled(**fields: Any) -> facts.PupilEnrolled:
    return made(facts.PupilEnrolled, **{"school_id": SCHOOL, "happened_on": date(2026, 9, 2), "year_group": 5,
                                        "age_months": 118, **fields})  # fmt: skip


def sat(**fields: Any) -> facts.AssessmentSat:
    return made(facts.AssessmentSat, **{"sitting_id": uuid4(), "happened_on": DAY, "instrument": "demo",
                "instrument_version": 1, "instrument_digest": DIGEST, "answers": {}, "values": (3.0,) * 8,
                "errors": (0.4,) * 8, **fields})  # fmt: skip


def raised(**fields: Any) -> facts.FlagRaised:
    return made(facts.FlagRaised, **{"flag_id": uuid4(), "kind": "polar", "reason": "Worth a look.",
                                     "model_digest": DIGEST, **fields})  # fmt: skip


def opened(**fields: Any) -> facts.PlanOpened:
    return made(facts.PlanOpened, **{"plan_id": uuid4(), "kind": "individual", "goal": "Asks for help", "causes": ("moved",),
                "risks": ("withdraws",), "signposts": ("buddy",), "owner_id": TUTOR.id, "start_on": DAY,
                "end_on": DAY + timedelta(weeks=6), **fields})  # fmt: skip


def prepared(**fields: Any) -> facts.TransferPrepared:
    return made(facts.TransferPrepared, **{"transfer_id": uuid4(), "to_school_id": OTHER, "accepted_on": DAY,
                "start_on": DAY, "lawful_basis": "legal_obligation", **fields})  # fmt: skip


def given(*events: Event) -> Journey:
    return replay(events)


def test_a_pupil_who_joins_is_enrolled_here() -> None:
    (event,) = decisions.enrol(Journey(), STAMP, school_id=SCHOOL, on=DAY, year_group=5, age_months=120)
    assert isinstance(event, facts.PupilEnrolled)
    assert (event.school_id, event.year_group, event.by, event.recorded_at) == (SCHOOL, 5, TUTOR, AT)


def test_a_pupil_on_roll_here_is_not_enrolled_again() -> None:
    with pytest.raises(refusals.AlreadyEnrolled):
        decisions.enrol(given(enrolled()), STAMP, school_id=SCHOOL, on=DAY, year_group=5, age_months=None)


def test_a_pupil_who_left_may_come_back() -> None:
    journey = given(enrolled(), made(facts.PupilLeft, happened_on=DAY))
    assert len(decisions.enrol(journey, STAMP, school_id=SCHOOL, on=DAY, year_group=6, age_months=None)) == 1


def test_the_same_year_and_groups_are_no_news() -> None:
    assert decisions.regroup(given(enrolled()), STAMP, on=DAY, year_group=5, groups=()) == []


def test_leaving_twice_is_leaving_once() -> None:
    left = made(facts.PupilLeft, happened_on=DAY)
    assert decisions.leave(given(enrolled(), left), STAMP, on=DAY) == []


def test_a_round_is_sat_once() -> None:
    one = sat(round_id=uuid4())
    with pytest.raises(refusals.SittingAlreadyTaken):
        decisions.sit(given(enrolled(), one), sat(round_id=one.round_id))


def test_no_sitting_counts_after_an_opt_out_until_it_ends() -> None:
    out = made(facts.OptOutRecorded, asked_by="parent", happened_on=DAY)
    back = made(facts.OptOutEnded, asked_by="parent", happened_on=DAY)
    with pytest.raises(refusals.OptedOut):
        decisions.sit(given(enrolled(), out), sat())
    assert len(decisions.sit(given(enrolled(), out, back), sat()).sittings) == 1


def finding(kind: str = "polar", factor: str | None = "trust_of_self") -> Finding:
    return Finding(kind, factor, "school", "low", 0.9, "Worth a look.", (uuid4(),))


def test_what_is_newly_seen_is_raised_and_what_is_seen_still_is_not_raised_again() -> None:
    first = decisions.flag(given(enrolled()), STAMP, [finding()], DIGEST)
    assert [type(event) for event in first] == [facts.FlagRaised]
    assert decisions.flag(given(enrolled(), *first), STAMP, [finding()], DIGEST) == []


def test_what_is_no_longer_seen_eases() -> None:
    first = decisions.flag(given(enrolled()), STAMP, [finding()], DIGEST)
    (eased,) = decisions.flag(given(enrolled(), *first), STAMP, [], DIGEST)
    assert isinstance(eased, facts.FlagEased) and eased.flag_id == first[0].flag_id  # type: ignore[attr-defined]


def test_a_flag_that_eased_can_be_raised_anew() -> None:
    first = decisions.flag(given(enrolled()), STAMP, [finding()], DIGEST)
    eased = decisions.flag(given(enrolled(), *first), STAMP, [], DIGEST)
    again = decisions.flag(given(enrolled(), *first, *eased), STAMP, [finding()], DIGEST)
    assert [type(event) for event in again] == [facts.FlagRaised]


def test_a_flag_is_reviewed_and_may_be_thought_over() -> None:
    flag = raised()
    (once,) = decisions.review_flag(given(enrolled(), flag), STAMP, flag_id=flag.flag_id, judgement="new_to_us")
    journey = given(enrolled(), flag, once)
    assert decisions.review_flag(journey, STAMP, flag_id=flag.flag_id, judgement="not_what_we_see")
    with pytest.raises(refusals.FlagAlreadyReviewed):
        decisions.review_flag(journey, STAMP, flag_id=flag.flag_id, judgement="new_to_us")


PLAN_REFUSALS: list[tuple[dict[str, Any], type[DomainError]]] = [
    ({"causes": ()}, refusals.CauseStepSkipped),
    ({"risks": ()}, refusals.RiskStepSkipped),
    ({"signposts": (), "own_strategies": ()}, refusals.SignpostMissing),
    ({"end_on": DAY + timedelta(weeks=13)}, refusals.PlanDatesWrong),
    ({"end_on": DAY}, refusals.PlanDatesWrong),
    ({"flags": (uuid4(),)}, refusals.NoSuchFlag),
]


@pytest.mark.parametrize(("fields", "refusal"), PLAN_REFUSALS, ids=lambda value: getattr(value, "__name__", ""))
def test_no_step_of_a_plan_is_skipped(fields: dict[str, Any], refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        decisions.open_plan(given(enrolled()), opened(**fields))


def test_a_plan_runs_until_it_is_closed() -> None:
    plan = opened()
    journey = given(enrolled(), *decisions.open_plan(given(enrolled()), plan))
    (noted,) = decisions.monitor_plan(journey, STAMP, plan_id=plan.plan_id, going="well")
    (closed,) = decisions.close_plan(journey, STAMP, plan_id=plan.plan_id, came="helped")
    with pytest.raises(refusals.PlanAlreadyClosed):
        decisions.close_plan(given(enrolled(), plan, noted, closed), STAMP, plan_id=plan.plan_id, came="helped")
    with pytest.raises(refusals.NoSuchPlan):
        decisions.monitor_plan(journey, STAMP, plan_id=uuid4(), going="well")


def test_a_wish_to_talk_is_taken_up_once_or_escalated() -> None:
    talk = uuid4()
    (asked,) = decisions.ask_to_talk(given(enrolled()), STAMP, talk_id=talk)
    journey = given(enrolled(), asked)
    assert decisions.ask_to_talk(journey, STAMP, talk_id=talk) == []
    (up,) = decisions.escalate_talk(journey, STAMP, talk_id=talk, to_role="dsl")
    (taken,) = decisions.take_up_talk(given(enrolled(), asked, up), STAMP, talk_id=talk)
    with pytest.raises(refusals.NoSuchTalk):
        decisions.take_up_talk(given(enrolled(), asked, up, taken), STAMP, talk_id=talk)


def test_nothing_is_released_for_admission() -> None:
    with pytest.raises(refusals.PlaceNotAccepted):
        custody.prepare_transfer(given(enrolled()), prepared(accepted_on=None))
    with pytest.raises(refusals.PlaceNotAccepted):
        custody.prepare_transfer(given(enrolled()), prepared(start_on=None))


def test_consent_as_a_basis_names_who_consented() -> None:
    with pytest.raises(refusals.ConsentNotNamed):
        custody.prepare_transfer(given(enrolled()), prepared(lawful_basis="consent"))
    assert custody.prepare_transfer(given(enrolled()), prepared(lawful_basis="consent", consent_by="a parent, 3 May"))


FROZEN_TO: list[Callable[[Journey], Any]] = [
    lambda journey: decisions.regroup(journey, STAMP, on=DAY, year_group=6, groups=()),
    lambda journey: decisions.sit(journey, sat()),
    lambda journey: decisions.look_at(journey, STAMP, concern=False),
    lambda journey: outcomes.report(journey, STAMP, outcome_id=uuid4(), on=DAY, code="none", source="staff"),
    lambda journey: decisions.ask_to_talk(journey, STAMP, talk_id=uuid4()),
    lambda journey: decisions.open_plan(journey, opened()),
    lambda journey: decisions.opt_out(journey, STAMP, asked_by="parent", on=DAY),
    lambda journey: custody.prepare_transfer(journey, prepared()),
]


@pytest.mark.parametrize("attempt", FROZEN_TO)
def test_a_journey_being_handed_over_takes_no_new_facts(attempt: Callable[[Journey], Any]) -> None:
    with pytest.raises(refusals.RecordFrozen):
        attempt(given(enrolled(), prepared()))


@pytest.mark.parametrize("attempt", FROZEN_TO)
def test_a_journey_that_is_elsewhere_takes_no_new_facts(attempt: Callable[[Journey], Any]) -> None:
    transfer = prepared()
    released = made(facts.CustodyReleased, transfer_id=transfer.transfer_id, receipt_sha256=DIGEST)
    with pytest.raises(refusals.RecordFrozen):
        attempt(given(enrolled(), transfer, released))


@pytest.mark.parametrize("attempt", FROZEN_TO)
def test_a_pupil_without_a_record_takes_no_facts(attempt: Callable[[Journey], Any]) -> None:
    with pytest.raises(refusals.NotEnrolled):
        attempt(Journey())


def test_a_withdrawn_transfer_thaws_the_journey() -> None:
    transfer = prepared()
    (withdrawn,) = custody.withdraw_transfer(given(enrolled(), transfer), STAMP, transfer_id=transfer.transfer_id)
    journey = given(enrolled(), transfer, withdrawn)
    assert journey.custody is Custody.HELD
    with pytest.raises(refusals.TransferNotOpen):
        custody.withdraw_transfer(journey, STAMP, transfer_id=transfer.transfer_id)


def test_the_receiver_holds_what_the_sender_froze() -> None:
    received = made(facts.RecordReceived, transfer_id=uuid4(), manifest_sha256=DIGEST, from_school_id=SCHOOL, facts=2)
    journey = given(enrolled(), prepared())
    assert custody.receive_record(journey, received) == [received]
    with pytest.raises(refusals.AlreadyEnrolled):
        custody.receive_record(given(enrolled(), prepared(), received), received)


def test_the_record_passes_to_the_student_at_18_and_not_before() -> None:
    ask: dict[str, Any] = {"transfer_id": uuid4(), "eighteen_on": DAY, "lawful_basis": "public_task"}
    with pytest.raises(refusals.NotYetEighteen):
        custody.pass_ownership(given(enrolled()), STAMP, on=DAY - timedelta(days=1), **ask)
    (event,) = custody.pass_ownership(given(enrolled()), STAMP, on=DAY, **ask)
    assert isinstance(event, facts.TransferPrepared) and event.kind == "student"
    assert given(enrolled(), event).custody is Custody.HELD  # a school stays controller of its own copy


def test_a_correction_changes_how_the_fact_reads_and_leaves_the_fact() -> None:
    start = enrolled()
    (fix,) = decisions.correct(
        given(start), STAMP, corrects=start.event_id, changes={"year_group": 6}, why="typed wrong"
    )
    assert given(start, fix).year_group == 6 and start.year_group == 5


def test_a_correction_can_itself_be_corrected() -> None:
    start = enrolled()
    (fix,) = decisions.correct(
        given(start), STAMP, corrects=start.event_id, changes={"year_group": 6}, why="typed wrong"
    )
    (again,) = decisions.correct(
        given(start, fix), STAMP, corrects=fix.event_id, changes={"changes": {"year_group": 7}}, why="not 6 either"
    )
    assert given(start, fix, again).year_group == 7


def test_what_was_answered_cannot_be_corrected() -> None:
    one = sat()
    with pytest.raises(refusals.NotCorrectable):
        decisions.correct(
            given(enrolled(), one), STAMP, corrects=one.event_id, changes={"values": (1.0,) * 8}, why="no"
        )
    with pytest.raises(refusals.NoSuchFact):
        decisions.correct(given(enrolled()), STAMP, corrects=uuid4(), changes={"year_group": 6}, why="no")
    start = enrolled()
    with pytest.raises(refusals.NothingToCorrect):
        decisions.correct(given(start), STAMP, corrects=start.event_id, changes={"year_group": 5}, why="no")


def test_the_age_is_reckoned_from_enrolment() -> None:
    assert given(enrolled()).age_months_on(date(2027, 9, 2)) == 118 + 12
    assert given(enrolled(age_months=None)).age_months_on(DAY) is None
