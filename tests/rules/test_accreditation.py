"""A school is accredited from outside, on what its record shows, for a while, and it can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain import accreditation as a
from domain.base import Actor, Stamp

DAY = date(2026, 11, 24)
OUTSIDE = uuid4()
GOOD = a.Practice((95, 100), (50, 52), (9, 10), (12, 12), (30, 33), (20, 21), (14, 14), (2, 3))


def stamp(by: UUID = OUTSIDE) -> Stamp:
    return Stamp(datetime(2026, 11, 24, 9, tzinfo=UTC), Actor(id=by, role="accreditor"), uuid4)


def award(state: a.Accreditation | None = None, by: UUID = OUTSIDE, **over) -> list:
    fields = {
        "award_id": uuid4(), "accreditor": "Dr Outside, Northern Practice Trust", "interests": "none",
        "shown": a.evidence(GOOD), "from_on": DAY, "until": DAY + timedelta(days=730), "roles": frozenset({"accreditor"}),
    } | over  # fmt: skip
    return a.award(state or a.Accreditation(), stamp(by), **fields)


def test_an_award_stands_until_its_last_day() -> None:
    (made,) = award()
    state = a.replay([made])
    assert state.standing(DAY) == made
    assert state.standing(made.until) == made
    assert state.standing(made.until + timedelta(days=1)) is None


def test_every_area_of_practice_needs_its_evidence() -> None:
    assert {one.area for one in a.evidence(GOOD)} == set(a.AREAS)
    with pytest.raises(a.EvidenceMissing, match="supporting"):
        award(shown=[one for one in a.evidence(GOOD) if one.area != "supporting"])


@pytest.mark.parametrize(
    ("field", "counted", "area"),
    [
        ("sat", (84, 100), "noticing"),
        ("talks_taken_up", (9, 10), "answering"),
        ("plans_closed", (0, 0), "supporting"),
        ("staff_trained", (13, 14), "learning"),
    ],
)
def test_a_claim_that_the_record_does_not_reach_is_refused_by_its_area(
    field: str, counted: tuple[int, int], area: str
) -> None:
    with pytest.raises(a.EvidenceMissing, match=area):
        award(shown=a.evidence(replace(GOOD, **{field: counted})))


def test_nobody_accredits_the_school_they_work_at() -> None:
    with pytest.raises(a.AccreditorInside):
        award(roles=frozenset({"accreditor", "tutor"}))
    with pytest.raises(a.AccreditorInside):
        award(roles=frozenset())


def test_an_accreditor_declares_interests_even_if_there_are_none() -> None:
    with pytest.raises(a.InterestsUndeclared):
        award(interests="  ")


@pytest.mark.parametrize(("start", "days"), [(-1, 100), (0, 1200), (5, -1)])
def test_an_award_begins_today_at_the_earliest_and_ends_within_three_years(start: int, days: int) -> None:
    first = DAY + timedelta(days=start)
    with pytest.raises(a.AwardDatesWrong):
        award(from_on=first, until=first + timedelta(days=days))


def test_a_revoked_award_does_not_stand() -> None:
    (made,) = award()
    gone = a.revoke(a.replay([made]), stamp(), award_id=made.award_id, why="records were not as shown")
    state = a.replay([made, *gone])
    assert state.standing(DAY) is None
    with pytest.raises(a.NoSuchAward):
        a.revoke(state, stamp(), award_id=made.award_id, why="again")


def test_the_same_award_twice_is_one() -> None:
    (made,) = award()
    assert award(a.replay([made]), award_id=made.award_id) == []
