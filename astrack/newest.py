"""The newest answers that take long to work out, kept with the state of the record that they are of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Newest(Generic[Key, Made]):
    """At most ``most`` answers, the newest; one is given again only in the state it was made in.

    For what holds nobody's particulars: aggregates, and what is public. Safe to share between threads: two that ask at
    once may both work it out.
    """

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: dict[Key, tuple[Hashable, Made]] = {}

    def of(self, key: Key, state: Hashable, make: Callable[[], Made]) -> Made:
        """The answer for a key in a state, made where it is not there."""
        with self._lock:
            known = self._kept.get(key)
        if known is not None and known[0] == state:
            return known[1]
        made = make()
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (state, made)
            while len(self._kept) > self._most:
                self._kept.pop(next(iter(self._kept)))
        return made
