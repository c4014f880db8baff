"""Facts of a journey beside the assessment: "not today", coded outcomes, looks at the unflagged, licensed totals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self, get_args
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator

from domain.base import UPCASTS, Event, Fact, Value

OutcomeCode = Literal[
    "none", "bullied", "self_harm", "not_coping", "referral", "attendance", "behaviour", "peer_difficulty",
    "anxiety_support", "exclusion", "other",
]  # fmt: skip
"""``none``: followed up, and nothing to report; ``self_harm``: known to the DSL (designated safeguarding lead)."""
Source = Literal[
    "staff", "dsl", "pupil", "family", "attendance_record", "behaviour_record", "health", "outside_service"
]
SOURCES: tuple[str, ...] = get_args(Source)
FOR_THE_DSL = frozenset({"self_harm"})
"""What only the DSL says, and only the DSL is shown: a fact of the safeguarding stream (``domain.safeguarding``). Facts
of earlier versions stand in the journey, are shown to the DSL alone, and are left out of a file for another school.
"""
RENAMED = {"outside_referral": "referral"}
"""Codes of the first version, which stand in facts and in corrections of that time."""
TodaysCode = Annotated[OutcomeCode, BeforeValidator(lambda code: RENAMED.get(code, code))]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]


class NotTodaySaid(Event):
    """A pupil would rather not sit a round on this day, said by them or by staff for them; nothing follows from it.

    The day is the one it was recorded on: it cannot be said of another.
    """

    TOPIC: ClassVar[str] = "journey.not-today-said.v1"
    round_id: UUID


class OutcomeReported(Event):
    """What later came to pass for a pupil, as a code with its source: the truth flags are measured against.

    For any pupil, flagged or not; never a narrative. ``source`` is ``not_stated`` where an earlier version did not ask.
    """

    TOPIC: ClassVar[str] = "journey.outcome-reported.v2"
    outcome_id: UUID
    happened_on: date
    code: TodaysCode
    source: Source | Literal["not_stated"]


class PupilLookedAt(Event):
    """A pupil without flags was reviewed too: what staff see there checks what was missed.

    ``round_id`` and ``chance``: the round that drew the pupil and how likely that was; None where nobody was drawn.
    """

    TOPIC: ClassVar[str] = "journey.pupil-looked-at.v2"
    concern: bool
    note: Annotated[str, Field(max_length=1000)] = ""
    round_id: UUID | None = None
    chance: Annotated[float, Field(gt=0, le=1)] | None = None


class Total(Value):
    """What was reached on one scale, and the least and the most the scale can give."""

    reached: float
    least: float
    most: float

    @model_validator(mode="after")
    def _within(self) -> Self:
        if not self.least <= self.reached <= self.most:
            raise ValueError("a total lies between the least and the most its scale can give")
        return self


class TotalsImported(Event):
    """The totals a pupil reached on an instrument the school has a licence for; its items are never kept here.

    By scale, with the ranges the school stated. Nothing here rests on them.
    """

    TOPIC: ClassVar[str] = "journey.totals-imported.v1"
    totals_id: UUID
    happened_on: date
    instrument: Name
    version: Annotated[str, Field(min_length=1, max_length=40)]
    licence: Annotated[str, Field(min_length=1, max_length=200)]
    totals: Annotated[dict[Name, Total], Field(min_length=1, max_length=40)]


def for_the_dsl(event: Event) -> bool:
    """Whether a fact of a journey says what is the DSL's alone, or a correction turns one into it."""
    return _code(event) in FOR_THE_DSL


def seen_by(role: str, facts: Sequence[Fact]) -> list[Fact]:
    """The facts of a story that a role is shown: without what is for the DSL alone and its corrections.

    Parents are not shown when a child said "not today": that has no consequence, at home neither.
    """
    if role == "dsl":
        return list(facts)
    if role == "parent":
        facts = [fact for fact in facts if not isinstance(fact.event, NotTodaySaid)]
    hidden = {fact.event.event_id for fact in facts if for_the_dsl(fact.event)}
    hidden |= {target for fact in facts if fact.event.event_id in hidden and (target := _corrects(fact.event))}
    return [fact for fact in facts if fact.event.event_id not in hidden and _corrects(fact.event) not in hidden]


def _code(event: Event) -> str | None:
    return event.code if isinstance(event, OutcomeReported) else getattr(event, "changes", {}).get("code")


def _corrects(event: Event) -> UUID | None:
    return getattr(event, "corrects", None)


def _with_source(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "source": "not_stated"}


UPCASTS["journey.outcome-reported.v1"] = (OutcomeReported.TOPIC, _with_source)
UPCASTS["journey.pupil-looked-at.v1"] = (PupilLookedAt.TOPIC, dict)
