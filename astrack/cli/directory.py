"""The directory of schools' keys on the command line: keeping one, and following one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from astrack.app import utc_now
from astrack.cli import common as c
from astrack.cli import files
from astrack.directory.following import Follower
from astrack.directory.keeping import Keeper
from astrack.handover import Handover
from transfer.keys.document import fingerprint_words

directory = typer.Typer(
    help="A directory of schools' keys: keep one for others (begin, add, publish), or follow one (fetch, check).",
    no_args_is_help=True,
)
Kept = Annotated[Path, typer.Option("--dir", help="The folder of the directory.")]
School = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]


@directory.command("begin")
def begin(
    name: str,
    dir_: Kept,
    origin: Annotated[str, typer.Option(help="What its log is called, for ever: directory.example/keys, say.")],
) -> None:
    """Begin a directory: it gets keys of its own, and a log."""
    made = Keeper.begin(dir_.absolute(), name, origin, utc_now)
    c.out.print(f"Serve {dir_.absolute() / 'public'} over HTTPS; its eight words: {made.words()}")


@directory.command("add")
def add(
    document: Path,
    dir_: Kept,
    words: Annotated[
        str | None, typer.Option(help="The eight words heard over the telephone; for a school's first document.")
    ] = None,
) -> None:
    """Countersign a school's key document and put it into the log, once its eight words were compared."""
    made = Keeper(dir_.absolute(), utc_now).add(files.bytes_of(document), words)
    said = " ".join(fingerprint_words(made.document))
    c.out.print(f"{made.document.school.name}, document {made.document.serial} ({said}): publish, so that it is seen.")


@directory.command("publish")
def publish(dir_: Kept) -> None:
    """Sign the log as it stands; at least once a month, so that readers see that it is alive."""
    keeper = Keeper(dir_.absolute(), utc_now)
    head = keeper.publish()
    c.out.print(f"{head.origin}: {head.size} documents are published. Eight words: {keeper.words()}")


@directory.command("fetch")
def fetch(
    address: str,
    urn: Annotated[list[str] | None, typer.Option(help="A school to know from now on, by its URN.")] = None,
    words: Annotated[
        str | None, typer.Option(help="The directory's eight words, heard over the telephone; the first time.")
    ] = None,
    school: School = None,
    key: Key = None,
) -> None:
    """Read on in a directory: take newer keys of schools known here, and know those named."""
    with c.school_opened(school) as (_, records):
        c.show(Follower(Handover(records)).fetch(c.asking(key, "dsl"), address, urn or (), words=words))


@directory.command("check")
def check(
    against: Annotated[
        Path | None, typer.Option(help="A checkpoint that another school was shown, to compare with this one's.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write this school's checkpoints here, for others.")] = None,
    school: School = None,
    key: Key = None,
) -> None:
    """Read every directory followed here anew from its first entry, and look for keys in this school's name."""
    given = None if against is None else files.bytes_of(against)
    with c.school_opened(school) as (_, records):
        follower = Follower(Handover(records))
        if given is not None:
            c.out.print(f"Both were shown the same {follower.compare(given)} documents.")
        found = [follower.fetch(c.asking(key, "dsl"), one, whole=True) for one in follower.addresses()]
        for one in found:
            c.show(one)
            if out is not None:
                path = files.folder(out) / f"{one['directory'].replace('/', '_')}.checkpoint"
                files.write(path, follower.checkpoint(one["directory"]))
        if any(one["not_ours"] or one["refused"] for one in found):
            raise typer.Exit(files.NOT_ALL)
