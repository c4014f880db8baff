"""A school's own keys: made at first use, renewed every year, kept under the school's key."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.base import DomainError
from domain.identity import SchoolName
from transfer.age import Identity, write_agekey
from transfer.evidence.chain import b64, unb64
from transfer.evidence.note import Signer
from transfer.keys import issue as keyissue
from transfer.keys.document import Revocation, School, SignedDocument, open_document
from transfer.keys.signing import Purpose, SigningKeys

PREFIX = "keys/"
YEAR = timedelta(days=365)
OVERLAP = keyissue.OVERLAP
SERIALS_MAX = 999


class SchoolNotRegistered(DomainError):
    """The school has not said yet who it is."""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """One serial of a school's keys: what signs, what opens, and the document that tells others of both."""

    signing: SigningKeys
    identity: Identity
    signed: SignedDocument

    def signers(self, purpose: Purpose) -> tuple[Signer, Signer]:
        """The pair of one purpose."""
        return self.signing.signers(purpose, self.signed.document.origin)

    def __bytes__(self) -> bytes:
        parts = {"signing": bytes(self.signing), "identity": self.identity.seed, "document": bytes(self.signed)}
        return json.dumps({name: b64(part) for name, part in parts.items()}).encode()

    @classmethod
    def parse(cls, data: bytes) -> OwnKeys:
        """What ``bytes(keys)`` gave."""
        raw = json.loads(data)
        signing, seed, document = (unb64(raw[name], name) for name in ("signing", "identity", "document"))
        return cls(SigningKeys.parse(signing), Identity(seed), open_document(document))


class Keeps(Protocol):
    """Where keys are kept for ever, by name."""

    def names(self, prefix: str) -> list[str]:
        """The names that begin with a prefix, in order."""

    def kept(self, name: str) -> bytes | None:
        """What is kept under a name."""

    def keep(self, name: str, content: bytes, at: datetime) -> bytes:
        """Keep something under a name; what was there first is the answer."""


class NothingRevoked(DomainError):
    """Another process changed the keys at the same moment."""


class Signing:
    """The keys of one school. ``name`` says who the school is, None while it is not registered; ``opens``: files can be
    sealed for it, as they never are for a directory.
    """

    def __init__(
        self,
        vault: Keeps,
        name: Callable[[], SchoolName | None],
        random: Callable[[int], bytes] = os.urandom,
        *,
        opens: bool = True,
    ) -> None:
        self._vault, self._name, self._random, self._opens = vault, name, random, opens
        self._known: list[OwnKeys] = []

    def all(self, at: datetime) -> list[OwnKeys]:
        """Every serial, oldest first; the first is made and the last renewed where it is time.

        Raises SchoolNotRegistered.
        """
        if len(self._known) < len(names := self._vault.names(PREFIX)) or not self._known:
            self._known = [OwnKeys.parse(self._vault.kept(name) or b"") for name in names]
        if not self._known:
            self._add(self._first(at), at)
        while self._due(self._known[-1], at) and len(self._known) < SERIALS_MAX:
            self._add(self._next(self._known[-1], at), at)
        return self._known

    def newest(self, at: datetime) -> OwnKeys:
        """The keys that sign now. Raises SchoolNotRegistered."""
        return self.all(at)[-1]

    def documents(self, at: datetime) -> list[bytes]:
        """The school's key documents, oldest first."""
        return [bytes(one.signed) for one in self.all(at)]

    def identities(self, at: datetime) -> list[Identity]:
        """What opens files sealed for this school, newest first."""
        return [one.identity for one in reversed(self.all(at))]

    def key_files(self, at: datetime) -> dict[str, str]:
        """The age key files, by name: secret, for those who open a sealed file with a stock tool."""
        return {f"{number:03d}.agekey": write_agekey(one.identity) for number, one in enumerate(self.all(at), 1)}

    def _due(self, keys: OwnKeys, at: datetime) -> bool:
        return at >= keys.signed.document.newest(Purpose.MANIFEST).valid_until - OVERLAP

    def _add(self, fresh: OwnKeys, at: datetime) -> None:
        # another process may be first: then its keys are the school's
        kept = self._vault.keep(f"{PREFIX}{fresh.signed.document.serial:06d}", bytes(fresh), at)
        self._known = [*self._known, OwnKeys.parse(kept)]

    def _first(self, at: datetime) -> OwnKeys:
        name = self.registered()
        signing, identity = SigningKeys.draw(self._random), Identity(self._random(32))
        origin = origin_of(name)
        recipients = [identity.recipient] if self._opens else []
        made = keyissue.first_document(school_of(name), origin, signing, recipients, at, at + YEAR + OVERLAP)
        return OwnKeys(signing, identity, made)

    def revoke(self, at: datetime) -> OwnKeys:
        """Say that no key so far is to be trusted from now on, and go on with new ones. Raises NothingRevoked."""
        last = self.newest(at)
        self._add(self._next(last, at, revoked=True), at)
        made, old = self._known[-1], last.signed.document.newest(Purpose.MANIFEST).key_id
        if old not in {one.key_id for one in made.signed.document.revoked}:
            raise NothingRevoked("the keys were renewed at this very moment and none was revoked: do it again")
        return made

    def _next(self, last: OwnKeys, at: datetime, *, revoked: bool = False) -> OwnKeys:
        signing, identity = SigningKeys.draw(self._random), Identity(self._random(32))
        before = last.signed.document
        known = {one.key_id for one in before.revoked}
        recipients = [*([] if revoked else [last.identity.recipient]), identity.recipient] if self._opens else []
        ids = [one.key_id for one in before.signing] + [one.key.fingerprint for one in before.recipients]
        made = keyissue.next_document(
            last.signed, last.signing, signing, recipients,
            at, at + YEAR + OVERLAP, [Revocation(key_id=one, at=at) for one in ids if revoked and one not in known],
            school_of(self.registered()),
        )  # fmt: skip
        return OwnKeys(signing, identity, made)

    def registered(self) -> SchoolName:
        """The school as it registered itself. Raises SchoolNotRegistered."""
        name = self._name()
        if name is None:
            raise SchoolNotRegistered("this school has not been registered yet: give its name and numbers first")
        return name


def origin_of(name: SchoolName) -> str:
    """The origin of a school's log: what it chose, else one made from its id."""
    return name.origin or default_origin(name.school_id)


def default_origin(school_id: UUID) -> str:
    """An origin that no other log has."""
    return f"astrack.invalid/{school_id}"


def school_of(name: SchoolName) -> School:
    """Who the school is, as a key document says it: a number of another form is left out."""
    return School(
        name=name.name, urn=_number(name.urn, r"\d{5,7}"), lea=_number(name.lea, r"\d{3}"),
        estab=_number(name.estab, r"\d{4}"),
    )  # fmt: skip


def _number(text: str, form: str) -> str | None:
    return text if re.fullmatch(form, text) else None
