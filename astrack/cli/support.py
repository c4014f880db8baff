"""Did it help: the report for governors and inspectors on the command line."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from astrack import reports
from astrack.app import App
from astrack.cli import common as c
from astrack.cli.files import folder, write
from astrack.records.support import Support
from astrack.reports import html as reports_html
from astrack.reports import period
from astrack.reports import trust as reports_trust
from astrack.reports.period import Period
from astrack.reports.tables import csv_files
from domain.half_year import Days

First = Annotated[
    str | None, typer.Option(help="First day, YYYY-MM-DD. Without days: the newest half-year that can be told.")
]
Last = Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")]


def _asked(app: App, since: str | None, until: str | None, rounds: Sequence[Days] = ()) -> Period:
    first, last = since and c.day(since, "--since"), until and c.day(until, "--until")
    return period.asked(app, first or None, last or None, rounds)


def report(
    since: First = None,
    until: Last = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write report.html, report.pdf and CSV tables here.")
    ] = None,
    school: Annotated[str | None, c.SchoolOption] = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Did support help: supported against unsupported pupils, with intervals, and what may and may not be said."""
    with c.school_opened(school) as (app, records):
        first, last = _asked(app, since, until, period.rounds_of(app, records.school_id))
        made = reports.governors(app, records.school_id, since=first, until=last)
        if out is not None:
            folder(out)
            content = reports_html.pdf(made)
            write(out / "report.html", reports_html.html(made).encode())
            write(out / "report.pdf", content)
            for name, table in csv_files(made.tables).items():
                write(out / name, table)
            digest = hashlib.sha256(content).hexdigest()
            Support(records).record_report(c.asking(key, "head"), since=first, until=last, sha256=digest)
    c.out.print(f"From {first} to {last}.")
    c.out.print(made.said.headline, *made.said.beside, sep="\n")
    c.out.print(f"May not be said: {made.said.may_not} {made.said.why_not}")
    c.out.print(f"Wrote the report and its tables to {out}." if out else "Give --out FOLDER for the report itself.")


def trust(
    since: First = None,
    until: Last = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write trust.html, trust.pdf and CSV tables here.")] = None,
    school: Annotated[
        list[UUID] | None, typer.Option("--school", help="A school's id; repeat it. All kept here when left out.")
    ] = None,
) -> None:
    """Schools of a trust side by side: a funnel with the limits of chance, never a league table."""
    if out is not None:
        folder(out)
    with c.opened() as app:
        first, last = _asked(app, since, until)
        found = reports_trust.trust(app, school or app.store.schools(), since=first, until=last)
    c.out.print(f"From {first} to {last}.")
    c.out.print(found.said.headline, reports_trust.said(found), sep="\n")
    if out is not None:
        write(out / "trust.html", reports_trust.html(found).encode())
        write(out / "trust.pdf", reports_trust.pdf(found))
        for name, content in csv_files(found.tables).items():
            write(out / name, content)
