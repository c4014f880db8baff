"""What every command shares: the service it opens, the school and pupil it is about, who asks, and how it prints."""

from __future__ import annotations

import getpass
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from astrack.access.looks import Looks
from astrack.app import App
from astrack.changing import Ask
from astrack.cli.files import BadArgument
from astrack.cli.saying import CALLED, KEYS_DRAWN, plain
from astrack.records import NoSuchPupil, Records
from astrack.settings import Settings
from astrack.store import SchoolUnknown
from astrack.store.rootkey import readable_by_others
from domain.base import Actor, DomainError
from domain.journey.state import Custody, Journey
from domain.school_year import year_name
from domain.staff import OPERATOR


class Screen(Console):
    """Prints what people typed: nothing in it is markup, nothing steers the screen, and no id is broken at its edge."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def print(self, *objects: Any, **how: Any) -> None:
        """Print texts as they are, what cannot be seen shown as an escape."""
        super().print(*(plain(one) if isinstance(one, str) else one for one in objects), **how)


out = Screen()
err = Screen(stderr=True)
OPENED: list[App] = []
"""The service of the command that runs."""
ID_WIDTH, OTHER_WIDTH, NO_LIMIT = 36, 14, 10_000
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class WhichSchool(DomainError):
    """Several schools are kept here and none was named, or the name fits none or several."""


class WhichPupil(DomainError):
    """A name fits no pupil of the school, or several."""


@contextmanager
def opened(create: bool = False, pool_max: int | None = 4) -> Iterator[App]:
    """The service of this installation, for one command; only what begins a record may ``create`` a database.

    ``pool_max``: how many connections are enough; None: as many as the settings say.
    """
    given = settings()
    if given.root_key is None and given.transit_url is None and readable_by_others(given.root_key_path):
        err.print(f"Warning: others may read the root key {given.root_key_path}: `chmod 600` it, and rotate it.")
    size = given.pool_size if pool_max is None else min(given.pool_size, pool_max)
    with App.open(replace(given, pool_size=size), create=create) as app:
        yield app


def settings() -> Settings:
    """The settings of the environment. Raises BadArgument."""
    try:
        return Settings.from_environment()
    except ValueError as error:
        raise BadArgument(str(error)) from error


@contextmanager
def school_opened(named: str | None) -> Iterator[tuple[App, Records]]:
    """The service and the school a command is about: named by id, URN or name, or the only one there is."""
    with opened() as app:
        OPENED[:] = [app]
        yield app, app.school(_which_school(app, named or app.settings.school))


def looked(records: Records, pupils: Sequence[UUID] = ()) -> None:
    """Put on record, before anything is shown, that whoever runs the machine looks at these pupils, by this command."""
    app = OPENED[0]
    Looks(app.store, app.clock, app.new_id).by_operator(records.school_id, user(OPERATOR), CALLED[0], pupils)


def _which_school(app: App, named: str | None) -> UUID:
    with suppress(ValueError, SchoolUnknown):
        return app.school(UUID(named or "")).school_id
    known = {school_id: app.school(school_id).school_state().registered for school_id in app.store.schools()}
    if named is None:
        if len(known) == 1:
            return next(iter(known))
        if not known:
            raise WhichSchool("no school is kept here yet: set one up with `astrack school add NAME`")
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
    """The pupil meant by an id, a UPN or a part of a name; it is a look at them. Raises WhichPupil, NoSuchPupil."""
    found = _found(records, named)
    looked(records, [found])
    return found


def _found(records: Records, named: str) -> UUID:
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


def by_number(records: Records) -> Callable[[str], UUID]:
    """A function that finds a pupil by id or UPN, whole, and by nothing else; it raises NoSuchPupil, WhichPupil."""
    known: dict[str, list[UUID]] = {}
    for pupil_id in every_pupil(records):
        person = records.identity(pupil_id).person
        known.setdefault(str(pupil_id), []).append(pupil_id)
        if person and person.upn:
            known.setdefault(person.upn.casefold(), []).append(pupil_id)

    def found(named: str) -> UUID:
        fits = known.get(named.casefold(), [])
        if not fits:
            raise NoSuchPupil("no pupil of this school has that id or UPN: list them with `astrack pupil list`")
        if len(fits) > 1:
            raise WhichPupil(f"{len(fits)} pupils of this school have that UPN: give the id (see `astrack pupil list`)")
        return fits[0]

    return found


def every_pupil(records: Records) -> Iterator[UUID]:
    """The ids of all pupils with a record at a school."""
    after: UUID | None = None
    while page := records.log.pupils(1000, after):
        yield from (one.pupil_id for one in page)
        after = page[-1].pupil_id


def asking(key: str | None = None, role: str = "administrator") -> Ask:
    """This computer's user as the actor, with a fresh key unless one is given."""
    return Ask(user(role), key or fresh_key())


def user(role: str) -> Actor:
    """This computer's user in a role."""
    return Actor(id=uuid5(NAMESPACE_URL, f"astrack:cli:{getpass.getuser()}"), role=role)


def fresh_key() -> str:
    """A random idempotency key."""
    KEYS_DRAWN[:] = [secrets.token_urlsafe(18)]
    return KEYS_DRAWN[0]


def day(text: str | None, what: str) -> date:
    """A date from YYYY-MM-DD text. Raises BadArgument."""
    try:
        return date.fromisoformat(text or "")
    except ValueError as error:
        raise BadArgument(f"{what} is {text!r}: write a date as 2026-11-24") from error


def show(answer: Any) -> None:
    """Print an answer as JSON."""
    out.print_json(plain(json.dumps(answer, default=str, ensure_ascii=False)))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print rows under headings, or the sentence for when there are none. Ids are never cut: people copy them."""
    listed = [["" if cell is None else plain(str(cell)) for cell in row] for row in rows]
    if not listed:
        out.print(empty)
        return
    whole = [all(ID.fullmatch(row[at]) for row in listed) for at in range(len(columns))]
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name, is_id in zip(columns, whole, strict=True):
        drawn.add_column(Text(name), no_wrap=is_id, min_width=ID_WIDTH if is_id else None, overflow="fold")
    for row in listed:
        drawn.add_row(*map(Text, row))
    needed = sum(ID_WIDTH + 2 if is_id else OTHER_WIDTH for is_id in whole)
    width = max(out.width, needed) if out.is_terminal else NO_LIMIT
    Console(highlight=False, width=width).print(drawn)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar for long work; yields a function that moves it on by so many."""
    with _bar(what, total, MofNCompleteColumn(), TimeElapsedColumn()) as move:
        yield move


@contextmanager
def bytes_moving(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar for bytes on their way; yields a function that moves it on by so many."""
    with _bar(what, total, DownloadColumn(), TransferSpeedColumn()) as move:
        yield move


@contextmanager
def counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that counts by itself; yields a function told how many of how many are done."""
    with _progress(MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _bar(what: str, total: int | None, *beside: ProgressColumn) -> Iterator[Callable[[int], None]]:
    with _progress(*beside) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def _progress(*beside: ProgressColumn) -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), *beside, console=err, transient=True)


SchoolOption = typer.Option("--school", help="The school: its id, URN or name. Needed when several are kept here.")
KeyOption = typer.Option("--key", help="Idempotency key: repeating a command with the same key does it once.")


def at(position: int) -> str:
    """Where in a school's log something is wrong; nothing where it concerns the school as a whole."""
    return f", position {position}" if position >= 0 else ""


def standing(journey: Journey) -> str:
    """Where a pupil's record stands, in one line."""
    if journey.custody is Custody.NOBODY:
        return "Not enrolled then: no record is held of this pupil."
    return f"{year_name(journey.year_group)}, record {journey.custody}, {len(journey.sittings)} sittings"


def instant_text(at: datetime) -> str:
    """An instant for people: to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M}"
