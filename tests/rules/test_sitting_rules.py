"""Which sitting of a round counts, who is absent, and the one re-offer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from domain import sitting_rules
from domain.base import Actor, Stamp
from domain.journey import decisions, facts, refusals, state
from domain.journey.state import Sat

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


def test_progress_counts_who_sat_who_is_absent_and_who_may_try_again() -> None:
    ann, ben, cai = (UUID(int=n) for n in range(3))
    found = sitting_rules.progress([ann, ben, cai], {ann: [sat(True)], ben: [sat(False)]}, ROUND)
    assert (found.expected, found.sat, found.absent, found.again, found.reoffered) == (3, 2, (cai,), (ben,), 0.5)
