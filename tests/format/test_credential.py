"""Credentials: the W3C's vectors, ours, and every way to alter one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from transfer import credential
from transfer.credential import Kept
from transfer.errors import BadCredential

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "vc-di-eddsa"
CASES = ["eddsa-rdfc-2022", "eddsa-rdfc-2022/employ"] if VECTORS.exists() else []
ABSENT = pytest.param("", marks=pytest.mark.skip(reason=f"the W3C vectors are not at {VECTORS}"))
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CITIZENSHIP = Path(__file__).parent / "contexts" / "citizenship-v4rc1.json"
"""The Citizenship Vocabulary's context as its community group published it (W3C Software and Document licence)."""
CONTEXTS = {
    EXAMPLES: {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}},
    "https://w3id.org/citizenship/v4rc1": json.loads(CITIZENSHIP.read_text()),
}
SEED = b"school".ljust(32, b".")
KEPT = Kept(
    UUID(int=5),
    "Mabli Hartley",
    "Westcliff",
    datetime(2034, 7, 1, tzinfo=UTC),
    "2024-10-04",
    "2031-10-04",
    2,
    2,
    "a" * 64,
)


@pytest.mark.parametrize("case", CASES or [ABSENT])
def test_the_w3c_vectors_verify_step_by_step(case: str) -> None:
    folder = VECTORS / case
    document = json.loads((folder / "signedDataInt.json").read_text())
    config = json.loads((folder / "proofConfigDataInt.json").read_text())
    rest = {name: value for name, value in document.items() if name != "proof"}
    assert credential.canonical(rest, CONTEXTS) == (folder / "canonDocDataInt.txt").read_text()
    assert credential.canonical(config, CONTEXTS) == (folder / "proofCanonDataInt.txt").read_text()
    assert credential.digest(document, CONTEXTS).hex() == (folder / "combinedHashDataInt.txt").read_text()
    signature = credential.unbase58(document["proof"]["proofValue"])
    assert signature.hex() == (folder / "sigHexDataInt.txt").read_text()
    key = json.loads((VECTORS / "keyPair.json").read_text())["publicKeyMultibase"]
    assert credential.verify(document, CONTEXTS) == credential.unbase58(key)[2:]


def record() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(credential.of_record(KEPT, SEED))
    return made


def test_the_record_and_the_badge_in_it_are_signed_by_the_school() -> None:
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
    made = record()
    (badge,) = made["credentialSubject"]["verifiableCredential"]
    assert credential.verify(made) == credential.verify(badge) == public
    assert made["issuer"]["id"] == credential.did_of(public)
    assert made["type"] == ["VerifiableCredential", "ClrCredential"]
    assert badge["type"] == ["VerifiableCredential", "OpenBadgeCredential"]


def test_every_statement_is_under_the_signature() -> None:
    said = credential.canonical({name: value for name, value in record().items() if name != "proof"})
    for part in ("Mabli Hartley", "2 sittings", "a" * 64, "Westcliff", "not validated"):
        assert part in said, part


CHANGES = [
    lambda made: made.update(name="Another"), lambda made: made["issuer"].update(name="Another"),
    lambda made: made["proof"].update(created="2001-01-01T00:00:00Z"), lambda made: made.pop("proof"),
    lambda made: made["proof"].update(cryptosuite="eddsa-jcs-2022"), lambda made: made["proof"].update(proofValue="z1"),
    lambda made: made["proof"].update(proofValue="u00"), lambda made: made["@context"].append("https://evil.example/v1"),
    lambda made: made["proof"].update(verificationMethod="https://evil.example/key"), lambda made: made.pop("@context"),
    lambda made: made["credentialSubject"]["verifiableCredential"][0].update(name="Another"),
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_credential_is_refused(change: Any) -> None:
    made = record()
    change(made)
    with pytest.raises(BadCredential):
        credential.verify(made)


def test_a_context_that_is_not_packaged_is_named_and_never_fetched() -> None:
    with pytest.raises(BadCredential, match=r"not packaged: https://evil\.example/v1"):
        credential.canonical({"@context": "https://evil.example/v1", "name": "x"})


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0a", bytes(range(40))])
def test_base58_there_and_back(data: bytes) -> None:
    assert credential.unbase58(credential.base58(data)) == data
