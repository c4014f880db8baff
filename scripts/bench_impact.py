"""Impact for a trust of 50,000 pupils and 20 rounds: out of the store, and beside it from arrays alone.

scripts/bench impact [--json]. The store is this run's own, with the schools' read models filled; what is timed is what
the page of a trust does when nothing is kept yet: reading every school, putting them together, every figure, the page;
and the report, which is that and its PDF.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import numpy as np
from bench_projections import temporary

from astrack.app import App
from astrack.records import Ask
from astrack.reports import trust as reports_trust
from astrack.views.tables import upsert
from domain import impact
from domain.base import Actor
from domain.identity import SchoolName
from domain.impact.trusts import Trust, trust
from projections import impact as lines
from projections import packed, projection, pupils

A_SCHOOL = 1_500
BEGAN = datetime(2020, 9, 1, 8, tzinfo=UTC)
SINCE, UNTIL = date(2000, 1, 1), date(2060, 1, 1)
HEAD = Actor(id=UUID(int=1), role="administrator")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    made = trust(np.random.default_rng(1), "record", 0.2, asked.pupils, asked.rounds)
    alone = partial(impact.assess, made.panel, made.plans, 0, 10**7)
    arrays, arrays_cpu = timed(alone, asked.repeat), timed(alone, asked.repeat, time.process_time)
    with temporary() as settings, App.open(settings, lambda: BEGAN) as app:
        schools = filled(app, made)
        read = timed(lambda: packed.read(reports_trust.everybody(app, schools), UNTIL), asked.repeat)
        whole = timed(lambda: reports_trust.trust(app, schools, since=SINCE, until=UNTIL), asked.repeat)
        found = reports_trust.trust(app, schools, since=SINCE, until=UNTIL)
        cpu = timed(
            lambda: reports_trust.trust(app, schools, since=SINCE, until=UNTIL), asked.repeat, time.process_time
        )
        page = timed(lambda: reports_trust.html(found), asked.repeat)
        paper = timed(lambda: reports_trust.pdf(found), asked.repeat)
        kept = timed(lambda: reports_trust.kept(app, schools, since=SINCE, until=UNTIL), asked.repeat)
    answer = {
        "impact_50k_s": whole + page, "impact_50k_cpu_s": cpu, "of_it_reading_s": read, "of_it_page_s": page,
        "report_50k_s": whole + page + paper, "of_it_pdf_s": paper, "kept_s": kept,
        "arrays_s": arrays, "arrays_cpu_s": arrays_cpu, "schools": len(schools),
        "cases": found.found.supported.flagged + found.found.unsupported.flagged,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in answer.items()}
    text = "\n".join(f"{name}: {value}" for name, value in rounded.items())
    print(json.dumps({"figures": rounded}) if asked.json else text)


def timed(act: Callable[[], Any], repeat: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds a call takes, the median of so many; by the wall, or by this process's share of the processors."""
    took = []
    for _ in range(repeat):
        began = clock()
        act()
        took.append(clock() - began)
    return statistics.median(took)


def filled(app: App, made: Trust) -> list[UUID]:
    """The trust as schools of 1,500: registered, and their read models as if every fact had been taken."""
    schools = []
    for number, first in enumerate(range(0, len(made.panel.school), A_SCHOOL)):
        school_id = uuid4()
        name = SchoolName(school_id=school_id, name=f"Made-up School {number + 1}")
        app.create_school(school_id).register_school(Ask(HEAD, "register"), name)
        app.views.catch_up(school_id)
        some = list(rows(made, range(first, min(first + A_SCHOOL, len(made.panel.school)))))
        with app.store.log(school_id).views() as conn:
            upsert(conn, school_id, projection(pupils), [one for one, _ in some])
            upsert(conn, school_id, projection(lines), [one for _, one in some])
        schools.append(school_id)
    return schools


def rows(made: Trust, some: range) -> Iterator[tuple[pupils.Row, lines.Row]]:
    """Each pupil's rows of the two read models that a comparison rests on."""
    panel, plans = made.panel, made.plans
    rounds = [uuid4() for _ in range(panel.days.shape[1])]
    mine = {int(pupil): index for index, pupil in enumerate(plans.pupil) if int(pupil) in some}
    for n in some:
        sat, signs, begun = b"", b"", b""
        for r in np.flatnonzero(panel.days[n]):
            on = date.fromordinal(int(panel.days[n, r]))
            sat += packed.sat(on, rounds[r], int(panel.year[n, r]), True, panel.values[n, r].clip(0, 6.5).tolist(),
                              panel.errors[n, r].tolist())  # fmt: skip
            for cell in np.flatnonzero(panel.aimed[n, r]):
                signs += packed.sign(on, packed.FACTORS[cell % 4], packed.CONTEXTS[cell // 4])
        if n in mine:
            at = mine[n]
            start, end = (date.fromordinal(int(one[at])) for one in (plans.start, plans.end))
            begun = packed.plan(start, end, UUID(int=int(plans.owner[at]) + 1), None)
        tags = [f"tutor group={panel.group[n, 0]}", f"year={panel.year[n, 0]}"]
        pupil_id = uuid4()
        yield pupils.Row(pupil_id, tags=tags), lines.Row(pupil_id, sat, signs, [], begun, [], [])


if __name__ == "__main__":
    main()
