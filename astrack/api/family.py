"""Who speaks for a pupil: relations, court orders, and whether the pupil does themselves."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import StringConstraints

from astrack.access.callers import CallerOf
from astrack.api.common import Body, Day, Key, Line, Name, Out, Why
from domain.authority import Action
from domain.rights import family as f

router = APIRouter(tags=["rights"])
Ref = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._/-]+$")]


class RelationIn(Body):
    """Who is a parent of this pupil, or cares for them; ``verified_on``: when somebody saw the proof."""

    relation_id: UUID
    name: Name
    kind: f.RelationKind
    from_on: Day
    until_on: Day | None = None
    verified_on: Day | None = None
    proof: Line = ""


class OrderIn(Body):
    """A court order; ``limits`` "information": the person of the relation named is told nothing."""

    order_id: UUID
    kind: f.OrderKind
    limits: f.Limits
    from_on: Day
    until_on: Day | None = None
    relation_id: UUID | None = None
    reference: Ref


class EndIn(Body):
    """The last day it held."""

    on: Day


class CompetenceIn(Body):
    """Whether the pupil understands their rights over the record, and why you judge so."""

    competent: bool
    on: Day
    why: Why


class AccountReleaseIn(Body):
    """Show the account to the parents; ``agreed_with_pupil``: the pupil was asked and agreed."""

    release_id: UUID
    agreed_with_pupil: bool
    words: Annotated[str, StringConstraints(max_length=500)] = ""


class Changed(Out):
    """Carried out; no events where nothing was left to do."""

    events: list[UUID]


class RelationOut(Out):
    """One relation; ``stands``: verified, in force today, and not limited by an order."""

    relation_id: UUID
    name: str
    kind: str
    from_on: Day
    until_on: Day | None
    verified_on: Day | None
    proof: str
    stands: bool


class OrderOut(Out):
    """One court order."""

    order_id: UUID
    kind: str
    limits: str
    from_on: Day
    until_on: Day | None
    relation_id: UUID | None
    reference: str


class ReleaseOut(Out):
    """The account as it stood when it was released; ``withdrawn_on``: since when parents no longer see it."""

    release_id: UUID
    released_on: Day
    agreed_with_pupil: bool
    words: str
    withdrawn_on: Day | None


class FamilyOut(Out):
    """Who speaks for a pupil. ``competent`` is null until it was decided."""

    relations: list[RelationOut]
    orders: list[OrderOut]
    releases: list[ReleaseOut]
    competent: bool | None
    competence_decided_on: Day | None


@router.get("/pupils/{pupil_id}/family")
def see_family(caller: CallerOf, pupil_id: UUID) -> FamilyOut:
    """Who speaks for this pupil: relations, court orders, and whether the pupil does themselves."""
    caller.see(Action.SEE_FAMILY, pupil_id)
    known, releases = caller.records.family(pupil_id), caller.records.releases(pupil_id)
    return FamilyOut(
        relations=[
            RelationOut(**one.model_dump(), stands=known.stands(one.relation_id, caller.today))
            for one in known.relations.values()
        ],
        orders=[OrderOut(**one.model_dump()) for one in known.orders.values()],
        releases=[
            ReleaseOut(**one.model_dump(), released_on=one.recorded_at.date(), withdrawn_on=releases.withdrawn.get(key))
            for key, one in releases.made.items()
        ],
        competent=known.competence.competent if known.competence else None,
        competence_decided_on=known.competence.happened_on if known.competence else None,
    )


@router.post("/pupils/{pupil_id}/relations")
def record_relation(caller: CallerOf, pupil_id: UUID, body: RelationIn, key: Key) -> Changed:
    """State a relation, or state it anew, as when its proof was seen."""
    caller.may(Action.KEEP_FAMILY, pupil_id)
    return Changed(**caller.records.record_relation(caller.ask(key), pupil_id, **body.model_dump()))


@router.post("/pupils/{pupil_id}/relations/{relation_id}/end")
def end_relation(caller: CallerOf, pupil_id: UUID, relation_id: UUID, body: EndIn, key: Key) -> Changed:
    """A relation ends with a day."""
    caller.may(Action.KEEP_FAMILY, pupil_id)
    return Changed(**caller.records.end_relation(caller.ask(key), pupil_id, relation_id=relation_id, on=body.on))


@router.post("/pupils/{pupil_id}/orders")
def record_order(caller: CallerOf, pupil_id: UUID, body: OrderIn, key: Key) -> Changed:
    """State a court order."""
    caller.may(Action.KEEP_FAMILY, pupil_id)
    return Changed(**caller.records.record_order(caller.ask(key), pupil_id, **body.model_dump()))


@router.post("/pupils/{pupil_id}/orders/{order_id}/end")
def end_order(caller: CallerOf, pupil_id: UUID, order_id: UUID, body: EndIn, key: Key) -> Changed:
    """A court order ends with a day."""
    caller.may(Action.KEEP_FAMILY, pupil_id)
    return Changed(**caller.records.end_order(caller.ask(key), pupil_id, order_id=order_id, on=body.on))


@router.post("/pupils/{pupil_id}/releases")
def release_account(caller: CallerOf, pupil_id: UUID, body: AccountReleaseIn, key: Key) -> Changed:
    """Show this pupil's account, as it stands now, to their verified parents."""
    caller.may(Action.RELEASE_ACCOUNT, pupil_id)
    return Changed(**caller.records.release_account(caller.ask(key), pupil_id, **body.model_dump()))


@router.post("/pupils/{pupil_id}/releases/{release_id}/withdraw")
def withdraw_release(caller: CallerOf, pupil_id: UUID, release_id: UUID, key: Key) -> Changed:
    """Show it no longer."""
    caller.may(Action.RELEASE_ACCOUNT, pupil_id)
    return Changed(**caller.records.withdraw_release(caller.ask(key), pupil_id, release_id=release_id))


@router.post("/pupils/{pupil_id}/competence")
def decide_competence(caller: CallerOf, pupil_id: UUID, body: CompetenceIn, key: Key) -> Changed:
    """Judge whether the pupil understands their rights over the record: never by age alone."""
    caller.may(Action.DECIDE_COMPETENCE, pupil_id)
    return Changed(**caller.records.decide_competence(caller.ask(key), pupil_id, **body.model_dump()))
