"""Streams made-up trusts of any size into the store: pupils, answers, staff who act or don't, moves between schools.

The same seed writes the same facts with the same ids; keys and salts are fresh. Nothing here is drawn from pupils.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from simulate_trust import Trust

from astrack.settings import Settings
from astrack.store import Store

SCHOOLS_A_TRUST = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make: so many schools with so many pupils each, through so many rounds."""

    schools: int
    pupils: int
    rounds: int
    seed: int

    def trusts(self) -> list[tuple[int, int]]:
        """(number, schools) of each trust."""
        whole, rest = divmod(self.schools, SCHOOLS_A_TRUST)
        sizes = [SCHOOLS_A_TRUST] * whole + ([rest] if rest else [])
        return list(enumerate(sizes))


def make(settings: Settings, plan: Plan, processes: int, moved: Callable[[int], None]) -> int:
    """Write a plan into the store the settings name; how many facts. ``moved`` hears of pupil-rounds done."""
    trusts = plan.trusts()
    if processes < 2 or len(trusts) < 2:
        return sum(_trust(settings, plan, one, moved) for one in trusts)
    context = multiprocessing.get_context("spawn")
    passed = context.Value("q", 0)
    opening: dict[str, Any] = {"initializer": _share, "initargs": (passed,)}
    # the server is kept running between the processes that use it
    with Store.open(settings), ProcessPoolExecutor(min(processes, len(trusts)), context, **opening) as pool:
        waiting = [pool.submit(_trust, settings, plan, one) for one in trusts]
        told = 0
        while not all(one.done() for one in waiting):
            time.sleep(0.2)
            moved(passed.value - told)
            told = passed.value
        return sum(one.result() for one in waiting)


_passed: Any = None


def _share(passed: Any) -> None:
    global _passed
    _passed = passed


def _shared(count: int) -> None:
    with _passed.get_lock():
        _passed.value += count


def _trust(settings: Settings, plan: Plan, one: tuple[int, int], moved: Callable[[int], None] = _shared) -> int:
    with Store.open(replace(settings, pool_size=2)) as store:
        trust = Trust(store, one[0], one[1], plan.pupils, plan.rounds, plan.seed)
        for count in trust.run():
            moved(count)
        return sum(writer.count for writer in trust.writers)


def main() -> None:
    """Make what the arguments say, with a progress bar."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--schools", type=int, default=1, help="how many schools (1)")
    options.add_argument("--pupils", type=int, default=300, help="pupils in each (300)")
    options.add_argument("--rounds", type=int, default=9, help="assessment rounds, three a year (9)")
    options.add_argument("--seed", type=int, default=1, help="the same seed writes the same facts (1)")
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    if min(given.schools, given.pupils, given.rounds, given.processes) < 1 or given.rounds > 30:
        options.error("schools, pupils and processes are at least 1, rounds 1 to 30")
    plan = Plan(given.schools, given.pupils, given.rounds, given.seed)
    total = plan.schools * plan.pupils * plan.rounds
    columns = (TextColumn("Pupils x rounds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("", total=total)
        begun = time.perf_counter()
        facts = make(Settings.from_environment(), plan, given.processes, lambda count: bar.advance(task, count))
    print(f"{facts:,} facts of {plan.schools} schools in {time.perf_counter() - begun:,.0f} s.")


if __name__ == "__main__":
    main()
