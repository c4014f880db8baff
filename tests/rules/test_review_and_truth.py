"""Whom to look at, and what may be said of how right flags have been."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import RFC_4122, UUID, uuid4

import numpy as np
import pytest
from pydantic import ValidationError
from statsmodels.stats.proportion import proportion_confint

from domain import review, truth
from domain.base import Actor, Event, Fact, Stamp
from domain.journey import facts
from domain.journey.state import replay
from domain.review import Draw, Load
from domain.truth import Watched
from projections.truth import Row, evolve
from projections.truth import watched as looked_back

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


def journey(*, flagged: bool = False, usable: bool = True, kind: str = "priority") -> tuple[list[Event], UUID]:
    """A pupil who sat one round, perhaps with a flag after it."""
    stamp = Stamp(AT, Actor(id=UUID(int=1), role="tutor"), uuid4)
    round_id = uuid4()
    sat = facts.AssessmentSat(
        **stamp.fresh(), sitting_id=uuid4(), round_id=round_id, happened_on=AT.date(), instrument="astrack-demo",
        instrument_version=1, instrument_digest="a" * 64, answers={}, values=(3.5,) * 8, errors=(0.4,) * 8, usable=usable,
    )  # fmt: skip
    raised = facts.FlagRaised(
        **stamp.fresh(), flag_id=uuid4(), kind=kind, reason="Worth a look.", model_digest="b" * 64
    )
    return [sat, *([raised] if flagged else [])], round_id


EVERYBODY = Draw(b"k" * 32, ((datetime.min.replace(tzinfo=UTC), Load(least=30, most=30, unflagged=30)),))


def test_a_lot_is_even_and_the_same_whoever_asks_and_another_without_the_schools_key() -> None:
    round_id, draw = UUID(int=77), Draw(b"k" * 32)
    lots = np.array([draw.lot(round_id, UUID(int=n)) for n in range(4000)])
    assert Draw(b"k" * 32).lot(round_id, UUID(int=5)) == lots[5]
    assert np.histogram(lots, 10, (0, 1))[0].min() > 330
    for other in (Draw(b"l" * 32), draw):
        others = [other.lot(UUID(int=77 + (other is draw)), UUID(int=n)) for n in range(4000)]
        assert abs(np.corrcoef(lots, others)[0, 1]) < 0.06


def test_a_pupil_without_a_sign_is_drawn_with_the_chance_that_is_kept_beside_the_look() -> None:
    told, round_id = journey()
    drawn = [found for n in range(3000) if (found := review.drawn(replay(told), UUID(int=n), Draw(b"k" * 32)))]
    assert 60 < len(drawn) < 140
    assert {(one.round_id, one.chance) for one in drawn} == {(round_id, 1 / 30)}


def test_the_id_something_is_reviewed_under_cannot_be_made_without_the_schools_key() -> None:
    of, pupil = UUID(int=5), UUID(int=6)
    assert Draw(b"k" * 32).sign_id(of, pupil) == Draw(b"k" * 32).sign_id(of, pupil)
    assert len({Draw(key).sign_id(one, pupil) for key in (b"k" * 32, b"l" * 32) for one in (of, UUID(int=7))}) == 4


def test_the_id_a_drawn_pupil_is_reviewed_under_is_made_like_a_signs_and_is_no_other_id_on_record() -> None:
    told, round_id = journey()
    found = [review.drawn(replay(told), UUID(int=n), EVERYBODY) for n in range(50)]
    ids = {one.sign_id for one in found if one}
    assert len(ids) == 50 and ids.isdisjoint({round_id, told[0].event_id})
    signs = {EVERYBODY.sign_id(uuid4(), UUID(int=n)) for n in range(50)}
    assert {(one.version, one.variant) for one in ids | signs} == {(8, RFC_4122)}
    assert review.drawn(replay(told), UUID(int=0), EVERYBODY) == found[0]


def test_the_chance_is_that_of_the_day_the_pupil_sat_whatever_the_load_is_now() -> None:
    changed = datetime(2026, 11, 4, tzinfo=UTC)
    draw = Draw(b"k" * 32, ((datetime(2026, 9, 1, tzinfo=UTC), Load(unflagged=1)), (changed, Load(unflagged=3))))
    assert (draw.chance(AT), draw.chance(changed)) == (1 / 30, 3 / 30)
    assert Draw(b"k" * 32).chance(AT) == Load().chance


def test_nobody_is_drawn_beside_a_sign_that_makes_work_and_one_for_information_hides_nobody() -> None:
    assert review.drawn(replay(journey(flagged=True)[0]), UUID(int=1), EVERYBODY) is None
    assert review.drawn(replay(journey(flagged=True, kind="polar")[0]), UUID(int=1), EVERYBODY)


def test_nobody_is_drawn_on_answers_that_could_not_be_read_or_twice_for_a_round() -> None:
    assert review.drawn(replay(journey(usable=False)[0]), UUID(int=1), EVERYBODY) is None
    told, round_id = journey()
    stamp = Stamp(AT, Actor(id=UUID(int=1), role="tutor"), uuid4)
    looked = facts.PupilLookedAt(**stamp.fresh(), concern=False, round_id=round_id, chance=1.0)
    assert review.drawn(replay([*told, looked]), UUID(int=1), EVERYBODY) is None


def at_later(event: Event, hours: int, **other: object) -> Event:
    return event.model_copy(update={"recorded_at": AT + timedelta(hours=hours), "event_id": uuid4(), **other})


def folded(events: Sequence[Event]) -> Row:
    row = Row(UUID(int=9))
    for n, event in enumerate(events):
        row = evolve(row, Fact(n, UUID(int=9), uuid4(), n, AT, event))
    return row


@pytest.mark.parametrize("other", [{"round_id": None}, {"usable": False}, {"round_id": None, "usable": False}])
def test_a_later_sitting_outside_the_round_that_eases_a_flag_does_not_rewrite_the_round(
    other: dict[str, object],
) -> None:
    told, round_id = journey(flagged=True)
    later = at_later(told[0], 24, sitting_id=uuid4(), **other)
    eased = at_later(facts.FlagEased(**stamp_now().fresh(), flag_id=told[1].flag_id), 24)  # type: ignore[attr-defined]
    row = folded([*told, later, eased])
    assert row.rounds[str(round_id)]["flagged"] is True and row.working == [] and row.waits is False
    assert review.drawn(replay([*told, later, eased]), UUID(int=9), EVERYBODY) is None
    said = row._replace(outcomes={"1": {"on": "2027-02-01", "came": True}})
    (one,) = looked_back(said, {}, date(2027, 3, 1))
    assert (one.flagged, one.outcome) == (True, True)


def test_a_flag_raised_by_a_later_sitting_outside_the_round_does_not_make_the_round_flagged() -> None:
    told, round_id = journey()
    later = at_later(told[0], 24, round_id=None, sitting_id=uuid4())
    raised = at_later(journey(flagged=True)[0][1], 24)
    row = folded([*told, later, raised])
    assert row.rounds[str(round_id)]["flagged"] is False and row.waits is False


def test_the_second_sitting_of_a_round_does_not_take_its_look_away() -> None:
    told, round_id = journey()
    looked = facts.PupilLookedAt(**stamp_now().fresh(), concern=False, round_id=round_id, chance=0.1)
    row = folded([*told, looked, at_later(told[0], 1, sitting_id=uuid4()), at_later(looked, 2, chance=0.5)])
    assert row.rounds[str(round_id)]["chance"] == 0.1


def stamp_now() -> Stamp:
    return Stamp(AT, Actor(id=UUID(int=1), role="tutor"), uuid4)


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
    assert found.agreed.withheld and found.agreed.lacks == (truth.Need("flags reviewed", 9, 10),)
    assert found.unreviewed == 3


def test_agreement_and_the_share_new_to_us_have_intervals() -> None:
    found = truth.agreement(["new_to_us"] * 12 + ["already_known"] * 6 + ["not_what_we_see"] * 2)
    assert found.agreed.value == 0.9 and found.new.value == pytest.approx(12 / 18)
    assert found.agreed.low < 0.9 < found.agreed.high


def watched(count: int, flagged: bool, outcome: bool | None, weight: float = 1.0, start: int = 0) -> list[Watched]:
    return [Watched(UUID(int=start + n), flagged, outcome, weight) for n in range(count)]


def test_nothing_is_said_of_ppv_before_enough_outcomes() -> None:
    found = truth.followed(watched(30, True, False) + watched(9, True, True, start=100))
    assert found.ppv.lacks == (truth.Need("pupils with an outcome", 9, 10),) and found.outcomes == 9
    assert found.sensitivity.withheld and found.specificity.withheld


@pytest.mark.parametrize(
    ("rows", "lacks"),
    [
        # ten outcomes, all of them flagged, and one pupil without: nothing is known of what was missed
        ([(40, True, True, 1), (1, True, False, 1)], {"pupils followed up without one": 1, "pupils drawn and followed up": 0}),
        ([(40, True, True, 1), (40, True, False, 1)], {"pupils drawn and followed up": 0}),
        ([(40, True, True, 1), (19, False, False, 30)], {"pupils drawn and followed up": 19}),
        ([(19, True, True, 1), (60, False, False, 30)], {"pupils flagged and followed up": 19}),
        ([(60, True, False, 1), (9, False, True, 30), (60, False, False, 30)], {"pupils with an outcome": 9}),
    ],
)  # fmt: skip
def test_sensitivity_and_specificity_are_withheld_until_there_are_enough_pupils_on_each_side(
    rows: list[tuple[int, bool, bool, float]], lacks: dict[str, int]
) -> None:
    made = [one for n, (count, flagged, had, weight) in enumerate(rows)
            for one in watched(count, flagged, had, weight, start=1000 * n)]  # fmt: skip
    found = truth.followed(made)
    for figure in (found.sensitivity, found.specificity):
        assert figure.withheld
        assert {need.of: need.counted for need in figure.lacks} == lacks


def test_rounds_of_one_pupil_are_one_pupil_where_it_is_counted_what_there_is() -> None:
    often = [Watched(UUID(int=n % 5), flagged, had, 1.0 if flagged else 30.0)
             for n in range(200) for flagged in (True, False) for had in (True, False)]  # fmt: skip
    found = truth.followed(often)
    assert [need.counted for need in found.specificity.lacks] == [5] * 4, "with, without, flagged, drawn"


def test_an_interval_has_width_and_never_stands_for_more_pupils_than_there_are() -> None:
    # each pupil half right, in two rounds: no variance between pupils at all
    halves = [Watched(UUID(int=n), True, had) for n in range(40) for had in (True, False)]
    drawn = watched(40, False, False, 30.0, start=100) + watched(20, False, True, 30.0, start=300)
    for rounds in (1, 20):
        found = truth.followed((halves + drawn) * rounds)
        assert found.ppv.value == 0.5 and found.ppv.counted == 40
        assert (found.ppv.low, found.ppv.high) == pytest.approx(truth.wilson(20, 40), abs=1e-9)
        assert found.sensitivity.high - found.sensitivity.low > 0.05
        assert found.specificity.high - found.specificity.low > 0.05


def test_where_all_flags_came_true_the_interval_rests_on_pupils_not_on_rounds() -> None:
    sure = watched(20, True, True) * 9 + watched(20, False, False, 30.0, start=100)
    found = truth.followed(sure)
    assert found.ppv.value == 1.0 and found.ppv.low == pytest.approx(truth.wilson(20, 20)[0])
    assert found.sensitivity.withheld is False and found.sensitivity.low == pytest.approx(truth.wilson(20, 20)[0])


def test_where_nobody_without_an_outcome_was_flagged_uneven_weights_make_the_interval_wider() -> None:
    ill = watched(20, True, True)
    found = truth.followed(ill + watched(20, False, False, 2.0, start=100) + watched(20, False, False, 20.0, start=200))
    # Kish: (sum of weights)^2 / sum of squares = (20 x 22)^2 / (20 x (4 + 400))
    effective = 440**2 / (20 * 404)
    z = 1.959963984540054
    assert found.specificity.value == 1.0
    assert found.specificity.low == pytest.approx(1 / (1 + z**2 / effective))
    assert found.specificity.low < truth.wilson(40, 40)[0]


def test_ppv_is_flags_followed_by_an_outcome() -> None:
    found = truth.followed(
        watched(30, True, False) + watched(20, True, True, start=100) + watched(4, True, None, start=300)
    )
    assert found.ppv.value == pytest.approx(0.4)
    assert found.not_followed_up == 4
    # one flag a pupil: the variance between fifty pupils is that of forty-nine independent ones
    assert (found.ppv.low, found.ppv.high) == pytest.approx(proportion_confint(0.4 * 49, 49, method="wilson"))


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

    def seen(*outcomes: tuple[str, str], today: date = date(2027, 12, 1)) -> list[bool | None]:
        held = row
        for n, (on, code) in enumerate(outcomes):
            said = facts.OutcomeReported(**stamp_now().fresh(), outcome_id=UUID(int=n), happened_on=date.fromisoformat(on),
                                         code=code, source="staff")  # fmt: skip
            held = evolve(held, Fact(n, UUID(int=9), uuid4(), n, AT, said))
        closes = {str(round_id): date(2027, 6, 30)}
        return [one.outcome for one in looked_back(held, closes, today)]

    assert seen() == [None]
    assert seen(("2026-11-03", "bullied")) == [None]
    assert seen(("2027-07-01", "bullied")) == [None]
    assert seen(("2027-05-02", "bullied"), today=date(2027, 5, 1)) == [None], "not known on that day"
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
        assert row.waits is False


def test_a_sign_that_makes_work_takes_the_lot_away_and_its_easing_gives_the_next_round_one() -> None:
    told, first = journey(flagged=True)
    (later, *_), next_round = journey()
    later = at_later(later, 24)
    eased = at_later(facts.FlagEased(**stamp_now().fresh(), flag_id=told[-1].flag_id), 24)  # type: ignore[attr-defined]
    whole = [*told, later, eased]
    assert [folded(whole[:n]).waits for n in range(1, 5)] == [True, False, False, True]
    row, drawn = folded(whole), review.drawn(replay(whole), UUID(int=9), EVERYBODY)
    assert drawn and (drawn.round_id, row.newest) == (next_round, next_round)
    assert row.rounds[str(next_round)]["flagged"] is False and row.rounds[str(first)]["flagged"] is True
