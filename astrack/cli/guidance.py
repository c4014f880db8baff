"""Guidance on the command line: what is offered at a place, a school's own entries, what it retired."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer
from pydantic import TypeAdapter

from astrack.cli import common as c
from astrack.cli import files
from astrack.records.support import Support
from domain.guidance import Entry, Kind, Pole, Signpost

app = typer.Typer(help="Guidance for plans: causes, risks and signposts.", no_args_is_help=True)
School = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]
Factor = Annotated[
    str, typer.Argument(help="A factor, composite_ and its name, context_gap, unsettled, flat or response_quality.")
]
End = Annotated[str, typer.Argument(help="low or high; - where it has no ends.")]
AnyEntry: TypeAdapter[Signpost | Entry] = TypeAdapter(Signpost | Entry)


@app.command("list")
def list_(
    factor: Factor,
    pole: End,
    context: Annotated[str, typer.Argument(help="general or school; - where it has none.")],
    age: Annotated[str, typer.Argument(help="8-11, 11-14 or 14-18.")],
    school: School = None,
) -> None:
    """List what this school offers at one place."""
    with c.school_opened(school) as (_, records):
        support = Support(records)
        fit = support.guidance().suggest(factor, _named(pole), _named(context), age)
        own = support.own_guidance().added
        kinds = (("cause", fit.causes), ("risk", fit.risks), ("signpost", fit.signposts))
        rows = [
            (kind, one.id, one.say, one.evidence, "own" if one.id in own else "")
            for kind, some in kinds
            for one in some
        ]
        c.table(["kind", "id", "says", "rests on", ""], rows, "Nothing at this place.")


@app.command("add")
def add(
    kind: Annotated[str, typer.Argument(help="cause, risk or signpost.")],
    factor: Factor,
    pole: End,
    entry: Annotated[Path, typer.Argument(help="A JSON file: id, say, contexts, ages, evidence; see the reference.")],
    school: School = None,
    key: Key = None,
) -> None:
    """Add an entry of the school's own, for at most two places."""
    if kind not in ("cause", "risk", "signpost") or pole not in ("low", "high", "-"):
        raise files.BadArgument("say cause, risk or signpost, then the factor, then low, high or -")
    made = AnyEntry.validate_python(files.json_of(entry))
    with c.school_opened(school) as (_, records):
        c.show(Support(records).add_guidance(
            c.asking(key, "lead_practitioner"), kind=cast(Kind, kind), factor=factor,
            pole=cast(Pole | None, _named(pole)), entry=made,
        ))  # fmt: skip


@app.command("retire")
def retire(
    entry_id: str,
    why: Annotated[str, typer.Option(help="At most 200 characters.")] = "",
    school: School = None,
    key: Key = None,
) -> None:
    """Stop offering an entry, the library's or the school's own; a place never falls under three."""
    with c.school_opened(school) as (_, records):
        c.show(Support(records).retire_guidance(c.asking(key, "lead_practitioner"), entry_id, why=why))


def _named(text: str) -> str | None:
    return None if text == "-" else text
