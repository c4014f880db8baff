"""The student's own copy at 18 on the command line."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from astrack.cli import common as c
from astrack.cli import files
from astrack.cli.files import write
from astrack.cli.transfer import HERE, Folder, Key, School
from astrack.handover import Handover
from astrack.handover.withholding import REASONS, Choice
from domain.school_year import eighteenth_birthday
from transfer import reader

student = typer.Typer(help="The student's own copy at 18.", no_args_is_help=True)


@student.command("copy")
def copy(
    named: Annotated[str, typer.Argument(metavar="PUPIL")],
    recipient: Annotated[
        str | None, typer.Option(help="The student's own age key (age1pq…); made here when left out.")
    ] = None,
    notes_read: Annotated[
        bool, typer.Option(help="Somebody has read the staff notes for what they say of others: put them in.")
    ] = False,
    withhold: Annotated[
        list[str] | None, typer.Option(metavar="EVENT=REASON", help=f"Leave one entry out: {', '.join(REASONS)}.")
    ] = None,
    competence: Annotated[
        str | None, typer.Option(help="For a leaver of 16 or 17: who decided that they may hold it, when and why.")
    ] = None,
    out: Folder = HERE,
    school: School = None,
    key: Key = None,
) -> None:
    """Give a student of 18 their own copy, with a recovery sheet and the page that reads it; or anew for lost keys."""
    files.folder(out)
    with c.school_opened(school) as (_, records):
        pupil_id = c.which_pupil(records, named)
        person = records.identity(pupil_id).person
        if person is None:
            raise files.BadArgument("the record does not say when this pupil was born: state their identity first")
        desk = Handover(records)
        answer = desk.students_copy(
            c.asking(key, "dsl"),
            pupil_id,
            eighteen_on=eighteenth_birthday(person.date_of_birth),
            student=recipient,
            choice=Choice(notes_read, _withheld(withhold or [])),
            competence=competence,
        )
        try:
            write_copy(out, answer, desk.sealed(UUID(answer["transfer_id"])))
        except files.BadArgument as error:
            raise files.BadArgument(
                f"{error}; then run the command again: it makes the copy anew, with new keys"
            ) from error
        made = f"{answer['file_name']}, the recovery sheet, the student's key and reader.html"
        c.out.print(f"Wrote {made} to {out.absolute()}.")


def _withheld(given: list[str]) -> dict[UUID, str]:
    """EVENT=REASON pairs. Raises BadArgument."""
    try:
        return {UUID(event): reason for event, _, reason in (one.partition("=") for one in given)}
    except ValueError as error:
        raise files.BadArgument(
            "--withhold takes the id of an entry, an equals sign and a reason: check the id"
        ) from error


def write_copy(out: Path, answer: dict[str, Any], sealed: bytes) -> None:
    """A student's copy, its sheet, its key and the page that reads it, in one folder. Raises BadArgument."""
    write(out / answer["file_name"], sealed)
    write(out / reader.NAME, reader.page())
    if answer["recovery_sheet"]:
        write(out / f"{answer['transfer_id']}-recovery.txt", answer["recovery_sheet"].encode())
        write(out / f"{answer['transfer_id']}-recovery.pdf", base64.b64decode(answer["recovery_pdf"]))
    if answer["student_key"]:
        write(out / f"{answer['transfer_id']}.agekey", answer["student_key"].encode())
