"""What a roster is and what taking it in would change: a plan, made before anything is written. It removes nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.background import NOTHING, WATCHABLE, Background, Watchable
from domain.base import DomainError, Event, StreamClass, Value
from domain.identity import Person, SchoolName
from domain.journey.facts import Group, YearGroup

LEAVERS_UNASKED_MAX = 10
LEAVERS_UNASKED_SHARE = 0.2
"""More leavers than both of these need somebody to say that it is right."""


class ManyLeavers(DomainError):
    """So many pupils are missing from the file that it may be the wrong file."""


class RollMoved(DomainError):
    """Another roster was taken in after this plan was drawn up."""


class RosterImported(Event):
    """A roster file (or a part of a long one) was taken in: which file, for which day, and how many it changed."""

    TOPIC: ClassVar[str] = "school.roster-imported.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    import_id: UUID
    source: Literal["ctf", "oneroster"]
    file_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    happened_on: date
    joined: Annotated[int, Field(ge=0)]
    changed: Annotated[int, Field(ge=0)]
    left: Annotated[int, Field(ge=0)]


class Numbers(Value):
    """A school as a roster names it."""

    lea: str = ""
    estab: str = ""
    urn: str = ""
    name: str = ""

    @property
    def numbered(self) -> bool:
        """Whether there is a number to know the school by."""
        return bool(self.urn or (self.lea and self.estab))

    def mean(self, school: SchoolName) -> bool:
        """Whether they name this school: by URN, or by LA (local authority) and establishment number."""
        by_urn = bool(self.urn) and self.urn == school.urn
        return by_urn or (bool(self.lea and self.estab) and (self.lea, self.estab) == (school.lea, school.estab))


class Listed(Value):
    """A pupil as a roster lists them. ``place``: where in the file; ``leaving``: it says that they leave."""

    place: str
    person: Person
    year_group: YearGroup | None = None
    groups: tuple[Group, ...] = ()
    background: Background = NOTHING
    leaving: bool = False


class HeldBack(Value):
    """A pupil who is not taken in, why, and what to do; with what was legible, so that they do not count as left."""

    place: str
    why: str
    surname: str = ""
    forename: str = ""
    born: date | None = None
    upn: str | None = None


class Roster(Value):
    """A roster file as read, whatever its format.

    ``full``: it lists everyone its school has. ``empties``: fields of a Person whose absence says that there is none.
    ``dimensions``: the dimensions of groups it speaks of; groups in other dimensions stay as they are.
    ``watched``: the fields of pupils' background that were read at all.
    """

    source: Literal["ctf", "oneroster"]
    version: str
    file_sha256: str
    full: bool
    stated_on: date | None = None
    from_school: Numbers | None = None
    to_school: Numbers | None = None
    pupils: tuple[Listed, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    warnings: tuple[str, ...] = ()
    empties: frozenset[str] = frozenset()
    dimensions: frozenset[str] = frozenset()
    watched: tuple[Watchable, ...] = ()

    @cached_property
    def spoken(self) -> frozenset[str]:
        """The fields of background it speaks of: those it states of anybody."""
        return frozenset(name for name in WATCHABLE if any(one.background.said(name) for one in self.pupils))


class FieldChange(Value):
    """One field and what it says here and in the file, as text; both empty where the contents are not for reading."""

    field: str
    before: str = ""
    after: str = ""


class Joiner(Value):
    """A pupil to be enrolled: new, or one whose record is here (``pupil_id``) and who comes back."""

    place: str
    person: Person
    year_group: YearGroup | None
    groups: tuple[Group, ...] = ()
    background: Background = NOTHING
    pupil_id: UUID | None = None


class Changed(Value):
    """A pupil on roll of whom the file says something else, whole and field by field."""

    place: str
    pupil_id: UUID
    person: Person
    year_group: YearGroup | None
    groups: tuple[Group, ...]
    background: Background = NOTHING
    fields: tuple[FieldChange, ...]


class Leaver(Value):
    """A pupil on roll who is not in a full roster, or is said to leave. ``handed_over``: their record is elsewhere."""

    pupil_id: UUID
    name: str
    handed_over: bool = False


class RosterPlan(Value):
    """What an import would do. ``imports_before``: how many imports this school had taken in when it was drawn up."""

    source: Literal["ctf", "oneroster"]
    version: str
    file_sha256: str
    full: bool
    from_name: str
    on: date
    imports_before: int = 0
    listed: int
    on_roll: int
    new: tuple[Joiner, ...] = ()
    returning: tuple[Joiner, ...] = ()
    changed: tuple[Changed, ...] = ()
    unchanged: tuple[UUID, ...] = ()
    leavers: tuple[Leaver, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many pupils it changes."""
        return len(self.new) + len(self.returning) + len(self.changed) + len(self.leavers)

    @property
    def missing(self) -> int:
        """How many leave without their record having been handed over."""
        return sum(not leaver.handed_over for leaver in self.leavers)

    @property
    def many_leavers(self) -> bool:
        """Whether so many are missing that somebody must say it is right."""
        return self.missing > max(LEAVERS_UNASKED_MAX, LEAVERS_UNASKED_SHARE * self.on_roll)


def confirm(plan: RosterPlan, confirm_leavers: bool) -> None:
    """Let a plan pass. Raises ManyLeavers when it takes many off the roll and nobody said that this is right."""
    if plan.many_leavers and not confirm_leavers:
        raise ManyLeavers(
            f"{plan.missing} of the {plan.on_roll} pupils on roll are not in this file: check that it lists the whole "
            "school, then import it again and confirm the leavers"
        )


def not_overtaken(plan: RosterPlan, own: UUID, events: Iterable[Event]) -> None:
    """Let a part of import ``own`` pass. Raises RollMoved when another import came between the plan and now."""
    imports = [one.import_id for one in events if isinstance(one, RosterImported)]
    if any(one != own for one in imports[plan.imports_before :]):
        raise RollMoved(
            "another roster was taken in after this plan was drawn up: look at the changes again, then import"
        )


def describe(groups: Sequence[Group]) -> str:
    """Groups as text."""
    return ", ".join(f"{group.dimension} {group.name}" for group in groups)
