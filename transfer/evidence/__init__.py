"""One stream of one log, proved: in the log by a checkpoint, and complete by the heads (FORMAT.md, section 7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from transfer import canonical, story
from transfer.canonical import Fields
from transfer.errors import BadChain, BadFile, BadHeads, BadProof, BadStory
from transfer.evidence import chain, merkle, note
from transfer.evidence.chain import Entry, b64, unb64
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.heads import Head, HeadProof, Placed, verify_head
from transfer.evidence.note import Verifier
from transfer.story import Line

HEADS_TOPIC = "school.heads-published.v1"
CHECKPOINT, PROOF, ENTRIES, KEYS = "checkpoint", "proof.json", "entries.jsonl", "keys/"
MAX_NODES = 1_000_000
MAX_PATH = 64


@dataclass(frozen=True, slots=True)
class HeadsShown:
    """A heads entry disclosed, and the place of one stream in its tree. ``nodes`` lead from the leaf up."""

    index: int
    entry: bytes
    salt: bytes
    payload: bytes
    place: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """The evidence for one stream. ``others`` are its entries that the story itself does not hold.

    ``extra`` are members of the folder that this version does not know: kept and handed on.
    """

    origin: str
    stream: bytes
    checkpoint: bytes
    indexes: tuple[int, ...]
    nodes: tuple[bytes, ...]
    heads: HeadsShown
    keys: tuple[tuple[str, bytes], ...]
    others: tuple[Line, ...] = ()
    extra: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its folder: 32 hexadecimal digits."""
        return unit_name(self.origin, self.stream)

    def members(self) -> dict[str, bytes]:
        """The files of its folder, by name inside it."""
        found = {**self.extra, CHECKPOINT: self.checkpoint, PROOF: self._proof()}
        found |= {KEYS + name: data for name, data in self.keys}
        if self.others:
            found[ENTRIES] = story.dump(self.others)
        return found

    def _proof(self) -> bytes:
        shown = self.heads
        return canonical.dump({
            "origin": self.origin,
            "stream": b64(self.stream),
            "indexes": list(self.indexes),
            "nodes": [b64(node) for node in self.nodes],
            "heads": {
                "index": shown.index, "entry": b64(shown.entry), "salt": b64(shown.salt),
                "payload": b64(shown.payload), "place": shown.place, "nodes": [b64(node) for node in shown.nodes],
            },
        })  # fmt: skip


def unit_name(origin: str, stream: bytes) -> str:
    """The folder of a unit: the first 32 hexadecimal digits of SHA-256(origin, newline, b64(stream))."""
    return hashlib.sha256(f"{origin}\n{b64(stream)}".encode()).hexdigest()[:32]


def parse(name: str, members: Mapping[str, bytes]) -> Unit:
    """The unit in a folder's files. Raises BadFile, BadStory and what is below."""
    where = f"evidence/{name}"
    left = dict(members)
    try:
        checkpoint, proof = left.pop(CHECKPOINT), left.pop(PROOF)
    except KeyError as error:
        raise BadFile(f"{error.args[0]} is missing", where) from error
    others = story.parse(left.pop(ENTRIES), f"{where}/{ENTRIES}") if ENTRIES in left else []
    if any(not line.omitted for line in others):
        raise BadStory("only withheld entries stand here", f"{where}/{ENTRIES}")
    keys = tuple(sorted((one.removeprefix(KEYS), left.pop(one)) for one in members if one.startswith(KEYS)))
    made = _proof(proof, f"{where}/{PROOF}", checkpoint, keys)
    if made.name != name:
        raise BadFile("it is not the folder of this origin and stream", where)
    return replace(made, others=tuple(others), extra=left)


def _proof(data: bytes, where: str, checkpoint: bytes, keys: tuple[tuple[str, bytes], ...]) -> Unit:
    fields = Fields(canonical.load(data, where), where)
    heads = fields.fields("heads")
    indexes: list[Any] = fields.items("indexes", story.MAX_LINES)
    if any(type(one) is not int or one < 0 for one in indexes) or any(a >= b for a, b in pairwise(indexes)):
        raise BadProof("its indexes are not ascending whole numbers", where)
    made = Unit(
        fields.text("origin"), unb64(fields.text("stream"), where), checkpoint, tuple(indexes),
        _nodes(fields, MAX_NODES),
        HeadsShown(
            heads.number("index"), unb64(heads.text("entry", 1000), where), unb64(heads.text("salt"), where, 32),
            unb64(heads.text("payload", 10_000), where), heads.number("place"), _nodes(heads, MAX_PATH),
        ),
        keys,
    )  # fmt: skip
    heads.done()
    fields.done()
    return made


def _nodes(fields: Fields, most: int) -> tuple[bytes, ...]:
    return tuple(unb64(one, fields.where, merkle.HASH_BYTES) for one in fields.items("nodes", most))


@dataclass(frozen=True, slots=True)
class Proved:
    """What checking a unit has shown: the log's size and root, and the stream's entries from the first to the last."""

    unit: Unit
    size: int
    root: bytes
    entries: tuple[bytes, ...]
    head: bytes
    signed_at: Mapping[Verifier, int | None]


def verify(unit: Unit, found: Mapping[int, bytes], keys: Sequence[Verifier], witnesses: Sequence[Verifier]) -> Proved:
    """Check one stream: its chain, its place in the signed log, and that nothing of it is missing.

    ``found`` are the entries the story holds, by index; ``keys`` those that must have signed the checkpoint.
    Raises BadNote, BadSignature, BadChain, BadProof, BadHeads.
    """
    where = f"the log {unit.origin}"
    signed = note.parse(unit.checkpoint)
    times = note.require(signed, keys)
    times |= note.verify(signed, witnesses)
    head = note.open_checkpoint(unit.checkpoint, keys)
    if head.origin != unit.origin:
        raise BadProof(f"its checkpoint is of another log, {head.origin!r}", where)
    entries = _in_order(unit, found, where)
    own = _chain(unit, entries, where)
    shown = chain.parse_entry(unit.heads.entry)
    leaves = dict(zip(unit.indexes, own, strict=True))
    leaves[unit.heads.index] = chain.leaf(unit.heads.entry)
    if len(leaves) != len(entries) + 1 or max(leaves) >= head.size:
        raise BadProof("an index lies outside the log, or twice in it", where)
    merkle.verify_multi(head.root, head.size, leaves, unit.nodes)
    _complete(unit, shown, len(entries) - 1, own[-1], where)
    return Proved(unit, head.size, head.root, entries, own[-1], times)


def _in_order(unit: Unit, found: Mapping[int, bytes], where: str) -> tuple[bytes, ...]:
    """Every entry of the stream in order: those of the story and the others, which fill the gaps."""
    gaps = [index for index in unit.indexes if index not in found]
    if len(gaps) != len(unit.others) or len(unit.indexes) != len(found) + len(gaps):
        raise BadProof("the proof is not of exactly the entries that are there", where)
    whole = {**found, **{index: line.entry for index, line in zip(gaps, unit.others, strict=True)}}
    return tuple(whole[index] for index in unit.indexes)


def _chain(unit: Unit, entries: Sequence[bytes], where: str) -> list[bytes]:
    """Check that the entries follow one another from number 0; the leaf of each. Raises BadChain."""
    leaves, leaf, last = list[bytes](), chain.ZERO, ""
    for seq, data in enumerate(entries):
        parsed = chain.parse_entry(data)
        if parsed.stream != unit.stream or parsed.seq != seq or parsed.prev != leaf or last == "erasure":
            raise BadChain(f"entry {seq} of the stream does not follow the one before it", where)
        leaf, last = chain.leaf(data), parsed.kind
        leaves.append(leaf)
    if not entries:
        raise BadChain("the stream has no entry", where)
    return leaves


def _complete(unit: Unit, shown: Entry, seq: int, leaf: bytes, where: str) -> None:
    """Check against the heads that the stream ends where the story ends. Raises BadHeads."""
    covers, streams, root = heads_of(shown, unit.heads.salt, unit.heads.payload, where)
    if not unit.indexes[-1] < covers <= unit.heads.index:
        raise BadHeads("the heads were taken before the last entry, or of what came after them", where)
    placed = Placed(Head(unit.stream, seq, leaf), unit.heads.place, unit.heads.nodes)
    if verify_head(root, streams, HeadProof(unit.stream, (placed,))) is None:
        raise BadHeads("the stream is not among the heads", where)


def heads_of(shown: Entry, salt: bytes, payload: bytes, where: str) -> tuple[int, int, bytes]:
    """(covers, streams, root) that a disclosed heads entry states. Raises BadHeads."""
    if shown.kind != "heads" or chain.commitment(salt, payload) != shown.commitment:
        raise BadHeads("it is not a heads entry that commits to this payload", where)
    return stated(payload, where)


def stated(payload: bytes, where: str) -> tuple[int, int, bytes]:
    """(covers, streams, root) in the payload of a heads entry. Raises BadHeads."""
    try:
        fact = json.loads(payload)
        topic, data = fact["topic"], fact["data"]
        covers, streams, root = data["covers"], data["streams"], bytes.fromhex(data["root"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadHeads("its payload does not state covers, streams and root", where) from error
    if topic != HEADS_TOPIC or type(covers) is not int or type(streams) is not int or len(root) != 32 or covers < 0:
        raise BadHeads("its payload is not of the heads", where)
    return covers, streams, root


def head_of(unit: Unit) -> Checkpoint:
    """What the unit's checkpoint says, its signatures left aside. Raises BadNote."""
    return Checkpoint.parse(note.parse(unit.checkpoint).text)


def last_leaf(entries: Sequence[bytes]) -> bytes:
    """The leaf of the last entry."""
    return chain.leaf(entries[-1])


def later(old: Unit, old_entries: Sequence[bytes], new: Unit, new_entries: Sequence[bytes]) -> bool:
    """Whether ``new`` shows at least as much of a stream as ``old``. Raises BadChain when they contradict."""
    shared = min(len(old_entries), len(new_entries))
    if old_entries[:shared] != new_entries[:shared] or old.indexes[:shared] != new.indexes[:shared]:
        raise BadChain("two files show two different histories of one stream", f"the log {old.origin}")
    return len(new_entries) >= len(old_entries)
