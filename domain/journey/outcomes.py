"""Who may say what came from outside the assessment, and when a record takes it in."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domain.base import Event, Stamp
from domain.journey import facts, outside
from domain.journey import refusals as no
from domain.journey.holding import held
from domain.journey.state import Journey

DSL_OR_OPERATOR = ("dsl", "administrator")
"""An administrator has no right to outcomes on pages or the API; whoever runs the command line acts as one."""
MENDED = "the file of totals was mended and taken in again"


def report(
    journey: Journey, stamp: Stamp, *, outcome_id: UUID, on: date, code: outside.OutcomeCode, source: outside.Source
) -> list[Event]:
    """Say, as a code, what later came to pass; the same report twice is one. Raises RecordFrozen, OutcomeForTheDsl."""
    held(journey)
    said = outside.OutcomeReported(**stamp.fresh(), outcome_id=outcome_id, happened_on=on, code=code, source=source)
    check_kept_here(said)
    return [] if outcome_id in journey.outcomes else [said]


def check_kept_here(event: Event) -> None:
    """That what is the DSL's alone does not get into a journey. Raises OutcomeForTheDsl."""
    if outside.for_the_dsl(event):
        raise no.OutcomeForTheDsl(
            "this does not belong in the story: the DSL (designated safeguarding lead) reports it as an outcome"
        )


def check_said_by(source: str, role: str) -> None:
    """That what only the DSL says is said by them. Raises OutcomeForTheDsl."""
    if source != "dsl" or role not in DSL_OR_OPERATOR:
        raise no.OutcomeForTheDsl(
            "only the DSL (designated safeguarding lead) records this, with themselves as its source: tell them"
        )


def take_in_totals(journey: Journey, stamp: Stamp, totals: outside.TotalsImported) -> list[Event]:
    """Take in the totals of a licensed instrument; the same ones again change nothing, and others of the same pupil and
    day correct those on record. Raises RecordFrozen, NotEnrolled.
    """
    held(journey)
    before = next((one for one in journey.events.values() if _same_totals(one, totals)), None)
    if before is None:
        return [totals]
    was, now = before.model_dump(mode="json"), totals.model_dump(mode="json")
    changes = {name: now[name] for name in ("licence", "totals") if now[name] != was[name]}
    return (
        [facts.FactCorrected(**stamp.fresh(), corrects=before.event_id, changes=changes, why=MENDED)] if changes else []
    )


def _same_totals(one: Event, other: outside.TotalsImported) -> bool:
    """Whether a fact tells of the same instrument, pupil and day, by its id or as it reads now."""
    if not isinstance(one, outside.TotalsImported):
        return False
    return one.totals_id == other.totals_id or (one.instrument, one.version, one.happened_on) == (
        other.instrument, other.version, other.happened_on
    )  # fmt: skip
