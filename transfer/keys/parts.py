"""What a key document is made of: the school, its recipients, its signing pairs, and what was revoked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from transfer.age.key import Recipient
from transfer.canonical import Fields
from transfer.evidence import note
from transfer.evidence.note import Verifier
from transfer.keys.signing import Purpose
from transfer.manifest import digest_of, instant_of

FORMS: Mapping[str, str] = {
    "name": r"[^\x00-\x1f\x7f]{0,200}", "urn": r"[0-9]{5,7}", "lea": r"[0-9]{3}", "estab": r"[0-9]{4}",
    "origin": r"[!-*,-~]{1,200}",
}  # fmt: skip
WHERE = "key document"


def held(form: str, text: str | None) -> None:
    """A text that is there has the form of its name. Raises ValueError."""
    if text is not None and not re.fullmatch(FORMS[form], text):
        raise ValueError(f"the {form} has not the form of one")


@lru_cache(maxsize=4096)
def _verifiers(first: str, second: str) -> tuple[Verifier, Verifier]:
    return Verifier.parse(first), Verifier.parse(second)


@lru_cache(maxsize=4096)
def _recipient(text: str) -> Recipient:
    return Recipient.parse(text)


@lru_cache(maxsize=4096)
def _key_id(verifiers: tuple[Verifier, Verifier]) -> str:
    return hashlib.sha256(b"".join(key.public for key in verifiers)).hexdigest()


@dataclass(frozen=True, slots=True)
class School:
    """Who the school says it is; all but the name may be absent (an independent school, a protected move)."""

    name: str
    urn: str | None = None
    lea: str | None = None
    estab: str | None = None

    def __post_init__(self) -> None:
        for form in ("name", "urn", "lea", "estab"):
            held(form, getattr(self, form))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """Something valid from one instant until another, which is no longer part of it."""

    valid_from: datetime
    valid_until: datetime

    def __post_init__(self) -> None:
        if self.valid_from >= self.valid_until:
            raise ValueError("a key ends before it begins")

    def holds(self, at: datetime) -> bool:
        """Whether it is valid at this instant."""
        return self.valid_from <= at < self.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey(Dated):
    """An age recipient that files for this school are sealed for."""

    recipient: str

    @property
    def key(self) -> Recipient:
        """The recipient itself."""
        return _recipient(self.recipient)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPair(Dated):
    """The public halves of one purpose's two keys, as vkeys."""

    purpose: Purpose
    ed25519: str
    ml_dsa: str

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """From this instant nothing that the key signed or opens is to be trusted on its word alone."""

    key_id: str
    at: datetime


def school(fields: Fields) -> School:
    """The school in these fields. Raises BadFile, ValueError."""
    made = School(fields.text("name"), *(fields.maybe_text(name) for name in ("urn", "lea", "estab")))
    fields.done()
    return made


def sealing_key(fields: Fields) -> SealingKey:
    """A recipient in these fields. Raises BadFile, ValueError."""
    made = SealingKey(**_dates(fields), recipient=fields.text("recipient", note.MAX_VKEY_CHARS))
    fields.done()
    return made


def signing_pair(fields: Fields) -> SigningPair:
    """A pair in these fields. Raises BadFile, ValueError."""
    first, second = (fields.text(name, note.MAX_VKEY_CHARS) for name in ("ed25519", "ml_dsa"))
    made = SigningPair(**_dates(fields), purpose=Purpose(fields.text("purpose")), ed25519=first, ml_dsa=second)
    fields.done()
    return made


def revocation(fields: Fields) -> Revocation:
    """A revocation in these fields. Raises BadFile."""
    made = Revocation(key_id=digest_of(fields.text("key_id"), WHERE), at=instant_in(fields, "at"))
    fields.done()
    return made


def _dates(fields: Fields) -> dict[str, datetime]:
    return {name: instant_in(fields, name) for name in ("valid_from", "valid_until")}


def instant_in(fields: Fields, name: str) -> datetime:
    """An instant of this name. Raises BadFile."""
    return instant_of(fields.text(name), WHERE)
