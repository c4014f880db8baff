"""Running the service and the demo."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

import typer

from astrack.cli.files import BadArgument


def serve(
    host: Annotated[
        str, typer.Option(help="Where to listen; behind a proxy that speaks HTTPS, leave it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    workers: Annotated[
        int, typer.Option(min=1, max=8, help="Processes that answer: one for each core of a busy machine.")
    ] = 1,
) -> None:
    """Start the service and say where its pages are; Ctrl-C stops it, and its own PostgreSQL with it."""
    from astrack.server import processes, running

    with door(host, port) as listens:
        if workers > 1:
            processes.begin()
        # what takes its time to load comes after the port is open, and beside the process the others are forked from
        from astrack.cli import common as c

        with c.opened(create=True, pool_max=None) as app:
            said = f"astrack is at http://{host}:{port}/  (Ctrl-C stops it)"
            running.at(listens, app, lambda: c.out.print(said), workers)


def door(host: str, port: int) -> socket.socket:
    """A socket that listens already. Raises BadArgument."""
    from astrack.server import listening

    try:
        return listening.door(host, port)
    except OSError as error:
        raise BadArgument(f"nothing can listen at {host}, port {port} ({error.strerror}): "
                          "stop what uses it, or name another with --port") from error  # fmt: skip


def check_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened at, before anything is started. Raises BadArgument."""
    door(host, port).close()


def demo(
    dir_: Annotated[Path, typer.Option("--dir", help="Where the outputs go.")] = Path("demo-out"),
    once: Annotated[bool, typer.Option(help="End after the summary instead of serving the pages.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    class_size: Annotated[int, typer.Option(min=7, max=30, help="Pupils in each of the three classes.")] = 30,
) -> None:
    """Play the made-up story from a roster file to a verified hand-over, then show its pages."""
    from astrack.demo import play

    if not once:
        check_free("127.0.0.1", port)
    play.play(dir_.absolute(), once=once, port=port, class_size=class_size)
