"""Late facts follow the record to the school it went to: once, in any order, and never without the record."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from uuid import UUID

import pytest

from astrack.handover import TransferEnded
from domain.identity import Person
from domain.journey.facts import FactCorrected, PupilLookedAt
from domain.journey.refusals import NotAfterwards, NothingLate, RecordFrozen, RecordNotHere
from domain.journey.state import Custody
from domain.journey.supplement import Late
from tests.record.test_handover import JO, Place, ask, clock, place, read, schools

__all__ = ["clock", "place", "schools"]
NOTE = Late("look_at", {"concern": True, "note": "Seemed lost on the last day."})


def late(place: Place, pupil: UUID, *facts: Late) -> tuple[UUID, bytes]:
    made = place.hands.supplement(ask(), pupil, facts or (NOTE,))
    transfer = UUID(made["transfer_id"])
    return transfer, place.hands.sealed(transfer)


def names(place: Place, pupil: UUID) -> list[str]:
    return [type(fact.event).__name__ for fact in place.records.journey(pupil)[1]]


def test_what_was_written_down_while_the_record_was_on_its_way_follows_it(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    _, record = a.send(b, pupil)
    there = UUID(b.hands.receive(ask(), record)["pupil_id"])
    _, data = late(a, pupil)
    assert a.custody(pupil) is Custody.FROZEN
    answer = b.hands.receive(ask(), data)
    assert UUID(answer["pupil_id"]) == there and answer["new"] == 2, "the note, and that it follows"
    assert names(b, there)[-3:] == ["PupilLookedAt", "SupplementPrepared", "SupplementReceived"]
    assert b.custody(there) is Custody.HELD
    ended = a.hands.acknowledge(ask(), answer["receipt"].encode())
    assert ended["state"] == "acknowledged" and a.custody(pupil) is Custody.FROZEN, "it passes no custody"


def test_what_is_written_down_after_the_receipt_follows_too_and_the_receiver_goes_on_holding_the_record(
    schools: SimpleNamespace,
) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    there = a.move(b, pupil)
    _, data = late(a, pupil)
    assert a.custody(pupil) is Custody.RELEASED
    b.hands.receive(ask(), data)
    assert "CustodyReleased" in names(b, there) and b.custody(there) is Custody.HELD
    b.records.look_at(ask(), there, concern=False, note="Has settled in.")
    found = read(schools.c, b.send(schools.c, there)[1])
    assert {one.unit.origin for one in found.proved.values()} == {a.hands.origin(), b.hands.origin()}


def test_an_older_supplement_after_a_newer_one_brings_nothing_twice(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    there = a.move(b, pupil)
    (_, older), (_, newer) = late(a, pupil), late(a, pupil, Late("look_at", {"concern": False, "note": "Found it."}))
    assert b.hands.receive(ask(), newer)["new"] > 0
    facts = names(b, there)
    assert b.hands.receive(ask(), older)["new"] == 0
    assert names(b, there) == [*facts, "SupplementReceived"]
    told = [fact.event for fact in b.records.journey(there)[1] if isinstance(fact.event, PupilLookedAt)]
    assert [one.note for one in told] == ["Seemed lost on the last day.", "Found it."]


def test_the_same_supplement_again_gives_the_first_answer(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    a.move(b, pupil)
    _, data = late(a, pupil)
    answer, size = b.hands.receive(ask(), data), b.size()
    assert b.hands.receive(ask(), data) == answer and b.size() == size


def test_a_supplement_without_its_record_is_refused_and_taken_in_once_the_record_is_there(
    schools: SimpleNamespace,
) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    _, record = a.send(b, pupil)
    _, data = late(a, pupil)
    size = b.size()
    with pytest.raises(RecordNotHere):
        b.hands.receive(ask(), data)
    named = b.admit(Person(surname="Oak", forename="Sam", date_of_birth=JO.date_of_birth))
    with pytest.raises(RecordNotHere):
        b.hands.receive(ask(), data, pupil_id=named)
    assert b.size() == size + 2, "one pupil was admitted, and nothing else"
    b.hands.receive(ask(), record)
    assert b.hands.receive(ask(), data)["new"] == 2


def test_a_supplement_is_for_the_school_that_has_the_record_and_no_other(schools: SimpleNamespace) -> None:
    a, c = schools.a, schools.c
    pupil = a.admit()
    a.move(schools.b, pupil)
    _, data = late(a, pupil)
    with pytest.raises(Exception, match="key"):
        c.hands.receive(ask(), data)


def test_a_supplement_does_not_change_who_the_pupil_is_said_to_be(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    there = a.move(b, pupil)
    renamed = JO.model_copy(update={"surname": "Rowan"})
    b.records.amend_identity(ask(), there, renamed)
    b.hands.receive(ask(), late(a, pupil)[1])
    assert b.records.identity(there).person == renamed


def test_a_late_correction_says_what_was_wrong(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    seen = a.records.journey(pupil)[1][0].event.event_id
    there = a.move(b, pupil)
    wrong = Late("correct", {"corrects": seen, "changes": {"happened_on": "2026-08-31"}, "why": "came a day before"})
    b.hands.receive(ask(), late(a, pupil, wrong)[1])
    facts = [fact.event for fact in b.records.journey(there)[1]]
    assert any(isinstance(one, FactCorrected) and one.corrects == seen for one in facts)
    assert b.records.journey(there)[0].events[seen].day == date(2026, 8, 31)


def test_a_school_that_passed_the_record_on_takes_it_into_its_copy_and_sends_it_after(
    schools: SimpleNamespace,
) -> None:
    a, b, c = schools.a, schools.b, schools.c
    at_a = a.admit()
    at_b = a.move(b, at_a)
    at_c = b.move(c, at_b)
    b.hands.receive(ask(), late(a, at_a)[1])
    assert b.custody(at_b) is Custody.RELEASED
    made = b.hands.supplement(ask(), at_b)
    c.hands.receive(ask(), b.hands.sealed(UUID(made["transfer_id"])))
    assert "PupilLookedAt" in names(c, at_c) and c.custody(at_c) is Custody.HELD
    with pytest.raises(NothingLate):
        b.hands.supplement(ask(), at_b)


def test_while_the_receiver_passes_the_record_on_it_waits(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    there = a.move(b, pupil)
    transfer, _ = b.send(schools.c, there)
    _, data = late(a, pupil)
    with pytest.raises(RecordFrozen):
        b.hands.receive(ask(), data)
    b.hands.withdraw(ask(), transfer)
    b.hands.receive(ask(), data)


@pytest.mark.parametrize(
    ("late", "refusal"),
    [((), NothingLate), ((Late("open_plan", {}),), NothingLate), ((NOTE,) * 21, NothingLate)],
)
def test_what_is_not_late_is_no_supplement(
    schools: SimpleNamespace, late: tuple[Late, ...], refusal: type[Exception]
) -> None:
    pupil = schools.a.admit()
    schools.a.send(schools.b, pupil)
    size = schools.a.size()
    with pytest.raises(refusal):
        schools.a.hands.supplement(ask(), pupil, late)
    assert schools.a.size() == size


def test_a_record_that_is_held_here_or_left_in_secret_has_no_supplement(schools: SimpleNamespace) -> None:
    a = schools.a
    held, hidden = a.admit(), a.admit(Person(surname="Elm", forename="Kit", date_of_birth=JO.date_of_birth))
    with pytest.raises(NotAfterwards):
        a.hands.supplement(ask(), held, [NOTE])
    a.send(schools.b, hidden, protected=True)
    with pytest.raises(NotAfterwards):
        a.hands.supplement(ask(), hidden, [NOTE])


def test_calling_the_record_off_calls_off_what_follows_it(schools: SimpleNamespace) -> None:
    a = schools.a
    pupil = a.admit()
    first, _ = a.send(schools.b, pupil)
    second, _ = late(a, pupil)
    a.hands.withdraw(ask(), first)
    states = {one["transfer_id"]: one["state"] for one in a.hands.transfers()}
    assert states == {str(first): "withdrawn", str(second): "withdrawn"}
    assert a.custody(pupil) is Custody.HELD
    with pytest.raises(TransferEnded):
        a.hands.mark(ask(), second, "sent")


def test_calling_a_supplement_off_leaves_the_record_on_its_way(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    _, record = a.send(b, pupil)
    second, _ = late(a, pupil)
    assert a.hands.withdraw(ask(), second)["state"] == "withdrawn"
    assert a.custody(pupil) is Custody.FROZEN
    a.hands.acknowledge(ask(), b.hands.receive(ask(), record)["receipt"].encode())
    assert a.custody(pupil) is Custody.RELEASED


def test_a_record_that_came_back_is_held_and_no_supplement_takes_it(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    there = a.move(b, pupil)
    _, data = late(a, pupil)
    assert b.move(a, there) == pupil
    with pytest.raises(NotAfterwards):
        a.hands.supplement(ask(), pupil, [NOTE])
    b.hands.receive(ask(), data)
    assert a.custody(pupil) is Custody.HELD and b.custody(there) is Custody.RELEASED


def test_asked_twice_with_one_key_it_is_one_supplement(schools: SimpleNamespace) -> None:
    a = schools.a
    pupil, key = a.admit(), ask()
    a.send(schools.b, pupil)
    first = a.hands.supplement(key, pupil, [NOTE])
    size = a.size()
    assert a.hands.supplement(key, pupil, [NOTE]) == first and a.size() == size
