"""What is decided about a request over a record: taking it in, its clock, what is kept back, the copy, the answer."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domain.base import Event, Stamp
from domain.rights.family import Family, reason
from domain.rights.requests import (
    BY_WHOM,
    ITEMS_MAX,
    AskedBy,
    AskerMayNot,
    ClockStandsAlready,
    ClockStarted,
    ClockStopped,
    CompetenceUndecided,
    CopyMade,
    ExtensionTooLate,
    FileNotMade,
    ItemWithheld,
    NoSuchItem,
    Outcome,
    OwnWithholdingReviewed,
    Request,
    RequestAnswered,
    RequestDatesWrong,
    RequestEnded,
    RequestKind,
    RequestReceived,
    RequestWithdrawn,
    StopWhy,
    TimeExtended,
    WithheldWhy,
    WithholdingReviewed,
    WithholdingUnreviewed,
    due,
)


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
    received = request.asked
    if not request.open:
        raise RequestEnded("this request has been answered or withdrawn: take in a new one where more is wanted")
    return received


def _standing(request: Request, stamp: Stamp, on: date | None) -> RequestReceived:
    received = _open(request)
    if on is not None and not received.happened_on <= on <= stamp.at.date():
        raise RequestDatesWrong(f"the day must lie between {received.happened_on}, when it arrived, and today")
    return received
