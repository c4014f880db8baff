"""Who speaks for a pupil: parental relations and court orders with their dates, and what their parents are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.family import Letter, letters_page
from astrack.web.forms import Form
from astrack.web.rights import Acts, one_act
from astrack.web.site import Site, see_other
from astrack.web.tutor import identity_of
from domain.authority import Action
from domain.rights.family import Family, OrderRecorded, RelationNotStanding, RelationRecorded

RELATIONS = {
    "natural_parent": "Natural parent",
    "parental_responsibility": "Holds parental responsibility",
    "carer": "Cares for the pupil",
    "local_authority": "Local authority",
}
ORDERS = {
    "care_order": "Care order",
    "child_arrangements": "Child arrangements order",
    "no_contact": "No contact",
    "prohibited_steps": "Prohibited steps order",
    "special_guardianship": "Special guardianship order",
    "specific_issue": "Specific issue order",
    "other": "Another order",
}
LIMITS = {"nothing": "It limits nothing here", "information": "The person named is told nothing about the pupil"}
MAY = (Action.KEEP_FAMILY, Action.RELEASE_ACCOUNT, Action.MAKE_LETTER)


@dataclass(frozen=True, slots=True)
class Standing:
    """One relation as of today: whether it is in force, and whether the person may be told about the pupil."""

    of: RelationRecorded
    over: bool
    limited: bool
    stands: bool


def relation_pages(site: Site) -> APIRouter:
    """The page of one pupil's family, and what is recorded from it."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/pupils/{pupil_id}/family")
    def family(request: Request, who: Who, pupil_id: UUID) -> Response:
        who.may(Action.SEE_NAME, pupil_id)
        who.see(Action.SEE_FAMILY, pupil_id)
        return _page(site, request, who, pupil_id)

    @router.post("/pupils/{pupil_id}/family/letter")
    def letter(request: Request, who: Who, sent: Sent, pupil_id: UUID) -> Response:
        who.may(Action.MAKE_LETTER, pupil_id)
        relation = who.records.family(pupil_id).relations.get(sent.id("relation_id"))
        if relation is None or not who.records.family(pupil_id).stands(relation.relation_id, who.today):
            raise RelationNotStanding("a letter is written to a verified parent or carer: look at the list again")
        person = identity_of(who, pupil_id).person
        called = person.called if person else "your child"
        one = Letter(f"{relation.name}, about {called}", called, pupil_id, relation.relation_id)
        return letters_page(site, request, who, relation.name, [one])

    @router.post("/pupils/{pupil_id}/family/{act}")
    def change(request: Request, who: Who, sent: Sent, pupil_id: UUID, act: str) -> Response:
        action, do, done = one_act(ACTS, act)
        who.may(action, pupil_id)
        try:
            do(who, sent, pupil_id)
        except REFUSALS as refused:
            who.may(Action.SEE_NAME, pupil_id)
            who.see(Action.SEE_FAMILY, pupil_id)
            return _page(site, request, who, pupil_id, sent, refused, act)
        return see_other(f"/pupils/{pupil_id}/family", done)

    return router


def _page(
    site: Site, request: Request, who: Caller, pupil_id: UUID, typed: Form | None = None,
    refused: Exception | None = None, act: str = "",
) -> Response:  # fmt: skip
    known, person = who.records.family(pupil_id), identity_of(who, pupil_id).person
    releases = who.records.releases(pupil_id)
    about = who.may(Action.SEE_FAMILY, pupil_id)
    return site.page(
        request, "relations.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        name=person.full_name if person else "A pupil", called=person.called if person else "the pupil",
        path=f"/pupils/{pupil_id}/family", relations=_standing(known, who.today), orders=_orders(known, who.today),
        named=(named := {key: one.name for key, one in known.relations.items()}), competence=known.competence,
        choices_of=[(who.app.new_id(), "Somebody new"), *named.items()],
        releases=list(reversed(releases.made.values())), withdrawn=releases.withdrawn, new_id=who.app.new_id,
        may={one.value: who.can(one, about) for one in MAY}, kinds=RELATIONS, order_kinds=ORDERS, limits=LIMITS,
        typed=typed or Form(), error=said(refused) if refused else "",
        error_at=getattr(refused, "name", "") if refused else "", act=act,
    )  # fmt: skip


def _standing(known: Family, today: date) -> list[Standing]:
    return [
        Standing(one, _over(one, today), known.limited(key, today), known.stands(key, today))
        for key, one in known.relations.items()
    ]


def _orders(known: Family, today: date) -> list[tuple[OrderRecorded, bool]]:
    return [(one, _over(one, today)) for one in known.orders.values()]


def _over(one: RelationRecorded | OrderRecorded, today: date) -> bool:
    return one.until_on is not None and one.until_on < today


def _until(sent: Form, name: str) -> date | None:
    return sent.day(name, label="Until") if sent.text(name, 40) else None


def _relation(who: Caller, sent: Form, pupil_id: UUID) -> None:
    seen = sent.text("verified_on", 40)
    who.records.record_relation(
        sent.ask(who), pupil_id, relation_id=sent.id("relation_id"),
        name=sent.text("relation_name", 100, label="Their name", needed=True),
        kind=sent.one_of("relation_kind", RELATIONS, label="What they are"),
        from_on=sent.day("relation_from", label="Since"), until_on=_until(sent, "relation_until"),
        verified_on=sent.day("verified_on", label="Proof seen on") if seen else None,
        proof=sent.text("proof", 200, label="The proof", needed=bool(seen)),
    )  # fmt: skip


def _end_relation(who: Caller, sent: Form, pupil_id: UUID) -> None:
    who.records.end_relation(
        sent.ask(who), pupil_id, relation_id=sent.id("relation_id"), on=sent.day("ends_on", label="The last day"),
        why=sent.text("end_why", 200, label="Why"),
    )  # fmt: skip


def _order(who: Caller, sent: Form, pupil_id: UUID) -> None:
    towards = sent.text("towards", 40)
    who.records.record_order(
        sent.ask(who), pupil_id, order_id=sent.id("order_id"),
        kind=sent.one_of("order_kind", ORDERS, label="The order"),
        limits=sent.one_of("limits", LIMITS, label="What it limits"), from_on=sent.day("order_from", label="Since"),
        until_on=_until(sent, "order_until"), relation_id=sent.id("towards") if towards else None,
        reference=sent.text("reference", 60, label="Where the school keeps it", needed=True),
    )  # fmt: skip


def _end_order(who: Caller, sent: Form, pupil_id: UUID) -> None:
    on = sent.day("ends_on", label="The last day")
    who.records.end_order(sent.ask(who), pupil_id, order_id=sent.id("order_id"), on=on)


def _release(who: Caller, sent: Form, pupil_id: UUID) -> None:
    who.records.release_account(
        sent.ask(who), pupil_id, release_id=sent.id("release_id"),
        agreed_with_pupil=sent.text("agreed", 5) == "yes", words=sent.text("words", 500, label="A few words"),
    )  # fmt: skip


def _withdraw(who: Caller, sent: Form, pupil_id: UUID) -> None:
    who.records.withdraw_release(sent.ask(who), pupil_id, release_id=sent.id("release_id"))


ACTS: Acts = {
    "relation": (Action.KEEP_FAMILY, _relation, "relation-recorded"),
    "end-relation": (Action.KEEP_FAMILY, _end_relation, "relation-ended"),
    "order": (Action.KEEP_FAMILY, _order, "order-recorded"),
    "end-order": (Action.KEEP_FAMILY, _end_order, "order-ended"),
    "release": (Action.RELEASE_ACCOUNT, _release, "account-released"),
    "withdraw": (Action.RELEASE_ACCOUNT, _withdraw, "release-withdrawn"),
}
