"""Did it help: the report for governors and inspectors on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from astrack import reports
from astrack.cli import common as c
from astrack.cli.transfer import write
from astrack.reports import html as reports_html


def impact(
    since: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    until: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write report.html, report.pdf and CSV tables here.")
    ] = None,
    school: Annotated[str | None, c.SchoolOption] = None,
) -> None:
    """Did support help: supported against unsupported pupils, with intervals, and what may and may not be said."""
    with c.school_opened(school) as (app, records):
        first, last = c.day(since, "--since"), c.day(until, "--until")
        report = reports.governors(app, records.school_id, since=first, until=last)
    c.out.print(report.said.headline, *report.said.beside, sep="\n", markup=False)
    c.out.print(f"May not be said: {report.said.may_not} {report.said.why_not}", markup=False)
    if out is not None:
        write(out / "report.html", reports_html.html(report).encode())
        write(out / "report.pdf", reports_html.pdf(report))
        for name, content in reports.csv_files(report).items():
            write(out / name, content)
        c.out.print(f"Wrote the report and its tables to {out}.")
