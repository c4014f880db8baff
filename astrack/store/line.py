"""Callers standing in line: whoever comes while a message is under way goes together with the next.

Alone, each would wait for an fsync and pay for a message, a transaction and a plan of its own; together they share one.
Nobody waits for another's lock: of a school whose row somebody holds nothing is written in a group, and whoever was
left out, or stood in a group that was refused, is sent alone, so that each hears only of its own conflict.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from astrack.store.binary import AnswerRow, EventRow
from astrack.store.keys import Key
from astrack.store.types import StoreError, StoreUnavailable

GROUP_MAX = 64
ROWS_MAX = 8
LINGER_MAX_S = 0.005
"""How long a group waits for those who came with the last one; never longer than half of what that took."""


@dataclass(slots=True)
class Parcel:
    """What one caller sends to one school: statements, the answer it keeps, rows of events in their order, and the keys
    made for them. ``first`` is the position of the first event once it is written.
    """

    school: UUID
    statements: list[tuple[LiteralString, Sequence[Any]]]
    rows: list[EventRow]
    made: dict[UUID, Key]
    answer: AnswerRow | None = None
    first: int | None = None
    error: BaseException | None = None
    alone: bool = False
    ready: bool = False
    group: list[Parcel] = field(default_factory=list)
    gate: threading.Lock = field(default_factory=threading.Lock)

    def joins(self) -> bool:
        """Whether it may go with others: few events, of different streams and one instant, and no other statement."""
        if len(self.rows) == 1:
            return not self.statements
        return (
            not self.statements
            and 1 <= len(self.rows) <= ROWS_MAX
            and len({row[0] for row in self.rows}) == len(self.rows)
            and len({row[4] for row in self.rows}) == 1
        )


class Line:
    """Sends parcels in groups, one at a time; of one school one message at a time, in the order of its callers.

    ``together`` writes some parcels in one transaction and sets ``first`` of each it wrote; it waits for no lock.
    Without it everybody is sent alone.
    """

    def __init__(self, together: Callable[[Sequence[Parcel]], None] | None) -> None:
        self._together = together
        self._lock = threading.Lock()
        self._waiting: list[Parcel] = []
        self._busy: set[UUID] = set()
        self._flying = False
        self._expected, self._until, self._lingers = 0, 0.0, False

    def post(self, parcel: Parcel, alone: Callable[[Parcel], int]) -> int:
        """The position of the parcel's first event, once it is durable. Raises what its own sending raises."""
        parcel.alone = self._together is None or not parcel.joins()
        self._stand(parcel)
        if parcel.group:
            self._send(parcel.group)
        if parcel.error is not None:
            raise parcel.error
        if parcel.first is not None:
            return parcel.first
        if not parcel.alone:
            parcel.alone, parcel.ready = True, False
            self._stand(parcel)
        try:
            return alone(parcel)
        finally:
            self._back([parcel])

    def _stand(self, parcel: Parcel) -> None:
        """Returns when the parcel has been sent with others, leads a group, or has its turn alone."""
        parcel.gate.acquire(blocking=False)
        with self._lock:
            self._waiting.append(parcel)
            self._set_off()
        while not parcel.ready:
            parcel.gate.acquire(timeout=max(0, self._until - time.monotonic()) if self._lingers else -1)
            if not parcel.ready:
                with self._lock:
                    self._set_off()

    def _set_off(self) -> None:
        """Let those go who may; the line's lock is held."""
        group, alone = self._ready()
        # whoever came with the last group is likely to come again at once: one fsync then serves all
        self._lingers = not self._flying and 0 < len(group) < self._expected and time.monotonic() < self._until
        if self._flying or self._lingers:
            group = []
        if group:
            self._flying = True
            group[0].group = group
        gone = {id(one) for one in [*group, *alone]}
        if gone:
            self._busy.update(one.school for one in [*group, *alone])
            self._waiting = [one for one in self._waiting if id(one) not in gone]
        for one in [*alone, *group[:1]]:
            one.ready = True
            _wake(one)

    def _ready(self) -> tuple[list[Parcel], list[Parcel]]:
        """Those who could leave together and those who could leave alone; of one school nobody overtakes another."""
        group, alone, streams = list[Parcel](), list[Parcel](), set[UUID]()
        schools, kept = set[UUID](), set(self._busy)
        for one in self._waiting:
            if one.school in kept:
                continue
            if one.alone:
                kept.add(one.school)
                alone += [] if one.school in schools else [one]
            elif len(group) < GROUP_MAX and streams.isdisjoint(own := [row[0] for row in one.rows]):
                group.append(one)
                streams.update(own)
                schools.add(one.school)
            else:
                kept.add(one.school)
        return group, alone

    def _send(self, group: list[Parcel]) -> None:
        begun = time.monotonic()
        try:
            assert self._together is not None
            self._together(group)
        except StoreUnavailable as error:
            for one in group:
                one.error = error  # nobody knows whether it was written: each repeats with its key
        except (StoreError, psycopg.Error):
            pass  # nothing was written: each is sent alone
        except BaseException as error:
            for one in group:
                one.error = error
        finally:
            self._back(group, time.monotonic() - begun)

    def _back(self, group: list[Parcel], took: float | None = None) -> None:
        with self._lock:
            self._busy.difference_update([one.school for one in group])
            if took is not None:
                self._flying, self._expected = False, len(group) + len(self._waiting)
                self._until = time.monotonic() + min(LINGER_MAX_S, took / 2)
                for one in group:
                    one.ready = True
                    _wake(one)
            self._set_off()
            if self._waiting and not self._flying:
                _wake(self._waiting[0])  # to see that those who linger leave in time


def _wake(one: Parcel) -> None:
    if one.gate.locked():
        one.gate.release()
