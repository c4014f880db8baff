"""What may happen next in a journey: pure functions, state and arguments in, facts out or one named refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from domain import goal, sitting_rules
from domain.base import Event, Stamp
from domain.journey import facts as f
from domain.journey import outcomes
from domain.journey import refusals as no
from domain.journey.holding import held
from domain.journey.state import Custody, Journey, Plan, amended, evolve

PLAN_WEEKS_MAX = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """What the risk rule says is worth a look. ``probability`` in 0..1; ``reason`` one sentence without a name."""

    kind: str
    factor: str | None
    context: str | None
    pole: str | None
    probability: float | None
    reason: str
    rests_on: tuple[UUID, ...]

    @property
    def subject(self) -> tuple[str, str | None, str | None, str | None]:
        """What makes two findings the same one, seen again."""
        return (self.kind, self.factor, self.context, self.pole)


def enrol(
    journey: Journey,
    stamp: Stamp,
    *,
    school_id: UUID,
    on: date,
    year_group: int | None,
    age_months: int | None,
    groups: Sequence[f.Group] = (),
) -> list[Event]:
    """A pupil joins this school. Raises AlreadyEnrolled, RecordFrozen."""
    if journey.custody is Custody.FROZEN:
        raise no.RecordFrozen("this record is being handed over: acknowledge or withdraw the transfer before enrolling")
    here = journey.enrolled is not None and journey.enrolled.school_id == school_id
    if here and journey.left_on is None and journey.custody is not Custody.RELEASED:
        raise no.AlreadyEnrolled("this pupil is on roll here already: nothing to do")
    return [
        f.PupilEnrolled(
            **stamp.fresh(),
            school_id=school_id,
            happened_on=on,
            year_group=year_group,
            age_months=age_months,
            groups=tuple(groups),
        )
    ]


def regroup(
    journey: Journey, stamp: Stamp, *, on: date, year_group: int | None, groups: Sequence[f.Group]
) -> list[Event]:
    """The year group or groups are different; nothing happens when they are not. Raises NotEnrolled, RecordFrozen."""
    held(journey)
    if journey.year_group == year_group and journey.groups == tuple(groups):
        return []
    return [f.PupilRegrouped(**stamp.fresh(), happened_on=on, year_group=year_group, groups=tuple(groups))]


def leave(journey: Journey, stamp: Stamp, *, on: date) -> list[Event]:
    """The pupil leaves the roll; saying so twice changes nothing. Raises NotEnrolled."""
    if journey.enrolled is None:
        raise no.NotEnrolled("this pupil has no record here: import the roster first")
    return [] if journey.left_on else [f.PupilLeft(**stamp.fresh(), happened_on=on)]


def sit(journey: Journey, sat: f.AssessmentSat) -> Journey:
    """The state with a sitting in it, or why it may not be; a first one that cannot be read may be sat once more.

    Raises RecordFrozen, OptedOut, HelpNotSaid, SittingAlreadyTaken.
    """
    held(journey)
    if journey.opted_out:
        raise no.OptedOut("an opt-out is on this record: end it before a sitting is handed in")
    if sat.helped_by and sat.mode != "supported":
        raise no.HelpNotSaid("an adult is said to have helped: say that the sitting was supported, or name nobody")
    twice = any(earlier.sitting_id == sat.sitting_id for earlier in journey.sittings)
    if twice or (sat.round_id is not None and not sitting_rules.standing(journey.sittings, sat.round_id).offer):
        raise no.SittingAlreadyTaken("this pupil has sat this round already: its answers are kept as they were")
    return evolve(journey, sat)


def flag(journey: Journey, stamp: Stamp, findings: Sequence[Finding], model_digest: str) -> list[Event]:
    """Raise what is newly seen and ease what is no longer seen; what stays as it was needs no new fact."""
    seen = {finding.subject: finding for finding in findings}
    standing = {_subject(one.raised): flag_id for flag_id, one in journey.flags.items() if not one.eased}
    eased: list[Event] = [
        f.FlagEased(**stamp.fresh(), flag_id=flag_id) for subject, flag_id in standing.items() if subject not in seen
    ]
    raised = [_raise(stamp, finding, model_digest) for subject, finding in seen.items() if subject not in standing]
    return [*eased, *raised]


def _subject(raised: f.FlagRaised) -> tuple[str, str | None, str | None, str | None]:
    return (raised.kind, raised.factor, raised.context, raised.pole)


def _raise(stamp: Stamp, finding: Finding, model_digest: str) -> Event:
    return f.FlagRaised.model_validate(
        {
            **stamp.fresh(),
            "flag_id": stamp.new_id(),
            "kind": finding.kind,
            "factor": finding.factor,
            "context": finding.context,
            "pole": finding.pole,
            "probability": finding.probability,
            "reason": finding.reason,
            "rests_on": finding.rests_on,
            "model_digest": model_digest,
        }
    )


def review_flag(
    journey: Journey, stamp: Stamp, *, flag_id: UUID, judgement: f.Judgement, note: str = ""
) -> list[Event]:
    """Say what you make of a flag; you may think again. Raises NoSuchFlag, FlagAlreadyReviewed, RecordFrozen."""
    held(journey)
    standing = journey.flags.get(flag_id)
    if standing is None:
        raise no.NoSuchFlag(f"there is no flag {flag_id} on this record: open the pupil's page again")
    if standing.judgement == judgement:
        raise no.FlagAlreadyReviewed("this flag has been reviewed with the same judgement: nothing to do")
    return [f.FlagReviewed(**stamp.fresh(), flag_id=flag_id, judgement=judgement, note=note)]


def look_at(
    journey: Journey,
    stamp: Stamp,
    *,
    concern: bool,
    note: str = "",
    round_id: UUID | None = None,
    chance: float | None = None,
) -> list[Event]:
    """Review a pupil without flags, so that what was missed can be counted; ``round_id`` and ``chance`` where a round
    drew them. Raises RecordFrozen.
    """
    held(journey)
    return [f.PupilLookedAt(**stamp.fresh(), concern=concern, note=note, round_id=round_id, chance=chance)]


def ask_to_talk(journey: Journey, stamp: Stamp, *, talk_id: UUID, with_role: str = "tutor") -> list[Event]:
    """The pupil would like to talk to someone; asked twice is asked once. Raises NotEnrolled, RecordFrozen."""
    held(journey)
    return [] if talk_id in journey.talks else [f.TalkRequested(**stamp.fresh(), talk_id=talk_id, with_role=with_role)]


def take_up_talk(journey: Journey, stamp: Stamp, *, talk_id: UUID) -> list[Event]:
    """Someone takes up the wish to talk. Raises NoSuchTalk."""
    if journey.talks.get(talk_id) not in ("requested", "escalated"):
        raise no.NoSuchTalk("this wish to talk was taken up already, or is not on this record: open the list again")
    return [f.TalkAcknowledged(**stamp.fresh(), talk_id=talk_id)]


def escalate_talk(journey: Journey, stamp: Stamp, *, talk_id: UUID, to_role: str) -> list[Event]:
    """Nobody took it up in time: the next person is asked. Raises NoSuchTalk."""
    if journey.talks.get(talk_id) != "requested":
        raise no.NoSuchTalk("this wish to talk was taken up already, or is not on this record: open the list again")
    return [f.TalkEscalated(**stamp.fresh(), talk_id=talk_id, to_role=to_role)]


def open_plan(journey: Journey, plan: f.PlanOpened, *, keep_words: bool = False) -> list[Event]:
    """Begin a plan; no step may be skipped, and a goal worded as what will be gone is asked about unless its words are
    kept. Raises a refusal named for the step, PlanDatesWrong, GoalNotPositive, PlanAlreadyOpen, RecordFrozen.
    """
    held(journey)
    if plan.plan_id in journey.plans:
        raise no.PlanAlreadyOpen("this plan was opened before: open the pupil's page to see it")
    if not plan.causes:
        raise no.CauseStepSkipped("a plan looks back first: choose at least one cause")
    if not plan.risks:
        raise no.RiskStepSkipped("a plan looks ahead before it acts: choose at least one risk")
    if not plan.signposts and not plan.own_strategies:
        raise no.SignpostMissing("a plan says what will be done: choose a signpost or write your own")
    _plan_dates(plan.start_on, plan.end_on)
    for flag_id in plan.flags:
        if flag_id not in journey.flags:
            raise no.NoSuchFlag(f"there is no flag {flag_id} on this record: open the pupil's page again")
    if not keep_words:
        goal.check(plan.goal)
    return [plan]


def _plan_dates(start_on: date, end_on: date) -> None:
    if not timedelta(weeks=1) <= end_on - start_on <= timedelta(weeks=PLAN_WEEKS_MAX):
        raise no.PlanDatesWrong(
            f"a plan runs 1 to {PLAN_WEEKS_MAX} weeks: choose an end that many weeks after its start"
        )


def monitor_plan(journey: Journey, stamp: Stamp, *, plan_id: UUID, going: f.Going, note: str = "") -> list[Event]:
    """Note how a plan is going. Raises NoSuchPlan, PlanAlreadyClosed, RecordFrozen."""
    _open_plan(journey, plan_id)
    return [f.PlanMonitored(**stamp.fresh(), plan_id=plan_id, going=going, note=note)]


def review_plan(journey: Journey, stamp: Stamp, *, plan_id: UUID, end_on: date, note: str = "") -> list[Event]:
    """Look at a plan as a whole and let it go on. Raises NoSuchPlan, PlanAlreadyClosed, PlanDatesWrong."""
    _open_plan(journey, plan_id)
    _plan_dates(stamp.at.date(), end_on)
    return [f.PlanReviewed(**stamp.fresh(), plan_id=plan_id, end_on=end_on, note=note)]


def close_plan(journey: Journey, stamp: Stamp, *, plan_id: UUID, came: f.Came, note: str = "") -> list[Event]:
    """End a plan and say what came of it. Raises NoSuchPlan, PlanAlreadyClosed, RecordFrozen."""
    _open_plan(journey, plan_id)
    return [f.PlanClosed(**stamp.fresh(), plan_id=plan_id, came=came, note=note)]


def _open_plan(journey: Journey, plan_id: UUID) -> Plan:
    held(journey)
    plan = journey.plans.get(plan_id)
    if plan is None:
        raise no.NoSuchPlan(f"there is no plan {plan_id} on this record: open the pupil's page again")
    if plan.came is not None:
        raise no.PlanAlreadyClosed("this plan has ended: open a new one instead")
    return plan


CORRECTABLE: Mapping[type[Event], frozenset[str]] = {
    f.PupilEnrolled: frozenset({"happened_on", "year_group", "age_months", "groups"}),
    f.PupilRegrouped: frozenset({"happened_on", "year_group", "groups"}),
    f.PupilLeft: frozenset({"happened_on"}),
    f.AssessmentSat: frozenset({"happened_on", "age_months", "year_group", "usable"}),
    f.FlagReviewed: frozenset({"judgement", "note"}),
    f.OutcomeReported: frozenset({"happened_on", "code", "source"}),
    f.TotalsImported: frozenset({"happened_on"}),
    f.PlanOpened: frozenset({"goal", "own_strategies", "owner_id", "start_on", "end_on"}),
    f.PlanMonitored: frozenset({"going", "note"}),
    f.PlanClosed: frozenset({"came", "note"}),
    f.FactCorrected: frozenset({"changes", "why"}),
}
"""What a correction may change; all else on a fact is how it came about and stays."""


def correct(journey: Journey, stamp: Stamp, *, corrects: UUID, changes: Mapping[str, Any], why: str) -> list[Event]:
    """Say that an earlier fact was wrong, in what, and why.

    Raises NoSuchFact, NotCorrectable (field, value, or how the fact came about), NothingToCorrect, RecordFrozen.
    """
    held(journey)
    right = _righted(journey, corrects, changes)
    if right == journey.events[corrects]:
        raise no.NothingToCorrect("the record says that already: nothing to do")
    return [f.FactCorrected(**stamp.fresh(), corrects=corrects, changes=dict(changes), why=why)]


def _righted(journey: Journey, corrects: UUID, changes: Mapping[str, Any]) -> Event:
    """The fact as it would read. Of a correction, what it would then make of its own fact is held to the same rules."""
    wrong = journey.events.get(corrects)
    if wrong is None:
        raise no.NoSuchFact(f"there is no fact {corrects} on this record: choose one from the pupil's timeline")
    allowed = CORRECTABLE.get(type(wrong), frozenset())
    if not changes or not set(changes) <= allowed:
        names = ", ".join(sorted(allowed)) or "nothing"
        raise no.NotCorrectable(f"of a {type(wrong).__name__} one can correct {names}: name one of these")
    try:
        right = amended(wrong, dict(changes))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise no.NotCorrectable(f"{where} cannot have that value: {error.errors()[0]['msg']}") from error
    outcomes.check_kept_here(right)
    if isinstance(right, f.FactCorrected):
        _righted(journey, right.corrects, right.changes)
    return right


def opt_out(journey: Journey, stamp: Stamp, *, asked_by: Any, on: date) -> list[Event]:
    """Record that no assessment is wanted; twice is once. Raises NotEnrolled."""
    held(journey)
    return [] if journey.opted_out else [f.OptOutRecorded(**stamp.fresh(), asked_by=asked_by, happened_on=on)]


def end_opt_out(journey: Journey, stamp: Stamp, *, asked_by: Any, on: date) -> list[Event]:
    """Record that the opt-out is taken back; twice is once. Raises NotEnrolled."""
    held(journey)
    return [f.OptOutEnded(**stamp.fresh(), asked_by=asked_by, happened_on=on)] if journey.opted_out else []
