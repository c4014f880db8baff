"""Part of a Merkle tree: from a proof of many leaves, the proof of some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from transfer.errors import BadProof
from transfer.evidence import merkle
from transfer.evidence.merkle import Nodes


def part_proof(size: int, leaves: Mapping[int, bytes], proof: Sequence[bytes], indexes: Iterable[int]) -> list[bytes]:
    """The multi-proof of the leaves at ``indexes`` alone, made from one of all ``leaves``, which was verified.

    ``leaves`` are leaf hashes by index. Raises BadProof when an index is not among them.
    """
    wanted = set(indexes)
    if not wanted <= leaves.keys():
        raise BadProof("a leaf is not among those that are proved", "multi-proof")
    known = dict(zip(merkle.cover(sorted(leaves), 0, size), proof, strict=True))
    nodes = _nodes(known, leaves)
    return [_span(known, nodes, *span) for span in merkle.cover(sorted(wanted), 0, size)]


def _nodes(known: Mapping[merkle.Span, bytes], leaves: Mapping[int, bytes]) -> Nodes:
    def node(level: int, index: int) -> bytes:
        start, end = index << level, (index + 1) << level
        if (found := known.get((start, end))) is not None:
            return found
        if level == 0:
            return leaves[index]
        return merkle.node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def _span(known: Mapping[merkle.Span, bytes], nodes: Nodes, start: int, end: int) -> bytes:
    """The hash of a span that may hold known spans which are no full subtrees (the right edge)."""
    if (found := known.get((start, end))) is not None:
        return found
    count = end - start
    if count & (count - 1) == 0:
        return nodes(count.bit_length() - 1, start // count)
    middle = start + merkle.split(count)
    return merkle.node_hash(_span(known, nodes, start, middle), _span(known, nodes, middle, end))
