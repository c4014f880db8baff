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
from domain.guidance.local import GuidanceReviewed

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
        own = support.own_guidance()
        kinds = (("cause", fit.causes), ("risk", fit.risks), ("signpost", fit.signposts))
        rows = [
            (kind, one.id, one.say, one.evidence, "own" if one.id in own.added else "", _reviewed(own.review_of(one)))
            for kind, some in kinds
            for one in some
        ]
        c.table(["kind", "id", "says", "rests on", "", "reviewed"], rows, "Nothing at this place.")


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


@app.command("review")
def review(
    entry_id: str,
    reviewer: Annotated[str, typer.Option(help="Who read it and found it fit for this school.")],
    on: Annotated[str, typer.Option(help="The day, YYYY-MM-DD.")],
    school: School = None,
    key: Key = None,
) -> None:
    """Put on record that an entry was reviewed; it holds for its words as they read now."""
    with c.school_opened(school) as (_, records):
        ask, day = c.asking(key, "lead_practitioner"), c.day(on, "--on")
        c.show(Support(records).review_guidance(ask, entry_id, reviewer=reviewer, happened_on=day))


def _reviewed(found: GuidanceReviewed | None) -> str:
    return f"{found.reviewer}, {found.happened_on}" if found else "not yet"


def _named(text: str) -> str | None:
    return None if text == "-" else text
