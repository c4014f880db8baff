"""The mailbox on the command line: running one, and a school's box in one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from astrack.app import utc_now
from astrack.cli import common as c
from astrack.cli.service import check_free

mailbox = typer.Typer(
    help="Sealed files between installations: run a mailbox, or have a box in one.", no_args_is_help=True
)
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
