"""The audit bundle: every entry of one school's log, nothing personal, streamed both ways (FORMAT.md, section 10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from transfer import archive, canonical, evidence, manifest, package
from transfer.archive import Content
from transfer.canonical import Fields
from transfer.errors import BadFile, BadHeads, BadManifest, BadProof, TooLarge
from transfer.evidence import chain, merkle, note
from transfer.evidence.chain import b64, unb64
from transfer.evidence.heads import Head, Heads
from transfer.evidence.note import Signer
from transfer.keys.trust import Standing, Trust
from transfer.manifest import Listed, Manifest, SourceLog

ENTRIES, HEADS = "entries.txt", "heads.jsonl"
SUFFIX = ".tar"
MAX_ENTRIES = 100_000_000
MAX_HEADS = 100_000
SPECIAL = frozenset((b"erasure", b"heads"))


@dataclass(frozen=True, slots=True)
class HeadsOpened:
    """A heads entry disclosed: its index and stream, and what opens its commitment."""

    index: int
    stream: bytes
    payload: bytes
    salt: bytes

    def __bytes__(self) -> bytes:
        opened = f'"payload":"{b64(self.payload)}","salt":"{b64(self.salt)}","stream":"{b64(self.stream)}"'
        return f'{{"index":{self.index},{opened}}}\n'.encode()


@dataclass(frozen=True, slots=True)
class LogParts:
    """What a bundle is made of. ``entries`` gives the entries' bytes in order, each time it is called.

    ``members`` are small files by name: the checkpoint and key documents under their unit, README.txt.
    """

    manifest: Manifest
    entries: Callable[[], Iterable[bytes]]
    heads: Sequence[HeadsOpened]
    members: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Audited:
    """What a bundle has shown. ``erased``: stream -> how many entries stand, unreadable, before its erasure."""

    manifest: Manifest
    standing: Standing
    entries: int
    streams: int
    kinds: Mapping[str, int]
    heads: int
    erased: Mapping[bytes, int]
    witnesses: int
    marks: int = 0


def unit_of(origin: str) -> str:
    """The folder of a whole log: the unit of the stream without a name."""
    return evidence.unit_name(origin, b"")


def source_of(origin: str, size: int, root: bytes) -> SourceLog:
    """What the manifest states of the log."""
    return SourceLog(origin, unit_of(origin), "", size, root.hex(), 0, max(0, size - 1), "")


def write(parts: LogParts, signers: Sequence[Signer], at: int) -> tuple[Manifest, Iterator[bytes]]:
    """(the manifest, the bundle in pieces); ``at`` is Unix seconds. The entries are gone through twice."""
    size, digest = _measured(parts.entries())
    heads = b"".join(map(bytes, parts.heads))
    small = [Content.of(name, data) for name, data in {**parts.members, HEADS: heads}.items()]
    contents = [Content(ENTRIES, size, parts.entries), *small]
    contents.sort(key=lambda one: archive.rank(one.name))
    listed = [_listed(one, digest) for one in contents]
    made = replace(parts.manifest, files=tuple(listed))
    data = bytes(made)
    signed = bytes(note.sign(manifest.note_text(data), signers, at))
    head = [Content.of(package.MANIFEST, data), Content.of(package.NOTE, signed)]
    return made, archive.write([*head, *contents], padded=False)


def _measured(entries: Iterable[bytes]) -> tuple[int, str]:
    size, hashed = 0, sha256()
    for one in entries:
        size += len(one)
        hashed.update(one)
    return size, hashed.hexdigest()


def _listed(one: Content, digest: str) -> Listed:
    return Listed(one.name, one.size, digest if one.name == ENTRIES else manifest.digest(b"".join(one.chunks())))


def read(source: archive.Source, trust: Trust, seen: Mapping[str, Mapping[int, bytes]] | None = None) -> Audited:
    """Verify a bundle as it streams by; memory grows with the number of streams, not of entries.

    ``seen``: by origin, the root that other files showed for a size of that log: the bundle must begin with each.

    Raises BadArchive, BadManifest, BadSignature, BadFile, BadChain, BadHeads, BadProof, TooLarge.
    """
    files: dict[str, bytes] = {}
    seen_here: dict[str, Listed] = {}
    walk = Walk([])
    for member in archive.read(source, padded=False):
        hashed = sha256()
        chunks = _hashed(member.chunks, hashed.update)
        files[member.name] = b""
        if member.name == ENTRIES:
            walk = Walk(_opened(files.get(HEADS, b"")), {size for sizes in (seen or {}).values() for size in sizes})
            walk.take(_lines(chunks))
        else:
            files[member.name] = b"".join(chunks)
        seen_here[member.name] = Listed(member.name, member.size, hashed.hexdigest())
    made, standings = package.check_manifest(files, trust, None)
    if made.kind != "audit" or len(made.sources) != 1:
        raise BadManifest("it is not an audit bundle of one log", package.MANIFEST)
    package.check_listing(made, seen_here)
    standing = standings[made.sources[0].unit]
    witnesses = _check_log(made, files, walk, standing, trust)
    marks = _check_marks(walk, (seen or {}).get(made.sender.origin, {}))
    return Audited(
        made,
        standing,
        walk.tree.size,
        len(walk.streams),
        dict(walk.kinds),
        walk.shown,
        dict(walk.erased),
        witnesses,
        marks,
    )


def _check_log(made: Manifest, files: Mapping[str, bytes], walk: Walk, standing: Standing, trust: Trust) -> int:
    """The log that was gone through is the one that the checkpoint signs; how many known witnesses signed it too."""
    origin = made.sender.origin
    data = files.get(f"{package.EVIDENCE}{unit_of(origin)}/{evidence.CHECKPOINT}")
    if data is None or ENTRIES not in files:
        raise BadFile("it is missing", "checkpoint" if data is None else ENTRIES)
    head = note.open_checkpoint(data, standing.checkpoint_keys)
    if (head.origin, head.size, head.root) != (origin, walk.tree.size, walk.tree.root()):
        raise BadProof("its entries are not those that the checkpoint signs", ENTRIES)
    if walk.left:
        raise BadHeads("a disclosed heads entry is not in the log", HEADS)
    if made.sources[0] != source_of(origin, head.size, head.root):
        raise BadManifest("its source is not what the log shows", package.MANIFEST)
    return len(note.verify(note.parse(data), trust.witnesses))


def _check_marks(walk: Walk, seen: Mapping[int, bytes]) -> int:
    """The log begins with what other files showed of it, as far as it reaches. Raises BadProof."""
    reached = [size for size in seen if size in walk.roots]
    for size in reached:
        if walk.roots[size] != seen[size]:
            raise BadProof(f"it does not begin with the {size} entries that another file shows", ENTRIES)
    return len(reached)


def _opened(data: bytes) -> list[HeadsOpened]:
    """The disclosed heads. Raises BadFile, TooLarge."""
    rows = data.split(b"\n")
    if rows.pop() or len(rows) > MAX_HEADS:
        raise TooLarge(f"there are more than {MAX_HEADS} lines, or the last does not end", HEADS)
    found = []
    for number, row in enumerate(rows, 1):
        where = f"{HEADS}, line {number}"
        fields = Fields(canonical.load(row, where), where)
        found.append(HeadsOpened(
            fields.number("index"), unb64(fields.text("stream"), where), unb64(fields.text("payload", 10_000), where),
            unb64(fields.text("salt"), where, chain.SALT_BYTES),
        ))  # fmt: skip
        fields.done()
    return found


def _hashed(chunks: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def _lines(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines of whole entries in a run of chunks."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        whole = (len(lines) - 1) // chain.ENTRY_LINES * chain.ENTRY_LINES
        yield lines[:whole]
        rest = b"\n".join(lines[whole:])
        if len(rest) > chain.MAX_ENTRY_BYTES:
            raise TooLarge(f"an entry is over {chain.MAX_ENTRY_BYTES} bytes", ENTRIES)
    if rest:
        raise BadFile("it ends within an entry", ENTRIES)


class Walk:
    """Going through a log: each stream's last entry, the tree, and each disclosed heads root where it was taken."""

    def __init__(self, opened: Sequence[HeadsOpened], marks: Collection[int] = ()) -> None:
        self.roots: dict[int, bytes] = {}
        self._marks = sorted(marks, reverse=True)
        self.tree = merkle.Frontier()
        self.streams = chain.Streams()
        self.kinds: Counter[str] = Counter()
        self.erased: dict[bytes, int] = {}
        self.shown = 0
        self.left = {one.index: one for one in opened}
        self._due = sorted(((_covers(one), one.stream) for one in opened), reverse=True)
        self._roots: dict[tuple[int, bytes], tuple[int, bytes]] = {}

    def take(self, batches: Iterable[list[bytes]]) -> None:
        """All entries as lines, in order. Raises BadChain, BadEntry, BadHeads, TooLarge."""
        for lines in batches:
            while lines:
                now = self._until_stop(len(lines)) * chain.ENTRY_LINES
                self._follow(lines[:now])
                lines = lines[now:]
            if self.tree.size > MAX_ENTRIES:
                raise TooLarge(f"there are more than {MAX_ENTRIES} entries", ENTRIES)
        self._until_stop(0)

    def _until_stop(self, most: int) -> int:
        """How many entries to take at once: no mark may lie inside, and no place where heads were taken."""
        while self._marks and self._marks[-1] == self.tree.size:
            self.roots[self._marks.pop()] = self.tree.root()
        while self._due and self._due[-1][0] == self.tree.size:
            self._take_heads(self._due.pop())
        stops = [self._marks[-1]] if self._marks else []
        stops += [self._due[-1][0]] if self._due else []
        return min([most, *(stop - self.tree.size for stop in stops)])

    def _follow(self, lines: list[bytes]) -> None:
        kinds, leaves = self.streams.follow(lines)
        counts = Counter(kinds)
        if counts.keys() & SPECIAL:
            for number, kind in enumerate(kinds):
                if kind in SPECIAL:
                    start = number * chain.ENTRY_LINES
                    self._special(self.tree.size + number, lines[start : start + chain.ENTRY_LINES])
        self.kinds.update({kind.decode(): count for kind, count in counts.items()})
        self.tree.extend(leaves)

    def _special(self, index: int, lines: list[bytes]) -> None:
        parsed = chain.parse_entry(b"\n".join(lines) + b"\n")
        if parsed.kind == "erasure":
            self.erased[parsed.stream] = parsed.seq
        else:
            self._published(index, parsed)

    def _take_heads(self, key: tuple[int, bytes]) -> None:
        """The heads as they stand now, but for the stream of the heads entries itself."""
        if key not in self._roots:
            heads = Heads(Head(*end) for end in self.streams.ends() if end[0] != key[1])
            self._roots[key] = (heads.size, heads.root)

    def _published(self, index: int, parsed: chain.Entry) -> None:
        opened = self.left.pop(index, None)
        where = f"{ENTRIES}, entry {index}"
        if opened is None or opened.stream != parsed.stream:
            raise BadHeads("it is of the heads and is not disclosed", where)
        covers, streams, root = evidence.heads_of(parsed, opened.salt, opened.payload, where)
        if covers > index or self._roots.get((covers, parsed.stream)) != (streams, root):
            raise BadHeads("its root is not that of the streams as they stood", where)
        self.shown += 1


def _covers(opened: HeadsOpened) -> int:
    return evidence.stated(opened.payload, f"{HEADS}, entry {opened.index}")[0]
