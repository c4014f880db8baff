"""Service clients with a key pair: a signed, short-lived, once-only assertion instead of a shared secret (RFC 7523).

The bearer token is a JWT with ``iss`` and ``sub`` "school/client", ``aud`` "astrack", ``jti`` fresh, ``exp`` at most
five minutes ahead, signed with ES256 or EdDSA. The service keeps only the public key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.util import urlsafe_b64decode

from astrack.access import SignInNeeded
from domain.base import DomainError

AUDIENCE = "astrack"
ALGORITHMS = ["ES256", "EdDSA"]
KINDS: dict[str, type[ECKey] | type[OKPKey]] = {"EC P-256": ECKey, "OKP Ed25519": OKPKey}
LASTS_MAX = timedelta(minutes=5)
AHEAD_MAX = timedelta(minutes=1)
ASSERTION_MAX = 4_000
UNKNOWN = "this assertion is not of a client we know, or its time is up: look at the client's id and clock"


class ClientKeyUnfit(DomainError):
    """The key of a service client is not a public key of P-256 or Ed25519."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an assertion says once its signature holds."""

    id: str
    until: datetime


def public_key(given: dict[str, Any]) -> str:
    """A public key (JWK) as it is kept. Raises ClientKeyUnfit, also for a private key."""
    kind = KINDS.get(f"{given.get('kty')} {given.get('crv')}")
    if kind is None or "d" in given:
        raise ClientKeyUnfit(
            "send the public half, as a JWK, of a P-256 or Ed25519 key: the private half stays with you"
        )
    try:
        return json.dumps(kind.import_key(given).as_dict(private=False), sort_keys=True)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise ClientKeyUnfit("this JWK could not be read: send kty, crv, x (and y for P-256)") from error


def named(assertion: str) -> tuple[UUID, UUID] | None:
    """The school and the client an assertion says it is of; nothing is proved by that."""
    try:
        part = assertion.split(".")[1] if len(assertion) <= ASSERTION_MAX else ""
        issuer = json.loads(urlsafe_b64decode(part.encode()))["iss"]
        school, client = str(issuer).split("/")
        return UUID(school), UUID(client)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def checked(assertion: str, key: str, of: tuple[UUID, UUID], now: datetime) -> Claims:
    """The claims of an assertion whose signature, audience and times hold. Raises SignInNeeded."""
    kept = json.loads(key)
    try:
        claims = jwt.decode(assertion, (ECKey if kept["kty"] == "EC" else OKPKey).import_key(kept), ALGORITHMS).claims
        until, begun = _instant(claims["exp"]), _instant(claims.get("iat", now.timestamp()))
        name = "/".join(map(str, of))
        good = claims["iss"] == claims["sub"] == name and claims["aud"] in (AUDIENCE, [AUDIENCE])
        in_time = now < until <= now + LASTS_MAX + AHEAD_MAX and begun <= now + AHEAD_MAX
        token_id = claims["jti"]
    except (JoseError, ValueError, KeyError, TypeError, OverflowError, OSError) as error:
        raise SignInNeeded(UNKNOWN) from error
    if not (good and in_time and isinstance(token_id, str) and 8 <= len(token_id) <= 200):
        raise SignInNeeded(UNKNOWN)
    return Claims(token_id, until)


def _instant(seconds: Any) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
