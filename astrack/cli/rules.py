"""For whoever checks: who may do what, and what was set by whom, on the command line."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from astrack import changes as set_here
from astrack.cli import common as c
from domain.authority import ROLES, RULES


def permissions() -> None:
    """The table the service decides by: each action, when it makes sense, and whom each role reaches with it."""
    rows = [[action, rule.when, "yes" if rule.gate else "", *(rule.cells[role] for role in ROLES)]
            for action, rule in RULES.items()]  # fmt: skip
    c.table(["action", "when", "training", *ROLES], rows, "")


def changes(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    school: Annotated[str | None, c.SchoolOption] = None,
) -> None:
    """What was set and by whom, newest first: grants, accounts, terms, rounds, the library; no names, no free text."""
    with c.school_opened(school) as (_, records):
        rows = [
            [f"{one.recorded_at:%Y-%m-%d %H:%M:%S}", one.event.by.role, str(one.event.by.id), one.event.TOPIC,
             json.dumps(set_here.details(one.event))]
            for one in set_here.newest(records.log, limit)
        ]  # fmt: skip
        c.table(["when (UTC)", "role", "by", "what", "in detail"], rows, "Nothing was set yet.")
