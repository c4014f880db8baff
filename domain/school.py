"""The school itself: who it is, when it keeps term, and what left its log. None of this concerns one pupil alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.background import BackgroundsWatched, Watchable
from domain.base import DomainError, Event, Kind, Stamp, StreamClass, Value
from domain.identity import NAME_MAX, SchoolName
from domain.naming import NameWrong, check_name
from domain.review import Load, load_at

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SchoolAlreadyRegistered(DomainError):
    """The school was set up before with other particulars."""


class TermDatesWrong(DomainError):
    """Terms must lie in their academic year, in order, without overlap."""


class Term(Value):
    """The first and last school day of one term, half-terms and holidays given as separate terms."""

    first_on: date
    last_on: date


class SchoolRegistered(Event):
    """A school began to keep records here."""

    TOPIC: ClassVar[str] = "school.registered.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    school: SchoolName
    maintained: bool = True


class TermDatesSet(Event):
    """The school's terms of one academic year, stated whole."""

    TOPIC: ClassVar[str] = "school.term-dates-set.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    academic_year: Annotated[str, Field(pattern=r"^\d{4}/\d{2}$")]
    terms: tuple[Term, ...]


class ReviewLoadSet(Event):
    """How many pupils of a class of 30 a tutor is asked to look at was said, those drawn without a sign among them."""

    TOPIC: ClassVar[str] = "school.review-load-set.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    least: Annotated[float, Field(gt=0, le=30)] = 3
    most: Annotated[float, Field(gt=0, le=30)] = 5
    unflagged: Annotated[float, Field(ge=0, le=30)] = 1


class HeadsPublished(Event):
    """The root over the heads of so many streams, up to here, was taken: a stream can be shown complete or absent."""

    TOPIC: ClassVar[str] = "school.heads-published.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    KIND: ClassVar[Kind] = "heads"
    covers: Annotated[int, Field(ge=0)]
    streams: Annotated[int, Field(ge=0)]
    root: Digest


class ExportMade(Event):
    """A sealed file left this log."""

    TOPIC: ClassVar[str] = "school.export-made.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    KIND: ClassVar[Kind] = "export"
    transfer_id: UUID
    kind: Literal["school", "student", "safeguarding", "audit"]
    manifest_sha256: Digest


class StreamErased(Event):
    """The key of a stream was destroyed; its entries stay and can no longer be read."""

    TOPIC: ClassVar[str] = "school.stream-erased.v1"
    KIND: ClassVar[Kind] = "erasure"
    why: Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class School:
    """What the school's own facts add up to."""

    registered: SchoolRegistered | None = None
    terms: dict[str, tuple[Term, ...]] = field(default_factory=dict)
    loads: tuple[tuple[datetime, Load], ...] = ()
    backgrounds: BackgroundsWatched | None = None

    @property
    def watched(self) -> tuple[Watchable, ...]:
        """The fields of pupils' background in which the school looks whether groups fare alike; none by default."""
        return self.backgrounds.watched if self.backgrounds else ()

    @property
    def load(self) -> Load:
        """The review load that holds now."""
        return load_at(self.loads)


def replay(events: Iterable[Event]) -> School:
    """The school after these facts."""
    school = School()
    for event in events:
        if isinstance(event, SchoolRegistered):
            school = replace(school, registered=event)
        elif isinstance(event, TermDatesSet):
            school = replace(school, terms={**school.terms, event.academic_year: event.terms})
        elif isinstance(event, ReviewLoadSet):
            load = Load(least=event.least, most=event.most, unflagged=event.unflagged)
            school = replace(school, loads=(*school.loads, (event.recorded_at, load)))
        elif isinstance(event, BackgroundsWatched):
            school = replace(school, backgrounds=event)
    return school


class SchoolNumberWrong(DomainError):
    """A URN has six digits, a local authority number three, an establishment number four."""


NUMBERS = (("urn", "URN", 6), ("lea", "local authority number", 3), ("estab", "establishment number", 4))


def check_particulars(name: SchoolName) -> None:
    """Refuse what cannot be a school's name or numbers; numbers may be left out.

    Raises NameWrong, SchoolNumberWrong.
    """
    check_name(name.name, "the school")
    if len(name.name) > NAME_MAX:
        raise NameWrong(f"the name of the school has {len(name.name)} characters: give it in at most {NAME_MAX}")
    for field_name, called, digits in NUMBERS:
        text: str = getattr(name, field_name)
        if text and not (len(text) == digits and text.isascii() and text.isdigit()):
            raise SchoolNumberWrong(f"the {called} of a school has {digits} digits: correct it, or leave it out")


def register(school: School, stamp: Stamp, name: SchoolName, *, maintained: bool = True) -> list[Event]:
    """Set a school up; the same again changes nothing.

    Raises SchoolAlreadyRegistered, NameWrong, SchoolNumberWrong.
    """
    check_particulars(name)
    if school.registered is None:
        return [SchoolRegistered(**stamp.fresh(), school=name, maintained=maintained)]
    if school.registered.school.school_id != name.school_id:
        raise SchoolAlreadyRegistered("this log belongs to another school: choose that school, or set up a new one")
    unchanged = school.registered.school == name and school.registered.maintained == maintained
    return [] if unchanged else [SchoolRegistered(**stamp.fresh(), school=name, maintained=maintained)]


def set_term_dates(school: School, stamp: Stamp, *, academic_year: str, terms: tuple[Term, ...]) -> list[Event]:
    """State one year's terms; the same again changes nothing. Raises TermDatesWrong."""
    edges = [day for term in terms for day in (term.first_on, term.last_on)]
    year = int(academic_year[:4])
    inside = all(date(year, 9, 1) <= day <= date(year + 1, 8, 31) for day in edges)
    if not terms or edges != sorted(edges) or not inside:
        raise TermDatesWrong(f"the terms of {academic_year} must be in order and lie between 1 September and 31 August")
    if school.terms.get(academic_year) == terms:
        return []
    return [TermDatesSet(**stamp.fresh(), academic_year=academic_year, terms=terms)]


def set_review_load(school: School, stamp: Stamp, load: Load) -> list[Event]:
    """Say how much a tutor is asked to look at; the same again changes nothing."""
    return [] if school.load == load else [ReviewLoadSet(**stamp.fresh(), **load.model_dump())]
