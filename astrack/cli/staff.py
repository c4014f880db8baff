"""Staff on the command line: who works here, in which roles, and how they sign in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, cast, get_args
from uuid import UUID

import typer

from astrack.access.credentials import CODE_FOR
from astrack.access.sessions import Sessions
from astrack.app import App
from astrack.cli import common as c
from astrack.cli import files
from astrack.records import Records
from domain.authority import Action
from domain.scope import Scope
from domain.staff import FIRST_MODULE, OPERATOR, StaffRole, StaffUnknown

staff = typer.Typer(help="Staff: who may sign in and what they may see.", no_args_is_help=True)
StaffId = Annotated[UUID, typer.Argument(help="The id, as `astrack staff list` shows it.")]
SchoolName = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]
Only = Annotated[
    list[str] | None, typer.Option("--only", help="DIMENSION=NAME, such as year=5 or 'tutor group=5B'; repeat it.")
]


@staff.command("list")
def list_(school: SchoolName = None) -> None:
    """List staff with their standing roles."""
    with c.school_opened(school) as (app, records):
        rows = [_row(app, records, one) for one in records.staff_ids()]
        c.table(["id", "name", "roles", "trained"], rows, "Nobody yet: add the first with `astrack staff add NAME`.")


@staff.command("add")
def add(
    name: str,
    service: Annotated[bool, typer.Option(help="A program, such as a roster system, not a person.")] = False,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Add somebody; they see nothing until they are granted a role."""
    with c.school_opened(school) as (app, records):
        kind: Literal["person", "service"] = "service" if service else "person"
        c.show(records.add_staff(c.asking(key), staff_id=app.new_id(), name=name, kind=kind))


@staff.command("grant")
def grant(
    staff_id: StaffId,
    role: Annotated[str, typer.Argument(help=", ".join(get_args(StaffRole)))],
    only: Only = None,
    until: Annotated[str | None, typer.Option(help="The last day, as 2027-07-31.")] = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Grant a role, towards everybody or only some pupils."""
    if role not in get_args(StaffRole):
        raise files.BadArgument(f"{role!r} is no role: choose one of {', '.join(get_args(StaffRole))}")
    with c.school_opened(school) as (app, records):
        done = records.grant_role(
            c.asking(key), staff_id, grant_id=app.new_id(), role=cast(StaffRole, role), scope=scope_of(only),
            until=c.day(until, "--until") if until else None,
        )  # fmt: skip
        c.show(done)


@staff.command("withdraw")
def withdraw(staff_id: StaffId, grant_id: UUID, why: str = "", school: SchoolName = None, key: Key = None) -> None:
    """Take a grant back; it holds from their next request on."""
    with c.school_opened(school) as (_, records):
        c.show(records.withdraw_role(c.asking(key), staff_id, grant_id=grant_id, why=why))


@staff.command("trained")
def trained(
    staff_id: StaffId,
    module: Annotated[str, typer.Argument(help="The module; the first one opens real data.")] = FIRST_MODULE,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Record that somebody finished a training module today."""
    with c.school_opened(school) as (app, records):
        done = records.record_training(c.asking(key), staff_id, module=module, on=app.clock().date())
        c.show(done)


@staff.command("invite")
def invite(staff_id: StaffId, school: SchoolName = None, key: Key = None) -> None:
    """Make a code that signs somebody in once, within three days. It is shown now and never again."""
    with c.school_opened(school) as (app, records):
        records.issue_sign_in(c.asking(key, OPERATOR), staff_id, kind="code", good_until=app.clock() + CODE_FOR)
        c.out.print(Sessions(app).credentials(records.school_id).code(staff_id))


@staff.command("key")
def make_key(
    staff_id: StaffId,
    days: Annotated[int, typer.Option(min=1, max=366, help="For how long it is good.")] = 90,
    only: Annotated[
        list[str] | None, typer.Option(help="An action it is limited to, as `astrack permissions` names it.")
    ] = None,
    school: SchoolName = None,
    key: Key = None,
) -> None:
    """Make a bearer key for a service client. It is shown now and never again."""
    limits = [str(files.one_of(one, tuple(Action), "action")) for one in only or ()]
    with c.school_opened(school) as (app, records):
        until = app.clock() + timedelta(days=days)
        records.issue_sign_in(c.asking(key), staff_id, kind="key", good_until=until, only=limits)
        c.out.print(Sessions(app).credentials(records.school_id).key(staff_id, days, limits))


@staff.command("take-factor-away")
def take_factor_away(staff_id: StaffId, school: SchoolName = None, key: Key = None) -> None:
    """A lost second factor is taken away, and every session ends; they set up another after their next sign-in."""
    with c.school_opened(school) as (app, records):
        c.show(records.reset_factor(c.asking(key, OPERATOR), staff_id))
        Sessions(app).drop_factor(records.school_id, staff_id)


@staff.command("leave")
def leave(staff_id: StaffId, school: SchoolName = None, key: Key = None) -> None:
    """Somebody leaves: grants, sessions, codes and keys end at once."""
    with c.school_opened(school) as (app, records):
        c.show(records.staff_leave(c.asking(key), staff_id, on=app.clock().date()))
        Sessions(app).revoke(records.school_id, staff_id)


def scope_of(only: list[str] | None) -> Scope:
    """The scope of DIMENSION=NAME texts; everyone where none is given. Raises BadArgument."""
    if not only:
        return Scope(everyone=True)
    named: dict[str, set[str]] = {}
    for text in only:
        dimension, sign, name = text.partition("=")
        if not (dimension and sign and name):
            raise files.BadArgument(f"{text!r} is no filter: write it as year=5 or 'tutor group=5B'")
        named.setdefault(dimension, set()).add(name)
    return Scope(dimensions={dimension: frozenset(names) for dimension, names in named.items()})


def _row(app: App, records: Records, staff_id: UUID) -> tuple[object, ...]:
    state = records.staff_state(staff_id)
    if state.added is None:
        raise StaffUnknown("nobody with this id works at this school: add them first")
    roles = ", ".join(f"{one.role} ({_words(one.scope)})" for one in state.standing(app.clock().date()))
    return staff_id, state.added.name, "left" if state.left_on else roles, ", ".join(sorted(state.trained))


def _words(scope: Scope) -> str:
    if scope.everyone:
        return "everybody"
    return "; ".join(f"{name} {', '.join(sorted(names))}" for name, names in sorted(scope.dimensions.items()))
