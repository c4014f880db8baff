"""That late facts followed a record to the next school: the facts of the supplement itself."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from domain.base import Event


class SupplementPrepared(Event):
    """What was written down late, after the record was prepared for the next school, was made ready to follow it."""

    TOPIC: ClassVar[str] = "journey.supplement-prepared.v1"
    transfer_id: UUID
    supplements: UUID
    not_after: date


class SupplementReceived(Event):
    """Late facts followed a record that a school had received: the imported facts before this one, since its last own.

    ``held``: whether the record was this school's to write to at the time; a school that passed it on keeps a copy.
    """

    TOPIC: ClassVar[str] = "journey.supplement-received.v1"
    transfer_id: UUID
    manifest_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    from_school_id: UUID | None
    facts: int
    held: bool
