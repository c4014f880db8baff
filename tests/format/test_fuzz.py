"""Whatever a sealed file, a note, a proof or a roster is turned into: refused by name, or as good as it was.

Nothing is accepted that says something else, nothing crashes, nothing hangs; 2,000 inputs here and a hundred times as
many in the long mode (a CTF has its own, test_ctf_fuzz).
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.mutating import ODD, QUIET, Edit, altered, edits, mutated, picks
from transfer import disclosure, errors, package, receipt, verdict
from transfer.age import write_agekey
from transfer.evidence import chain, note
from transfer.keys.signing import Purpose
from transfer.keys.trust import Trust, open_documents
from transfer.rosters import oneroster
from transfer.verify import read_key

Refuses = Callable[[bytes], object]
TRUST = Trust()
SECONDS_MAX = 2
LONG = 100
COUNTS = {
    "container": 300, "archive": 300, "checkpoint": 200, "key document": 100, "receipt": 150, "proof": 200,
    "key file": 100, "any bytes": 100,
}  # fmt: skip
PIECES = [
    b"\n", b"\n\n", b"\0", b"\xff", b"{", b"}", b"[", b"]", b'"', b",", b":", b"=", b"-> ", b"--- ", b"null", b"true", b"1e9",
    b'{"', b"manifest.json", b"../", b"\xe2\x80\x94 ", b"astrack/", b"ustar\x0000", b"A" * 44, b" " * 512, b"\\u0000",
    b"99999999999999999999", b"\r\n", b"mlkem768x25519",
]  # fmt: skip
edit = edits(PIECES, 20_000)


@contextmanager
def soon() -> Iterator[None]:
    """No input keeps the processor busy for long."""
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS_MAX


def told(found: package.Package) -> None:
    """Say all that there is to say of a file that was accepted: that may not fail either."""
    assert verdict.of_package(found, TRUST, found.manifest.created).ok


class Seeds:
    """Good input of each kind, and what reads it: it refuses, or holds that nothing else is said than before."""

    def __init__(self, paper: SimpleNamespace, school: Any) -> None:
        self.paper, self.school = paper, school
        self.parts = paper.parts_of(school, b"jo here")
        self.members = paper.members_of(self.parts)
        self.tar = paper.build(school, self.parts.manifest, self.members)
        self.payloads = {line.payload for line in self.parts.lines}

    def of(self, kind: str) -> tuple[bytes, Refuses]:
        """(the good bytes, what reads them) of a kind."""
        found: tuple[bytes, Refuses] = getattr(self, kind.replace(" ", "_"))()
        return found

    def container(self) -> tuple[bytes, Refuses]:
        good = self.paper.sealed(self.tar)
        return good, lambda data: _same(package.open_sealed(io.BytesIO(data), [self.paper.receiver]), data, good)

    def archive(self) -> tuple[bytes, Refuses]:
        return self.tar, lambda data: _same(self.paper.opened(data), data, self.tar)

    def checkpoint(self) -> tuple[bytes, Refuses]:
        good = self.school.checkpoint()
        keys = self.school.document.document.newest(Purpose.CHECKPOINT).verifiers

        def reads(data: bytes) -> None:
            assert note.open_checkpoint(data, keys) == note.open_checkpoint(good, keys)

        return good, reads

    def key_document(self) -> tuple[bytes, Refuses]:
        good = bytes(self.school.document)

        def reads(data: bytes) -> None:
            (found,) = open_documents(data)
            assert found.document == self.school.document.document

        return good, reads

    def receipt(self) -> tuple[bytes, Refuses]:
        made = receipt.Receipt(
            self.paper.transfer_id, "0" * 64, True, "", "100001", self.school.origin, 3, self.paper.at,
            self.school.checkpoint(), bytes(self.school.document),
        )  # fmt: skip
        good = receipt.sign(made, self.school.keys.signers(Purpose.RECEIPT, self.school.origin), 1)
        return good, lambda data: _same(receipt.read(data, TRUST), data, good)

    def proof(self) -> tuple[bytes, Refuses]:
        found = self.paper.opened(self.tar)
        good = disclosure.make(found, {str(UUID(int=1))}, whom="a college", made=self.paper.at)
        shown = {payload for one in disclosure.read(good, TRUST).logs for payload in one.payloads}

        def reads(data: bytes) -> None:
            read = disclosure.read(data, TRUST)
            assert shown >= {payload for one in read.logs for payload in one.payloads}
            assert verdict.of_proof(read).ok

        return good, reads

    def key_file(self) -> tuple[bytes, Refuses]:
        return write_agekey(self.paper.receiver).encode(), read_key

    def any_bytes(self) -> tuple[bytes, Refuses]:
        def reads(data: bytes) -> None:
            for read in (self.of(kind)[1] for kind in COUNTS if kind != "any bytes"):
                with suppress(errors.TransferRefused):
                    read(data)

        return b"", reads


def _same(_: object, data: bytes, good: bytes) -> None:
    assert data == good, "something else was accepted"


def fuzz_bytes(seeds: Seeds, kind: str, count: int) -> None:
    good, reads = seeds.of(kind)
    with suppress(errors.TransferRefused):
        reads(good)

    @settings(max_examples=count, **QUIET)
    @given(st.lists(edit, min_size=1, max_size=6))
    def run(given: list[Edit]) -> None:
        with soon(), suppress(errors.TransferRefused):
            reads(mutated(good, given))

    run()


@pytest.mark.parametrize("kind", COUNTS)
def test_mutated_bytes_are_refused_or_say_the_same(paper: SimpleNamespace, beech: Any, kind: str) -> None:
    fuzz_bytes(Seeds(paper, beech), kind, COUNTS[kind])


@pytest.mark.long
@pytest.mark.parametrize("kind", COUNTS)
def test_many_more_mutated_bytes_are_refused_or_say_the_same(paper: SimpleNamespace, beech: Any, kind: str) -> None:
    fuzz_bytes(Seeds(paper, beech), kind, COUNTS[kind] * LONG)


@pytest.mark.parametrize("kind", [one for one in COUNTS if one != "any bytes"])
def test_what_is_mutated_is_good_before(paper: SimpleNamespace, beech: Any, kind: str) -> None:
    good, reads = Seeds(paper, beech).of(kind)
    reads(good)


SIGNED = ("manifest.json", "proof.json", "identity.json", "events.jsonl", "actors.json")


def sorted_json(value: Any) -> bytes:
    """As RFC 8785 has it wherever it can say the value at all."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def signed_by_its_sender(seeds: Seeds, name: str, alter: Callable[[Any], Any]) -> bytes:
    """A file whose sender has keys of their own and signs whatever they like."""
    members = {"actors.json": b"[]", **seeds.members}
    inner = sorted(one for one in members if one.endswith(name))
    if name == "manifest.json":
        raw = lambda data: sorted_json(alter(json.loads(data)))  # noqa: E731
        return bytes(seeds.paper.build(seeds.school, seeds.parts.manifest, members, raw=raw))
    if name == "events.jsonl":
        lines = members[name].splitlines()
        lines[1] = json.dumps(alter(json.loads(lines[1])), separators=(",", ":")).encode()
        members[name] = b"".join(line + b"\n" for line in lines)
    else:
        members[inner[0]] = sorted_json(alter(json.loads(members[inner[0]])))
    return bytes(seeds.paper.build(seeds.school, seeds.parts.manifest, members))


def fuzz_signed(seeds: Seeds, count: int) -> None:
    @settings(max_examples=count, **QUIET)
    @given(st.sampled_from(SIGNED), picks, st.sampled_from(["put", "cut", "twice"]), st.sampled_from(ODD))
    def run(name: str, path: list[int], act: str, odd: Any) -> None:
        data = signed_by_its_sender(seeds, name, lambda value: altered(value, path, act, odd))
        with soon(), suppress(errors.TransferRefused):
            found = seeds.paper.opened(data, seeds.paper.at)
            assert seeds.payloads | {None} >= {line.payload for line in found.lines}
            told(found)
            proof = disclosure.make(found, {str(UUID(int=1))}, whom="", made=seeds.paper.at, about=True)
            assert verdict.of_proof(disclosure.read(proof, TRUST)).ok

    run()


def test_a_sender_who_signs_what_they_like_is_refused_or_told_of(paper: SimpleNamespace, beech: Any) -> None:
    fuzz_signed(Seeds(paper, beech), 350)


@pytest.mark.long
def test_many_more_senders_who_sign_what_they_like(paper: SimpleNamespace, beech: Any) -> None:
    fuzz_signed(Seeds(paper, beech), 350 * LONG)


def fuzz_logged(paper: SimpleNamespace, ash: Any, count: int) -> None:
    unit, lines = ash.unit(b"jo")
    envelope = chain.envelope(ash.origin, unit.indexes[0], lines[0].entry, lines[0].salt, lines[0].payload)
    payloads = [
        paper.fact("journey.noted.v1", {"text": "x"}), paper.fact(chain.IMPORT_TOPIC, envelope),
        paper.fact("school.heads-published.v1", {"covers": 6, "streams": 2, "root": "0" * 64}),
    ]  # fmt: skip
    kinds = st.sampled_from(["event", "import", "export", "erasure", "heads"])

    @settings(max_examples=count, **QUIET)
    @given(st.sampled_from(payloads), kinds, picks, st.sampled_from(ODD), st.lists(edit, max_size=1))
    def run(payload: bytes, kind: str, path: list[int], odd: Any, given: list[Edit]) -> None:
        made = json.dumps(altered(json.loads(payload), path, "put", odd)).encode()
        school = paper.School("cedar")
        school.record(b"sam", "enrolled")
        school.write(b"sam", mutated(made, given), kind)
        school.publish()
        with soon(), suppress(errors.TransferRefused):
            parts = paper.parts_of(school, b"sam")
            told(paper.opened(paper.build(school, parts.manifest, paper.members_of(parts))))

    run()


def test_a_log_that_holds_anything_is_refused_or_told_of(paper: SimpleNamespace, ash: Any) -> None:
    fuzz_logged(paper, ash, 100)


@pytest.mark.long
def test_many_more_logs_that_hold_anything(paper: SimpleNamespace, ash: Any) -> None:
    fuzz_logged(paper, ash, 100 * LONG)


ON = date(2026, 11, 24)
TABLES = {
    "manifest.csv": "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n"
    + "".join(f"file.{name},bulk\n" for name in ("orgs", "users", "roles", "demographics", "classes", "enrollments")),
    "orgs.csv": "sourcedId,name,type,identifier\ns1,Brook Primary,school,900101\n",
    "users.csv": "sourcedId,status,givenName,familyName,userIds,grades\n"
    'u1,,Mabli,Hartley,"{UPN:B801200005001}",04\nu2,tobedeleted,"Zoë, Ann",O\'Neill,,R\n',
    "roles.csv": "userSourcedId,role,orgSourcedId,beginDate,endDate\nu1,student,s1,2024-09-01,\nu2,student,s1,,\n",
    "demographics.csv": "sourcedId,birthDate,sex\nu1,2018-03-15,female\nu2,2022-05-01,other\n",
    "classes.csv": "sourcedId,title,classType\nc1,4B,homeroom\n",
    "enrollments.csv": "classSourcedId,userSourcedId,role\nc1,u1,student\n",
}  # fmt: skip
CSV = edits(
    [b",", b'"', b'""', b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"{UPN:", b"}", b"9999-12-31", b"2018-02-30", b",,,,",
     b"student", b"s1", b"u1", b"tobedeleted", b"\xd9\xa1", b"-1", b"x" * 10_001, b"delta", b"sourcedId"], 400,
)  # fmt: skip


def zipped(tables: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in tables.items():
            packed.writestr(name, data)
    return buffer.getvalue()


def read_roster(data: bytes) -> bool:
    with soon(), suppress(errors.BadRoster):
        for one in oneroster.read(data, ON).pupils:
            assert one.person.surname.strip() and one.person.forename.strip()
            assert one.person.date_of_birth < ON + timedelta(days=1)
        return True
    return False


def fuzz_roster(count: int) -> None:
    tables = {name: text.encode() for name, text in TABLES.items()}
    assert read_roster(zipped(tables))

    @settings(max_examples=count, **QUIET)
    @given(st.sampled_from(sorted(tables)), st.lists(CSV, min_size=1, max_size=5), st.lists(edit, max_size=2))
    def run(name: str, inside: list[Edit], outside: list[Edit]) -> None:
        read_roster(mutated(zipped({**tables, name: mutated(tables[name], inside)}), outside))

    run()


def test_a_mutated_oneroster_zip_is_read_or_refused_by_name() -> None:
    fuzz_roster(300)


@pytest.mark.long
def test_many_more_mutated_oneroster_zips_are_read_or_refused_by_name() -> None:
    fuzz_roster(300 * LONG)
