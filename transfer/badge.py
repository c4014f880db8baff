"""An Open Badge 3.0 as a verifiable credential in a JSON Web Token: made, signed, checked, and revoked by a list.

Open Badges 3.0 section 8.2 (JSON Web Token proof format): RS256, the one algorithm that every verifier must know, and
``kid`` an address that answers with the public key. W3C Verifiable Credentials Data Model 2.0; W3C Bitstring Status
List 1.0 section 2. Bytes in, bytes out: addresses, keys and instants are passed in.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from transfer.errors import TransferRefused

CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
ALGORITHM, KEY_BITS, EXPONENT = "RS256", 3072, 65537
LIST_BITS = 131_072
"""The shortest status list the standard allows: among so many a single bit tells nobody apart."""
TOKEN_CHARS_MAX = 64 << 10
LIST_BYTES_MAX = LIST_BITS // 8


class BadBadge(TransferRefused):
    """A badge is not one of ours, was altered, or its list of revocations cannot be read."""

    remedy = "Ask the school for the badge again, and look it up on the public register."


@dataclass(frozen=True, slots=True)
class Award:
    """What a badge says. ``evidence``: sentences; ``subject``: the school's name; ``by``: the accreditor."""

    award_id: UUID
    school_id: UUID
    subject: str
    by: str
    interests: str
    valid_from: datetime
    valid_until: datetime
    evidence: tuple[str, ...]


def credential(award: Award, base: str) -> dict[str, Any]:
    """The credential without its proof; ``base`` is the register's address for this school, without a last slash."""
    return {
        "@context": CONTEXT,
        "id": f"urn:uuid:{award.award_id}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Accredited practice of social-emotional support",
        "issuer": issuer(award.by, base),
        "validFrom": _instant(award.valid_from),
        "validUntil": _instant(award.valid_until),
        "credentialSubject": {
            "id": f"urn:uuid:{award.school_id}",
            "type": ["AchievementSubject"],
            "identifier": [
                {"type": "IdentityObject", "identityHash": award.subject, "identityType": "name", "hashed": False}
            ],
            "achievement": {
                "id": f"{base}/{award.award_id}",
                "type": ["Achievement"],
                "achievementType": "Certification",
                "name": "Accredited practice of social-emotional support",
                "description": "An accreditor from outside found the school's practice shown by its record in four"
                " areas: noticing, answering, supporting, learning.",
                "criteria": {"narrative": f"Interests declared by the accreditor: {award.interests}"},
            },
        },
        "evidence": [{"type": ["Evidence"], "narrative": one} for one in award.evidence],
        "credentialStatus": {
            "id": f"{base}/status#{index_of(award.award_id)}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(index_of(award.award_id)),
            "statusListCredential": f"{base}/status",
        },
    }


def issuer(by: str, base: str) -> dict[str, Any]:
    """The profile that signs: the register, for the accreditor."""
    return {"id": f"{base}/issuer", "type": ["Profile"], "name": f"Register of accreditation, for {by}"}


def status_list(revoked: list[UUID], at: datetime, base: str) -> dict[str, Any]:
    """The list of revocations as a credential without its proof."""
    bits = bytearray(LIST_BYTES_MAX)
    for award_id in revoked:
        bits[index_of(award_id) // 8] |= 0x80 >> index_of(award_id) % 8
    return {
        "@context": CONTEXT[:1],
        "id": f"{base}/status",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": f"{base}/issuer",
        "validFrom": _instant(at),
        "credentialSubject": {
            "id": f"{base}/status#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": "u" + _b64url(gzip.compress(bytes(bits), mtime=0)),
        },
    }


def index_of(award_id: UUID) -> int:
    """Where an award stands on the list; it follows from its random id."""
    return award_id.int % LIST_BITS


def is_revoked(listed: dict[str, Any], index: int) -> bool:
    """Whether a list of revocations names an index. Raises BadBadge."""
    try:
        packed = _unb64url(str(listed["credentialSubject"]["encodedList"]).removeprefix("u"))
        bits = zlib.decompressobj(wbits=31).decompress(packed, LIST_BYTES_MAX)
        return bool(bits[index // 8] & 0x80 >> index % 8)
    except (KeyError, TypeError, IndexError, zlib.error) as error:
        raise BadBadge("the list cannot be read", "list of revocations") from error


def new_key() -> rsa.RSAPrivateKey:
    """A fresh key to sign badges with."""
    return rsa.generate_private_key(EXPONENT, KEY_BITS)


def jwk(key: rsa.RSAPublicKey, kid: str) -> dict[str, str]:
    """The public key as a JSON Web Key (RFC 7517)."""
    numbers = key.public_numbers()
    parts = {name: _b64url(n.to_bytes((n.bit_length() + 7) // 8)) for name, n in (("n", numbers.n), ("e", numbers.e))}
    return {"kty": "RSA", "alg": ALGORITHM, "use": "sig", "kid": kid, **parts}


def sign(body: dict[str, Any], key: rsa.RSAPrivateKey, kid: str) -> str:
    """A credential as a compact JWS with the registered claims beside it; the same input gives the same text."""
    claims: dict[str, Any] = {"jti": body["id"], "iss": _issuer_id(body), "sub": body["credentialSubject"]["id"]}
    for name, claim in (("validFrom", "nbf"), ("validUntil", "exp")):
        if name in body:
            claims[claim] = int(datetime.fromisoformat(body[name]).timestamp())
    header = {"alg": ALGORITHM, "kid": kid, "typ": "JWT"}
    signed = f"{_b64url(_json(header))}.{_b64url(_json({**body, **claims}))}"
    signature = key.sign(signed.encode("ascii"), padding.PKCS1v15(), SHA256())
    return f"{signed}.{_b64url(signature)}"


def check(token: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    """The credential of a token that this key signed, whatever its dates. Raises BadBadge."""
    head, payload, signature = _parts(token)
    header, body = _object(head), _object(payload)
    if header.get("alg") != ALGORITHM:
        raise BadBadge("it is signed in a way that badges of ours are not", "badge")
    try:
        key.verify(_unb64url(signature), f"{head}.{payload}".encode("ascii"), padding.PKCS1v15(), SHA256())
    except (InvalidSignature, UnicodeEncodeError) as error:
        raise BadBadge(
            "the signature is not that of this register: it was altered or made elsewhere", "badge"
        ) from error
    return body


def claimed(token: str) -> dict[str, Any]:
    """What a token claims, unchecked: only to find out whose key to check it with. Raises BadBadge."""
    return _object(_parts(token)[1])


def _parts(token: str) -> list[str]:
    parts = token.strip().split(".")
    if len(token) > TOKEN_CHARS_MAX or len(parts) != 3:
        raise BadBadge("this is not a badge: it has three parts joined by full stops", "badge")
    return parts


def _issuer_id(body: dict[str, Any]) -> str:
    said = body["issuer"]
    return str(said["id"] if isinstance(said, dict) else said)


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_unb64url(part))
    except (ValueError, RecursionError) as error:
        raise BadBadge("a part of it cannot be read", "badge") from error
    if not isinstance(found, dict):
        raise BadBadge("a part of it is not what a badge holds", "badge")
    return found


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _unb64url(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadBadge("a part of it is not base64url", "badge") from error


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
