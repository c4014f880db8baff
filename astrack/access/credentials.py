"""What people sign in with: made, shown once, kept only as a keyed hash.

A code (staff, once), a card of four words (pupil, for a term), a letter's code (parent, once), a key (a service).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from astrack.store import SchoolLog
from astrack.words import WORDS
from domain.base import DomainError

Kind = Literal["code", "card", "letter", "key", "password", "oidc", "client"]
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U to mistake."""
CODE_CHARACTERS = 16
CARD_WORDS = 4
CODE_FOR = timedelta(days=3)
LETTER_FOR = timedelta(days=30)
CARD_FOR = timedelta(days=120)
KEY_DAYS_MAX = 366
KEY_PREFIX = "astrack_"
TYPED_MAX = 100
_KNOWN_WORDS = frozenset(WORDS)
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})

NAME_MAX, PASSWORD_MIN, PASSWORD_MAX = 100, 12, 200
STANDS_FOR = timedelta(days=3650)
"""A password or a link to a provider stands until it is replaced, taken away, or its person has left."""
ARGON = PasswordHasher()
"""Argon2id with the parameters of RFC 9106, section 4, second choice."""
NOBODYS = ARGON.hash("nobody's password: what a name that is not there is compared with")

FIND = (
    "SELECT credential_id, account_id, about, kind, verifier, expires_at, used_at, only_actions FROM record.credentials"
    " WHERE school_id = %s AND credential_id = %s"
)
KEEP = "INSERT INTO record.credentials VALUES (%s, %s, %s, %s, %s, %s, %s, %s, NULL)"
KEEP_LIMITED = KEEP.replace("NULL)", "NULL, %s::text[])")
OWN = "SELECT verifier FROM record.credentials WHERE school_id = %s AND account_id = %s AND kind = 'password'"
USE = (
    "WITH asked AS (SELECT %s::uuid AS school, %s::uuid AS id, %s::timestamptz AS at)"
    " UPDATE record.credentials c SET used_at = asked.at FROM asked"
    " WHERE c.school_id = asked.school AND c.credential_id = asked.id AND c.used_at IS NULL RETURNING 1"
)


class PasswordUnfit(DomainError):
    """The password is too short, too long, holds the name, or is one that is guessed early."""


GUESSED_MAX, GUESSED_LEAST = 72, 3
"""So many characters are looked at; a score below it means under 10^8 guesses (Wheeler 2016, zxcvbn)."""


class NameTaken(DomainError):
    """The name or the account is somebody else's here."""


@dataclass(frozen=True, slots=True)
class Found:
    """A credential that fits and may be used now. ``only``: the actions a service's key is limited to."""

    credential_id: UUID
    account_id: UUID
    about: UUID | None
    kind: Kind
    expires_at: datetime
    only: frozenset[str] | None = None


class Credentials:
    """The credentials of one school."""

    def __init__(self, log: SchoolLog, clock: Callable[[], datetime]) -> None:
        self._log, self._clock = log, clock

    def code(self, account_id: UUID) -> str:
        """A code that signs a member of staff in once, within three days."""
        return self._typed("code", account_id, None, CODE_FOR)

    def letter(self, account_id: UUID, pupil_id: UUID) -> str:
        """A code that lets a parent in once, for one pupil, within thirty days."""
        return self._typed("letter", account_id, pupil_id, LETTER_FOR)

    def card(self, pupil_id: UUID) -> str:
        """Four words that sign a pupil in, for 120 days; cards made before stop working."""
        self.drop(pupil_id, "card")
        words = " ".join(secrets.choice(WORDS) for _ in range(CARD_WORDS))
        self._keep("card", words, pupil_id, None, CARD_FOR)
        return words

    def key(self, account_id: UUID, days: int, only: Sequence[str] = ()) -> str:
        """A token for a service, shown this once; ``only``: the actions it is limited to, none for all granted."""
        secret, credential_id = secrets.token_bytes(32), UUID(bytes=secrets.token_bytes(16))
        at = self._clock()
        until = at + timedelta(days=min(days, KEY_DAYS_MAX))
        verifier = hashlib.sha256(secret).digest()
        self._log.ask(KEEP_LIMITED, credential_id, account_id, None, "key", verifier, at, until, list(only) or None)
        return KEY_PREFIX + token(self._log.school_id, credential_id, secret)

    def set_password(self, account_id: UUID, name: str, password: str) -> None:
        """A name and a password for somebody, in place of those before. Raises PasswordUnfit, NameTaken."""
        name, password = _folded(name), unicodedata.normalize("NFC", password)
        if not 1 <= len(name) <= NAME_MAX or not PASSWORD_MIN <= len(password) <= PASSWORD_MAX or name in password:
            raise PasswordUnfit(f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters, without your name in it")
        if guessable(password, name):
            raise PasswordUnfit("this password is among the first that are guessed: take a sentence of your own")
        credential_id = self._named("password", name)
        rows = self._log.ask(FIND, credential_id)
        if rows and rows[0][1] != account_id:
            raise NameTaken("somebody here signs in with that name already: choose another")
        self.drop(account_id, "password")
        at = self._clock()
        hashed = ARGON.hash(password).encode()
        self._log.ask(KEEP, credential_id, account_id, None, "password", hashed, at, at + STANDS_FOR)

    def find_password(self, name: str, password: str) -> Found | None:
        """Whose name and password these are; a name that is not there takes as long."""
        rows = self._log.ask(FIND, self._named("password", _folded(name[:NAME_MAX])))
        good = bool(rows) and rows[0][3] == "password"
        fits = _fits(bytes(rows[0][4]).decode() if good else NOBODYS, password)
        return Found(rows[0][0], rows[0][1], None, "password", rows[0][5]) if good and fits else None

    def has_password(self, account_id: UUID) -> bool:
        """Whether somebody has a password here."""
        return bool(self._log.ask(OWN, account_id))

    def is_password(self, account_id: UUID, password: str) -> bool:
        """Whether it is the password somebody has; nothing is where they have none."""
        return any(_fits(bytes(kept).decode(), password) for (kept,) in self._log.ask(OWN, account_id))

    def link(self, account_id: UUID, issuer: str, subject: str) -> None:
        """Somebody's account with a provider signs them in from now on. Raises NameTaken."""
        mac = self._mac("oidc", f"{issuer}\n{subject}")
        rows = self._log.ask(FIND, UUID(bytes=mac[:16]))
        if rows and rows[0][1] != account_id:
            raise NameTaken("this account is linked to somebody else here: sign in with another")
        if not rows:
            at = self._clock()
            self._log.ask(KEEP, UUID(bytes=mac[:16]), account_id, None, "oidc", mac[16:], at, at + STANDS_FOR)

    def find_link(self, issuer: str, subject: str) -> Found | None:
        """Whose account with a provider this is."""
        mac = self._mac("oidc", f"{issuer}\n{subject}")
        return self._found(UUID(bytes=mac[:16]), mac[16:])

    def client_key(self, account_id: UUID, public_key: str, days: int, only: Sequence[str] = ()) -> UUID:
        """The public key a service client signs its assertions with (JWK as JSON); the client's id. ``only`` as in
        ``key``."""
        client_id, at = UUID(bytes=secrets.token_bytes(16)), self._clock()
        until = at + timedelta(days=min(days, KEY_DAYS_MAX))
        kept = public_key.encode()
        self._log.ask(KEEP_LIMITED, client_id, account_id, None, "client", kept, at, until, list(only) or None)
        return client_id

    def find_client(self, client_id: UUID) -> tuple[Found, str] | None:
        """A service client and its public key, if its time is not up."""
        rows = self._log.ask(FIND, client_id)
        if not rows or rows[0][3] != "client" or rows[0][5] <= self._clock():
            return None
        return Found(client_id, rows[0][1], None, "client", rows[0][5], _limit(rows[0])), bytes(rows[0][4]).decode()

    def hashed(self, name: str) -> bytes:
        """A name as a keyed hash, for what must be told apart and not read."""
        return self._mac("tries", name)[:16]

    def drop(self, account_id: UUID, kind: Kind | None = None) -> None:
        """Destroy what an account signs in with: all of it, or one kind."""
        query = "DELETE FROM record.credentials WHERE school_id = %s AND account_id = %s"
        self._log.ask(query + " AND (%s::text IS NULL OR kind = %s)", account_id, kind, kind)

    def find_typed(self, typed: str) -> Found | None:
        """The card, code or letter that fits what somebody typed, if its time is not up and it was not used."""
        kind, text = normalised(typed)
        mac = self._mac(kind, text)
        return self._found(UUID(bytes=mac[:16]), mac[16:])

    def find_key(self, credential_id: UUID, secret: bytes) -> Found | None:
        """The service key a token names."""
        return self._found(credential_id, hashlib.sha256(secret).digest())

    def stamp(self, name: str) -> str:
        """What shows that this school gave a device its name."""
        return self._mac("device", name).hex()[:32]

    def use(self, found: Found) -> bool:
        """Use up a code or a letter; False when somebody else did first. Cards and keys are not used up."""
        if found.kind in ("card", "key"):
            return True
        return bool(self._log.ask(USE, found.credential_id, self._clock()))

    def _typed(self, kind: Kind, account_id: UUID, about: UUID | None, lasts: timedelta) -> str:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))
        self._keep(kind, code, account_id, about, lasts)
        return "-".join(code[at : at + 4] for at in range(0, CODE_CHARACTERS, 4))

    def _keep(self, kind: Kind, text: str, account_id: UUID, about: UUID | None, lasts: timedelta) -> None:
        mac = self._mac("card" if kind == "card" else "code", text)
        at = self._clock()
        self._log.ask(KEEP, UUID(bytes=mac[:16]), account_id, about, kind, mac[16:], at, at + lasts)

    def _found(self, credential_id: UUID, verifier: bytes) -> Found | None:
        rows = self._log.ask(FIND, credential_id)
        kept = rows[0][4] if rows else bytes(len(verifier))
        fits = hmac.compare_digest(kept, verifier)
        if not rows or not fits or rows[0][5] <= self._clock() or rows[0][6] is not None:
            return None
        found_id, account_id, about, kind, _, expires_at, *_ = rows[0]
        return Found(found_id, account_id, about, kind, expires_at, _limit(rows[0]))

    def _named(self, kind: str, name: str) -> UUID:
        return UUID(bytes=self._mac(kind, name)[:16])

    def _mac(self, kind: str, text: str) -> bytes:
        return hmac.digest(self._log.secret(), f"astrack/{kind}/v1\n{text}".encode(), "sha256")


def normalised(typed: str) -> tuple[Literal["card", "code"], str]:
    """What somebody typed, as it was made: four words, or sixteen characters; case, spaces, hyphens do not matter."""
    words = "".join(one if one.isalpha() else " " for one in typed[:TYPED_MAX].lower()).split()
    if len(words) == CARD_WORDS and _KNOWN_WORDS.issuperset(words):
        return "card", " ".join(words)
    kept = "".join(one for one in typed[:TYPED_MAX].upper() if one.isascii() and one.isalnum())
    return "code", kept.translate(_MISREAD)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def guessable(password: str, name: str) -> bool:
    """Whether it would be guessed early: common and leaked ones, words, names, keys in a row, and plays on them."""
    from zxcvbn import zxcvbn  # its lists take 80 ms to load, which few commands need

    return int(zxcvbn(password[:GUESSED_MAX], user_inputs=[name, "astrack"])["score"]) < GUESSED_LEAST


def _fits(hashed: str, password: str) -> bool:
    try:
        return ARGON.verify(hashed, unicodedata.normalize("NFC", password[:PASSWORD_MAX]))
    except (VerificationError, InvalidHashError):
        return False


def _limit(row: Sequence[Any]) -> frozenset[str] | None:
    return None if row[7] is None else frozenset(row[7])


def token(school_id: UUID, row_id: UUID, secret: bytes) -> str:
    """School, row and secret as one text; the school and the row tell where to look, the secret proves."""
    return urlsafe_b64encode(school_id.bytes + row_id.bytes + secret).decode()


def read_token(text: str) -> tuple[UUID, UUID, bytes] | None:
    """The parts of a token; None when it is not one."""
    try:
        raw = urlsafe_b64decode(text.encode()) if len(text) < 200 else b""
    except ValueError:
        return None
    return (UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), raw[32:]) if len(raw) == 64 else None
