"""The report for governors and inspection: screening, signs, plans, impact with its caveats, training; as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from astrack.app import App
from astrack.newest import Newest
from astrack.reports.tables import FEW, Table, arms, bound, checks, count, subgroups
from domain import impact, training
from domain.impact import Impact
from domain.impact.cases import cases
from domain.impact.classes import classes as classed
from domain.impact.words import Said, sentences
from domain.reporting import check_dates
from domain.scope import Scope
from domain.small import SMALLEST
from projections import impact as lines
from projections import round_progress
from projections import training as trained

EVERYBODY = Scope(everyone=True)
CAME_WORDS = {
    "helped": "helped", "helped_partly": "helped partly", "did_not_help": "did not help",
    "stopped_early": "stopped early",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report says."""

    school: str
    since: date
    until: date
    made_on: date
    found: Impact
    said: Said
    tables: tuple[Table, ...]


def governors(app: App, school_id: UUID, *, since: date, until: date) -> Report:
    """The report of one school over a period. Catches the read models up. Raises ReportDatesWrong."""
    check_dates(since, until)
    app.views.catch_up(school_id)
    with app.views.reading(school_id) as cur:
        school = lines.school(cur, school_id, EVERYBODY, until=until)
        plans = lines.kept(cur, school_id, EVERYBODY, since=since, until=until)
        rounds = [one for one in round_progress.rounds(cur, school_id, EVERYBODY) if since <= one.opens_on <= until]
        staff = trained.levels(cur, school_id)
    window = since.toordinal(), until.toordinal()
    found = impact.assess(school.panel, school.plans, *window, school.parts)
    tables = (
        _screening(rounds), _signs(school.signs, window), _plans(plans), arms(found), checks(found),
        bound(found.hidden), subgroups("impact-by-group", "Parts of the school", found.subgroups),
        _by_signpost(school, window), _training(staff),
    )  # fmt: skip
    return Report(name_of(app, school_id), since, until, app.clock().date(), found, sentences(found), tables)


NEWEST: Newest[tuple[UUID, date, date], Report] = Newest(20)
"""Reports with the size of the log and the day that each is of: aggregates alone."""


def kept(app: App, school_id: UUID, *, since: date, until: date) -> Report:
    """``governors``, worked out once for each state of the record. Raises ReportDatesWrong."""
    state = (app.store.log(school_id).size(), app.clock().date())
    make = partial(governors, app, school_id, since=since, until=until)
    return NEWEST.of((school_id, since, until), state, make)


def name_of(app: App, school_id: UUID) -> str:
    """What a school is called."""
    registered = app.school(school_id).school_state().registered
    return registered.school.name if registered else "A school without a name yet"


def _screening(rounds: list[round_progress.Progress]) -> Table:
    rows = tuple(
        (one.name or "", str(one.opens_on), *map(count, (one.expected, one.sat, one.not_today)),
         "closed" if one.closed else "open")
        for one in reversed(rounds)
    )  # fmt: skip
    note = "Expected: on roll today in the round's year groups. Not today: said so, and have not sat it."
    heads = ("Round", "Opened", "Expected", "Sat", "Not today", "State")
    return Table("screening", "Screening done", note, heads, rows)


def _signs(signs: Mapping[str, Sequence[int]], window: tuple[int, int]) -> Table:
    first, last = window
    raised = {kind: sum(first <= day <= last for day in days) for kind, days in signs.items()}
    rows = tuple((kind.replace("_", " "), count(n)) for kind, n in sorted(raised.items()))
    note = "Early signs raised in the period that asked for a look. A sign says “worth a look”, never what is wrong."
    return Table("signs", "Early signs", note, ("Kind", "How many"), rows)


def _plans(kept: lines.Kept) -> Table:
    rows = [("begun", count(kept.begun)), ("looked at since", count(kept.looked_at)), ("running", count(kept.running)),
            ("next look overdue", count(kept.overdue))]  # fmt: skip
    rows += [(f"ended: {CAME_WORDS[how]}", count(n)) for how, n in sorted(kept.came.items())]
    note = "What came of a plan is its owner's view; the comparison below does not use it."
    return Table("plans", "Plans made and kept", note, ("Plans", "How many"), tuple(rows))


def _by_signpost(school: lines.School, window: tuple[int, int]) -> Table:
    some = cases(school.panel, school.plans, *window)
    parts = impact.of_plans(some, classed(school.panel, some), "signpost", school.plan_parts)
    shown = tuple(one for one in parts if one.shown)
    return subgroups("impact-by-signpost", "Signposts used often enough", shown)


def _training(levels: trained.Levels) -> Table:
    rows = [("people who work here", str(levels.people))]
    rows += [(f"finished: {one.title}", str(levels.finished.get(name, 0))) for name, one in training.modules().items()]
    rows.append(("mean level (logits)", f"{levels.mean:+.2f} of {levels.measured}" if levels.measured >= SMALLEST
                 and levels.mean is not None else f"{FEW} measured"))  # fmt: skip
    return Table("training", "Training of staff", "A level compares across schools: forms are linked.",
                 ("Staff", "How many"), tuple(rows))  # fmt: skip
