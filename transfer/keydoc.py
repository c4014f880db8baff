"""A school's key document: who it is, which keys speak for it and until when, in a note signed by those keys.

The note's text is the label, the document as RFC 8785 JSON on one line, and a newline. It is signed by its own newest
manifest and receipt pairs, four lines; from serial 2 on also by those of the document before it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Literal, Self

import rfc8785
from pydantic import Field, StringConstraints, ValidationError, model_validator

from domain.base import Instant, Value
from transfer import note
from transfer.agekey import Recipient
from transfer.errors import BadKey, BadKeyDocument, BadNote, BadSignature, ExpiredKey, UnknownSigner
from transfer.note import Note, Verifier
from transfer.signingkeys import Purpose
from transfer.words import eight_words

LABEL = "astrack/keys/v1"
PROVING = (Purpose.MANIFEST, Purpose.RECEIPT)
MAX_KEYS, MAX_RECIPIENTS, MAX_REVOCATIONS = 32, 16, 64

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
KeyText = Annotated[str, StringConstraints(max_length=note.MAX_VKEY_CHARS)]


@lru_cache(maxsize=4096)
def _verifiers(first: str, second: str) -> tuple[Verifier, Verifier]:
    return Verifier.parse(first), Verifier.parse(second)


@lru_cache(maxsize=4096)
def _key_id(verifiers: tuple[Verifier, Verifier]) -> str:
    return hashlib.sha256(b"".join(key.public for key in verifiers)).hexdigest()


class School(Value):
    """Who the school says it is; all but the name may be absent (an independent school, a protected move)."""

    name: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
    urn: Annotated[str, StringConstraints(pattern=r"^[0-9]{5,7}$")] | None = None
    lea: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")] | None = None
    estab: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None


class Dated(Value):
    """Something valid from one instant until another, which is no longer part of it."""

    valid_from: Instant
    valid_until: Instant

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from >= self.valid_until:
            raise ValueError("a key ends before it begins")
        return self

    def holds(self, at: datetime) -> bool:
        """Whether it is valid at this instant."""
        return self.valid_from <= at < self.valid_until


class SealingKey(Dated):
    """An age recipient that files for this school are sealed for."""

    recipient: KeyText

    @property
    def key(self) -> Recipient:
        """The recipient itself."""
        return Recipient.parse(self.recipient)


class SigningPair(Dated):
    """The public halves of one purpose's two keys, as vkeys."""

    purpose: Purpose
    ed25519: KeyText
    ml_dsa: KeyText

    @property
    def verifiers(self) -> tuple[Verifier, Verifier]:
        """Both verifier keys; both signatures are required."""
        return _verifiers(self.ed25519, self.ml_dsa)

    @property
    def key_id(self) -> str:
        """SHA-256 of both public keys, 64 hex digits: how manifests and receipts name the pair."""
        return _key_id(self.verifiers)

    def for_log(self, origin: str) -> tuple[Verifier, Verifier]:
        """The pair under the origin of another log of the school (who looked)."""
        first, second = self.verifiers
        return Verifier(origin, first.kind, first.public), Verifier(origin, second.kind, second.public)


class Revocation(Value):
    """From this instant nothing that the key signed or opens is to be trusted on its word alone."""

    key_id: Digest
    at: Instant


class KeyDocument(Value):
    """What a school publishes about its keys; newest key of each purpose last."""

    serial: Annotated[int, Field(ge=1, le=1_000_000)]
    previous: Digest | None
    issued_at: Instant
    origin: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-*,-~]+$")]
    school: School
    recipients: Annotated[tuple[SealingKey, ...], Field(max_length=MAX_RECIPIENTS)]
    signing: Annotated[tuple[SigningPair, ...], Field(max_length=MAX_KEYS)]
    revoked: Annotated[tuple[Revocation, ...], Field(max_length=MAX_REVOCATIONS)] = ()
    format: Literal["astrack/keys/v1"] = "astrack/keys/v1"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
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
        return self

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{LABEL}\n{rfc8785.dumps(self.model_dump(mode='json')).decode()}\n"

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


def fingerprint_words(document: KeyDocument) -> tuple[str, ...]:
    """The eight words that two people compare over the telephone."""
    return eight_words(bytes.fromhex(document.digest))


def open_document(data: bytes) -> SignedDocument:
    """The key document in a note, signed by its own keys; nothing says yet whose it is. Raises BadKeyDocument."""
    try:
        made = note.parse(data)
        label, _, body = made.text.partition("\n")
        document = KeyDocument.model_validate_json(body)
        note.require(made, document.proving)
    except (BadNote, BadKey, ValidationError) as error:
        what = "it is not signed by its own keys" if isinstance(error, BadSignature) else "it is malformed"
        raise BadKeyDocument(what, "key document") from error
    if label != LABEL or document.text != made.text:
        raise BadKeyDocument("it is not in its one canonical form", "key document")
    return SignedDocument(document, made)


def check_follows(new: SignedDocument, old: SignedDocument) -> None:
    """Check that ``new`` is the document after ``old``, signed by its keys. Raises BadKeyDocument."""
    after, before = new.document, old.document
    chained = after.serial == before.serial + 1 and after.previous == before.digest
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
