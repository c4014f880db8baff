"""Writes transfer/reader/conformance: a student's copy and a proof, good, and with one fault each."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from transfer import age, canonical, cloudevents, disclosure, package
from transfer.evidence import note, unit_name
from transfer.evidence.chain import b64, unb64
from transfer.keys.trust import Trust
from transfer.manifest import Recipient

OUT = HERE / "transfer" / "reader" / "conformance"
KEY, PAPER, OTHER = (age.Identity(name.ljust(32, b".")) for name in (b"student", b"paper", b"somebody else"))
SCHOOLS = [str(UUID(int=n)) for n in (11, 12)]
MADE = datetime(2034, 7, 1, 9, tzinfo=UTC)
PERSON = {
    "surname": "Hartley",
    "forename": "Mabli",
    "preferred_forename": "",
    "date_of_birth": "2016-03-04",
    "upn": None,
}


def paper_schools() -> ModuleType:
    """The schools on paper that the format's tests use."""
    spec = importlib.util.spec_from_file_location("paper", HERE / "tests" / "format" / "conftest.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["paper"] = made
    spec.loader.exec_module(made)
    return made


def fact(number: int, topic: str, at: str, role: str = "tutor", **data: Any) -> bytes:
    head = {"topic": topic, "event_id": str(UUID(int=number)), "recorded_at": f"{at}T08:00:00.000000Z"}
    return json.dumps(
        {**head, "by": {"id": str(UUID(int=0)), "role": role}, "data": data}, separators=(",", ":")
    ).encode()


def sat(number: int, on: str, first: float) -> bytes:
    values = [first, 3.5, 4.9, 3.0, first - 0.5, 3.4, None, 3.1]
    return fact(number, "journey.assessment-sat.v1", on, "pupil", happened_on=on, instrument="astrack-demo",
                instrument_version=1, mode="alone", usable=True, values=values, errors=[0.4] * 8,
                             answers={})  # fmt: skip


def first_school() -> Iterator[bytes]:
    yield fact(
        1,
        "journey.pupil-enrolled.v1",
        "2024-09-03",
        happened_on="2024-09-03",
        school_id=SCHOOLS[0],
        year_group=4,
        groups=[],
    )
    yield sat(2, "2024-10-04", 2.6)
    yield fact(3, "journey.flag-raised.v1", "2024-10-04", flag_id=str(UUID(int=31)), kind="polar",
               factor="self_disclosure",
               reason="in school, tells less than before", probability=0.9, rests_on=[])  # fmt: skip
    yield fact(4, "journey.plan-opened.v1", "2024-10-08", plan_id=str(UUID(int=41)),
               goal="Tells one adult one thing a week",
               factor="self_disclosure", signposts=["sd.low.same-adult"], own_strategies=[], causes=[], risks=[],
               start_on="2024-10-08", end_on="2024-11-20")  # fmt: skip
    yield fact(5, "journey.plan-closed.v1", "2024-11-20", plan_id=str(UUID(int=41)), came="helped", note="")


def second_school() -> Iterator[bytes]:
    yield fact(
        6,
        "journey.pupil-enrolled.v1",
        "2031-09-03",
        happened_on="2031-09-03",
        school_id=SCHOOLS[1],
        year_group=11,
        groups=[],
    )
    yield sat(7, "2031-10-04", 3.6)
    yield fact(
        8,
        "journey.fact-corrected.v1",
        "2031-11-01",
        corrects=str(UUID(int=7)),
        changes={"mode": "supported"},
        why="An adult sat beside",
    )


def story(paper: ModuleType) -> Any:
    """Ash, where it began, and Beech, which made the copy."""
    ash, beech = paper.PaperSchool("ash"), paper.PaperSchool("beech")
    for payload in first_school():
        ash.write(b"jo", payload)
    ash.record(b"kim", "somebody else")
    ash.publish()
    beech.take_in(b"jo here", ash, b"jo")
    for payload in second_school():
        beech.write(b"jo here", payload)
    beech.publish()
    return beech


def parts_of(paper: ModuleType, beech: Any) -> package.Parts:
    recipients = (Recipient(KEY.recipient.fingerprint, "student"), Recipient(PAPER.recipient.fingerprint, "recovery"))
    parts = paper.parts_of(beech, b"jo here", kind="student", not_after=None, created=MADE, recipients=recipients)
    schools = [{"school_id": one, "name": name, "urn": "", "lea": "", "estab": "", "origin": ""}
               for one, name in zip(SCHOOLS, ("Ash school", "Beech school"), strict=True)]  # fmt: skip
    whole = [{"for": name, "recipient": one.recipient.text} for name, one in (("student", KEY), ("recovery", PAPER))]
    members = {
        "README.txt": b"read me\n", "identity.json": canonical.dump({"person": PERSON, "schools": schools}),
        "student.json": canonical.dump({"recipients": whole, "signing": None}),
        "cloudevents.jsonl": cloudevents.dump(beech.origin, parts.lines),
        "wordings.json": canonical.dump({"sd.low.same-adult": "One adult, the same each time."}),
    }  # fmt: skip
    made: package.Parts = replace(parts, members=members)
    return made


Change = Callable[[dict[str, bytes]], dict[str, bytes]]


def faults(beech: Any) -> dict[str, dict[str, Any]]:
    """What is wrong with each bad file, as ``build`` takes it."""
    unit = f"evidence/{unit_name(beech.origin, b'jo here')}/"

    def fewer(members: dict[str, bytes]) -> dict[str, bytes]:
        proof = json.loads(members[f"{unit}proof.json"])
        proof["indexes"].pop()
        rows = members["events.jsonl"].splitlines(keepends=True)
        return {**members, "events.jsonl": b"".join(rows[:-1]), f"{unit}proof.json": canonical.dump(proof)}

    def rewritten(members: dict[str, bytes]) -> dict[str, bytes]:
        rows = members["events.jsonl"].splitlines()
        row = json.loads(rows[-2])
        row["payload"] = b64(unb64(row["payload"], "payload").replace(b"3.6", b"5.6"))
        return {**members, "events.jsonl": b"\n".join([*rows[:-2], canonical.dump(row), rows[-1]]) + b"\n"}

    def otherwise(members: dict[str, bytes]) -> dict[str, bytes]:
        return {**members, "cloudevents.jsonl": members["cloudevents.jsonl"].replace(b"3.6", b"5.6")}

    def unsigned(signed: note.Note) -> note.Note:
        return note.Note(signed.text, signed.signatures[:1])

    return {
        "bad-last-entry-cut-off": {"change": fewer}, "bad-fact-rewritten": {"change": rewritten},
        "bad-one-signature": {"sign": unsigned}, "bad-cloudevents-say-otherwise": {"change": otherwise},
        "bad-member-altered": {"after": lambda m: {**m, "README.txt": b"read us\n"}},
    }  # fmt: skip


def main() -> None:
    """Write the folder anew. Sealing draws randomness: the sealed bytes differ each time, what is in them does not."""
    paper = paper_schools()
    beech = story(paper)
    parts = parts_of(paper, beech)
    members = paper.members_of(parts)
    OUT.mkdir(parents=True, exist_ok=True)
    tar = paper.build(beech, parts.manifest, members)
    files = {"good.tar.age": paper.sealed(tar, [KEY.recipient, PAPER.recipient]),
             "other.agekey": age.write_agekey(OTHER).encode(), "student.agekey": age.write_agekey(KEY).encode(),
             "paper.agekey": age.write_agekey(PAPER).encode(), "beech.keydoc": bytes(beech.document)}  # fmt: skip
    for name, how in faults(beech).items():
        change: Change = how.pop("change", dict)
        files[f"{name}.tar.age"] = paper.sealed(
            paper.build(beech, parts.manifest, change(members), **how), [KEY.recipient]
        )
    passed_on = replace(parts.manifest, recipients=(Recipient(OTHER.recipient.fingerprint, "student"),))
    files["bad-sealed-for-another.tar.age"] = paper.sealed(paper.build(beech, passed_on, members), [KEY.recipient])
    files |= proofs(files["good.tar.age"])
    for name, data in files.items():
        (OUT / name).write_bytes(data)


def proofs(sealed: bytes) -> dict[str, bytes]:
    """A proof of one fact of each school, and three that somebody altered."""
    found = package.read(package.open_sealed(io.BytesIO(sealed), [KEY]), Trust())
    good = disclosure.make(found, {str(UUID(int=2)), str(UUID(int=7))}, whom="A college", made=MADE, about=True)

    def altered(change: Callable[[dict[str, Any]], object]) -> bytes:
        made = json.loads(good)
        change(made)
        return canonical.dump(made)

    def payload(made: dict[str, Any]) -> None:
        one = made["logs"][0]["facts"][0]
        one["payload"] = b64(unb64(one["payload"], "payload").replace(b"astrack-demo", b"another-demo"))

    def person(made: dict[str, Any]) -> None:
        made["about"]["identity"] = made["about"]["identity"].replace("Mabli", "Mabel")

    def moved(made: dict[str, Any]) -> None:
        made["logs"][0]["facts"][0]["index"] += 1

    return {"good.proof": good, "bad-fact-rewritten.proof": altered(payload),
                 "bad-another-person.proof": altered(person),
            "bad-fact-moved.proof": altered(moved)}  # fmt: skip


if __name__ == "__main__":
    main()
