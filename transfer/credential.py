"""Credentials of the W3C with the proof ``eddsa-rdfc-2022``, and the student's record as one: CLR 2.0, Open Badges 3.0.

A credential is read and written without a network: contexts come from ``contexts/``, issuers are ``did:key``.
It says that a record is kept, by whom and over which years; never what was answered or how it was scored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pyld import jsonld

from transfer.errors import BadCredential

VC, CLR, OB = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
CONTEXTS = {VC: "credentials-v2.json", CLR: "clr-2.0.1.json", OB: "open-badges-3.0.3.json"}
SUITE = "eddsa-rdfc-2022"
ED25519 = b"\xed\x01"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DID_KEY = "did:key:"
MAX_BYTES = 4 << 20
MAX_MULTIBASE = 200
WHERE = "credential"


def base58(data: bytes) -> str:
    """Multibase base58btc: ``z`` and the digits (Multibase, 2.1)."""
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def unbase58(text: object) -> bytes:
    """The bytes of multibase base58btc. Raises BadCredential."""
    if not isinstance(text, str) or text[:1] != "z" or len(text) > MAX_MULTIBASE or set(text[1:]) - set(ALPHABET):
        raise BadCredential("it is not base58btc", WHERE)
    number = 0
    for letter in text[1:]:
        number = number * 58 + ALPHABET.index(letter)
    zeros = len(text[1:]) - len(text[1:].lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


@cache
def _context(name: str) -> Any:
    return json.loads(files("transfer").joinpath("contexts", name).read_bytes())


def _load(extra: Mapping[str, Any], url: str) -> dict[str, Any]:
    document = extra[url] if url in extra else _context(CONTEXTS[url]) if url in CONTEXTS else None
    if document is None:
        raise BadCredential(f"it needs a context that is not packaged: {url[:100]}", WHERE)
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document}


def canonical(document: Mapping[str, Any], contexts: Mapping[str, Any] | None = None) -> str:
    """The canonical N-Quads of a JSON-LD document (RDF Dataset Canonicalization 1.0). Raises BadCredential."""
    options = {
        "algorithm": "URDNA2015", "format": "application/n-quads",
        "documentLoader": lambda url, _: _load(contexts or {}, url),
    }  # fmt: skip
    try:
        made = jsonld.normalize(dict(document), options)
    except Exception as error:  # the library raises whatever the document provokes, and wraps what its loader raises
        if (cause := _cause(error)) is not None:
            raise cause from error
        raise BadCredential("it is not JSON-LD that can be put into its canonical form", WHERE) from error
    if not isinstance(made, str) or not made:
        raise BadCredential("it states nothing", WHERE)
    return made


def _cause(error: BaseException | None) -> BadCredential | None:
    while error is not None and not isinstance(error, BadCredential):
        error = getattr(error, "cause", None) or error.__cause__
    return error


def digest(document: Mapping[str, Any], contexts: Mapping[str, Any] | None = None) -> bytes:
    """What the proof of a document signs: the hash of its proof's options, then that of all the rest; 64 bytes.

    Source: Data Integrity EdDSA Cryptosuites v1.0, 3.2.4.
    """
    options = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    rest = {name: value for name, value in document.items() if name != "proof"}
    config = canonical({"@context": document["@context"], **options}, contexts)
    return sha256(config.encode()).digest() + sha256(canonical(rest, contexts).encode()).digest()


def sign(document: Mapping[str, Any], seed: bytes, created: datetime) -> dict[str, Any]:
    """The document with a proof by the Ed25519 key of ``seed`` (32 bytes)."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = base58(ED25519 + private.public_key().public_bytes_raw())
    proof = {
        "type": "DataIntegrityProof", "cryptosuite": SUITE, "created": _instant(created),
        "verificationMethod": f"{DID_KEY}{key}#{key}", "proofPurpose": "assertionMethod",
    }  # fmt: skip
    value = base58(private.sign(digest({**document, "proof": proof})))
    return {**document, "proof": {**proof, "proofValue": value}}


def did_of(public: bytes) -> str:
    """The did:key of an Ed25519 public key (32 bytes)."""
    return DID_KEY + base58(ED25519 + public)


def verify(document: Mapping[str, Any], contexts: Mapping[str, Any] | None = None) -> bytes:
    """The Ed25519 public key (32 bytes) that signed the document; whose it is, is for the reader to know.

    ``contexts`` are further JSON-LD contexts by address. Raises BadCredential.
    """
    proof = document.get("proof")
    if not isinstance(proof, dict) or "@context" not in document:
        raise BadCredential("it has no proof, or no context", WHERE)
    wanted = {"type": "DataIntegrityProof", "cryptosuite": SUITE, "proofPurpose": "assertionMethod"}
    if any(proof.get(name) != value for name, value in wanted.items()):
        raise BadCredential(f"its proof is not one of {SUITE}", WHERE)
    public = _public(proof.get("verificationMethod"))
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(unbase58(proof.get("proofValue")), digest(document, contexts))
    except (InvalidSignature, ValueError) as error:
        raise BadCredential("its signature is not over this document", WHERE) from error
    return public


def _public(method: object) -> bytes:
    key, hashed, fragment = str(method).removeprefix(DID_KEY).partition("#")
    data = unbase58(key)
    if not str(method).startswith(DID_KEY) or not hashed or key != fragment:
        raise BadCredential("its key is not a did:key", WHERE)
    if data[:2] != ED25519 or len(data) != 34:
        raise BadCredential("its key is not of Ed25519", WHERE)
    return data[2:]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the credential says of a record. ``story_sha256`` is the digest of the file's ``events.jsonl``."""

    transfer_id: UUID
    name: str
    school: str
    created: datetime
    first_on: str
    last_on: str
    sittings: int
    schools: int
    story_sha256: str


def of_record(kept: Kept, seed: bytes) -> bytes:
    """credential.json: a CLR 2.0 credential that holds one Open Badges 3.0 credential, both signed by the school."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    issuer = {"id": did_of(public), "type": ["Profile"], "name": kept.school}
    person = [{"type": "IdentityObject", "hashed": False, "identityHash": kept.name, "identityType": "name"}]
    badge = sign(_badge(kept, issuer, person), seed, kept.created)
    record = {
        "@context": [VC, CLR, OB], "id": f"urn:uuid:{kept.transfer_id}",
        "type": ["VerifiableCredential", "ClrCredential"], "name": "A record of social-emotional development",
        "issuer": issuer, "validFrom": _instant(kept.created),
        "partial": True,
        "credentialSubject": {"type": ["ClrSubject"], "identifier": person, "verifiableCredential": [badge]},
    }  # fmt: skip
    return json.dumps(sign(record, seed, kept.created), ensure_ascii=False, indent=1).encode()


def _badge(kept: Kept, issuer: Mapping[str, Any], person: list[dict[str, Any]]) -> dict[str, Any]:
    about = (
        f"{kept.sittings} sittings between {kept.first_on} and {kept.last_on}, kept by {kept.schools} "
        f"{'school' if kept.schools == 1 else 'schools'}. It says nothing of what was answered. The instrument is not "
        "validated, and nothing here is a test passed or failed."
    )
    story = f"The record it speaks of is the file whose events.jsonl has the SHA-256 digest {kept.story_sha256}."
    return {
        "@context": [VC, OB], "id": _made(kept, "badge"), "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Kept a record of their own development", "issuer": dict(issuer), "validFrom": _instant(kept.created),
        "credentialSubject": {
            "type": ["AchievementSubject"], "identifier": person,
            "achievement": {
                "id": _made(kept, "achievement"), "type": ["Achievement"], "achievementType": "Assessment",
                "name": "Kept a record of their own development", "description": about,
                "criteria": {"narrative": story},
            },
        },
    }  # fmt: skip


def _made(kept: Kept, what: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'urn:uuid:{kept.transfer_id}/{what}')}"


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
