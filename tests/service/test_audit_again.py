"""What `astrack audit flags` finds when every sitting is scored again and every flag derived again."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from astrack import replay
from astrack.changing import Decided
from astrack.records.sitting import Sitting, judged
from astrack.settings import Settings
from astrack.store import Store
from domain import instrument
from domain.base import Event, Stamp
from domain.journey import state
from tests.support.small_school import SmallSchool, build

ANSWERS = {item.id: 3 + n % 2 for n, item in enumerate(instrument.newest().items)}


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, years=1, with_past=False, pupils=4)


def put(small: SmallSchool, name: str, **changes: object) -> UUID:
    """A sitting as an earlier or another installation may have recorded it."""
    pupil_id = small.pupils[name]

    def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
        one = Sitting(pupil_id, uuid4(), ANSWERS, {"g-sd-1": 0.01})
        sat, *_ = judged(state.replay(loaded[0]), stamp, one, instrument.newest(), None, stamp.at.date())
        return Decided([[sat.model_copy(update=changes)]])

    small.records.change(small.ask(), {"put": str(uuid4())}, [small.records.journey_of(pupil_id)], decide)
    return pupil_id


def otherwise(small: SmallSchool, pupil_id: UUID) -> list[str]:
    """What is said of scores; signs are derived from them, and are not what these tests are about."""
    return [one.what for one in replay.again(small.records, pupil_id).differences if "scored again" in one.what]


def test_a_school_whose_sittings_come_out_as_recorded_has_no_difference(small: SmallSchool) -> None:
    for pupil_id in small.pupils.values():
        found = replay.again(small.records, pupil_id)
        assert (found.differences, found.unknown) == ([], frozenset())


def test_a_sitting_judged_before_the_rules_were_numbered_comes_out_as_it_was(small: SmallSchool) -> None:
    assert otherwise(small, put(small, "Tom", scoring_rules=None, quality=("too_fast",), usable=False)) == []


def test_a_score_that_its_answers_do_not_give_is_found_and_named(small: SmallSchool) -> None:
    aisha = put(small, "Aisha", quality=("missing",), values=(4.0,) * 8)
    assert otherwise(small, aisha) == ["scored again, otherwise: values, quality"]


def test_a_sitting_of_an_instrument_that_is_not_here_is_told_of_and_is_no_difference(small: SmallSchool) -> None:
    mia = put(small, "Mia", instrument="elsewhere", instrument_version=7)
    assert replay.again(small.records, mia).unknown == {"elsewhere 7"}
    assert otherwise(small, mia) == []
