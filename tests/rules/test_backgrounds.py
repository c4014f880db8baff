"""Pupils' backgrounds are watched for a purpose on record, planned like the rest of a roster, and let go of again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from domain import background, identity, school
from domain.background import NOTHING, Background, BackgroundStated, BackgroundsWatched, PurposeMissing
from domain.base import Actor, Stamp
from domain.identity import Identity, Person
from domain.journey.state import Custody
from domain.roster import Listed, Numbers, Roster, RosterPlan
from domain.roster.matching import Known
from domain.roster.plan import draw_up

AT, WHY = datetime(2026, 11, 24, 9, tzinfo=UTC), "to see each year whether early signs treat all alike"
STAMP = Stamp(AT, Actor(id=UUID(int=7), role="head"), uuid4)
ALL = ("sen", "eal", "fsm", "ethnicity")


def person(number: int) -> Person:
    return Person(surname=f"Hartley{number}", forename="Mabli", date_of_birth=date(2018, 3, 15))


def planned(said: list[Background], here: list[Background], watched: tuple[str, ...] = ALL) -> RosterPlan:
    pupils = [
        Listed(place=f"pupil {number}", person=person(number), year_group=4, background=one)
        for number, one in enumerate(said)
    ]
    roster = Roster.model_validate({
        "source": "ctf", "version": "25.0", "file_sha256": "0" * 64, "full": False, "pupils": pupils,
        "watched": watched, "from_school": Numbers(lea="330", estab="2345"),
    })  # fmt: skip
    known = [
        Known(UUID(int=number + 1), person(number), 4, (), on_roll=True, custody=Custody.HELD, background=one)
        for number, one in enumerate(here)
    ]
    return draw_up(roster, known, None, AT.date())


def test_no_background_is_watched_until_somebody_says_so_and_what_for() -> None:
    assert school.replay([]).watched == ()
    with pytest.raises(PurposeMissing):
        background.watch(None, STAMP, ["sen"], "  because  ")
    (said,) = background.watch(None, STAMP, ["fsm", "sen"], WHY)
    assert isinstance(said, BackgroundsWatched) and (said.watched, said.purpose) == (("sen", "fsm"), WHY)
    assert school.replay([said]).watched == ("sen", "fsm")
    assert background.watch(said, STAMP, ["sen", "fsm"], WHY) == []


def test_watching_ends_without_a_purpose() -> None:
    (begun,) = background.watch(None, STAMP, ["sen"], WHY)
    assert isinstance(begun, BackgroundsWatched)
    (ended,) = background.watch(begun, STAMP, [], "")
    assert school.replay([begun, ended]).watched == ()
    assert background.watch(None, STAMP, [], "") == []


def test_a_background_is_stated_once_and_replaced_whole() -> None:
    (said,) = identity.state_background(Identity(), STAMP, Background(sen=True))
    assert isinstance(said, BackgroundStated)
    here = identity.replay([said])
    assert here.background == Background(sen=True)
    assert identity.state_background(here, STAMP, Background(sen=True)) == []
    assert identity.state_background(Identity(), STAMP, NOTHING) == []


def test_a_plan_shows_what_a_file_says_of_new_and_known_pupils() -> None:
    plan = planned([Background(sen=True), Background(sen=False, ethnicity="Black")], [Background(sen=False)])
    assert [(one.field, one.before, one.after) for one in plan.changed[0].fields] == [
        ("SEN (for fairness alone)", "no", "yes")
    ]
    assert plan.changed[0].background == Background(sen=True)
    assert plan.new[0].background.groups() == [("SEN", "no"), ("ethnicity", "Black")]


def test_what_a_file_does_not_speak_of_stays_and_what_it_speaks_of_is_taken_whole() -> None:
    here = [Background(sen=True, fsm=True), Background(fsm=False)]
    plan = planned([Background(), Background(fsm=True)], here)
    assert [one.background for one in plan.changed] == [Background(sen=True), Background(fsm=True)]


def test_what_is_watched_no_more_is_let_go_of_with_the_next_file() -> None:
    plan = planned([Background()], [Background(sen=True, fsm=True)], watched=("fsm",))
    assert plan.changed[0].background == Background(fsm=True)
    assert [one.field for one in plan.changed[0].fields] == ["SEN (for fairness alone)"]
