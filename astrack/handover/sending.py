"""Sending: a record is frozen, proved, sealed for the next school or for the student, and logged as it leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from astrack.changing import Answer, Ask, Decided
from astrack.handover import outgoing, restated
from astrack.handover.base import Hands, numbering
from astrack.handover.outgoing import Order
from astrack.handover.proving import Published
from astrack.handover.withholding import Choice
from astrack.store.vault import Exports, Transfer
from domain.base import DomainError, Event, Stamp
from domain.identity import SchoolName
from domain.journey import custody, facts, state
from domain.school import ExportMade
from transfer import package
from transfer.age import Recipient
from transfer.errors import BadKeyDocument
from transfer.keys.document import SignedDocument
from transfer.keys.trust import open_documents

DAYS, GRACE = 30, timedelta(days=7)
DAYS_MAX = 366


class TimeLimitWrong(DomainError):
    """A sealed file can be taken in for 1 to 366 days."""


class TwoCustodians(DomainError):
    """Another school collected this record, and may have taken it in."""


class Sending(Hands):
    """From a pupil's stream to a file that is ready to go."""

    def prepare(
        self,
        ask: Ask,
        pupil_ids: Sequence[UUID],
        *,
        to: bytes,
        lawful_basis: facts.LawfulBasis,
        accepted_on: date,
        start_on: date,
        consent_by: str = "",
        protected: bool = False,
        days: int = DAYS,
        words: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Answer:
        """Freeze some pupils' records and seal each for the school whose key document ``to`` is.

        The heads are published once for all of them. ``progress`` hears how many are done. Repeating with the same
        key goes on where it stopped. Raises PlaceNotAccepted, ConsentNotNamed, NotEnrolled, RecordFrozen,
        NoSuchPupil, TimeLimitWrong, BadKeyDocument, TwoCustodians.
        """
        plan, opens = self.planned(
            ask, to=to, lawful_basis=lawful_basis, accepted_on=accepted_on, start_on=start_on, consent_by=consent_by,
            protected=protected, days=days, words=words,
        )  # fmt: skip
        streams = self.records.streams_of_many(pupil_ids)
        self._check_collected([one.journey_id for one in streams], plan["to"]["origin"])
        numbers = self.vault.exports([one.journey_id for one in streams])
        transfers = [self._freeze(ask.part(str(pupil)), pupil, plan, opens, numbers) for pupil in pupil_ids]
        return {"transfers": self.seal_all(ask, transfers, progress)}

    def planned(
        self,
        ask: Ask,
        *,
        to: bytes,
        lawful_basis: facts.LawfulBasis,
        accepted_on: date,
        start_on: date,
        consent_by: str = "",
        protected: bool = False,
        days: int = DAYS,
        words: str | None = None,
    ) -> tuple[dict[str, Any], Sequence[Recipient]]:
        """What every record of a group goes by, and the keys that open it: what concerns them all is refused here.

        Raises PlaceNotAccepted, ConsentNotNamed, TimeLimitWrong, BadKeyDocument.
        """
        if not 1 <= days <= DAYS_MAX:
            raise TimeLimitWrong(f"a file can be taken in for 1 to {DAYS_MAX} days, not {days}: choose another limit")
        custody.check_terms(accepted_on, start_on, lawful_basis, consent_by)
        self.trust(ask, to, words=words)
        receiver = open_documents(to)[-1]
        opens = receiver.document.recipients_at(self.clock())
        if not opens:
            raise BadKeyDocument("no key in it is valid now", f"the key document of {receiver.document.school.name}",
                                 "Ask that school for its newest key document.")  # fmt: skip
        return {
            "kind": "school", "lawful_basis": lawful_basis, "consent_by": consent_by, "protected": protected,
            "accepted_on": accepted_on.isoformat(), "start_on": start_on.isoformat(), "days": days,
            "to": _school_of(receiver).model_dump(mode="json"),
        }, opens  # fmt: skip

    def _check_collected(self, streams: Sequence[UUID], origin: str) -> None:
        """No second school while a first may still take in what it collected (FORMAT.md, section 8)."""
        for row in self.vault.called_back(streams):
            until = datetime.fromisoformat(row.details["not_after"]) + GRACE
            if row.details["to"]["origin"] != origin and self.clock() <= until:
                raise TwoCustodians(
                    f"the file for {row.details['to']['name']} was collected before it was called back: take in that "
                    f"school's refusal, or wait until {until:%d %B %Y}"
                )

    def _freeze(
        self, ask: Ask, pupil_id: UUID, plan: dict[str, Any], opens: Sequence[Recipient], numbers: Exports
    ) -> UUID:
        """Record that a transfer was prepared; its id."""
        target = self.custody_of(pupil_id)

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            transfer_id = self.records.new_id()
            not_after = stamp.at + timedelta(days=plan["days"])
            prepared = facts.TransferPrepared(
                **stamp.fresh(), transfer_id=transfer_id, kind="school", accepted_on=plan["accepted_on"],
                start_on=plan["start_on"], lawful_basis=plan["lawful_basis"], consent_by=plan["consent_by"],
                protected=plan["protected"], not_after=not_after.date(),
            )  # fmt: skip
            journey = state.replay(loaded[0])
            events = custody.prepare_transfer(journey, prepared)
            details = {
                **plan, **numbering(numbers, target.stream_id), "pupil_id": str(pupil_id),
                "not_after": not_after.isoformat(), "created": stamp.at.isoformat(),
                "recipients": [one.public.hex() for one in opens], "audiences": ["school"] * len(opens),
                "year_group": journey.year_group,
            }  # fmt: skip
            row = Transfer("out", transfer_id, target.stream_id, "prepared", stamp.at, details)
            return Decided(
                [events], {"transfer_id": str(transfer_id)}, also=lambda key: [self.vault.new_transfer(key, row)]
            )

        answer = self.records.change(ask, {**plan, "do": "prepare", "of": pupil_id}, [target], decide)
        return UUID(answer["transfer_id"])

    def seal_all(
        self, ask: Ask, transfers: Sequence[UUID], progress: Callable[[int], None] | None = None
    ) -> list[Answer]:
        """Seal what is not sealed yet under one checkpoint, and log that it leaves."""
        waiting = self.vault.unsealed(transfers)
        published = self.proving.publish(ask) if waiting else None
        for number, one in enumerate(waiting, 1):
            assert published is not None
            self._seal(ask, one, published)
            if progress is not None:
                progress(len(transfers) - len(waiting) + number)
        return [_described(one) for one in self.vault.those("out", transfers)]

    def _seal(self, ask: Ask, row: Transfer, published: Published) -> None:
        order = _order(row)
        words = ""
        if order.protected:
            at = self.clock()
            rows = self.vault.stream(order.stream_id, published.covers)
            made, words = restated.seal(order, rows, at)
        else:
            who = self.records.identity(order.pupil_id)
            made = outgoing.seal(order, self.named(), who, self.vault, self.proving, published)
        details = {**row.details, "manifest_sha256": made.manifest_sha256, "size": len(made.data), "words": words}
        keep = self.vault.seal_transfer(replace(row, details=details), made.data)
        # of two that seal one transfer at once, each logs its own file, and the one that is kept is among them
        self.proving.append_own(
            ask,
            lambda stamp: ExportMade.model_validate({
                **stamp.fresh(), "transfer_id": row.transfer_id, "kind": order.kind,
                "manifest_sha256": made.manifest_sha256,
            }),
            also=lambda _: [keep],
        )  # fmt: skip

    def sealed(self, transfer_id: UUID) -> bytes:
        """The sealed file of a transfer. Raises NoSuchTransfer."""
        found = self.vault.file(transfer_id)
        if found is None:
            raise self.unknown(transfer_id)
        return found


def _described(row: Transfer) -> Answer:
    names = ("pupil_id", "size", "manifest_sha256", "words", "not_after")
    return {"transfer_id": str(row.transfer_id), "file_name": f"{row.transfer_id}{package.SUFFIX}",
            **{name: row.details.get(name) for name in names}}  # fmt: skip


def _school_of(receiver: SignedDocument) -> SchoolName:
    school = receiver.document.school
    return SchoolName(
        school_id=UUID(int=0), name=school.name[:100], urn=(school.urn or "")[:6], lea=school.lea or "",
        estab=school.estab or "", origin=receiver.document.origin,
    )  # fmt: skip


def _order(row: Transfer) -> Order:
    given = row.details
    return Order(
        transfer_id=row.transfer_id, pupil_id=UUID(given["pupil_id"]), stream_id=row.stream_id, kind=given["kind"],
        recipients=tuple(Recipient(bytes.fromhex(one)) for one in given["recipients"]),
        audiences=tuple(given["audiences"]),
        to=SchoolName.model_validate(given["to"]) if given["to"] else None,
        created=datetime.fromisoformat(given["created"]),
        not_after=datetime.fromisoformat(given["not_after"]) if given["not_after"] else None,
        lawful_basis=given["lawful_basis"], consent_by=given["consent_by"],
        accepted_on=date.fromisoformat(given["accepted_on"]) if given.get("accepted_on") else None,
        start_on=date.fromisoformat(given["start_on"]) if given.get("start_on") else None,
        protected=given.get("protected", False), export=given["export"],
        supersedes=UUID(given["supersedes"]) if given["supersedes"] else None, year_group=given.get("year_group"),
        choice=Choice.parse(given["choice"]) if "choice" in given else None, signing=tuple(given.get("signing", ())),
    )  # fmt: skip
