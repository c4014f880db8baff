"""What follows a record to the next school, on the command line: late facts, and what goes from DSL to DSL."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

import typer

from astrack.cli import common as c
from astrack.cli import files
from astrack.cli.transfer import HERE, Folder, Key, School, write_sealed
from astrack.handover import Handover
from domain.journey.supplement import Late


def supplement(
    named: Annotated[str, typer.Argument(metavar="PUPIL")],
    note: Annotated[str, typer.Option(help="What somebody saw.")] = "",
    concern: Annotated[bool, typer.Option(help="What they saw is something to follow up.")] = False,
    correct: Annotated[UUID | None, typer.Option(metavar="EVENT", help="An entry that was wrong, by its id.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="What is right in it; VALUE as JSON or text."),
    ] = None,
    why: Annotated[str, typer.Option(help="Why it was wrong.")] = "",
    out: Folder = HERE,
    school: School = None,
    key: Key = None,
) -> None:
    """Seal late facts for the school a record went to; without any, what came here since the last file."""
    late = [Late("look_at", {"concern": concern, "note": note})] if note else []
    if correct is not None:
        late.append(Late("correct", {"corrects": correct, "changes": dict(map(_change, change or [])), "why": why}))
    out = files.folder(out)
    with c.school_opened(school) as (_, records):
        desk = Handover(records)
        made = desk.supplement(c.asking(key, "dsl"), c.which_pupil(records, named), late)
        write_sealed(desk, out, [UUID(made["transfer_id"])])
        c.show(made)


def safeguarding(
    named: Annotated[str, typer.Argument(metavar="PUPIL")], out: Folder = HERE, school: School = None, key: Key = None
) -> None:
    """Seal what is the DSL's of a pupil (hand-offs, outcomes only they say) for the DSL of the school it went to."""
    out = files.folder(out)
    with c.school_opened(school) as (_, records):
        desk = Handover(records)
        made = desk.safeguarding_file(c.asking(key, "dsl"), c.which_pupil(records, named))
        write_sealed(desk, out, [UUID(made["transfer_id"])])
        c.show(made)


def _change(given: str) -> tuple[str, Any]:
    """FIELD=VALUE as the correction has it. Raises BadArgument."""
    name, equals, value = given.partition("=")
    if not equals:
        raise files.BadArgument(f"--change is {given!r}: write FIELD=VALUE, such as happened_on=2026-07-20")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
