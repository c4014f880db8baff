"""The read models: how far each is, what it could not take and why, and reading that again after a fix."""

from __future__ import annotations

from typing import Annotated

import typer

from astrack.cli import common as c
from astrack.cli.audit import Unsound, rebuild

Names = Annotated[list[str] | None, typer.Argument(help="The read models; all when left out.")]
projections = typer.Typer(help="How far the read models are, and what they could not take.", no_args_is_help=True)
projections.command("rebuild")(rebuild)


@projections.command("list")
def list_(school: Annotated[str | None, c.SchoolOption] = None) -> None:
    """List the read models of a school: how many facts each has yet to take, and how many it could not."""
    with c.school_opened(school) as (app, records):
        size = records.log.size()
        rows = [(name, version, size - 1 - at, left)
                for name, version, at, left in app.views.places(records.school_id)]  # fmt: skip
        c.table(["read model", "version", "facts to take", "left out"], rows, "There are no read models.")


@projections.command("letters")
def letters(school: Annotated[str | None, c.SchoolOption] = None) -> None:
    """Print what the read models could not take, with the traceback of each."""
    with c.school_opened(school) as (app, records):
        found = app.views.dead_letters(records.school_id)
        for one in found:
            c.out.print(f"{one.projection}, position {one.position}:")
            c.out.print(one.error or "(erased)")
        if not found:
            c.out.print("Every fact was taken.")


@projections.command("retry")
def retry(names: Names = None, school: Annotated[str | None, c.SchoolOption] = None) -> None:
    """After a fix: read again what was left out."""
    with c.school_opened(school) as (app, records):
        done = app.views.retry(records.school_id, names or None)
        c.out.print(f"{done['tried']} facts were read again, {done['left']} are still left out.")
        if done["left"]:
            raise Unsound("some facts still cannot be taken: `astrack projections letters` says why")
