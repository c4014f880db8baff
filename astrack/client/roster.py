"""What the API has on the topic `roster`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from astrack.client.calling import Caller, Got, new_key


class Imported(Got):
    """What a file changed."""

    counts: dict[str, int]
    pupil_ids: list[str]


class RosterPlanOut(Got):
    """What a file would change: counts of all, and the first of each kind with what changes."""

    source: str
    version: str
    full: bool
    from_: str = Field(alias="from")
    on: date
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


class RosterCalls(Caller):
    """What the API has on the topic `roster`."""

    def plan(self, content: bytes, *, on: date | None = None) -> RosterPlanOut:
        """A dry run: what this file would change. Nothing is written, so no key is needed."""
        return self.value(RosterPlanOut, "POST", "/roster/plan", content=content, query={"on": on})

    def import_roster(
        self, content: bytes, *, on: date | None = None, confirm_leavers: bool = False, key: str | None = None
    ) -> Imported:
        """Carry out what the dry run of this file shows; many leavers at once need `confirm_leavers`."""
        return self.value(
            Imported,
            "POST",
            "/roster/imports",
            content=content,
            query={"on": on, "confirm_leavers": confirm_leavers},
            key=key or new_key(),
        )
