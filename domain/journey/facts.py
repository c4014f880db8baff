"""The facts of one pupil's story, pseudonymous: no name, number, birth date, address; schools by opaque id."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.base import Event, Kind, Value
from domain.journey.late import SupplementPrepared as SupplementPrepared
from domain.journey.late import SupplementReceived as SupplementReceived
from domain.journey.outside import NotTodaySaid as NotTodaySaid
from domain.journey.outside import OutcomeCode as OutcomeCode
from domain.journey.outside import OutcomeReported as OutcomeReported
from domain.journey.outside import PupilLookedAt as PupilLookedAt
from domain.journey.outside import TotalsImported as TotalsImported

Note = Annotated[str, Field(max_length=1000)]
Line = Annotated[str, Field(max_length=200)]
Code = Annotated[str, Field(min_length=1, max_length=80)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
YearGroup = Annotated[int, Field(ge=-2, le=14)]
Eight = Annotated[tuple[float | None, ...], Field(min_length=8, max_length=8)]
Ground = Literal["accuracy", "unlawful", "legal_claim", "objection"]
Judgement = Literal["new_to_us", "already_known", "not_what_we_see"]
LawfulBasis = Literal["legal_obligation", "public_task", "vital_interests", "consent"]
Mode = Literal["alone", "read_aloud", "supported"]
Helper = Literal["teacher", "teaching_assistant", "interpreter", "other_adult"]
Going = Literal["well", "as_planned", "not_yet"]
Came = Literal["helped", "helped_partly", "did_not_help", "stopped_early"]


class Group(Value):
    """A group a pupil belongs to: its dimension ("tutor group", "house", any imported field) and its name."""

    dimension: Code
    name: Code


class PupilEnrolled(Event):
    """A pupil joined a school, in a year group, on a day."""

    TOPIC: ClassVar[str] = "journey.pupil-enrolled.v1"
    school_id: UUID
    happened_on: date
    year_group: YearGroup | None
    age_months: int | None = None
    groups: tuple[Group, ...] = ()


class PupilRegrouped(Event):
    """A pupil's year group or groups are different from this day on."""

    TOPIC: ClassVar[str] = "journey.pupil-regrouped.v1"
    happened_on: date
    year_group: YearGroup | None
    groups: tuple[Group, ...] = ()


class PupilLeft(Event):
    """A pupil left the school's roll."""

    TOPIC: ClassVar[str] = "journey.pupil-left.v1"
    happened_on: date


class AssessmentSat(Event):
    """A pupil finished a sitting; what they answered, what it scored, and how well it could be read.

    ``values`` and ``errors`` are eight numbers on the instrument's scale (four factors in general, then in school)
    and their standard errors of measurement; ``None`` where too little was answered. ``supported``: an adult wrote for
    the pupil, ``helped_by`` in which role (never who), None where that was not asked. ``scoring_rules``: by which rules
    of this software it was scored (``domain.scoring.quality``), None before they were numbered.
    """

    TOPIC: ClassVar[str] = "journey.assessment-sat.v1"
    sitting_id: UUID
    round_id: UUID | None = None
    happened_on: date
    age_months: int | None = None
    year_group: YearGroup | None = None
    instrument: Code
    instrument_version: int
    instrument_digest: Digest
    mode: Mode = "alone"
    helped_by: Helper | None = None
    answers: dict[Code, int]
    seconds: dict[Code, float] = Field(default_factory=dict)
    values: Eight
    errors: Eight
    quality: tuple[Code, ...] = ()
    usable: bool = True
    scoring_rules: Annotated[int, Field(ge=1)] | None = None


class FlagRaised(Event):
    """An early sign worth a look was seen, by a named model, resting on named sittings, with how sure it is."""

    TOPIC: ClassVar[str] = "journey.flag-raised.v1"
    flag_id: UUID
    kind: Code
    factor: Code | None = None
    context: Code | None = None
    pole: Literal["low", "high"] | None = None
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    reason: Line
    rests_on: tuple[UUID, ...] = ()
    model_digest: Digest


class FlagEased(Event):
    """What a flag had said is no longer seen."""

    TOPIC: ClassVar[str] = "journey.flag-eased.v1"
    flag_id: UUID


class FlagReviewed(Event):
    """A person looked at a flag and said whether it was new, known already, or not what they see."""

    TOPIC: ClassVar[str] = "journey.flag-reviewed.v1"
    flag_id: UUID
    judgement: Judgement
    note: Note = ""


class TalkRequested(Event):
    """A pupil asked to talk to someone."""

    TOPIC: ClassVar[str] = "journey.talk-requested.v1"
    talk_id: UUID
    with_role: Code = "tutor"


class TalkAcknowledged(Event):
    """Someone took up a pupil's wish to talk."""

    TOPIC: ClassVar[str] = "journey.talk-acknowledged.v1"
    talk_id: UUID


class TalkEscalated(Event):
    """A wish to talk was not taken up in time and went to the next person."""

    TOPIC: ClassVar[str] = "journey.talk-escalated.v1"
    talk_id: UUID
    to_role: Code


class PlanOpened(Event):
    """An action plan began: causes looked back on, risks looked ahead to, signposts chosen, an owner and an end."""

    TOPIC: ClassVar[str] = "journey.plan-opened.v1"
    plan_id: UUID
    kind: Code
    tier: Annotated[int, Field(ge=1, le=3)] = 2
    goal: Line
    factor: Code | None = None
    context: Code | None = None
    pole: Literal["low", "high"] | None = None
    flags: tuple[UUID, ...] = ()
    causes: tuple[Code, ...]
    risks: tuple[Code, ...]
    signposts: tuple[Code, ...] = ()
    own_strategies: tuple[Line, ...] = ()
    owner_id: UUID
    start_on: date
    end_on: date
    monitoring: Literal["weekly", "fortnightly", "monthly"] = "weekly"
    guidance_digest: Digest | None = None
    group_plan_id: UUID | None = None


class PlanMonitored(Event):
    """Someone noted how a plan is going."""

    TOPIC: ClassVar[str] = "journey.plan-monitored.v1"
    plan_id: UUID
    going: Going
    note: Note = ""


class PlanReviewed(Event):
    """A plan was looked at as a whole, and goes on until a later day."""

    TOPIC: ClassVar[str] = "journey.plan-reviewed.v1"
    plan_id: UUID
    end_on: date
    note: Note = ""


class PlanClosed(Event):
    """A plan ended, with what came of it in its owner's eyes."""

    TOPIC: ClassVar[str] = "journey.plan-closed.v1"
    plan_id: UUID
    came: Came
    note: Note = ""


class TransferPrepared(Event):
    """The record was made ready for the next school or for the student; from here the journey is frozen."""

    TOPIC: ClassVar[str] = "journey.transfer-prepared.v1"
    transfer_id: UUID
    kind: Literal["school", "student"] = "school"
    to_school_id: UUID | None = None
    accepted_on: date | None = None
    start_on: date | None = None
    lawful_basis: LawfulBasis
    consent_by: Line = ""
    protected: bool = False
    not_after: date | None = None


class CustodyReleased(Event):
    """The receiving school acknowledged the record: custody is theirs."""

    TOPIC: ClassVar[str] = "journey.custody-released.v1"
    transfer_id: UUID
    receipt_sha256: Digest


class TransferWithdrawn(Event):
    """A prepared transfer was called off, rejected or ran out before it was acknowledged; the journey goes on here."""

    TOPIC: ClassVar[str] = "journey.transfer-withdrawn.v1"
    transfer_id: UUID
    why: Literal["withdrawn", "rejected", "expired", "recalled"]


class RecordReceived(Event):
    """A school took over the record from another, verified: the facts before this one are not its own."""

    TOPIC: ClassVar[str] = "journey.record-received.v1"
    transfer_id: UUID
    manifest_sha256: Digest
    from_school_id: UUID | None
    facts: int
    witnessed: bool = False


class OwnershipPassed(Event):
    """The student, now 18, was given their own copy of the record."""

    TOPIC: ClassVar[str] = "journey.ownership-passed.v1"
    transfer_id: UUID
    manifest_sha256: Digest
    recipient_fingerprint: Digest


class FactCorrected(Event):
    """An earlier fact was wrong; which, in what, and why. It can itself be corrected."""

    TOPIC: ClassVar[str] = "journey.fact-corrected.v1"
    corrects: UUID
    changes: dict[Code, Any]
    why: Line


class OptOutRecorded(Event):
    """A parent or the pupil does not want the assessment to go on."""

    TOPIC: ClassVar[str] = "journey.opt-out-recorded.v1"
    asked_by: Literal["parent", "pupil"]
    happened_on: date


class OptOutEnded(Event):
    """An opt-out was taken back."""

    TOPIC: ClassVar[str] = "journey.opt-out-ended.v1"
    asked_by: Literal["parent", "pupil"]
    happened_on: date


class ProcessingRestricted(Event):
    """The record is kept and not used until a question about it is settled (UK GDPR article 18)."""

    TOPIC: ClassVar[str] = "journey.processing-restricted.v1"
    ground: Ground
    happened_on: date


class RestrictionLifted(Event):
    """The record may be used again; whoever had asked was told before."""

    TOPIC: ClassVar[str] = "journey.restriction-lifted.v1"
    happened_on: date
    told_on: date


class FactImported(Event):
    """A fact another school recorded, kept in its envelope: whose log, where in it, its entry, salt and exact bytes."""

    TOPIC: ClassVar[str] = "transfer.fact-imported.v1"
    KIND: ClassVar[Kind] = "import"
    origin: Line
    index: Annotated[int, Field(ge=0)]
    entry: str
    salt: str
    payload: str
