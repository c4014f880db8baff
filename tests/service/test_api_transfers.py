"""A pupil handed over from one school to another through the API alone, and a student's own copy."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack.changing import Ask
from astrack.client import Client, Problem, every, problems
from astrack.client.transfers import CorrectionIn, LookedAtIn, Mark, OwnCopyIn, PrepareIn, SupplementIn, TrustIn
from domain.base import Actor
from domain.identity import Person

DAY = date(2026, 11, 2)


def document(world: Any) -> bytes:
    return bytes(world.api("dsl").transfers.key_document())


def trust(world: Any, other: Any) -> None:
    shown = other.site.state.handovers[other.school_id].key_words()
    body = TrustIn(document=base64.b64encode(document(other)).decode(), words=shown)
    world.api("dsl").transfers.trust(body)


def order(world: Any, other: Any, pupil: UUID | None = None) -> PrepareIn:
    to = base64.b64encode(document(other)).decode()
    return PrepareIn(
        pupil_ids=[pupil or world.pupil], to=to, lawful_basis="legal_obligation", accepted_on=DAY, start_on=DAY
    )


@pytest.fixture
def met(school: Any, neighbour: Any) -> Any:
    """Two schools that know each other's keys."""
    document(school), document(neighbour)
    trust(school, neighbour)
    trust(neighbour, school)
    return school


def test_a_record_moves_with_its_receipt_and_each_school_sees_what_is_its_own(met: Any, neighbour: Any) -> None:
    sender, receiver = met.api("dsl"), neighbour.api("dsl")
    transfer = sender.transfers.prepare(order(met, neighbour)).transfers[0].transfer_id
    file = met.api("administrator").transfers.sealed(transfer)
    assert file.startswith(b"age-encryption.org/v1\n")
    first, again = (receiver.transfers.receive(file, key="in") for _ in range(2))
    assert first == again

    done = sender.transfers.acknowledge(receiver.transfers.receipt(transfer))
    assert done.state == "acknowledged"

    with pytest.raises(problems.NotAllowed):
        met.api("tutor").pupils.pupil(met.pupil)
    assert sender.pupils.pupil(met.pupil).stage == "handed_over"
    assert receiver.pupils.pupil(first.pupil_id).stage == "on_roll"
    assert next(every(receiver.lists.transfers)).direction == "in"


def test_a_file_for_somebody_else_or_altered_is_refused_and_nothing_is_written(met: Any, neighbour: Any) -> None:
    sender, receiver = met.api("dsl").transfers, neighbour.api("dsl").transfers
    file = sender.sealed(sender.prepare(order(met, neighbour)).transfers[0].transfer_id)
    size = neighbour.records.log.size()
    altered = bytearray(file)
    altered[len(file) // 2] ^= 1
    for taken, content in (
        *((receiver, one) for one in (bytes(altered), file[:-1], file + b"x", b"", b"PK\x03\x04")),
        (sender, file),
    ):
        with pytest.raises(Problem) as refused:
            taken.receive(content)
        assert refused.value.status == 422 and refused.value.type.startswith("/api/v1/problems/")
    assert neighbour.records.log.size() == size


def test_a_transfer_can_be_called_off_until_it_is_acknowledged(met: Any, neighbour: Any) -> None:
    dsl = met.api("dsl")
    transfer = dsl.transfers.prepare(order(met, neighbour)).transfers[0].transfer_id
    assert dsl.pupils.pupil(met.pupil).stage == "moving"
    dsl.transfers.mark(transfer, Mark(state="sent"))
    dsl.transfers.withdraw(transfer)
    assert dsl.pupils.pupil(met.pupil).stage == "on_roll"


def test_nobody_sends_a_pupil_who_is_not_theirs(met: Any, neighbour: Any) -> None:
    with pytest.raises(problems.NoSuchPupil):
        met.api("dsl").transfers.prepare(order(met, neighbour, neighbour.pupil))
    for role in ("tutor", "administrator", "head", "auditor", "pupil"):
        with pytest.raises(problems.NotAllowed):
            met.api(role).transfers.prepare(order(met, neighbour))


def test_a_student_takes_their_own_copy_from_their_birthday_on(school: Any) -> None:
    with pytest.raises(problems.NotAllowed, match="18"):
        school.api("pupil").transfers.own_copy(school.pupil, OwnCopyIn())
    office = Actor(id=UUID(int=1), role="administrator")
    grown = Person(surname="Quince", forename="Ann", date_of_birth=date(2008, 11, 2))
    student = UUID(
        school.records.admit(Ask(office, str(uuid4())), grown, on=date(2026, 9, 2), year_group=13)["pupil_id"]
    )
    card = school.site.state.sessions.credentials(school.school_id).card(student)
    copy = Client(http=school.sign_in(card)).transfers.own_copy(student, OwnCopyIn())
    assert copy.student_key.startswith("AGE-SECRET-KEY-PQ-1") or "AGE-SECRET-KEY" in copy.student_key


def test_late_facts_and_a_correction_follow_a_record_through_the_api(met: Any, neighbour: Any) -> None:
    sender, receiver = met.api("dsl"), neighbour.api("dsl")
    transfer = sender.transfers.prepare(order(met, neighbour)).transfers[0].transfer_id
    there = receiver.transfers.receive(sender.transfers.sealed(transfer)).pupil_id
    with pytest.raises(problems.NothingLate):
        sender.transfers.supplement(transfer, SupplementIn())
    seen = SupplementIn(looks=[LookedAtIn(concern=True, note="Seen alone on the last day.")])
    first, again = (sender.transfers.supplement(transfer, seen, key="late") for _ in range(2))
    assert first == again
    receiver.transfers.receive(sender.transfers.sealed(first.transfer_id))
    began = neighbour.records.journey(there)[1][0].event
    wrong = CorrectionIn(corrects=began.event_id, changes={"year_group": 4}, why="mistyped")
    second = sender.transfers.supplement(transfer, SupplementIn(corrections=[wrong]))
    assert receiver.transfers.receive(sender.transfers.sealed(second.transfer_id)).new == 2
    with pytest.raises(problems.NothingToHandOver):
        sender.transfers.safeguarding(transfer)
    with pytest.raises(problems.NotAllowed):
        met.api("administrator").transfers.supplement(transfer, seen)
