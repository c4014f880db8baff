"""Requests about a record on the command line: their clocks, what is kept back, the copy, the answer.

Whoever is signed in to this computer acts; what takes two people takes two users of it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, get_args
from uuid import UUID

import typer

from astrack.access.looks import Looks
from astrack.app import App
from astrack.cli import common as c
from astrack.cli.files import folder, one_of, write
from astrack.rights import clock, copy
from astrack.rights.held import everything
from domain.rights import requests as r
from projections import rights_desk

rights = typer.Typer(
    help="Rights over records: requests, restriction, retention, holds, erasing.", no_args_is_help=True
)
RequestId = Annotated[UUID, typer.Argument(help="The id, as `astrack rights list` shows it.")]
Who = Annotated[str, typer.Argument(help="The pupil: id, UPN or a part of the name.")]
Why = Annotated[str, typer.Option("--why", help="Why, in a sentence.")]
On = Annotated[str | None, typer.Option("--on", help="The day, YYYY-MM-DD; today when left out.")]
SchoolName = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]
SHOWN = 200


@rights.command("list")
def list_(
    everything_: Annotated[bool, typer.Option("--all", help="Answered and withdrawn ones too.")] = False,
    school: SchoolName = None,
) -> None:
    """The requests that wait for an answer, those that arrived first first, with the day each is due."""
    with c.school_opened(school) as (app, records):
        app.views.catch_up(records.school_id)
        with app.views.reading(records.school_id) as cur:
            found = rights_desk.listed(cur, records.school_id, open_only=not everything_, limit=SHOWN)
        calendar = clock.calendar_of(records)
        rows = [
            [str(one.request_id), str(one.pupil_id), one.kind, one.state, str(clock.due(one.request, calendar) or "")]
            for one in found
        ]
        c.table(["id", "pupil", "kind", "state", "due"], rows, "No request waits for an answer.")


@rights.command("ask")
def ask(
    pupil: Who,
    kind: Annotated[str, typer.Argument(help=", ".join(get_args(r.RequestKind)))],
    by: Annotated[str, typer.Option("--by", help=", ".join(get_args(r.AskedBy)))] = "pupil",
    relation: Annotated[UUID | None, typer.Option(help="A parent's verified relation.")] = None,
    wants: Annotated[str, typer.Option(help="In their words.")] = "",
    on: On = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Take a request in; its clock runs from the day it arrived."""
    chosen, asker = one_of(kind, r.RequestKind, "kind of request"), one_of(by, r.AskedBy, "--by")
    with c.school_opened(school) as (app, records):
        c.show(records.receive_request(
            c.asking(key, "dpo"), c.which_pupil(records, pupil), request_id=app.new_id(), kind=chosen, asked_by=asker,
            on=on_day(app, on), relation_id=relation, wants=wants,
        ))  # fmt: skip


@rights.command("stop")
def stop(
    request: RequestId,
    why: Annotated[str, typer.Argument(help=", ".join(get_args(r.StopWhy)))],
    note: str = "",
    on: On = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """The clock stands while the school waits for proof of identity, or for clarification."""
    chosen = one_of(why, r.StopWhy, "reason")
    with c.school_opened(school) as (app, records):
        c.show(records.stop_clock(c.asking(key, "dpo"), request, on=on_day(app, on), why=chosen, note=note))


@rights.command("start")
def start(request: RequestId, on: On = None, school: SchoolName = None, key: Key = None) -> None:
    """What was waited for has come."""
    with c.school_opened(school) as (app, records):
        c.show(records.start_clock(c.asking(key, "dpo"), request, on=on_day(app, on)))


@rights.command("extend")
def extend(request: RequestId, why: Why, on: On = None, school: SchoolName = None, key: Key = None) -> None:
    """Take up to two months more, once."""
    with c.school_opened(school) as (app, records):
        c.show(records.extend_request(c.asking(key, "dpo"), request, on=on_day(app, on), why=why))


@rights.command("items")
def items(request: RequestId, school: SchoolName = None) -> None:
    """What is held, item by item, by its heading; those that schools are careful with are marked."""
    with c.school_opened(school) as (app, records):
        found = everything(app, looks_of(app), records, records.request(request).asked.pupil_id)
        rows = [[one.item, one.group, "careful" if one.careful else "", one.title] for one in found]
        c.table(["item", "group", "", "what"], rows, "Nothing is held.")


@rights.command("withhold")
def withhold(
    request: RequestId,
    item: Annotated[str, typer.Argument(help="The item, as `astrack rights items` shows it.")],
    because: Annotated[str, typer.Argument(help=", ".join(get_args(r.WithheldWhy)))],
    why: Why,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Propose to keep one item back; a second person judges it."""
    chosen = one_of(because, r.WithheldWhy, "exemption")
    with c.school_opened(school) as (_, records):
        c.show(records.withhold(c.asking(key, "dpo"), request, item=item, because=chosen, why=why))


@rights.command("withhold-by-default")
def withhold_by_default(request: RequestId, school: SchoolName = None, key: Key = None) -> None:
    """Propose to keep back what schools are careful with; a second person judges each."""
    with c.school_opened(school) as (app, records):
        asked = copy.propose_by_default(app, looks_of(app), records, c.asking(key, "dpo"), request)
        c.out.print(*asked or ["Nothing that schools are careful with is held."], sep="\n")


@rights.command("judge")
def judge(
    request: RequestId,
    item: str,
    keep: Annotated[bool, typer.Option("--keep/--give", help="Whether it is kept back.")],
    note: str = "",
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Judge what somebody else proposed to keep back."""
    with c.school_opened(school) as (_, records):
        c.show(records.review_withholding(c.asking(key, "dsl"), request, item=item, upheld=keep, note=note))


@rights.command("copy")
def make_copy(
    request: RequestId,
    out: Annotated[Path, typer.Option("--out", help="The folder the sealed file is written to.")],
    recipient: Annotated[str | None, typer.Option(help="Their age key; without one a key is drawn and shown.")] = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Make the copy that answers a request, sealed for whoever asked; hand file and key over by two ways."""
    folder(out)
    with c.school_opened(school) as (app, records):
        made = copy.make_copy(app, looks_of(app), records, c.asking(key, "dpo"), request, recipient)
    write(out / made.name, made.sealed)
    c.out.print(f"Wrote {out / made.name}: {made.given} items, {made.withheld} kept back.")
    if made.key:
        c.out.print("Its key, shown now and kept nowhere:")
        typer.echo(made.key, nl=False)  # as it is: a broken line of it opens nothing


@rights.command("answer")
def answer(
    request: RequestId,
    outcome: Annotated[str, typer.Argument(help=", ".join(get_args(r.Outcome)))],
    why: Annotated[str, typer.Option(help="Why, where it is not granted.")] = "",
    on: On = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Answer a request; access is granted only by a copy."""
    chosen = one_of(outcome, r.Outcome, "answer")
    with c.school_opened(school) as (app, records):
        c.show(records.answer_request(c.asking(key, "dpo"), request, on=on_day(app, on), outcome=chosen, why=why))


@rights.command("withdraw")
def withdraw(request: RequestId, on: On = None, school: SchoolName = None, key: Key = None) -> None:
    """Whoever asked no longer does."""
    with c.school_opened(school) as (app, records):
        c.show(records.withdraw_request(c.asking(key, "dpo"), request, on=on_day(app, on)))


def looks_of(app: App) -> Looks:
    """The log of looks: it is part of what is held."""
    return Looks(app.store, app.clock, app.new_id)


def on_day(app: App, day: str | None) -> date:
    """The day somebody named, today where they named none. Raises BadArgument."""
    return c.day(day, "--on") if day else app.clock().date()
