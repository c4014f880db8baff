"""The roster that comes by itself, on the command line."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from astrack.cli import common as c
from astrack.cli import files
from astrack.roster.asking import Source
from astrack.roster.source import RosterSource

SchoolName = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]
SECRET_BYTES_MAX = 1_000


def set_source(
    address: Annotated[str, typer.Argument(help="Its rostering service, https://…/ims/oneroster/rostering/v1p2.")],
    token_address: Annotated[str, typer.Option(help="Where it gives tokens, https://….")],
    client_id: Annotated[str, typer.Option(help="The client that the system knows astrack by.")],
    secret_file: Annotated[Path, typer.Option(help="A file with that client's secret and nothing else.")],
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Read the roster from the school's own system once a day, over OneRoster 1.2 (REST)."""
    secret = files.bytes_of(secret_file).decode("utf-8", "replace").strip()
    if not 0 < len(secret) <= SECRET_BYTES_MAX:
        raise files.BadArgument(f"{secret_file} does not hold a secret of 1 to {SECRET_BYTES_MAX} characters")
    with c.school_opened(school) as (_, records):
        RosterSource(records).set(c.asking(key), Source(address, token_address, client_id, secret))
        c.out.print("It is read once a day while the service runs; now, with `astrack roster pull`.")


def source(
    end: Annotated[bool, typer.Option("--end", help="Read it from there no more.")] = False,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Show where the roster comes from by itself, and what came of the last reading."""
    with c.school_opened(school) as (_, records):
        ours = RosterSource(records)
        if end:
            ours.end(c.asking(key))
        named, last = ours.get(), ours.last()
        c.show({"address": named and named.address, "last": asdict(last) if last else None})


def pull(school: SchoolName = None, key: Key = None) -> None:
    """Read the roster now and take it in; where many would leave, nothing is taken in and somebody must look."""
    with c.school_opened(school) as (app, records):
        made = RosterSource(records).pull(c.asking(key))
        c.show(asdict(made))
        app.views.catch_up(records.school_id)
        if made.came in ("waits", "failed"):
            raise typer.Exit(files.NOT_ALL)
