"""What becomes of a transfer: sent, collected, acknowledged, rejected, withdrawn, recalled, expired, disputed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from astrack.changing import Answer, Ask, Decided
from astrack.handover.base import Hands
from astrack.handover.log_bundle import log_parts
from astrack.handover.sending import GRACE
from astrack.signing import OwnKeys, origin_of
from astrack.store import Statement
from astrack.store.vault import Transfer
from domain import safeguarding
from domain.base import DomainError, Event, Stamp
from domain.identity import SchoolName
from domain.journey import custody, state
from domain.school import ExportMade
from transfer import bundle, package
from transfer import recall as recalls
from transfer import receipt as receipts
from transfer.errors import BadReceipt
from transfer.keys.directory import KeyDirectory
from transfer.keys.signing import Purpose
from transfer.keys.trust import Trust, require_known
from transfer.recall import Recall
from transfer.receipt import Receipt

LIST_MAX = 1000
OPEN = ("prepared", "sent", "collected")
CALLED_OFF = ("withdrawn", "recalled")
NEXT = {"sent": ("prepared",), "collected": ("prepared", "sent")}


class NoRecall(DomainError):
    """There is no notice to send: the transfer still stands, no file of it exists, or it must not name this school."""


class TransferEnded(DomainError):
    """The transfer has ended, or has not come so far."""


class Ending(Hands):
    """How transfers go on and end."""

    def receipt(self, transfer_id: UUID) -> bytes:
        """The receipt for a file that was taken in, signed once. Raises NoSuchTransfer."""
        found = self._receipted([transfer_id])[0].receipt
        assert found is not None
        return found

    def _receipted(self, transfer_ids: Sequence[UUID]) -> list[Transfer]:
        """Files that were taken in, with the receipts for them; what has none yet gets it, all under one checkpoint."""
        rows = self.vault.those("in", transfer_ids)
        for wanted in transfer_ids:
            if not any(row.transfer_id == wanted and row.state == "received" for row in rows):
                raise self.unknown(wanted)
        without = [row for row in rows if row.receipt is None]
        if not without:
            return rows
        own = self.named()
        self.proving.checkpoint(
            lambda size, signed, keys: [self._keeping(row, own, size, signed, keys) for row in without]
        )
        return self.vault.those("in", transfer_ids)

    def _keeping(self, row: Transfer, own: SchoolName, size: int, checkpoint: bytes, keys: OwnKeys) -> Statement:
        """The statement that keeps the receipt under a checkpoint."""
        at, digest = self.clock(), row.details["manifest_sha256"]
        made = Receipt(
            row.transfer_id, digest, True, "", own.urn, origin_of(own), size, at, checkpoint, bytes(keys.signed)
        )
        signed = receipts.sign(made, keys.signers(Purpose.RECEIPT), int(at.timestamp()))
        return self.vault.keeping_receipt("in", row.transfer_id, signed)

    def refusal(self, transfer_id: UUID, manifest_sha256: str, reason: str) -> bytes:
        """A receipt that says that a file was refused; ``reason`` is one word in lower case."""
        at = self.clock()
        keys = self.signing.newest(at)
        made = Receipt(
            transfer_id, manifest_sha256, False, reason, self.named().urn, self.origin(), 0, at, b"", bytes(keys.signed)
        )
        return receipts.sign(made, keys.signers(Purpose.RECEIPT), int(at.timestamp()))

    def acknowledge(self, ask: Ask, receipt: bytes) -> Answer:
        """Take in a receipt: custody passes, or comes back when the file was refused; a repeat changes nothing.

        A receipt for a transfer that ended otherwise becomes a dispute on record. Raises BadReceipt, BadSignature,
        UnknownSigner, NoSuchTransfer.
        """
        made, standing = receipts.read(receipt, Trust(KeyDirectory.load(self.vault.pinned())))
        if made.origin == self.origin():
            raise BadReceipt(
                "it is this school's own, for a file that was taken in here", "receipt",
                "Send it to the school that the file came from: it is for them to take in.",
            )  # fmt: skip
        require_known(standing)
        row = self.vault.transfer("out", made.transfer_id)
        if row is None:
            raise self.unknown(made.transfer_id)
        if row.receipt == receipt:
            return _ended(row)
        to: dict[str, Any] = row.details.get("to") or {}
        if made.origin != to.get("origin"):
            raise BadReceipt("it is not from the school that the file was sealed for", "receipt")
        if made.manifest_sha256 != row.details.get("manifest_sha256"):
            raise BadReceipt("it is for another file of this transfer", "receipt")
        if row.state in CALLED_OFF and not made.accepted:
            return self._turned_away(row, receipt)
        if row.state not in OPEN:
            return self._dispute(row, receipt)
        return self._close(ask, row, made, receipt)

    def _close(self, ask: Ask, row: Transfer, made: Receipt, receipt: bytes) -> Answer:
        digest = sha256(receipt).hexdigest()
        ended = replace(row, state="acknowledged" if made.accepted else "rejected")
        if of_the_dsl(row):
            return self._confirmed(ask, row, ended, receipt)
        if supplements(row):
            kept = self.vault.keeping_receipt("out", row.transfer_id, receipt)
            self.vault.log.tell([*self._moved(row, ended.state), kept])
            return _ended(ended)

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            journey = state.replay(loaded[0])
            if made.accepted:
                events = custody.release_custody(journey, stamp, transfer_id=row.transfer_id, receipt_sha256=digest)
            else:
                events = custody.withdraw_transfer(journey, stamp, transfer_id=row.transfer_id, why="rejected")
            rows = [
                self.vault.move(row, ended.state, stamp.at),
                self.vault.drop_file(row.transfer_id),
                self.vault.keeping_receipt("out", row.transfer_id, receipt),
                *(() if made.accepted else self._what_follows(row, "withdrawn")),
            ]
            return Decided([events], _ended(ended), also=lambda _: rows)

        target = self.custody_of(UUID(row.details["pupil_id"]))
        return self.records.change(ask, {"do": "acknowledge", "receipt": digest}, [target], decide)

    def _confirmed(self, ask: Ask, row: Transfer, ended: Transfer, receipt: bytes) -> Answer:
        """End a safeguarding file, and say on its own stream that the other DSL has it."""
        digest = sha256(receipt).hexdigest()

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            taken = ended.state == "acknowledged"
            events = safeguarding.confirm_file(loaded[0], stamp, transfer_id=row.transfer_id, receipt_sha256=digest)
            rows = [*self._moved(row, ended.state), self.vault.keeping_receipt("out", row.transfer_id, receipt)]
            return Decided([events if taken else []], _ended(ended), also=lambda _: rows)

        target = self.records.safeguarding_of(UUID(row.details["pupil_id"]))
        return self.records.change(ask, {"do": "acknowledge", "receipt": digest}, [target], decide)

    def _moved(self, row: Transfer, state: str) -> list[Statement]:
        """The statements that end a transfer which says nothing about who holds the record."""
        return [self.vault.move(row, state, self.clock()), self.vault.drop_file(row.transfer_id)]

    def _what_follows(self, row: Transfer, state: str) -> list[Statement]:
        """The statements that call off the supplements of a transfer which is called off itself."""
        later = [one for one in self.vault.transfers(stream_id=row.stream_id) if one.state in OPEN]
        later += [one for one in self._of_dsl(row) if one.state in OPEN]
        first = str(row.transfer_id)
        mine = [one for one in later if first in (supplements(one), one.details.get("follows"))]
        return [statement for one in mine for statement in self._moved(one, state)]

    def _of_dsl(self, row: Transfer) -> list[Transfer]:
        """The safeguarding files of the same pupil."""
        streams = self.records.streams_of(UUID(row.details["pupil_id"]))
        return self.vault.transfers(stream_id=streams.safeguarding_id)

    def _turned_away(self, row: Transfer, receipt: bytes) -> Answer:
        """The other school does not have what was called off: nobody there holds the record."""
        kept = self.vault.keeping_receipt("out", row.transfer_id, receipt)
        self.vault.log.tell([self.vault.move(row, "rejected", self.clock()), kept])
        return _ended(replace(row, state="rejected"))

    def _dispute(self, row: Transfer, receipt: bytes) -> Answer:
        if row.state in ("acknowledged", "rejected"):
            raise TransferEnded("another receipt for this transfer was taken in before: ask that school which is right")
        self.vault.log.tell([
            self.vault.move(row, "disputed", self.clock()),
            self.vault.keeping_receipt("out", row.transfer_id, receipt),
        ])  # fmt: skip
        return _ended(replace(row, state="disputed"))

    def mark(self, ask: Ask, transfer_id: UUID, reached: Literal["sent", "collected"]) -> Answer:
        """Say how far a file has come. Raises NoSuchTransfer, TransferEnded."""
        row = self._out(transfer_id)
        if row.state != reached:
            if row.state not in NEXT[reached]:
                raise TransferEnded(f"the transfer is {row.state}: it cannot be {reached} any more")
            self.vault.run(self.vault.move(row, reached, self.clock()))
        return _ended(replace(row, state=reached))

    def withdraw(self, ask: Ask, transfer_id: UUID) -> Answer:
        """Call a transfer off: withdrawn before it was collected, recalled after. Raises TransferEnded."""
        row = self._out(transfer_id)
        if row.state in CALLED_OFF:
            return _ended(row)
        return self._call_off(ask, row, "recalled" if row.state == "collected" else "withdrawn")

    def recall(self, transfer_id: UUID) -> bytes:
        """The signed notice that calls a file back which has left. Raises NoSuchTransfer, NoRecall."""
        row = self._out(transfer_id)
        digest = row.details.get("manifest_sha256")
        if row.state not in CALLED_OFF or digest is None:
            raise NoRecall(f"the transfer is {row.state}: call it off first, then there is a notice to send")
        if row.details.get("protected"):
            raise NoRecall("a notice would name this school, which a protected move does not: ring the other DSL")
        keys = self.signing.newest(self.clock())
        made = Recall(transfer_id, digest, self.origin(), row.at, bytes(keys.signed))
        return recalls.sign(made, keys.signers(Purpose.MANIFEST), int(row.at.timestamp()))

    def take_recall(self, ask: Ask, notice: bytes) -> Answer:
        """Take in another school's recall: its file is not taken in any more; one that was, stays.

        Raises BadReceipt, BadSignature, UnknownSigner.
        """
        made, standing = recalls.read(notice, Trust(KeyDirectory.load(self.vault.pinned())), self.clock())
        require_known(standing)
        self.vault.keep(self.vault.recall_of(made.origin, made.transfer_id), notice, self.clock())
        row = self.vault.transfer("in", made.transfer_id)
        here = row is not None and row.details.get("manifest_sha256") == made.manifest_sha256
        return {
            "transfer_id": str(made.transfer_id),
            "from": standing.name,
            "state": "received" if here else "recalled",
        }

    def expire(self, ask: Ask) -> list[UUID]:
        """End every transfer whose time limit passed a week ago; their ids. The records are free again."""
        now = self.clock()
        over = [row for row in self.vault.transfers(LIST_MAX) if row.direction == "out" and _over(row, now)]
        for row in over:
            self._call_off(ask.part(str(row.transfer_id)), row, "expired")
        return [row.transfer_id for row in over]

    def _call_off(self, ask: Ask, row: Transfer, why: Literal["withdrawn", "recalled", "expired"]) -> Answer:
        if row.state not in OPEN:
            raise TransferEnded(f"the transfer is {row.state} already: it cannot be called off")
        ended = replace(row, state=why)
        if supplements(row) or of_the_dsl(row):
            self.vault.log.tell(self._moved(row, why))
            return _ended(ended)

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            journey = state.replay(loaded[0])
            events = custody.withdraw_transfer(journey, stamp, transfer_id=row.transfer_id, why=why)
            rows = [self.vault.move(row, why, stamp.at), self.vault.drop_file(row.transfer_id)]
            rows += self._what_follows(row, "withdrawn")
            return Decided([events], _ended(ended), also=lambda _: rows)

        target = self.custody_of(UUID(row.details["pupil_id"]))
        return self.records.change(ask, {"do": "call_off", "transfer": row.transfer_id, "why": why}, [target], decide)

    def transfers(self, limit: int = 200) -> list[Answer]:
        """The newest transfers in both directions, newest first."""
        return [
            {"transfer_id": str(row.transfer_id), "direction": row.direction, "state": row.state,
             "at": row.at.isoformat(), "file_name": f"{row.transfer_id}{package.SUFFIX}", **_shown(row)}
            for row in self.vault.transfers(limit)
        ]  # fmt: skip

    def audit_bundle(self, ask: Ask) -> tuple[str, Iterator[bytes]]:
        """(file name, the audit bundle of the whole log in pieces): every entry, nothing personal."""
        published = self.proving.publish(ask)
        at = self.clock()
        keys = self.signing.newest(at)
        parts = log_parts(self.records.log, self.records.new_id(), self.named(), published, at)
        made, pieces = bundle.write(parts, keys.signers(Purpose.MANIFEST), int(at.timestamp()))
        self.proving.append_own(
            ask,
            lambda stamp: ExportMade(
                **stamp.fresh(), transfer_id=made.transfer_id, kind="audit", manifest_sha256=_digest(bytes(made))
            ),
        )
        return f"{made.transfer_id}{bundle.SUFFIX}", pieces

    def _out(self, transfer_id: UUID) -> Transfer:
        row = self.vault.transfer("out", transfer_id)
        if row is None:
            raise self.unknown(transfer_id)
        return row


def supplements(row: Transfer) -> str | None:
    """The transfer of the record that this one follows with late facts; None for the record itself."""
    found: str | None = row.details.get("supplements")
    return found


def of_the_dsl(row: Transfer) -> bool:
    """Whether it is a safeguarding file, which is the DSL's alone."""
    return row.details.get("kind") == "safeguarding"


def _ended(row: Transfer) -> Answer:
    return {"transfer_id": str(row.transfer_id), "state": row.state, "pupil_id": row.details.get("pupil_id")}


def _over(row: Transfer, now: datetime) -> bool:
    limit: str | None = row.details.get("not_after")
    return row.state in OPEN and limit is not None and now > datetime.fromisoformat(limit) + GRACE


def _shown(row: Transfer) -> Answer:
    names = (
        "pupil_id",
        "kind",
        "supplements",
        "not_after",
        "size",
        "facts",
        "new",
        "from",
        "from_urn",
        "protected",
        "manifest_sha256",
    )
    to: dict[str, Any] = row.details.get("to") or {}
    return {**{name: row.details.get(name) for name in names}, "to": to.get("name"), "to_urn": to.get("urn"),
            "to_origin": to.get("origin")}  # fmt: skip


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
