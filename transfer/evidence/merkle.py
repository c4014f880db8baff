"""RFC 6962 Merkle trees: roots, proofs and the 256-wide tiles of C2SP tlog-tiles.

A tree is read through ``Nodes``: (level, index) -> the hash of the index-th full subtree of 2**level leaves.
A span (start, end) is the part of a tree over those leaves; every proof is a list of span hashes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import islice

from transfer.errors import BadProof

Nodes = Callable[[int, int], bytes]
Tile = Callable[[int, int], bytes]
Span = tuple[int, int]

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_SIZE = (1 << 63) - 1
BULK_LEVEL = 12
CACHED_TILES = 512
KEPT_PYRAMIDS = 64


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data) (RFC 6962, 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right) (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def _parents(hashes: Sequence[bytes]) -> list[bytes]:
    return [sha256(b"\x01" + a + b).digest() for a, b in zip(hashes[::2], hashes[1::2], strict=False)]


def _perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = _parents(hashes)
    return hashes[0]


class Frontier:
    """The right edge of a growing tree: at most 63 hashes, however long the log.

    ``size`` is the number of leaves so far. Adding n leaves costs n hashes; ``root`` costs log2(size).
    """

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes in order."""
        done = 0
        while done < len(leaves):
            aligned = (self.size & -self.size).bit_length() - 1 if self.size else BULK_LEVEL
            level = min(aligned, BULK_LEVEL, (len(leaves) - done).bit_length() - 1)
            self._push(level, _perfect_root(leaves[done : done + (1 << level)]))
            done += 1 << level

    def _push(self, level: int, full: bytes) -> None:
        place = self.size >> level
        while place & 1:
            full = node_hash(self._edge.pop(), full)
            place >>= 1
        self._edge.append(full)
        self.size += 1 << level

    def root(self) -> bytes:
        """The RFC 6962 root of the leaves so far; SHA-256("") when there are none."""
        if not self._edge:
            return EMPTY_ROOT
        *rest, found = self._edge
        for left in reversed(rest):
            found = node_hash(left, found)
        return found


def _root_over(leaves: Sequence[bytes]) -> bytes:
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def root(leaves: Iterable[bytes]) -> bytes:
    """The RFC 6962 root of leaf hashes, read once and never held together."""
    frontier, source = Frontier(), iter(leaves)
    while chunk := list(islice(source, 1 << BULK_LEVEL)):
        frontier.extend(chunk)
    return frontier.root()


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    """The nodes of a small tree that is held in memory whole."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        levels.append(_parents(levels[-1]))
    return lambda level, index: levels[level][index]


@lru_cache(maxsize=KEPT_PYRAMIDS)
def _pyramid(data: bytes) -> list[list[bytes]]:
    # by its bytes: a full tile never changes, and each checkpoint asks for the same ones again
    levels = [[data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]]
    while len(levels[-1]) > 1:
        levels.append(_parents(levels[-1]))
    return levels


def tile_nodes(tile: Tile) -> Nodes:
    """The nodes of a tree kept as tiles; ``tile(level, index)`` gives a tile's joined hashes, whole or partial.

    A proof in a log of n leaves reads at most two tiles a level, log256(n) levels. Raises BadProof for a short tile.
    """

    @lru_cache(maxsize=CACHED_TILES)
    def pyramid(tile_level: int, tile_index: int) -> list[list[bytes]]:
        data = tile(tile_level, tile_index)
        if len(data) % HASH_BYTES:
            raise BadProof("a tile ends inside a hash", tile_path(tile_level, tile_index))
        return _pyramid(data)

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile_index, offset = divmod(index, TILE_WIDTH >> height)
        levels = pyramid(tile_level, tile_index)
        if height >= len(levels) or offset >= len(levels[height]):
            raise BadProof("a tile is missing hashes", tile_path(tile_level, tile_index))
        return levels[height][offset]

    return node


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile under a log's prefix (tlog-tiles, Merkle Tree); ``width`` below 256 names a partial one."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *high, low = (digits[at : at + 3] for at in range(0, len(digits), 3))
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/" + "".join(f"x{part}/" for part in high) + low + partial


def new_tiles(size: int, leaves: Sequence[bytes], tile: Tile) -> dict[tuple[int, int], bytes]:
    """The tiles that change when ``leaves`` (leaf hashes) follow the first ``size``: (level, index) -> joined hashes.

    ``tile`` gives the partial tiles as they stand; it is asked at most once a level.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, count, fresh = 0, size, list(leaves)
    while fresh:
        first, kept = divmod(count, TILE_WIDTH)
        old = tile(level, first)[: kept * HASH_BYTES] if kept else b""
        if len(old) != kept * HASH_BYTES:
            raise BadProof("a tile is missing hashes", tile_path(level, first, kept))
        hashes = [old[at : at + HASH_BYTES] for at in range(0, len(old), HASH_BYTES)] + fresh
        rows = [hashes[at : at + TILE_WIDTH] for at in range(0, len(hashes), TILE_WIDTH)]
        changed.update({(level, first + n): b"".join(row) for n, row in enumerate(rows)})
        fresh = [_perfect_root(row) for row in rows if len(row) == TILE_WIDTH]
        level, count = level + 1, first
    return changed


def split(count: int) -> int:
    """The largest power of two smaller than ``count`` (RFC 6962, 2.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def span_hash(nodes: Nodes, start: int, end: int) -> bytes:
    """The root over the leaves start..end of a larger tree; ``nodes`` is asked for full subtrees only."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + split(count)
    return node_hash(span_hash(nodes, start, middle), span_hash(nodes, middle, end))


def tree_root(nodes: Nodes, size: int) -> bytes:
    """The root of the first ``size`` leaves."""
    return span_hash(nodes, 0, size) if size else EMPTY_ROOT


def _inclusion_spans(index: int, size: int) -> list[Span]:
    """The siblings on the way from a leaf to the root (RFC 6962, 2.1.1)."""
    if not 0 <= index < size <= MAX_SIZE:
        raise BadProof(f"there is no leaf {index} in a tree of {size}", "inclusion proof")
    start, end, spans = 0, size, []
    while end - start > 1:
        middle = start + split(end - start)
        spans.append((middle, end) if index < middle else (start, middle))
        start, end = (start, middle) if index < middle else (middle, end)
    return spans[::-1]


def _consistency_spans(old: int, new: int) -> list[Span]:
    """The spans of a consistency proof, lowest first (RFC 6962, 2.1.2), for 0 < old < new."""
    start, end, spans = 0, new, []
    while old != end:
        middle = start + split(end - start)
        spans.append((middle, end) if old <= middle else (start, middle))
        start, end = (start, middle) if old <= middle else (middle, end)
    return ([(start, end)] if start else []) + spans[::-1]


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The proof that a leaf is in the tree of the first ``size`` leaves, from the leaf up. Raises BadProof."""
    return [span_hash(nodes, *span) for span in _inclusion_spans(index, size)]


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """The proof that the tree of ``new`` leaves begins with that of ``old``; empty for 0 and for equal sizes."""
    if not 0 <= old <= new <= MAX_SIZE:
        raise BadProof(f"a tree of {new} cannot extend one of {old}", "consistency proof")
    return [span_hash(nodes, *span) for span in _consistency_spans(old, new)] if 0 < old < new else []


def verify_inclusion(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> None:
    """Check that the leaf hash is the index-th of the tree with this root. Raises BadProof."""
    spans = _inclusion_spans(index, size)
    if len(proof) != len(spans) or any(len(part) != HASH_BYTES for part in (leaf, *proof)):
        raise BadProof(f"it has not exactly {len(spans)} hashes", "inclusion proof")
    found = leaf
    for (start, _), part in zip(spans, proof, strict=True):
        found = node_hash(part, found) if start <= index else node_hash(found, part)
    if found != root:
        raise BadProof(f"leaf {index} is not in the tree of {size}", "inclusion proof")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree (new, new_root) begins with the tree (old, old_root). Raises BadProof."""
    if not 0 <= old <= new <= MAX_SIZE:
        raise BadProof(f"a tree of {new} cannot extend one of {old}", "consistency proof")
    if old in (0, new):
        same = old_root == new_root and (old or old_root == EMPTY_ROOT)
        if proof or old != new or not same:
            raise BadProof("the roots differ, or nothing is proved from an empty tree", "consistency proof")
        return
    spans = _consistency_spans(old, new)
    if len(proof) != len(spans) or any(len(part) != HASH_BYTES for part in proof):
        raise BadProof(f"it has not exactly {len(spans)} hashes", "consistency proof")
    pairs = list(zip(spans, proof, strict=True))
    before = after = old_root if old & (old - 1) == 0 else pairs.pop(0)[1]
    for (start, _), part in pairs:
        before = before if start >= old else node_hash(part, before)
        after = node_hash(after, part) if start >= old else node_hash(part, after)
    if before != old_root or after != new_root:
        raise BadProof(f"the log of {new} entries does not begin with the {old} seen before", "consistency proof")


def cover(indexes: Sequence[int], start: int, end: int) -> Iterator[Span]:
    """The largest spans without any of the sorted ``indexes``, left to right: each shared node stands once."""
    found = bisect_left(indexes, start)
    if found == len(indexes) or indexes[found] >= end:
        yield start, end
    elif not _whole(indexes, found, start, end):
        middle = start + split(end - start)
        yield from cover(indexes, start, middle)
        yield from cover(indexes, middle, end)


def _whole(indexes: Sequence[int], found: int, start: int, end: int) -> bool:
    """Whether the sorted, different ``indexes`` name every leaf of a span, beginning with the one at ``found``."""
    last = found + end - start - 1
    return last < len(indexes) and indexes[found] == start and indexes[last] == end - 1


def _sorted_indexes(indexes: Iterable[int], size: int) -> list[int]:
    found = sorted(set(indexes))
    if not 0 < size <= MAX_SIZE or (found and not 0 <= found[0] <= found[-1] < size):
        raise BadProof(f"a leaf lies outside the tree of {size}", "multi-proof")
    return found


def multi_proof(nodes: Nodes, indexes: Iterable[int], size: int) -> list[bytes]:
    """One proof for many leaves of the first ``size``: the hashes of the spans between them, left to right."""
    return [span_hash(nodes, *span) for span in cover(_sorted_indexes(indexes, size), 0, size)]


def verify_multi(root: bytes, size: int, leaves: Mapping[int, bytes], proof: Sequence[bytes]) -> None:
    """Check that every leaf hash stands at its index in the tree with this root. Raises BadProof."""
    indexes, parts = _sorted_indexes(leaves, size), iter(proof)
    if any(len(part) != HASH_BYTES for part in (*leaves.values(), *proof)):
        raise BadProof("a hash has not 32 bytes", "multi-proof")

    def climb(start: int, end: int) -> bytes:
        found = bisect_left(indexes, start)
        if found == len(indexes) or indexes[found] >= end:
            return next(parts, b"")
        if _whole(indexes, found, start, end):
            return _root_over([leaves[index] for index in range(start, end)])
        middle = start + split(end - start)
        return node_hash(climb(start, middle), climb(middle, end))

    if climb(0, size) != root or next(parts, None) is not None:
        raise BadProof(f"the {len(leaves)} leaves are not in the tree of {size}", "multi-proof")
