"""Passkeys (WebAuthn, level 2): what a browser is asked, and whether its answer is the person's own key."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers.base64url_to_bytes import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from astrack.access.factors import FactorRefused, Factors

KEYS_MAX = 10
NOT_YOURS = "this passkey is not one of yours here, or its answer was not right: begin again"


def offer(factors: Factors, account_id: UUID, name: str, origin: str) -> dict[str, Any]:
    """What a browser needs to make a new passkey."""
    _, challenge = factors.challenge(account_id)
    options = webauthn.generate_registration_options(
        rp_id=_host(origin), rp_name="astrack", user_name=name, user_id=account_id.bytes, challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(factors, account_id),
    )  # fmt: skip
    return dict(json.loads(webauthn.options_to_json(options)))


def add(factors: Factors, account_id: UUID, answer: dict[str, Any], origin: str) -> list[str]:
    """Keep a new passkey; recovery codes when it is the first factor. Raises FactorRefused."""
    challenge = factors.spend_challenge(account_id)
    if len(factors.held(account_id, "passkey")) >= KEYS_MAX:
        raise FactorRefused(f"at most {KEYS_MAX} passkeys are kept: take one away first")
    try:
        made = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=_host(origin), expected_origin=origin
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise FactorRefused(NOT_YOURS) from error
    content = {"id": made.credential_id.hex(), "key": made.credential_public_key.hex(), "count": made.sign_count}
    factors.keep(account_id, "passkey", content, confirmed=True)
    return factors.recovery_codes(account_id, anew=False)


def ask(factors: Factors, account_id: UUID, origin: str) -> dict[str, Any]:
    """What a browser needs to prove a passkey."""
    _, challenge = factors.challenge(account_id)
    options = webauthn.generate_authentication_options(
        rp_id=_host(origin), challenge=challenge, allow_credentials=_descriptors(factors, account_id)
    )
    return dict(json.loads(webauthn.options_to_json(options)))


def prove(factors: Factors, account_id: UUID, answer: dict[str, Any], origin: str) -> None:
    """Whether the answer is signed by one of somebody's passkeys. Raises FactorRefused."""
    challenge = factors.spend_challenge(account_id)
    for factor_id, sealed, kept in factors.held(account_id, "passkey"):
        if base64url_to_bytes(str(answer.get("rawId", ""))[:1400]).hex() != kept["id"]:
            continue
        try:
            done = webauthn.verify_authentication_response(
                credential=answer, expected_challenge=challenge, expected_rp_id=_host(origin), expected_origin=origin,
                credential_public_key=bytes.fromhex(kept["key"]), credential_current_sign_count=kept["count"],
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise FactorRefused(NOT_YOURS) from error
        if factors.replace(factor_id, sealed, {**kept, "count": done.new_sign_count}):
            return
    raise FactorRefused(NOT_YOURS)


def _descriptors(factors: Factors, account_id: UUID) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=bytes.fromhex(kept["id"]))
            for _, _, kept in factors.held(account_id, "passkey")]  # fmt: skip


def _host(origin: str) -> str:
    return urlsplit(origin).hostname or ""
