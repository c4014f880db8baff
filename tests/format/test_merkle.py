"""RFC 6962 trees: the committed vectors, the rules of proofs, tiles, and the heads tree."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.errors import BadHeads, BadProof
from transfer.evidence import merkle
from transfer.evidence.heads import Head, HeadProof, Heads, Placed, verify_head

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "merkle"


def vectors(kind: str) -> list[Any]:
    files = sorted((VECTORS / kind).rglob("*.json"))
    absent = pytest.param(None, marks=pytest.mark.skip(reason=f"the {kind} vectors are not at {VECTORS}"))
    return [pytest.param(file, id=str(file.relative_to(VECTORS))) for file in files] or [absent]


def read(file: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(file.read_text())
    case["proof"] = [base64.b64decode(part) for part in case["proof"] or []]
    for name in {"root", "leafHash", "root1", "root2"} & set(case):
        case[name] = base64.b64decode(case[name] or "")
    return case


@pytest.mark.parametrize("file", vectors("inclusion"))
def test_inclusion_vector(file: Path) -> None:
    case = read(file)
    arguments = (case["root"], case["treeSize"], case["leafIdx"], case["leafHash"], case["proof"])
    if case["wantErr"]:
        with pytest.raises(BadProof):
            merkle.verify_inclusion(*arguments)
    else:
        merkle.verify_inclusion(*arguments)


@pytest.mark.parametrize("file", vectors("consistency"))
def test_consistency_vector(file: Path) -> None:
    case = read(file)
    arguments = (case["size1"], case["root1"], case["size2"], case["root2"], case["proof"])
    if case["wantErr"]:
        with pytest.raises(BadProof):
            merkle.verify_consistency(*arguments)
    else:
        merkle.verify_consistency(*arguments)


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(n).encode()) for n in range(count)]


def plain_root(hashes: list[bytes]) -> bytes:
    """The definition of RFC 6962, 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + plain_root(hashes[:k]) + plain_root(hashes[k:])).digest()


@pytest.mark.parametrize("count", [*range(40), 255, 256, 257, 4095, 4096, 4097, 9000])
def test_the_streamed_root_is_the_root_of_the_definition(count: int) -> None:
    hashes = leaves(count)
    assert merkle.root(iter(hashes)) == plain_root(hashes)


@given(st.lists(st.integers(0, 300), max_size=8))
def test_a_frontier_extended_in_any_pieces_has_the_same_root(pieces: list[int]) -> None:
    hashes, frontier = leaves(sum(pieces)), merkle.Frontier()
    for count in pieces:
        frontier.extend(hashes[frontier.size : frontier.size + count])
    assert (frontier.size, frontier.root()) == (sum(pieces), plain_root(hashes))


@given(st.integers(1, 300), st.data())
def test_an_inclusion_proof_verifies_and_no_flipped_bit_does(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    root, proof = plain_root(hashes), merkle.inclusion_proof(merkle.nodes_of(hashes), index, size)
    merkle.verify_inclusion(root, size, index, hashes[index], proof)
    parts = [hashes[index], *proof]
    part, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[part] = (int.from_bytes(parts[part], "big") ^ (1 << bit)).to_bytes(32, "big")
    with pytest.raises(BadProof):
        merkle.verify_inclusion(root, size, index, parts[0], parts[1:])


@given(st.integers(1, 300), st.data())
def test_a_consistency_proof_verifies_and_no_other_old_root_does(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    hashes = leaves(new)
    proof = merkle.consistency_proof(merkle.nodes_of(hashes), old, new)
    merkle.verify_consistency(old, plain_root(hashes[:old]), new, plain_root(hashes), proof)
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, plain_root(leaves(old + 1)), new, plain_root(hashes), proof)
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, plain_root(hashes[:old]), new, plain_root(leaves(new + 1)), proof)


@given(st.integers(1, 200), st.data())
def test_a_multi_proof_verifies_and_every_change_is_refused(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    chosen = {n: hashes[n] for n in data.draw(st.sets(st.integers(0, size - 1), min_size=1))}
    proof = merkle.multi_proof(merkle.nodes_of(hashes), chosen, size)
    root = plain_root(hashes)
    merkle.verify_multi(root, size, chosen, proof)
    index = data.draw(st.sampled_from(sorted(chosen)))
    for bad_leaves, bad_proof in (
        ({**chosen, index: bytes(32)}, proof),
        (chosen, [*proof, bytes(32)]),
        (chosen, [bytes(32), *proof[1:]]),
        (chosen, [part[:31] for part in proof] or [b""]),
        ({**chosen, size: bytes(32)}, proof),
    ):
        with pytest.raises(BadProof):
            merkle.verify_multi(root, size, bad_leaves, bad_proof)


def test_a_multi_proof_holds_every_shared_node_once() -> None:
    hashes = leaves(1024)
    nodes, chosen = merkle.nodes_of(hashes), range(100, 200)
    shared = merkle.multi_proof(nodes, chosen, 1024)
    assert len(set(shared)) == len(shared) < 20
    assert sum(len(merkle.inclusion_proof(nodes, n, 1024)) for n in chosen) == 1000


class Shelf:
    """Tiles in memory, counting how often they are read."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads = 0

    def __call__(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.tiles[level, index]

    def extend(self, size: int, hashes: list[bytes]) -> None:
        self.tiles.update(merkle.new_tiles(size, hashes, self))


@pytest.mark.parametrize("steps", [[1, 254, 1, 1], [256], [255, 2], [65536, 1], [70_000], [300, 65_300, 600]])
def test_tiles_grown_in_steps_prove_like_the_whole_tree(steps: list[int]) -> None:
    shelf, size, hashes = Shelf(), 0, leaves(sum(steps))
    for count in steps:
        shelf.extend(size, hashes[size : size + count])
        size += count
    root = merkle.root(hashes)
    nodes = merkle.tile_nodes(shelf)
    assert merkle.tree_root(nodes, size) == root
    for index in {0, size // 2, size - 1}:
        merkle.verify_inclusion(root, size, index, hashes[index], merkle.inclusion_proof(nodes, index, size))
    for old in {1, size // 3 + 1, size}:
        proof = merkle.consistency_proof(nodes, old, size)
        merkle.verify_consistency(old, merkle.root(hashes[:old]), size, root, proof)


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    shelf = Shelf()
    shelf.extend(0, leaves(70_000))
    width = {place: len(tile) // 32 for place, tile in shelf.tiles.items()}
    assert [width[0, n] for n in range(274)] == [256] * 273 + [112]
    assert (width[1, 0], width[1, 1], width[2, 0]) == (256, 17, 1)
    assert len(width) == 274 + 2 + 1


def test_a_proof_from_tiles_reads_few_of_them() -> None:
    shelf = Shelf()
    shelf.extend(0, leaves(70_000))
    shelf.reads = 0
    merkle.inclusion_proof(merkle.tile_nodes(shelf), 12_345, 70_000)
    assert shelf.reads <= 6


def test_a_tile_cut_short_is_refused() -> None:
    shelf = Shelf()
    shelf.extend(0, leaves(300))
    shelf.tiles[0, 0] = shelf.tiles[0, 0][:-1]
    with pytest.raises(BadProof, match="tile/0/000"):
        merkle.inclusion_proof(merkle.tile_nodes(shelf), 7, 300)


def test_growing_from_a_missing_partial_tile_is_refused() -> None:
    with pytest.raises(BadProof, match="tile/0/000"):
        merkle.new_tiles(5, leaves(1), lambda level, index: b"")


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (1, 1234067, 256, "tile/1/x001/x234/067"),
        (0, 273, 112, "tile/0/273.p/112"),
        (2, 1000, 1, "tile/2/x001/000.p/1"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(level: int, index: int, width: int, path: str) -> None:
    assert merkle.tile_path(level, index, width) == path


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_a_leaf_outside_the_tree_is_refused(index: int) -> None:
    with pytest.raises(BadProof):
        merkle.inclusion_proof(merkle.nodes_of(leaves(5)), index, 5)


def heads(count: int) -> Heads:
    return Heads(Head(bytes([n * 10]) * 16, n, leaf) for n, leaf in enumerate(leaves(count)))


@pytest.mark.parametrize("count", [1, 2, 3, 8, 13])
def test_every_head_is_proven(count: int) -> None:
    made = heads(count)
    for head in made.heads:
        assert verify_head(made.root, made.size, made.prove(head.stream)) == head


@pytest.mark.parametrize("count", [0, 1, 2, 7, 12])
def test_a_stream_that_is_not_there_is_proven_absent(count: int) -> None:
    made = heads(count)
    for n in range(count + 1):
        assert verify_head(made.root, made.size, made.prove(bytes([n * 10]) * 16 + b"x")) is None
    assert verify_head(made.root, made.size, made.prove(b"\x00")) is None


def test_a_present_stream_cannot_be_shown_absent() -> None:
    made = heads(8)
    real = made.heads[4]
    around = tuple(made.prove(made.heads[n].stream).placed[0] for n in (3, 5))
    for placed in (around, around[:1], around[1:], ()):
        with pytest.raises(BadHeads):
            verify_head(made.root, made.size, HeadProof(real.stream, placed))


def test_a_head_with_another_number_is_refused() -> None:
    made = heads(8)
    proof = made.prove(made.heads[4].stream)
    placed = proof.placed[0]
    older = Placed(Head(placed.head.stream, placed.head.seq - 1, placed.head.leaf), placed.index, placed.proof)
    with pytest.raises(BadHeads):
        verify_head(made.root, made.size, HeadProof(proof.stream, (older,)))


def test_the_last_head_cannot_pose_as_the_end_of_a_shorter_tree() -> None:
    made = heads(8)
    first = made.prove(made.heads[0].stream).placed
    with pytest.raises(BadHeads):
        verify_head(made.root, made.size, HeadProof(b"\xff" * 16, first))
    with pytest.raises(BadHeads):
        verify_head(made.root, 1, HeadProof(b"\xff" * 16, first))


def test_an_empty_heads_tree_needs_the_empty_root() -> None:
    with pytest.raises(BadHeads):
        verify_head(bytes(32), 0, HeadProof(b"s", ()))


def test_a_stream_standing_twice_is_refused() -> None:
    with pytest.raises(BadHeads):
        Heads([Head(b"s", 0, bytes(32)), Head(b"s", 1, bytes(32))])
