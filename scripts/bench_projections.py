"""Read models beside the library's ProjectionRunner and the plain sum of reading, in one run: ratios, not boasts."""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from bench_projections_rival import plain_rate, runner_rate
from rich.console import Console
from rich.progress import Progress
from simulate import Plan, make

from astrack.app import App
from astrack.records import Ask
from astrack.settings import Settings
from astrack.store import Store
from astrack.store.embedded import Embedded
from astrack.views import Views
from astrack.views.rebuild import Rebuild
from domain.base import Actor
from domain.scope import Scope
from projections import ALL, risk_register, timeline

ROUNDS = 9
FACTS_A_ROUND = 2.07
PUPILS = 1_000
LARGE = 1_500
LONG = Plan(schools=199, pupils=1_000, rounds=24, seed=11)
EVERYONE = Scope(everyone=True)
RISK = tuple(one for one in ALL if one.name == "risk_register")
SCHOOL_COUNTS = (1, 10, 100)
CLICKS = 300


def plan_for(events: int) -> Plan:
    """Schools of 1,000 pupils (fewer where there are few events, so that there are two) for about so many events."""
    pupil_rounds = max(40, int(events / FACTS_A_ROUND / ROUNDS))
    schools = max(2, round(pupil_rounds / PUPILS))
    return Plan(schools, max(20, pupil_rounds // schools), ROUNDS, 7)


@contextmanager
def temporary() -> Iterator[Settings]:
    """A data folder of this run's own, thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="astrack-bench-") as folder:
        Path(folder).chmod(0o711)
        yield Settings(home=Path(folder), pool_size=16, timeout_s=600)


def filled(settings: Settings, plan: Plan, processes: int) -> int:
    """Write the trusts of a plan, with a progress bar on stderr; how many facts."""
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Simulating", total=plan.schools * plan.pupils * plan.rounds)
        return make(settings, plan, processes, lambda count: bar.advance(task, count))


def seconds(act: Callable[[], Any]) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def rebuilds(store: Store, settings: Settings, events: int, processes: int, slice_events: int) -> dict[str, float]:
    """Every rebuild beside its rivals."""
    views = Views(store)
    schools = store.schools()
    views.catch_up(schools[0])
    runner = runner_rate(Embedded(settings.home), settings.database, slice_events)
    plain = plain_rate(settings, schools, processes, full=False)
    checked = plain_rate(settings, schools, processes, full=True)
    risk = events / seconds(Rebuild(store, RISK, processes).all)
    every = events / seconds(Rebuild(store, ALL, processes).all)
    again = runner_rate(Embedded(settings.home), settings.database, slice_events)
    rival = statistics.mean([runner, again])
    return {
        "events": events, "processes": processes, "runner_events_per_s": rival,
        "plain_sum_events_per_s": plain, "plain_sum_fully_checked_events_per_s": checked,
        "rebuild_risk_events_per_s": risk, "rebuild_all_events_per_s": every,
        "rebuild_risk_vs_runner": risk / rival, "rebuild_risk_vs_plain_sum": risk / plain,
        "rebuild_all_vs_runner": every / rival,
    }  # fmt: skip


def live(store: Store, runner: float, events: int) -> dict[str, float]:
    """Catching whole schools up page by page, the risk register alone (as the rival has one view) and all."""
    figures: dict[str, float] = {}
    for name, chosen in (("live", RISK), ("live_all", ALL)):
        views = Views(store, tuple(replace(one, suffix=f"_{name}_bench") for one in chosen))
        taken = done = 0.0
        for school in store.schools():
            if done >= events:
                break
            taken += drained(views, school)
            done += store.log(school).size()
        figures[f"{name}_events_per_s"] = done / taken
        figures[f"{name}_vs_runner"] = done / taken / runner
    return figures


def drained(views: Views, school: UUID) -> float:
    """Take the whole log in pages, as the background worker does; how many seconds that takes."""
    begun = time.perf_counter()
    while views.advance(school, 5_000):
        pass
    return time.perf_counter() - begun


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def clicks(app: App, school: UUID, times: int) -> dict[str, float]:
    """Command to page, the risk page, and a bare append, in ms, in one school."""
    records, actor = app.school(school), Actor(id=uuid4(), role="tutor")
    app.views.catch_up(school)
    with app.views.reading(school) as cur:
        lines = risk_register.by_need(cur, school, EVERYONE, None, 100)
    there = [line.pupil.pupil_id for line in lines]
    commands, pages, appends = [], [], []
    risk_page(app, school)
    gc.collect()
    gc.freeze()  # as the service does when it starts
    for number in range(times):
        pupil = there[number % len(there)]
        begun = time.perf_counter()
        records.look_at(Ask(actor, f"bench-{uuid4()}"), pupil, concern=False, note="seen")
        appends.append(time.perf_counter() - begun)
        app.views.catch_up(school)
        with app.views.reading(school) as cur:
            shown = timeline.story(cur, school, pupil, limit=20)
        commands.append(time.perf_counter() - begun)
        assert shown[0].row.detail.get("note") == "seen"
        pages.append(seconds(lambda: risk_page(app, school)))
    return {
        "command_to_page_ms": statistics.median(commands) * 1000, "append_ms": statistics.median(appends) * 1000,
        "risk_page_ms": statistics.median(pages) * 1000, "risk_page_p99_ms": percentile(pages, 0.99) * 1000,
    }  # fmt: skip


def risk_page(app: App, school: UUID) -> int:
    """What the page of pupils by need asks for, the whole school in scope."""
    app.views.catch_up(school)
    today = date(2026, 7, 1)
    with app.views.reading(school) as cur:
        found = risk_register.new_to_look_at(cur, school, EVERYONE)
        found += risk_register.due(cur, school, EVERYONE, today)
        found += risk_register.better(cur, school, EVERYONE, today)
        found += risk_register.wishes_to_talk(cur, school, EVERYONE)
    return len(found)


def growth(processes: int, pupils: int, others: int) -> dict[str, float]:
    """The same school of ``pupils``, alone and among 10 and 100 schools of ``others`` pupils."""
    figures: dict[str, float] = {}
    with temporary() as settings:
        filled(settings, Plan(1, pupils, ROUNDS, 3), processes)
        with App.open(settings, clock=lambda: datetime.now(UTC)) as app:
            (school,) = app.store.schools()
            before = 1
            for count in SCHOOL_COUNTS:
                if count > before:
                    filled(settings, Plan(count - before, others, 3, 100 + count), processes)
                    before = count
                    for one in app.store.schools():
                        app.views.catch_up(one)
                for name, value in clicks(app, school, CLICKS).items():
                    figures[f"{name}_{count}_schools"] = value
    for name in ("risk_page_ms", "risk_page_p99_ms", "append_ms"):
        figures[f"{name}_growth_1_to_100"] = figures[f"{name}_100_schools"] / figures[f"{name}_1_schools"]
    figures["risk_page_p99_growth"] = figures["risk_page_p99_ms_growth_1_to_100"]
    return figures


def measure(given: argparse.Namespace) -> dict[str, float]:
    """Every figure, side by side in one run."""
    plan = LONG if given.long else plan_for(given.events)
    with temporary() as settings:
        with Store.open(settings):  # keeps the server up between the parts
            begun = time.perf_counter()
            events = filled(settings, replace(plan, schools=1, pupils=LARGE, seed=3), given.processes)
            events += filled(settings, plan, given.processes)
            written = events / (time.perf_counter() - begun)
            with App.open(settings) as app:
                figures = rebuilds(app.store, settings, events, given.processes, given.slice)
                figures |= live(app.store, figures["runner_events_per_s"], given.live)
                schools = app.store.schools()
                for school in schools[:3]:
                    app.views.catch_up(school)
                largest = max(schools, key=lambda one: app.store.log(one).size())
                figures |= clicks(app, largest, CLICKS)
                figures["schools"], figures["pupils_a_school"] = plan.schools + 1, plan.pupils
                figures["pupils_of_the_school_clicked_in"] = LARGE
                figures["pupils"], figures["simulated_events_per_s"] = LARGE + plan.schools * plan.pupils, written
    if not given.no_growth:
        figures |= growth(given.processes, LARGE, given.others)
    return figures


def main() -> None:
    """Print a table, or with --json one object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--events", type=int, default=1_000_000, help="about how many encrypted events (1,000,000)")
    options.add_argument("--long", action="store_true", help="200,000 pupils, about 10 million events, hours")
    options.add_argument("--slice", type=int, default=4_000, help="events the ProjectionRunner is measured on")
    options.add_argument("--live", type=int, default=60_000, help="events caught up live")
    options.add_argument("--others", type=int, default=30, help="pupils of each further school in the growth part")
    options.add_argument("--no-growth", action="store_true", help="leave out the 1, 10, 100 schools")
    options.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    figures = measure(options.parse_args())
    if "--json" in sys.argv:
        print(json.dumps({"figures": figures}))
        return
    for name, value in figures.items():
        print(f"{name:44}{value:16,.2f}")


if __name__ == "__main__":
    main()
