"""The roster: what a file from the school's own system would change, and carrying that out."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from astrack import roster
from astrack.access.callers import CallerOf
from astrack.api.common import Day, Key, Out, Raw, file_body
from astrack.changing import Decided
from astrack.roster import text as roster_text
from domain.authority import Action

router = APIRouter(tags=["roster"])
FILE = file_body("A CTF file (XML) or a OneRoster 1.2 export (zip), as it is.")
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
