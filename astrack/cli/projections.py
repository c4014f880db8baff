"""The read models: how far each is, what it could not take and why, and reading that again after a fix."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Annotated

import typer

from astrack.cli import common as c
from astrack.cli.audit import Unsound, rebuild
from astrack.cli.files import BadArgument
from astrack.replay import end_of

DAY_CHARS = len("2026-11-24")
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


@projections.command("as-of")
def as_of(
    name: Annotated[str, typer.Argument(help="The read model.")],
    position: Annotated[int | None, typer.Option(min=0, help="When the log had so many entries.")] = None,
    at: Annotated[str | None, typer.Option(help="At the end of a day (UTC), or at an instant with its zone.")] = None,
    happened_by: Annotated[str | None, typer.Option(help="Only what had happened by the end of this day.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=5_000, help="How many rows to print.")] = 1_000,
    school: Annotated[str | None, c.SchoolOption] = None,
) -> None:
    """Print a read model as it was: by position, by recorded time, and by the day things happened. Stores nothing."""
    if position is not None and at is not None:
        raise BadArgument("--position and --at both say when: give one of them")
    instant = None if at is None else _instant(at)
    day = None if happened_by is None else c.day(happened_by, "--happened-by")
    with c.school_opened(school) as (app, records):
        with c.progress("Reading", records.log.size() if position is None else position) as move:
            found = app.views.as_of(
                records.school_id, name, position=position, at=instant, happened_by=day, progress=move
            )
        c.show({"read_model": name, "entries": found.known, "rows": len(found.rows), "left_out": len(found.left_out),
                "shown": found.rows[:limit]})  # fmt: skip


def _instant(text: str) -> datetime:
    with suppress(ValueError):
        if len(text) == DAY_CHARS:
            return end_of(date.fromisoformat(text))
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found
    raise BadArgument(f"--at is {text!r}: write a day as 2026-11-24, or an instant as 2026-11-24T09:30:00+00:00")


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
