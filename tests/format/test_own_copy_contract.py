"""The import contract: what Python and the reader's module each make of the same files, and of each other's."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from transfer import age, cloudevents, disclosure, errors, package, verify
from transfer.disclosure import Disclosed
from transfer.keys.trust import Known, Trust

READER = Path(__file__).parents[2] / "transfer" / "reader"
MODULE, FILES = READER / "dist" / "index.js", READER / "conformance"
RUN = Path(__file__).parents[1] / "support" / "reader_module.mjs"
KEY = age.read_agekey((FILES / "student.agekey").read_text())
REFUSED = {
    "bad-fact-rewritten.tar.age": errors.BadStory, "bad-last-entry-cut-off.tar.age": errors.BadProof,
    "bad-cloudevents-say-otherwise.tar.age": errors.BadFile, "bad-member-altered.tar.age": errors.BadFile, "bad-one-signature.tar.age": errors.BadSignature,
    "bad-sealed-for-another.tar.age": errors.WrongRecipient, "bad-another-person.proof": errors.BadManifest,
    "bad-fact-moved.proof": errors.BadProof, "bad-fact-rewritten.proof": errors.BadStory,
}  # fmt: skip


def read(path: Path) -> package.Package | Disclosed:
    data = path.read_bytes()
    if path.suffix == disclosure.SUFFIX:
        return disclosure.read(data, Trust())
    return package.read(package.open_sealed(io.BytesIO(data), [KEY]), Trust())


def node(*given: object) -> Any:
    """What the module says, as JSON; skips aloud where there is no Node."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node to run the reader's module with: install nodejs 20 or later")
    asked = [found, str(RUN), str(MODULE), *map(str, given)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_conformance_file_is_accounted_for() -> None:
    there = {path.name for path in FILES.iterdir() if path.suffix in (".age", ".proof")}
    assert there == {*REFUSED, "good.tar.age", "good.proof"}


@pytest.mark.parametrize("name", REFUSED)
def test_each_fault_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(REFUSED[name]):
        read(FILES / name)


def test_the_module_refuses_what_python_refuses_and_nothing_else() -> None:
    files = sorted(path for path in FILES.iterdir() if path.suffix in (".age", ".proof"))
    said = node("judge", FILES / "student.agekey", *files)
    assert {name for name, words in said.items() if words == "verified"} == {"good.tar.age", "good.proof"}
    assert len(said) == len(files)


def test_a_proof_shows_its_facts_and_who_it_is_about() -> None:
    found = read(FILES / "good.proof")
    assert isinstance(found, Disclosed)
    assert found.person is not None and found.person["forename"] == "Mabli"
    told = [json.loads(payload)["topic"] for one in found.logs for payload in one.payloads]
    assert told == ["journey.assessment-sat.v1"] * 2
    document = (FILES / "beech.keydoc").read_bytes()
    trusted = disclosure.read((FILES / "good.proof").read_bytes(), Trust.of([document]))
    assert {one.standing.name: one.standing.how for one in trusted.logs} == {
        "beech school": Known.PINNED, "ash school": Known.SELF_ASSERTED,
    }  # fmt: skip


def test_a_proof_holds_nothing_of_the_facts_that_were_not_chosen() -> None:
    whole = read(FILES / "good.tar.age")
    assert isinstance(whole, package.Package)
    proof = (FILES / "good.proof").read_bytes()
    shown = sum(
        json.dumps(one.payload and disclosure.b64(one.payload)).strip('"').encode() in proof for one in whole.lines
    )
    assert shown == 1  # the other fact shown stands inside its envelope here
    assert b"Tells one adult" not in proof and disclosure.b64(b"Tells one adult")[:12].encode() not in proof


def test_a_proof_of_nothing_is_not_made() -> None:
    whole = read(FILES / "good.tar.age")
    assert isinstance(whole, package.Package)
    with pytest.raises(errors.BadStory, match="Choose"):
        disclosure.make(whole, {"no such id"}, whom="", made=whole.manifest.created)


@pytest.mark.parametrize("step", [997])
def test_no_byte_of_a_proof_can_be_changed(step: int) -> None:
    good = (FILES / "good.proof").read_bytes()
    for at in range(0, len(good), step):
        changed = bytearray(good)
        changed[at] ^= 1
        try:
            found = disclosure.read(bytes(changed), Trust())
        except errors.TransferRefused:
            continue
        # only what nobody signed, whom it is for and when it was made, may read otherwise
        assert found.whom != "A college" or found.made.isoformat() != "2034-07-01T09:00:00+00:00", at


def test_both_sides_make_the_same_proof_and_python_verifies_what_the_module_went_on_with(tmp_path: Path) -> None:
    proof, after = tmp_path / "mine.proof", tmp_path / "after.tar.age"
    said = node("use", FILES / "student.agekey", FILES / "good.tar.age", proof, after)
    assert proof.read_bytes() == (FILES / "good.proof").read_bytes()
    assert ["2024-11-20", 'The plan "Tells one adult one thing a week" ended: it helped.', "ash school"] in said["told"]
    found = read(after)
    assert isinstance(found, package.Package)
    assert [one.unit.origin for one in found.proved.values() if one.unit.origin.startswith("student.invalid/")]
    assert {one.unit.origin for one in found.proved.values()} >= {"ash.example/log", "beech.example/log"}
    own = [json.loads(line.payload) for line in found.lines if line.payload and b'"student.' in line.payload[:60]]
    assert [one["data"].get("text") for one in own] == [
        "The lake was <b>quiet</b>.",
        None,
        "The lake was <b>quiet</b>.",
    ]
    assert found.manifest.export == 1
    open_form = [json.loads(row) for row in found.members[cloudevents.MEMBER].splitlines()]
    assert [one["source"] for one in open_form[:6:5]] == ["//ash.example/log", "//beech.example/log"]
    assert open_form[-1]["source"].startswith("//student.invalid/") and len(open_form) == 11
    assert said["facts"] == len(found.lines) == 11
    said_too: list[str] = []
    assert verify.main([str(after), "--identity", str(FILES / "student.agekey")], said_too.append) == verify.VERIFIED
    assert any("The student" in line for line in said_too)


def test_the_paper_key_opens_the_copy_and_another_key_does_not() -> None:
    data = (FILES / "good.tar.age").read_bytes()
    paper, other = (age.read_agekey((FILES / f"{name}.agekey").read_text()) for name in ("paper", "other"))
    assert package.read(package.open_sealed(io.BytesIO(data), [paper]), Trust()).lines
    with pytest.raises(errors.NotForUs):
        package.open_sealed(io.BytesIO(data), [other])


SCHEMAS = READER / "schemas"


def valid(name: str, value: object) -> bool:
    return jsonschema_rs.is_valid(json.loads((SCHEMAS / f"{name}.json").read_text()), value)


def test_the_schemas_fit_what_is_written_and_nothing_else() -> None:
    found = read(FILES / "good.tar.age")
    assert isinstance(found, package.Package)
    for name in ("manifest", "identity", "student", "wordings"):
        value = json.loads(found.members[f"{name}.json"])
        assert valid(name, value), name
        assert name == "wordings" or not valid(name, {**value, next(iter(value)): 7}), name
    for line in found.lines:
        assert valid("line", json.loads(bytes(line)))
        assert line.payload is not None and valid("fact", json.loads(line.payload))
    proof = json.loads((FILES / "good.proof").read_bytes())
    assert valid("proof", proof)
    assert not valid("proof", {**proof, "logs": []})
    assert valid("student.reflection-written.v1", {"happened_on": "2034-08-01", "text": "x"})
    assert not valid("student.reflection-written.v1", {"happened_on": "2034-08-01", "text": ""})
