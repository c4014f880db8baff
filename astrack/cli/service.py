"""Running the service and the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from astrack.cli import common as c


def serve(
    host: Annotated[
        str, typer.Option(help="Where to listen; behind a proxy that speaks HTTPS, leave it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
) -> None:
    """Start the service and say where its pages are; Ctrl-C stops it, and its own PostgreSQL with it."""
    from astrack import server

    with c.opened() as app:
        c.out.print(f"astrack is at http://{host}:{port}/  (Ctrl-C stops it)")
        server.run(app, host, port)


def demo(
    dir_: Annotated[Path, typer.Option("--dir", help="Where the outputs go.")] = Path("demo-out"),
    once: Annotated[bool, typer.Option(help="End after the summary instead of serving the pages.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    class_size: Annotated[int, typer.Option(min=7, max=30, help="Pupils in each of the three classes.")] = 30,
) -> None:
    """Play the made-up story from a roster file to a verified hand-over, then show its pages."""
    from astrack.demo import play

    play.play(dir_.absolute(), once=once, port=port, class_size=class_size)
