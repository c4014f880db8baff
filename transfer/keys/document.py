"""A school's key document: who it is, which keys speak for it and until when, in a note signed by those keys.

The note's text is the label, the document as RFC 8785 JSON on one line, and a newline. It is signed by its own newest
manifest and receipt pairs, four lines; from serial 2 on also by those of the document before it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from transfer import canonical
from transfer.age.key import Recipient
from transfer.canonical import Fields
from transfer.errors import BadFile, BadKey, BadKeyDocument, BadNote, BadSignature, ExpiredKey, UnknownSigner
from transfer.evidence import note
from transfer.evidence.note import Note, Verifier
from transfer.keys import parts as keyparts
from transfer.keys.parts import (
    Revocation,
    School,
    SealingKey,
    SigningPair,
    held,
    revocation,
    school,
    sealing_key,
    signing_pair,
)
from transfer.keys.signing import Purpose
from transfer.keys.words import eight_words
from transfer.manifest import digest_of, instant

__all__ = [
    "LABEL", "PROVING", "KeyDocument", "Revocation", "School", "SealingKey", "SignedDocument", "SigningPair",
    "check_follows", "check_keeps_revocations", "fingerprint_words", "open_document",
]  # fmt: skip

LABEL = "astrack/keys/v1"
CACHED = 256  # a school deals with the same few documents file after file
PROVING = (Purpose.MANIFEST, Purpose.RECEIPT)
MAX_KEYS, MAX_RECIPIENTS, MAX_REVOCATIONS = 32, 16, 64

WHERE = keyparts.WHERE
MAX_SERIAL = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDocument:
    """What a school publishes about its keys; newest key of each purpose last."""

    serial: int
    previous: str | None
    issued_at: datetime
    origin: str
    school: School
    recipients: tuple[SealingKey, ...]
    signing: tuple[SigningPair, ...]
    revoked: tuple[Revocation, ...] = ()

    def __post_init__(self) -> None:
        held("origin", self.origin)
        limits = ((self.recipients, MAX_RECIPIENTS), (self.signing, MAX_KEYS), (self.revoked, MAX_REVOCATIONS))
        if not 1 <= self.serial <= MAX_SERIAL or any(len(found) > most for found, most in limits):
            raise ValueError("a number or a list is over its limit")
        self._check_keys()

    def _check_keys(self) -> None:
        if (self.serial == 1) != (self.previous is None):
            raise ValueError("only the first document has no previous one")
        if {pair.purpose for pair in self.signing} != set(Purpose):
            raise ValueError("a purpose has no key")
        for pair in self.signing:
            named = [(key.name, key.kind) for key in pair.verifiers]
            if named != [(pair.purpose.key_name(self.origin), kind) for kind in pair.purpose.kinds]:
                raise ValueError("a key has not the name and kind of its purpose")
        publics = [key.public for pair in self.signing for key in pair.verifiers]
        if len(set(publics)) != len(publics) or len(set(self.sealing)) != len(self.recipients):
            raise ValueError("a key stands twice")
        if any(self._revoked(self.newest(purpose).key_id, self.issued_at) for purpose in Purpose):
            raise ValueError("the newest key of a purpose is revoked")

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{LABEL}\n{canonical.dump({'format': LABEL, **_values(self)}).decode()}\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the text, 64 hex digits: what the next document and the eight words refer to."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def sealing(self) -> tuple[Recipient, ...]:
        """Every age recipient."""
        return tuple(each.key for each in self.recipients)

    def recipients_at(self, at: datetime) -> tuple[Recipient, ...]:
        """The recipients to seal for now: valid and not revoked."""
        return tuple(
            each.key for each in self.recipients if each.holds(at) and not self._revoked(each.key.fingerprint, at)
        )

    def newest(self, purpose: Purpose) -> SigningPair:
        """The pair of a purpose that signs now."""
        return [pair for pair in self.signing if pair.purpose is purpose][-1]

    def signer(self, purpose: Purpose, key_id: str, at: datetime) -> SigningPair:
        """The pair of this id, valid for the purpose at this instant. Raises UnknownSigner or ExpiredKey."""
        found = next((p for p in self.signing if p.purpose is purpose and p.key_id == key_id), None)
        if found is None:
            raise UnknownSigner(f"no {purpose.value} key {key_id[:16]} is in it", self._where)
        if not found.holds(at):
            raise ExpiredKey(f"its {purpose.value} key {key_id[:16]} was not valid at {at:%Y-%m-%d %H:%M}", self._where)
        if self._revoked(key_id, at):
            raise ExpiredKey(f"its {purpose.value} key {key_id[:16]} has been revoked", self._where)
        return found

    def _revoked(self, key_id: str, at: datetime) -> bool:
        return any(each.key_id == key_id and each.at <= at for each in self.revoked)

    @property
    def _where(self) -> str:
        return f"key document {self.serial} of {self.school.name or self.origin}"

    @property
    def proving(self) -> tuple[Verifier, ...]:
        """The keys that must sign this document, and the next."""
        return tuple(key for purpose in PROVING for key in self.newest(purpose).verifiers)


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A key document with the note that carries it; its own signatures have been checked."""

    document: KeyDocument
    note: Note

    def __bytes__(self) -> bytes:
        return bytes(self.note)

    @property
    def digest(self) -> str:
        """The document's digest: what it says is the very text of the note."""
        return hashlib.sha256(self.note.text.encode()).hexdigest()


def _values(one: Any) -> Any:
    """Dataclasses, lists, instants and texts as JSON values."""
    if isinstance(one, datetime):
        return instant(one)
    if isinstance(one, tuple):
        return [_values(each) for each in one]
    names = getattr(one, "__dataclass_fields__", None)
    return {name: _values(getattr(one, name)) for name in names} if names else one


def _document(fields: Fields) -> KeyDocument:
    if fields.text("format") != LABEL:
        raise BadFile("its format is not known", WHERE)
    made = KeyDocument(
        serial=fields.number("serial"), previous=fields.maybe_text("previous"),
        issued_at=keyparts.instant_in(fields, "issued_at"), origin=fields.text("origin"),
        school=school(fields.fields("school")),
        recipients=tuple(sealing_key(Fields(one, WHERE)) for one in fields.items("recipients", MAX_RECIPIENTS)),
        signing=tuple(signing_pair(Fields(one, WHERE)) for one in fields.items("signing", MAX_KEYS)),
        revoked=tuple(revocation(Fields(one, WHERE)) for one in fields.items("revoked", MAX_REVOCATIONS)),
    )  # fmt: skip
    if made.previous is not None:
        digest_of(made.previous, WHERE)
    fields.done()
    return made


def fingerprint_words(document: KeyDocument) -> tuple[str, ...]:
    """The eight words that two people compare over the telephone."""
    return eight_words(bytes.fromhex(document.digest))


@lru_cache(maxsize=CACHED)
def open_document(data: bytes) -> SignedDocument:
    """The key document in a note, signed by its own keys; nothing says yet whose it is. Raises BadKeyDocument."""
    try:
        made = note.parse(data)
        label, _, body = made.text.partition("\n")
        document = _document(Fields(canonical.load(body.removesuffix("\n").encode(), WHERE), WHERE))
        note.require(made, document.proving)
    except (BadNote, BadKey, BadFile, ValueError) as error:
        what = "it is not signed by its own keys" if isinstance(error, BadSignature) else "it is malformed"
        raise BadKeyDocument(what, "key document") from error
    if label != LABEL or document.text != made.text:
        raise BadKeyDocument("it is not in its one canonical form", "key document")
    return SignedDocument(document, made)


def check_follows(new: SignedDocument, old: SignedDocument) -> None:
    """Check that ``new`` is the document after ``old``, signed by its keys. Raises BadKeyDocument."""
    after, before = new.document, old.document
    chained = after.serial == before.serial + 1 and after.previous == old.digest
    if not chained or after.origin != before.origin or after.issued_at < before.issued_at:
        raise BadKeyDocument(f"it does not follow document {before.serial}", "key document")
    check_keeps_revocations(after, before)
    try:
        note.require(new.note, before.proving)
    except BadSignature as error:
        raise BadKeyDocument(f"the keys of document {before.serial} did not sign it", "key document") from error


def check_keeps_revocations(after: KeyDocument, before: KeyDocument) -> None:
    """A revocation is for ever, and its instant never moves to later. Raises BadKeyDocument."""
    for each in before.revoked:
        if not any(kept.key_id == each.key_id and kept.at <= each.at for kept in after.revoked):
            raise BadKeyDocument("it forgets that a key was revoked", "key document")
