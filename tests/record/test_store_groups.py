"""Callers of several schools in one message: nobody waits for another's school, and each hears of its own conflict."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack.settings import Settings
from astrack.store import Change, Idempotency, KeyReused, SchoolLog, Store, StoreUnavailable, VersionClash
from astrack.store import line as lines
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from astrack.store.line import Line, Parcel
from domain.base import Actor, Event, StreamClass

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")
SCHOOLS = 6
STATE = b"s" * 80
Connection = psycopg.Connection[tuple[Any, ...]]


class BellRung(Event):
    """A bell was rung (for these tests)."""

    TOPIC: ClassVar[str] = "test.bell-rung.v1"


def rings(stream: UUID, expected: int, count: int = 1) -> Change:
    events = tuple(BellRung(event_id=uuid4(), recorded_at=AT, by=ACTOR) for _ in range(count))
    return Change(stream, StreamClass.JOURNEY, expected, events)


@pytest.fixture
def logs(store: Store) -> list[SchoolLog]:
    """Logs of six schools, each with one event."""
    ids = [uuid4() for _ in range(SCHOOLS)]
    for school in ids:
        store.create_school(school, AT)
        store.log(school).append([rings(school, -1)], idempotency=None)
    return [store.log(school) for school in ids]


@pytest.fixture
def service(store: Store, settings: Settings) -> Iterator[Connection]:
    """A connection with the service's own role."""
    info = Embedded(settings.home).conninfo("astrack_service", settings.database)
    with psycopg.connect(info, autocommit=True) as conn:
        yield conn


Row = tuple[UUID, UUID, int, str, datetime | None]


def group(service: Connection, rows: Sequence[Row], answers: Sequence[tuple[int, UUID, str]] = ()) -> list[int | None]:
    schools, streams, versions, kinds, times = (list(column) for column in zip(*rows, strict=True))
    numbers, actors, keys = (list(column) for column in zip(*answers, strict=True)) if answers else ([], [], [])
    found = service.execute(
        "SELECT record.append_group(%s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],"
        " %s::bytea[], %s::int[], %s::uuid[], %s::text[], %s::bytea[], %s::uuid[], %s::bytea[])",
        (schools, streams, versions, kinds, ["x"] * len(rows), times, [STATE] * len(rows),
         numbers, actors, keys, [b"h"] * len(numbers), actors, [b"a"] * len(numbers)),
    ).fetchone()  # fmt: skip
    assert found is not None
    places: list[int | None] = found[0]
    return places


def kept_answers(service: Connection, school: UUID) -> list[str]:
    with service.transaction():
        service.execute("SELECT set_config('app.school', %s, true)", (str(school),))
        return [key for (key,) in service.execute("SELECT key FROM record.answers ORDER BY key")]


def test_each_school_gets_its_own_next_places_in_order_of_time(service: Connection, logs: list[SchoolLog]) -> None:
    one, two = logs[0].school_id, logs[1].school_id
    later = AT + timedelta(seconds=1)
    rows: list[Row] = [
        (one, uuid4(), 0, "event", later),
        (two, uuid4(), 0, "event", AT),
        (one, uuid4(), 0, "event", AT),
    ]
    assert group(service, rows) == [2, 1, 1]
    assert [log.size() for log in logs[:3]] == [3, 2, 1]
    assert group(service, [(one, rows[0][1], 1, "event", later)]) == [3]


def test_a_school_with_a_row_that_does_not_fit_is_left_out_whole(service: Connection, logs: list[SchoolLog]) -> None:
    one, two, three = (log.school_id for log in logs[:3])
    wrong: list[Row] = [
        (two, uuid4(), 1, "event", AT), (two, uuid4(), -1, "event", AT), (two, two, 0, "event", AT),
        (two, uuid4(), 0, "event", AT - timedelta(days=9)), (two, uuid4(), 0, "event", None),
        (uuid4(), uuid4(), 0, "event", AT),
    ]  # fmt: skip
    for number, row in enumerate(wrong):
        fitting: list[Row] = [(one, uuid4(), 0, "event", AT), (two, uuid4(), 0, "event", AT)]
        answers = [(1, ACTOR.id, f"k{number}"), (2, ACTOR.id, f"k{number}"), (4, ACTOR.id, f"k{number}")]
        left = 1 if row[0] == two else 2
        places = group(service, [*fitting, row, (three, uuid4(), 0, "event", AT)], answers)
        assert [place is None for place in places] == [False, left == 1, True, False]
    assert [log.size() for log in logs[:4]] == [1 + len(wrong), 2, 1 + len(wrong), 1]
    assert kept_answers(service, one) == kept_answers(service, three) == [f"k{number}" for number in range(len(wrong))]
    assert kept_answers(service, two) == ["k5"]


@pytest.mark.parametrize("kind", ["erasure", "Event", "", None])
def test_only_the_kinds_of_the_format_go_in_a_group(service: Connection, logs: list[SchoolLog], kind: Any) -> None:
    with pytest.raises(psycopg.Error) as refused:
        group(service, [(logs[0].school_id, uuid4(), 0, kind, AT)])
    assert refused.value.sqlstate == "AS005" and logs[0].size() == 1


def test_a_transaction_bound_to_one_school_writes_to_no_group(service: Connection, logs: list[SchoolLog]) -> None:
    with pytest.raises(psycopg.Error) as refused, service.transaction():
        service.execute("SELECT set_config('app.school', %s, true)", (str(logs[0].school_id),))
        group(service, [(logs[1].school_id, uuid4(), 0, "event", AT)])
    assert refused.value.sqlstate == "AS005" and logs[1].size() == 1


def test_what_opens_the_tables_to_the_group_opens_nothing_to_the_service(
    service: Connection, logs: list[SchoolLog]
) -> None:
    with service.transaction():
        service.execute("SELECT set_config('app.grouped', 'on', true)")
        for table in ("record.schools", "record.events", "record.answers"):
            assert service.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)
        group(service, [(logs[0].school_id, uuid4(), 0, "event", AT)])
        assert service.execute("SELECT current_setting('app.grouped')").fetchone() == ("off",)


def test_a_repeated_key_in_a_group_leaves_nothing_of_the_group(service: Connection, logs: list[SchoolLog]) -> None:
    rows: list[Row] = [(log.school_id, uuid4(), 0, "event", AT) for log in logs[:2]]
    assert group(service, rows, [(1, ACTOR.id, "k")]) == [1, 1]
    with pytest.raises(psycopg.errors.UniqueViolation):
        group(service, [(log.school_id, uuid4(), 0, "event", AT) for log in logs[:2]], [(1, ACTOR.id, "k")])
    assert [log.size() for log in logs[:2]] == [2, 2]


def test_a_school_whose_row_is_held_keeps_nobody_else_waiting(
    store: Store, settings: Settings, service: Connection, logs: list[SchoolLog]
) -> None:
    streams = [uuid4() for _ in logs]
    for log, stream in zip(logs, streams, strict=True):
        log.append([rings(stream, -1)], idempotency=None)
    admin = psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database))
    with ThreadPoolExecutor(SCHOOLS) as pool, admin, service.transaction():
        # one school's writer has not committed yet, another's row is locked by somebody who knows nothing of groups
        service.execute("SELECT set_config('app.school', %s, true)", (str(logs[0].school_id),))
        append_one = "SELECT record.append_one(%s, %s, 0, 'event', 'x', %s, %s)"
        service.execute(append_one, (logs[0].school_id, uuid4(), AT, STATE))
        admin.execute("SELECT 1 FROM record.schools WHERE school_id = %s FOR UPDATE", (logs[1].school_id,))
        held = [pool.submit(log.append, [rings(stream, 0)], idempotency=None)
                for log, stream in zip(logs[:2], streams, strict=False)]  # fmt: skip
        for version in range(30):
            gone = [pool.submit(log.append, [rings(stream, version)], idempotency=None)
                    for log, stream in zip(logs[2:], streams[2:], strict=True)]  # fmt: skip
            assert [one.result(5) for one in gone] == [range(version + 2, version + 3)] * (SCHOOLS - 2)
        assert not any(one.done() for one in held)
        admin.rollback()
        assert held[1].result(5) == range(2, 3)
        assert not held[0].done()
    assert held[0].result(5) == range(3, 4)
    assert all(list(check_store(log)) == [] for log in logs[2:])


def test_of_many_schools_together_each_hears_only_of_its_own_conflict(store: Store, logs: list[SchoolLog]) -> None:
    sizes: list[int] = []
    together = store._db.line._together
    streams = [[uuid4() for _ in range(2)] for _ in logs]
    for log, own in zip(logs, streams, strict=True):
        log.append([rings(stream, -1) for stream in own], idempotency=None)

    def counted(parcels: Sequence[Parcel]) -> None:
        sizes.append(len(parcels))
        together(parcels)

    def write(number: int) -> None:
        log, stream = logs[number % SCHOOLS], streams[number % SCHOOLS][number // SCHOOLS]
        for version in range(12):
            if number == 3:
                with pytest.raises(VersionClash, match=str(stream)):
                    log.append([rings(stream, version + 1)], idempotency=None)
            else:
                asked = Idempotency(ACTOR.id, f"{number}/{version}", b"h", b"answer")
                assert len(log.append([rings(stream, version)], idempotency=asked)) == 1

    store._db.line._together = counted  # type: ignore[method-assign]
    try:
        with ThreadPoolExecutor(2 * SCHOOLS) as pool:
            list(pool.map(write, range(2 * SCHOOLS), timeout=60))
    finally:
        store._db.line._together = together  # type: ignore[method-assign]
    assert max(sizes) > 1
    expected = [3 + 24] * SCHOOLS
    expected[3] -= 12
    assert [log.size() for log in logs] == expected
    for number, log in enumerate(logs):
        assert list(check_store(log)) == []
        if number != 3:
            assert log.load_for([], ACTOR.id, f"{number}/11", b"h")[1] == b"answer"


def test_of_two_with_one_key_one_is_told(logs: list[SchoolLog]) -> None:
    gate = threading.Barrier(4)
    stream = [uuid4() for _ in range(4)]
    for one in stream:
        logs[0].append([rings(one, -1)], idempotency=None)

    def ask(number: int) -> str:
        gate.wait(10)
        try:
            asked = Idempotency(ACTOR.id, "twin", b"%d" % number, b"answer")
            logs[0].append([rings(stream[number], 0)], idempotency=asked)
        except KeyReused:
            return "told"
        return "written"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == ["told", "told", "told", "written"]
    assert logs[0].size() == 6 and list(check_store(logs[0])) == []


def parcel(school: UUID, statements: bool = False) -> Parcel:
    rows = [(uuid4(), 0, "event", "x", AT, b"")]
    return Parcel(school, [("SELECT 1", ())] if statements else [], rows, {})


class Post:
    """A line whose groups leave when told to; what was sent, and how."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.sent: list[int] = []
        self.alone: list[Parcel] = []
        self.started, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.failure = failure
        self.left_out: Parcel | None = None
        self.line = Line(self._together)

    def _together(self, parcels: Sequence[Parcel]) -> None:
        self.sent.append(len(parcels))
        self.started.release()
        assert self.go_on.acquire(timeout=10)
        if self.failure and len(parcels) > 1:
            raise self.failure
        for place, one in enumerate(parcels):
            one.first = None if one is self.left_out else place

    def by_itself(self, one: Parcel) -> int:
        self.alone.append(one)
        if one is self.left_out:
            raise VersionClash("taken")
        return 100

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + 10
        while len(self.line._waiting) < count:
            assert time.monotonic() < until


def test_those_who_wait_go_together_and_who_was_left_out_hears_of_its_own() -> None:
    post = Post()
    parcels = [parcel(uuid4()) for _ in range(4)]
    post.left_out = parcels[2]
    with ThreadPoolExecutor(4) as pool:
        posted = [pool.submit(post.line.post, parcels[0], post.by_itself)]
        assert post.started.acquire(timeout=10)
        posted += [pool.submit(post.line.post, one, post.by_itself) for one in parcels[1:]]
        post.wait_for(3)
        for _ in range(2):
            post.go_on.release()
        with pytest.raises(VersionClash):
            posted[2].result(10)
        assert sorted(posted[number].result(10) for number in (0, 1, 3)) == [0, 0, 2] or post.sent == [1, 3]
    assert post.sent == [1, 3] and post.alone == [parcels[2]]


@pytest.mark.parametrize(
    ("failure", "told"), [(VersionClash("x"), None), (StoreUnavailable("x"), StoreUnavailable), (KeyError(), KeyError)]
)
def test_a_group_that_was_refused_is_sent_alone_and_one_that_was_lost_is_not(
    failure: BaseException, told: type[BaseException] | None
) -> None:
    post = Post(failure)
    parcels = [parcel(uuid4()) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        posted = [pool.submit(post.line.post, parcels[0], post.by_itself)]
        assert post.started.acquire(timeout=10)
        posted += [pool.submit(post.line.post, one, post.by_itself) for one in parcels[1:]]
        post.wait_for(2)
        for _ in range(2):
            post.go_on.release()
        assert posted[0].result(10) == 0
        for one in posted[1:]:
            if told is None:
                assert one.result(10) == 100
            else:
                with pytest.raises(told):
                    one.result(10)
    assert post.sent == [1, 2] and len(post.alone) == (2 if told is None else 0)
    assert (post.line._waiting, post.line._busy, post.line._flying) == ([], set(), False)


@pytest.mark.parametrize("comes_again", [True, False])
def test_a_group_waits_for_those_who_came_with_the_last_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, comes_again: bool
) -> None:
    monkeypatch.setattr(lines, "LINGER_MAX_S", 5)
    post, first = Post(), uuid4()

    def come() -> None:
        post.line.post(parcel(first), post.by_itself)
        if comes_again:
            post.line.post(parcel(first), post.by_itself)

    with ThreadPoolExecutor(3) as pool:
        posted = [pool.submit(come)]
        assert post.started.acquire(timeout=10)
        posted += [pool.submit(post.line.post, parcel(uuid4()), post.by_itself) for _ in range(2)]
        post.wait_for(2)
        time.sleep(0.5)
        post.go_on.release()
        post.go_on.release()
        for one in posted:
            one.result(10)
    assert post.sent == ([1, 3] if comes_again else [1, 2])


def test_without_groups_everybody_is_sent_alone() -> None:
    post = Post()
    post.line = Line(None)
    assert post.line.post(parcel(uuid4()), post.by_itself) == 100 and post.sent == []


def test_one_message_at_a_time_for_a_school_also_of_those_who_go_alone() -> None:
    post, school = Post(), uuid4()
    running, most = 0, 0

    def slowly(_: Parcel) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1
        return 0

    for _ in range(20):
        post.go_on.release()
    with ThreadPoolExecutor(8) as pool:
        posted = [pool.submit(post.line.post, parcel(school, number % 2 == 0), slowly) for number in range(12)]
        for one in posted:
            one.result(10)
    assert most == 1 and post.line._waiting == []
