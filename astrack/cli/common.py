"""What every command shares: the service it opens, the school and pupil it is about, who asks, and how it prints."""

from __future__ import annotations

import getpass
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from astrack.app import App
from astrack.changing import Ask
from astrack.records import NoSuchPupil, Records
from astrack.settings import Settings
from astrack.store import SchoolUnknown
from domain.base import Actor, DomainError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
FILE_BYTES_MAX = 1 << 30


class WhichSchool(DomainError):
    """Several schools are kept here and none was named, or the name fits none or several."""


class WhichPupil(DomainError):
    """A name fits no pupil of the school, or several."""


class BadArgument(DomainError):
    """An argument of a command cannot be used."""


@contextmanager
def opened() -> Iterator[App]:
    """The service of this installation, for one command."""
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        raise BadArgument(str(error)) from error
    with App.open(replace(settings, pool_size=min(settings.pool_size, 4))) as app:
        yield app


@contextmanager
def school_opened(named: str | None) -> Iterator[tuple[App, Records]]:
    """The service and the school a command is about: named by id, URN or name, or the only one there is."""
    with opened() as app:
        yield app, app.school(_which_school(app, named or app.settings.school))


def _which_school(app: App, named: str | None) -> UUID:
    with suppress(ValueError, SchoolUnknown):
        return app.school(UUID(named or "")).school_id
    known = {school_id: app.school(school_id).school_state().registered for school_id in app.store.schools()}
    if named is None:
        if len(known) == 1:
            return next(iter(known))
        raise WhichSchool(f"{len(known)} schools are kept here: say which with --school (see `astrack school list`)")
    fits = [
        school_id
        for school_id, one in known.items()
        if named in (str(school_id), one.school.urn if one else "")
        or (one is not None and named.casefold() in one.school.name.casefold())
    ]
    if len(fits) != 1:
        raise WhichSchool(f"{named!r} fits {len(fits)} schools here: give its URN or id (see `astrack school list`)")
    return fits[0]


def which_pupil(records: Records, named: str) -> UUID:
    """The pupil meant by an id, a UPN or a part of a name. Raises WhichPupil, NoSuchPupil."""
    try:
        return records.streams_of(UUID(named)).pupil_id
    except ValueError:
        pass
    fits = []
    for streams in every_pupil(records):
        person = records.identity(streams).person
        if person and (named == person.upn or named.casefold() in f"{person.full_name} {person.surname}".casefold()):
            fits.append(streams)
    if not fits:
        raise NoSuchPupil("no pupil of this school fits that id, UPN or name: list them with `astrack pupil list`")
    if len(fits) > 1:
        raise WhichPupil(f"{len(fits)} pupils fit that name: give the UPN or the id (see `astrack pupil list`)")
    return fits[0]


def every_pupil(records: Records) -> Iterator[UUID]:
    """The ids of all pupils with a record at a school."""
    after: UUID | None = None
    while page := records.log.pupils(1000, after):
        yield from (one.pupil_id for one in page)
        after = page[-1].pupil_id


def asking(key: str | None = None, role: str = "administrator") -> Ask:
    """This computer's user as the actor, with a fresh key unless one is given."""
    return Ask(Actor(id=uuid5(NAMESPACE_URL, f"astrack:cli:{getpass.getuser()}"), role=role), key or fresh_key())


def fresh_key() -> str:
    """A random idempotency key."""
    return secrets.token_urlsafe(18)


def day(text: str | None, what: str) -> date:
    """A date from YYYY-MM-DD text. Raises BadArgument."""
    try:
        return date.fromisoformat(text or "")
    except ValueError as error:
        raise BadArgument(f"{what} is {text!r}: write a date as 2026-11-24") from error


def bytes_of(path: Path) -> bytes:
    """The bytes of a file. Raises BadArgument in one sentence when it is not there, is a folder or is too large."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise BadArgument(f"{path} is over 1 GiB: this cannot be the file meant")
        return path.read_bytes()
    except OSError as error:
        raise BadArgument(f"{path} cannot be read ({error.strerror}): check the name and the permissions") from error


def json_of(path: Path) -> Any:
    """The JSON in a file. Raises BadArgument."""
    try:
        return json.loads(bytes_of(path))
    except ValueError as error:
        raise BadArgument(f"{path} does not hold JSON ({error}): mend the file") from error


def show(answer: Any) -> None:
    """Print an answer as JSON."""
    out.print_json(json.dumps(answer, default=str, ensure_ascii=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print rows under headings, or the sentence for when there are none."""
    drawn = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(drawn if drawn.row_count else empty)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar for long work; yields a function that moves it on by so many."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


SchoolOption = typer.Option("--school", help="The school: its id, URN or name. Needed when several are kept here.")
KeyOption = typer.Option("--key", help="Idempotency key: repeating a command with the same key does it once.")


def instant_text(at: datetime) -> str:
    """An instant for people: to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M}"
