"""Schools, terms, rosters and rounds on the command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from astrack import roster
from astrack.cli import common as c
from astrack.cli import files
from domain.identity import SchoolName
from domain.school import Term, check_particulars
from domain.scope import Scope
from projections import round_progress

HELD_BACK, ROUNDS_SHOWN = 3, 200
school = typer.Typer(help="Set up schools and their terms.", no_args_is_help=True)
rosters = typer.Typer(help="Take in a roster: who is on roll.", no_args_is_help=True)
rounds = typer.Typer(help="Open, follow and close assessment rounds.", no_args_is_help=True)


@school.command("add")
def add(
    name: str,
    urn: Annotated[str, typer.Option(help="Unique reference number, six digits.")] = "",
    lea: Annotated[str, typer.Option(help="Local authority number, three digits.")] = "",
    estab: Annotated[str, typer.Option(help="Establishment number, four digits.")] = "",
    independent: Annotated[bool, typer.Option(help="Not a maintained school.")] = False,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Set up a school: its own log, keys and origin."""
    check_particulars(SchoolName.model_construct(name=name, urn=urn, lea=lea, estab=estab))
    with c.opened(create=True) as app:
        school_id = app.new_id()
        stated = SchoolName(school_id=school_id, name=name, urn=urn, lea=lea, estab=estab)
        records = app.create_school(school_id)
        c.show(records.register_school(c.asking(key), stated, not independent))


@school.command("list")
def list_() -> None:
    """List the schools kept here."""
    with c.opened() as app:
        rows = []
        for school_id in app.store.schools():
            records = app.school(school_id)
            registered = records.school_state().registered
            named = registered.school if registered else None
            rows.append((school_id, named and named.name, named and named.urn, records.log.size()))
        c.table(["id", "name", "URN", "events"], rows, "No school yet: set one up with `astrack school add NAME`.")


@school.command("terms")
def terms(
    academic_year: Annotated[str, typer.Argument(help="Such as 2026/27.")],
    terms: Annotated[list[str], typer.Argument(help="Each FIRST:LAST, such as 2026-09-02:2026-10-23.")],
    school: Annotated[str | None, c.SchoolOption] = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """State one year's terms, half-terms as terms of their own: school days are counted from them."""
    with c.school_opened(school) as (_, records):
        stated = tuple(_term(text) for text in terms)
        c.show(records.set_term_dates(c.asking(key), academic_year=academic_year, terms=stated))


def _term(text: str) -> Term:
    first, _, last = text.partition(":")
    return Term(first_on=c.day(first, "the first day of a term"), last_on=c.day(last, "the last day of a term"))


@rosters.command("import")
def import_(
    file: Path,
    school: Annotated[str | None, c.SchoolOption] = None,
    dry_run: Annotated[bool, typer.Option(help="Print what would change; write nothing.")] = False,
    on: Annotated[str | None, typer.Option(help="The day the roster speaks of; today when left out.")] = None,
    confirm_leavers: Annotated[
        bool, typer.Option(help="Many pupils are missing from the file, and that is right.")
    ] = False,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Import a CTF (Common Transfer File) or OneRoster zip: what is new, changed, and who left."""
    data = files.bytes_of(file)
    with c.school_opened(school) as (app, records):
        spoken_of = c.day(on, "--on") if on else app.clock().date()
        plan = roster.plan(records, data, spoken_of)
        c.out.print(roster.render(plan))
        if dry_run:
            c.out.print("A dry run: nothing was written.")
        else:
            with c.progress("Importing", plan.size) as move:
                c.show(roster.apply(records, c.asking(key), plan, confirm_leavers=confirm_leavers, progress=move))
            app.views.catch_up(records.school_id)
        if plan.held_back:
            c.err.print(
                f"{len(plan.held_back)} held back, as listed above: mend them in the school's system and import again."
            )
            raise typer.Exit(HELD_BACK)


@rounds.command("open")
def open_(
    name: str,
    opens: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    closes: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    years: Annotated[str, typer.Option(help="Year groups, such as 4,5,6.")],
    instrument: Annotated[
        str | None, typer.Option(help="What is sat: NAME-VERSION of `astrack instrument list`; ours when left out.")
    ] = None,
    school: Annotated[str | None, c.SchoolOption] = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Open an assessment round."""
    chosen = _instrument(instrument)
    with c.school_opened(school) as (app, records):
        c.show(
            records.open_round(
                c.asking(key), round_id=app.new_id(), name=name, opens_on=c.day(opens, "--opens"),
                closes_on=c.day(closes, "--closes"), year_groups=_years(years),
                instrument_name=chosen[0], instrument_version=chosen[1],
            )
        )  # fmt: skip


def _instrument(text: str | None) -> tuple[str, int] | tuple[None, None]:
    if text is None:
        return None, None
    name, _, version = text.rpartition("-")
    if not name or not version.isascii() or not version.isdigit() or len(version) > 3:
        raise files.BadArgument(f"--instrument is {text!r}: write NAME-VERSION, as in `astrack instrument list`")
    return name, int(version)


def _years(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise files.BadArgument(f"--years is {text!r}: write year groups as 4,5,6") from error


@rounds.command("list")
def list_rounds(school: Annotated[str | None, c.SchoolOption] = None) -> None:
    """List the assessment rounds with their ids, newest first."""
    with c.school_opened(school) as (app, records):
        app.views.catch_up(records.school_id)
        with app.views.reading(records.school_id) as cur:
            found = round_progress.rounds(cur, records.school_id, Scope(everyone=True), ROUNDS_SHOWN)
        rows = [
            (one.name, one.opens_on, one.closes_on, ", ".join(map(str, one.year_groups)), one.sat, one.expected,
             one.not_today, one.absent, "closed" if one.closed else "open", one.round_id)
            for one in found
        ]  # fmt: skip
        heads = ["name", "opens", "closes", "years", "sat", "of", "not today", "absent", "", "round"]
        c.table(heads, rows, "No round yet: `astrack round open` opens one.")


@rounds.command("close")
def close(
    round_id: UUID,
    expected: Annotated[int, typer.Option(help="How many pupils were expected.")],
    sat: Annotated[int, typer.Option(help="How many sat.")],
    not_today: Annotated[int | None, typer.Option(help='How many of the others said "not today".')] = None,
    school: Annotated[str | None, c.SchoolOption] = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Close a round."""
    with c.school_opened(school) as (_, records):
        c.show(records.close_round(c.asking(key), round_id=round_id, expected=expected, sat=sat, not_today=not_today))


def today(app_date: date, text: str | None, what: str) -> date:
    """The day given, or today."""
    return c.day(text, what) if text else app_date
