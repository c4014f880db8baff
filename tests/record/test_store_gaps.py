"""Whatever writes at once, a reader that follows misses nothing, and of those who clash exactly one wins."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from astrack.settings import Settings
from astrack.store import Change, SchoolLog, Store, VersionClash
from astrack.store.fsck import check_store
from astrack.store.recorder import SchoolRecorder
from domain.base import Actor, Event, StreamClass

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")
WRITERS = 8


class StepTaken(Event):
    """A step was taken (for these tests)."""

    TOPIC: ClassVar[str] = "test.step-taken.v1"


def steps(stream: UUID, expected: int, count: int) -> Change:
    events = tuple(StepTaken(event_id=uuid4(), recorded_at=AT, by=ACTOR) for _ in range(count))
    return Change(stream, StreamClass.JOURNEY, expected, events)


@pytest.fixture
def other_store(store: Store, settings: Settings) -> Iterator[Store]:
    """A second service on the same database: its own connections, its own line of callers."""
    with Store.open(settings) as opened:
        yield opened


def logs_of(stores: Sequence[Store], schools: int) -> list[list[SchoolLog]]:
    ids = [uuid4() for _ in range(schools)]
    for school in ids:
        stores[0].create_school(school, AT)
    return [[one.log(school) for one in stores] for school in ids]


def follow(log: SchoolLog, total: int, halt: threading.Event) -> list[int]:
    seen: list[int] = []
    while len(seen) < total and not halt.is_set():
        seen += [fact.position for fact in log.page(seen[-1] if seen else -1, 40)]
    return seen


def subscribed(log: SchoolLog, total: int) -> list[int]:
    with SchoolRecorder(log).subscribe(gt=0) as subscription:
        return [next(subscription).id for _ in range(total)]


@pytest.mark.parametrize("batch", [1, 50])
@pytest.mark.parametrize("schools", [1, WRITERS])
def test_a_reader_that_follows_eight_writers_misses_nothing(
    store: Store, other_store: Store, schools: int, batch: int
) -> None:
    each = 40 if batch == 1 else 4
    logs = logs_of((store, other_store), schools)
    total = each * batch * WRITERS // schools
    halt = threading.Event()

    def write(number: int) -> None:
        log, stream = logs[number % schools][number % 2], uuid4()
        for step in range(each):
            log.append([steps(stream, step * batch - 1, batch)], idempotency=None)

    with ThreadPoolExecutor(WRITERS + 2 * schools) as pool:
        readers = [pool.submit(follow, both[0], total, halt) for both in logs]
        subscribers = [pool.submit(subscribed, both[1], total) for both in logs]
        try:
            list(pool.map(write, range(WRITERS), timeout=60))
            for reader, subscriber in zip(readers, subscribers, strict=True):
                assert reader.result(30) == list(range(total))
                assert subscriber.result(30) == list(range(1, total + 1))
        finally:
            halt.set()
    for both in logs:
        assert both[0].size() == total and list(check_store(both[0])) == []


def test_for_each_version_exactly_one_of_eight_wins_and_the_rest_are_told(store: Store, other_store: Store) -> None:
    (both,) = logs_of((store, other_store), 1)
    stream, rounds = uuid4(), 20
    both[0].append([steps(stream, -1, 1)], idempotency=None)
    gate = threading.Barrier(WRITERS)
    won: Counter[int] = Counter()
    told: Counter[int] = Counter()

    def contend(number: int) -> None:
        for version in range(rounds):
            gate.wait(30)
            try:
                both[number % 2].append([steps(stream, version, 1)], idempotency=None)
                won[version] += 1
            except VersionClash:
                told[version] += 1

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(contend, range(WRITERS)))
    assert set(won.values()) == {1} and set(told.values()) == {WRITERS - 1} and len(won) == rounds
    assert both[0].load(stream).version == rounds and list(check_store(both[0])) == []


def test_one_who_clashes_in_a_group_does_not_spoil_it_for_the_others(school_log: SchoolLog) -> None:
    taken = uuid4()
    school_log.append([steps(taken, -1, 1)], idempotency=None)
    own = [uuid4() for _ in range(WRITERS)]
    halted = threading.Barrier(2 * WRITERS)
    clashes: list[int] = []

    def write(number: int) -> None:
        halted.wait(30)
        for version in range(-1, 9):
            school_log.append([steps(own[number], version, 1)], idempotency=None)

    def clash(number: int) -> None:
        halted.wait(30)
        for _ in range(10):
            with pytest.raises(VersionClash, match=str(taken)):
                school_log.append([steps(taken, -1, 1)], idempotency=None)
            clashes.append(number)

    with ThreadPoolExecutor(2 * WRITERS) as pool:
        done = [pool.submit(write, number) for number in range(WRITERS)]
        done += [pool.submit(clash, number) for number in range(WRITERS)]
        for one in done:
            one.result(60)
    assert len(clashes) == 10 * WRITERS and school_log.load(taken).version == 0
    assert {school_log.load(stream).version for stream in own} == {9}
    assert school_log.size() == 1 + 10 * WRITERS and list(check_store(school_log)) == []
