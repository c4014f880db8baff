"""The student's own copy, the protected move, and what the verifier says of a folder of files."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack import ids
from astrack.handover import Handover
from astrack.handover.student import BirthdayUnknown
from astrack.records import Ask, Records
from astrack.store import Store
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey.facts import Group, OwnershipPassed
from domain.journey.refusals import NotYetEighteen
from domain.journey.state import Custody
from transfer import age, archive, errors, package, verify
from transfer.keys.trust import Trust

STAFF = uuid4()
BY = Actor(id=STAFF, role="tutor")
DAY = date(2026, 9, 1)
JO = Person(surname="Quillfeather", forename="Josephine", upn="B801200005001", date_of_birth=date(2015, 3, 4))


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
def school(store: Store, clock: Clock) -> Callable[..., Handover]:
    def make(name: str, urn: str) -> Handover:
        school_id = uuid4()
        store.create_school(school_id, clock.at)
        records = Records(store.log(school_id), clock, ids.maker(clock))
        origin = f"{name.split()[0].lower()}-{school_id.hex[:6]}.example/log"
        named = SchoolName(school_id=school_id, name=name, urn=urn, lea="330", estab="2345", origin=origin)
        records.register_school(ask(), named, True)
        return Handover(records)

    return make


def admitted(hands: Handover) -> UUID:
    groups = (Group(dimension="house", name="Wyvern House"),)
    return UUID(hands.records.admit(ask(), JO, on=DAY, year_group=6, groups=groups)["pupil_id"])


def opened(data: bytes, key: age.Identity) -> package.Package:
    return package.read(package.open_sealed(io.BytesIO(data), [key]), Trust())


def test_the_copy_opens_with_the_students_key_and_with_the_key_on_paper(
    school: Callable[..., Handover], clock: Clock
) -> None:
    ash = school("Ash School", "100001")
    pupil = admitted(ash)
    clock.at = datetime(2033, 3, 4, 9, tzinfo=UTC)
    answer = ash.students_copy(ask(), pupil)
    data = ash.sealed(UUID(answer["transfer_id"]))
    paper = "".join(answer["recovery_sheet"].split("recovery.agekey):\n\n")[1].split("\n")[0].split())
    for key in (age.read_agekey(answer["student_key"]), age.Identity.parse(paper)):
        found = opened(data, key)
        assert found.manifest.kind == "student"
        assert found.manifest.not_after is None
    assert [one.audience for one in found.manifest.recipients] == ["student", "recovery"]
    assert b"age --decrypt" in found.members["README.txt"]
    assert "Josephine Quillfeather" in answer["recovery_sheet"]


def test_the_copy_is_on_record_and_the_school_goes_on_holding_its_own(
    school: Callable[..., Handover], clock: Clock
) -> None:
    ash = school("Ash School", "100001")
    pupil = admitted(ash)
    clock.at = datetime(2033, 3, 4, 9, tzinfo=UTC)
    answer = ash.students_copy(ask(), pupil)
    journey, facts = ash.records.journey(pupil)
    assert journey.owned_by_student
    assert journey.custody is Custody.HELD
    (passed,) = [fact.event for fact in facts if isinstance(fact.event, OwnershipPassed)]
    assert passed.manifest_sha256 == answer["manifest_sha256"]


def test_repeating_the_request_gives_the_same_file_and_no_secret_again(
    school: Callable[..., Handover], clock: Clock
) -> None:
    ash = school("Ash School", "100001")
    pupil = admitted(ash)
    clock.at = datetime(2033, 3, 4, 9, tzinfo=UTC)
    key = ask()
    first, again = ash.students_copy(key, pupil), ash.students_copy(key, pupil)
    assert again["manifest_sha256"] == first["manifest_sha256"]
    assert (again["student_key"], again["recovery_sheet"]) == (None, None)


def test_a_student_may_bring_their_own_key(school: Callable[..., Handover], clock: Clock) -> None:
    ash = school("Ash School", "100001")
    pupil = admitted(ash)
    clock.at = datetime(2033, 3, 4, 9, tzinfo=UTC)
    own = age.Identity(b"s" * 32)
    answer = ash.students_copy(ask(), pupil, student=own.recipient.text)
    assert answer["student_key"] is None
    assert opened(ash.sealed(UUID(answer["transfer_id"])), own).lines
    with pytest.raises(errors.BadKey):
        ash.students_copy(ask(), pupil, student="age1classical")


def test_nobody_is_given_their_copy_a_day_early(school: Callable[..., Handover], clock: Clock) -> None:
    ash = school("Ash School", "100001")
    pupil = admitted(ash)
    clock.at = datetime(2033, 3, 3, 9, tzinfo=UTC)
    with pytest.raises(NotYetEighteen):
        ash.students_copy(ask(), pupil)
    assert ash.transfers() == []


def test_a_students_copy_is_not_taken_in_by_a_school(school: Callable[..., Handover], clock: Clock) -> None:
    ash, beech = school("Ash School", "100001"), school("Beech School", "100002")
    pupil = admitted(ash)
    clock.at = datetime(2033, 3, 4, 9, tzinfo=UTC)
    key = beech.signing.newest(clock()).identity
    answer = ash.students_copy(ask(), pupil, student=key.recipient.text)
    with pytest.raises(errors.BadManifest, match="does not take in"):
        beech.receive(ask(), ash.sealed(UUID(answer["transfer_id"])), words=ash.key_words())


def test_a_birthday_that_is_not_on_record_has_to_be_said(school: Callable[..., Handover], clock: Clock) -> None:
    ash, beech = school("Ash School", "100001"), school("Beech School", "100002")
    answer = protected_move(ash, beech, admitted(ash))
    pupil = UUID(beech.receive(ask(), answer["data"], words=answer["words"])["pupil_id"])
    with pytest.raises(BirthdayUnknown):
        beech.students_copy(ask(), pupil)


def protected_move(ash: Handover, beech: Handover, pupil: UUID) -> dict[str, Any]:
    answer = ash.prepare(
        ask(), [pupil], to=beech.key_document(), words=beech.key_words(), protected=True, lawful_basis="vital_interests",
        accepted_on=DAY, start_on=DAY,
    )["transfers"][0]  # fmt: skip
    return {**answer, "data": ash.sealed(UUID(answer["transfer_id"]))}


def test_no_byte_of_a_protected_move_tells_the_school_or_the_name_of_before(school: Callable[..., Handover]) -> None:
    zelkova, ash, beech = school("Zelkova Primary", "100009"), school("Ash School", "100001"), school("Beech", "100002")
    first = admitted(zelkova)
    plain = zelkova.prepare(
        ask(), [first], to=ash.key_document(), words=ash.key_words(), lawful_basis="public_task", accepted_on=DAY,
        start_on=DAY,
    )["transfers"][0]  # fmt: skip
    pupil = UUID(ash.receive(ask(), zelkova.sealed(UUID(plain["transfer_id"])), words=zelkova.key_words())["pupil_id"])
    ash.records.return_to_roll(ask(), pupil, on=DAY, year_group=7, groups=(Group(dimension="house", name="Griffin"),))
    plan = {
        "plan_id": uuid4(), "kind": "talk", "goal": "Josephine speaks up", "causes": ("c",), "risks": ("r",),
        "signposts": ("s",), "own_strategies": ("sit with Quillfeather twins",), "owner_id": STAFF, "start_on": DAY,
        "end_on": DAY + timedelta(weeks=6),
    }  # fmt: skip
    ash.records.open_plan(ask(), pupil, plan=plan)
    ash.records.look_at(ask(), pupil, concern=False, note="Quillfeather seemed well at Ash")
    answer = protected_move(ash, beech, pupil)
    staged = package.open_sealed(io.BytesIO(answer["data"]), beech.signing.identities(beech.clock()))
    payloads = [line.payload for line in package.read(staged, Trust()).lines]
    whole = b"\n".join([*staged.files.values(), *payloads]).lower()
    telling = [
        "Quillfeather", "Josephine", "B801200005001", "2015-03-04", "Zelkova", "Ash School", "ash-", "zelkova-", "100001",
        "100009", "2345", "Wyvern", "Griffin", str(STAFF), str(ash.records.school_id), str(zelkova.records.school_id),
        str(plain["transfer_id"]), ash.records.school_id.hex,
    ]  # fmt: skip
    assert [word for word in telling if word.lower().encode() in whole] == []
    kept = [json.loads(payload)["topic"].split(".")[1] for payload in payloads]
    assert kept == ["pupil-enrolled", "pupil-enrolled", "plan-opened", "pupil-looked-at", "transfer-prepared"]
    assert b"provenance withheld by law" in staged.files["manifest.json"]


def test_a_protected_move_is_taken_in_with_its_eight_words_and_goes_on_like_any_other(
    school: Callable[..., Handover],
) -> None:
    ash, beech, cedar = (
        school(name, urn) for name, urn in (("Ash", "100001"), ("Beech", "100002"), ("Cedar", "100003"))
    )
    answer = protected_move(ash, beech, admitted(ash))
    with pytest.raises(errors.UnknownSigner):
        beech.receive(ask(), answer["data"])
    received = beech.receive(ask(), answer["data"], words=answer["words"])
    assert received["from"] == ""
    pupil = UUID(received["pupil_id"])
    beech.records.amend_identity(ask(), pupil, JO.model_copy(update={"surname": "New", "upn": "X823432109876"}))
    beech.records.return_to_roll(ask(), pupil, on=DAY, year_group=7)
    onward = beech.prepare(
        ask(), [pupil], to=cedar.key_document(), words=cedar.key_words(), lawful_basis="public_task", accepted_on=DAY,
        start_on=DAY,
    )["transfers"][0]  # fmt: skip
    data = beech.sealed(UUID(onward["transfer_id"]))
    found = opened(data, cedar.signing.newest(cedar.clock()).identity)
    assert sum(one.unit.origin.startswith("withheld.invalid/") for one in found.proved.values()) == 1
    assert cedar.receive(ask(), data, words=beech.key_words())["facts"] == received["facts"] + 3


@pytest.fixture
def folder(school: Callable[..., Handover], clock: Clock, tmp_path: Path) -> Path:
    """What a demonstration leaves behind: sealed files, a student's copy, keys, a receipt, a bundle."""
    ash, beech = school("Ash School", "100001"), school("Beech School", "100002")
    pupil = admitted(ash)
    answer = ash.prepare(
        ask(), [pupil], to=beech.key_document(), words=beech.key_words(), lawful_basis="public_task", accepted_on=DAY,
        start_on=DAY,
    )["transfers"][0]  # fmt: skip
    data = ash.sealed(UUID(answer["transfer_id"]))
    received = beech.receive(ask(), data, words=ash.key_words())
    there = UUID(received["pupil_id"])
    beech.records.return_to_roll(ask(), there, on=DAY, year_group=7)
    files = {
        f"sealed/{answer['file_name']}": data,
        f"receipts/{received['receipt_name']}": received["receipt"].encode(),
    }
    files["keys/beech.agekey"] = beech.identity_file().encode()
    clock.at = datetime(2033, 3, 4, 9, tzinfo=UTC)
    copy = beech.students_copy(ask(), there)
    files[f"student/{copy['file_name']}"] = beech.sealed(UUID(copy["transfer_id"]))
    files["keys/student.agekey"] = copy["student_key"].encode()
    files["keys/beech.keydoc"] = beech.key_document()
    name, pieces = ash.audit_bundle(ask())
    files[f"audit/{name}"] = b"".join(pieces)
    files["summary.json"] = b"{}"
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_verifier_accepts_a_folder_and_says_what_it_found(folder: Path) -> None:
    said: list[str] = []
    assert verify.main([str(folder)], said.append) == verify.VERIFIED
    text = "\n".join(said)
    for part in ("Ash School (URN 100001)", "complete", "unwitnessed", "can no longer be imported", "self-asserted",
                 "7 of 7 files verified", "begins with each of the 1 checkpoints"):  # fmt: skip
        assert part in text, part


def test_the_verifier_finds_keys_beside_and_above_a_file(folder: Path) -> None:
    (sealed,) = (folder / "sealed").iterdir()
    assert verify.main([str(sealed)], lambda _: None) == verify.VERIFIED
    (folder / "keys/beech.agekey").rename(folder / "elsewhere.agekey")
    assert verify.main([str(sealed)], lambda _: None) == verify.REFUSED
    assert verify.main([str(sealed), "--identity", str(folder / "elsewhere.agekey")], lambda _: None) == verify.VERIFIED


def test_a_trusted_document_makes_its_school_pinned(folder: Path) -> None:
    said: list[str] = []
    (receipt,) = (folder / "receipts").iterdir()
    assert verify.main([str(receipt), "--trust", str(folder / "keys/beech.keydoc")], said.append) == verify.VERIFIED
    assert any("whose keys are pinned" in line for line in said)


def test_the_verifier_refuses_each_file_after_a_flipped_byte(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "summary.json"]
    assert len(files) == 7
    for path in files:
        good = path.read_bytes()
        for at in (0, len(good) // 3, len(good) // 2, len(good) - 1):
            changed = bytearray(good)
            changed[at] ^= 1
            path.write_bytes(bytes(changed))
            assert verify.main([str(folder)], lambda _: None) == verify.REFUSED, (path, at)
            assert verify.main([str(path)], lambda _: None) == verify.REFUSED, (path, at)
        path.write_bytes(good)


def test_wrong_usage_has_a_code_of_its_own(folder: Path) -> None:
    for given in ([], ["no-such-file"], [str(folder), "--trust", str(folder / "keys/beech.agekey")]):
        code = subprocess.run(
            [sys.executable, "-m", "transfer.verify", *given], capture_output=True, timeout=60
        ).returncode
        assert code == verify.USAGE, given


def test_something_that_is_not_ours_is_refused_when_it_is_named(folder: Path) -> None:
    assert verify.main([str(folder / "summary.json")], lambda _: None) == verify.REFUSED
    (folder / "empty").mkdir()
    assert verify.main([str(folder / "empty")], lambda _: None) == verify.REFUSED


def test_the_verifier_needs_neither_the_domain_nor_pydantic_nor_a_database() -> None:
    probe = (
        "import sys, transfer.verify; "
        "print([one for one in sys.modules if one.split('.')[0] in ('domain','pydantic','psycopg','astrack','lxml')])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_plain_tar_lists_what_a_stock_tool_opens(folder: Path, tmp_path: Path) -> None:
    (sealed,) = (folder / "sealed").iterdir()
    key = age.read_agekey((folder / "keys/beech.agekey").read_text())
    (tmp_path / "plain.tar").write_bytes(age.unseal_bytes(sealed.read_bytes(), [key]))
    listed = subprocess.run(["tar", "-tf", tmp_path / "plain.tar"], capture_output=True, check=True, timeout=60)
    assert listed.stdout.decode().split("\n")[0] == "manifest.json"
    assert archive.PADDING in listed.stdout.decode()


@pytest.mark.parametrize(
    "spoil", [lambda t: "# created: 2026\n" + t, lambda t: t + "\n", lambda t: t.replace("# ", "#")]
)
def test_a_key_file_in_another_form_is_not_verified(
    school: Callable[..., Handover], tmp_path: Path, spoil: Callable[[str], str]
) -> None:
    path = tmp_path / "ash.agekey"
    path.write_text(school("Ash", "100001").identity_file())
    assert verify.main([str(path)], lambda _: None) == verify.VERIFIED
    path.write_text(spoil(path.read_text()))
    assert verify.main([str(path)], lambda _: None) == verify.REFUSED
