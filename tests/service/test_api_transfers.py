"""A pupil handed over from one school to another through the API alone, and a student's own copy."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack.changing import Ask
from domain.base import Actor
from domain.identity import Person

DAY = "2026-11-02"


def document(world: Any) -> bytes:
    answer = world.as_("dsl").get("/api/v1/school/key-document")
    assert answer.status_code == 200
    return bytes(answer.content)


def trust(world: Any, other: Any, fresh_key: Any) -> None:
    shown = other.site.state.handovers[other.school_id].key_words()
    body = {"document": base64.b64encode(document(other)).decode(), "words": shown}
    answer = world.as_("dsl").post("/api/v1/trusted-schools", json=body, headers=fresh_key())
    assert answer.status_code == 200, answer.text


def order(world: Any, other: Any, **fields: Any) -> dict[str, Any]:
    return {"pupil_ids": [str(world.pupil)], "to": base64.b64encode(document(other)).decode(),
            "lawful_basis": "legal_obligation", "accepted_on": DAY, "start_on": DAY, **fields}  # fmt: skip


@pytest.fixture
def met(school: Any, neighbour: Any, fresh_key: Any) -> Any:
    """Two schools that know each other's keys."""
    document(school), document(neighbour)
    trust(school, neighbour, fresh_key)
    trust(neighbour, school, fresh_key)
    return school


def test_a_record_moves_with_its_receipt_and_each_school_sees_what_is_its_own(
    met: Any, neighbour: Any, fresh_key: Any
) -> None:
    sender, receiver = met.as_("dsl"), neighbour.as_("dsl")
    made = sender.post("/api/v1/transfers", json=order(met, neighbour), headers=fresh_key())
    assert made.status_code == 200, made.text
    transfer = made.json()["transfers"][0]["transfer_id"]
    file = met.as_("administrator").get(f"/api/v1/transfers/{transfer}/file")
    assert file.content.startswith(b"age-encryption.org/v1\n")
    key = fresh_key()
    first, again = (receiver.post("/api/v1/transfers/received", content=file.content, headers=key) for _ in range(2))
    assert first.status_code == 200, first.text
    assert first.json() == again.json()

    receipt = receiver.get(f"/api/v1/transfers/{transfer}/receipt").content
    done = sender.post("/api/v1/receipts", content=receipt, headers=fresh_key())
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "acknowledged"

    path, there = f"/api/v1/pupils/{met.pupil}", f"/api/v1/pupils/{first.json()['pupil_id']}"
    assert met.as_("tutor").get(path).status_code == 403
    assert sender.get(path).json()["stage"] == "handed_over"
    assert receiver.get(there).status_code == 200
    assert neighbour.as_("dsl").get("/api/v1/transfers").json()["items"][0]["direction"] == "in"


def test_a_file_for_somebody_else_or_altered_is_refused_and_nothing_is_written(
    met: Any, neighbour: Any, fresh_key: Any
) -> None:
    made = met.as_("dsl").post("/api/v1/transfers", json=order(met, neighbour), headers=fresh_key()).json()
    file = met.as_("dsl").get(f"/api/v1/transfers/{made['transfers'][0]['transfer_id']}/file").content
    size = neighbour.records.log.size()
    altered = bytearray(file)
    altered[len(file) // 2] ^= 1
    for content in (bytes(altered), file[:-1], file + b"x", b"", b"PK\x03\x04"):
        answer = neighbour.as_("dsl").post("/api/v1/transfers/received", content=content, headers=fresh_key())
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    misaddressed = met.as_("dsl").post("/api/v1/transfers/received", content=file, headers=fresh_key())
    assert misaddressed.status_code == 422
    assert neighbour.records.log.size() == size


def test_a_transfer_can_be_called_off_until_it_is_acknowledged(met: Any, neighbour: Any, fresh_key: Any) -> None:
    dsl = met.as_("dsl")
    made = dsl.post("/api/v1/transfers", json=order(met, neighbour), headers=fresh_key()).json()
    path = f"/api/v1/transfers/{made['transfers'][0]['transfer_id']}"
    assert dsl.get(f"/api/v1/pupils/{met.pupil}").json()["stage"] == "moving"
    assert dsl.post(path + "/mark", json={"state": "sent"}, headers=fresh_key()).status_code == 200
    assert dsl.post(path + "/withdraw", headers=fresh_key()).status_code == 200
    assert dsl.get(f"/api/v1/pupils/{met.pupil}").json()["stage"] == "on_roll"


def test_nobody_sends_a_pupil_who_is_not_theirs(met: Any, neighbour: Any, fresh_key: Any) -> None:
    body = order(met, neighbour, pupil_ids=[str(neighbour.pupil)])
    assert met.as_("dsl").post("/api/v1/transfers", json=body, headers=fresh_key()).status_code == 404
    for role in ("tutor", "administrator", "head", "auditor", "pupil"):
        assert (
            met.as_(role).post("/api/v1/transfers", json=order(met, neighbour), headers=fresh_key()).status_code == 403
        )


def test_a_student_takes_their_own_copy_from_their_birthday_on(school: Any, fresh_key: Any) -> None:
    too_young = school.as_("pupil").post(f"/api/v1/pupils/{school.pupil}/own-copy", json={}, headers=fresh_key())
    assert too_young.status_code == 403
    assert "18" in too_young.json()["detail"]
    office = Actor(id=UUID(int=1), role="administrator")
    grown = Person(surname="Quince", forename="Ann", date_of_birth=date(2008, 11, 2))
    student = UUID(
        school.records.admit(Ask(office, str(uuid4())), grown, on=date(2026, 9, 2), year_group=13)["pupil_id"]
    )
    card = school.site.state.sessions.credentials(school.school_id).card(student)
    browser = school.sign_in(card)
    copy = browser.post(f"/api/v1/pupils/{student}/own-copy", json={}, headers=fresh_key())
    assert copy.status_code == 200, copy.text
    assert (
        copy.json()["student_key"].startswith("AGE-SECRET-KEY-PQ-1") or "AGE-SECRET-KEY" in copy.json()["student_key"]
    )
