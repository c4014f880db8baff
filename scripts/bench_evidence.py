"""The evidence of a log of a million entries: verifying it whole, and one proof from its tiles."""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).parents[1]))

from transfer import bundle
from transfer.evidence import chain, merkle, note
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.heads import Head, Heads, verify_head
from transfer.evidence.note import Kind, Signer

ORIGIN = "bench.example/log"
STREAMS = 3_000
CHUNK_BYTES = 1 << 16
PROOFS = 200
BATCH = 4_096


def entries(count: int, chance: random.Random) -> Iterator[bytes]:
    """A log of this many entries of 3,000 streams in random turn."""
    names = [chance.randbytes(16) for _ in range(STREAMS)]
    ends = [(-1, chain.ZERO)] * STREAMS
    for _ in range(count):
        which = chance.randrange(STREAMS)
        seq, prev = ends[which]
        made = chain.entry("event", names[which], seq + 1, prev, chance.randbytes(32))
        ends[which] = seq + 1, chain.leaf(made)
        yield made


class TileFolder:
    """Tiles as files, at the paths of tlog-tiles; what a proof reads is read from the disc each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, level: int, index: int) -> bytes:
        return (self.folder / merkle.tile_path(level, index)).read_bytes()

    def extend(self, size: int, leaves: list[bytes]) -> None:
        for (level, index), data in merkle.new_tiles(size, leaves, self).items():
            path = self.folder / merkle.tile_path(level, index)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def write(folder: Path, count: int, seed: int) -> tuple[bytes, float]:
    """Write the log and its tiles; its root as the definition gives it, and tiles written in entries a second."""
    tiles, size, spent, frontier = TileFolder(folder), 0, 0.0, merkle.Frontier()
    with (folder / "entries.txt").open("wb") as file:
        source = entries(count, random.Random(seed))
        while batch := [one for _, one in zip(range(BATCH), source, strict=False)]:
            file.write(b"".join(batch))
            leaves = [chain.leaf(one) for one in batch]
            begun = time.perf_counter()
            tiles.extend(size, leaves)
            spent += time.perf_counter() - begun
            frontier.extend(leaves)
            size += len(batch)
    return frontier.root(), count / spent


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def verify(folder: Path, count: int, root: bytes, signers: list[Signer], signed: bytes) -> float:
    """Entries a second of one core's own time: every chain, every leaf, the root, both signatures of the checkpoint."""
    begun = time.process_time()
    walk = bundle.Walk([])
    with (folder / "entries.txt").open("rb") as file:
        walk.take(bundle._lines(chunks(file)))
    head = note.open_checkpoint(signed, [each.verifier for each in signers])
    spent = time.process_time() - begun
    assert (head.size, head.root) == (walk.tree.size, walk.tree.root()) == (count, root)
    return count / spent


def median_ms(work: Callable[[int], None], places: list[int]) -> tuple[float, float]:
    """(median, slowest) milliseconds of a piece of work done at each place."""
    taken = []
    for place in places:
        begun = time.perf_counter()
        work(place)
        taken.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(taken), max(taken)


def measure(count: int, seed: int) -> dict[str, float]:
    """Every figure, in one run."""
    signers = [Signer(ORIGIN, Kind.ED25519, b"\x01" * 32), Signer(ORIGIN, Kind.ML_DSA_44, b"\x02" * 32)]
    chance = random.Random(seed + 1)
    with tempfile.TemporaryDirectory(prefix="astrack-bench-") as name:
        folder = Path(name)
        root, tiles_per_s = write(folder, count, seed)
        signed = bytes(note.sign(Checkpoint(ORIGIN, count, root).text, signers, 1_790_000_000))
        rates = [verify(folder, count, root, signers, signed) for _ in range(3)]
        tiles = TileFolder(folder)
        proofs: dict[int, list[bytes]] = {}

        def include(index: int) -> None:
            proofs[index] = merkle.inclusion_proof(merkle.tile_nodes(tiles), index, count)

        def extend(old: int) -> None:
            merkle.consistency_proof(merkle.tile_nodes(tiles), old, count)

        places = [chance.randrange(1, count) for _ in range(PROOFS)]
        inclusion, slowest = median_ms(include, places)
        consistency, _ = median_ms(extend, places)
        for index, proof in proofs.items():
            leaf = tiles(0, index // 256)[index % 256 * 32 :][:32]
            merkle.verify_inclusion(root, count, index, leaf, proof)
    return {
        "verify_entries_per_s": statistics.median(rates),
        "inclusion_proof_ms": inclusion,
        "inclusion_proof_slowest_ms": slowest,
        "consistency_proof_ms": consistency,
        "tiles_entries_per_s": tiles_per_s,
        "heads_per_s": heads_per_s(chance),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def heads_per_s(chance: random.Random) -> float:
    """Heads a second when a heads tree is built of 30,000 streams, proved once and verified."""
    made = [Head(chance.randbytes(16), n, chance.randbytes(32)) for n in range(30_000)]
    begun = time.perf_counter()
    tree = Heads(made)
    proof = tree.prove(made[0].stream)
    assert verify_head(tree.root, tree.size, proof) == made[0]
    return len(made) / (time.perf_counter() - begun)


def main() -> None:
    """Print a table, or with --json one object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    figures = measure(given.entries, given.seed)
    if given.json:
        print(json.dumps({"figures": figures}))
        return
    for name, value in figures.items():
        print(f"{name:36}{value:14,.2f}")


if __name__ == "__main__":
    main()
