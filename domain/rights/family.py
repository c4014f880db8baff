"""Who speaks for a pupil: parental relations with their dates, court orders that limit them, and whether the pupil is
judged to understand and so speaks for themselves.

Natural parents, those with parental responsibility and those with care are equal unless a court order limits one of
them (Education Act 1996 section 576). The right to the data is the child's: whether they are competent is decided
and recorded, never read off an age (ICO, children and the UK GDPR).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, ClassVar, Literal, TypeVar
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass

RelationKind = Literal["natural_parent", "parental_responsibility", "carer", "local_authority"]
OrderKind = Literal["care_order", "child_arrangements", "no_contact", "prohibited_steps", "special_guardianship",
                    "specific_issue", "other"]  # fmt: skip
Limits = Literal["nothing", "information"]
"""What an order limits: ``information``: the person named is told nothing about the pupil."""
WHY_MIN = 10
Why = Annotated[str, Field(min_length=WHY_MIN, max_length=500)]
Line = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Reference = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._/-]+$")]


One = TypeVar("One", bound=Event)


class RelationUnknown(DomainError):
    """The relation named is not on this record, or has ended."""


class RelationNotStanding(DomainError):
    """This relation is not verified, not in force on this day, or limited by a court order."""


class OrderUnknown(DomainError):
    """The court order named is not on this record, or has ended."""


class FamilyDatesWrong(DomainError):
    """A relation or an order ends after it began, and neither begins in the future of its recording."""


class ReasonTooThin(DomainError):
    """A decision about somebody's rights needs a reason that another person can judge."""


class RelationRecorded(Event):
    """Somebody is a parent of this pupil in law, or cares for them; verified once somebody saw the proof."""

    TOPIC: ClassVar[str] = "identity.relation-recorded.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    relation_id: UUID
    name: Name
    kind: RelationKind
    from_on: date
    until_on: date | None = None
    verified_on: date | None = None
    proof: Line = ""


class RelationEnded(Event):
    """A relation no longer holds, from a day on."""

    TOPIC: ClassVar[str] = "identity.relation-ended.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    relation_id: UUID
    happened_on: date
    why: Line = ""


class OrderRecorded(Event):
    """A court made an order about this pupil: towards whom, what it limits, and where the school keeps it."""

    TOPIC: ClassVar[str] = "identity.order-recorded.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    order_id: UUID
    kind: OrderKind
    limits: Limits
    from_on: date
    until_on: date | None = None
    relation_id: UUID | None = None
    reference: Reference


class OrderEnded(Event):
    """A court order no longer holds, from a day on."""

    TOPIC: ClassVar[str] = "identity.order-ended.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    order_id: UUID
    happened_on: date


class CompetenceDecided(Event):
    """Somebody judged whether this pupil understands their rights over their record, and said why."""

    TOPIC: ClassVar[str] = "identity.competence-decided.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    happened_on: date
    competent: bool
    why: Why


@dataclass(frozen=True, slots=True)
class Family:
    """Who stands where towards one pupil. Ended relations and orders stay, with their last day."""

    relations: dict[UUID, RelationRecorded] = field(default_factory=dict)
    orders: dict[UUID, OrderRecorded] = field(default_factory=dict)
    competence: CompetenceDecided | None = None

    def limited(self, relation_id: UUID, today: date) -> bool:
        """Whether an order in force keeps information from this person."""
        return any(
            one.limits == "information" and one.relation_id == relation_id and _in_force(one, today)
            for one in self.orders.values()
        )

    def stands(self, relation_id: UUID, today: date) -> bool:
        """Whether this person is a verified parent or carer today, and no order keeps information from them."""
        found = self.relations.get(relation_id)
        if found is None or found.verified_on is None or not _in_force(found, today):
            return False
        return not self.limited(relation_id, today)


def replay(events: Iterable[Event]) -> Family:
    """The family after these facts."""
    family = Family()
    for event in events:
        family = evolve(family, event)
    return family


def evolve(family: Family, event: Event) -> Family:
    """The next state; other facts leave it as it is."""
    match event:
        case RelationRecorded():
            return replace(family, relations={**family.relations, event.relation_id: event})
        case RelationEnded() if event.relation_id in family.relations:
            return replace(family, relations=_ended(family.relations, event.relation_id, event.happened_on))
        case OrderRecorded():
            return replace(family, orders={**family.orders, event.order_id: event})
        case OrderEnded() if event.order_id in family.orders:
            return replace(family, orders=_ended(family.orders, event.order_id, event.happened_on))
        case CompetenceDecided():
            return replace(family, competence=event)
        case _:
            return family


def record_relation(
    family: Family,
    stamp: Stamp,
    *,
    relation_id: UUID,
    name: str,
    kind: RelationKind,
    from_on: date,
    until_on: date | None = None,
    verified_on: date | None = None,
    proof: str = "",
) -> list[Event]:
    """State a relation, or state it anew (as when its proof was seen). Raises FamilyDatesWrong."""
    _check_dates(from_on, until_on, stamp)
    if verified_on is not None and verified_on > stamp.at.date():
        raise FamilyDatesWrong("the proof of a relation cannot have been seen on a day still to come")
    made = RelationRecorded(
        **stamp.fresh(), relation_id=relation_id, name=name, kind=kind, from_on=from_on, until_on=until_on,
        verified_on=verified_on, proof=proof,
    )  # fmt: skip
    return [] if _same(family.relations.get(relation_id), made) else [made]


def end_relation(family: Family, stamp: Stamp, *, relation_id: UUID, on: date, why: str = "") -> list[Event]:
    """A relation ends with a day. Raises RelationUnknown."""
    found = family.relations.get(relation_id)
    if found is None or (found.until_on is not None and found.until_on < on):
        raise RelationUnknown("this relation is not on record, or had ended by then: look at the list of relations")
    return [RelationEnded(**stamp.fresh(), relation_id=relation_id, happened_on=on, why=why)]


def record_order(
    family: Family,
    stamp: Stamp,
    *,
    order_id: UUID,
    kind: OrderKind,
    limits: Limits,
    from_on: date,
    reference: str,
    until_on: date | None = None,
    relation_id: UUID | None = None,
) -> list[Event]:
    """State a court order. Raises FamilyDatesWrong, RelationUnknown where it limits somebody not on record."""
    _check_dates(from_on, until_on, stamp)
    unknown = relation_id is not None and relation_id not in family.relations
    if unknown or (limits == "information" and relation_id is None):
        raise RelationUnknown("say whom the order keeps information from: record that person as a relation first")
    made = OrderRecorded(
        **stamp.fresh(), order_id=order_id, kind=kind, limits=limits, from_on=from_on, until_on=until_on,
        relation_id=relation_id, reference=reference,
    )  # fmt: skip
    return [] if _same(family.orders.get(order_id), made) else [made]


def end_order(family: Family, stamp: Stamp, *, order_id: UUID, on: date) -> list[Event]:
    """A court order ends with a day. Raises OrderUnknown."""
    found = family.orders.get(order_id)
    if found is None or (found.until_on is not None and found.until_on < on):
        raise OrderUnknown("this order is not on record, or had ended by then: look at the list of orders")
    return [OrderEnded(**stamp.fresh(), order_id=order_id, happened_on=on)]


def decide_competence(stamp: Stamp, *, competent: bool, on: date, why: str) -> list[Event]:
    """Judge whether the pupil understands their rights over the record. Raises ReasonTooThin, FamilyDatesWrong."""
    if on > stamp.at.date():
        raise FamilyDatesWrong("a decision cannot have been taken on a day still to come")
    return [CompetenceDecided(**stamp.fresh(), happened_on=on, competent=competent, why=reason(why))]


def reason(why: str) -> str:
    """A reason that somebody else can judge. Raises ReasonTooThin."""
    if len(why.strip()) < WHY_MIN:
        raise ReasonTooThin(
            f"say why in a sentence of at least {WHY_MIN} characters, so that somebody else can judge it"
        )
    return why.strip()


def _in_force(one: RelationRecorded | OrderRecorded, today: date) -> bool:
    return one.from_on <= today and (one.until_on is None or today <= one.until_on)


def _ended(all_of: dict[UUID, One], key: UUID, on: date) -> dict[UUID, One]:
    return {**all_of, key: all_of[key].model_copy(update={"until_on": on})}


def _same(old: Event | None, new: Event) -> bool:
    head = {"event_id", "recorded_at", "by"}
    return old is not None and old.model_dump(exclude=head) == new.model_dump(exclude=head)


def _check_dates(from_on: date, until_on: date | None, stamp: Stamp) -> None:
    if from_on > stamp.at.date() or (until_on is not None and until_on < from_on):
        raise FamilyDatesWrong("it must have begun by today, and end on or after the day it began: check the dates")
