"""One request about a pupil's record, from the day it arrived to its answer, with the clock the law gives it.

A request has a stream and a key of its own: it stays at the school it was made to and is erased with the pupil.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass
from domain.duties import PARENT_INSPECTION, binding, due_on
from domain.rights.family import Family, Line, Why, reason
from domain.school import Term
from domain.school_year import SATURDAY

RequestKind = Literal["access", "inspection", "rectification", "objection", "restriction", "erasure"]
AskedBy = Literal["pupil", "parent", "representative"]
StopWhy = Literal["identity", "clarification"]
Outcome = Literal["granted", "partly_granted", "refused"]
WithheldWhy = Literal["serious_harm", "third_party", "child_abuse_data", "legal_privilege", "examination", "court"]
Item = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z_]+:[0-9a-z-]+$")]
Note = Annotated[str, Field(max_length=1000)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MONTHS, MONTHS_EXTENDED = 1, 3
BY_WHOM: dict[str, frozenset[str]] = {"inspection": frozenset({"parent"})}
ITEMS_MAX = 2_000

CLOCKS: dict[str, str] = {
    "month": "UK GDPR article 12(3) and 12A: one month, two more where requests are complex or many; the clock stands "
    "while the school waits for proof of identity or for clarification it needs",
    "school_days": PARENT_INSPECTION.source,
}
WITHHELD_BECAUSE: dict[str, str] = {
    "serious_harm": "Data Protection Act 2018 schedule 3 part 4 paragraph 19: likely to cause serious harm",
    "third_party": "Data Protection Act 2018 schedule 2 part 3 paragraph 16: it is also about somebody else",
    "child_abuse_data": "Data Protection Act 2018 schedule 3 part 5 paragraph 21: child abuse data",
    "legal_privilege": "Data Protection Act 2018 schedule 2 part 4 paragraph 19: legal professional privilege",
    "examination": "Data Protection Act 2018 schedule 2 part 4 paragraph 25: examination scripts and marks",
    "court": "Data Protection Act 2018 schedule 3 part 4 paragraph 18: reports to a court",
}
"""Why an item may be kept back, with the source."""


class NoSuchRequest(DomainError):
    """The request named is not on this school's list."""


class RequestEnded(DomainError):
    """This request has been answered or withdrawn."""


class RequestDatesWrong(DomainError):
    """A step of a request happens between the day it arrived and today, and in its order."""


class AskerMayNot(DomainError):
    """Whoever asks has no such right over this record, as it stands."""


class ClockStandsAlready(DomainError):
    """The clock of this request stands already, or runs already."""


class ExtensionTooLate(DomainError):
    """A request is made longer once, while its first month runs, and whoever asked is told why."""


class NoSuchItem(DomainError):
    """The item named is not one of this request, or waits for no review."""


class OwnWithholdingReviewed(DomainError):
    """A second person reviews what is to be withheld."""


class WithholdingUnreviewed(DomainError):
    """Something is to be withheld and nobody has reviewed it yet."""


class CompetenceUndecided(DomainError):
    """Whether the pupil understands their rights has not been decided."""


class FileNotMade(DomainError):
    """Access is granted by a file, and none has been made."""


class RequestReceived(Event):
    """Somebody asked something of the school about a pupil's record."""

    TOPIC: ClassVar[str] = "rights.request-received.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    request_id: UUID
    pupil_id: UUID
    kind: RequestKind
    asked_by: AskedBy
    relation_id: UUID | None = None
    happened_on: date
    wants: Note = ""


class ClockStopped(Event):
    """The clock of a request stands: the school waits for proof of identity, or for clarification."""

    TOPIC: ClassVar[str] = "rights.clock-stopped.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    happened_on: date
    why: StopWhy
    note: Line = ""


class ClockStarted(Event):
    """What was waited for has come: the clock of a request goes on."""

    TOPIC: ClassVar[str] = "rights.clock-started.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    happened_on: date


class TimeExtended(Event):
    """A request is complex: it takes up to two months more, and whoever asked was told why."""

    TOPIC: ClassVar[str] = "rights.time-extended.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    happened_on: date
    why: Why


class ItemWithheld(Event):
    """One item is to be kept back from whoever asked, for a named exemption."""

    TOPIC: ClassVar[str] = "rights.item-withheld.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    item: Item
    because: WithheldWhy
    why: Why


class WithholdingReviewed(Event):
    """A second person judged whether an item is kept back."""

    TOPIC: ClassVar[str] = "rights.withholding-reviewed.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    item: Item
    upheld: bool
    note: Line = ""


class CopyMade(Event):
    """Everything held was put into a file sealed for whoever asked, apart from what is withheld."""

    TOPIC: ClassVar[str] = "rights.copy-made.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    sha256: Digest
    recipient: Annotated[str, Field(max_length=100)]
    items: Annotated[int, Field(ge=0)]
    withheld: Annotated[int, Field(ge=0)]


class RequestAnswered(Event):
    """The school answered a request, and said why where it did not grant it."""

    TOPIC: ClassVar[str] = "rights.request-answered.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    happened_on: date
    outcome: Outcome
    why: Note = ""


class RequestWithdrawn(Event):
    """Whoever asked no longer does."""

    TOPIC: ClassVar[str] = "rights.request-withdrawn.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    happened_on: date


@dataclass(frozen=True, slots=True)
class Withheld:
    """What was decided about one item. ``upheld`` is None until a second person has looked."""

    by: UUID
    because: str
    why: str
    reviewer: UUID | None = None
    upheld: bool | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What the facts about one request add up to."""

    received: RequestReceived | None = None
    stopped_on: date | None = None
    stopped_why: str = ""
    stopped_days: int = 0
    extended: bool = False
    withheld: dict[str, Withheld] = field(default_factory=dict)
    copy: CopyMade | None = None
    copy_stale: bool = False
    answered: RequestAnswered | None = None
    withdrawn_on: date | None = None

    @property
    def open(self) -> bool:
        """Whether it still waits for its answer."""
        return self.received is not None and self.answered is None and self.withdrawn_on is None

    @property
    def kept_back(self) -> dict[str, Withheld]:
        """The items that a second person agreed to keep back."""
        return {item: one for item, one in self.withheld.items() if one.upheld}

    @property
    def unreviewed(self) -> list[str]:
        """The items that wait for a second person."""
        return [item for item, one in self.withheld.items() if one.upheld is None]


def replay(events: Iterable[Event]) -> Request:
    """The request after these facts."""
    request = Request()
    for event in events:
        request = evolve(request, event)
    return request


def evolve(request: Request, event: Event) -> Request:
    """The next state; other facts leave it as it is."""
    match event:
        case RequestReceived():
            return replace(request, received=event)
        case ClockStopped():
            return replace(request, stopped_on=event.happened_on, stopped_why=event.why)
        case ClockStarted() if request.stopped_on is not None:
            days = request.stopped_days + (event.happened_on - request.stopped_on).days
            return replace(request, stopped_on=None, stopped_why="", stopped_days=days)
        case TimeExtended():
            return replace(request, extended=True)
        case ItemWithheld():
            kept = Withheld(event.by.id, event.because, event.why)
            return replace(request, withheld={**request.withheld, event.item: kept}, copy_stale=True)
        case WithholdingReviewed() if event.item in request.withheld:
            kept = replace(request.withheld[event.item], reviewer=event.by.id, upheld=event.upheld)
            return replace(request, withheld={**request.withheld, event.item: kept}, copy_stale=True)
        case CopyMade():
            return replace(request, copy=event, copy_stale=False)
        case RequestAnswered():
            return replace(request, answered=event)
        case RequestWithdrawn():
            return replace(request, withdrawn_on=event.happened_on)
        case _:
            return request


def clock_of(kind: RequestKind, *, maintained: bool = True) -> str:
    """Which of CLOCKS runs for a request: a parent's look has one of its own where the school is maintained."""
    return "school_days" if kind == "inspection" and PARENT_INSPECTION in binding(maintained) else "month"


def due(
    request: Request, terms: Sequence[Term] = (), closed: Collection[date] = (), *, maintained: bool = True
) -> date | None:
    """The last day to answer in time; None while the clock stands. ``closed``: bank holidays.

    A day that falls on a weekend or a bank holiday becomes the next working day (ICO, time limits).
    Raises TermDatesMissing for a clock in school days that runs past the terms known.
    """
    received = request.received
    if received is None or request.stopped_on is not None:
        return None
    if clock_of(received.kind, maintained=maintained) == "school_days":
        return due_on(PARENT_INSPECTION, received.happened_on, terms) + timedelta(days=request.stopped_days)
    months = MONTHS_EXTENDED if request.extended else MONTHS
    day = months_later(received.happened_on, months) + timedelta(days=request.stopped_days)
    while day.weekday() >= SATURDAY or day in closed:
        day += timedelta(days=1)
    return day


def months_later(day: date, months: int) -> date:
    """The same day of a later month; where that month has no such day, its last."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))


def receive(
    request: Request,
    stamp: Stamp,
    family: Family,
    *,
    request_id: UUID,
    pupil_id: UUID,
    kind: RequestKind,
    asked_by: AskedBy,
    on: date,
    relation_id: UUID | None = None,
    wants: str = "",
) -> list[Event]:
    """Take a request in; the same one twice is one. Raises RequestDatesWrong, AskerMayNot."""
    if request.received is not None:
        return []
    if on > stamp.at.date():
        raise RequestDatesWrong("a request cannot have arrived on a day still to come")
    if asked_by not in BY_WHOM.get(kind, {asked_by}):
        raise AskerMayNot("only a parent inspects the educational record: take this in as a request for access")
    if asked_by == "parent" and kind != "objection" and not (relation_id and family.stands(relation_id, on)):
        raise AskerMayNot("this needs a verified relation that no court order limits: record it first, or ask the DSL")
    return [RequestReceived(
        **stamp.fresh(), request_id=request_id, pupil_id=pupil_id, kind=kind, asked_by=asked_by, happened_on=on,
        relation_id=relation_id, wants=wants,
    )]  # fmt: skip


def stop_clock(request: Request, stamp: Stamp, *, on: date, why: StopWhy, note: str = "") -> list[Event]:
    """Wait for proof of identity or for clarification. Raises RequestEnded, ClockStandsAlready, RequestDatesWrong."""
    _standing(request, stamp, on)
    if request.stopped_on is not None:
        raise ClockStandsAlready(f"the clock of this request stands since {request.stopped_on} already")
    return [ClockStopped(**stamp.fresh(), happened_on=on, why=why, note=note)]


def start_clock(request: Request, stamp: Stamp, *, on: date) -> list[Event]:
    """What was waited for has come. Raises RequestEnded, ClockStandsAlready, RequestDatesWrong."""
    _standing(request, stamp, on)
    if request.stopped_on is None:
        raise ClockStandsAlready("the clock of this request runs already")
    if on < request.stopped_on:
        raise RequestDatesWrong(f"the clock stands since {request.stopped_on}: it cannot have gone on before that")
    return [ClockStarted(**stamp.fresh(), happened_on=on)]


def extend(request: Request, stamp: Stamp, *, on: date, why: str) -> list[Event]:
    """Take up to two months more. Raises RequestEnded, ExtensionTooLate, ReasonTooThin, RequestDatesWrong."""
    received = _standing(request, stamp, on)
    last = due(request)
    if received.kind == "inspection" or request.extended or (last is not None and on > last):
        raise ExtensionTooLate("this request cannot take longer: it was extended before, its time is up, or its time "
                               "is fixed by law")  # fmt: skip
    return [TimeExtended(**stamp.fresh(), happened_on=on, why=reason(why))]


def withhold(request: Request, stamp: Stamp, *, item: str, because: WithheldWhy, why: str) -> list[Event]:
    """Propose to keep one item back; a second person decides. Raises RequestEnded, ReasonTooThin, NoSuchItem."""
    _standing(request, stamp, None)
    if len(request.withheld) >= ITEMS_MAX and item not in request.withheld:
        raise NoSuchItem(f"at most {ITEMS_MAX} items of one request can be withheld")
    return [ItemWithheld(**stamp.fresh(), item=item, because=because, why=reason(why))]


def review_withholding(request: Request, stamp: Stamp, *, item: str, upheld: bool, note: str = "") -> list[Event]:
    """Judge whether an item is kept back. Raises RequestEnded, NoSuchItem, OwnWithholdingReviewed."""
    _standing(request, stamp, None)
    proposed = request.withheld.get(item)
    if proposed is None or proposed.upheld is not None:
        raise NoSuchItem("this item waits for no review: it was reviewed already, or nobody proposed to withhold it")
    if proposed.by == stamp.by.id:
        raise OwnWithholdingReviewed("a second person reviews what is withheld: ask the head or the DSL")
    return [WithholdingReviewed(**stamp.fresh(), item=item, upheld=upheld, note=note)]


def check_copy(request: Request, family: Family, today: date, *, adult: bool) -> None:
    """Whether a copy may be made and given now.

    Raises RequestEnded, WithholdingUnreviewed, CompetenceUndecided, AskerMayNot.
    """
    received = _open(request)
    if received.kind not in ("access", "inspection"):
        raise AskerMayNot("a copy answers a request for access or inspection, not this one")
    if request.unreviewed:
        raise WithholdingUnreviewed(f"{len(request.unreviewed)} items wait for a second person's review: review them")
    if received.asked_by == "parent":
        if adult:
            raise AskerMayNot("the pupil is 18 now: the record is theirs to ask for")
        if not (received.relation_id and family.stands(received.relation_id, today)):
            raise AskerMayNot("the relation this was asked under no longer stands, or a court order limits it now")
    # inspection is the parent's own right under the Pupil Information Regulations; access is the child's
    if not adult and received.kind == "access":
        _check_competence(received, family)


def made_copy(stamp: Stamp, *, sha256: str, recipient: str, items: int, withheld: int) -> list[Event]:
    """Record that the sealed file was made."""
    return [CopyMade(**stamp.fresh(), sha256=sha256, recipient=recipient, items=items, withheld=withheld)]


def answer(request: Request, stamp: Stamp, *, on: date, outcome: Outcome, why: str = "") -> list[Event]:
    """Answer a request. Raises RequestEnded, RequestDatesWrong, WithholdingUnreviewed, FileNotMade, ReasonTooThin."""
    received = _standing(request, stamp, on)
    if request.unreviewed:
        raise WithholdingUnreviewed(f"{len(request.unreviewed)} items wait for a second person's review: review them")
    by_file = received.kind in ("access", "inspection") and outcome != "refused"
    if by_file and (request.copy is None or request.copy_stale):
        raise FileNotMade("access is granted by a copy: make the sealed file first (again, where items changed since)")
    told = why.strip() if outcome == "granted" else reason(why)
    return [RequestAnswered(**stamp.fresh(), happened_on=on, outcome=outcome, why=told)]


def withdraw(request: Request, stamp: Stamp, *, on: date) -> list[Event]:
    """Whoever asked no longer does. Raises RequestEnded, RequestDatesWrong."""
    _standing(request, stamp, on)
    return [RequestWithdrawn(**stamp.fresh(), happened_on=on)]


def _check_competence(received: RequestReceived, family: Family) -> None:
    decided = family.competence
    if decided is None:
        raise CompetenceUndecided("decide first, and say why, whether the pupil understands their rights: never by age")
    if received.asked_by == "pupil" and not decided.competent:
        raise AskerMayNot("the pupil was judged not to understand this yet: a parent may ask for them")
    if received.asked_by == "parent" and decided.competent:
        raise AskerMayNot("the pupil was judged to understand their rights: the request is theirs to make")


def _open(request: Request) -> RequestReceived:
    if request.received is None:
        raise NoSuchRequest("there is no such request at this school: look at the list of requests")
    if not request.open:
        raise RequestEnded("this request has been answered or withdrawn: take in a new one where more is wanted")
    return request.received


def _standing(request: Request, stamp: Stamp, on: date | None) -> RequestReceived:
    received = _open(request)
    if on is not None and not received.happened_on <= on <= stamp.at.date():
        raise RequestDatesWrong(f"the day must lie between {received.happened_on}, when it arrived, and today")
    return received
