"""Schools loaded by several processes at once, each with its own connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

from astrack.crew import CONTEXT, Crew
from astrack.settings import Settings
from astrack.store import Store
from astrack.views.fold import Broken
from astrack.views.load import Loader, Moved
from projections import ALL
from projections.shape import Projection

FEW_EVENTS = 50_000
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
    yield from _spread(store, projections, order, min(processes, len(order)), moved)


def _here(store: Store, projections: Sequence[Projection], order: Sequence[UUID], moved: Moved) -> Iterator[Loaded]:
    with closing(Loader(store)) as loader:
        for school_id in order:
            yield school_id, loader.load(school_id, projections, moved)


def _spread(
    store: Store, projections: Sequence[Projection], order: Sequence[UUID], processes: int, moved: Moved
) -> Iterator[Loaded]:
    passed, told = CONTEXT.Value("q", 0), 0

    def look() -> None:
        nonlocal told
        now = passed.value
        moved(now - told)
        told = now

    names = [(one.name, one.suffix) for one in projections]
    with closing(Loader(store)) as loader:
        crew = Crew(
            processes, lambda one: loader.load(one, projections, moved), _load, _open, (store.settings, names, passed),
            look,
        )  # fmt: skip
        yield from crew.work(order)


_child: dict[str, Any] = {}


def _open(settings: Settings, names: Sequence[tuple[str, str]], passed: Any) -> None:
    store = Store.open(replace(settings, pool_size=2))
    by_name = {one.name: one for one in ALL}
    _child["projections"] = [replace(by_name[name], suffix=suffix) for name, suffix in names]
    _child["loader"], _child["passed"] = Loader(store), passed


def _load(school_id: UUID) -> list[Broken]:
    passed = _child["passed"]

    def moved(count: int) -> None:
        with passed.get_lock():
            passed.value += count

    broken: list[Broken] = _child["loader"].load(school_id, _child["projections"], moved)
    return broken
