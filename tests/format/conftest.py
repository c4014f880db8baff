"""Schools on paper: logs without a database, and sealed files in which one thing can be wrong."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from transfer import age, archive, package, story
from transfer.archive import Content
from transfer.evidence import HeadsShown, Unit, chain, merkle, note, verify
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.heads import Head, Heads
from transfer.keys.document import School, SignedDocument
from transfer.keys.issue import first_document
from transfer.keys.signing import Purpose, SigningKeys
from transfer.keys.trust import Trust
from transfer.manifest import Listed, Manifest, Recipient, Sender, SourceLog, note_text
from transfer.package import Parts
from transfer.story import Line

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)
TRANSFER = UUID("01900000-0000-7000-8000-000000000001")
SECONDS = int(AT.timestamp())
RECEIVER = age.Identity(b"receiver".ljust(32, b"."))
LAST = -1


def drawn(*seeds: object) -> bytes:
    return hashlib.sha256(repr(seeds).encode()).digest()


@dataclass
class PaperSchool:
    """One school's log, held in lists."""

    name: str
    entries: list[bytes] = field(default_factory=list)
    opened: list[tuple[bytes, bytes]] = field(default_factory=list)
    streams: dict[bytes, list[int]] = field(default_factory=dict)
    others: dict[tuple[str, bytes], Unit] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"{self.name}.example/log"

    @property
    def keys(self) -> SigningKeys:
        count = iter(range(100))
        return SigningKeys.draw(lambda size: drawn(self.name, next(count)))

    @property
    def document(self) -> SignedDocument:
        if self.name not in _DOCUMENTS:
            school, ours = School(name=f"{self.name} school"), age.Identity(drawn(self.name, "age")).recipient
            _DOCUMENTS[self.name] = first_document(school, self.origin, self.keys, [ours], AT, AT + timedelta(days=400))
        return _DOCUMENTS[self.name]

    def write(self, stream: bytes, payload: bytes, kind: str = "event") -> int:
        index, places = len(self.entries), self.streams.setdefault(stream, [])
        salt = drawn(self.name, "salt", index)
        previous = chain.leaf(self.entries[places[-1]]) if places else chain.ZERO
        self.entries.append(chain.entry(kind, stream, len(places), previous, chain.commitment(salt, payload)))
        self.opened.append((salt, payload))
        places.append(index)
        return index

    def record(self, stream: bytes, text: str) -> int:
        return self.write(stream, fact("journey.noted.v1", {"text": text}))

    def take_in(self, stream: bytes, other: PaperSchool, theirs: bytes) -> None:
        """Wrap each entry of another school's stream."""
        unit, lines = other.unit(theirs)
        for index, line in zip(unit.indexes, lines, strict=True):
            assert line.payload is not None and line.salt is not None
            envelope = chain.envelope(other.origin, index, line.entry, line.salt, line.payload)
            self.write(stream, fact(chain.IMPORT_TOPIC, envelope), "import")
        self.others |= {**other.others, (other.origin, theirs): unit}

    def heads(self, covers: int) -> Heads:
        return Heads(
            Head(stream, len(below) - 1, chain.leaf(self.entries[below[-1]]))
            for stream, places in self.streams.items()
            if stream != b"own" and (below := [place for place in places if place < covers])
        )

    def publish(self, covers: int | None = None) -> int:
        covers = len(self.entries) if covers is None else covers
        heads = self.heads(covers)
        stated = {"covers": covers, "streams": heads.size, "root": heads.root.hex()}
        return self.write(b"own", fact("school.heads-published.v1", stated), "heads")

    def checkpoint(self, size: int | None = None) -> bytes:
        leaves = [chain.leaf(entry) for entry in self.entries[:size]]
        head = Checkpoint(self.origin, len(leaves), merkle.root(leaves))
        return bytes(note.sign(head.text, self.keys.signers(Purpose.CHECKPOINT, self.origin), SECONDS))

    def unit(self, stream: bytes, shown: int | None = None) -> tuple[Unit, list[Line]]:
        """The evidence under the newest heads and a checkpoint over everything; its lines."""
        at = self.streams[b"own"][LAST] if shown is None else shown
        covers = json.loads(self.opened[at][1])["data"]["covers"]
        heads = self.heads(covers)
        indexes = tuple(place for place in self.streams[stream] if place < covers)
        nodes = merkle.nodes_of([chain.leaf(entry) for entry in self.entries])
        (placed,) = heads.prove(stream).placed
        salt, payload = self.opened[at]
        made = Unit(
            self.origin, stream, self.checkpoint(), indexes,
            tuple(merkle.multi_proof(nodes, (*indexes, at), len(self.entries))),
            HeadsShown(at, self.entries[at], salt, payload, placed.index, placed.proof),
            (("000001", bytes(self.document)),),
        )  # fmt: skip
        return made, [Line(self.entries[one], self.opened[one][1], self.opened[one][0]) for one in indexes]


_DOCUMENTS: dict[str, SignedDocument] = {}


def fact(topic: str, data: Mapping[str, Any]) -> bytes:
    by = {"id": str(UUID(int=0)), "role": "tutor"}
    head = {"topic": topic, "event_id": str(UUID(int=1)), "recorded_at": "2026-09-01T08:00:00.000000Z", "by": by}
    return json.dumps({**head, "data": data}, separators=(",", ":")).encode()


def parts_of(school: PaperSchool, stream: bytes, **changes: Any) -> Parts:
    """A file of one stream, as an honest sender makes it."""
    unit, lines = school.unit(stream)
    units = [unit, *sorted(school.others.values(), key=lambda one: one.name)]
    threads = story.threads_of(school.origin, unit.indexes, lines)
    sources = tuple(source(one, threads.found[one.origin, one.stream]) for one in units)
    made = Manifest(
        transfer_id=TRANSFER, kind="school", created=AT, not_after=AT + timedelta(days=30),
        sender=Sender(str(UUID(int=7)), "100001", "330", "2345", f"{school.name} school", school.origin),
        recipients=(Recipient(RECEIVER.recipient.fingerprint, "school"),), sources=sources,
    )  # fmt: skip
    return Parts(replace(made, **changes), lines, units, {"README.txt": b"read me\n", "identity.json": b"{}"})


def source(unit: Unit, found: Mapping[int, bytes]) -> SourceLog:
    document = _DOCUMENTS[unit.origin.partition(".")[0]].document
    return package.source_of(verify(unit, found, document.newest(Purpose.CHECKPOINT).verifiers, ()))


def members_of(parts: Parts) -> dict[str, bytes]:
    """The members of a file after the note, by name."""
    return {one.name: b"".join(one.chunks()) for one in package._contents(parts)}


def build(
    school: PaperSchool,
    made: Manifest,
    members: Mapping[str, bytes],
    *,
    sign: Callable[[note.Note], note.Note] = lambda signed: signed,
    after: Callable[[dict[str, bytes]], dict[str, bytes]] = dict,
    listed: Sequence[Listed] | None = None,
    raw: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """The archive of these members: listed and signed by a sender with the keys, then changed by whoever has none."""
    names = sorted(members, key=archive.rank)
    files = [Listed(name, len(members[name]), hashlib.sha256(members[name]).hexdigest()) for name in names]
    data = raw(bytes(replace(made, files=tuple(files if listed is None else listed))))
    signed = sign(note.sign(note_text(data), school.keys.signers(Purpose.MANIFEST, school.origin), SECONDS))
    whole = after({"manifest.json": data, "manifest.note": bytes(signed), **{name: members[name] for name in names}})
    contents = [Content.of(name, whole[name]) for name in sorted(whole, key=archive.rank)]
    return b"".join(archive.write(contents, padded=made.kind != "audit"))


def sealed(tar: bytes, recipients: Iterable[age.Recipient] = (RECEIVER.recipient,)) -> bytes:
    return age.seal_bytes(tar, list(recipients))


def opened(tar: bytes, now: datetime | None = None, trust: Trust | None = None) -> package.Package:
    """Read an archive as if it had just been decrypted."""
    files, seen = package.take_apart(archive.read(io.BytesIO(tar), padded=True))
    return package.read(package.Staged(files, seen, RECEIVER), trust or Trust(), now)


@pytest.fixture
def paper() -> SimpleNamespace:
    """Everything above, by name."""
    return SimpleNamespace(
        School=PaperSchool, at=AT, transfer_id=TRANSFER, receiver=RECEIVER, fact=fact, parts_of=parts_of, source=source,
        members_of=members_of, build=build, sealed=sealed, opened=opened,
    )  # fmt: skip


@pytest.fixture
def ash() -> PaperSchool:
    """A school whose log holds two pupils' streams and heads."""
    school = PaperSchool("ash")
    for text in ("enrolled", "sat", "released"):
        school.record(b"jo", text)
        school.record(b"kim", text)
    school.publish()
    return school


@pytest.fixture
def beech(ash: PaperSchool) -> PaperSchool:
    """The next school, which took Jo's story in and went on with it."""
    school = PaperSchool("beech")
    school.record(b"lee", "enrolled")
    school.take_in(b"jo here", ash, b"jo")
    school.record(b"jo here", "received")
    school.publish()
    return school
