"""Handing over: a board of what is prepared, sent and received; sealing a year group; taking in what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.due import LEFT_WITHIN
from astrack.handover.safeguarding import listed
from astrack.handover.together import Done, Together
from astrack.mailbox.carrying import Carrier
from astrack.rights import clock
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.lists import reading
from astrack.web.site import HEADERS, BadForm, Site, see_other
from domain.authority import Action
from domain.duties import HAND_OVER, Duty, binding
from domain.journey.facts import LawfulBasis
from domain.scope import Scope
from projections import pupils
from transfer.errors import TransferRefused
from transfer.keys.directory import KeyDirectory

SHOWN, GROUP_MAX, SOON_DAYS, OLDEST_YEAR = 200, 400, 5, 15
AGE, KEY_DOCUMENT, RECEIPT, RECALL = (
    b"age-encryption.org/v1", b"astrack/keys/", b"astrack/receipt/", b"astrack/recall/",
)  # fmt: skip
BASES = {
    "legal_obligation": "Legal obligation (maintained schools: the educational record)",
    "public_task": "Public task",
    "vital_interests": "Vital interests",
    "consent": "Consent",
}
COLUMNS = (
    ("prepared", "Prepared", ("prepared",)),
    ("sent", "Sent", ("sent", "collected")),
    ("received", "Received", ("received", "acknowledged")),
    ("ended", "Called off or refused", ("rejected", "expired", "withdrawn", "recalled")),
)


def transfer_pages(site: Site) -> APIRouter:
    """The board and what is done from it."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    _files(router)
    _sending(router)

    @router.get("/transfers")
    def board(request: Request, who: Who, pupil: UUID | None = None) -> Response:
        who.see(Action.SEE_TRANSFERS)
        if pupil is not None:
            who.may(Action.SEND_RECORD, pupil)
        return _board(site, request, who, one=pupil)

    @router.post("/transfers/prepare")
    def prepare(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.RECEIVE_RECORD)
        try:
            done = _prepare(who, sent)
        except (*REFUSALS, TransferRefused) as refused:
            (one, *_) = [*sent.ids("pupil", GROUP_MAX), None]
            return _board(site, request, who, sent, refused, "prepare", one)
        return site.page(
            request, "prepared.html", viewer=who.viewer, made=done.answers, refused=[why for _, why in done.refused]
        )

    @router.post("/transfers/take-in")
    def take_in(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.RECEIVE_RECORD)
        try:
            if len(sent.files) > 1:
                return site.page(request, "taken_in.html", viewer=who.viewer, **_take_all_in(who, sent))
            done = _take_in(who, sent)
        except (*REFUSALS, TransferRefused) as refused:
            return _board(site, request, who, sent, refused, "take-in")
        return see_other("/transfers", done)

    @router.post("/transfers/refuse")
    def refuse(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.RECEIVE_RECORD)
        try:
            if sent.file is None:
                raise BadForm("Choose the sealed file that you send back.", "refuse")
            words = sent.text("words", 200, label="The eight words") or None
            made = who.handover.refuse(sent.file, "not_expected", words=words)
        except (*REFUSALS, TransferRefused) as refused:
            return _board(site, request, who, sent, refused, "refuse")
        return _download(made["receipt"].encode(), made["receipt_name"])

    return router


def _sending(router: APIRouter) -> None:
    @router.post("/transfers/{transfer_id}/sent")
    def mark_sent(who: Who, sent: Sent, transfer_id: UUID) -> Response:
        who.carry("out", transfer_id)
        who.handover.mark(who.ask(sent.key), transfer_id, "sent")
        return see_other("/transfers")

    @router.post("/transfers/{transfer_id}/send")
    def send(who: Who, sent: Sent, transfer_id: UUID) -> Response:
        who.carry("out", transfer_id)
        post = Carrier.of(who.handover, who.app.settings)
        where = post.send_to_card(who.ask(sent.key), transfer_id)
        return see_other("/transfers", "in-box" if where == "waiting" else "collected")

    @router.post("/transfers/{transfer_id}/withdraw")
    def withdraw(who: Who, sent: Sent, transfer_id: UUID) -> Response:
        who.may(Action.RECEIVE_RECORD)
        who.handover.withdraw(who.ask(sent.key), transfer_id)
        return see_other("/transfers", "withdrawn")


def _files(router: APIRouter) -> None:
    @router.get("/transfers/{transfer_id}/file")
    def sealed(who: Who, transfer_id: UUID) -> Response:
        who.carry("out", transfer_id)
        who.looked(Action.CARRY_SEALED, [])
        return _download(who.handover.sealed(transfer_id), f"{transfer_id}.tar.age")

    @router.get("/transfers/{transfer_id}/receipt")
    def receipt(who: Who, transfer_id: UUID) -> Response:
        who.carry("in", transfer_id)
        who.looked(Action.CARRY_SEALED, [])
        return _download(who.handover.receipt(transfer_id), f"{transfer_id}.receipt")

    @router.get("/transfers/key-document")
    def key_document(who: Who) -> Response:
        who.may(Action.SEE_SCHOOL)
        return _download(who.handover.key_document(), "school.keydoc")


def _download(content: bytes, name: str) -> Response:
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, 200, headers, "application/octet-stream")


def _prepare(who: Caller, sent: Form) -> Done:
    ids = sent.ids("pupil", GROUP_MAX) or _year_group(who, sent)
    for pupil_id in ids:
        who.may(Action.SEND_RECORD, pupil_id)
    done = Together(who.app, who.handover).prepare(
        who.ask(sent.key), ids, to=_receiver(who, sent),
        lawful_basis=cast(LawfulBasis, sent.one_of("lawful_basis", BASES, label="The lawful basis")),
        accepted_on=sent.day("accepted_on", label="The day the place was accepted"),
        start_on=sent.day("start_on", label="The start date"),
        consent_by=sent.text("consent_by", 200, label="Whose consent"),
        protected=sent.text("protected", 5) == "yes",
        words=sent.text("key_words", 200, label="The eight words") or None,
    )  # fmt: skip
    if not done.answers:
        raise BadForm(done.refused[0][1], "year")
    return done


def _year_group(who: Caller, sent: Form) -> list[UUID]:
    year = sent.number("year", 0, 14, label="The year group")
    with reading(who) as (cur, school):
        here = pupils.listed(cur, school, Scope(dimensions={"year": frozenset({str(year)})}), limit=GROUP_MAX)
    ready = [one.pupil_id for one in here if one.custody == "held"]
    if not ready:
        raise BadForm(f"Nobody in Year {year} has a record that can be sent: choose another year group.", "year")
    return ready


def _receiver(who: Caller, sent: Form) -> bytes:
    if sent.file is not None:
        return sent.file
    chain = _directory(who).pinned.get(sent.text("to", 300))
    if not chain:
        raise BadForm("Choose the receiving school, or give its key document as a file.", "to")
    return bytes(chain[-1])


def _directory(who: Caller) -> KeyDirectory:
    return KeyDirectory.load(who.handover.vault.pinned())


def _take_all_in(who: Caller, sent: Form) -> dict[str, Any]:
    """Take in many sealed records and receipts at once: the numbers of each, and what was refused, by its name."""
    words = sent.text("words", 200, label="The eight words") or None
    many, ask = Together(who.app, who.handover), who.ask(sent.key)
    sealed = [one for one in sent.files if one[1].startswith(AGE)]
    receipts = [one for one in sent.files if one[1].startswith(RECEIPT)]
    others = [one for one in sent.files if one not in sealed and one not in receipts]
    taken = many.receive(ask, [data for _, data in sealed], words=words)
    ended = many.acknowledge(ask, [data for _, data in receipts])
    refused = [(sealed[at][0], why) for at, why in taken.refused] + [
        (receipts[at][0], why) for at, why in ended.refused
    ]
    refused += [(name, "Neither a sealed record nor a receipt: take it in by itself.") for name, _ in others]
    return {"records": len(taken.answers), "receipts": len(ended.answers), "refused": refused}


def _take_in(who: Caller, sent: Form) -> str:
    """Whatever the other school sent, known by its first line. Raises BadForm and the refusals of files."""
    if sent.file is None:
        raise BadForm("Choose the file the other school sent you, or drop it on the field.", "file")
    words = sent.text("words", 200, label="The eight words") or None
    head, ask = sent.file[:64], who.ask(sent.key)
    if head.startswith(AGE):
        who.handover.receive(ask, sent.file, words=words)
        return "received"
    if head.startswith(RECEIPT):
        who.handover.acknowledge(ask, sent.file)
        return "acknowledged"
    if head.startswith(RECALL):
        who.handover.take_recall(ask, sent.file)
        return "recall-taken"
    if head.startswith(KEY_DOCUMENT):
        who.handover.trust(ask, sent.file, words=words)
        return "trusted"
    raise BadForm(
        "This file is neither a sealed record (.tar.age), nor a receipt, a recall or a key document: ask the other "
        "school which file they meant.", "file",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """One transfer on the board. ``days`` left until it runs out (negative: over), None where nothing is waited for;
    ``late``: late facts that follow a record; ``boxed``: it can be put into the other school's box from here.
    """

    id: str
    name: str
    other: str
    direction: str
    kind: str
    state: str
    on: date
    days: int | None
    late: bool = False
    boxed: bool = False

    @property
    def followed(self) -> bool:
        """Whether late facts may follow it."""
        kept = self.kind == "school" and self.direction == "out" and not self.late
        return kept and self.state in ("prepared", "sent", "collected", "acknowledged")

    @property
    def soon(self) -> bool:
        """Whether somebody must act within days."""
        return self.days is not None and self.days <= SOON_DAYS


def _board(
    site: Site,
    request: Request,
    who: Caller,
    typed: Form | None = None,
    refused: Exception | None = None,
    at: str = "",
    one: UUID | None = None,
) -> Response:
    rows = listed(who.handover.transfers(SHOWN), who.can_ever(Action.SEE_HAND_OFFS))
    post = Carrier.of(who.handover, who.app.settings)
    ready = {one["to_origin"] for one in rows if one["state"] == "prepared" and one["to_origin"]}
    reached = {origin for origin in ready if post.reaches(origin)}
    with reading(who) as (cur, school):
        names = pupils.found(
            cur, school, [*(UUID(each["pupil_id"]) for each in rows if each["pupil_id"]), *([one] if one else [])]
        )
        left = pupils.leavers(cur, school, who.today - LEFT_WITHIN, OLDEST_YEAR, SHOWN)
        years = pupils.dimensions(cur, school, Scope(everyone=True)).get("year", {})
    moves = [replace(_move(each, names, who.today), boxed=_boxed(each, reached)) for each in rows]
    may_send = who.can(Action.RECEIVE_RECORD)
    return site.page(
        request, "transfers.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        columns=[(code, title, [one for one in moves if one.state in states]) for code, title, states in COLUMNS],
        may_send=may_send, may_carry=who.can(Action.CARRY_SEALED), years=sorted(years.items()), bases=BASES,
        known=_known(who) if may_send else [], words=who.handover.key_words() if may_send else "",
        one=names.get(one) if one else None, left=left if may_send else [],
        typed=typed or Form(), error=said(refused) if refused else "", error_at=at, duties=_duties(who),
    )  # fmt: skip


def _boxed(row: Mapping[str, Any], reached: set[str]) -> bool:
    return row["direction"] == "out" and row["state"] == "prepared" and row["to_origin"] in reached


def _duties(who: Caller) -> list[Duty]:
    """What binds this school when it hands a record over."""
    return [duty for duty in binding(clock.calendar_of(who.records).maintained) if duty.code in HAND_OVER]


def _known(who: Caller) -> list[tuple[str, str]]:
    """The schools that a file can be sealed for: a directory is none."""
    pinned = _directory(who).pinned.items()
    return [(origin, chain[-1].document.school.name) for origin, chain in pinned if chain[-1].document.recipients]


def _move(row: Mapping[str, Any], names: Mapping[UUID, pupils.Row], today: date) -> Move:
    pupil = names.get(UUID(row["pupil_id"])) if row["pupil_id"] else None
    ends = row.get("not_after")
    waiting = row["state"] in ("prepared", "sent", "collected") and row["direction"] == "out"
    days = (datetime.fromisoformat(ends).date() - today).days if ends and waiting else None
    other = row["to"] if row["direction"] == "out" else row["from"]
    other = other or ("the student" if row["kind"] == "student" else "")
    return Move(
        row["transfer_id"], pupil.name if pupil else "a pupil", other,
        row["direction"], row["kind"] or "", row["state"], datetime.fromisoformat(row["at"]).date(), days,
        bool(row["supplements"]),
    )  # fmt: skip
