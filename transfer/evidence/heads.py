"""The heads tree: the last entry of every stream, so that a stream can be shown to be complete or absent.

Its leaves are (stream, seq, leaf) sorted by stream; its root and its size are logged (FORMAT.md, section 3).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from transfer.errors import BadHeads, BadProof
from transfer.evidence import merkle
from transfer.evidence.chain import MAX_SEQ, MAX_STREAM_BYTES, b64

HEAD_LABEL = "astrack/head/v1"


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The end of one stream: its id, the number of its last entry, and that entry's leaf hash."""

    stream: bytes
    seq: int
    leaf: bytes

    @property
    def hash(self) -> bytes:
        """Its leaf in the heads tree: the RFC 6962 leaf hash of its four lines. Raises BadHeads."""
        if not 1 <= len(self.stream) <= MAX_STREAM_BYTES or not 0 <= self.seq <= MAX_SEQ or len(self.leaf) != 32:
            raise BadHeads("a stream, number or leaf is not one", "heads tree")
        return merkle.leaf_hash(f"{HEAD_LABEL}\n{b64(self.stream)}\n{self.seq}\n{b64(self.leaf)}\n".encode("ascii"))


@dataclass(frozen=True, slots=True)
class Placed:
    """A head, its index in the heads tree, and the inclusion proof from the leaf up."""

    head: Head
    index: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HeadProof:
    """Presence: the one head of the stream. Absence: its two neighbours, one at an end, none in an empty tree."""

    stream: bytes
    placed: tuple[Placed, ...]


class Heads:
    """The heads of one school's streams at one moment."""

    def __init__(self, heads: Iterable[Head]) -> None:
        self.heads = sorted(heads)
        if any(a.stream == b.stream for a, b in pairwise(self.heads)):
            raise BadHeads("a stream stands twice", "heads tree")
        self._nodes = merkle.nodes_of([head.hash for head in self.heads])
        self.size = len(self.heads)
        self.root = merkle.tree_root(self._nodes, self.size)

    def _place(self, index: int) -> Placed:
        return Placed(self.heads[index], index, tuple(merkle.inclusion_proof(self._nodes, index, self.size)))

    def prove(self, stream: bytes) -> HeadProof:
        """The proof of this stream's head, or of its absence."""
        index = bisect_left(self.heads, stream, key=lambda head: head.stream)
        if index < self.size and self.heads[index].stream == stream:
            return HeadProof(stream, (self._place(index),))
        return HeadProof(stream, tuple(self._place(near) for near in (index - 1, index) if 0 <= near < self.size))


def verify_head(root: bytes, size: int, proof: HeadProof) -> Head | None:
    """The proven head of the stream, or None when the proof shows that the stream is not there. Raises BadHeads."""
    try:
        for placed in proof.placed:
            merkle.verify_inclusion(root, size, placed.index, placed.head.hash, placed.proof)
    except BadProof as error:
        raise BadHeads(error.what, "heads proof") from error
    if [placed.head.stream for placed in proof.placed] == [proof.stream]:
        return proof.placed[0].head
    if not _shows_absence(root, size, proof):
        raise BadHeads("it shows neither the stream nor that it is absent", "heads proof")
    return None


def _shows_absence(root: bytes, size: int, proof: HeadProof) -> bool:
    """Whether the proven heads leave no place for the stream between them, at either end, or at all."""
    if size == 0:
        return root == merkle.EMPTY_ROOT and not proof.placed
    if len(proof.placed) == 2:
        before, after = proof.placed
        return before.index + 1 == after.index and before.head.stream < proof.stream < after.head.stream
    if len(proof.placed) != 1:
        return False
    only = proof.placed[0]
    at_start = only.index == 0 and proof.stream < only.head.stream
    return at_start or (only.index == size - 1 and only.head.stream < proof.stream)
