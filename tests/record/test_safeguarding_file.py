"""From DSL to DSL: a file of its own, of which the record and its file show nothing."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from astrack.handover import TransferEnded
from domain.identity import Person
from domain.journey.refusals import NotAfterwards, RecordNotHere
from domain.journey.state import Custody
from domain.safeguarding import HandOffMade, NothingToHandOver, SafeguardingFileConfirmed, SafeguardingFileReceived
from tests.record.test_handover import JO, Place, ask, clock, place, read, schools
from transfer.errors import Conflict, NotForUs

__all__ = ["clock", "place", "schools"]
REFERENCE = "CPOMS/2026-114"


def concerned(place: Place) -> UUID:
    pupil = place.admit()
    place.records.hand_off(ask(), pupil, hand_off_id=uuid4(), on=date(2026, 9, 2), reference=REFERENCE)
    place.records.report_outcome(ask(), pupil, outcome_id=uuid4(), on=date(2026, 9, 3), code="self_harm", source="dsl")
    return pupil


def of_the_dsl(place: Place, pupil: UUID) -> tuple[UUID, bytes]:
    transfer = UUID(place.hands.safeguarding_file(ask(), pupil)["transfer_id"])
    return transfer, place.hands.sealed(transfer)


def kinds(place: Place, pupil: UUID) -> list[str]:
    return [type(fact.event).__name__ for fact in place.records.safeguarding_facts(pupil)]


def test_it_comes_to_the_pupil_whose_record_it_follows_and_the_receipt_confirms_it(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = concerned(a)
    there = a.move(b, pupil)
    _, data = of_the_dsl(a, pupil)
    answer = b.hands.receive(ask(), data)
    assert UUID(answer["pupil_id"]) == there and answer["new"] == 3
    assert kinds(b, there) == ["HandOffMade", "OutcomeKnown", "SafeguardingFilePrepared", "SafeguardingFileReceived"]
    came = [fact.event for fact in b.records.safeguarding_facts(there) if isinstance(fact.event, HandOffMade)]
    assert [one.reference for one in came] == [REFERENCE]
    assert a.hands.acknowledge(ask(), answer["receipt"].encode())["state"] == "acknowledged"
    last = a.records.safeguarding_facts(pupil)[-1].event
    assert isinstance(last, SafeguardingFileConfirmed)
    assert a.custody(pupil) is Custody.RELEASED and b.custody(there) is Custody.HELD


def test_the_record_and_its_file_do_not_show_whether_there_is_anything(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil, quiet = concerned(a), a.admit(Person(surname="Elm", forename="Kit", date_of_birth=JO.date_of_birth))
    found, without = (read(b, a.send(b, one)[1]) for one in (pupil, quiet))
    everything = b"".join([*found.members.values(), *(line.payload or b"" for line in found.lines)])
    assert REFERENCE.encode() not in everything and b"self_harm" not in everything
    assert found.manifest.omissions == without.manifest.omissions
    assert found.members.keys() == without.members.keys()


def test_it_names_no_pupil_and_holds_nothing_of_the_record(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = concerned(a)
    a.send(b, pupil)
    found = read(b, of_the_dsl(a, pupil)[1])
    everything = b"".join([*found.members.values(), found.manifest_bytes, *(one.payload or b"" for one in found.lines)])
    assert not any(told in everything for told in (b"Maple", JO.upn.encode() if JO.upn else b"-", b"PupilEnrolled"))
    assert "identity.json" not in found.members and not any(name.startswith("ctf/") for name in found.members)
    assert found.manifest.kind == "safeguarding"


def test_before_the_record_it_waits_unless_the_dsl_names_the_pupil(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = concerned(a)
    _, record = a.send(b, pupil)
    _, data = of_the_dsl(a, pupil)
    with pytest.raises(RecordNotHere):
        b.hands.receive(ask(), data)
    there = UUID(b.hands.receive(ask(), record)["pupil_id"])
    other = b.admit(Person(surname="Elm", forename="Kit", date_of_birth=JO.date_of_birth))
    with pytest.raises(Conflict):
        b.hands.receive(ask(), data, pupil_id=other)
    assert UUID(b.hands.receive(ask(), data, pupil_id=there)["pupil_id"]) == there


def test_the_same_again_changes_nothing_and_a_later_one_brings_the_rest(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = concerned(a)
    there = a.move(b, pupil)
    _, data = of_the_dsl(a, pupil)
    answer, size = b.hands.receive(ask(), data), b.size()
    assert b.hands.receive(ask(), data) == answer and b.size() == size
    a.records.hand_off(ask(), pupil, hand_off_id=uuid4(), on=date(2026, 9, 4), reference="CPOMS/2026-120")
    later = b.hands.receive(ask(), of_the_dsl(a, pupil)[1])
    assert later["new"] == 2, "the hand-off, and that it was made ready"
    assert kinds(b, there).count("HandOffMade") == 2


def test_it_goes_on_with_the_pupil_to_a_third_school(schools: SimpleNamespace) -> None:
    a, b, c = schools.a, schools.b, schools.c
    at_a = concerned(a)
    at_b = a.move(b, at_a)
    b.hands.receive(ask(), of_the_dsl(a, at_a)[1])
    at_c = b.move(c, at_b)
    c.hands.receive(ask(), of_the_dsl(b, at_b)[1])
    assert any(isinstance(one.event, SafeguardingFileReceived) for one in c.records.safeguarding_facts(at_c))
    assert kinds(c, at_c).count("HandOffMade") == 1


def test_only_the_school_that_the_record_went_to_can_open_it(schools: SimpleNamespace) -> None:
    a = schools.a
    pupil = concerned(a)
    a.move(schools.b, pupil)
    with pytest.raises(NotForUs):
        schools.c.hands.receive(ask(), of_the_dsl(a, pupil)[1])


def test_there_is_none_without_anything_of_the_dsls_or_while_the_record_is_held(schools: SimpleNamespace) -> None:
    a = schools.a
    with pytest.raises(NotAfterwards):
        a.hands.safeguarding_file(ask(), concerned(a))
    quiet = a.admit(Person(surname="Elm", forename="Kit", date_of_birth=JO.date_of_birth))
    a.send(schools.b, quiet)
    with pytest.raises(NothingToHandOver):
        a.hands.safeguarding_file(ask(), quiet)


def test_calling_the_record_off_calls_it_off(schools: SimpleNamespace) -> None:
    a = schools.a
    pupil = concerned(a)
    first, _ = a.send(schools.b, pupil)
    second, _ = of_the_dsl(a, pupil)
    a.hands.withdraw(ask(), first)
    assert {one["state"] for one in a.hands.transfers()} == {"withdrawn"}
    with pytest.raises(TransferEnded):
        a.hands.mark(ask(), second, "sent")
