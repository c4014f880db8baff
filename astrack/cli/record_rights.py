"""What is decided about a record on the command line: competence, restriction, how long it is kept, holds, erasing."""

from __future__ import annotations

from typing import Annotated, get_args
from uuid import UUID

import typer

from astrack.access.sessions import Sessions
from astrack.cli import common as c
from astrack.cli.files import one_of
from astrack.cli.rights import SHOWN, Key, On, SchoolName, Who, Why, on_day, rights
from domain.journey.facts import Ground
from domain.rights.retention import POLICY
from projections import retention


@rights.command("competence")
def competence(
    pupil: Who,
    understands: Annotated[bool, typer.Option("--yes/--no", help="Whether they understand their rights.")],
    why: Why,
    on: On = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Record whether a pupil understands their rights over the record: never by age alone."""
    with c.school_opened(school) as (app, records):
        c.show(records.decide_competence(
            c.asking(key, "dpo"), c.which_pupil(records, pupil), competent=understands, on=on_day(app, on), why=why
        ))  # fmt: skip


@rights.command("restrict")
def restrict(
    pupil: Who,
    ground: Annotated[str, typer.Argument(help=", ".join(get_args(Ground)))],
    on: On = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Keep a record and do not use it until a question is settled."""
    chosen = one_of(ground, Ground, "ground")
    with c.school_opened(school) as (app, records):
        c.show(records.restrict(c.asking(key, "dpo"), c.which_pupil(records, pupil), ground=chosen, on=on_day(app, on)))


@rights.command("lift")
def lift(
    pupil: Who,
    told: Annotated[str, typer.Option(help="The day whoever asked was told, YYYY-MM-DD.")],
    on: On = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Let a restricted record be used again, after whoever asked was told."""
    with c.school_opened(school) as (app, records):
        day = c.day(told, "--told")
        c.show(records.lift_restriction(
            c.asking(key, "dpo"), c.which_pupil(records, pupil), on=on_day(app, on), told_on=day
        ))  # fmt: skip


@rights.command("due")
def due(on: On = None, school: SchoolName = None) -> None:
    """The records whose time is up: each is reviewed by a person, none is erased by itself."""
    with c.school_opened(school) as (app, records):
        app.views.catch_up(records.school_id)
        with app.views.reading(records.school_id) as cur:
            found = retention.due(cur, records.school_id, on_day(app, on), limit=SHOWN)
        rows = [[str(one.row.pupil_id), one.row.retention_class, str(one.review_on)] for one in found]
        c.table(["pupil", "class", "due"], rows, "No record's time is up.")


@rights.command("class")
def set_class(
    pupil: Who,
    retention_class: Annotated[str, typer.Argument(help=", ".join(POLICY))],
    why: str = "",
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Say how long a record is kept, by its class."""
    chosen = one_of(retention_class, tuple(POLICY), "class")
    with c.school_opened(school) as (_, records):
        pupil_id = c.which_pupil(records, pupil)
        c.show(records.set_retention_class(c.asking(key, "dpo"), pupil_id, retention_class=chosen, why=why))


@rights.command("review")
def review(
    pupil: Who,
    decision: Annotated[str, typer.Argument(help="keep or erase; another person carries an erasing out.")],
    why: Why,
    until: Annotated[str | None, typer.Option(help="Kept until this day, YYYY-MM-DD.")] = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Decide whether a record is kept on or erased."""
    chosen, last = one_of(decision, ("keep", "erase"), "decision"), c.day(until, "--until") if until else None
    with c.school_opened(school) as (_, records):
        pupil_id = c.which_pupil(records, pupil)
        c.show(records.review_retention(c.asking(key, "dpo"), pupil_id, decision=chosen, until_on=last, why=why))


@rights.command("hold")
def hold(pupil: Who, why: Why, school: SchoolName = None, key: Key = None) -> None:
    """Forbid erasing anything of a pupil, in the database too."""
    with c.school_opened(school) as (app, records):
        hold_id = app.new_id()
        records.place_hold(c.asking(key, "dpo"), c.which_pupil(records, pupil), hold_id=hold_id, why=why)
        c.out.print(str(hold_id))


@rights.command("release")
def release(pupil: Who, hold_id: UUID, why: Why, school: SchoolName = None, key: Key = None) -> None:
    """Release one hold; erasing is possible again once none stands."""
    with c.school_opened(school) as (_, records):
        c.show(records.release_hold(c.asking(key, "dpo"), c.which_pupil(records, pupil), hold_id=hold_id, why=why))


@rights.command("erase")
def erase(
    pupil: Who,
    request: Annotated[UUID | None, typer.Option(help="The request this answers.")] = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Erase everything of a pupil that another person decided to erase. It cannot be taken back."""
    with c.school_opened(school) as (app, records):
        pupil_id = c.which_pupil(records, pupil)
        c.show(records.erase_pupil(c.asking(key, "dpo"), pupil_id, request_id=request))
        Sessions(app).revoke(records.school_id, pupil_id)
