"""Whose keys a school knows, and its own: what somebody looks at before they trust, renew or revoke."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from astrack.changing import Ask
from astrack.handover import Handover
from astrack.signing import OVERLAP
from transfer.keys.directory import KeyDirectory
from transfer.keys.document import KeyDocument, fingerprint_words
from transfer.keys.signing import Purpose

REVOKINGS = "revokings/"


class Keys(NamedTuple):
    """The newest key document of a school. ``renews_at``: when a newer one is made; ``revoked``: keys named so so far.

    ``opens``: whether a file can be sealed for it now; a directory's has no key to seal for.
    """

    origin: str
    name: str
    urn: str
    serial: int
    issued_at: datetime
    valid_until: datetime
    renews_at: datetime
    words: str
    revoked: int
    opens: bool


def own(hands: Handover) -> Keys:
    """This school's own. Raises SchoolNotRegistered."""
    return _keys(hands.signing.newest(hands.clock()).signed.document, hands.clock())


def known(hands: Handover) -> list[Keys]:
    """Every school and directory whose keys are pinned here, by name."""
    pinned = KeyDirectory.load(hands.vault.pinned()).pinned
    return sorted((_keys(chain[-1].document, hands.clock()) for chain in pinned.values()), key=lambda one: one.name)


def revoke(hands: Handover, ask: Ask) -> Keys:
    """Revoke this school's keys once for each request, and go on with new ones, which are the answer.

    Raises NothingRevoked, SchoolNotRegistered.
    """
    name = REVOKINGS + sha256(f"{ask.by.id}/{ask.key}".encode()).hexdigest()[:32]
    if hands.vault.kept(name) is None:
        hands.signing.revoke(hands.clock())
        hands.vault.keep(name, b"1", hands.clock())
    return own(hands)


def _keys(document: KeyDocument, now: datetime) -> Keys:
    until = document.newest(Purpose.MANIFEST).valid_until
    school = document.school
    return Keys(
        document.origin, school.name, school.urn or "", document.serial, document.issued_at, until, until - OVERLAP,
        " ".join(fingerprint_words(document)), len(document.revoked), bool(document.recipients_at(now)),
    )  # fmt: skip
