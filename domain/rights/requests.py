"""One request about a pupil's record, from the day it arrived to its answer, with the clock the law gives it.

A request has a stream and a key of its own: it stays at the school it was made to and is erased with the pupil.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, StreamClass
from domain.duties import PARENT_INSPECTION, binding, due_on
from domain.rights.family import Line, Why
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
NOT_HERE = "there is no such request at this school: look at the list of requests"
"""One sentence for a request that is not here and for one whose pupil is out of sight: nobody learns which it is."""


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
    def asked(self) -> RequestReceived:
        """What was asked. Raises NoSuchRequest."""
        if self.received is None:
            raise NoSuchRequest(NOT_HERE)
        return self.received

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
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
