"""Accreditation on the command line: evidence, awards, the signed badge and its check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from astrack.accreditation import Accrediting, register, verdict_of
from astrack.changing import Ask
from astrack.cli import common as c
from astrack.cli import files
from astrack.cli.files import write
from domain.base import Actor
from domain.staff import ACCREDITOR

app = typer.Typer(help="Accreditation of a school's practice.", no_args_is_help=True)
School = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]
By = Annotated[UUID, typer.Option("--by", help="The accreditor's staff id; the role of accreditor and no other.")]


@app.command("evidence")
def evidence(school: School = None) -> None:
    """What the record shows of the four areas of practice over the last year."""
    with c.school_opened(school) as (app_, records):
        found = Accrediting(app_, records).evidence(app_.clock().date())
        rows = [(one.area, one.claim, f"{one.count} of {one.of}", f"{one.needed:.0%}", "yes" if one.met else "no")
                for one in found]  # fmt: skip
        c.table(["area", "claim", "counted", "needed", "shown"], rows, "Nothing.")


@app.command("award")
def award(
    by: By,
    accreditor: Annotated[str, typer.Option(help="Name and body, as the public register shows it.")],
    interests: Annotated[str, typer.Option(help="What ties them to the school, or none.")],
    until: Annotated[str, typer.Option(help="The last day, YYYY-MM-DD; at most three years.")],
    since: Annotated[str | None, typer.Option("--from", help="The first day; today when left out.")] = None,
    school: School = None,
    key: Key = None,
) -> None:
    """Award, on what the record shows now."""
    with c.school_opened(school) as (app_, records):
        first = c.day(since, "--from") if since else app_.clock().date()
        c.show(Accrediting(app_, records).award(
            _ask(by, key), award_id=app_.new_id(), accreditor=accreditor, interests=interests, from_on=first,
            until=c.day(until, "--until"),
        ))  # fmt: skip


@app.command("revoke")
def revoke(
    award_id: UUID,
    by: By,
    why: Annotated[str, typer.Option(help="It stands on the public register.")],
    school: School = None,
    key: Key = None,
) -> None:
    """Take an award back."""
    with c.school_opened(school) as (app_, records):
        c.show(Accrediting(app_, records).revoke(_ask(by, key), award_id=award_id, why=why))


@app.command("badge")
def badge(
    award_id: UUID,
    out: Annotated[Path, typer.Option("--out", help="The file to write, such as accreditation.jwt.")],
    school: School = None,
) -> None:
    """Write the signed badge; ASTRACK_ADDRESS must say how the public reaches the register."""
    with c.school_opened(school) as (app_, records):
        if app_.settings.address is None:
            raise files.BadArgument("set ASTRACK_ADDRESS to the service's public address: the badge names it")
        base = f"{app_.settings.address}/register/{records.school_id}"
        write(out, Accrediting(app_, records).badge(award_id, base).encode())


@app.command("register")
def show_register() -> None:
    """The public register: every award of every school kept here."""
    with c.opened() as app_:
        rows = [(one.school, one.award.accreditor, one.award.from_on, one.award.until, one.state, one.award.award_id)
                for one in register(app_, app_.clock().date())]  # fmt: skip
        c.table(["school", "accreditor", "from", "until", "state", "award"], rows, "No school has an award yet.")


@app.command("check")
def check(file: Annotated[Path, typer.Argument(help="A badge: accreditation.jwt.")]) -> None:
    """Check a badge against this register: the signature, and whether the award stands."""
    with c.opened() as app_:
        verdict = verdict_of(app_, files.bytes_of(file).decode("utf-8", "replace"))
        c.out.print(f"{verdict.entry.school}: the signature is right; the award {verdict.state}.")
        if not verdict.good:
            raise typer.Exit(4)


def _ask(by: UUID, key: str | None) -> Ask:
    return Ask(Actor(id=by, role=ACCREDITOR), key or c.fresh_key())
