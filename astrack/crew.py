"""Long work in parts, shared by several processes, each with its own connections; one that dies takes nothing along."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from typing import Any, Generic, TypeVar

from astrack.store import StoreUnavailable

LOOK_S = 0.2
ATTEMPTS = 3
AHEAD = 2
CONTEXT: SpawnContext = multiprocessing.get_context("spawn")
Part = TypeVar("Part")
Done = TypeVar("Done")


def _nothing() -> None:
    """What a caller who counts nothing does at each look."""


@dataclass(frozen=True, slots=True)
class Crew(Generic[Part, Done]):
    """This process and ``processes`` - 1 others, which take a second to start: until then this one works alone.

    ``here`` does a part in this process; ``there``, a function of a module, in another one that ``begin`` has made
    ready with ``given``. ``look`` is called now and then. A part may be done twice where a process died over it.
    """

    processes: int
    here: Callable[[Part], Done]
    there: Callable[[Part], Done]
    begin: Callable[..., None]
    given: tuple[Any, ...]
    look: Callable[[], None] = _nothing

    def work(self, parts: Sequence[Part]) -> Iterator[tuple[Part, Done]]:
        """Each part with what came of it, as it is done. Raises StoreUnavailable when processes keep dying, and what
        a part raises.
        """
        left = dict(enumerate(parts))
        for _ in range(ATTEMPTS):
            try:
                for number, done in self._spread(dict(left)):
                    yield left.pop(number), done
                return
            except BrokenProcessPool:
                continue
        raise StoreUnavailable("processes that share the work keep dying: look for a lack of memory, then try again")

    def _spread(self, parts: dict[int, Part]) -> Iterator[tuple[int, Done]]:
        others = min(self.processes, len(parts)) - 1
        if others < 1:
            yield from ((number, self.here(part)) for number, part in parts.items())
            return
        left, waiting = deque(parts), dict[Future[Done], int]()
        with ProcessPoolExecutor(others, CONTEXT, self.begin, self.given) as pool:
            while left or waiting:
                while len(left) > 1 and len(waiting) < AHEAD * others:
                    number = left.popleft()
                    waiting[pool.submit(self.there, parts[number])] = number
                if left:
                    number = left.popleft()
                    yield number, self.here(parts[number])
                done, _ = wait(waiting, 0 if left else LOOK_S, FIRST_COMPLETED)
                self.look()
                for one in done:
                    yield waiting.pop(one), one.result()
