"""Handing records over: out to the next school or the student, in from another, and what became of each.

hands = Handover(records)                       # one for each school, built once: it remembers what it has read
answer = hands.prepare(ask, [pupil_id], to=key_document, lawful_basis="legal_obligation", accepted_on=..., start_on=...)
data = hands.sealed(transfer_id)                # the file to carry
receipt = other.receive(ask, data)["receipt"]   # at the next school
hands.acknowledge(ask, receipt.encode())        # custody is theirs
"""

from __future__ import annotations

from astrack.handover.base import NoSuchTransfer
from astrack.handover.closing import NoRecall, TransferEnded
from astrack.handover.incoming import RecordHeldHere, TransferUnanswered
from astrack.handover.receiving import Receiving
from astrack.handover.safeguarding import DslToDsl
from astrack.handover.sending import TimeLimitWrong
from astrack.handover.student import BirthdayUnknown

__all__ = [
    "BirthdayUnknown",
    "Handover",
    "NoRecall",
    "NoSuchTransfer",
    "RecordHeldHere",
    "TimeLimitWrong",
    "TransferEnded",
    "TransferUnanswered",
]


class Handover(DslToDsl, Receiving):
    """All hand-overs of one school."""
