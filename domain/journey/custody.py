"""Handing a journey over: who holds the record, and when it may pass on. Pure decisions, like the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.base import Event, Stamp, topics_of
from domain.journey import facts as f
from domain.journey import refusals as no
from domain.journey.holding import held
from domain.journey.state import Custody, Journey

DECIDING = (
    f.PupilEnrolled, f.PupilRegrouped, f.PupilLeft, f.TransferPrepared, f.CustodyReleased, f.TransferWithdrawn,
    f.RecordReceived, f.SupplementReceived, f.OwnershipPassed, f.FactCorrected, f.ProcessingRestricted,
    f.RestrictionLifted,
)  # fmt: skip
"""The facts that decide who holds a record, whether it may be used, and in which year the pupil is."""
DECIDING_TOPICS = topics_of(*DECIDING)


@dataclass(frozen=True, slots=True)
class Early:
    """A leaver of 16 or 17 may hold their own copy: who decided that they are competent to, when and why.

    Age alone never decides it; ``sixteen_on`` is the day from which it may be decided at all.
    """

    competence: str
    sixteen_on: date


def prepare_transfer(journey: Journey, prepared: f.TransferPrepared) -> list[Event]:
    """Make the record ready for the next school; it is frozen here from now on.

    Raises PlaceNotAccepted, ConsentNotNamed, NotEnrolled, RecordFrozen.
    """
    held(journey)
    check_terms(prepared.accepted_on, prepared.start_on, prepared.lawful_basis, prepared.consent_by)
    return [prepared]


def check_terms(accepted_on: date | None, start_on: date | None, lawful_basis: f.LawfulBasis, consent_by: str) -> None:
    """On what terms a record may leave at all. Raises PlaceNotAccepted, ConsentNotNamed."""
    if accepted_on is None or start_on is None:
        raise no.PlaceNotAccepted(
            "nothing is released for admission: record the day the place was accepted and the start date first"
        )
    if lawful_basis == "consent" and not consent_by:
        raise no.ConsentNotNamed("consent is the basis of this transfer: say who gave it and when")


def release_custody(journey: Journey, stamp: Stamp, *, transfer_id: UUID, receipt_sha256: str) -> list[Event]:
    """The receiving school's receipt came: custody is theirs. Raises TransferNotOpen."""
    _open_transfer(journey, transfer_id)
    return [f.CustodyReleased(**stamp.fresh(), transfer_id=transfer_id, receipt_sha256=receipt_sha256)]


def withdraw_transfer(journey: Journey, stamp: Stamp, *, transfer_id: UUID, why: str = "withdrawn") -> list[Event]:
    """Call a transfer off before it was acknowledged; the journey goes on here. Raises TransferNotOpen."""
    _open_transfer(journey, transfer_id)
    return [f.TransferWithdrawn.model_validate({**stamp.fresh(), "transfer_id": transfer_id, "why": why})]


def _open_transfer(journey: Journey, transfer_id: UUID) -> None:
    if journey.transfer is None or journey.transfer.transfer_id != transfer_id:
        raise no.TransferNotOpen(f"transfer {transfer_id} is not open on this record: it ended, or was never prepared")


def receive_record(journey: Journey, received: f.RecordReceived) -> list[Event]:
    """Take over a record whose imported facts ``journey`` already includes. Raises AlreadyEnrolled."""
    if journey.custody is Custody.HELD:
        raise no.AlreadyEnrolled("this record is held here already: a sealed file cannot replace it")
    return [received]


def pass_ownership(
    journey: Journey,
    stamp: Stamp,
    *,
    transfer_id: UUID,
    on: date,
    eighteen_on: date,
    lawful_basis: f.LawfulBasis,
    early: Early | None = None,
) -> list[Event]:
    """Prepare the student's own copy, from their 18th birthday, or for a leaver of 16 who is competent to hold it.

    Raises NotYetEighteen, CompetenceNotDecided, NotEnrolled, RecordFrozen.
    """
    held(journey)
    decided = "" if on >= eighteen_on else _competence(journey, on, early)
    prepared = f.TransferPrepared(
        **stamp.fresh(), transfer_id=transfer_id, kind="student", lawful_basis=lawful_basis, consent_by=decided
    )
    return [prepared]


def _competence(journey: Journey, on: date, early: Early | None) -> str:
    """Why somebody under 18 may have their copy. Raises NotYetEighteen, CompetenceNotDecided."""
    if early is None or journey.left_on is None or on < early.sixteen_on:
        raise no.NotYetEighteen(
            "the record passes to the student on their 18th birthday: try again from that day on; before it only a "
            "pupil of 16 or 17 who has left can be given a copy"
        )
    if not early.competence.strip():
        raise no.CompetenceNotDecided(
            "a leaver under 18 needs a decision that they are competent to hold it: say who decided, when and why"
        )
    return early.competence.strip()
