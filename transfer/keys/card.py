"""A school's card: which box of which mailbox is its, signed with its receipt pair (FORMAT.md, section 13).

It stands apart from the key document, which a directory may show to anybody: a box's token is told to those alone who
are to send there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from transfer import manifest
from transfer.errors import BadCard, TransferRefused
from transfer.evidence import note
from transfer.evidence.note import Signer
from transfer.keys.directory import KeyDirectory
from transfer.keys.signing import Purpose

LABEL = "astrack/card/v1"
SUFFIX = ".card"
FIELDS = ("origin", "mailbox", "token", "key", "at")
MAILBOX = re.compile(r"https?://[!-~]{1,250}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
WHERE = "card"


@dataclass(frozen=True, slots=True)
class Card:
    """What a card states. ``key_id`` names the receipt pair that signs it."""

    origin: str
    mailbox: str
    token: str
    key_id: str
    at: datetime

    @property
    def text(self) -> str:
        """What is signed."""
        values = (self.origin, self.mailbox, self.token, self.key_id, manifest.instant(self.at))
        return LABEL + "\n" + "".join(f"{name} {value}\n" for name, value in zip(FIELDS, values, strict=True))


def sign(card: Card, signers: Sequence[Signer]) -> bytes:
    """The card as a signed note."""
    return bytes(note.sign(card.text, signers, 0))


def read(data: bytes, directory: KeyDirectory, now: datetime) -> Card:
    """The card in a note, signed by a receipt pair that holds now of the school it speaks for.

    Raises BadCard, BadNote, BadSignature, UnknownSigner, ExpiredKey.
    """
    made = parse(data)
    known = directory.signer_for(Purpose.RECEIPT, made.key_id, now)
    if known.document.origin != made.origin:
        raise BadCard("it is signed by another school than it speaks for", WHERE)
    note.require(note.parse(data), known.pair.verifiers)
    return made


def parse(data: bytes) -> Card:
    """What a card states; nobody's signature has been checked. Raises BadCard, BadNote."""
    text = note.parse(data).text
    try:
        label, *lines = text.split("\n")
        names, values = zip(*(line.split(" ", 1) for line in lines[:-1]), strict=True)
        origin, mailbox, token, key_id, at = values
        made = Card(origin, mailbox, token, manifest.digest_of(key_id, WHERE), manifest.instant_of(at, WHERE))
    except (ValueError, TransferRefused) as error:
        raise BadCard("it does not have exactly the lines of a card", WHERE) from error
    if label != LABEL or names != FIELDS or made.text != text:
        raise BadCard("it is not in its one form", WHERE)
    if not MAILBOX.fullmatch(made.mailbox) or not TOKEN.fullmatch(made.token):
        raise BadCard("it does not name a mailbox and a box", WHERE)
    return made
