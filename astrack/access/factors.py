"""Second factors of staff: authenticator apps (TOTP), passkeys, recovery codes. Sealed with the school's key.

Whoever issues invitations cannot sign in as somebody with a second factor; whoever takes a lost factor away cannot
issue invitations (domain.authority: MANAGE_STAFF and RESET_FACTOR are no one role's).
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from astrack.access.credentials import ALPHABET, normalised
from astrack.store import SchoolLog
from domain.base import DomainError

DIGITS, STEP_S = 6, 30
TYPED_MAX = 40
DRIFT = (-1, 0, 1)
"""Steps either side of now that are taken: clocks of telephones differ (RFC 6238, section 5.2)."""
RECOVERY_CODES, RECOVERY_CHARACTERS = 10, 12
PENDING_FOR = timedelta(minutes=10)
LABEL = b"factor"

KEEP = "INSERT INTO record.factors VALUES (%s, %s, %s, %s, %s, %s, %s)"
HELD = (
    "SELECT factor_id, kind, sealed, made_at, confirmed_at FROM record.factors WHERE school_id = %s AND account_id = %s"
    " AND (%s::text IS NULL OR kind = %s) ORDER BY made_at, factor_id"
)
# only in place of what was read: a code that is sent twice at once counts once
RESEAL = (
    "WITH asked AS (SELECT %s::uuid AS school, %s::uuid AS id, %s::bytea AS was, %s::bytea AS now,"
    " %s::timestamptz AS at)"
    " UPDATE record.factors f SET sealed = asked.now, confirmed_at = coalesce(f.confirmed_at, asked.at) FROM asked"
    " WHERE f.school_id = asked.school AND f.factor_id = asked.id AND f.sealed = asked.was RETURNING 1"
)
DROP = "DELETE FROM record.factors WHERE school_id = %s AND account_id = %s AND (%s::text IS NULL OR kind = %s)"
SPEND = "DELETE FROM record.factors WHERE school_id = %s AND factor_id = %s AND kind = 'challenge' RETURNING 1"


class FactorRefused(DomainError):
    """The code or passkey is not the one expected, or was used before."""


WRONG = "that code is not right, or was used before: wait for the next one, or use a recovery code"


class Factors:
    """The second factors of one school."""

    def __init__(self, log: SchoolLog, clock: Callable[[], datetime]) -> None:
        self._log, self._clock = log, clock

    def kinds(self, account_id: UUID) -> set[str]:
        """Which kinds of factors somebody has confirmed."""
        return {row[1] for row in self._rows(account_id) if row[4] is not None and row[1] != "recovery"}

    def begin_totp(self, account_id: UUID, label: str) -> tuple[str, str]:
        """A fresh secret for an authenticator app, as text and as an address; it holds once confirmed."""
        for row in self._rows(account_id, "totp"):
            if row[4] is None:
                self._log.ask("DELETE FROM record.factors WHERE school_id = %s AND factor_id = %s", row[0])
        secret = secrets.token_bytes(20)
        self.keep(account_id, "totp", {"secret": secret.hex(), "step": 0})
        return base64.b32encode(secret).decode(), _totp(secret).get_provisioning_uri(label, "astrack")

    def confirm_totp(self, account_id: UUID, code: str) -> list[str]:
        """The app works: from now on it is asked for. Recovery codes where there are none. Raises FactorRefused."""
        pending, digits = [row for row in self._rows(account_id, "totp") if row[4] is None], _digits(code)
        if not any(self._totp_fits(row, digits) for row in pending):
            raise FactorRefused(WRONG)
        return self.recovery_codes(account_id, anew=False)

    def recovery_codes(self, account_id: UUID, *, anew: bool = True) -> list[str]:
        """Ten codes for when everything else is lost, each good once; shown this once. [] where there are some."""
        if not anew and self._rows(account_id, "recovery"):
            return []
        self.drop(account_id, "recovery")
        codes = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_CHARACTERS)) for _ in range(RECOVERY_CODES)]
        self.keep(account_id, "recovery", {"codes": codes}, confirmed=True)
        return ["-".join(code[at : at + 4] for at in range(0, RECOVERY_CHARACTERS, 4)) for code in codes]

    def check(self, account_id: UUID, typed: str) -> None:
        """A code of the app, or a recovery code, which is used up by it. Raises FactorRefused."""
        digits = _digits(typed)
        apps = [row for row in self._rows(account_id, "totp") if row[4] is not None]
        if any(self._totp_fits(row, digits) for row in apps):
            return
        if not any(self._recovery_fits(row, typed) for row in self._rows(account_id, "recovery")):
            raise FactorRefused(WRONG)

    def drop(self, account_id: UUID, kind: str | None = None) -> None:
        """Take factors away: all, or one kind."""
        self._log.ask(DROP, account_id, kind, kind)

    def keep(self, account_id: UUID, kind: str, content: dict[str, Any], *, confirmed: bool = False) -> UUID:
        """Keep something sealed; its id."""
        factor_id, at = UUID(bytes=secrets.token_bytes(16)), self._clock()
        self._log.ask(
            KEEP, factor_id, account_id, kind, self._sealed(factor_id, content), at, at if confirmed else None
        )
        return factor_id

    def challenge(self, account_id: UUID) -> tuple[UUID, bytes]:
        """A fresh challenge for a passkey, good once and for ten minutes."""
        self.drop(account_id, "challenge")
        challenge = secrets.token_bytes(32)
        return self.keep(account_id, "challenge", {"challenge": challenge.hex()}), challenge

    def spend_challenge(self, account_id: UUID) -> bytes:
        """The challenge somebody was given, which is used up. Raises FactorRefused."""
        for factor_id, _, sealed, made_at, _ in self._rows(account_id, "challenge"):
            content = self._content(factor_id, sealed)
            if self._log.ask(SPEND, factor_id) and self._clock() - made_at < PENDING_FOR:
                return bytes.fromhex(content["challenge"])
        raise FactorRefused("this took too long, or was tried twice: begin again")

    def held(self, account_id: UUID, kind: str) -> list[tuple[UUID, bytes, dict[str, Any]]]:
        """What somebody has of one kind: its id, its sealed bytes, what is inside."""
        return [(row[0], bytes(row[2]), self._content(row[0], row[2])) for row in self._rows(account_id, kind)]

    def replace(self, factor_id: UUID, was: bytes, content: dict[str, Any]) -> bool:
        """Put something in place of exactly what was read; False when somebody else was first."""
        return bool(self._log.ask(RESEAL, factor_id, was, self._sealed(factor_id, content), self._clock()))

    def _rows(self, account_id: UUID, kind: str | None = None) -> list[tuple[Any, ...]]:
        return self._log.ask(HELD, account_id, kind, kind)

    def _totp_fits(self, row: tuple[Any, ...], digits: str) -> bool:
        content = self._content(row[0], row[2])
        now = int(self._clock().timestamp()) // STEP_S
        for step in (now + one for one in DRIFT):
            expected = _totp(bytes.fromhex(content["secret"])).generate(step * STEP_S).decode()
            if step > content["step"] and hmac.compare_digest(expected, digits):
                return self.replace(row[0], bytes(row[2]), {**content, "step": step})
        return False

    def _recovery_fits(self, row: tuple[Any, ...], typed: str) -> bool:
        content, wanted = self._content(row[0], row[2]), normalised(typed)[1].encode()
        fits = [code for code in content["codes"] if hmac.compare_digest(code.encode(), wanted)]
        left = [code for code in content["codes"] if code not in fits]
        return bool(fits) and self.replace(row[0], bytes(row[2]), {"codes": left})

    def _sealed(self, factor_id: UUID, content: dict[str, Any]) -> bytes:
        ring = self._log.ring
        return ring.seal_small(ring.own(), json.dumps(content).encode(), LABEL, factor_id.bytes)

    def _content(self, factor_id: UUID, sealed: bytes) -> dict[str, Any]:
        opened = self._log.ring.open_small(self._log.school_id, bytes(sealed), LABEL, factor_id.bytes)
        content: dict[str, Any] = json.loads(opened or b"{}")
        return content


def _digits(typed: str) -> str:
    """The digits of a code as somebody typed it, in any script, spaces left out; "" where there are none."""
    return "".join(str(int(one)) for one in typed[:TYPED_MAX] if one.isdecimal())


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is what authenticator apps know; HMAC does not rest on its collisions (RFC 6238, section 1.2)
    return TOTP(secret, DIGITS, SHA1(), STEP_S, enforce_key_length=False)  # noqa: S303
