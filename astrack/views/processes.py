"""Schools loaded by several processes at once, each with its own connections."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

from astrack.settings import Settings
from astrack.store import Store, StoreUnavailable
from astrack.views.fold import Broken
from astrack.views.load import Loader, Moved
from projections import ALL
from projections.shape import Projection

FEW_EVENTS = 50_000
LOOK_S = 0.2
ATTEMPTS = 3
AHEAD = 2
Loaded = tuple[UUID, list[Broken]]


def load_all(
    store: Store, projections: Sequence[Projection], schools: Sequence[tuple[UUID, int]], processes: int, moved: Moved
) -> Iterator[Loaded]:
    """Load schools, (id, size) each, the largest first; gives each as it is done.

    A process that dies takes nothing with it: its school is loaded by another. Raises StoreUnavailable when that
    goes on.
    """
    known = {one.name for one in ALL}
    shared = store.settings is not None and all(one.name in known for one in projections)
    few = sum(size for _, size in schools) < FEW_EVENTS
    order = [school_id for school_id, _ in sorted(schools, key=lambda one: -one[1])]
    if processes < 2 or few or not shared or len(order) < 2:
        yield from _here(store, projections, order, moved)
        return
    left = dict.fromkeys(order)
    for _ in range(ATTEMPTS):
        try:
            for loaded in _spread(store, projections, list(left), min(processes, len(left)), moved):
                left.pop(loaded[0])
                yield loaded
            return
        except BrokenProcessPool:
            continue
    raise StoreUnavailable("processes that make read models anew keep dying: look for a lack of memory, then try again")


def _here(store: Store, projections: Sequence[Projection], order: Sequence[UUID], moved: Moved) -> Iterator[Loaded]:
    with closing(Loader(store)) as loader:
        for school_id in order:
            yield school_id, loader.load(school_id, projections, moved)


def _spread(
    store: Store, projections: Sequence[Projection], order: Sequence[UUID], processes: int, moved: Moved
) -> Iterator[Loaded]:
    """This process loads too: the others take a second to start."""
    context = multiprocessing.get_context("spawn")
    passed = context.Value("q", 0)
    names = [(one.name, one.suffix) for one in projections]
    opening: dict[str, Any] = {"initializer": _open, "initargs": (store.settings, names, passed)}
    with ProcessPoolExecutor(processes - 1, context, **opening) as pool, closing(Loader(store)) as loader:
        left, waiting, told = deque(order), set[Future[Loaded]](), 0
        while left or waiting:
            while len(left) > 1 and len(waiting) < AHEAD * (processes - 1):
                waiting.add(pool.submit(_load, left.popleft()))
            if left:
                school_id = left.popleft()
                yield school_id, loader.load(school_id, projections, moved)
            done, waiting = wait(waiting, 0 if left else LOOK_S, FIRST_COMPLETED)
            now = passed.value
            moved(now - told)
            told = now
            for one in done:
                yield one.result()


_child: dict[str, Any] = {}


def _open(settings: Settings, names: Sequence[tuple[str, str]], passed: Any) -> None:
    store = Store.open(replace(settings, pool_size=2))
    by_name = {one.name: one for one in ALL}
    _child["projections"] = [replace(by_name[name], suffix=suffix) for name, suffix in names]
    _child["loader"], _child["passed"] = Loader(store), passed


def _load(school_id: UUID) -> Loaded:
    passed = _child["passed"]

    def moved(count: int) -> None:
        with passed.get_lock():
            passed.value += count

    return school_id, _child["loader"].load(school_id, _child["projections"], moved)
