"""Poisoned facts, cut connections, killed and second runners: nothing lost, nothing twice, nothing stuck."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack.settings import Settings
from astrack.store import Change, PupilStreams, SchoolLog, Store, StoreUnavailable
from astrack.store.embedded import Embedded
from astrack.views import Views
from astrack.views.rebuild import RebuildUnderWay, UnknownReadModel
from astrack.views.worker import Worker
from domain.base import Actor, Fact, StreamClass
from domain.journey import facts as f
from domain.scope import Scope
from projections import ALL, pupils, timeline
from projections.shape import Projection

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
BY = Actor(id=UUID(int=7), role="tutor")
ROOT = Path(__file__).parents[2]
EVERYONE = Scope(everyone=True)


@pytest.fixture
def admin(store: Store, settings: Settings) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database), autocommit=True) as conn:
        yield conn


def head() -> dict[str, Any]:
    return {"event_id": uuid4(), "recorded_at": AT, "by": BY}


def enrolled(log: SchoolLog, count: int = 3, notes: int = 0) -> list[UUID]:
    made = [PupilStreams(uuid4(), uuid4(), uuid4(), uuid4()) for _ in range(count)]
    changes = []
    for number, one in enumerate(made):
        first = f.PupilEnrolled(**head(), school_id=log.school_id, happened_on=AT.date(), year_group=5 + number % 3)
        looks = [f.PupilLookedAt(**head(), concern=False, note=f"n{n}") for n in range(notes)]
        changes.append(Change(one.journey_id, StreamClass.JOURNEY, -1, (first, *looks), one.pupil_id))
    log.append(changes, idempotency=None, new_pupils=made)
    return [one.pupil_id for one in made]


def on_roll(views: Views, school_id: UUID) -> list[UUID]:
    with views.reading(school_id) as cur:
        return sorted(row.pupil_id for row in pupils.listed(cur, school_id, EVERYONE, limit=5000))


def breaking(on: Callable[[Fact], bool]) -> tuple[Projection, ...]:
    """The read models, one of which cannot take some facts."""
    (mine,) = [one for one in ALL if one.name == "pupils"]

    def evolve(row: Any, fact: Fact) -> Any:
        if on(fact):
            raise RuntimeError("this projection has a fault")
        return pupils.evolve(row, fact)

    return tuple(replace(one, evolve=evolve) if one is mine else one for one in ALL)


def test_a_poisoned_fact_goes_to_the_dead_letters_and_the_others_go_on(store: Store, school_log: SchoolLog) -> None:
    first, second, third = enrolled(school_log)
    views = Views(store, breaking(lambda fact: fact.pupil_id == second))
    views.catch_up(school_log.school_id)
    assert on_roll(views, school_log.school_id) == sorted([first, third])
    (letter,) = views.dead_letters(school_log.school_id)
    assert (letter.projection, letter.position) == ("pupils", 1) and "this projection has a fault" in letter.error
    assert not views.behind(school_log.school_id)
    places = {name: (at, left) for name, _, at, left in views.places(school_log.school_id)}
    assert places["pupils"] == (school_log.size() - 1, 1) and places["timeline"] == (school_log.size() - 1, 0)


def test_a_pupil_of_whom_a_list_misses_a_fact_is_named_to_whoever_may_see_them(
    store: Store, school_log: SchoolLog
) -> None:
    made = enrolled(school_log)

    def rows(fact: Fact) -> list[Any]:
        if fact.pupil_id == made[1]:
            raise RuntimeError("this projection has a fault")
        return list(timeline.rows(fact))

    views = Views(store, tuple(replace(one, rows=rows) if one.name == "timeline" else one for one in ALL))
    views.catch_up(school_log.school_id)
    with views.reading(school_log.school_id) as cur:
        everywhere = pupils.left_out(cur, school_log.school_id, EVERYONE)
        elsewhere = pupils.left_out(cur, school_log.school_id, Scope(dimensions={"year": frozenset({"13"})}))
    assert [one.pupil_id for one in everywhere] == [made[1]] and elsewhere == []


def test_a_retry_after_the_fix_mends_the_row_and_clears_the_letter(store: Store, school_log: SchoolLog) -> None:
    made = enrolled(school_log)
    Views(store, breaking(lambda fact: fact.pupil_id == made[1])).catch_up(school_log.school_id)
    mended = Views(store)
    assert mended.retry(school_log.school_id) == {"tried": 1, "left": 0}
    assert on_roll(mended, school_log.school_id) == sorted(made)
    assert mended.dead_letters(school_log.school_id) == []
    assert mended.retry(school_log.school_id) == {"tried": 0, "left": 0}


def test_a_retry_without_a_fix_leaves_everything_as_it_was(store: Store, school_log: SchoolLog) -> None:
    made = enrolled(school_log)
    views = Views(store, breaking(lambda fact: fact.pupil_id == made[1]))
    views.catch_up(school_log.school_id)
    assert views.retry(school_log.school_id) == {"tried": 1, "left": 1}
    assert len(views.dead_letters(school_log.school_id)) == 1


def test_a_row_the_database_cannot_hold_is_left_out_alone(store: Store, school_log: SchoolLog) -> None:
    made = enrolled(school_log)
    (mine,) = [one for one in ALL if one.name == "pupils"]

    def evolve(row: Any, fact: Fact) -> Any:
        done = pupils.evolve(row, fact)
        return done._replace(year_group=1 << 40) if fact.pupil_id == made[2] else done

    views = Views(store, tuple(replace(one, evolve=evolve) if one is mine else one for one in ALL))
    views.catch_up(school_log.school_id)
    left = sorted(made[:2])
    assert on_roll(views, school_log.school_id) == left
    views.rebuild([school_log.school_id])
    assert on_roll(views, school_log.school_id) == left and len(views.dead_letters(school_log.school_id)) == 1


def test_a_dead_letter_is_encrypted(
    store: Store, school_log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    enrolled(school_log)
    Views(store, breaking(lambda fact: True)).catch_up(school_log.school_id)
    rows = admin.execute("SELECT sealed FROM record.dead_letters WHERE school_id = %s", (school_log.school_id,))
    assert all(b"fault" not in sealed for (sealed,) in rows.fetchall())


def test_a_connection_cut_in_the_middle_of_a_turn_loses_and_doubles_nothing(
    store: Store, school_log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    (pupil,) = enrolled(school_log, 1, notes=20)
    cut = threading.Event()

    def cutting(fact: Fact) -> bool:
        if fact.pupil_id == pupil and not cut.is_set():
            cut.set()
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'astrack_projector'")
            time.sleep(0.2)
        return False

    views = Views(store, breaking(cutting))
    with pytest.raises(StoreUnavailable):
        views.catch_up(school_log.school_id)
    assert cut.is_set()
    views.catch_up(school_log.school_id)
    with views.reading(school_log.school_id) as cur:
        assert len(timeline.story(cur, school_log.school_id, pupil, limit=100)) == 21


def test_of_eight_runners_at_once_none_loses_or_doubles(store: Store, school_log: SchoolLog) -> None:
    made = enrolled(school_log, 20, notes=30)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Views(store).catch_up(school_log.school_id), range(8)))
    views = Views(store)
    with views.reading(school_log.school_id) as cur:
        told = [len(timeline.story(cur, school_log.school_id, one, limit=100)) for one in made]
    assert told == [31] * 20 and on_roll(views, school_log.school_id) == sorted(made)


def test_a_school_somebody_else_is_at_is_left_to_them(store: Store, school_log: SchoolLog) -> None:
    enrolled(school_log)
    views = Views(store)
    views.catch_up(school_log.school_id)
    enrolled(school_log)
    with school_log.views() as conn:
        conn.execute("SELECT 1 FROM views.positions FOR UPDATE")
        assert views.advance(school_log.school_id) is None
    assert views.advance(school_log.school_id) == 3


def test_what_is_read_after_a_write_includes_it(store: Store, school_log: SchoolLog) -> None:
    views = Views(store)
    for count in range(1, 6):
        enrolled(school_log, 1)
        views.catch_up(school_log.school_id)
        assert len(on_roll(views, school_log.school_id)) == count


CHILD = """
import sys
from pathlib import Path
from uuid import UUID
from astrack.settings import Settings
from astrack.store import Store
from astrack.views import Views
import projections.timeline as timeline
rows = timeline.rows
with Store.open(Settings(home=Path(sys.argv[1]), database=sys.argv[2])) as store:
    views = Views(store)
    views.advance(UUID(sys.argv[3]), 10)
    print("begun", flush=True)
    while True:
        views.advance(UUID(sys.argv[3]), 1)
"""


def test_a_killed_runner_leaves_nothing_stuck(store: Store, settings: Settings, school_log: SchoolLog) -> None:
    made = enrolled(school_log, 10, notes=60)
    command = [sys.executable, "-c", CHILD, str(settings.home), settings.database, str(school_log.school_id)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert child.stdout and child.stdout.readline() == "begun\n"
    time.sleep(0.15)
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    views = Views(store)
    views.catch_up(school_log.school_id)
    with views.reading(school_log.school_id) as cur:
        assert [len(timeline.story(cur, school_log.school_id, one, limit=100)) for one in made] == [61] * 10


def test_the_worker_takes_what_it_is_woken_for(store: Store, school_log: SchoolLog) -> None:
    views = Views(store)
    worker = Worker(views, list, poll_s=60)
    worker.start()
    try:
        made = enrolled(school_log)
        worker.wake(school_log.school_id)
        until = time.monotonic() + 10
        while views.behind(school_log.school_id) and time.monotonic() < until:
            time.sleep(0.02)
        assert on_roll(views, school_log.school_id) == sorted(made)
    finally:
        worker.stop()


def test_a_worker_goes_on_after_a_fault(store: Store, school_log: SchoolLog) -> None:
    views = Views(store)
    faults = iter([RuntimeError("once"), None])

    def schools() -> list[UUID]:
        fault = next(faults, None)
        if fault:
            raise fault
        return [school_log.school_id]

    made = enrolled(school_log)
    worker = Worker(views, schools, poll_s=0.2)
    worker.start()
    try:
        until = time.monotonic() + 10
        while views.behind(school_log.school_id) and time.monotonic() < until:
            time.sleep(0.02)
        assert worker.health.restarts == 1 and on_roll(views, school_log.school_id) == sorted(made)
    finally:
        worker.stop()


def test_a_rebuild_of_all_schools_swaps_whole_tables_and_pages_go_on(store: Store, school_log: SchoolLog) -> None:
    made = enrolled(school_log, 5)
    views = Views(store)
    views.catch_up(school_log.school_id)
    moved: list[int] = []
    views.rebuild(names=["pupils", "timeline"], progress=moved.append)
    assert on_roll(views, school_log.school_id) == sorted(made) and sum(moved) >= 5
    more = enrolled(school_log, 2)
    views.catch_up(school_log.school_id)
    assert on_roll(views, school_log.school_id) == sorted([*made, *more])
    with views.reading(uuid4()) as cur:
        cur.execute("SELECT count(*) FROM views.pupils_v2")
        assert cur.fetchone() == (0,)


@pytest.mark.parametrize("then", [["pupils"], ["risk_register", "pupils"], None])
def test_an_interrupted_rebuild_is_gone_on_with(store: Store, school_log: SchoolLog, then: list[str] | None) -> None:
    made = enrolled(school_log, 4)
    other = uuid4()
    store.create_school(other, AT)
    enrolled(store.log(other), 3)
    views = Views(store)
    passed: list[int] = []

    def stop(count: int) -> None:
        passed.append(count)
        if len(passed) == 3:  # one school is in, the other half read
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        views.rebuild(names=["pupils"], progress=stop)
    views.catch_up(school_log.school_id)
    assert on_roll(views, school_log.school_id) == sorted(made)
    views.rebuild(names=then)
    assert on_roll(views, school_log.school_id) == sorted(made) and len(on_roll(views, other)) == 3


def test_a_second_rebuild_of_the_same_read_model_is_refused(store: Store, school_log: SchoolLog) -> None:
    views = Views(store)
    views.catch_up(school_log.school_id)
    with store.connect(projector=True) as conn:
        conn.execute("SELECT pg_advisory_lock(hashtextextended('views.pupils_v2__next', 1))")
        with pytest.raises(RebuildUnderWay):
            views.rebuild(names=["pupils"])


def test_a_read_model_nobody_knows_is_refused(store: Store) -> None:
    with pytest.raises(UnknownReadModel, match="risk_register"):
        Views(store).rebuild(names=["weather"])


def test_what_was_erased_while_it_was_read_stays_out_of_the_rows(store: Store, school_log: SchoolLog) -> None:
    first, second = enrolled(school_log, 2)
    views = Views(store)
    views.catch_up(school_log.school_id)
    streams = school_log.pupil(second)
    assert streams is not None

    class Erasure(f.PupilLookedAt):
        """An erasure (for this test)."""

        TOPIC = "test.erasure-of-views.v1"
        KIND = "erasure"

    def erase(_: int) -> None:
        if school_log.pupil(second) is not None:
            school_log.erase_stream(streams.journey_id, Erasure(**head(), concern=False))

    views.rebuild([school_log.school_id], progress=erase)
    assert school_log.pupil(second) is None
    assert on_roll(views, school_log.school_id) == [first]
    views.catch_up(school_log.school_id)
    assert on_roll(views, school_log.school_id) == [first]


def test_a_date_of_the_distant_past_is_held(store: Store, school_log: SchoolLog) -> None:
    one = PupilStreams(uuid4(), uuid4(), uuid4(), uuid4())
    monitored = f.PlanMonitored(**head(), plan_id=uuid4(), going="well")
    school_log.append(
        [Change(one.journey_id, StreamClass.JOURNEY, -1, (monitored,), one.pupil_id)],
        idempotency=None,
        new_pupils=[one],
    )
    views = Views(store)
    views.catch_up(school_log.school_id)
    views.rebuild([school_log.school_id])
    with views.reading(school_log.school_id) as cur:
        cur.execute("SELECT end_on FROM views.plan_board_v1")
        assert cur.fetchone() == (date.min,)
