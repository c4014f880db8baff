"""Outcomes are dated codes with a source, for any pupil; what is the DSL's to say is said and seen by them alone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain import safeguarding
from domain.base import Actor, Event, Fact, Stamp, decode
from domain.journey import decisions, facts, outcomes, outside, refusals
from domain.journey.state import Journey, replay
from domain.journey.state import corrected as as_they_read
from projections import truth

DAY = date(2026, 11, 3)
AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


def stamp(role: str = "tutor") -> Stamp:
    return Stamp(AT, Actor(id=uuid4(), role=role), uuid4)


def enrolled() -> list[Event]:
    return decisions.enrol(Journey(), stamp(), school_id=uuid4(), on=DAY, year_group=7, age_months=135)


def reported(role: str, code: str, source: str) -> list[Event]:
    return outcomes.report(
        replay(enrolled()), stamp(role), outcome_id=uuid4(), on=DAY, code=code, source=source  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("code", ["none", "bullied", "not_coping", "referral", "attendance"])
def test_a_tutor_reports_a_code_with_its_source_for_a_pupil_without_any_flag(code: str) -> None:
    (said,) = reported("tutor", code, "staff")
    assert (said.code, said.source) == (code, "staff")  # type: ignore[attr-defined]


def test_self_harm_never_gets_into_a_journey_reported_or_corrected() -> None:
    for role in ("tutor", "dsl", "administrator"):
        with pytest.raises(refusals.OutcomeForTheDsl):
            reported(role, "self_harm", "dsl")
    (said,) = reported("dsl", "other", "dsl")
    turned = facts.FactCorrected(**stamp().fresh(), corrects=said.event_id, changes={"code": "bullied"}, why="code")
    journey = replay([*enrolled(), said, turned])
    for corrects, changes in ((said, {"code": "self_harm"}), (turned, {"changes": {"code": "self_harm"}})):
        with pytest.raises(refusals.OutcomeForTheDsl):
            decisions.correct(journey, stamp("dsl"), corrects=corrects.event_id, changes=changes, why="wrong code")


@pytest.mark.parametrize(
    ("role", "source", "may"),
    [("tutor", "dsl", False), ("lead_practitioner", "dsl", False), ("dsl", "staff", False), ("dsl", "dsl", True),
     ("administrator", "dsl", True)],
)  # fmt: skip
def test_self_harm_is_said_by_the_dsl_alone_and_with_themselves_as_its_source(
    role: str, source: str, may: bool
) -> None:
    if may:
        outcomes.check_said_by(source, role)
    else:
        with pytest.raises(refusals.OutcomeForTheDsl):
            outcomes.check_said_by(source, role)


def known(outcome_id: UUID) -> safeguarding.OutcomeKnown:
    return safeguarding.OutcomeKnown(**stamp("dsl").fresh(), outcome_id=outcome_id, happened_on=DAY, code="self_harm")


def test_an_outcome_of_the_dsl_twice_is_one_and_taken_back_it_stands_no_longer() -> None:
    one = known(UUID(int=3))
    assert safeguarding.know_outcome([], one) == [one]
    assert safeguarding.know_outcome([one], known(UUID(int=3))) == []
    (back,) = safeguarding.take_back_outcome([one], stamp("dsl"), outcome_id=UUID(int=3), why="another pupil was meant")
    assert safeguarding.standing_outcomes([one]) == {UUID(int=3): one}
    assert safeguarding.standing_outcomes([one, back]) == {}
    assert safeguarding.know_outcome([one, back], known(UUID(int=3))) == []
    with pytest.raises(safeguarding.OutcomeUnknown):
        safeguarding.take_back_outcome([one, back], stamp("dsl"), outcome_id=UUID(int=3), why="again")


def test_an_outcome_of_the_dsl_counts_for_how_right_flags_have_been_until_it_is_taken_back() -> None:
    one = known(UUID(int=3))
    (back,) = safeguarding.take_back_outcome([one], stamp("dsl"), outcome_id=UUID(int=3), why="another pupil was meant")
    row = truth.evolve(None, Fact(0, UUID(int=9), uuid4(), 0, AT, one))
    assert row.outcomes == {str(UUID(int=3)): {"on": DAY.isoformat(), "came": True}}
    assert truth.evolve(row, Fact(1, UUID(int=9), uuid4(), 1, AT, back)).outcomes == {}


def old_self_harm() -> outside.OutcomeReported:
    """As an earlier version let it stand in a journey."""
    return outside.OutcomeReported(
        **stamp("dsl").fresh(), outcome_id=uuid4(), happened_on=DAY, code="self_harm", source="dsl"
    )


def test_what_is_for_the_dsl_is_shown_to_nobody_else_corrections_included() -> None:
    said = old_self_harm()
    (plain,) = reported("dsl", "bullied", "dsl")
    turned = facts.FactCorrected(
        **stamp("dsl").fresh(), corrects=plain.event_id, changes={"code": "self_harm"}, why="code"
    )
    told = [Fact(n, uuid4(), uuid4(), n, AT, one) for n, one in enumerate([said, plain, turned])]
    assert [one.event for one in outside.seen_by("dsl", told)] == [said, plain, turned]
    assert [one.event for one in outside.seen_by("tutor", told)] == []


def test_the_same_report_twice_is_one() -> None:
    (said,) = reported("tutor", "none", "staff")
    again = outcomes.report(
        replay([*enrolled(), said]), stamp(), outcome_id=said.outcome_id, on=DAY, code="none", source="staff"  # type: ignore[attr-defined]
    )  # fmt: skip
    assert again == []


def test_an_outcome_of_the_first_version_reads_with_todays_code_and_no_source() -> None:
    payload = json.dumps({
        "topic": "journey.outcome-reported.v1", "event_id": str(uuid4()), "recorded_at": "2026-09-14T08:30:00Z",
        "by": {"id": str(uuid4()), "role": "tutor"},
        "data": {"outcome_id": str(uuid4()), "happened_on": "2026-09-14", "code": "outside_referral"},
    })  # fmt: skip
    old = decode(payload.encode())
    assert isinstance(old, outside.OutcomeReported)
    assert (old.code, old.source) == ("referral", "not_stated")


def test_a_correction_of_that_time_is_still_applied() -> None:
    (said,) = reported("tutor", "attendance", "staff")
    old = facts.FactCorrected(
        **stamp().fresh(), corrects=said.event_id, changes={"code": "outside_referral"}, why="wrong"
    )
    assert as_they_read([said, old])[0].code == "referral"  # type: ignore[attr-defined]


def totals(reached: float = 4, **other: object) -> outside.TotalsImported:
    fields = {"totals_id": UUID(int=9), "happened_on": DAY, "licence": "L-1", **other}
    return outside.TotalsImported(
        **stamp().fresh(), **fields, instrument="another", version="2",
        totals={"worry": outside.Total(reached=reached, least=0, most=10)},
    )  # fmt: skip


def test_totals_taken_in_twice_are_one() -> None:
    first = outcomes.take_in_totals(replay(enrolled()), stamp(), one := totals())
    assert first == [one]
    assert outcomes.take_in_totals(replay([*enrolled(), *first]), stamp(), totals()) == []


def test_other_totals_of_the_same_day_correct_those_on_record() -> None:
    told = [*enrolled(), first := totals()]
    (mended,) = outcomes.take_in_totals(replay(told), stamp(), totals(7, licence="L-2"))
    assert isinstance(mended, facts.FactCorrected) and mended.corrects == first.event_id
    now = replay([*told, mended]).events[first.event_id]
    assert isinstance(now, outside.TotalsImported) and (now.totals["worry"].reached, now.licence) == (7, "L-2")
    assert outcomes.take_in_totals(replay([*told, mended]), stamp(), totals(7, licence="L-2")) == []


def test_a_day_put_right_on_record_is_not_taken_for_another_sitting() -> None:
    told = [*enrolled(), first := totals()]
    later = date(2026, 11, 2)
    told += decisions.correct(
        replay(told), stamp("dsl"), corrects=first.event_id, changes={"happened_on": later.isoformat()}, why="day"
    )
    again = totals(totals_id=uuid4(), happened_on=later)
    assert outcomes.take_in_totals(replay(told), stamp(), again) == []
    assert outcomes.take_in_totals(replay(told), stamp(), totals()) == []


@pytest.mark.parametrize("ends", [(0, float("inf")), (float("nan"), 10), (10, 0), (5, 10)])
def test_a_total_outside_its_scale_or_on_one_without_ends_is_no_fact(ends: tuple[float, float]) -> None:
    with pytest.raises(ValidationError):
        outside.Total(reached=4, least=ends[0], most=ends[1])
