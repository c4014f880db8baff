"""Guidance for plans: what this school offers at a place, what it added and what it retired."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from astrack.access.callers import CallerOf
from astrack.api.common import Body, Code, Day, Key, Line, Out
from astrack.records.support import Support
from domain.authority import Action
from domain.guidance import AgeBand, Context, Entry, Kind, Pole, Review, Signpost
from domain.guidance.local import Own

router = APIRouter(tags=["guidance"])
About = Annotated[
    str,
    Field(pattern=r"^[a-z_]+$", max_length=50, examples=["trust_of_self", "composite_full_sail", "flat"]),
]


class EntryOut(Out):
    """One suggestion; a signpost also says who, where, the first sentence, how long, when to stop and when not to.
    ``reviewed_by``, ``reviewed_on``: who found these very words fit for this school, if anybody has.
    """

    id: str
    kind: Kind
    say: str
    evidence: str
    tier: int
    own: bool
    reviewed_by: str | None = None
    reviewed_on: Day | None = None
    who: str | None = None
    where: str | None = None
    first: str | None = None
    weeks: int | None = None
    stop: str | None = None
    not_when: str | None = None


class GuidanceOut(Out):
    """What is offered at one place, and the digest that plans name. ``review``: who has read the library's texts there,
    "makers" (written by the makers, not yet reviewed outside) or "outside".
    """

    digest: str
    review: Review
    entries: list[EntryOut]


class EntryIn(Body):
    """A school's own cause, risk or signpost, for two places at most. ``factor`` names a factor, or a pattern; ``pole``
    is left out where that has no ends.
    """

    kind: Kind
    factor: About
    pole: Pole | None = None
    entry: Signpost | Entry


class RetireIn(Body):
    """Why an entry is no longer offered."""

    why: Line = ""


class ReviewedIn(Body):
    """Who read an entry for this school and found it fit, and when."""

    reviewer: Annotated[Line, Field(min_length=2, max_length=100, examples=["Educational psychologist, Dr Lee"])]
    happened_on: Day


class GuidanceDone(Out):
    """The entry that was added, retired or reviewed."""

    entry_id: str


@router.get("/guidance")
def guidance_at(
    caller: CallerOf,
    factor: Annotated[About, Query()],
    age: Annotated[AgeBand, Query()],
    pole: Pole | None = None,
    context: Context | None = None,
) -> GuidanceOut:
    """Causes, risks and signposts at one place, the school's own among them. ``factor``: a factor, with its pole and
    context; or a composite with its context, ``context_gap`` with its pole, ``unsettled``, ``flat`` or
    ``response_quality`` alone.
    """
    caller.may(Action.SEE_GUIDANCE)
    support = Support(caller.records)
    offered, own = support.guidance(), support.own_guidance()
    fit = offered.suggest(factor, pole, context, age)
    kinds: tuple[tuple[Kind, tuple[Entry, ...]], ...] = (
        ("cause", fit.causes), ("risk", fit.risks), ("signpost", fit.signposts)
    )  # fmt: skip
    entries = [_entry(kind, one, own) for kind, some in kinds for one in some]
    return GuidanceOut(digest=offered.digest, review=fit.review, entries=entries)


@router.post("/guidance")
def add_guidance(caller: CallerOf, body: EntryIn, key: Key) -> GuidanceDone:
    """Add an entry of the school's own; its id and words must be new."""
    caller.may(Action.KEEP_GUIDANCE)
    done = Support(caller.records).add_guidance(
        caller.ask(key), kind=body.kind, factor=body.factor, pole=body.pole, entry=body.entry
    )
    return GuidanceDone(**done)


@router.post("/guidance/{entry_id}/retire")
def retire_guidance(
    caller: CallerOf, entry_id: Annotated[Code, Field(max_length=80)], body: RetireIn, key: Key
) -> GuidanceDone:
    """Stop offering an entry; a place never falls under three. Plans that used it still say so."""
    caller.may(Action.KEEP_GUIDANCE)
    return GuidanceDone(**Support(caller.records).retire_guidance(caller.ask(key), entry_id, why=body.why))


@router.post("/guidance/{entry_id}/review")
def review_guidance(
    caller: CallerOf, entry_id: Annotated[Code, Field(max_length=80)], body: ReviewedIn, key: Key
) -> GuidanceDone:
    """Put on record who reviewed an entry and when; it holds for its words as they read now."""
    caller.may(Action.KEEP_GUIDANCE)
    support = Support(caller.records)
    done = support.review_guidance(caller.ask(key), entry_id, reviewer=body.reviewer, happened_on=body.happened_on)
    return GuidanceDone(**done)


def _entry(kind: Kind, one: Entry, own: Own) -> EntryOut:
    review, fields = own.review_of(one), one.model_dump(exclude={"contexts", "ages"})
    by, on = (review.reviewer, review.happened_on) if review else (None, None)
    return EntryOut(kind=kind, own=one.id in own.added, reviewed_by=by, reviewed_on=on, **fields)
