"""The sealed file as a whole: write and read, in the order of FORMAT.md."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import BinaryIO, cast

from transfer import age, archive, canonical, cloudevents, evidence, manifest, story
from transfer.archive import Content, Member
from transfer.errors import (
    BadContainer,
    BadFile,
    BadManifest,
    BadSignature,
    OutOfDate,
    TooLarge,
    UnknownSigner,
    WrongRecipient,
)
from transfer.evidence import Proved, Unit, note
from transfer.evidence.chain import b64
from transfer.evidence.note import Kind, Signer
from transfer.keys.trust import Standing, Trust
from transfer.manifest import Listed, Manifest, SourceLog
from transfer.story import Line, Threads

MANIFEST, NOTE, IDENTITY, ACTORS, README = (
    "manifest.json",
    "manifest.note",
    "identity.json",
    "actors.json",
    "README.txt",
)
EVIDENCE, ATTACHMENTS = "evidence/", "attachments/"
SUFFIX = ".tar.age"
IN_MEMORY = 8 << 20
Sink = Callable[[str, Iterator[bytes]], None]
"""Where an attachment goes: its name, and its bytes as they come; nothing of it is believed before ``read``."""
AHEAD_MAX = timedelta(days=1)
NOTE_KINDS = (Kind.ED25519, Kind.ML_DSA_65)


@dataclass(frozen=True, slots=True)
class Parts:
    """What goes into a file, apart from what follows from it. ``members`` are small files by name."""

    manifest: Manifest
    lines: Sequence[Line]
    units: Sequence[Unit]
    members: Mapping[str, bytes] = field(default_factory=dict)
    attachments: Sequence[Content] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """A file whose every part has been checked. ``standings`` say by origin how its keys are known."""

    manifest: Manifest
    manifest_bytes: bytes
    lines: Sequence[Line]
    threads: Threads
    proved: Mapping[str, Proved]
    standings: Mapping[str, Standing]
    members: Mapping[str, bytes]

    @property
    def manifest_sha256(self) -> str:
        """The manifest hash: it names the file."""
        return manifest.digest(self.manifest_bytes)

    @property
    def sender(self) -> Standing:
        """How the sender's key is known."""
        return self.standings[self.manifest.sources[0].unit]


def write(
    sink: BinaryIO, parts: Parts, recipients: Sequence[age.Recipient], signers: Sequence[Signer], at: int
) -> Manifest:
    """Seal a file to ``sink``; the manifest as written. ``at`` is Unix seconds. Raises BadKey, BadArchive, TooLarge."""
    contents = _contents(parts)
    made = replace(parts.manifest, files=tuple(map(_listed, contents)))
    data = bytes(made)
    signed = note.sign(manifest.note_text(data), signers, at)
    head = [Content.of(MANIFEST, data), Content.of(NOTE, bytes(signed))]
    source = cast(BinaryIO, Reader(archive.write([*head, *contents], padded=True)))
    age.seal(source, sink, recipients)
    return made


def _contents(parts: Parts) -> list[Content]:
    small = {**parts.members, story.MEMBER: story.dump(parts.lines)}
    for unit in parts.units:
        small |= {f"{EVIDENCE}{unit.name}/{name}": data for name, data in unit.members().items()}
    found = [Content.of(name, data) for name, data in small.items()]
    return sorted([*found, *parts.attachments], key=lambda one: archive.rank(one.name))


def _listed(content: Content) -> Listed:
    if content.name.startswith(ATTACHMENTS):
        return Listed(content.name, content.size, content.name.removeprefix(ATTACHMENTS))
    return Listed(content.name, content.size, manifest.digest(b"".join(content.chunks())))


class Reader:
    """A file to read made of pieces as they come."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def read(self, size: int, /) -> bytes:
        """Exactly ``size`` bytes, fewer only at the end."""
        parts, need = [self._left], size - len(self._left)
        while need > 0 and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            need -= len(piece)
        whole = b"".join(parts)
        self._left = whole[size:]
        return whole[:size]


@dataclass(frozen=True, slots=True)
class Staged:
    """A file decrypted and taken apart, nothing of it believed yet; ``identity`` opened it."""

    files: Mapping[str, bytes]
    seen: Mapping[str, Listed]
    identity: age.Identity


class _Capped:
    """A staging area that refuses more than a sealed file may hold."""

    def __init__(self, below: BinaryIO) -> None:
        self._below, self._left = below, archive.MAX_SEALED

    def write(self, data: bytes, /) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(f"it is over {archive.MAX_SEALED} bytes", "sealed file")
        return self._below.write(data)


def open_sealed(source: BinaryIO, identities: Sequence[age.Identity], sink: Sink | None = None) -> Staged:
    """Decrypt a file and take it apart. Raises NotForUs, BadContainer, BadArchive, TooLarge.

    Attachments go to ``sink`` and are not held in memory: what is decrypted is staged on disk beyond 8 MiB.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as staging:
        identity = age.unseal(source, cast(BinaryIO, _Capped(cast(BinaryIO, staging))), identities)
        staging.seek(0)
        files, seen = take_apart(archive.read(staging, padded=True), sink)
    return Staged(files, seen, identity)


def take_apart(members: Iterator[Member], sink: Sink | None = None) -> tuple[dict[str, bytes], dict[str, Listed]]:
    """The members' bytes by name, and their sizes and digests; attachments go to ``sink``, not into memory."""
    files: dict[str, bytes] = {}
    seen: dict[str, Listed] = {}
    for member in members:
        hashed = sha256()
        if member.name.startswith(ATTACHMENTS):
            _drain(_hashing(member.chunks, hashed.update), member.name, sink)
            files[member.name] = b""
        else:
            files[member.name] = b"".join(_hashing(member.chunks, hashed.update))
        seen[member.name] = Listed(member.name, member.size, hashed.hexdigest())
    return files, seen


def _drain(chunks: Iterator[bytes], name: str, sink: Sink | None) -> None:
    if sink is not None:
        sink(name, chunks)
    for _ in chunks:
        pass


def _hashing(chunks: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def read(staged: Staged, trust: Trust, now: datetime | None = None) -> Package:
    """Check everything in a file that was opened, in the order of FORMAT.md section 8.

    ``now`` is given when the file is to be imported: then time limits count, and the opener must be a recipient.
    Raises the first refusal of transfer.errors.
    """
    made, standings = check_manifest(staged.files, trust, now)
    _for_us(made, staged.identity)
    if now is not None:
        _in_time(made, now)
    check_listing(made, staged.seen)
    return _check_contents(made, staged.files, standings, trust)


def check_manifest(
    files: Mapping[str, bytes], trust: Trust, now: datetime | None
) -> tuple[Manifest, dict[str, Standing]]:
    """The signed manifest, and how the keys of each unit are known. Raises BadManifest, BadSignature and below."""
    for name in (MANIFEST, NOTE):
        if name not in files:
            raise BadManifest(f"there is no {name}", "archive")
    data = files[MANIFEST]
    made = manifest.parse(data)
    # only the sender has to be valid now: the keys of schools before it have run out long ago, their proofs have not
    standings = {
        one.unit: trust.judge(one.origin, _documents(files, one.unit), now if one is made.sources[0] else None)
        for one in made.sources
    }
    signed = note.parse(files[NOTE])
    if signed.text != manifest.note_text(data):
        raise BadSignature("it is signed for another manifest", NOTE)
    keys = standings[made.sources[0].unit].manifest_keys
    require_exactly(signed, keys, NOTE_KINDS, NOTE)
    return made, standings


def require_exactly(signed: note.Note, keys: Sequence[note.Verifier], kinds: Sequence[Kind], where: str) -> None:
    """Every one of ``keys``, of just these kinds, must have signed, and nobody else.

    Raises BadSignature, UnknownSigner.
    """
    if sorted(key.kind.name for key in keys) != sorted(kind.name for kind in kinds):
        raise UnknownSigner("the key document does not name one key of each required kind", where)
    note.require(signed, keys)
    if len(signed.signatures) != len(keys):
        raise BadSignature("somebody signed who has no place here", where)


def _documents(files: Mapping[str, bytes], unit: str) -> list[bytes]:
    folder = f"{EVIDENCE}{unit}/{evidence.KEYS}"
    return [files[name] for name in sorted(files) if name.startswith(folder)]


def _for_us(made: Manifest, identity: age.Identity) -> None:
    if made.kind == "audit":
        raise BadManifest("an audit bundle is never sealed", MANIFEST)
    if identity.recipient.fingerprint not in {one.fingerprint for one in made.recipients}:
        raise WrongRecipient("the key that opened the file is not among those it was signed for", MANIFEST)


def _in_time(made: Manifest, now: datetime) -> None:
    if made.not_after is not None and now > made.not_after:
        raise OutOfDate(f"its time limit was {made.not_after:%d %B %Y}", MANIFEST)
    if made.created - now > AHEAD_MAX:
        raise OutOfDate(f"it says it was made on {made.created:%d %B %Y}, which has not come", MANIFEST)


def check_listing(made: Manifest, seen: Mapping[str, Listed]) -> None:
    """The members are exactly those listed, in that order, with their sizes and digests. Raises BadFile."""
    there = [name for name in seen if name not in (MANIFEST, NOTE)]
    if there != [one.name for one in made.files]:
        odd = sorted(set(there) ^ {one.name for one in made.files})
        raise BadFile("it is listed but missing, or there but not listed", odd[0] if odd else "order of members")
    for one in made.files:
        if seen[one.name] != one:
            raise BadFile("it is not what the manifest says", one.name)
        if one.name.startswith(ATTACHMENTS) and one.name != ATTACHMENTS + one.sha256:
            raise BadFile("an attachment is named by its digest", one.name)


def _check_contents(
    made: Manifest, files: Mapping[str, bytes], standings: Mapping[str, Standing], trust: Trust
) -> Package:
    if story.MEMBER not in files:
        raise BadFile("it is missing", story.MEMBER)
    for name in (IDENTITY, ACTORS):
        if name in files:
            canonical.load(files[name], name)
    units = read_units(files)
    lines = story.parse(files[story.MEMBER])
    own = units.get(made.sources[0].unit)
    threads = story.threads_of(made.sender.origin, own.indexes if own else (), lines)
    proved = _prove(made, units, threads, standings, trust)
    if cloudevents.MEMBER in files:
        cloudevents.check(files[cloudevents.MEMBER], made.sender.origin, lines)
    rest = {name: data for name, data in files.items() if not name.startswith(EVIDENCE) and name != story.MEMBER}
    return Package(made, files[MANIFEST], lines, threads, proved, standings, rest)


def read_units(files: Mapping[str, bytes]) -> dict[str, Unit]:
    """Every unit of evidence, by its folder. Raises BadFile and below."""
    folders: dict[str, dict[str, bytes]] = {}
    for name, data in files.items():
        if name.startswith(EVIDENCE):
            folder, _, inner = name.removeprefix(EVIDENCE).partition("/")
            folders.setdefault(folder, {})[inner] = data
    return {folder: evidence.parse(folder, inner) for folder, inner in folders.items()}


def _prove(
    made: Manifest, units: Mapping[str, Unit], threads: Threads, standings: Mapping[str, Standing], trust: Trust
) -> dict[str, Proved]:
    """Check every stream the story passed through, and that the manifest states what was found."""
    needed = {evidence.unit_name(*stream): found for stream, found in threads.found.items()}
    stated = {one.unit: one for one in made.sources}
    if not needed.keys() == units.keys() == stated.keys() or len(stated) != len(made.sources):
        raise BadFile("there is not exactly one folder for each log the story passed through", "evidence")
    proved: dict[str, Proved] = {}
    for name, unit in units.items():
        keys = standings[name].checkpoint_keys
        proved[name] = evidence.verify(unit, needed[name], keys, trust.witnesses)
        if source_of(proved[name]) != stated[name]:
            raise BadManifest("its sources are not what the evidence shows", MANIFEST)
    if [one.unit for one in made.sources[1:]] != sorted(one.unit for one in made.sources[1:]):
        raise BadManifest("its sources are not in order", MANIFEST)
    return proved


def source_of(proved: Proved) -> SourceLog:
    """What the manifest states of a unit."""
    unit = proved.unit
    return SourceLog(
        unit.origin, unit.name, b64(unit.stream), proved.size, proved.root.hex(), 0, len(proved.entries) - 1,
        b64(proved.head),
    )  # fmt: skip


def refuse_empty(data: bytes) -> None:
    """An empty file is no file. Raises BadContainer."""
    if not data:
        raise BadContainer("it is empty", "sealed file")
