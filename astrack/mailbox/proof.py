"""Whose box it is: a token made from a public key, and requests signed over a challenge that serves once.

The server draws the challenge and remembers which were used, in memory: after a restart none of the old ones holds. So
nothing can be replayed, and no clock but the server's own counts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from astrack.access import TooManyAttempts
from domain.base import DomainError
from transfer.errors import BadKey, BadNote
from transfer.evidence import note
from transfer.evidence.note import Kind, Signer, Verifier

LABEL, TOKEN_LABEL, KEY_NAME = "astrack/mailbox-request/v1", b"astrack/mailbox-token/v1\0", "astrack-box"
SCHEME = "Astrack-Box"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
VALID_S, USED_MAX = 120, 100_000
TIME_BYTES, RANDOM_BYTES, MAC_BYTES = 8, 16, 16
PROOF_CHARS_MAX = 2_000


class ProofRefused(DomainError):
    """The request does not show that it comes from the box's holder."""


@dataclass(frozen=True, slots=True)
class BoxKey:
    """A box's secret half: 32 random bytes, of this box and nothing else, so that it leads to no school."""

    seed: bytes = field(repr=False)

    @property
    def signer(self) -> Signer:
        """What signs its requests."""
        return Signer(KEY_NAME, Kind.ED25519, self.seed)

    @property
    def public(self) -> Verifier:
        """What the mailbox knows of it."""
        return self.signer.verifier

    @property
    def token(self) -> str:
        """Where files for it are sent."""
        return token_of(self.public)

    def authorization(self, method: str, address: str, path: str, challenge: str) -> str:
        """The Authorization header of one request."""
        text = request_text(self.token, method, address, path, challenge)
        signed = bytes(note.sign(text, [self.signer], 0))
        return f"{SCHEME} {base64.b64encode(signed).decode()}"


def token_of(key: Verifier) -> str:
    """The token of a box: 256 bits that nobody finds who was not given it, and that only this key fits."""
    return b64url(hashlib.sha256(TOKEN_LABEL + key.public).digest())


def b64url(data: bytes) -> str:
    """Base64 for addresses and headers, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def request_text(token: str, method: str, address: str, path: str, challenge: str) -> str:
    """What the holder of a box signs."""
    return "\n".join((LABEL, token, method, address, path, challenge, ""))


class Challenges:
    """Challenges of one process: each serves one request within two minutes."""

    def __init__(self, clock: Callable[[], datetime], random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._clock, self._random, self._key = clock, random, random(32)
        self._used: dict[str, int] = {}

    def fresh(self) -> str:
        """A new challenge; nothing is kept of it until it is used."""
        body = self._now().to_bytes(TIME_BYTES, "big") + self._random(RANDOM_BYTES)
        return b64url(body + self._mac(body))

    def use(self, challenge: str) -> None:
        """Use a challenge up. Raises ProofRefused when it is not ours, too old, or was used before."""
        try:
            raw = base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))
        except ValueError:
            raw = b""
        body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        made = int.from_bytes(body[:TIME_BYTES], "big")
        ours = len(body) == TIME_BYTES + RANDOM_BYTES and hmac.compare_digest(mac, self._mac(body))
        if not ours or not 0 <= self._now() - made <= VALID_S or b64url(raw) != challenge or challenge in self._used:
            raise ProofRefused("the challenge is not a fresh one of this mailbox: take the one in this answer")
        self._forget()
        self._used[challenge] = made

    def _forget(self) -> None:
        over = self._now() - VALID_S
        while self._used and next(iter(self._used.values())) < over:
            self._used.pop(next(iter(self._used)))
        if len(self._used) >= USED_MAX:
            raise TooManyAttempts(timedelta(seconds=VALID_S))

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:MAC_BYTES]

    def _now(self) -> int:
        return int(self._clock().timestamp())


def proved(
    authorization: str, method: str, address: str, path: str, key_of: Callable[[str], Verifier | None]
) -> tuple[str, str]:
    """(token, challenge) of a request whose signature holds; the challenge is still to be used. Raises ProofRefused."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme != SCHEME or len(encoded) > PROOF_CHARS_MAX:
        raise ProofRefused(f"only the box's holder may do this: sign the challenge (Authorization: {SCHEME} …)")
    try:
        signed = note.parse(base64.b64decode(encoded, validate=True))
        _, token, *_, challenge, _ = signed.text.split("\n")
        if signed.text != request_text(token, method, address, path, challenge):
            raise ProofRefused(f"what was signed is another request than this one to {address}")
        key = key_of(token)
        note.require(signed, [key] if key else [])
    except (ValueError, BadNote, BadKey) as error:
        raise ProofRefused("the signature is not of a box of this mailbox") from error
    return token, challenge
