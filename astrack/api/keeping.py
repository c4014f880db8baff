"""How long a record is kept and what may be done with it: restriction, retention, holds, erasing, the register."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response

from astrack.access.callers import CallerOf
from astrack.api.common import Body, Cursor, Day, Key, Limit, Line, Out, Why, caught_up, cursor_of, cursor_place
from astrack.api.family import Changed
from astrack.rights import register
from domain.authority import Action
from domain.rights import retention as t
from projections import retention

router = APIRouter(tags=["rights"])


class RestrictIn(Body):
    """Why the record is kept and not used (UK GDPR article 18)."""

    ground: Literal["accuracy", "unlawful", "legal_claim", "objection"]
    on: Day


class LiftIn(Body):
    """When it may be used again, and when whoever asked was told."""

    on: Day
    told_on: Day


class ClassIn(Body):
    """How long the record is kept goes by its class."""

    retention_class: t.RetentionClass
    why: Line = ""


class HoldIn(Body):
    """Why nothing of this record may be erased."""

    hold_id: UUID
    why: Why


class HoldReleaseIn(Body):
    """Why the hold ends."""

    why: Why


class RetentionReviewIn(Body):
    """Keep until a day, or erase; and why."""

    decision: t.Decision
    until_on: Day | None = None
    why: Why


class EraseIn(Body):
    """The request that was granted, where it was one."""

    request_id: UUID | None = None


class DueOut(Out):
    """A record whose time is up."""

    pupil_id: UUID
    review_on: Day
    retention_class: str
    holds: int
    to_erase: bool


class DuePage(Out):
    """A page of them, the longest waiting first."""

    items: list[DueOut]
    next: str | None


class ErasedOut(Out):
    """How many streams were erased, and what is left in which table: nothing, when all is as it should be."""

    pupil_id: UUID
    streams: int
    left: dict[str, int]


@router.post("/pupils/{pupil_id}/restriction")
def restrict(caller: CallerOf, pupil_id: UUID, body: RestrictIn, key: Key) -> Changed:
    """Keep a record and do not use it until a question about it is settled."""
    caller.may(Action.RESTRICT, pupil_id)
    return Changed(**caller.records.restrict(caller.ask(key), pupil_id, ground=body.ground, on=body.on))


@router.post("/pupils/{pupil_id}/restriction/lift")
def lift_restriction(caller: CallerOf, pupil_id: UUID, body: LiftIn, key: Key) -> Changed:
    """Let a record be used again, once whoever asked was told."""
    caller.may(Action.RESTRICT, pupil_id)
    return Changed(**caller.records.lift_restriction(caller.ask(key), pupil_id, on=body.on, told_on=body.told_on))


@router.post("/pupils/{pupil_id}/retention")
def set_retention_class(caller: CallerOf, pupil_id: UUID, body: ClassIn, key: Key) -> Changed:
    """Say how long this record is kept, by its class."""
    caller.may(Action.KEEP_RETENTION, pupil_id)
    return Changed(**caller.records.set_retention_class(caller.ask(key), pupil_id, **body.model_dump()))


@router.post("/pupils/{pupil_id}/retention/review")
def review_retention(caller: CallerOf, pupil_id: UUID, body: RetentionReviewIn, key: Key) -> Changed:
    """Decide whether this record is kept on, or erased by somebody else."""
    caller.may(Action.KEEP_RETENTION, pupil_id)
    return Changed(**caller.records.review_retention(caller.ask(key), pupil_id, **body.model_dump()))


@router.post("/pupils/{pupil_id}/holds")
def place_hold(caller: CallerOf, pupil_id: UUID, body: HoldIn, key: Key) -> Changed:
    """Forbid erasing anything of this record, in the database too."""
    caller.may(Action.HOLD_RECORD, pupil_id)
    return Changed(**caller.records.place_hold(caller.ask(key), pupil_id, hold_id=body.hold_id, why=body.why))


@router.post("/pupils/{pupil_id}/holds/{hold_id}/release")
def release_hold(caller: CallerOf, pupil_id: UUID, hold_id: UUID, body: HoldReleaseIn, key: Key) -> Changed:
    """Release one hold."""
    caller.may(Action.HOLD_RECORD, pupil_id)
    return Changed(**caller.records.release_hold(caller.ask(key), pupil_id, hold_id=hold_id, why=body.why))


@router.post("/pupils/{pupil_id}/erase")
def erase_record(caller: CallerOf, pupil_id: UUID, body: EraseIn, key: Key) -> ErasedOut:
    """Carry out an erasure that somebody else decided: every key and content goes, the entries stay."""
    caller.may(Action.ERASE_RECORD, pupil_id)
    return ErasedOut(**caller.records.erase_pupil(caller.ask(key), pupil_id, request_id=body.request_id))


@router.get("/retention/due")
def retention_due(caller: CallerOf, limit: Limit = 50, cursor: Cursor = None, on: Day | None = None) -> DuePage:
    """The records whose time is up, and those somebody decided to erase; the longest waiting first."""
    caller.see(Action.LIST_RIGHTS)
    caught_up(caller)
    with caller.app.views.reading(caller.records.school_id) as cur:
        found = retention.due(
            cur, caller.records.school_id, on or caller.today, after=cursor_place(cursor), limit=limit + 1
        )
    caller.looked(Action.LIST_RIGHTS, [one.row.pupil_id for one in found[:limit]])
    last = found[limit - 1] if len(found) > limit else None
    items = [
        DueOut(pupil_id=one.row.pupil_id, review_on=one.review_on, retention_class=one.row.retention_class,
               holds=len(one.row.holds), to_erase=one.row.to_erase)
        for one in found[:limit]
    ]  # fmt: skip
    return DuePage(items=items, next=cursor_of([last.review_on, last.row.pupil_id]) if last else None)


@router.get("/data-protection/register")
def processing_register(caller: CallerOf) -> list[register.Processing]:
    """The register of processing: why, whose data, who receives it, how long (UK GDPR article 30)."""
    caller.may(Action.SEE_REGISTER)
    return list(register.REGISTER)


@router.get(
    "/data-protection/annex",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
)
def impact_annex(caller: CallerOf) -> Response:
    """The annex of a data protection impact assessment, made from the code that runs."""
    caller.may(Action.SEE_REGISTER)
    return Response(register.annex(), media_type="text/markdown")
