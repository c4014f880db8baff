"""Accreditation: the evidence counted from the record, and an outside accreditor's awards."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from astrack.access.callers import CallerOf
from astrack.accreditation import Accrediting
from astrack.api.common import Body, Day, Key, Line, Out
from domain.accreditation import Evidence
from domain.authority import Action

router = APIRouter(tags=["accreditation"])
Said = Annotated[Line, Field(min_length=3)]


class EvidenceOut(Out):
    """One claim: ``count`` of ``of`` (hidden under ten pupils), met where its share reaches ``needed``."""

    area: str
    claim: str
    count: int | None
    of: int | None
    needed: float
    met: bool


class AwardOut(Out):
    """One award and whether it stands."""

    award_id: UUID
    accreditor: str
    interests: str
    from_on: Day
    until: Day
    state: str


class PracticeOut(Out):
    """What the record shows over the last year, and what was awarded."""

    evidence: list[EvidenceOut]
    awards: list[AwardOut]


class AwardIn(Body):
    """An award: by whom, what ties them to the school, from when until when."""

    award_id: UUID
    accreditor: Said
    interests: Said
    from_on: Day
    until: Day


class RevokeIn(Body):
    """Why an award is taken back; it stands on the public register."""

    why: Said


class AwardDone(Out):
    """The award that was made or revoked."""

    award_id: UUID


@router.get("/accreditation")
def practice(caller: CallerOf) -> PracticeOut:
    """The evidence of the four areas of practice, and the awards."""
    caller.see(Action.SEE_PRACTICE)
    ours = Accrediting(caller.app, caller.records)
    evidence = [_shown(one) for one in ours.evidence(caller.today)]
    awards = [
        AwardOut(**one.award.model_dump(include={"award_id", "accreditor", "interests", "from_on", "until"}),
                 state=one.state)
        for one in ours.registered(caller.today)
    ]  # fmt: skip
    return PracticeOut(evidence=evidence, awards=awards)


@router.post("/accreditation/awards")
def award(caller: CallerOf, body: AwardIn, key: Key) -> AwardDone:
    """Award on what the record shows now; an accreditor has no other role at the school."""
    caller.may(Action.ACCREDIT)
    done = Accrediting(caller.app, caller.records).award(caller.ask(key), **body.model_dump())
    return AwardDone(**done)


@router.post("/accreditation/awards/{award_id}/revoke")
def revoke(caller: CallerOf, award_id: UUID, body: RevokeIn, key: Key) -> AwardDone:
    """Take an award back; the public register says so at once."""
    caller.may(Action.ACCREDIT)
    done = Accrediting(caller.app, caller.records).revoke(caller.ask(key), award_id=award_id, why=body.why)
    return AwardDone(**done)


def _shown(one: Evidence) -> EvidenceOut:
    count, of = (None, None) if one.hidden else (one.count, one.of)
    return EvidenceOut(area=one.area, claim=one.claim, count=count, of=of, needed=one.needed, met=one.met)
