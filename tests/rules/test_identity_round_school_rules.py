"""Identity, safeguarding hand-offs, rounds, the school: each rule as given, when, then."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain import identity, safeguarding, school
from domain import round as rounds
from domain.base import Actor, Stamp
from domain.identity import Identity, Person, SchoolName
from domain.scope import Scope

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
STAMP = Stamp(AT, Actor(id=UUID(int=1), role="administrator"), uuid4)
PERSON = Person(surname="Hartley", forename="Mabli", upn="B801200005001", date_of_birth=date(2016, 11, 3))


def test_stating_the_same_identity_again_is_no_news() -> None:
    (first,) = identity.record(Identity(), STAMP, PERSON)
    assert identity.record(identity.replay([first]), STAMP, PERSON) == []


def test_a_number_given_up_is_kept_among_the_former_ones() -> None:
    first = identity.record(Identity(), STAMP, PERSON)
    renumbered = PERSON.model_copy(update={"upn": "G204000011001"})
    second = identity.record(identity.replay(first), STAMP, renumbered)
    person = identity.replay([*first, *second]).person
    assert person is not None and person.former_upns == ("B801200005001",)


def test_a_hand_off_waits_until_the_dsl_takes_it_up() -> None:
    hand_off = uuid4()
    made = safeguarding.hand_off([], STAMP, hand_off_id=hand_off, on=AT.date(), reference="CP/2026/14")
    assert list(safeguarding.open_hand_offs(made)) == [hand_off]
    taken = safeguarding.acknowledge(made, STAMP, hand_off_id=hand_off)
    assert safeguarding.open_hand_offs([*made, *taken]) == {}
    with pytest.raises(safeguarding.HandOffUnknown):
        safeguarding.acknowledge([*made, *taken], STAMP, hand_off_id=hand_off)


@pytest.mark.parametrize("reference", ["", "he told me that his father", "x" * 61])
def test_a_hand_off_holds_a_reference_and_no_narrative(reference: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        safeguarding.hand_off([], STAMP, hand_off_id=uuid4(), on=AT.date(), reference=reference)


def opened(**fields: Any) -> rounds.RoundOpened:
    return rounds.RoundOpened(**STAMP.fresh(), **{"round_id": uuid4(), "name": "Autumn", "opens_on": date(2026, 11, 2),
        "closes_on": date(2026, 11, 13), "year_groups": (4,), "instrument": "demo", "instrument_version": 1, **fields})  # fmt: skip


def test_a_round_is_sat_between_its_first_and_last_day() -> None:
    state = rounds.replay([opened()])
    assert rounds.check_sittable(state, date(2026, 11, 13)).name == "Autumn"
    with pytest.raises(rounds.RoundNotOpenYet):
        rounds.check_sittable(state, date(2026, 11, 1))
    with pytest.raises(rounds.RoundAlreadyClosed):
        rounds.check_sittable(state, date(2026, 11, 14))


def test_a_round_closes_once_and_after_it_opens() -> None:
    with pytest.raises(rounds.RoundDatesWrong):
        rounds.open_round(rounds.Round(), opened(closes_on=date(2026, 11, 1)))
    one = opened()
    closed = rounds.close_round(rounds.replay([one]), STAMP, expected=30, sat=28)
    with pytest.raises(rounds.RoundAlreadyClosed):
        rounds.close_round(rounds.replay([one, *closed]), STAMP, expected=30, sat=28)
    with pytest.raises(rounds.RoundUnknown):
        rounds.close_round(rounds.Round(), STAMP, expected=0, sat=0)


def test_a_log_belongs_to_one_school() -> None:
    name = SchoolName(school_id=uuid4(), name="Northfield Brook")
    first = school.register(school.School(), STAMP, name)
    assert school.register(school.replay(first), STAMP, name) == []
    with pytest.raises(school.SchoolAlreadyRegistered):
        school.register(school.replay(first), STAMP, SchoolName(school_id=uuid4(), name="Another"))


TERM = school.Term(first_on=date(2026, 9, 2), last_on=date(2026, 10, 23))
LATER = school.Term(first_on=date(2026, 11, 2), last_on=date(2026, 12, 18))
NEXT_YEAR = school.Term(first_on=date(2027, 9, 2), last_on=date(2027, 10, 23))


@pytest.mark.parametrize("terms", [(), (LATER, TERM), (TERM, NEXT_YEAR)])
def test_terms_are_in_order_and_in_their_year(terms: tuple[school.Term, ...]) -> None:
    with pytest.raises(school.TermDatesWrong):
        school.set_term_dates(school.School(), STAMP, academic_year="2026/27", terms=terms)
    assert school.set_term_dates(school.School(), STAMP, academic_year="2026/27", terms=(TERM, LATER))


def test_a_scope_covers_nobody_until_something_is_granted() -> None:
    from domain.journey.facts import Group

    groups = [Group(dimension="tutor group", name="5B"), Group(dimension="house", name="Oak")]
    assert not Scope().covers(5, groups)
    assert Scope(everyone=True).covers(5, groups)
    assert Scope(dimensions={"tutor group": frozenset({"5A", "5B"})}).covers(5, groups)
    assert not Scope(dimensions={"tutor group": frozenset({"5B"}), "year": frozenset({"6"})}).covers(5, groups)
    assert Scope(dimensions={"house": frozenset({"Oak"}), "year": frozenset({"5"})}).covers(5, groups)
