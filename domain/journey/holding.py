"""Whether a record is this school's to write to."""

from __future__ import annotations

from domain.journey import refusals as no
from domain.journey.state import Custody, Journey


def held(journey: Journey) -> None:
    """That the record is this school's to write to. Raises NotEnrolled, RecordFrozen."""
    if journey.enrolled is None:
        raise no.NotEnrolled("this pupil has no record here: import the roster or receive their sealed file first")
    if journey.custody is Custody.FROZEN:
        raise no.RecordFrozen("this record is being handed over: withdraw the transfer first, or wait for the receipt")
    if journey.custody is Custody.RELEASED:
        raise no.RecordFrozen("this record is with another school now: ask them, and send late facts as a supplement")
