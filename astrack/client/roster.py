"""What the API has on the topic `roster`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from astrack.client.calling import Caller, Got, Sent, new_key
from astrack.client.shared import Empty


class Imported(Got):
    """What a file changed."""

    counts: dict[str, int]
    pupil_ids: list[str]


class PullOut(Got):
    """A reading: `taken_in`, `nothing_new`, `waits` for a person (many would leave) or `failed`; and what it said."""

    at: datetime
    came: Literal["taken_in", "nothing_new", "waits", "failed"]
    said: str


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


class SourceIn(Sent):
    """The school's own system: the root of its OneRoster 1.2 rostering service, where tokens come from, the client."""

    address: str
    token_address: str
    client_id: str
    secret: str


class SourceOut(Got):
    """Where the roster is read from once a day, and the last reading; both null where there is none."""

    address: str | None
    last: PullOut | None


class RosterCalls(Caller):
    """What the API has on the topic `roster`."""

    def source(self) -> SourceOut:
        """Where the roster comes from by itself, and what came of the last reading."""
        return self.value(SourceOut, "GET", "/roster/source")

    def set_source(self, body: SourceIn, *, key: str | None = None) -> Empty:
        """Read the roster from the school's own system from now on, once a day."""
        return self.value(Empty, "PUT", "/roster/source", body=body, key=key or new_key())

    def end_source(self, *, key: str | None = None) -> Empty:
        """Read it from there no more."""
        return self.value(Empty, "POST", "/roster/source/end", key=key or new_key())

    def read_source(self, *, key: str | None = None) -> PullOut:
        """Read it now and take it in, as once a day: where many would leave, it waits for a person."""
        return self.value(PullOut, "POST", "/roster/source/read", key=key or new_key())

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
