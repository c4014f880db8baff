"""The mailbox on the command line: running one, and a school's box in one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astrack.app import App, utc_now
from astrack.cli import common as c
from astrack.cli import files
from astrack.cli.service import check_free
from astrack.handover import Handover
from astrack.records import Records

if TYPE_CHECKING:
    from astrack.mailbox.carrying import Carrier

mailbox = typer.Typer(
    help="Sealed files between installations: run a mailbox, or have a box in one.", no_args_is_help=True
)
School = Annotated[str | None, c.SchoolOption]
Kept = Annotated[Path, typer.Option("--dir", help="The folder of the mailbox.")]


@mailbox.command("serve")
def serve(
    dir_: Kept,
    host: Annotated[
        str, typer.Option(help="Where to listen; behind a proxy that speaks HTTPS, leave it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8090,
    address: Annotated[
        str | None, typer.Option(help="How schools reach it, https://HOST. Left out: where it listens.")
    ] = None,
    keep_days: Annotated[int, typer.Option(min=1, max=366, help="How long an item waits to be collected.")] = 30,
    gib: Annotated[int, typer.Option(min=1, max=1_000_000, help="How much the folder may hold, in GiB.")] = 200,
) -> None:
    """Serve a mailbox from a folder: it needs no database, and sees tokens, sizes and times alone."""
    from astrack.mailbox import guarded, serving
    from astrack.mailbox.limits import GIB, Limits

    check_free(host, port)
    reached = guarded.checked(address or f"http://{host}:{port}")
    limits = Limits(keep=timedelta(days=keep_days), all_bytes=gib * GIB)
    serving.run(dir_.absolute(), host, port, reached, limits,
                lambda: c.out.print(f"The mailbox is at {reached}  (Ctrl-C stops it)"))  # fmt: skip


@mailbox.command("invite")
def invite(
    dir_: Kept, days: Annotated[int, typer.Option(min=1, max=366, help="How long the invitation holds.")] = 14
) -> None:
    """Print an invitation: whoever has it can make one box, once."""
    from astrack.mailbox import shelf

    c.out.print(shelf.invite(dir_.absolute(), utc_now() + timedelta(days=days)))


@mailbox.command("join")
def join(
    address: str,
    invite: Annotated[str, typer.Option(help="The invitation from whoever runs it.")],
    school: School = None,
) -> None:
    """Make this school's box in a mailbox."""
    with c.school_opened(school) as (app, records):
        box = carrier(app, records).join(address, invite)
        c.out.print(f"This school has a box in {box.address}. Give its card to schools that send you records: "
                    "`astrack mailbox card`.")  # fmt: skip


@mailbox.command("card")
def card(
    address: Annotated[str | None, typer.Argument(help="The mailbox, where the school has several boxes.")] = None,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path(),
    school: School = None,
) -> None:
    """Write this school's card: it tells where its box is, and is for schools that send it records alone."""
    with c.school_opened(school) as (app, records):
        path = files.folder(out) / f"{records.school_id}.card"
        files.write(path, carrier(app, records).own_card(address))
        c.out.print(f"Wrote {path}: give it, with the key document, to the schools that send you records.")


@mailbox.command("know")
def know(file: Path, school: School = None) -> None:
    """Take in the card of a school whose keys are known here."""
    data = files.bytes_of(file)
    with c.school_opened(school) as (app, records):
        made = carrier(app, records).know(data)
        c.out.print(f"The box of {made.origin} is in {made.mailbox}.")


@mailbox.command("name")
def name(address: str, school: School = None) -> None:
    """Say that a mailbox may be asked: receipts for schools that have their box in it are then sent."""
    with c.school_opened(school) as (app, records):
        c.out.print(f"{carrier(app, records).name(address)} may be asked from now on.")


def carrier(app: App, records: Records) -> Carrier:
    """The post of a school."""
    from astrack.mailbox.carrying import Carrier

    return Carrier.of(Handover(records), app.settings)
