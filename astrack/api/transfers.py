"""Handing records over: sealing, sending, receiving, receipts; and the student's own copy."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Base64Bytes, Field

from astrack.access.callers import CallerOf
from astrack.api.common import Body, Day, Empty, Key, Line, Out, Raw, file_body
from astrack.handover.withholding import Choice, Reason
from domain.authority import Action
from domain.journey.facts import LawfulBasis

router = APIRouter(tags=["transfers"])
KEY_DOCUMENT_MAX = 65_536
Words = Annotated[str | None, Query(max_length=200, description="The eight words heard over the telephone.")]
Reasoned = Annotated[
    str, Query(pattern="^[a-z_]{1,40}$", description="One word in lower case, such as `not_expected`.")
]
SEALED = "application/octet-stream"
SEALED_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {SEALED: {"schema": {"type": "string", "format": "binary"}}}, "description": "The file."}
}


class TrustIn(Body):
    """Another school's key document, and the words read out over the telephone where that was done."""

    document: Annotated[Base64Bytes, Field(max_length=KEY_DOCUMENT_MAX)]
    words: Line | None = None


class TrustedOut(Out):
    """The school whose key document is trusted from now on."""

    origin: str
    urn: str
    name: str
    words: str
    serial: int


class PrepareIn(Body):
    """Which records go to which school, on what lawful basis, after which accepted place."""

    pupil_ids: Annotated[list[UUID], Field(min_length=1, max_length=400)]
    to: Annotated[Base64Bytes, Field(max_length=KEY_DOCUMENT_MAX, description="The receiving school's key document.")]
    lawful_basis: LawfulBasis
    accepted_on: Day
    start_on: Day
    consent_by: Line = ""
    protected: bool = False
    days: Annotated[int, Field(ge=1, le=366)] = 30
    words: Line | None = None


class Prepared(Out):
    """One sealed file, ready to be sent; the words are read out so that the receiver can check it is this one."""

    pupil_id: UUID
    transfer_id: UUID
    file_name: str
    size: int
    manifest_sha256: str
    words: str


class PreparedAll(Out):
    """The sealed files that were made."""

    transfers: list[Prepared]


class Received(Out):
    """A record taken over: how many facts, how many of them new here, and the receipt to send back."""

    pupil_id: UUID
    transfer_id: UUID
    facts: int
    new: int
    differs: list[str] | None
    """What the file and this school state differently of the pupil; the file's word is the newest now."""
    manifest_sha256: str
    receipt_name: str
    receipt: str


class Refused(Out):
    """A file that is not taken in here any more, and the receipt that tells its sender."""

    transfer_id: UUID
    receipt_name: str
    receipt: str


class Mark(Body):
    """How far a prepared file has got."""

    state: Literal["sent", "collected"]


class Acknowledged(Out):
    """What a receipt did."""

    transfer_id: UUID
    state: str


class OwnCopyIn(Body):
    """The student's own age recipient, and another for recovery, where they have them; made here otherwise."""

    student: Annotated[str, Field(max_length=4096, pattern=r"^age1[a-z0-9]+$")] | None = None
    recovery: Annotated[str, Field(max_length=4096, pattern=r"^age1[a-z0-9]+$")] | None = None


class ReviewedCopyIn(OwnCopyIn):
    """As the student's own request, with what a reviewer found: staff notes read or not, what is withheld and why.

    `competence`: who decided that a leaver of 16 or 17 may hold the record, when and why.
    """

    notes_read: bool = False
    withheld: Annotated[dict[UUID, Reason], Field(max_length=1000, default_factory=dict)]
    competence: Annotated[str, Field(max_length=200)] | None = None


class OwnCopyOut(Out):
    """The student's copy: the sheet to print and keep (also as a PDF, in base64), and the key where it was made here.

    Shown this once.
    """

    transfer_id: UUID
    file_name: str
    recovery_sheet: str | None
    recovery_pdf: str | None
    student_key: str | None


@router.get("/school/key-document", responses=SEALED_ANSWER, response_class=Response)
def key_document(caller: CallerOf) -> Response:
    """This school's public key document, to give to other schools."""
    caller.may(Action.SEE_SCHOOL)
    return Response(caller.handover.key_document(), media_type=SEALED)


@router.post("/trusted-schools")
def trust(caller: CallerOf, body: TrustIn, key: Key) -> TrustedOut:
    """Trust another school's key document."""
    caller.may(Action.RECEIVE_RECORD)
    return TrustedOut(**caller.handover.trust(caller.ask(key), body.document, words=body.words))


@router.post("/transfers")
def prepare(caller: CallerOf, body: PrepareIn, key: Key) -> PreparedAll:
    """Seal records for another school. They are frozen here until a receipt comes, or the transfer ends."""
    for pupil_id in body.pupil_ids:
        caller.may(Action.SEND_RECORD, pupil_id)
    fields = body.model_dump(exclude={"pupil_ids", "to"})
    done = caller.handover.prepare(caller.ask(key), body.pupil_ids, to=body.to, **fields)
    return PreparedAll(
        transfers=[Prepared(**{name: one[name] for name in Prepared.model_fields}) for one in done["transfers"]]
    )


@router.get("/transfers/{transfer_id}/file", responses=SEALED_ANSWER, response_class=Response)
def sealed(caller: CallerOf, transfer_id: UUID) -> Response:
    """The sealed file: only the receiving school can open it."""
    caller.carry("out", transfer_id)
    caller.looked(Action.CARRY_SEALED, [])
    name = f"{transfer_id}.tar.age"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(caller.handover.sealed(transfer_id), media_type=SEALED, headers=headers)


@router.post("/transfers/{transfer_id}/mark")
def mark(caller: CallerOf, transfer_id: UUID, body: Mark, key: Key) -> Empty:
    """Say that a prepared file was sent or collected."""
    caller.carry("out", transfer_id)
    caller.handover.mark(caller.ask(key), transfer_id, body.state)
    return Empty()


@router.post("/transfers/{transfer_id}/withdraw")
def withdraw(caller: CallerOf, transfer_id: UUID, key: Key) -> Empty:
    """Call a transfer off before it was acknowledged; the journey goes on here."""
    caller.may(Action.RECEIVE_RECORD)
    caller.handover.withdraw(caller.ask(key), transfer_id)
    return Empty()


@router.post("/transfers/received", openapi_extra=file_body("A sealed file, `.tar.age`."))
def receive(caller: CallerOf, data: Raw, key: Key, words: Words = None, pupil_id: UUID | None = None) -> Received:
    """Verify a sealed file and take the record over, exactly once; `pupil_id` where the pupil is on roll already."""
    caller.may(Action.RECEIVE_RECORD)
    if pupil_id is not None:
        caller.may(Action.SEND_RECORD, pupil_id)
    done = caller.handover.receive(caller.ask(key), data, words=words, pupil_id=pupil_id)
    return Received(**{name: done[name] for name in Received.model_fields})


@router.post("/transfers/refused", openapi_extra=file_body("A sealed file, `.tar.age`."))
def refuse(caller: CallerOf, data: Raw, key: Key, reason: Reasoned, words: Words = None) -> Refused:
    """Send a sealed file back without taking it in: the receipt that says so, to give to the sender."""
    caller.may(Action.RECEIVE_RECORD)
    done = caller.handover.refuse(data, reason, words=words)
    return Refused(**{name: done[name] for name in Refused.model_fields})


@router.get("/transfers/{transfer_id}/receipt", responses=SEALED_ANSWER, response_class=Response)
def receipt(caller: CallerOf, transfer_id: UUID) -> Response:
    """The signed receipt of a record received here, to send back."""
    caller.carry("in", transfer_id)
    return Response(caller.handover.receipt(transfer_id), media_type=SEALED)


@router.post("/receipts", openapi_extra=file_body("A signed receipt from the receiving school."))
def acknowledge(caller: CallerOf, data: Raw, key: Key) -> Acknowledged:
    """Take in the receiving school's receipt: custody is theirs from now on."""
    caller.may(Action.CARRY_SEALED)
    return Acknowledged(**caller.handover.acknowledge(caller.ask(key), data))


@router.post("/pupils/{pupil_id}/own-copy")
def own_copy(caller: CallerOf, pupil_id: UUID, body: OwnCopyIn, key: Key) -> OwnCopyOut:
    """The student's own copy, from their 18th birthday."""
    caller.may(Action.TAKE_OWN_COPY, pupil_id)
    done = caller.handover.students_copy(caller.ask(key), pupil_id, student=body.student, recovery=body.recovery)
    return OwnCopyOut(**{name: done[name] for name in OwnCopyOut.model_fields})


@router.post("/pupils/{pupil_id}/reviewed-copy")
def reviewed_copy(caller: CallerOf, pupil_id: UUID, body: ReviewedCopyIn, key: Key) -> OwnCopyOut:
    """A student's own copy made by the DSL after a review; for a leaver of 16 or 17 too; or anew for lost keys."""
    caller.may(Action.SEND_RECORD, pupil_id)
    done = caller.handover.students_copy(
        caller.ask(key), pupil_id, student=body.student, recovery=body.recovery,
        choice=Choice(body.notes_read, dict(body.withheld)), competence=body.competence,
    )  # fmt: skip
    return OwnCopyOut(**{name: done[name] for name in OwnCopyOut.model_fields})
