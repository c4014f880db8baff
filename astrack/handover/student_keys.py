"""The keys of a student's own copy: what opens it, on a device and on paper, and what they go on with."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from transfer.age import Identity, Recipient, write_agekey
from transfer.errors import BadKey
from transfer.evidence.note import SEED_BYTES
from transfer.keys.signing import Purpose, SigningKeys

LABEL = b"astrack/student-keys/v1"
ORIGIN = "student.invalid/"
ORIGIN_DIGITS = 32
SEEDS = 2 * len(Purpose)


@dataclass(frozen=True, slots=True)
class Keys:
    """Two recipients, with the identities of those that were made here."""

    recipients: tuple[Recipient, Recipient]
    student: Identity | None
    recovery: Identity | None

    @property
    def student_file(self) -> str | None:
        """The student's key file, when the key was made here."""
        return write_agekey(self.student) if self.student else None

    @property
    def signing(self) -> list[str]:
        """The two verifier keys that the student will sign with, when their key was made here (FORMAT.md, 12)."""
        if self.student is None:
            return []
        origin = ORIGIN + self.recipients[0].fingerprint[:ORIGIN_DIGITS]
        return [one.verifier.text for one in signing_keys(self.student).signers(Purpose.MANIFEST, origin)]


def signing_keys(identity: Identity) -> SigningKeys:
    """The signing keys that an age identity leads to: HKDF-SHA256 of its seed, six seeds in the order of purposes."""
    drawn = HKDF(SHA256(), SEEDS * SEED_BYTES, None, LABEL).derive(identity.seed)
    return SigningKeys(tuple(drawn[at : at + SEED_BYTES] for at in range(0, len(drawn), SEED_BYTES)))


def keys(student: str | None, recovery: str | None) -> Keys:
    """The student's key and the recovery key: recipients as given, or made here. Raises BadKey."""
    mine = None if student else Identity(os.urandom(32))
    paper = None if recovery else Identity(os.urandom(32))
    pair = (
        mine.recipient if mine else Recipient.parse(student or ""),
        paper.recipient if paper else Recipient.parse(recovery or ""),
    )
    if pair[0] == pair[1]:
        raise BadKey("the student's key and the recovery key are the same", "recovery key", "Give two different keys.")
    return Keys(pair, mine, paper)
