"""The rivals of the read models: the library's ProjectionRunner with one Postgres view; the plain sum of reading."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Composed

from astrack.settings import Settings
from astrack.store import Store
from astrack.store.embedded import Embedded
from astrack.views.lean import lean
from astrack.views.log import Snapshot
from domain.base import decode

TEXT = "x" * 120


class Journal(Aggregate):
    """The library's own kind of journey."""

    @event("Begun")
    def __init__(self) -> None:
        self.count = 0

    @event("Written")
    def write(self, text: str) -> None:
        """One line more."""
        self.count += 1


class LinesView(PostgresTrackingRecorder):
    """How many lines each journal has, one row a journal, as the library's documentation builds a view."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        self.sql_create_statements.append(
            Composed(
                [SQL("CREATE TABLE IF NOT EXISTS public.lines_view (journal uuid PRIMARY KEY, lines bigint NOT NULL)")]
            )
        )

    def count(self, journal: UUID, tracking: Tracking) -> None:
        """One line more, and how far we are, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO public.lines_view VALUES (%s, 1) ON CONFLICT (journal)"
                " DO UPDATE SET lines = public.lines_view.lines + 1",
                (journal,),
            )


class LinesProjection(Projection[LinesView]):
    """Counts lines."""

    name = "lines"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Count one."""
        self.view.count(domain_event.originator_id, tracking)


class Journals(Application[UUID]):
    """Where journals are kept."""


def runner_rate(home: Embedded, database: str, events: int) -> float:
    """Events a second of ProjectionRunner over so many events of 100 journals, neither encrypted nor chained."""
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": database, "POSTGRES_PORT": "5432",
        "POSTGRES_HOST": str(home.folder), "POSTGRES_USER": "postgres", "POSTGRES_SCHEMA": "public",
        "POSTGRES_PASSWORD": home.password("postgres"),
    }  # fmt: skip
    app = Journals(env=environment)
    written = 0
    while written < events:
        journal = Journal()
        for _ in range(99):
            journal.write(TEXT)
        written += len(app.save(journal))
    begun = time.perf_counter()
    with ProjectionRunner(
        application_class=Journals, projection_class=LinesProjection, view_class=LinesView, env=environment
    ) as runner:
        last = app.recorder.max_notification_id()
        while (runner.projection.view.max_tracking_id("Journals") or 0) < (last or 0):
            runner.run_forever(timeout=0.05)
        taken = time.perf_counter() - begun
    app.close()
    return written / taken


def plain_rate(settings: Settings, schools: list[UUID], processes: int, *, full: bool) -> float:
    """Events a second of COPY out + decrypt + decode of every event, and nothing else, by so many processes.

    ``full``: decoded by the domain's own reader with every field checked; otherwise by the fast one of rebuilds.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        list(pool.map(_ready, [settings] * processes))
        begun = time.perf_counter()
        counts = pool.map(_read, [(settings, school, full) for school in schools])
        return sum(counts) / (time.perf_counter() - begun)


_stores: dict[str, Store] = {}


def _ready(settings: Settings) -> None:
    _stores[settings.database] = Store.open(replace(settings, pool_size=2))
    time.sleep(1)  # so that each process takes one of these


def _read(task: tuple[Settings, UUID, bool]) -> int:
    settings, school, full = task
    store = _stores.get(settings.database) or Store.open(replace(settings, pool_size=2))
    _stores[settings.database] = store
    conn = store.connect(projector=False)
    with conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        snapshot = Snapshot(conn, store.log(school).ring, school)
        count = 0
        for raw in snapshot.rows(None):
            if raw.payload is not None:
                decode(raw.payload) if full else (lean(raw.topic, raw.payload) or decode(raw.payload))
            count += 1
    return count
