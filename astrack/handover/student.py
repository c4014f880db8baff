"""The student's own copy at 18: sealed for their key and for a recovery key on paper."""

from __future__ import annotations

import base64
from datetime import date
from uuid import UUID

from astrack.changing import Answer, Ask, Decided
from astrack.handover import sheet, student_keys
from astrack.handover.base import numbering
from astrack.handover.sending import Sending
from astrack.handover.sheet import Sheet
from astrack.handover.withholding import Choice
from astrack.store.vault import Transfer
from domain.base import DomainError, Event, Stamp
from domain.journey import custody, facts, state
from domain.school_year import birthday, eighteenth_birthday
from transfer.age import Identity, Recipient


class BirthdayUnknown(DomainError):
    """The pupil's date of birth is not on record."""


class Giving(Sending):
    """Passing a record to the student."""

    def students_copy(
        self,
        ask: Ask,
        pupil_id: UUID,
        *,
        eighteen_on: date | None = None,
        student: str | None = None,
        recovery: str | None = None,
        lawful_basis: facts.LawfulBasis = "public_task",
        choice: Choice | None = None,
        competence: str | None = None,
    ) -> Answer:
        """Give a student of 18 their own copy, sealed for their key and for a paper recovery key.

        Keys are recipients (age1pq…); those not given are made here, and their secret halves are in this one answer
        and nowhere else (``recovery_pdf`` in base64). Asked again, it makes a new file for new keys that supersedes the
        one before: so a lost key is made good. ``choice`` is what a reviewer found; ``competence`` is who decided that
        a leaver of 16 or 17 may hold the record, when and why. Raises NotYetEighteen, CompetenceNotDecided,
        BirthdayUnknown, NotEnrolled, RecordFrozen, BadKey.
        """
        born = self.records.identity(pupil_id).person
        if eighteen_on is None and born is None:
            raise BirthdayUnknown("the date of birth is not on record: say on which day the student turns 18")
        day = eighteen_on or eighteenth_birthday(born.date_of_birth if born else date.max)
        keys = student_keys.keys(student, recovery)
        early = None if competence is None else custody.Early(competence, birthday(day, -2))
        transfer_id = self._pass(ask, pupil_id, (day, early), keys, lawful_basis, choice or Choice())
        mine = self._holds(transfer_id, keys)
        (described,) = self.seal_all(ask, [transfer_id])
        self._passed(ask.part("passed"), pupil_id, transfer_id)
        key = keys.student_file if mine else None
        paper = self._sheet(born.full_name if born else "", transfer_id, keys.recovery if mine else None)
        return {**described, "student_key": key, **paper}

    def _sheet(self, name: str, transfer_id: UUID, recovery: Identity | None) -> Answer:
        if recovery is None:
            return {"recovery_sheet": None, "recovery_pdf": None}
        made = Sheet(name, transfer_id, recovery, self.named().name, self.clock())
        return {"recovery_sheet": sheet.text(made), "recovery_pdf": base64.b64encode(sheet.pdf(made)).decode()}

    def _pass(
        self,
        ask: Ask,
        pupil_id: UUID,
        due: tuple[date, custody.Early | None],
        keys: student_keys.Keys,
        lawful_basis: facts.LawfulBasis,
        choice: Choice,
    ) -> UUID:
        day, early = due
        target = self.custody_of(pupil_id)
        exports = self.vault.exports([target.stream_id])

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            transfer_id = self.records.new_id()
            events = custody.pass_ownership(
                state.replay(loaded[0]), stamp, transfer_id=transfer_id, on=stamp.at.date(), eighteen_on=day,
                lawful_basis=lawful_basis, early=early,
            )  # fmt: skip
            details = {
                **numbering(exports, target.stream_id), "kind": "student", "pupil_id": str(pupil_id), "not_after": None,
                "created": stamp.at.isoformat(), "lawful_basis": lawful_basis, "consent_by": "",
                "recipients": [one.public.hex() for one in keys.recipients], "to": None,
                "audiences": ["student", "recovery"], "choice": choice.values(), "signing": keys.signing,
            }  # fmt: skip
            row = Transfer("out", transfer_id, target.stream_id, "prepared", stamp.at, details)
            return Decided(
                [events], {"transfer_id": str(transfer_id)}, also=lambda key: [self.vault.new_transfer(key, row)]
            )

        request = {"do": "pass_ownership", "of": pupil_id, "day": day, "basis": lawful_basis,
                   "choice": choice.values(), "competence": early.competence if early else None}  # fmt: skip
        return UUID(self.records.change(ask, request, [target], decide)["transfer_id"])

    def _holds(self, transfer_id: UUID, keys: student_keys.Keys) -> bool:
        """Whether these keys are those of the transfer: a repeated request made new ones in vain."""
        row = self.vault.transfer("out", transfer_id)
        return row is not None and row.details["recipients"] == [one.public.hex() for one in keys.recipients]

    def _passed(self, ask: Ask, pupil_id: UUID, transfer_id: UUID) -> None:
        row = self.vault.transfer("out", transfer_id)
        assert row is not None
        student_key = Recipient(bytes.fromhex(row.details["recipients"][0]))

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            passed = facts.OwnershipPassed(
                **stamp.fresh(), transfer_id=transfer_id, manifest_sha256=row.details["manifest_sha256"],
                recipient_fingerprint=student_key.fingerprint,
            )  # fmt: skip
            return Decided([[passed]])

        request = {"do": "passed", "transfer": transfer_id}
        self.records.change(ask, request, [self.custody_of(pupil_id)], decide)
