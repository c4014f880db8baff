"""Whom to look at, and what may be said of how right flags have been."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random
from uuid import UUID, uuid4

import numpy as np
import pytest
from pydantic import ValidationError

from domain import review, truth
from domain.base import Actor, Event, Fact, Stamp
from domain.journey import facts
from domain.journey.state import replay
from domain.review import Load
from domain.truth import Watched
from projections.truth import Row, evolve
from projections.truth import watched as looked_back

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


def journey(*, flagged: bool = False, usable: bool = True, kind: str = "priority") -> tuple[list[Event], UUID]:
    """A pupil who sat one round, perhaps with a flag after it."""
    stamp = Stamp(AT, Actor(id=UUID(int=1), role="tutor"), uuid4)
    round_id = uuid4()
    sat = facts.AssessmentSat(
        **stamp.fresh(), sitting_id=uuid4(), round_id=round_id, happened_on=AT.date(), instrument="demo",
        instrument_version=1, instrument_digest="a" * 64, answers={}, values=(3.5,) * 8, errors=(0.4,) * 8, usable=usable,
    )  # fmt: skip
    raised = facts.FlagRaised(
        **stamp.fresh(), flag_id=uuid4(), kind=kind, reason="Worth a look.", model_digest="b" * 64
    )
    return [sat, *([raised] if flagged else [])], round_id


EVERYBODY = Load(least=30, most=30, unflagged=30)


def test_a_lot_is_even_and_the_same_whoever_asks() -> None:
    round_id = UUID(int=77)
    lots = np.array([review.lot(round_id, UUID(int=n)) for n in range(4000)])
    assert review.lot(round_id, UUID(int=5)) == lots[5]
    assert np.histogram(lots, 10, (0, 1))[0].min() > 330
    assert abs(np.corrcoef(lots, [review.lot(UUID(int=78), UUID(int=n)) for n in range(4000)])[0, 1]) < 0.06


def test_a_pupil_without_a_sign_is_drawn_with_the_chance_that_is_kept_beside_the_look() -> None:
    told, round_id = journey()
    load = Load()
    drawn = [found for n in range(3000) if (found := review.drawn(replay(told), UUID(int=n), load))]
    assert 60 < len(drawn) < 140
    assert set(drawn) == {review.Drawn(round_id, 1 / 30)}


def test_nobody_is_drawn_beside_a_sign_that_makes_work_and_one_for_information_hides_nobody() -> None:
    assert review.drawn(replay(journey(flagged=True)[0]), UUID(int=1), EVERYBODY) is None
    assert review.drawn(replay(journey(flagged=True, kind="polar")[0]), UUID(int=1), EVERYBODY)


def test_nobody_is_drawn_on_answers_that_could_not_be_read_or_twice_for_a_round() -> None:
    assert review.drawn(replay(journey(usable=False)[0]), UUID(int=1), EVERYBODY) is None
    told, round_id = journey()
    stamp = Stamp(AT, Actor(id=UUID(int=1), role="tutor"), uuid4)
    looked = facts.PupilLookedAt(**stamp.fresh(), concern=False, round_id=round_id, chance=1.0)
    assert review.drawn(replay([*told, looked]), UUID(int=1), EVERYBODY) is None


def test_the_order_does_not_tell_who_was_drawn() -> None:
    chance, places = Random(1), []
    for _ in range(600):
        pupils = [UUID(int=chance.getrandbits(128)) for _ in range(5)]
        places.append(review.mixed(pupils).index(4))
    assert np.bincount(places, minlength=5).min() > 80


def test_the_load_grows_with_the_group() -> None:
    assert Load().room(30) == 4 and Load().room(60) == 8 and Load().room(4) == 1


@pytest.mark.parametrize("fields", [{"least": 0}, {"least": 6}, {"most": 31}, {"unflagged": 9}])
def test_a_load_that_makes_no_sense_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="review load"):
        Load(**fields)


def test_agreement_is_withheld_below_ten_reviews_and_says_how_many() -> None:
    found = truth.agreement(["new_to_us"] * 5 + ["not_what_we_see"] * 4 + [None] * 3)
    assert found.agreed.withheld and (found.agreed.counted, found.agreed.needed) == (9, 10)
    assert found.unreviewed == 3


def test_agreement_and_the_share_new_to_us_have_intervals() -> None:
    found = truth.agreement(["new_to_us"] * 12 + ["already_known"] * 6 + ["not_what_we_see"] * 2)
    assert found.agreed.value == 0.9 and found.new.value == pytest.approx(12 / 18)
    assert found.agreed.low < 0.9 < found.agreed.high


def watched(count: int, flagged: bool, outcome: bool | None, weight: float = 1.0, start: int = 0) -> list[Watched]:
    return [Watched(UUID(int=start + n), flagged, outcome, weight) for n in range(count)]


def test_nothing_is_said_of_ppv_before_enough_outcomes() -> None:
    found = truth.followed(watched(30, True, False) + watched(9, True, True, start=100))
    assert found.ppv.withheld and found.sensitivity.withheld and found.outcomes == 9


def test_ppv_is_flags_followed_by_an_outcome() -> None:
    found = truth.followed(
        watched(30, True, False) + watched(20, True, True, start=100) + watched(4, True, None, start=300)
    )
    assert found.ppv.value == pytest.approx(0.4)
    assert found.not_followed_up == 4


def test_flags_of_one_pupil_do_not_count_as_many_pupils() -> None:
    once = watched(30, True, False) + watched(20, True, True, start=100)
    often = [one for one in once for _ in range(5)]
    assert truth.followed(often).ppv.value == truth.followed(once).ppv.value
    width = truth.followed(once).ppv.high - truth.followed(once).ppv.low
    assert truth.followed(often).ppv.high - truth.followed(often).ppv.low == pytest.approx(width, rel=0.05)


def test_drawn_pupils_stand_for_those_who_were_not_drawn() -> None:
    rows = (
        watched(20, True, True)
        + watched(5, False, True, weight=8.0, start=100)
        + watched(60, False, False, 8.0, start=200)
    )
    assert truth.followed(rows).sensitivity.value == pytest.approx(20 / (20 + 40))


def test_weighted_sensitivity_finds_the_true_one() -> None:
    chance = np.random.default_rng(3)
    found = []
    for _ in range(60):
        ill = chance.random(3000) < 0.1
        flag = np.where(ill, chance.random(3000) < 0.6, chance.random(3000) < 0.1)
        looked = flag | (chance.random(3000) < 0.1)
        rows = [
            Watched(UUID(int=n), bool(flag[n]), bool(ill[n]), 1.0 if flag[n] else 10.0) for n in np.nonzero(looked)[0]
        ]
        found.append(truth.followed(rows).sensitivity)
    assert np.mean([one.value for one in found]) == pytest.approx(0.6, abs=0.03)
    assert np.mean([one.low <= 0.6 <= one.high for one in found]) > 0.85


def test_truth_counts_an_outcome_after_the_sitting_and_within_the_rounds_that_follow() -> None:
    told, round_id = journey(flagged=True)
    row = Row(UUID(int=9))
    for n, event in enumerate(told):
        row = evolve(row, Fact(n, UUID(int=9), uuid4(), n, AT, event))

    def seen(*outcomes: tuple[str, str]) -> list[bool | None]:
        held = row._replace(outcomes={str(n): {"on": on, "code": code} for n, (on, code) in enumerate(outcomes)})
        closes = {str(round_id): date(2027, 6, 30)}
        return [one.outcome for one in looked_back(held, closes, date(2027, 12, 1))]

    assert seen() == [None]
    assert seen(("2026-11-03", "bullied")) == [None]
    assert seen(("2027-07-01", "bullied")) == [None]
    assert seen(("2027-02-01", "none")) == [False]
    assert seen(("2027-02-01", "none"), ("2027-06-30", "referral")) == [True]


def test_a_drawn_pupil_weighs_as_many_as_were_not_drawn_and_one_nobody_drew_nothing() -> None:
    told, round_id = journey()
    stamp = Stamp(AT, Actor(id=UUID(int=1), role="tutor"), uuid4)
    for chance, weights in ((1 / 30, [30.0]), (None, [])):
        looked = facts.PupilLookedAt(**stamp.fresh(), concern=False, round_id=round_id, chance=chance)
        row = Row(UUID(int=9))
        for n, event in enumerate([*told, looked]):
            row = evolve(row, Fact(n, UUID(int=9), uuid4(), n, AT, event))
        assert [round(one.weight, 6) for one in looked_back(row, {}, date(2027, 1, 1))] == weights
        assert row.lot is None


def test_a_sign_that_makes_work_takes_the_lot_away_and_its_easing_gives_the_next_round_one() -> None:
    told, _ = journey(flagged=True)
    stamp = Stamp(AT, Actor(id=UUID(int=1), role="tutor"), uuid4)
    (later, *_), next_round = journey()
    raised = told[-1]
    eased = facts.FlagEased(**stamp.fresh(), flag_id=raised.flag_id)  # type: ignore[attr-defined]
    row = Row(UUID(int=9))
    lots = []
    for n, event in enumerate([*told, later, eased]):
        row = evolve(row, Fact(n, UUID(int=9), uuid4(), n, AT, event))
        lots.append(row.lot)
    assert lots[1] is None and lots[2] is None
    assert lots[3] == review.lot(next_round, UUID(int=9))
    assert row.rounds[str(next_round)]["flagged"] is False
