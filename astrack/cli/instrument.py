"""The instruments that a round can be sat with: which are here, and whether a file holds a sound one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from astrack import instruments
from astrack.cli import common as c
from domain.instrument import Instrument

app = typer.Typer(help="The questions of a round: instruments as data.", no_args_is_help=True)
HEADS = ["instrument", "version", "title", "items", "minutes", "ages", "status", "digest"]


@app.command("list")
def list_() -> None:
    """List the instruments that come with this version and those of the folder that ASTRACK_INSTRUMENTS names."""
    instruments.install(c.settings().instruments)
    c.table(HEADS, map(_row, instruments.offered()), "There is none.")


@app.command("check")
def check(file: Annotated[Path, typer.Argument(help="A file named NAME-VERSION.toml.")]) -> None:
    """Say whether a file holds a sound instrument, and if not, what is wrong and where; nothing is installed."""
    c.table(HEADS, [_row(instruments.read(file))], "")
    c.out.print("Sound. Put it into the folder that ASTRACK_INSTRUMENTS names; never change it once it has been sat.")


def _row(one: Instrument) -> tuple[object, ...]:
    ages = "{} to {}".format(*one.ages)
    return one.name, one.version, one.title, len(one.items), one.minutes, ages, one.status, one.digest[:16]
