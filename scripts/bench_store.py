"""The store beside the library's own recorder and raw inserts, in one run on one server: ratios, not boasts."""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

sys.path.insert(0, str(Path(__file__).parents[1]))

from astrack import ids
from astrack.settings import Settings
from astrack.store import Change, SchoolLog, Store
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from domain.base import Actor, Event, StreamClass

AT = datetime(2026, 9, 1, tzinfo=UTC)
ACTOR = Actor(id=uuid4(), role="tutor")
TEXT = "x" * 60
THREADS = 8
LOADS = 200


class LineWritten(Event):
    """A line of about 260 bytes was written (for this measurement)."""

    TOPIC: ClassVar[str] = "bench.line-written.v1"
    text: str


fresh_id = ids.maker(lambda: AT)


def lines(count: int) -> tuple[LineWritten, ...]:
    """Events of about 260 bytes of payload, with ids as the service makes them."""
    return tuple(LineWritten(event_id=fresh_id(), recorded_at=AT, by=ACTOR, text=TEXT) for _ in range(count))


def rate(work: Callable[[int, Callable[[], bool]], int], seconds: float) -> float:
    """Events a second of eight threads; ``work(thread, running)`` returns how many it wrote."""
    written = [0] * THREADS
    until = time.perf_counter() + seconds

    def run(number: int) -> None:
        written[number] = work(number, lambda: time.perf_counter() < until)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(written) / (time.perf_counter() - begun)


def ours(logs: list[SchoolLog], batch: int) -> Callable[[int, Callable[[], bool]], int]:
    """Threads that append facts to their school, each to a stream of its own; facts are made before, as states are."""
    facts = lines(batch)

    def work(number: int, running: Callable[[], bool]) -> int:
        log, stream, version = logs[number % len(logs)], uuid4(), -1
        while running():
            log.append([Change(stream, StreamClass.JOURNEY, version, facts)], idempotency=None)
            version += batch
        return version + 1

    return work


def library(recorder: PostgresApplicationRecorder, batch: int) -> Callable[[int, Callable[[], bool]], int]:
    """Threads that insert with the library's recorder, states of the same size, neither encrypted nor chained."""

    def work(number: int, running: Callable[[], bool]) -> int:
        stream, version = uuid4(), 1
        while running():
            rows = [StoredEvent(stream, version + n, "bench.line-written.v1", b"x" * 330) for n in range(batch)]
            recorder.insert_events(rows)
            version += batch
        return version - 1

    return work


def raw(conninfo: str) -> Callable[[int, Callable[[], bool]], int]:
    """Threads that insert one row a commit, with no order at all: the limit."""

    def work(number: int, running: Callable[[], bool]) -> int:
        query = "INSERT INTO raw_events VALUES (%s, %s, %s, %s, %s, %s, now(), %s, %s)"
        with psycopg.connect(conninfo, autocommit=True) as conn:
            stream, done = uuid4(), 0
            while running():
                row = (stream, done + number * 10**9, stream, done, "event", "bench.line-written.v1")
                conn.execute(query, (*row, b"y" * 32, b"x" * 330), prepare=True)
                done += 1
        return done

    return work


class Journal(Aggregate):
    """The library's own kind of journey."""

    @event("Begun")
    def __init__(self) -> None:
        self.count = 0

    @event("Written")
    def write(self, text: str) -> None:
        """One line more."""
        self.count += 1


def seconds(act: Callable[[], Any]) -> float:
    """The time of one call."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def settle(admin: str) -> None:
    """Let the server finish what the appends left it to do, and spare this process's objects, as the service does when
    it starts: loads are then measured, not the wake of what came before.
    """
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")
        conn.execute("CHECKPOINT")
    gc.collect()
    gc.freeze()


def journeys(log: SchoolLog, environment: dict[str, str]) -> dict[str, float]:
    """Loading a journey of 100 events, ours against the library's default ``repository.get``."""
    stream = uuid4()
    log.append([Change(stream, StreamClass.JOURNEY, -1, lines(100))], idempotency=None)
    app: Application[UUID] = Application(env=environment)
    journal = Journal()
    for _ in range(99):
        journal.write(TEXT)
    app.save(journal)
    # in turn, one after the other: what else the computer does meanwhile meets both alike
    pairs = [(seconds(lambda: log.load(stream)), seconds(lambda: app.repository.get(journal.id))) for _ in range(LOADS)]
    app.close()
    return {
        "load_journey_ms": statistics.median(mine for mine, _ in pairs) * 1000,
        "load_journey_vs_library": statistics.median(theirs / mine for mine, theirs in pairs),
    }


def beside(bench: str, entries: int) -> dict[str, float]:
    """The figures of another bench, in a process of its own so that memory is its own too."""
    script = Path(__file__).with_name(f"bench_{bench}.py")
    done = subprocess.run(
        [sys.executable, str(script), "--json", "--entries", str(entries)], check=True, stdout=subprocess.PIPE
    )
    figures: dict[str, float] = json.loads(done.stdout)["figures"]
    return figures


def appends(store: Store, logs: list[SchoolLog], conninfo: str, recorder: Any, rounds: int, seconds: float) -> Any:
    """Paired rounds of every path; the medians of rates and of the ratios within a round."""
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        figures = {
            "ours_8_schools": rate(ours(logs, 1), seconds),
            "raw": rate(raw(conninfo), seconds),
            "library": rate(library(recorder, 1), seconds),
            "ours_1_school": rate(ours(logs[:1], 1), seconds),
            "ours_batch": rate(ours(logs, 100), seconds),
            "library_batch": rate(library(recorder, 100), seconds),
        }
        figures["append_8_schools_vs_library"] = figures["ours_8_schools"] / figures["library"]
        figures["append_8_schools_vs_raw_insert"] = figures["ours_8_schools"] / figures["raw"]
        figures["append_1_school_vs_library"] = figures["ours_1_school"] / figures["library"]
        figures["append_batch_vs_library"] = figures["ours_batch"] / figures["library_batch"]
        for name, value in figures.items():
            taken.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in taken.items()}


@contextmanager
def bench_store() -> Any:
    """A store in a folder of its own, thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="astrack-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with Store.open(Settings(home=home, pool_size=16)) as store:
            yield home, store


def measure(rounds: int, seconds: float, entries: int) -> dict[str, float]:
    """Every figure, side by side in one run."""
    with bench_store() as (home, store):
        server = Embedded(home)
        admin = server.conninfo(database="astrack")
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute("CREATE TABLE raw_events (LIKE record.events INCLUDING ALL)")
        environment = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": "astrack", "POSTGRES_PORT": "5432",
            "POSTGRES_HOST": str(server.folder), "POSTGRES_USER": "postgres", "POSTGRES_SCHEMA": "public",
            "POSTGRES_PASSWORD": server.password("postgres"),
        }  # fmt: skip
        datastore = PostgresDatastore("astrack", str(server.folder), "5432", "postgres", server.password("postgres"),
                                      pool_size=THREADS + 2, max_overflow=4)  # fmt: skip
        recorder = PostgresApplicationRecorder(datastore, events_table_name="bench_events")
        recorder.create_table()
        logs = []
        for _ in range(THREADS):
            school = uuid4()
            store.create_school(school, AT)
            logs.append(store.log(school))
        figures: dict[str, float] = appends(store, logs, admin, recorder, rounds, seconds)
        settle(admin)
        figures |= journeys(logs[0], environment)
        datastore.close()
        begun = time.perf_counter()
        findings = len(list(check_store(logs[0])))
        figures["check_store_events_per_s"] = logs[0].size() / (time.perf_counter() - begun)
        figures["check_store_findings"] = findings
    evidence = beside("evidence", entries)
    figures |= {name: evidence[name] for name in ("verify_entries_per_s", "inclusion_proof_ms")}
    return figures | beside("bundle", entries)


def main() -> None:
    """Print a table, or with --json one object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--entries", type=int, default=1_000_000, help="of the log that is proved and bundled")
    given = options.parse_args()
    figures = measure(given.rounds, given.seconds, given.entries)
    if given.json:
        print(json.dumps({"figures": figures}))
        return
    for name, value in figures.items():
        print(f"{name:36}{value:14,.2f}")


if __name__ == "__main__":
    main()
