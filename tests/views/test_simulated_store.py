"""The simulator writes the same facts for the same seed, and read models take a made-up trust whole."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astrack.settings import Settings
from astrack.store import Store
from astrack.views import Views
from domain.base import Fact
from projections import ALL

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def simulated(settings: Settings) -> Callable[[str, int], Settings]:
    sys.path.insert(0, str(SCRIPTS))
    try:
        from simulate import Plan, make
    finally:
        sys.path.remove(str(SCRIPTS))

    def write(database: str, seed: int) -> Settings:
        own = replace(settings, database=database)
        make(own, Plan(schools=3, pupils=12, rounds=4, seed=seed), 1, lambda _: None)
        return own

    return write


def facts(settings: Settings) -> list[Fact]:
    with Store.open(settings) as store:
        return [fact for school in store.schools() for fact in store.log(school).page(-1, 10_000)]


def told(all_facts: list[Fact]) -> list[tuple[Any, ...]]:
    return [(fact.position, fact.pupil_id, fact.origin, fact.event) for fact in all_facts]


def test_the_same_seed_writes_the_same_facts_and_another_seed_others(
    simulated: Callable[[str, int], Settings], store: Store
) -> None:
    one, two, other = (facts(simulated(name, seed)) for name, seed in (("sim_a", 1), ("sim_b", 1), ("sim_c", 2)))
    # an import's own envelope is sealed with salts of the sender's log; what it carries is the same
    assert told(one) == told(two) and told(one) != told(other)
    assert len(one) > 200


def test_a_made_up_trust_rebuilt_by_two_processes_equals_live(
    simulated: Callable[[str, int], Settings], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from astrack.views import processes as view_processes

    monkeypatch.setattr(view_processes, "FEW_EVENTS", 1)
    with Store.open(simulated("sim_d", 3)) as own:
        views = Views(own)
        for school in own.schools():
            views.catch_up(school)
        live = rows(views, own)
        views.rebuild()
        assert rows(views, own) == live and sum(map(len, live)) > 200


def test_processes_that_die_in_a_rebuild_lose_and_double_nothing(
    simulated: Callable[[str, int], Settings], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from astrack.views import processes as view_processes

    monkeypatch.setattr(view_processes, "FEW_EVENTS", 1)
    killed: list[int | None] = []

    def kill(_: int) -> None:
        for child in multiprocessing.active_children() if not killed else ():
            killed.append(child.pid)
            child.kill()

    with Store.open(simulated("sim_e", 4)) as own:
        views = Views(own)
        for school in own.schools():
            views.catch_up(school)
        live = rows(views, own)
        views.rebuild(progress=kill)
        assert killed and rows(views, own) == live


def rows(views: Views, store: Store) -> list[list[str]]:
    made = []
    for school in store.schools():
        with views.reading(school) as cur:
            for one in ALL:
                cur.execute(f"SELECT t::text FROM {one.table} t ORDER BY 1".encode())
                made.append([text for (text,) in cur])
    return made
