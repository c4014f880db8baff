"""Flags derived again from the history: the same when nothing was touched, and every difference named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain import risk
from domain.base import Actor, Event, Stamp
from domain.journey import decisions, facts
from domain.journey.decisions import Finding
from domain.journey.rederive import Derived, Difference, differences
from domain.journey.state import Journey, Sat, evolve, replay

RECKONED = {
    ("priority", None, None, None): 0.9869,
    ("both_contexts", "self_disclosure", None, "low"): 0.932,
    ("both_contexts", "trust_of_others", None, "high"): 0.8426,
    ("polar", "self_disclosure", "general", "low"): 0.9813,
    ("polar", "trust_of_others", "general", "high"): 0.981,
    ("polar", "self_disclosure", "school", "low"): 0.9463,
    ("polar", "trust_of_others", "school", "high"): 0.853,
}
"""What the first algorithm said of the sittings below, to its four decimals."""
START = datetime(2026, 10, 1, 9, tzinfo=UTC)
TUTOR = Actor(id=UUID(int=1), role="tutor")
DIGEST = "ab" * 32


def derive(digest: str | None, journey: Journey, on: date) -> Derived:
    """A little model: the newest first number below 2 is worth a look, surer the lower it is."""
    newest = journey.sittings[-1]
    value = newest.values[0] or 0.0
    if value >= 2:
        return Derived([])
    found = Finding("polar", "self_disclosure", "general", "low", 1 - value / 4, "Worth a look.", (newest.event_id,))
    return Derived([found])


def story(*values: float) -> list[Event]:
    """A pupil who sat once a month, each sitting judged by the little model."""
    told: list[Event] = [facts.PupilEnrolled(**Stamp(START, TUTOR, uuid4).fresh(), school_id=uuid4(),
                                             happened_on=START.date(), year_group=5)]  # fmt: skip
    for month, value in enumerate(values, 1):
        stamp = Stamp(START + timedelta(days=30 * month), TUTOR, uuid4)
        sat = facts.AssessmentSat(
            **stamp.fresh(), sitting_id=uuid4(), happened_on=stamp.at.date(), instrument="astrack-demo", instrument_version=1,
            instrument_digest=DIGEST, answers={}, values=(value, *(3.5,) * 7), errors=(0.4,) * 8,
        )  # fmt: skip
        after = evolve(replay(told), sat)
        told += [sat, *decisions.flag(after, stamp, derive(DIGEST, after, sat.happened_on).findings, DIGEST)]
    return told


def whats(found: Sequence[Difference]) -> list[str]:
    return [one.what for one in found]


def test_an_untouched_story_comes_out_as_recorded() -> None:
    told = story(3.0, 1.0, 1.2, 3.0, 1.5)
    assert sum(isinstance(one, facts.FlagRaised) for one in told) == 2
    assert sum(isinstance(one, facts.FlagEased) for one in told) == 1
    assert differences(told, derive) == []


def test_a_flag_that_was_slipped_in_is_named() -> None:
    told = story(3.0)
    slipped = facts.FlagRaised(**Stamp(told[-1].recorded_at, TUTOR, uuid4).fresh(), flag_id=uuid4(), kind="priority",
                               reason="Worth a look.", model_digest=DIGEST)  # fmt: skip
    assert whats(differences([*told, slipped], derive)) == ["priority was recorded and is not derived"]


def test_a_flag_that_was_left_out_is_named() -> None:
    told = [one for one in story(1.0) if not isinstance(one, facts.FlagRaised)]
    assert whats(differences(told, derive)) == ["polar self_disclosure general low is derived and was not recorded"]


def test_another_probability_is_named() -> None:
    told = [
        one.model_copy(update={"probability": 0.1}) if isinstance(one, facts.FlagRaised) else one for one in story(1.0)
    ]
    (said,) = whats(differences(told, derive))
    assert "0.1 was recorded, 0.75 is derived" in said


def test_an_easing_that_was_left_out_is_named() -> None:
    told = [one for one in story(1.0, 3.0) if not isinstance(one, facts.FlagEased)]
    assert whats(differences(told, derive)) == ["polar self_disclosure general low eased in one and not in the other"]


def test_what_an_earlier_algorithm_reckoned_is_compared_no_finer_than_this_one_comes_to_it() -> None:
    told = story(1.0)

    def nearly(digest: str | None, journey: Journey, on: date) -> Derived:
        found = [
            replace(one, probability=(one.probability or 0) + 0.001) for one in derive(digest, journey, on).findings
        ]
        return Derived(found, near)

    near = 2e-3
    assert differences(told, nearly) == []
    near = 1e-4
    assert len(differences(told, nearly)) == 1


def test_a_flag_of_the_first_model_is_derived_again_by_todays_algorithm() -> None:
    """The first model's file does not name its algorithm; what it reckoned is held here to the fourth decimal."""
    model = risk.by_digest("5116f68f143308a4ec0308aa9ec10c68e50b2d8a1a475efab677c8624c70c9a1")
    sats = [Sat(UUID(int=n), UUID(int=n), None, date(2026, 9, 14) + timedelta(days=120 * n),
                (1.4, 3.5, 5.6, 3.5, 1.6, 3.4, 5.2, 3.5), (0.4,) * 8, True, 120 + 4 * n) for n in range(3)]  # fmt: skip
    found = {one.subject: one.probability for one in risk.findings(model, sats, frozenset(), sats[-1].on)}
    assert found == pytest.approx(RECKONED, abs=model.near)
    assert model.artefact.algorithm != risk.ALGORITHM
