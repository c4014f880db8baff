"""Who may say what came from outside the assessment, and when a record takes it in."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domain.base import Event, Stamp
from domain.journey import outside
from domain.journey import refusals as no
from domain.journey.holding import held
from domain.journey.state import Journey

DSL_OR_OPERATOR = ("dsl", "administrator")
"""An administrator has no right to outcomes on pages or the API; whoever runs the command line acts as one."""


def report(
    journey: Journey, stamp: Stamp, *, outcome_id: UUID, on: date, code: outside.OutcomeCode, source: outside.Source
) -> list[Event]:
    """Say, as a code, what later came to pass; the same report twice is one. Raises RecordFrozen, OutcomeForTheDsl."""
    held(journey)
    said = outside.OutcomeReported(**stamp.fresh(), outcome_id=outcome_id, happened_on=on, code=code, source=source)
    check_said_by(said, stamp.by.role)
    return [] if outcome_id in journey.outcomes else [said]


def check_said_by(event: Event, role: str) -> None:
    """That what only the DSL says is said by them. Raises OutcomeForTheDsl."""
    if not isinstance(event, outside.OutcomeReported) or event.code not in outside.FOR_THE_DSL:
        return
    if event.source != "dsl" or role not in DSL_OR_OPERATOR:
        raise no.OutcomeForTheDsl(
            "only the DSL (designated safeguarding lead) records this, with themselves as its source: tell them"
        )


def take_in_totals(journey: Journey, totals: outside.TotalsImported) -> list[Event]:
    """Take in the totals of a licensed instrument; the same ones twice are one. Raises RecordFrozen, NotEnrolled."""
    held(journey)
    known = (one for one in journey.events.values() if isinstance(one, outside.TotalsImported))
    return [] if any(one.totals_id == totals.totals_id for one in known) else [totals]
