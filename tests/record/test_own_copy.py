"""The student's own copy: what is withheld and why, leavers at 16, a lost key made good, the sheet, the credential."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from astrack import ids
from astrack.handover import Handover
from astrack.handover.student_keys import signing_keys
from astrack.handover.withholding import NOTE_UNREAD, REASONS, Choice, ReasonUnknown
from astrack.records import Ask, Records
from astrack.store import Store
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey.refusals import CompetenceNotDecided, NotYetEighteen, RecordFrozen
from transfer import age, cloudevents, credential, disclosure, package
from transfer.keys.signing import Purpose
from transfer.keys.trust import Trust

BY = Actor(id=uuid4(), role="dsl")
DAY = date(2026, 9, 1)
JO = Person(surname="Quill", forename="Josephine", upn="B801200005001", date_of_birth=date(2015, 3, 4))
NOTED = "Kim Other said that Jo was unkind"
DECIDED = "Decided by the DSL on 1 September 2031: she understands what the record is and asked for it herself"


def ask() -> Ask:
    return Ask(BY, str(uuid4()))


class Clock:
    at = datetime(2026, 9, 1, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def school(store: Store, clock: Clock) -> Callable[[str, str], Handover]:
    def make(name: str, urn: str) -> Handover:
        school_id = uuid4()
        store.create_school(school_id, clock.at)
        records = Records(store.log(school_id), clock, ids.maker(clock))
        records.register_school(ask(), SchoolName(school_id=school_id, name=name, urn=urn), True)
        return Handover(records)

    return make


@pytest.fixture
def moved(school: Callable[[str, str], Handover], clock: Clock) -> tuple[Handover, UUID, UUID]:
    """(the second school, the pupil there, the event at the first school that has a note about somebody else)."""
    ash, beech = school("Ash", "100001"), school("Beech", "100002")
    pupil = UUID(ash.records.admit(ask(), JO, on=DAY, year_group=6)["pupil_id"])
    ash.records.look_at(ask(), pupil, concern=True, note=NOTED)
    ash.records.look_at(ask(), pupil, concern=False)
    _, facts = ash.records.journey(pupil)
    noted = next(one.event.event_id for one in facts if getattr(one.event, "note", ""))
    sent = ash.prepare(
        ask(), [pupil], to=beech.key_document(), words=beech.key_words(), lawful_basis="public_task", accepted_on=DAY,
        start_on=DAY,
    )["transfers"][0]  # fmt: skip
    there = beech.receive(ask(), ash.sealed(UUID(sent["transfer_id"])), words=ash.key_words())
    pupil = UUID(there["pupil_id"])
    beech.records.return_to_roll(ask(), pupil, on=DAY, year_group=7)
    clock.at = datetime(2033, 3, 4, 9, tzinfo=UTC)
    return beech, pupil, noted


def copy(hands: Handover, pupil: UUID, **how: object) -> tuple[package.Package, dict[str, object]]:
    answer = hands.students_copy(ask(), pupil, **how)  # type: ignore[arg-type]
    data = hands.sealed(UUID(answer["transfer_id"]))
    return package.read(
        package.open_sealed(io.BytesIO(data), [age.read_agekey(answer["student_key"])]), Trust()
    ), answer


def whole(found: package.Package) -> bytes:
    return b"\n".join([*(line.payload or b"" for line in found.lines), *found.members.values()])


def test_a_staff_note_that_nobody_read_is_counted_and_proved_but_not_shown(moved: tuple[Handover, UUID, UUID]) -> None:
    beech, pupil, _ = moved
    found, _ = copy(beech, pupil)
    (left_out,) = [line for line in found.lines if line.omitted]
    assert left_out.omitted == NOTE_UNREAD
    assert NOTED.encode() not in whole(found) and base64.b64encode(NOTED.encode())[:20] not in whole(found)
    assert NOTED.encode() not in found.members[cloudevents.MEMBER]
    assert len(found.proved) == 2
    ash = next(one for one in found.proved.values() if len(one.unit.others) == 1)
    assert [line.omitted for line in ash.unit.others] == [NOTE_UNREAD]
    assert "staff notes that were not read" in {one.what for one in found.manifest.omissions}


def test_a_note_that_was_read_is_the_students(moved: tuple[Handover, UUID, UUID]) -> None:
    beech, pupil, _ = moved
    found, _ = copy(beech, pupil, choice=Choice(notes_read=True))
    assert not [line for line in found.lines if line.omitted]
    assert any(NOTED.encode() in disclosure_payload for disclosure_payload in _innermost(found))
    assert NOTED.encode() in found.members[cloudevents.MEMBER]
    assert found.members[cloudevents.MEMBER].count(b"\n") == len(found.lines)


def _innermost(found: package.Package) -> list[bytes]:
    return [one.payload for one in disclosure.recorded(found)]


def test_what_tells_about_somebody_else_is_left_out_with_its_reason(moved: tuple[Handover, UUID, UUID]) -> None:
    beech, pupil, noted = moved
    found, _ = copy(beech, pupil, choice=Choice(True, {noted: "third_party"}))
    assert [line.omitted for line in found.lines if line.omitted] == [REASONS["third_party"]]
    with pytest.raises(ReasonUnknown):
        Choice(True, {noted: "because"})


def test_a_lost_key_is_made_good_by_a_new_file_while_the_school_holds_the_record(
    moved: tuple[Handover, UUID, UUID],
) -> None:
    beech, pupil, _ = moved
    first, lost = copy(beech, pupil)
    second, _ = copy(beech, pupil)
    assert second.manifest.supersedes == first.manifest.transfer_id
    assert {one.fingerprint for one in second.manifest.recipients}.isdisjoint(
        one.fingerprint for one in first.manifest.recipients
    )
    assert "only while a school still holds the record: ask Beech" in str(lost["recovery_sheet"])


def test_a_school_that_has_handed_the_record_on_makes_no_more_copies(
    school: Callable[[str, str], Handover], moved: tuple[Handover, UUID, UUID]
) -> None:
    beech, pupil, _ = moved
    cedar = school("Cedar", "100003")
    beech.prepare(
        ask(), [pupil], to=cedar.key_document(), words=cedar.key_words(), lawful_basis="public_task", accepted_on=DAY,
        start_on=DAY,
    )  # fmt: skip
    with pytest.raises(RecordFrozen):
        beech.students_copy(ask(), pupil)


def test_a_leaver_of_16_has_a_copy_when_somebody_decided_that_they_are_competent(
    moved: tuple[Handover, UUID, UUID], clock: Clock
) -> None:
    beech, pupil, _ = moved
    clock.at = clock.at.replace(year=2033, month=3, day=3)
    with pytest.raises(NotYetEighteen):
        beech.students_copy(ask(), pupil, competence=DECIDED)  # still on roll
    beech.records.leave(ask(), pupil, on=clock.at.date())
    with pytest.raises(NotYetEighteen):
        beech.students_copy(ask(), pupil)
    with pytest.raises(CompetenceNotDecided):
        beech.students_copy(ask(), pupil, competence=" ")
    found, _ = copy(beech, pupil, competence=DECIDED)
    prepared = json.loads(_innermost(found)[-1])
    assert prepared["topic"] == "journey.transfer-prepared.v1"
    assert prepared["data"]["consent_by"] == DECIDED


def test_nobody_of_15_has_a_copy_whoever_decides(moved: tuple[Handover, UUID, UUID], clock: Clock) -> None:
    beech, pupil, _ = moved
    beech.records.leave(ask(), pupil, on=clock.at.date())
    with pytest.raises(NotYetEighteen):
        beech.students_copy(ask(), pupil, eighteen_on=clock.at.date() + timedelta(days=2 * 366), competence=DECIDED)


def test_the_sheet_is_a_page_whose_code_and_text_are_the_paper_key(moved: tuple[Handover, UUID, UUID]) -> None:
    beech, pupil, _ = moved
    _, answer = copy(beech, pupil)
    data = base64.b64decode(str(answer["recovery_pdf"]))
    assert data.startswith(b"%PDF") and data.count(b"/Type /Page\n") + data.count(b"/Type/Page/") <= 1
    assert len(data) > 10_000


def test_the_credential_is_the_schools_and_names_this_very_story(moved: tuple[Handover, UUID, UUID]) -> None:
    beech, pupil, _ = moved
    found, _ = copy(beech, pupil)
    record = json.loads(found.members["credential.json"])
    assert credential.verify(record) == found.sender.manifest_keys[0].public
    story = b"".join(map(bytes, found.lines))
    assert hashlib.sha256(story).hexdigest() in json.dumps(record)
    assert "Josephine Quill" in json.dumps(record) and NOTED not in json.dumps(record)


def test_the_school_names_the_key_that_the_student_will_sign_with(moved: tuple[Handover, UUID, UUID]) -> None:
    beech, pupil, _ = moved
    found, answer = copy(beech, pupil)
    identity = age.read_agekey(str(answer["student_key"]))
    stated = json.loads(found.members["student.json"])
    assert [one["for"] for one in stated["recipients"]] == ["student", "recovery"]
    assert stated["recipients"][0]["recipient"] == identity.recipient.text
    origin = f"student.invalid/{identity.recipient.fingerprint[:32]}"
    expected = [one.verifier.text for one in signing_keys(identity).signers(Purpose.MANIFEST, origin)]
    assert stated["signing"] == expected
