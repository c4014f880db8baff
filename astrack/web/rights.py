"""Rights over records: requests with their clocks, how long a record is kept, holds, restriction, erasing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.rights import clock
from astrack.web.audit import covers_somebody
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.lists import reading
from astrack.web.site import BadForm, Site, see_other
from astrack.web.words import ASKED_BY, GROUNDS, OUTCOMES, REQUEST_KINDS, STOPPED
from domain.authority import Action, listing
from domain.rights import retention as t
from projections import pupils, retention, rights_desk

SHOWN, FOUND_SHOWN, SOON_DAYS = 200, 20, 7


@dataclass(frozen=True, slots=True)
class Line:
    """One request on the desk. ``days`` left to answer it (negative: over), None while its clock stands."""

    id: UUID
    kind: str
    asked_by: str
    pupil: str
    received_on: date
    stopped: str
    due_on: date | None
    days: int | None
    waiting: int
    outcome: str

    @property
    def soon(self) -> bool:
        """Whether somebody must act within days."""
        return self.days is not None and self.days <= SOON_DAYS


def rights_pages(site: Site) -> APIRouter:
    """The desk and the page of one record."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/rights")
    def desk(request: Request, who: Who, q: str = "") -> Response:
        who.see(Action.LIST_RIGHTS)
        named = sees_names(who)
        with reading(who) as (cur, school):
            rows = rights_desk.listed(cur, school, open_only=True, limit=SHOWN)
            due = retention.due(cur, school, who.today, limit=SHOWN)
            asked = [one.pupil_id for one in rows if one.pupil_id]
            names = called(who, pupils.found(cur, school, [*asked, *(one.row.pupil_id for one in due)]))
        who.looked(Action.LIST_RIGHTS, list(names))
        found = _found(who, q[:60], named=named) if q.strip() else []
        calendar = clock.calendar_of(who.records)
        return site.page(
            request, "rights.html", viewer=who.viewer, lines=[line(one, names, calendar, who.today) for one in rows],
            due=[(one, names.get(one.row.pupil_id, "A pupil")) for one in due], policy=t.POLICY, q=q[:60],
            found=found, named=named, **WORDS,
        )  # fmt: skip

    @router.get("/rights/pupils/{pupil_id}")
    def record(request: Request, who: Who, pupil_id: UUID) -> Response:
        who.may(Action.LIST_RIGHTS)  # these pages are the school's; a pupil's and a parent's own are others
        who.see(Action.SEE_RIGHTS, pupil_id)
        return _record(site, request, who, pupil_id)

    @router.post("/rights/pupils/{pupil_id}/{act}")
    def change(request: Request, who: Who, sent: Sent, pupil_id: UUID, act: str) -> Response:
        action, do, done = one_act(ACTS, act)
        who.may(Action.LIST_RIGHTS)
        who.may(action, pupil_id)
        try:
            do(who, sent, pupil_id)
        except REFUSALS as refused:
            who.see(Action.SEE_RIGHTS, pupil_id)
            return _record(site, request, who, pupil_id, sent, refused, act)
        return see_other("/rights" if act == "erase" else f"/rights/pupils/{pupil_id}", done)

    return router


WORDS: dict[str, Any] = {"kinds": REQUEST_KINDS, "asked_by": ASKED_BY, "stopped": STOPPED, "outcomes": OUTCOMES}


def sees_names(who: Caller) -> bool:
    """Whether this viewer sees names without an exception."""
    return covers_somebody(listing(who.viewer, Action.SEE_NAME))


def called(who: Caller, rows: Mapping[UUID, pupils.Row]) -> dict[UUID, str]:
    """What pupils are called on these pages: their name, or for who may not see it a number."""
    named = sees_names(who)
    return {key: one.name if named and one.name else f"Pupil {str(key)[-8:]}" for key, one in rows.items()}


def line(row: rights_desk.Row, names: Mapping[UUID, str], calendar: clock.Calendar, today: date) -> Line:
    """A request with its clock as of today."""
    due_on = clock.due(row.request, calendar) if row.state in ("running", "stopped") else None
    assert row.received_on is not None
    return Line(
        row.request_id, row.kind, row.asked_by, names.get(row.pupil_id, "A pupil") if row.pupil_id else "A pupil",
        row.received_on, row.stopped_why if row.state == "stopped" else "", due_on,
        (due_on - today).days if due_on else None, row.waiting, row.outcome,
    )  # fmt: skip


def _found(who: Caller, text: str, *, named: bool) -> list[tuple[UUID, str]]:
    scope = listing(who.viewer, Action.SEE_RIGHTS)
    with reading(who) as (cur, school):
        rows = pupils.listed(cur, school, scope, on_roll=False, search=text.strip(), limit=FOUND_SHOWN)
    # who may not see names finds a record by its whole UPN alone, and so learns no name by trying
    kept = [one for one in rows if named or (one.upn and one.upn == text.strip().upper())]
    who.looked(Action.SEE_RIGHTS, [one.pupil_id for one in kept])
    return [(key, name) for key, name in called(who, {one.pupil_id: one for one in kept}).items()]


def _record(
    site: Site, request: Request, who: Caller, pupil_id: UUID, typed: Form | None = None,
    refused: Exception | None = None, act: str = "",
) -> Response:  # fmt: skip
    with reading(who) as (cur, school):
        rows = rights_desk.of_pupil(cur, school, pupil_id)
        names = called(who, pupils.found(cur, school, [pupil_id]))
    journey, _ = who.journey(pupil_id)
    kept, calendar = who.records.retention(pupil_id), clock.calendar_of(who.records)
    may = {one.value: who.can_ever(one) for one in MAY}
    return site.page(
        request, "rights_record.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        name=names.get(pupil_id, "A pupil"), path=f"/rights/pupils/{pupil_id}", kept=kept, policy=t.POLICY,
        lines=[line(one, names, calendar, who.today) for one in rows], may=may, restricted=journey.restricted,
        competence=who.records.family(pupil_id).competence, relations=_relations(who, pupil_id), grounds=GROUNDS,
        new_id=who.app.new_id, typed=typed or Form(),
        error=said(refused) if refused else "", act=act, **WORDS,
    )  # fmt: skip


MAY = (
    Action.ASK_RIGHT,
    Action.DECIDE_COMPETENCE,
    Action.RESTRICT,
    Action.KEEP_RETENTION,
    Action.HOLD_RECORD,
    Action.ERASE_RECORD,
)


def _relations(who: Caller, pupil_id: UUID) -> list[tuple[UUID, str]]:
    family = who.records.family(pupil_id)
    standing = [(key, one) for key, one in family.relations.items() if family.stands(key, who.today)]
    return [(key, f"{one.name}, {one.kind.replace('_', ' ')}") for key, one in standing]


def _receive(who: Caller, sent: Form, pupil_id: UUID) -> None:
    relation = sent.text("relation_id", 40)
    who.records.receive_request(
        sent.ask(who), pupil_id, request_id=sent.id("request_id"),
        kind=sent.one_of("kind", REQUEST_KINDS, label="What is asked"),
        asked_by=sent.one_of("asked_by", ASKED_BY, label="Who asks"), on=sent.day("on", label="The day it arrived"),
        relation_id=sent.id("relation_id") if relation else None,
        wants=sent.text("wants", 1000, label="In their words"),
    )  # fmt: skip


def _competence(who: Caller, sent: Form, pupil_id: UUID) -> None:
    competent = sent.one_of("competent", ("yes", "no"), label="Your decision") == "yes"
    why = sent.text("competence_why", 500, label="Why", needed=True)
    who.records.decide_competence(sent.ask(who), pupil_id, competent=competent, on=who.today, why=why)


def _restrict(who: Caller, sent: Form, pupil_id: UUID) -> None:
    ground = sent.one_of("ground", GROUNDS, label="The ground")
    who.records.restrict(sent.ask(who), pupil_id, ground=ground, on=sent.day("restrict_on", label="From"))


def _lift(who: Caller, sent: Form, pupil_id: UUID) -> None:
    told = sent.day("told_on", label="Told on")
    who.records.lift_restriction(sent.ask(who), pupil_id, on=sent.day("lift_on", label="From"), told_on=told)


def _class(who: Caller, sent: Form, pupil_id: UUID) -> None:
    chosen = sent.one_of("retention_class", t.POLICY, label="The class")
    who.records.set_retention_class(sent.ask(who), pupil_id, retention_class=chosen, why=sent.text("class_why"))


def _review(who: Caller, sent: Form, pupil_id: UUID) -> None:
    decision = sent.one_of("decision", ("keep", "erase"), label="Your decision")
    until = sent.day("until_on", label="Kept until") if decision == "keep" else None
    who.records.review_retention(
        sent.ask(who), pupil_id, decision=decision, until_on=until, why=sent.text("review_why", 500, label="Why")
    )


def _hold(who: Caller, sent: Form, pupil_id: UUID) -> None:
    why = sent.text("hold_why", 500, label="Why", needed=True)
    who.records.place_hold(sent.ask(who), pupil_id, hold_id=sent.id("hold_id"), why=why)


def _release(who: Caller, sent: Form, pupil_id: UUID) -> None:
    why = sent.text("release_why", 500, label="Why", needed=True)
    who.records.release_hold(sent.ask(who), pupil_id, hold_id=sent.id("hold_id"), why=why)


def _erase(who: Caller, sent: Form, pupil_id: UUID) -> None:
    if sent.text("sure", 5) != "yes":
        raise BadForm("Tick that you have read what goes and what stays.", "sure")
    asked = sent.text("erase_request", 40)
    who.records.erase_pupil(sent.ask(who), pupil_id, request_id=sent.id("erase_request") if asked else None)
    who.sessions.revoke(who.records.school_id, pupil_id)


Do = Callable[[Caller, Form, UUID], None]
Acts = Mapping[str, tuple[Action, Do, str]]
"""By the end of a form's address: what the gate is asked, what is done, and the code of what is said after it."""
ACTS: Acts = {
    "request": (Action.ASK_RIGHT, _receive, "request-taken-in"),
    "competence": (Action.DECIDE_COMPETENCE, _competence, "competence-decided"),
    "restrict": (Action.RESTRICT, _restrict, "restricted"),
    "lift": (Action.RESTRICT, _lift, "restriction-lifted"),
    "class": (Action.KEEP_RETENTION, _class, "class-set"),
    "review": (Action.KEEP_RETENTION, _review, "retention-reviewed"),
    "hold": (Action.HOLD_RECORD, _hold, "held"),
    "release": (Action.HOLD_RECORD, _release, "released"),
    "erase": (Action.ERASE_RECORD, _erase, "erased"),
}


def one_act(acts: Acts, act: str) -> tuple[Action, Do, str]:
    """What a form's address asks for. Raises BadForm."""
    if act not in acts:
        raise BadForm("This form is not one that we made: open the page again and send it from there.")
    return acts[act]


def names_of(who: Caller, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What these pupils are called for this viewer."""
    with reading(who) as (cur, school):
        return called(who, pupils.found(cur, school, ids))
