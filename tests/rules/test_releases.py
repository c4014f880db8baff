"""What parents are shown: decided pupil by pupil, to those who stand, and with the pupil's word where it is theirs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.base import Actor, Event, Fact, Stamp
from domain.rights import family, releases

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
STAMP = Stamp(AT, Actor(id=UUID(int=3), role="dsl"), uuid4)
PARENT, RELEASE = UUID(int=1), UUID(int=2)


def known(*, verified: bool = True, competent: bool | None = None, limited: bool = False) -> family.Family:
    stated: dict[str, Any] = {"kind": "natural_parent", "from_on": AT.date(), "name": "Ada"}
    seen = {"verified_on": AT.date(), "proof": "birth certificate"} if verified else {}
    state = family.replay(family.record_relation(family.Family(), STAMP, relation_id=PARENT, **stated, **seen))
    if competent is not None:
        why = "explained what a copy is"
        (decided,) = family.decide_competence(STAMP, competent=competent, on=AT.date(), why=why)
        state = family.evolve(state, decided)
    if limited:
        (order,) = family.record_order(
            state, STAMP, order_id=uuid4(), kind="no_contact", limits="information", from_on=AT.date(),
            relation_id=PARENT, reference="CO-1",
        )  # fmt: skip
        state = family.evolve(state, order)
    return state


def released(state: family.Family, *, agreed: bool = False) -> list[Event]:
    return releases.release(state, STAMP, release_id=RELEASE, agreed_with_pupil=agreed)


def fact(event: Event, origin: str = "") -> Fact:
    return Fact(0, None, UUID(int=9), 0, AT, event, origin)


def test_an_account_is_released_to_a_parent_who_stands() -> None:
    (made,) = released(known())
    assert [one.release_id for one in releases.replay([fact(made)]).standing] == [RELEASE]


@pytest.mark.parametrize("state", [family.Family(), known(verified=False), known(limited=True)])
def test_nothing_is_released_where_nobody_could_read_it(state: family.Family) -> None:
    with pytest.raises(releases.NobodyToShow):
        released(state)


def test_a_pupil_who_speaks_for_themselves_is_asked_first() -> None:
    with pytest.raises(releases.PupilNotAsked):
        released(known(competent=True))
    assert released(known(competent=True), agreed=True)
    assert released(known(competent=False))


def test_a_withdrawn_release_is_shown_no_more_and_cannot_be_withdrawn_again() -> None:
    (made,) = released(known())
    state = releases.replay([fact(made)])
    (ended,) = releases.withdraw(state, STAMP, release_id=RELEASE)
    after = releases.replay([fact(made), fact(ended)])
    assert after.standing == [] and after.withdrawn == {RELEASE: date(2026, 11, 2)}
    with pytest.raises(releases.ReleaseUnknown):
        releases.withdraw(after, STAMP, release_id=RELEASE)


def test_what_another_school_released_is_not_released_here() -> None:
    (made,) = released(known())
    assert releases.replay([fact(made, origin="school.example/log")]).standing == []
