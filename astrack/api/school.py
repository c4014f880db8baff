"""The school itself: its particulars, its terms, its assessment rounds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from astrack.access.callers import CallerOf
from astrack.api.common import Body, Code, Day, Empty, Key, Name, Out, YearGroup
from domain.authority import Action
from domain.identity import SchoolName
from domain.round import RoundUnknown
from domain.school import Term

router = APIRouter(tags=["school"])
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]*$", max_length=6)]


class SchoolIn(Body):
    """What the school is called and numbered."""

    name: Name
    urn: Digits = ""
    lea: Annotated[str, StringConstraints(pattern=r"^([0-9]{3})?$")] = ""
    estab: Annotated[str, StringConstraints(pattern=r"^([0-9]{4})?$")] = ""
    origin: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9./_-]*$", max_length=200)] = ""
    maintained: bool = True


class SchoolOut(Out):
    """The school as its own facts state it; no name before it was registered."""

    school_id: UUID
    name: str | None
    urn: str
    maintained: bool | None
    terms: dict[str, list[Term]]


class TermIn(Body):
    """The first and last school day of a term."""

    first_on: Day
    last_on: Day


class TermsIn(Body):
    """One academic year's terms, stated whole."""

    academic_year: Annotated[
        str, StringConstraints(pattern=r"^(199|20[0-9])[0-9]/[0-9]{2}$"), Field(examples=["2026/27"])
    ]
    terms: Annotated[list[TermIn], Field(min_length=1, max_length=20)]


class RoundIn(Body):
    """A window in which pupils of some year groups sit an instrument; the newest one where none is named."""

    round_id: UUID
    name: Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
    opens_on: Day
    closes_on: Day
    year_groups: Annotated[list[YearGroup], Field(min_length=1, max_length=20)]
    instrument: Code | None = None
    instrument_version: Annotated[int, Field(ge=1, le=999)] | None = None


class RoundMade(Out):
    """The round that was opened."""

    round_id: UUID


class RoundOut(Out):
    """One assessment round."""

    round_id: UUID
    name: str
    opens_on: Day
    closes_on: Day
    year_groups: list[int]
    instrument: str
    instrument_version: int
    closed: bool


class Counts(Body):
    """How many pupils were expected to sit, how many did, and how many of the others said "not today"."""

    expected: Annotated[int, Field(ge=0, le=100_000)]
    sat: Annotated[int, Field(ge=0, le=100_000)]
    not_today: Annotated[int, Field(ge=0, le=100_000)] | None = None


@router.get("/school")
def school(caller: CallerOf) -> SchoolOut:
    """Which school this is, and when it keeps term."""
    caller.may(Action.SEE_SCHOOL)
    state = caller.records.school_state()
    known = state.registered
    return SchoolOut(
        school_id=caller.records.school_id,
        name=known.school.name if known else None,
        urn=known.school.urn if known else "",
        maintained=known.maintained if known else None,
        terms={year: list(terms) for year, terms in state.terms.items()},
    )


@router.put("/school")
def register_school(caller: CallerOf, body: SchoolIn, key: Key) -> Empty:
    """Set the school up, or state its particulars anew."""
    caller.may(Action.SET_SCHOOL)
    name = SchoolName(school_id=caller.records.school_id, **body.model_dump(exclude={"maintained"}))
    caller.records.register_school(caller.ask(key), name, body.maintained)
    return Empty()


@router.post("/school/terms")
def set_term_dates(caller: CallerOf, body: TermsIn, key: Key) -> Empty:
    """State the terms of one academic year."""
    caller.may(Action.SET_SCHOOL)
    terms = tuple(Term(first_on=one.first_on, last_on=one.last_on) for one in body.terms)
    caller.records.set_term_dates(caller.ask(key), academic_year=body.academic_year, terms=terms)
    return Empty()


@router.post("/rounds")
def open_round(caller: CallerOf, body: RoundIn, key: Key) -> RoundMade:
    """Open an assessment round."""
    caller.may(Action.SET_ROUNDS)
    caller.records.open_round(
        caller.ask(key), round_id=body.round_id, name=body.name, opens_on=body.opens_on, closes_on=body.closes_on,
        year_groups=body.year_groups, instrument_name=body.instrument, instrument_version=body.instrument_version,
    )  # fmt: skip
    return RoundMade(round_id=body.round_id)


@router.get("/rounds/{round_id}")
def one_round(caller: CallerOf, round_id: UUID) -> RoundOut:
    """One round: when it is open, for whom, and whether it is over."""
    caller.may(Action.SEE_ROUNDS)
    state = caller.records.round_state(round_id)
    if state.opened is None:
        raise RoundUnknown("there is no such round: open one first")
    fields = state.opened.model_dump(include=set(RoundOut.model_fields))
    return RoundOut(**fields, closed=state.closed)


@router.post("/rounds/{round_id}/close")
def close_round(caller: CallerOf, round_id: UUID, body: Counts, key: Key) -> Empty:
    """Close a round."""
    caller.may(Action.SET_ROUNDS)
    caller.records.close_round(caller.ask(key), round_id=round_id, **body.model_dump())
    return Empty()
