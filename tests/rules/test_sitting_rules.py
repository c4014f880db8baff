"""Which sitting of a round counts, the one re-offer, and a "not today"."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain import risk, sitting_rules
from domain.base import Actor, Stamp
from domain.journey import decisions, facts, refusals, state
from domain.journey.state import Sat
from domain.round import RoundOpened

ROUND, DAY = uuid4(), date(2026, 11, 3)
STAMP = Stamp(at=datetime(2026, 11, 3, 9, tzinfo=UTC), by=Actor(id=uuid4(), role="pupil"), new_id=uuid4)


def sat(usable: bool, round_id: UUID | None = ROUND) -> Sat:
    return Sat(uuid4(), uuid4(), round_id, DAY, (3.5,) * 8, (0.4,) * 8, usable)


def test_the_first_sitting_of_adequate_quality_counts() -> None:
    poor, good = sat(False), sat(True)
    assert sitting_rules.standing([poor, good], ROUND).counts is good


def test_a_sitting_that_cannot_be_read_is_offered_once_more_and_only_once() -> None:
    assert sitting_rules.standing([sat(False)], ROUND).offer
    assert not sitting_rules.standing([sat(False), sat(False)], ROUND).offer


def test_a_sitting_that_can_be_read_is_not_offered_again() -> None:
    assert not sitting_rules.standing([sat(True)], ROUND).offer


def test_the_offer_does_not_look_at_values() -> None:
    wild = Sat(uuid4(), uuid4(), ROUND, DAY, (1.0,) * 8, (0.4,) * 8, True)
    assert sitting_rules.standing([wild], ROUND) == sitting_rules.Standing(wild, 1, False)


def test_a_journey_takes_a_second_sitting_only_after_one_that_cannot_be_read() -> None:
    enrolled = facts.PupilEnrolled(**STAMP.fresh(), school_id=uuid4(), happened_on=DAY, year_group=4, age_months=100)
    poor, again, third = (
        facts.AssessmentSat(**STAMP.fresh(), sitting_id=uuid4(), round_id=ROUND, happened_on=DAY, instrument="astrack-demo",
                            instrument_version=1, instrument_digest="0" * 64, answers={}, values=(None,) * 8,
                            errors=(None,) * 8, quality=("missing",), usable=False)
        for _ in range(3)
    )  # fmt: skip
    journey = decisions.sit(decisions.sit(state.replay([enrolled]), poor), again)
    assert len(journey.sittings) == 2
    with pytest.raises(refusals.SittingAlreadyTaken):
        decisions.sit(journey, third)


OPENED = RoundOpened(**STAMP.fresh(), round_id=ROUND, name="Autumn", opens_on=DAY, closes_on=DAY + timedelta(days=9),
                     year_groups=(4, 5), instrument="astrack-demo", instrument_version=1)  # fmt: skip


def enrolled(year_group: int = 4) -> facts.PupilEnrolled:
    return facts.PupilEnrolled(
        **STAMP.fresh(), school_id=uuid4(), happened_on=DAY, year_group=year_group, age_months=100
    )


def answered(usable: bool) -> facts.AssessmentSat:
    return facts.AssessmentSat(
        **STAMP.fresh(), sitting_id=uuid4(), round_id=ROUND, happened_on=DAY, instrument="astrack-demo",
        instrument_version=1, instrument_digest="0" * 64, answers={}, values=(3.5,) * 8, errors=(0.4,) * 8, usable=usable,
    )  # fmt: skip


def test_not_today_is_a_fact_of_its_day_and_said_twice_on_one_day_it_is_said_once() -> None:
    (said,) = sitting_rules.say_not_today(state.replay([enrolled()]), STAMP, OPENED)
    assert isinstance(said, facts.NotTodaySaid) and (said.round_id, said.day) == (ROUND, DAY)
    after = state.replay([enrolled(), said])
    assert sitting_rules.say_not_today(after, STAMP, OPENED) == []
    later = Stamp(at=STAMP.at + timedelta(days=1), by=Actor(id=uuid4(), role="tutor"), new_id=uuid4)
    (again,) = sitting_rules.say_not_today(after, later, OPENED)
    assert (again.day, again.by.role) == (DAY + timedelta(days=1), "tutor")
    (other,) = sitting_rules.say_not_today(after, STAMP, OPENED.model_copy(update={"round_id": uuid4()}))
    assert other.event_id != said.event_id


def test_nothing_follows_from_not_today_the_round_can_be_sat_and_no_sign_is_seen() -> None:
    said = sitting_rules.say_not_today(state.replay([enrolled()]), STAMP, OPENED)
    after = state.replay([enrolled(), *said])
    assert after.sittings == () and sitting_rules.standing(after.sittings, ROUND).offer
    assert risk.findings(risk.load_model(), after.sittings, after.standing_subjects(), DAY) == []
    assert len(decisions.sit(after, answered(True)).sittings) == 1


def test_not_today_may_be_said_to_a_second_try_and_to_nothing_after_a_sitting_that_counts() -> None:
    assert sitting_rules.say_not_today(state.replay([enrolled(), answered(False)]), STAMP, OPENED)
    with pytest.raises(refusals.SittingAlreadyTaken):
        sitting_rules.say_not_today(state.replay([enrolled(), answered(True)]), STAMP, OPENED)


def test_not_today_is_for_who_is_in_the_round_on_a_record_that_is_held_here() -> None:
    opted = facts.OptOutRecorded(**STAMP.fresh(), asked_by="parent", happened_on=DAY)
    frozen = facts.TransferPrepared(**STAMP.fresh(), transfer_id=uuid4(), lawful_basis="public_task")
    for story, refused in (
        ([enrolled(9)], refusals.NotInRound),
        ([enrolled(), opted], refusals.OptedOut),
        ([enrolled(), frozen], refusals.RecordFrozen),
        ([], refusals.NotEnrolled),
    ):
        with pytest.raises(refused):
            sitting_rules.say_not_today(state.replay(story), STAMP, OPENED)
