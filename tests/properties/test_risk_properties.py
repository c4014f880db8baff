"""Whatever is answered, scoring is whole or refused; whatever was sat, signs are sound, the same each time, and bounded."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import instrument, risk, scoring
from domain.base import DomainError
from domain.journey.state import Sat

MODEL, DEMO = risk.load_model(), instrument.load("astrack-demo", 1)
IDS = [item.id for item in DEMO.items]
ANSWERS = st.dictionaries(st.sampled_from([*IDS, "g-xx-1"]), st.integers(0, 7), max_size=50)
CELL = st.one_of(st.none(), st.tuples(st.floats(1, 6), st.floats(0.25, 2)))


@st.composite
def journeys(draw: st.DrawFn) -> list[Sat]:
    day, sats = date(2024, 9, 2), []
    for number in range(draw(st.integers(0, 9))):
        day += timedelta(days=draw(st.integers(0, 900)))
        cells = draw(st.lists(CELL, min_size=8, max_size=8))
        values, errors = (tuple(None if cell is None else cell[at] for cell in cells) for at in range(2))
        usable = draw(st.booleans())
        months = draw(st.one_of(st.none(), st.integers(80, 230)))
        sats.append(Sat(UUID(int=number), UUID(int=number), None, day, values, errors, usable, months, ("too_fast",)))
    return sats


@given(ANSWERS)
@settings(max_examples=150, deadline=None)
def test_answers_are_scored_whole_or_refused_by_name(answers: dict[str, int]) -> None:
    sound = bool(answers) and "g-xx-1" not in answers and all(1 <= one <= 6 for one in answers.values())
    if not sound:
        with pytest.raises(DomainError):
            scoring.score(DEMO, answers)
        return
    scored = scoring.score(DEMO, answers)
    for value, error in zip(scored.values, scored.errors, strict=True):
        assert (value is None) == (error is None)
        assert value is None or (1 <= value <= 6 and 0.2 < error < 2)
    assert scored.usable or scored.quality


@given(journeys(), st.integers(0, 1200))
@settings(max_examples=120, deadline=None)
def test_signs_are_sound_for_any_journey(sats: list[Sat], later: int) -> None:
    on = (sats[-1].on if sats else date(2024, 9, 2)) + timedelta(days=later)
    found = risk.findings(MODEL, sats, frozenset(), on)
    assert found == risk.findings(MODEL, sats, frozenset(), on)
    assert len({one.subject for one in found}) == len(found)
    for one in found:
        assert 0 < len(one.reason) <= 200 and "None" not in one.reason
        assert one.probability is None or 0 <= one.probability <= 1
        assert one.rests_on and set(one.rests_on) <= {sat.event_id for sat in sats}
    if later > MODEL.rules.recent_days:
        assert found == []


@given(journeys())
@settings(max_examples=80, deadline=None)
def test_a_track_says_what_each_day_said(sats: list[Sat]) -> None:
    usable = [sat for sat in sats if sat.usable]
    whole = risk.track(MODEL, sats, date(2100, 1, 1))
    assert whole.days == tuple(sat.on for sat in usable)
    assert all(np.isfinite(part).all() for part in (whole.level, whole.sd, whole.p_polar, whole.p_priority))
    assert (whole.sd > 0).all() and ((whole.p_polar >= 0) & (whole.p_polar <= 1)).all()
    if len(usable) > 1 and usable[0].on < usable[1].on:
        early = risk.track(MODEL, sats, usable[0].on)
        assert np.array_equal(early.level, whole.level[:1])
