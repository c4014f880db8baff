"""The badge of accreditation: a stock check of its signature, what it says, what is refused, and the list that revokes."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from transfer import badge

BASE = "https://records.example/register/0192f3a4-5b6c-7d8e-9f00-112233445566"
AWARD = badge.Award(
    UUID(int=5), UUID(int=6), "Mill Lane Primary", "Dr Outside, Northern Practice Trust", "none",
    datetime(2026, 11, 24, tzinfo=UTC), datetime(2028, 11, 24, tzinfo=UTC), ("pupils sat: 95 of 100",),
)  # fmt: skip


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def token(key: rsa.RSAPrivateKey) -> str:
    return badge.sign(badge.credential(AWARD, BASE), key, f"{BASE}/key")


def part(token: str, at: int) -> dict:
    text = token.split(".")[at]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_openssl_alone_verifies_the_signature(token: str, key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("no openssl: install it to check with a stock tool")
    signed, _, signature = token.rpartition(".")
    (tmp_path / "signed").write_text(signed)
    (tmp_path / "signature").write_bytes(base64.urlsafe_b64decode(signature + "=="))
    (tmp_path / "key.pem").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    asked = [openssl, "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "Verified OK"


def test_a_stock_jwt_library_verifies_the_badge_with_the_published_key(token: str, key: rsa.RSAPrivateKey) -> None:
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    published = RSAKey.import_key(badge.jwk(key.public_key(), f"{BASE}/key"))
    read = jwt.decode(token, published, algorithms=["RS256"])
    assert read.claims["id"] == f"urn:uuid:{AWARD.award_id}"


def test_the_badge_names_its_key_its_dates_and_its_list_of_revocations(token: str) -> None:
    header, body = part(token, 0), part(token, 1)
    assert header == {"alg": "RS256", "kid": f"{BASE}/key", "typ": "JWT"}
    assert body["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert (body["iss"], body["jti"], body["sub"]) == (f"{BASE}/issuer", body["id"], body["credentialSubject"]["id"])
    assert datetime.fromtimestamp(body["exp"], UTC) == AWARD.valid_until
    assert body["validUntil"] == "2028-11-24T00:00:00Z"
    assert body["credentialStatus"]["statusListCredential"] == f"{BASE}/status"
    assert "none" in body["credentialSubject"]["achievement"]["criteria"]["narrative"]


def test_the_public_key_is_a_jwk_that_holds_the_same_numbers(key: rsa.RSAPrivateKey) -> None:
    made = badge.jwk(key.public_key(), f"{BASE}/key")
    n = int.from_bytes(base64.urlsafe_b64decode(made["n"] + "=="))
    assert (made["kty"], n, made["e"]) == ("RSA", key.public_key().public_numbers().n, "AQAB")


def test_the_same_award_gives_the_same_badge(token: str, key: rsa.RSAPrivateKey) -> None:
    assert badge.sign(badge.credential(AWARD, BASE), key, f"{BASE}/key") == token


@pytest.mark.parametrize("fault", ["signature", "body", "two parts", "other key", "none", "too long", "not base64"])
def test_a_badge_that_was_not_signed_so_is_refused(token: str, key: rsa.RSAPrivateKey, fault: str) -> None:
    head, body, signature = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    flipped = ("A" if signature[9] != "A" else "B").join((signature[:9], signature[10:]))
    made = {
        "signature": f"{head}.{body}.{flipped}", "body": f"{head}.{body[:-4]}AAAA.{signature}", "two parts": f"{head}.{body}",
        "other key": token, "none": f"{none}.{body}.", "too long": token + "A" * badge.TOKEN_CHARS_MAX,
        "not base64": f"{head}.{body}.###",
    }[fault]  # fmt: skip
    public = (rsa.generate_private_key(65537, 2048) if fault == "other key" else key).public_key()
    with pytest.raises(badge.BadBadge):
        badge.check(made, public)


def test_only_the_revoked_are_on_the_list() -> None:
    listed = badge.status_list([UUID(int=5)], datetime(2026, 12, 1, tzinfo=UTC), BASE)
    assert [badge.is_revoked(listed, badge.index_of(UUID(int=n))) for n in (5, 6)] == [True, False]
    assert len(listed["credentialSubject"]["encodedList"]) < 300


def test_a_list_that_grows_without_end_is_cut_off() -> None:
    import gzip

    bomb = base64.urlsafe_b64encode(gzip.compress(bytes(50_000_000))).decode().rstrip("=")
    assert badge.is_revoked({"credentialSubject": {"encodedList": "u" + bomb}}, 7) is False
    with pytest.raises(badge.BadBadge):
        badge.is_revoked({"credentialSubject": {"encodedList": "u!!"}}, 7)
