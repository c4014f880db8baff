"""The report for governors and inspection: screening, signs, plans, impact with its caveats, training; as tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from astrack.app import App
from astrack.newest import Newest
from domain import impact, training
from domain.impact import Arm, Impact, Subgroup
from domain.impact.cases import cases
from domain.impact.classes import CLASSES, Share
from domain.impact.classes import classes as classed
from domain.impact.words import BIAS_WARNING, Said, percent, sentences
from domain.reporting import ReportDatesWrong
from domain.scope import Scope
from domain.small import SMALLEST
from projections import impact as lines
from projections import round_progress
from projections import training as trained

EVERYBODY = Scope(everyone=True)
FEW = f"fewer than {SMALLEST}"
CLASS_WORDS = {
    "reliably_improved": "clearly nearer the middle", "improved": "nearer the middle", "unchanged": "the same",
    "worse": "farther from the middle", "reliably_worse": "clearly farther", "crossed": "from one end to the other",
    "any_improvement": "nearer, clearly or not",
}  # fmt: skip
CAME_WORDS = {
    "helped": "helped", "helped_partly": "helped partly", "did_not_help": "did not help",
    "stopped_early": "stopped early",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a name for files, a title, what must be known beside it, the head and the cells as text."""

    name: str
    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report says. ``shown``: whether both arms are large enough for the plots."""

    school: str
    since: date
    until: date
    made_on: date
    found: Impact
    said: Said
    tables: tuple[Table, ...]

    @property
    def shown(self) -> bool:
        """Whether both arms are large enough to be drawn."""
        arms = (self.found.supported, self.found.unsupported)
        return min(one.classes["any_improvement"].of for one in arms) >= SMALLEST


def governors(app: App, school_id: UUID, *, since: date, until: date) -> Report:
    """The report of one school over a period. Catches the read models up. Raises ReportDatesWrong."""
    if since >= until:
        raise ReportDatesWrong(f"the report would end on {until}, before it begins: choose a later last day")
    app.views.catch_up(school_id)
    with app.views.reading(school_id) as cur:
        school = lines.school(cur, school_id, EVERYBODY, until=until)
        plans = lines.kept(cur, school_id, EVERYBODY, since=since, until=until)
        rounds = [one for one in round_progress.rounds(cur, school_id, EVERYBODY) if since <= one.opens_on <= until]
        staff = trained.levels(cur, school_id)
    window = since.toordinal(), until.toordinal()
    found = impact.assess(school.panel, school.plans, *window, school.parts)
    tables = (
        _screening(rounds), _signs(school.signs, window), _plans(plans), _arms(found), _checks(found),
        _subgroups("impact-by-group", "Parts of the school", found.subgroups), _by_signpost(school, window),
        _training(staff),
    )  # fmt: skip
    return Report(_name(app, school_id), since, until, app.clock().date(), found, sentences(found), tables)


NEWEST: Newest[tuple[UUID, date, date], Report] = Newest(20)
"""Reports with the size of the log and the day that each is of: aggregates alone."""


def kept(app: App, school_id: UUID, *, since: date, until: date) -> Report:
    """``governors``, worked out once for each state of the record. Raises ReportDatesWrong."""
    state = (app.store.log(school_id).size(), app.clock().date())
    make = partial(governors, app, school_id, since=since, until=until)
    return NEWEST.of((school_id, since, until), state, make)


def _name(app: App, school_id: UUID) -> str:
    registered = app.school(school_id).school_state().registered
    return registered.school.name if registered else "A school without a name yet"


def count(n: int) -> str:
    """A count of pupils, hidden where it is small."""
    return "none" if n == 0 else (str(n) if n >= SMALLEST else FEW)


def _screening(rounds: list[round_progress.Progress]) -> Table:
    rows = tuple(
        (one.name or "", str(one.opens_on), count(one.expected), count(one.sat), "closed" if one.closed else "open")
        for one in reversed(rounds)
    )
    return Table("screening", "Screening done", "Expected: on roll today in the round's year groups.",
                 ("Round", "Opened", "Expected", "Sat", "State"), rows)  # fmt: skip


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


def _arms(found: Impact) -> Table:
    arms = (found.supported, found.unsupported)
    rows: list[tuple[str, ...]] = [
        ("early signs in the period", *(count(arm.flagged) for arm in arms)),
        ("seen again", *(_share(arm.reassessed) for arm in arms)),
        *((CLASS_WORDS[name], *(_share(arm.classes[name]) for arm in arms)) for name in (*CLASSES, "any_improvement")),
        ("nearer if nobody did anything (expected)", *(_null(arm) for arm in arms)),
    ]
    note = "Of the pupil's named score farthest out, then and at the first adequate sitting 8 weeks or more after."
    return Table("impact", "Pupils with a plan and without", note, ("", "With a plan", "Without"), tuple(rows))


def _null(arm: Arm) -> str:
    return f"{arm.null:.0%}" if arm.reassessed.count >= SMALLEST and not math.isnan(arm.null) else FEW


def _share(one: Share) -> str:
    return percent(one) if one.of >= SMALLEST else FEW


def _checks(found: Impact) -> Table:
    rows: list[tuple[str, ...]] = []
    for title, one in (
        ("Primary: allowing for the start", found.primary),
        ("Change against change", found.biased_change),
    ):
        if one is not None:
            rests = f"{one.supported} and {one.unsupported} pupils, {one.strata} strata, {one.df:.1f} df"
            rows.append((title, f"{one.nearer:+.3f}", f"{one.low:+.3f}", f"{one.high:+.3f}", rests))
    if found.primary and found.pairs:
        mean, low, high = found.pairs.nearer
        rows.append(("Matched pairs", f"{mean:+.3f}", f"{low:+.3f}", f"{high:+.3f}", f"{found.pairs.pairs} pairs"))
    note = f"Scale points nearer the middle, method {found.method}. {BIAS_WARNING}"
    return Table("impact-estimates", "The comparison in numbers", note,
                 ("Estimate", "Nearer by", "Low", "High", "Rests on"), tuple(rows))  # fmt: skip


def _subgroups(name: str, title: str, some: tuple[Subgroup, ...]) -> Table:
    rows = tuple(
        (one.dimension, one.name, _improved(one.supported), _improved(one.unsupported), _range(one.difference))
        for one in some
    )
    note = f"Share nearer the middle. Under {SMALLEST} in an arm is hidden; of many parts some differ by luck."
    return Table(name, title, note, ("By", "Part", "With a plan", "Without", "Difference"), rows)


def _improved(one: Share | None) -> str:
    return percent(one) if one else FEW


def _range(one: tuple[float, float, float] | None) -> str:
    return f"{one[0]:+.0%} ({one[1]:+.0%} to {one[2]:+.0%})" if one else FEW


def _by_signpost(school: lines.School, window: tuple[int, int]) -> Table:
    some = cases(school.panel, school.plans, *window)
    parts = impact.of_plans(some, classed(school.panel, some), "signpost", school.plan_parts)
    shown = tuple(one for one in parts if one.shown)
    return _subgroups("impact-by-signpost", "Signposts used often enough", shown)


def _training(levels: trained.Levels) -> Table:
    rows = [("people who work here", str(levels.people))]
    rows += [(f"finished: {one.title}", str(levels.finished.get(name, 0))) for name, one in training.modules().items()]
    rows.append(("mean level (logits)", f"{levels.mean:+.2f} of {levels.measured}" if levels.measured >= SMALLEST
                 and levels.mean is not None else f"{FEW} measured"))  # fmt: skip
    return Table("training", "Training of staff", "A level compares across schools: forms are linked.",
                 ("Staff", "How many"), tuple(rows))  # fmt: skip


def csv_files(report: Report) -> dict[str, bytes]:
    """Every table as CSV (UTF-8 with a mark for spreadsheets), by file name. A text that a spreadsheet would run is
    made harmless with an apostrophe.
    """
    return {f"{one.name}.csv": csv_of(one) for one in report.tables}


def csv_of(table: Table) -> bytes:
    """One table as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([[_harmless(cell) for cell in row] for row in (table.head, *table.rows)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(cell: str) -> str:
    risky = cell[:1] in ("=", "@", "\t", "\r") or (cell[:1] in ("+", "-") and not cell[1:2].isdigit())
    return f"'{cell}" if risky else cell
