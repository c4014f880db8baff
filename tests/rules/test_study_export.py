"""The study's export: enough to reckon PPV and sensitivity, nothing that says who."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from domain import study
from domain.base import Actor, Event
from domain.journey import facts as f

KEY, PUPIL = b"k" * 32, UUID(int=7)
HEAD = {"recorded_at": datetime(2027, 2, 3, 9, tzinfo=UTC), "by": Actor(id=uuid4(), role="tutor")}


def story() -> list[Event]:
    outcome = f.OutcomeReported(
        event_id=UUID(int=5),
        **HEAD,
        outcome_id=uuid4(),
        happened_on=date(2027, 5, 17),
        code="attendance",
        source="staff",
    )
    return [
        f.PupilEnrolled(event_id=UUID(int=1), **HEAD, school_id=uuid4(), happened_on=date(2026, 9, 1), year_group=7, age_months=135),
        f.AssessmentSat(event_id=UUID(int=2), **HEAD, sitting_id=uuid4(), happened_on=date(2027, 2, 3), age_months=140, instrument="astrack-demo",
                        instrument_version=1, instrument_digest="a" * 64, answers={"g-sd-1": 3}, values=(3.0,) * 8, errors=(0.4,) * 8),
        f.FlagRaised(event_id=UUID(int=3), **HEAD, flag_id=uuid4(), kind="priority", probability=0.8123, reason="A secret sentence.", model_digest="b" * 64),
        f.FlagReviewed(event_id=UUID(int=4), **HEAD, flag_id=uuid4(), judgement="new_to_us", note="A secret note."),
        outcome,
        f.FactCorrected(event_id=UUID(int=6), **HEAD, corrects=outcome.event_id, changes={"code": "exclusion"}, why="wrong code"),
    ]  # fmt: skip


def test_it_holds_flags_reviews_and_outcomes_as_they_read_now() -> None:
    rows = study.rows(KEY, PUPIL, story())
    assert [(row["what"], row["code"]) for row in rows] == [
        ("sat", "astrack-demo 1"), ("flag", "priority"), ("review", "new_to_us"), ("outcome", "exclusion")
    ]  # fmt: skip


def test_it_holds_no_day_no_note_no_answer_and_no_id() -> None:
    text = study.table(study.rows(KEY, PUPIL, story()))
    for told in ("2027-02-03", "secret", "g-sd-1", str(PUPIL), PUPIL.hex, "3.0"):
        assert told not in text
    assert "2027-02" in text and "0.81" in text


def test_a_pseudonym_is_the_same_under_one_key_and_another_under_another() -> None:
    assert study.pseudonym(KEY, PUPIL) == study.pseudonym(KEY, PUPIL)
    assert study.pseudonym(KEY, PUPIL) != study.pseudonym(b"l" * 32, PUPIL)
    with pytest.raises(ValueError, match="at least 32"):
        study.pseudonym(b"short", PUPIL)


def test_the_table_does_not_keep_the_order_of_the_record() -> None:
    rows = study.rows(KEY, PUPIL, story()) + study.rows(KEY, UUID(int=8), story())
    assert study.table(rows) == study.table(rows[::-1])
