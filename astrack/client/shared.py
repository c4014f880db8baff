"""What several topics of the API have in common. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from astrack.client.calling import Got, Sent


class Done(Got):
    """A change to a pupil's record that was carried out; no events where nothing was left to do."""

    pupil_id: UUID
    events: list[UUID]


class Empty(Got):
    """Carried out; there is nothing to say about it."""


class OnDay(Sent):
    """The day it happened."""

    on: date


class Scope(Got):
    """A filter over pupils. ``everyone`` sees the whole school; otherwise every dimension named must match.

    ``dimensions`` maps a dimension ("year", "tutor group", "house", any imported field) to the names allowed in it;
    the year group counts as the dimension "year" with its number as text. An empty scope covers nobody.
    ``usable_only``: a list leaves out records that are restricted; it belongs to one question and is never stored.
    """

    everyone: bool = False
    dimensions: dict[str, list[str]] = Field(default={})
