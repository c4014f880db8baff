"""Signing staff in with a provider: OpenID Connect, code flow, PKCE (RFC 7636); Google, Microsoft, DfE Sign-in.

A provider says who somebody is; what they may do is granted here. An account is linked once, by its person, after they
signed in with a code. ``iss`` and ``sub`` name it: an e-mail address can pass to somebody else.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from astrack.access import SignInRefused
from astrack.store import BadSetting
from domain.base import DomainError

ALGORITHMS = ["RS256", "PS256", "ES256"]
ANSWER_MAX, TIMEOUT_S = 256 * 1024, 10.0
BACK_WITHIN, SKEW, KEPT_FOR = timedelta(minutes=10), timedelta(minutes=1), timedelta(hours=1)
SECOND_FACTORS = frozenset({"mfa", "otp", "hwk", "swk", "fpt", "face"})
"""Values of ``amr`` (RFC 8176) that say a second factor was given."""
SCOPES = {"google": "openid", "microsoft": "openid", "dfe": "openid organisation"}
NOT_RIGHT = "what the provider sent back was not right or came too late: begin again"


class ProviderUnknown(DomainError):
    """There is no sign-in provider of that name here."""


class ProviderSilent(DomainError):
    """The sign-in provider does not answer, or not in a way this service understands."""


class Provider(BaseModel):
    """One provider, as the file of ASTRACK_SIGN_IN_FILE names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    words: str = Field(max_length=60)
    kind: Literal["google", "microsoft", "dfe"]
    issuer: str = Field(pattern=r"^(https://|http://localhost[:/])")
    client_id: str
    client_secret_file: Path


@dataclass(frozen=True, slots=True)
class Trip:
    """What is remembered while somebody is away at a provider, sealed in a cookie of theirs."""

    provider: str
    state: str
    nonce: str
    verifier: str
    until: float
    school: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a provider signed in. ``urn``: the school DfE Sign-in says they chose; ``proved``: with a second factor."""

    issuer: str
    subject: str
    urn: str | None
    proved: bool
    school_id: UUID | None
    link: UUID | None


def read(path: Path | None) -> dict[str, Provider]:
    """The providers of a file; none without one. Raises BadSetting."""
    if path is None:
        return {}
    try:
        found = [Provider.model_validate(one) for one in tomllib.loads(path.read_text("utf-8"))["provider"]]
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise BadSetting(f"{path} does not name sign-in providers as docs/operations.md shows: mend it") from error
    return {one.name: one for one in found}


class Oidc:
    """The providers of an installation. ``key``: 32 bytes that every process of it has."""

    def __init__(self, path: Path | None, key: bytes, clock: Callable[[], datetime]) -> None:
        self.providers, self._aead, self._clock = read(path), AESGCM(key), clock
        self._kept: dict[str, tuple[datetime, dict[str, Any]]] = {}

    def provider(self, name: str) -> Provider:
        """A provider by its name. Raises ProviderUnknown."""
        if name not in self.providers:
            raise ProviderUnknown("there is no sign-in provider of that name here: go back and choose one")
        return self.providers[name]

    def begin(
        self, name: str, back: str, *, school_id: UUID | None = None, link: UUID | None = None
    ) -> tuple[str, str]:
        """Where to send the browser, and the sealed cookie it keeps. Raises ProviderUnknown, ProviderSilent."""
        provider = self.provider(name)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        until = (self._clock() + BACK_WITHIN).timestamp()
        trip = Trip(name, state, nonce, verifier, until, str(school_id or ""), str(link or ""))
        challenge = urlsafe_b64encode(hashlib.sha256(trip.verifier.encode()).digest()).decode()
        query = urlencode({
            "response_type": "code", "client_id": provider.client_id, "redirect_uri": back, "state": trip.state,
            "scope": SCOPES[provider.kind], "nonce": trip.nonce, "code_challenge": challenge,
            "code_challenge_method": "S256",
        })  # fmt: skip
        return f"{self._endpoint(provider, 'authorization_endpoint')}?{query}", self._sealed(trip)

    def finish(self, name: str, cookie: str, state: str, code: str, back: str, issuer: str = "") -> Known:
        """Whom the provider signed in. Raises SignInRefused, ProviderSilent, ProviderUnknown."""
        provider, trip = self.provider(name), self._trip(cookie)
        fits = (
            trip is not None and secrets.compare_digest(trip.state.encode(), state.encode()) and trip.provider == name
        )
        if trip is None or not fits or issuer not in ("", provider.issuer) or self._clock().timestamp() > trip.until:
            raise SignInRefused(NOT_RIGHT)
        claims = self._claims(provider, self._token(provider, trip, code, back), trip)
        organisation = claims.get("organisation")
        urn = str(organisation.get("urn") or "") if isinstance(organisation, dict) else ""
        return Known(
            provider.issuer, str(claims["sub"]), urn if provider.kind == "dfe" else None,
            bool(SECOND_FACTORS.intersection(_texts(claims.get("amr")))),
            UUID(trip.school) if trip.school else None, UUID(trip.link) if trip.link else None,
        )  # fmt: skip

    def _token(self, provider: Provider, trip: Trip, code: str, back: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": trip.verifier}
        secret = provider.client_secret_file.read_text("utf-8").strip()
        with _client() as http:
            answer = _asked(
                lambda: http.post(
                    self._endpoint(provider, "token_endpoint"), data=form, auth=(provider.client_id, secret)
                )
            )
        if answer.status_code != 200:
            raise SignInRefused(NOT_RIGHT)
        return str(_object(answer).get("id_token", ""))

    def _claims(self, provider: Provider, token: str, trip: Trip) -> dict[str, Any]:
        try:
            keys = KeySet.import_key_set(self._document(self._endpoint(provider, "jwks_uri")))  # type: ignore[arg-type]
            claims = dict(jwt.decode(token, keys, ALGORITHMS).claims)
            audience = _texts(claims["aud"])
            now = self._clock()
            good = (
                claims["iss"] == provider.issuer
                and provider.client_id in audience
                and (len(audience) == 1 or claims.get("azp") == provider.client_id)
                and secrets.compare_digest(str(claims["nonce"]).encode(), trip.nonce.encode())
                and now - SKEW < datetime.fromtimestamp(float(claims["exp"]), UTC)
                and datetime.fromtimestamp(float(claims["iat"]), UTC) < now + SKEW
                and claims["sub"]
            )
        except (JoseError, ValueError, KeyError, TypeError, OverflowError, OSError) as error:
            raise SignInRefused(NOT_RIGHT) from error
        if not good:
            raise SignInRefused(NOT_RIGHT)
        return claims

    def _endpoint(self, provider: Provider, name: str) -> str:
        found = self._document(provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
        address = str(found.get(name, ""))
        # a provider's own document may not send secrets elsewhere in the clear
        if found.get("issuer") != provider.issuer or urlsplit(address).scheme != urlsplit(provider.issuer).scheme:
            raise ProviderSilent("the provider's own description is not right: tell your administrator")
        return address

    def _document(self, address: str) -> dict[str, Any]:
        kept = self._kept.get(address)
        if kept is None or self._clock() - kept[0] > KEPT_FOR:
            with _client() as http:
                kept = self._clock(), _object(_asked(lambda: http.get(address)))
            self._kept[address] = kept
        return kept[1]

    def _sealed(self, trip: Trip) -> str:
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._aead.encrypt(nonce, json.dumps(asdict(trip)).encode(), b"oidc")
        return urlsafe_b64encode(sealed).decode()

    def _trip(self, cookie: str) -> Trip | None:
        try:
            raw = urlsafe_b64decode(cookie.encode())
            return Trip(**json.loads(self._aead.decrypt(raw[:12], raw[12:], b"oidc")))
        except (ValueError, TypeError, InvalidTag):
            return None


def _client() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT_S, follow_redirects=False)


def _asked(send: Callable[[], httpx.Response]) -> httpx.Response:
    try:
        answer = send()
    except httpx.HTTPError as error:
        raise ProviderSilent("the sign-in provider does not answer: try again, or use your code") from error
    if len(answer.content) > ANSWER_MAX or answer.status_code >= 500:
        raise ProviderSilent("the sign-in provider does not answer: try again, or use your code")
    return answer


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.status_code != 200 or not isinstance(found, dict):
        raise ProviderSilent("the sign-in provider does not answer in a way this service understands")
    return found


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, str)]
