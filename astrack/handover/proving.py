"""A school's log, proved to others: heads published, a checkpoint signed, the evidence for one stream drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from astrack.changing import Ask, Changing, TooBusy
from astrack.signing import OwnKeys, Signing
from astrack.store import Also, Change, ClockBehind, Statement, VersionClash, roots
from astrack.store.tree import Tree
from astrack.store.types import Row
from astrack.store.vault import Vault
from domain.base import Event, Stamp, StreamClass
from domain.school import HeadsPublished
from transfer.evidence import HeadsShown, Unit, merkle, note
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.heads import Head, Heads
from transfer.keys.signing import Purpose
from transfer.story import Line

ATTEMPTS = 8
VERSION = "SELECT coalesce(max(version), -1) FROM record.events WHERE school_id = %s AND stream_id = %s"


@dataclass(frozen=True, slots=True)
class Published:
    """The heads as they were logged, and the checkpoint over them."""

    row: Row
    heads: Heads
    covers: int
    size: int
    root: bytes
    nodes: merkle.Nodes
    checkpoint: bytes
    keys: OwnKeys
    documents: tuple[tuple[str, bytes], ...]


class Proving:
    """What one school shows of its log."""

    def __init__(self, records: Changing, vault: Vault, signing: Signing) -> None:
        self._records, self._vault, self._signing = records, vault, signing
        self._tree = Tree(vault)
        self._covered = 0
        self._version: int | None = None
        self._heads: dict[UUID, tuple[int, bytes]] = {}

    def publish(self, ask: Ask) -> Published:
        """Log the heads of all streams and sign a checkpoint over them. Raises TooBusy, SchoolNotRegistered."""
        covers = self._records.log.size()
        heads = self._heads_at(covers)
        position = self.append_own(
            ask,
            lambda stamp: HeadsPublished(**stamp.fresh(), covers=covers, streams=heads.size, root=heads.root.hex()),
        )
        row = self._vault.last(self._records.school_id, position + 1)
        every = self._signing.all(self._records.clock())
        signed = self._signed(position + 1, every[-1])
        documents = tuple((f"{one:06d}", bytes(keys.signed)) for one, keys in enumerate(every, 1))
        head = Checkpoint.parse(note.parse(signed).text)
        return Published(
            row, heads, covers, head.size, head.root, self._tree.nodes(head.size), signed, every[-1], documents
        )

    def checkpoint(self, also: Callable[[int, bytes, OwnKeys], Sequence[Statement]]) -> None:
        """Sign a checkpoint of the log as it is now; ``also`` makes of (size, it, keys) what is kept with it."""
        size, keys = self._records.log.size(), self._signing.newest(self._records.clock())
        self._signed(size, keys, lambda signed: also(size, signed, keys))

    def _signed(self, size: int, keys: OwnKeys, also: Callable[[bytes], Sequence[Statement]] = lambda _: ()) -> bytes:
        """The signed checkpoint of the first ``size`` entries; its root and tiles are kept, and what ``also`` says."""
        at, nodes = self._records.clock(), self._tree.nodes(size)
        head = Checkpoint(keys.signed.document.origin, size, merkle.tree_root(nodes, size))
        signed = bytes(note.sign(head.text, keys.signers(Purpose.CHECKPOINT), int(at.timestamp())))
        signed = self._records.witnesses.cosigned(signed, nodes)
        self._tree.save(roots.keeping(self._vault, size, head.root, at), *also(signed))
        return signed

    def append_own(self, ask: Ask, make: Callable[[Stamp], Event], also: Also | None = None) -> int:
        """The position of one fact more in the school's own stream, which is no command of its own. Raises TooBusy."""
        at, version = self._records.clock(), self._version
        for _ in range(ATTEMPTS):
            if version is None:
                version = self._records.log.ask(VERSION, self._records.school_id)[0][0]
            event = make(Stamp(at, ask.by, self._records.new_id))
            change = Change(self._records.school_id, StreamClass.SCHOOL, version, (event,))
            try:
                position = self._records.log.append([change], idempotency=None, also=also)[0]
            except ClockBehind as behind:
                at = max(behind.previous, self._records.clock())
            except VersionClash:
                version = None
            else:
                self._version = version + 1
                return position
        raise TooBusy("others kept writing to the school's log: try again")

    def unit(self, stream_id: UUID, published: Published) -> tuple[Unit, list[Line], list[Row]]:
        """The evidence for one stream, its lines, and its rows as the log had them. The stream must have an entry."""
        rows = self._vault.stream(stream_id, published.covers)
        indexes = tuple(row.position for row in rows)
        made = Unit(
            origin=Checkpoint.parse(note.parse(published.checkpoint).text).origin,
            stream=stream_id.bytes,
            checkpoint=published.checkpoint,
            indexes=indexes,
            nodes=tuple(merkle.multi_proof(published.nodes, (*indexes, published.row.position), published.size)),
            heads=heads_shown(published.row, published.heads, stream_id.bytes),
            keys=published.documents,
        )
        return made, [line_of(row) for row in rows], rows

    def _heads_at(self, covers: int) -> Heads:
        """The heads of all streams below a position, without the school's own stream."""
        start = self._covered if self._covered <= covers else 0
        heads = dict(self._heads) if start else {}
        heads.update({stream: (seq, leaf) for stream, seq, leaf in self._vault.last_entries(start, covers)})
        heads.pop(self._records.school_id, None)
        self._covered, self._heads = covers, heads
        return Heads(Head(stream.bytes, seq, leaf) for stream, (seq, leaf) in heads.items())


def heads_shown(row: Row, heads: Heads, stream: bytes) -> HeadsShown:
    """A heads entry disclosed, with the place of one stream in it."""
    (placed,) = heads.prove(stream).placed
    return HeadsShown(row.position, row.entry, row.salt, row.payload or b"", placed.index, placed.proof)


def line_of(row: Row) -> Line:
    """An entry as a line of the story."""
    if row.payload is None:
        return Line(row.entry, omitted="erased")
    return Line(row.entry, row.payload, row.salt)
