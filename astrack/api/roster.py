"""The roster: what a file from the school's own system would change, and carrying that out."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from astrack import roster
from astrack.access.callers import Caller, CallerOf
from astrack.api.common import Body, Day, Empty, Key, Out, Raw, file_body
from astrack.changing import Decided
from astrack.roster import text as roster_text
from astrack.roster.asking import Source
from astrack.roster.source import Came, RosterSource
from domain.authority import Action

router = APIRouter(tags=["roster"])
FILE = file_body("A CTF file (XML) or a OneRoster 1.2 export (zip), as it is.")
Address = Annotated[str, StringConstraints(min_length=9, max_length=300, pattern=r"^[!-~]+$")]
OnDay = Annotated[Day | None, Query(alias="on", description="The day it is about; today where left out.")]


class RosterPlanOut(Out):
    """What a file would change: counts of all, and the first of each kind with what changes."""

    source: str
    version: str
    full: bool
    sender: Annotated[str, Field(alias="from")]
    on: Day
    listed: int
    on_roll: int
    counts: dict[str, int]
    many_leavers: bool
    new: list[dict[str, Any]]
    returning: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    leavers: list[dict[str, Any]]
    held_back: list[dict[str, Any]]
    warnings: list[str]


class Imported(Out):
    """What a file changed."""

    counts: dict[str, int]
    pupil_ids: list[str]


class SourceIn(Body):
    """The school's own system: the root of its OneRoster 1.2 rostering service, where tokens come from, the client."""

    address: Address
    token_address: Address
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    secret: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class PullOut(Out):
    """A reading: `taken_in`, `nothing_new`, `waits` for a person (many would leave) or `failed`; and what it said."""

    at: datetime
    came: Came
    said: str


class SourceOut(Out):
    """Where the roster is read from once a day, and the last reading; both null where there is none."""

    address: str | None
    last: PullOut | None


@router.get("/roster/source")
def source(caller: CallerOf) -> SourceOut:
    """Where the roster comes from by itself, and what came of the last reading."""
    ours = _source_of(caller)
    named, last = ours.get(), ours.last()
    return SourceOut(address=named.address if named else None, last=PullOut(**asdict(last)) if last else None)


@router.put("/roster/source")
def set_source(caller: CallerOf, body: SourceIn, key: Key) -> Empty:
    """Read the roster from the school's own system from now on, once a day."""
    _source_of(caller).set(caller.ask(key), Source(**body.model_dump()))
    return Empty()


@router.post("/roster/source/end")
def end_source(caller: CallerOf, key: Key) -> Empty:
    """Read it from there no more."""
    _source_of(caller).end(caller.ask(key))
    return Empty()


@router.post("/roster/source/read")
def read_source(caller: CallerOf, key: Key) -> PullOut:
    """Read it now and take it in, as once a day: where many would leave, it waits for a person."""
    return PullOut(**asdict(_source_of(caller).pull(caller.ask(key))))


def _source_of(caller: Caller) -> RosterSource:
    caller.may(Action.IMPORT_ROSTER)
    return RosterSource(caller.records)


@router.post("/roster/plan", openapi_extra=FILE)
def plan(caller: CallerOf, data: Raw, on: OnDay = None) -> RosterPlanOut:
    """A dry run: what this file would change. Nothing is written, so no key is needed."""
    caller.may(Action.IMPORT_ROSTER)
    found = roster.plan(caller.records, data, on or caller.today)
    return RosterPlanOut(**roster_text.as_dict(found))


@router.post("/roster/imports", openapi_extra=FILE)
def import_roster(caller: CallerOf, data: Raw, key: Key, on: OnDay = None, confirm_leavers: bool = False) -> Imported:
    """Carry out what the dry run of this file shows; many leavers at once need `confirm_leavers`."""
    caller.may(Action.IMPORT_ROSTER)
    day = on or caller.today
    ask = caller.ask(key)
    done = roster.apply(caller.records, ask, roster.plan(caller.records, data, day), confirm_leavers=confirm_leavers)
    answer = {"counts": {name: n for name, n in done.items() if isinstance(n, int)}, "pupil_ids": done["pupil_ids"]}
    # a repeat finds nothing left to change: the first answer is kept, and is what it gets
    request = {"do": "import_roster", "file": hashlib.sha256(data).hexdigest(), "on": on, "leavers": confirm_leavers}
    return Imported(**caller.records.change(ask, request, [caller.records.own()], lambda *_: Decided([[]], answer)))
