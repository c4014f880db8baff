"""What every hand-over of a school needs: its keys, its proofs, whom it knows, and the pupils it has."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from astrack import roster
from astrack.changing import Answer, Ask, Target
from astrack.handover.proving import Proving
from astrack.records import Records
from astrack.signing import Signing, origin_of
from astrack.store.vault import Exports, Vault
from domain.base import DomainError
from domain.identity import Person, SchoolName
from domain.journey.custody import DECIDING_TOPICS
from transfer.evidence.note import Verifier
from transfer.keys.directory import KeyDirectory
from transfer.keys.document import SignedDocument, fingerprint_words
from transfer.keys.trust import check_agree, open_documents


class NoSuchTransfer(DomainError):
    """There is no transfer of this id here, or its file is gone."""


class Hands:
    """What the parts of a hand-over share."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.vault = Vault(records.log)
        self.signing = Signing(self.vault, records.registered)
        self.proving = Proving(records, self.vault, self.signing)
        self._upns: dict[str, UUID] = {}
        self._read_to = -1

    def clock(self) -> datetime:
        """The present instant."""
        return self.records.clock()

    def named(self) -> SchoolName:
        """The school as it registered itself. Raises SchoolNotRegistered."""
        return self.signing.registered()

    def origin(self) -> str:
        """The origin of the school's log."""
        return origin_of(self.named())

    def key_document(self) -> bytes:
        """This school's public key document, made at first use: every one so far, oldest first, so that whoever knows
        an old one can follow them to the newest. Raises SchoolNotRegistered."""
        return b"".join(self.signing.documents(self.clock()))

    def key_words(self) -> str:
        """The eight words of that document, to be read out over the telephone."""
        return " ".join(fingerprint_words(self.signing.newest(self.clock()).signed.document))

    def identity_file(self) -> str:
        """The text of the newest age key file: secret."""
        return list(self.key_files().values())[-1]

    def key_files(self) -> dict[str, str]:
        """The school's age key files by name (001.agekey, ...): secret."""
        return self.signing.key_files(self.clock())

    def trust(
        self, ask: Ask, document: bytes, *, words: str | None = None, vouchers: tuple[Verifier, ...] = ()
    ) -> Answer:
        """Know another school by its key document; a first one needs the eight words that a person heard, or the
        signatures of a directory that is known (``vouchers``).

        Raises BadKeyDocument.
        """
        run = open_documents(document)
        made = run[-1].document
        directory = KeyDirectory.load(self.vault.pinned(), vouchers)
        chain = self._pinned(directory, run, words)
        if chain != directory.pinned.get(made.origin):
            self.vault.pin(made.origin, made.serial, [bytes(one) for one in chain])
        return {"origin": made.origin, "name": made.school.name, "urn": made.school.urn or "", "serial": made.serial,
                "words": " ".join(fingerprint_words(made))}  # fmt: skip

    def _pinned(
        self, directory: KeyDirectory, run: tuple[SignedDocument, ...], words: str | None
    ) -> tuple[SignedDocument, ...]:
        """The documents to know a school by once this run of them has been looked at. Raises BadKeyDocument."""
        have = directory.pinned.get(run[-1].document.origin, ())
        check_agree(have, run)
        if {one.digest for one in have} & {one.digest for one in run}:
            return (*have, *(one for one in run if one.document.serial > have[-1].document.serial))
        vouched = directory.pin(bytes(run[-1]), words)
        # a document vouches by digest for all that came before it
        return vouched.pinned[run[-1].document.origin] if have else run

    def custody_of(self, pupil_id: UUID) -> Target:
        """The journey of a pupil, of which only what decides who holds it is read. Raises NoSuchPupil."""
        return replace(self.records.journey_of(pupil_id), only=DECIDING_TOPICS)

    def mark_of(self, origin: str, stream: bytes) -> bytes:
        """How a stream of another log is known here."""
        return self.vault.mark(origin, stream, self.clock(), os.urandom(32))

    def unknown(self, transfer_id: UUID) -> NoSuchTransfer:
        """The refusal for a transfer that is not there."""
        return NoSuchTransfer(f"there is no file of a transfer {transfer_id} here: list the transfers and choose one")

    def holder_of(self, person: Person | None) -> UUID | None:
        """The pupil here who has one of this person's UPNs."""
        numbers = [number for number in (person.upn, *person.former_upns) if number] if person else []
        if not numbers:
            return None
        self._read_on()
        return next((self._upns[number] for number in numbers if number in self._upns), None)

    def remember(self, person: Person | None, pupil_id: UUID) -> None:
        """A pupil's UPNs, once they are on record."""
        for number in (person.upn, *person.former_upns) if person else ():
            if number:
                self._upns.setdefault(number, pupil_id)

    def _read_on(self) -> None:
        # the whole roll once, then only who was named since
        size = self.records.log.size()
        if self._read_to < 0:
            for known in roster.known(self.records):
                self.remember(known.person, known.pupil_id)
        else:
            for pupil in self.vault.named_since(self._read_to):
                self.remember(self.records.identity(pupil).person, pupil)
        self._read_to = size


def numbering(exports: Exports, stream_id: UUID) -> dict[str, Any]:
    """How many-th export of a stream the next one is, and which it comes after."""
    count, last = exports.get(stream_id, (0, None))
    return {"export": count, "supersedes": str(last) if last else None}
