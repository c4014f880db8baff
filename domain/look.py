"""Who looked at what: entries of a log of its own, chained like the record itself, with no content of what was seen."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from domain.base import Event, StreamClass

Code = Annotated[str, Field(min_length=1, max_length=40)]
PUPILS_MAX = 500

PURPOSES: dict[str, str] = {
    "pupil": "own_record",
    "parent": "own_child",
    "tutor": "teaching_and_care",
    "head_of_year": "teaching_and_care",
    "dsl": "safeguarding",
    "lead_practitioner": "quality",
    "head": "leadership",
    "administrator": "administration",
    "dpo": "data_protection",
    "auditor": "audit",
    "accreditor": "accreditation",
    "operator": "operation",
}
"""Why a role looks; breaking the glass has a purpose of its own."""
GLASS = "glass_broken"

WITHHELD = frozenset({"safeguarding", GLASS})
"""Purposes and field classes that pupils and parents are not shown by default (shared field guide, section 4)."""
FAMILY = ("pupil", "parent")
"""Whose looks a parent is not told of: when a child read their own story, or when the other parent looked."""


class LookTaken(Event):
    """Somebody looked: at which kind of thing, for what purpose, of which pupils (none: of no pupil in particular)."""

    TOPIC: ClassVar[str] = "access.look-taken.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    action: Code
    field_class: Code
    purpose: Code
    pupils: Annotated[tuple[UUID, ...], Field(max_length=PUPILS_MAX)] = ()


class LookRefused(Event):
    """Somebody asked for what they may not have: what, towards whom, and why not."""

    TOPIC: ClassVar[str] = "access.look-refused.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    action: Code
    reason: Code
    pupil_id: UUID | None = None


def shown_to_pupil(look: LookTaken) -> bool:
    """Whether a pupil or parent is shown this look without a review."""
    return look.purpose not in WITHHELD and look.field_class not in WITHHELD
