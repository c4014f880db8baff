"""What the service does by the clock goes on, whatever fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest

from astrack.server.ticking import Ticker

ONE, TWO = uuid4(), uuid4()


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def test_a_fault_in_one_school_stops_neither_the_others_nor_the_next_turn() -> None:
    done: list[UUID] = []

    def act(school: UUID) -> None:
        done.append(school)
        if school == ONE:
            raise RuntimeError("once more")

    ticker = Ticker(lambda: [ONE, TWO], act, every_s=0.01)
    ticker.start()
    assert until(lambda: done.count(TWO) >= 2 and done.count(ONE) >= 2)
    ticker.stop()
    after = len(done)
    time.sleep(0.05)
    assert len(done) == after


def test_schools_that_cannot_be_listed_are_tried_again() -> None:
    turns: Iterator[list[UUID]] = iter([[ONE]])
    done = threading.Event()
    asked: list[int] = []

    def schools() -> list[UUID]:
        asked.append(1)
        if len(asked) == 1:
            raise OSError("the database is away")
        return next(turns, [])

    ticker = Ticker(schools, lambda _: done.set(), every_s=0.01)
    ticker.start()
    assert done.wait(10)
    ticker.stop()


def test_stopping_ends_the_thread() -> None:
    ticker = Ticker(list, lambda _: pytest.fail("no school"), every_s=60)
    ticker.start()
    begun = time.monotonic()
    ticker.stop()
    assert time.monotonic() - begun < 5
