"""The key directory of one reader: which key documents it has pinned, and which key may therefore speak for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from transfer.errors import BadKeyDocument, BadSignature, UnknownSigner
from transfer.evidence import note
from transfer.evidence.note import Verifier
from transfer.keys.document import (
    KeyDocument,
    SignedDocument,
    SigningPair,
    check_follows,
    check_keeps_revocations,
    fingerprint_words,
    open_document,
)
from transfer.keys.signing import Purpose
from transfer.keys.words import same_words

ASK = "Compare the eight words with the school over a telephone number you already know, then pin its document."
MAX_PINNED = 100_000


@dataclass(frozen=True, slots=True)
class Trusted:
    """A key that the directory knows, and the newest document of the school it speaks for."""

    document: KeyDocument
    pair: SigningPair


@dataclass(frozen=True, slots=True)
class KeyDirectory:
    """Pinned documents by log origin, oldest first; ``vouchers`` are the keys of a directory that countersigns."""

    pinned: Mapping[str, tuple[SignedDocument, ...]] = field(default_factory=dict)
    vouchers: tuple[Verifier, ...] = ()

    @classmethod
    def load(cls, notes: Iterable[bytes], vouchers: tuple[Verifier, ...] = ()) -> KeyDirectory:
        """The directory from notes this reader pinned earlier, in the order of ``notes()``. Raises BadKeyDocument."""
        pinned: dict[str, tuple[SignedDocument, ...]] = {}
        for count, data in enumerate(notes):
            signed = open_document(data)
            origin, earlier = signed.document.origin, pinned.get(signed.document.origin, ())
            if count == MAX_PINNED or (earlier and earlier[-1].document.serial >= signed.document.serial):
                raise BadKeyDocument("the pinned documents are out of order", f"key documents of {origin}")
            pinned[origin] = (*earlier, signed)
        return cls(pinned, vouchers)

    def notes(self) -> list[bytes]:
        """The notes to keep, for ``load``."""
        return [bytes(signed) for chain in self.pinned.values() for signed in chain]

    def latest(self, origin: str) -> KeyDocument | None:
        """The newest pinned document of a log's school."""
        chain = self.pinned.get(origin)
        return chain[-1].document if chain else None

    def by_urn(self, urn: str) -> KeyDocument | None:
        """The newest pinned document of the school with this unique reference number."""
        return next((c[-1].document for c in self.pinned.values() if c[-1].document.school.urn == urn), None)

    def pin(self, data: bytes, words: str | None = None) -> KeyDirectory:
        """The directory with this document pinned; the same one again changes nothing. Raises BadKeyDocument.

        It must follow the pinned one and bear its signatures; or the directory's two signatures (a first document);
        or ``words`` are what a person read out over the telephone (a first document, or all keys lost).
        """
        signed = open_document(data)
        earlier = self.pinned.get(signed.document.origin, ())
        if earlier and earlier[-1].document == signed.document:
            return self
        self._check_names(signed.document)
        if earlier:
            self._check_newer(signed, earlier[-1], words)
        elif not (self._confirmed(signed, words) or self._vouched(signed)):
            raise BadKeyDocument("nobody has confirmed it yet", self._where(signed), ASK)
        return replace(self, pinned={**self.pinned, signed.document.origin: (*earlier, signed)})

    def _check_newer(self, new: SignedDocument, old: SignedDocument, words: str | None) -> None:
        if new.document.serial <= old.document.serial:
            raise BadKeyDocument(f"document {old.document.serial} is pinned already", self._where(new))
        if not self._confirmed(new, words):
            check_follows(new, old)
        check_keeps_revocations(new.document, old.document)

    def _check_names(self, document: KeyDocument) -> None:
        """No school may take the number of another."""
        urn = document.school.urn
        holder = self.by_urn(urn) if urn else None
        if holder and holder.origin != document.origin:
            raise BadKeyDocument(f"its URN {urn} is that of {holder.school.name}, pinned already", "key document")

    def _confirmed(self, signed: SignedDocument, words: str | None) -> bool:
        if words is None:
            return False
        if not same_words(words, fingerprint_words(signed.document)):
            raise BadKeyDocument("the eight words are not those of this document", self._where(signed), ASK)
        return True

    def _vouched(self, signed: SignedDocument) -> bool:
        try:
            return bool(self.vouchers and note.require(signed.note, self.vouchers))
        except BadSignature:
            return False

    @staticmethod
    def _where(signed: SignedDocument) -> str:
        return f"key document {signed.document.serial} of {signed.document.origin}"

    def signer_for(self, purpose: Purpose, key_id: str, at: datetime) -> Trusted:
        """The key of this id, valid for the purpose at this instant. Raises UnknownSigner or ExpiredKey.

        The newest document that lists the key decides; revocations of the newest document hold for every older one.
        """
        for chain in self.pinned.values():
            for signed in reversed(chain):
                document = replace(signed.document, revoked=chain[-1].document.revoked)
                if any(pair.key_id == key_id and pair.purpose is purpose for pair in document.signing):
                    return Trusted(chain[-1].document, document.signer(purpose, key_id, at))
        raise UnknownSigner(f"no pinned key document lists the {purpose.value} key {key_id[:16]}", "key directory", ASK)
