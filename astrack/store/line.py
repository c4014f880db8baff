"""Callers of one school, standing in line: whoever comes while a message is under way goes together with the next.

Only one writer of a school can hold its row, so callers would wait for each other's fsync one by one; together they
share one. A message that is refused is sent again caller by caller, so that each hears only of its own conflict.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from astrack.store.keys import Key
from astrack.store.types import StoreError, StoreUnavailable

GROUP_MAX = 64
EventRow = tuple[UUID, int, str, str, Any, bytes]


@dataclass(slots=True)
class Parcel:
    """What one caller sends: statements, rows of events in their order, and the keys made for them."""

    statements: list[tuple[Any, Sequence[Any]]]
    rows: list[EventRow]
    made: dict[UUID, Key]
    first: int = 0
    error: BaseException | None = None
    leads: bool = False
    gate: threading.Lock = field(default_factory=threading.Lock)


class Line:
    """Sends parcels in groups. ``send`` writes some parcels in one transaction and sets ``first`` of each."""

    def __init__(self, send: Callable[[Sequence[Parcel]], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._waiting: list[Parcel] = []
        self._busy = False

    def post(self, parcel: Parcel) -> int:
        """The position of the parcel's first event, once it is durable. Raises what its own sending raises."""
        with self._lock:
            if self._busy:
                parcel.gate.acquire()
                self._waiting.append(parcel)
            else:
                self._busy = parcel.leads = True
        if not parcel.leads:
            parcel.gate.acquire()  # until it has been sent with others, or is the first of the next group
        if parcel.leads:
            self._lead(parcel)
        if parcel.error is not None:
            raise parcel.error
        return parcel.first

    def _lead(self, parcel: Parcel) -> None:
        with self._lock:
            group = [parcel, *self._waiting[: GROUP_MAX - 1]]
            del self._waiting[: GROUP_MAX - 1]
        try:
            self._deliver(group)
        finally:
            self._hand_on()
            for other in group[1:]:
                other.gate.release()

    def _hand_on(self) -> None:
        with self._lock:
            self._busy = bool(self._waiting)
            if self._waiting:
                following = self._waiting.pop(0)
                following.leads = True
                following.gate.release()

    def _deliver(self, group: list[Parcel]) -> None:
        try:
            self._send(group)
        except StoreUnavailable as error:
            for parcel in group:
                parcel.error = error  # nobody knows whether it was written: each repeats with its key
        except (StoreError, psycopg.Error) as error:
            if len(group) == 1:
                group[0].error = error
                return
            for parcel in group:
                self._deliver([parcel])
        except BaseException as error:
            for parcel in group:
                parcel.error = error
