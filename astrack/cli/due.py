"""What the school owes, on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from astrack import due as dues
from astrack.cli import common as c


def due(
    reminder: Annotated[
        bool,
        typer.Option("--reminder", help="Only the sentence an e-mail may carry; nothing where nothing is due."),
    ] = False,
    school: Annotated[str | None, c.SchoolOption] = None,
) -> None:
    """List what is due and by when, with the source of each duty: hand-overs, requests about records, half-years,
    broken glasses to be reviewed."""
    with c.school_opened(school) as (app, records):
        app.views.catch_up(records.school_id)
        today = app.clock().date()
        with app.views.reading(records.school_id) as cur:
            found = dues.of_school(cur, records, today, moves=True, requests=True, impact=True, glass=True)
        if reminder:
            if said := dues.reminder(found, today):
                c.out.print(said)
            return
        rows = [(one.due_on or "not known", one.days(today), one.pupil_id or "", one.what, one.source) for one in found]
        c.table(["by", "days", "pupil", "what", "source"], rows, "Nothing is due.")
