"""What the API has on the topic `transfers`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from astrack.client.calling import Caller, Got, Sent, new_key, part
from astrack.client.shared import CorrectionIn, Empty, LookedAtIn, OutcomeIn


class Acknowledged(Got):
    """What a receipt did."""

    transfer_id: UUID
    state: str


class LateCloseIn(Sent):
    """What came of a plan."""

    came: Literal["helped", "helped_partly", "did_not_help", "stopped_early"]
    note: str = ""
    plan_id: UUID


class LateMonitorIn(Sent):
    """How a plan was going."""

    going: Literal["well", "as_planned", "not_yet"]
    note: str = ""
    plan_id: UUID


class Mark(Sent):
    """How far a prepared file has got."""

    state: Literal["sent", "collected"]


class OwnCopyIn(Sent):
    """The student's own age recipient, and another for recovery, where they have them; made here otherwise."""

    student: str | None = None
    recovery: str | None = None


class OwnCopyOut(Got):
    """The student's copy: the sheet to print and keep (also as a PDF, in base64), and the key where it was made
    here.

    Shown this once.
    """

    transfer_id: UUID
    file_name: str
    recovery_sheet: str | None
    recovery_pdf: str | None
    student_key: str | None


class PrepareIn(Sent):
    """Which records go to which school, on what lawful basis, after which accepted place."""

    pupil_ids: list[UUID]
    to: str
    lawful_basis: Literal["legal_obligation", "public_task", "vital_interests", "consent"]
    accepted_on: date
    start_on: date
    consent_by: str = ""
    protected: bool = False
    days: int = 30
    words: str | None = None


class Prepared(Got):
    """One sealed file, ready to be sent; the words are read out so that the receiver can check it is this one."""

    pupil_id: UUID
    transfer_id: UUID
    file_name: str
    size: int
    manifest_sha256: str
    words: str


class PreparedAll(Got):
    """The sealed files that were made."""

    transfers: list[Prepared]


class Received(Got):
    """A record taken over: how many facts, how many of them new here, and the receipt to send back."""

    pupil_id: UUID
    transfer_id: UUID
    facts: int
    new: int
    differs: list[str] | None
    manifest_sha256: str
    receipt_name: str
    receipt: str


class Refused(Got):
    """A file that is not taken in here any more, and the receipt that tells its sender."""

    transfer_id: UUID
    receipt_name: str
    receipt: str


class ReviewedCopyIn(Sent):
    """As the student's own request, with what a reviewer found: staff notes read or not, what is withheld and why.

    `competence`: who decided that a leaver of 16 or 17 may hold the record, when and why.
    """

    student: str | None = None
    recovery: str | None = None
    notes_read: bool = False
    withheld: dict[UUID, Literal["third_party", "serious_harm", "in_confidence"]] = Field(default={})
    competence: str | None = None


class SupplementIn(Sent):
    """What staff saw and how it ended, 20 in all; without any, what came here since the last file follows."""

    looks: list[LookedAtIn] = Field(default=[])
    monitored: list[LateMonitorIn] = Field(default=[])
    closed: list[LateCloseIn] = Field(default=[])
    outcomes: list[OutcomeIn] = Field(default=[])
    corrections: list[CorrectionIn] = Field(default=[])


class TrustIn(Sent):
    """Another school's key document, and the words read out over the telephone where that was done."""

    document: str
    words: str | None = None


class TrustedOut(Got):
    """The school whose key document is trusted from now on."""

    origin: str
    urn: str
    name: str
    words: str
    serial: int


class TransfersCalls(Caller):
    """What the API has on the topic `transfers`."""

    def prepare(self, body: PrepareIn, *, key: str | None = None) -> PreparedAll:
        """Seal records for another school. They are frozen here until a receipt comes, or the transfer ends."""
        return self.value(PreparedAll, "POST", "/transfers", body=body, key=key or new_key())

    def key_document(self) -> bytes:
        """This school's public key document, to give to other schools."""
        return self.content("GET", "/school/key-document")

    def trust(self, body: TrustIn, *, key: str | None = None) -> TrustedOut:
        """Trust another school's key document."""
        return self.value(TrustedOut, "POST", "/trusted-schools", body=body, key=key or new_key())

    def sealed(self, transfer_id: UUID) -> bytes:
        """The sealed file: only the receiving school can open it."""
        return self.content("GET", f"/transfers/{part(transfer_id)}/file")

    def mark(self, transfer_id: UUID, body: Mark, *, key: str | None = None) -> Empty:
        """Say that a prepared file was sent or collected."""
        return self.value(Empty, "POST", f"/transfers/{part(transfer_id)}/mark", body=body, key=key or new_key())

    def withdraw(self, transfer_id: UUID, *, key: str | None = None) -> Empty:
        """Call a transfer off before it was acknowledged; the journey goes on here."""
        return self.value(Empty, "POST", f"/transfers/{part(transfer_id)}/withdraw", key=key or new_key())

    def receive(
        self, content: bytes, *, words: str | None = None, pupil_id: UUID | None = None, key: str | None = None
    ) -> Received:
        """Verify a sealed file and take the record over, exactly once; `pupil_id` where the pupil is on roll
        already.
        """
        return self.value(
            Received,
            "POST",
            "/transfers/received",
            content=content,
            query={"words": words, "pupil_id": pupil_id},
            key=key or new_key(),
        )

    def refuse(self, content: bytes, *, reason: str, words: str | None = None, key: str | None = None) -> Refused:
        """Send a sealed file back without taking it in: the receipt that says so, to give to the sender."""
        return self.value(
            Refused,
            "POST",
            "/transfers/refused",
            content=content,
            query={"reason": reason, "words": words},
            key=key or new_key(),
        )

    def receipt(self, transfer_id: UUID) -> bytes:
        """The signed receipt of a record received here, to send back."""
        return self.content("GET", f"/transfers/{part(transfer_id)}/receipt")

    def acknowledge(self, content: bytes, *, key: str | None = None) -> Acknowledged:
        """Take in the receiving school's receipt: custody is theirs from now on."""
        return self.value(Acknowledged, "POST", "/receipts", content=content, key=key or new_key())

    def own_copy(self, pupil_id: UUID, body: OwnCopyIn, *, key: str | None = None) -> OwnCopyOut:
        """The student's own copy, from their 18th birthday."""
        return self.value(OwnCopyOut, "POST", f"/pupils/{part(pupil_id)}/own-copy", body=body, key=key or new_key())

    def reviewed_copy(self, pupil_id: UUID, body: ReviewedCopyIn, *, key: str | None = None) -> OwnCopyOut:
        """A student's own copy made by the DSL after a review; for a leaver of 16 or 17 too; or anew for lost keys."""
        return self.value(
            OwnCopyOut, "POST", f"/pupils/{part(pupil_id)}/reviewed-copy", body=body, key=key or new_key()
        )

    def supplement(self, transfer_id: UUID, body: SupplementIn, *, key: str | None = None) -> Prepared:
        """Write down late facts of a record that another school has or that is on its way there, sealed for that
        school.
        """
        return self.value(
            Prepared, "POST", f"/transfers/{part(transfer_id)}/supplement", body=body, key=key or new_key()
        )

    def safeguarding(self, transfer_id: UUID, *, key: str | None = None) -> Prepared:
        """Seal what is the DSL's of the pupil for the DSL of the school that the record goes or went to."""
        return self.value(Prepared, "POST", f"/transfers/{part(transfer_id)}/safeguarding", key=key or new_key())
