"""Who a pupil is and which school an opaque id is: kept apart from the story, so that the story can travel alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from domain.background import NOTHING, Background, BackgroundStated
from domain.base import Event, Stamp, StreamClass, Value

NAME_MAX = 100
Name = Annotated[str, Field(max_length=NAME_MAX)]


class Person(Value):
    """A pupil as a roster states them. ``carried`` is the rest of the roster's record, handed on untouched."""

    surname: Name
    forename: Name
    preferred_forename: Name = ""
    middle_names: Name = ""
    upn: Annotated[str, Field(max_length=13)] | None = None
    former_upns: tuple[str, ...] = ()
    date_of_birth: date
    sex: Annotated[str, Field(max_length=1)] = ""
    carried: Annotated[str, Field(max_length=500_000)] = ""

    @property
    def called(self) -> str:
        """The first name people use."""
        return self.preferred_forename or self.forename

    @property
    def full_name(self) -> str:
        """First name and surname, as on a class list."""
        return f"{self.called} {self.surname}"


class SchoolName(Value):
    """What a school is called and numbered, with the opaque id the story uses for it."""

    school_id: UUID
    name: Name
    urn: Annotated[str, Field(max_length=6)] = ""
    lea: Annotated[str, Field(max_length=3)] = ""
    estab: Annotated[str, Field(max_length=4)] = ""
    origin: Annotated[str, Field(max_length=200)] = ""


class IdentityRecorded(Event):
    """Who this pupil is, stated whole; a later statement replaces it without erasing it."""

    TOPIC: ClassVar[str] = "identity.recorded.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    person: Person


class SchoolNamed(Event):
    """Which school an opaque id in the story is."""

    TOPIC: ClassVar[str] = "identity.school-named.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    school: SchoolName


@dataclass(frozen=True, slots=True)
class Identity:
    """The newest statement of who the pupil is and of their background, and the names of the schools in their story."""

    person: Person | None = None
    schools: dict[UUID, SchoolName] = field(default_factory=dict)
    background: Background = NOTHING


def replay(events: Iterable[Event]) -> Identity:
    """The identity after these facts."""
    identity = Identity()
    for event in events:
        identity = evolve(identity, event)
    return identity


def evolve(identity: Identity, event: Event) -> Identity:
    """The next state; other facts leave it as it is."""
    if isinstance(event, IdentityRecorded):
        return replace(identity, person=event.person)
    if isinstance(event, BackgroundStated):
        return replace(identity, background=event.background)
    if isinstance(event, SchoolNamed):
        return replace(identity, schools={**identity.schools, event.school.school_id: event.school})
    return identity


def record(identity: Identity, stamp: Stamp, person: Person) -> list[Event]:
    """State who a pupil is; stating the same again changes nothing. A UPN given up is kept among the former ones."""
    if identity.person is not None:
        person = _with_former(identity.person, person)
    return [] if identity.person == person else [IdentityRecorded(**stamp.fresh(), person=person)]


def _with_former(old: Person, new: Person) -> Person:
    former = [*old.former_upns, *new.former_upns]
    if old.upn and old.upn != new.upn:
        former.append(old.upn)
    kept = tuple(dict.fromkeys(upn for upn in former if upn != new.upn))
    return new.model_copy(update={"former_upns": kept})


def state_background(identity: Identity, stamp: Stamp, background: Background) -> list[Event]:
    """State what is known of a pupil's background; stating the same again changes nothing."""
    return [] if identity.background == background else [BackgroundStated(**stamp.fresh(), background=background)]


def name_school(identity: Identity, stamp: Stamp, school: SchoolName) -> list[Event]:
    """Say which school an opaque id is; saying the same again changes nothing."""
    known = identity.schools.get(school.school_id)
    return [] if known == school else [SchoolNamed(**stamp.fresh(), school=school)]
