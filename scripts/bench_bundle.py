"""An audit bundle of a log of a million entries, written from the store and verified: how much memory, how long."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))

import bench_evidence

from astrack.app import App
from astrack.handover import Handover
from astrack.records import Ask
from astrack.settings import Settings
from astrack.store.embedded import Embedded
from domain.base import Actor
from domain.identity import SchoolName
from transfer.evidence import chain

ROOT = Path(__file__).parents[1]
BY = Actor(id=UUID(int=7), role="auditor")
COLUMNS = "school_id, position, stream_id, version, kind, topic, recorded_at, leaf, state"


def rows(school: UUID, start: int, count: int, seed: int) -> Iterator[tuple[Any, ...]]:
    """A million facts of 3,000 streams: chained as they would be, their contents random."""
    at = datetime.now(UTC)
    for position, line in enumerate(bench_evidence.entries(count, random.Random(seed)), start):
        made = chain.parse_entry(line)
        stream, state = UUID(bytes=made.stream), made.commitment + b"\x01\x01\x00\x00\x00\x01" + b"x" * 300
        yield (school, position, stream, made.seq, "event", "bench.line.v1", at, chain.leaf(line), state)


def fill(home: Path, count: int, seed: int) -> UUID:
    """A school with a log of this many entries, put there without the service."""
    school = uuid4()
    with App.open(Settings(home=home)) as app:
        name = SchoolName(school_id=school, name="Northfield Brook", urn="900101")
        app.create_school(school).register_school(Ask(BY, "k"), name)
        start = app.store.log(school).size()
        with psycopg.connect(Embedded(home).conninfo(database="astrack"), autocommit=True) as conn:
            with conn.cursor().copy(f"COPY record.events ({COLUMNS}) FROM STDIN") as out:
                for row in rows(school, start, count, seed):
                    out.write_row(row)
            conn.execute("UPDATE record.schools SET next_position = %s, last_recorded_at = now() WHERE school_id = %s",
                         (start + count, school))  # fmt: skip
            conn.execute("ANALYZE record.events")
    return school


def write(home: Path, school: UUID, to: Path) -> None:
    """What ``astrack audit bundle`` does."""
    with App.open(Settings(home=home)) as app:
        _, chunks = Handover(app.school(school)).audit_bundle(Ask(BY, "bundle"))
        with to.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)


def peak(arguments: list[str]) -> tuple[float, float]:
    """(MiB at most, seconds) of another Python."""
    begun = time.perf_counter()
    child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"{arguments} failed"
    return usage.ru_maxrss / 1024, time.perf_counter() - begun


def measure(count: int, seed: int) -> dict[str, float]:
    """Every figure, in one run."""
    with tempfile.TemporaryDirectory(prefix="astrack-bench-") as name:
        home = Path(name)
        home.chmod(0o711)
        school, to = fill(home, count, seed), home / "bundle.tar"
        written, write_s = peak([__file__, "--write", str(home), str(school), str(to)])
        verified, verify_s = peak(["-m", "transfer.verify", str(to)])
        size = to.stat().st_size
    return {
        "bundle_peak_mib": max(written, verified),
        "bundle_write_peak_mib": written,
        "bundle_verify_peak_mib": verified,
        "bundle_write_s": write_s,
        "bundle_verify_s": verify_s,
        "bundle_mib": size / (1 << 20),
    }


def main() -> None:
    """Print a table, or with --json one object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--write", nargs=3, metavar=("HOME", "SCHOOL", "TO"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.write:
        write(Path(given.write[0]), UUID(given.write[1]), Path(given.write[2]))
        return
    figures = measure(given.entries, given.seed)
    if given.json:
        print(json.dumps({"figures": figures}))
        return
    for name, value in figures.items():
        print(f"{name:36}{value:14,.2f}")


if __name__ == "__main__":
    main()
