"""Webhooks on the command line: which addresses are told, what was sent, and sending it again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from astrack.cli import common as c
from astrack.webhooks import Webhooks

app = typer.Typer(help="Webhooks: addresses that are told that something happened, never what.", no_args_is_help=True)
Id = Annotated[UUID, typer.Argument(help="The id, as `astrack webhook list` shows it.")]
SchoolName = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]


@app.command("list")
def list_(school: SchoolName = None) -> None:
    """List the addresses that are told, and of what."""
    with c.school_opened(school) as (opened, records):
        told = Webhooks(records, opened.settings.webhook_networks).told().values()
        rows = [(one.webhook_id, one.address, ", ".join(one.kinds)) for one in told]
        c.table(["id", "address", "kinds"], rows, "Nobody is told anything: see `astrack webhook add --help`.")


@app.command("add")
def add(
    address: Annotated[str, typer.Argument(help="https://HOST/PATH, in the public network.")],
    kind: Annotated[list[str], typer.Option(help="A kind of fact, such as pupil-left; repeat it.")],
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Tell an address from now on; the key its messages are signed with is shown this once."""
    with c.school_opened(school) as (opened, records):
        ours = Webhooks(records, opened.settings.webhook_networks)
        c.show(ours.add(c.asking(key), webhook_id=opened.new_id(), address=address, kinds=kind))


@app.command("end")
def end(webhook_id: Id, school: SchoolName = None, key: Key = None) -> None:
    """Tell an address nothing more; what waits for it is dropped."""
    with c.school_opened(school) as (_, records):
        c.show(Webhooks(records).end(c.asking(key), webhook_id))


@app.command("deliveries")
def deliveries(
    webhook_id: Id, limit: Annotated[int, typer.Option(min=1, max=200)] = 50, school: SchoolName = None
) -> None:
    """List what was sent to an address or waits for it, the newest first."""
    with c.school_opened(school) as (_, records):
        found = Webhooks(records).deliveries(webhook_id, limit=limit)
        rows = [(one.position, one.kind, c.instant_text(one.recorded_at), one.state, one.tries, one.said)
                for one in found]  # fmt: skip
        c.table(["number", "kind", "recorded", "state", "tries", "said"], rows, "Nothing has been sent yet.")


@app.command("again")
def again(
    webhook_id: Id,
    number: Annotated[int, typer.Argument(help="The number, as `astrack webhook deliveries` shows it.")],
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Send a message once more; the running service does so within seconds."""
    with c.school_opened(school) as (_, records):
        c.show(Webhooks(records).send_again(c.asking(key), webhook_id, number))
