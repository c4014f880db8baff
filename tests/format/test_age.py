"""The age container: the C2SP testkit, one fault each, and files exchanged with another implementation."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from transfer import age
from transfer.age import Identity, Recipient, Stanza, bech32, read_agekey, seal_bytes, unseal_bytes, write_agekey
from transfer.errors import (
    BadContainer,
    BadHeader,
    BadHeaderMac,
    BadKey,
    BadPayload,
    NotForUs,
    TransferRefused,
    WeakKey,
)

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "age"
OUTCOMES = {
    "header failure": BadHeader,
    "HMAC failure": BadHeaderMac,
    "payload failure": BadPayload,
    "no match": NotForUs,
}
OURS, OTHER = Identity(bytes(range(32))), Identity(b"\x07" * 32)


def vector_names() -> list[Any]:
    absent = pytest.param("", marks=pytest.mark.skip(reason=f"the age testkit is not at {VECTORS}"))
    return sorted(path.name for path in VECTORS.glob("*")) or [absent]


def read_vector(name: str) -> tuple[dict[str, str], list[str], bytes]:
    head, _, body = (VECTORS / name).read_bytes().partition(b"\n\n")
    pairs = [line.split(": ", 1) for line in head.decode().splitlines()]
    fields = dict(pairs)
    return fields, [v for k, v in pairs if k == "identity"], zlib.decompress(body) if "compressed" in fields else body


def x25519_unwrap(secret: bytes, stanzas: Sequence[Stanza]) -> bytes | None:
    """The classical recipient, here only: most of the testkit's payloads are sealed for it."""
    private = X25519PrivateKey.from_private_bytes(secret)
    for stanza in stanzas:
        if stanza.args[0] != "X25519":
            continue
        share = age._unb64(stanza.args[1].encode()) if len(stanza.args) == 2 else b""
        if len(share) != 32 or len(stanza.body) != 32:
            raise BadHeader("malformed", "X25519 stanza")
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError as error:
            raise BadHeader("low order", "X25519 stanza") from error
        salt = share + private.public_key().public_bytes_raw()
        key = HKDF(SHA256(), 32, salt, b"age-encryption.org/v1/X25519").derive(shared)
        try:
            return ChaCha20Poly1305(key).decrypt(bytes(12), stanza.body, None)
        except InvalidTag:
            continue
    return None


def unwrap_with(texts: list[str]) -> age.Unwrap:
    def unwrap(stanzas: Sequence[Stanza]) -> bytes | None:
        for text in texts:
            hrp, data = bech32.decode(text)
            hybrid = hrp == "age-secret-key-pq-"
            found = age.hybrid_unwrap(Identity(data), stanzas) if hybrid else x25519_unwrap(data, stanzas)
            if found is not None:
                return found
        return None

    return unwrap


@pytest.mark.parametrize("name", vector_names())
def test_testkit_vector(name: str) -> None:
    fields, identities, body = read_vector(name)
    if "armored" in fields:
        pytest.skip("armor is out of scope: sealed files are binary")
    if "passphrase" in fields:
        pytest.skip("passphrases are out of scope: only hybrid keys open a sealed file")
    sink = io.BytesIO()
    if fields["expect"] == "success":
        age.unseal_with(io.BytesIO(body), sink, unwrap_with(identities))
    else:
        with pytest.raises(TransferRefused) as refusal:
            age.unseal_with(io.BytesIO(body), sink, unwrap_with(identities))
        assert type(refusal.value) is OUTCOMES[fields["expect"]]
    if "payload" in fields:
        assert hashlib.sha256(sink.getvalue()).hexdigest() == fields["payload"]


def test_the_testkit_has_85_vectors_in_scope() -> None:
    if not VECTORS.exists():
        pytest.skip(f"the age testkit is not at {VECTORS}")
    scope = [f for f, _, _ in map(read_vector, vector_names()) if "armored" not in f and "passphrase" not in f]
    assert len(scope) == 85


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072, 200_000])
def test_what_is_sealed_opens_for_each_recipient_and_nobody_else(size: int) -> None:
    data = bytes(n & 255 for n in range(size))
    sealed = seal_bytes(data, [OURS.recipient, OTHER.recipient])
    assert unseal_bytes(sealed, [OURS]) == unseal_bytes(sealed, [OTHER]) == data
    with pytest.raises(NotForUs):
        unseal_bytes(sealed, [Identity(bytes(32))])


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32))
def test_sealing_and_opening_is_the_identity(data: bytes, seed: bytes) -> None:
    assert unseal_bytes(seal_bytes(data, [Identity(seed).recipient]), [Identity(seed)]) == data


SEALED = seal_bytes(b"the story " * 40, [OURS.recipient])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_flipped_byte_fails(index: int, flip: int) -> None:
    changed = bytearray(SEALED)
    changed[index] ^= flip
    with pytest.raises((BadContainer, NotForUs)):
        unseal_bytes(bytes(changed), [OURS])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SEALED) - 1))
def test_any_cut_file_fails(length: int) -> None:
    with pytest.raises(BadContainer):
        unseal_bytes(SEALED[:length], [OURS])


@given(st.binary(max_size=400))
def test_any_other_bytes_are_refused_by_name(data: bytes) -> None:
    for start in (b"", age.VERSION_LINE, age.VERSION_LINE + b"-> "):
        with pytest.raises(BadHeader):
            unseal_bytes(start + data, [OURS])


def test_the_identity_that_opened_a_file_is_named() -> None:
    assert age.unseal(io.BytesIO(SEALED), io.BytesIO(), [OTHER, OURS]) == OURS


def test_the_randomness_passed_in_decides_file_key_and_nonce() -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    assert unseal_bytes(seal_bytes(b"x", [OURS.recipient], random), [OURS]) == b"x"
    assert asked == [16, 16]


@pytest.mark.parametrize("kind", ["X25519", "scrypt", "ssh-ed25519", "p256tag"])
def test_a_file_sealed_for_a_classical_key_as_well_is_refused(kind: str) -> None:
    file_key = bytes(16)
    stanzas = age._wrap(OURS.recipient, file_key), Stanza((kind, "AAAA"), bytes(32))
    header = age.VERSION_LINE + b"".join(map(bytes, stanzas)) + b"---"
    mixed = header + b" " + age._b64(age._mac(file_key, header)) + b"\n" + bytes(16)
    with pytest.raises(WeakKey, match=kind):
        unseal_bytes(mixed, [OURS])


@pytest.mark.parametrize(
    "recipients", [[], [OURS.recipient] * 2, [Identity(bytes([n]) * 32).recipient for n in range(17)]]
)
def test_sealing_for_nobody_for_one_twice_or_for_too_many_is_refused(recipients: list[Recipient]) -> None:
    with pytest.raises(BadKey):
        seal_bytes(b"x", recipients)


def test_a_recipient_with_a_low_order_share_is_refused() -> None:
    with pytest.raises(BadKey):
        seal_bytes(b"x", [Recipient(OURS.recipient.public[:1184] + bytes(32))])


def test_a_header_with_too_many_stanzas_is_refused() -> None:
    with pytest.raises(BadHeader, match="more than 32"):
        unseal_bytes(age.VERSION_LINE + b"-> grease\n\n" * 33 + b"--- " + b"A" * 43 + b"\n", [OURS])


def test_an_endless_line_is_refused_before_it_is_read() -> None:
    class Endless(io.BytesIO):
        def readline(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 < size <= 4096
            return b"a" * size

    with pytest.raises(BadHeader):
        age.unseal(Endless(), io.BytesIO(), [OURS])


class Null(io.BytesIO):
    """Takes everything, keeps nothing."""

    def write(self, data: Any) -> int:
        return len(data)


def test_sealing_and_opening_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(bytes(24 << 20))
    tracemalloc.start()
    with plain.open("rb") as source, sealed.open("wb") as sink:
        age.seal(source, sink, [OURS.recipient])
    with sealed.open("rb") as source:
        age.unseal(source, Null(), [OURS])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20


PUBLISHED = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
CLASSICAL = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


def test_the_identity_of_the_specification_has_its_recipient() -> None:
    identity = Identity.parse(PUBLISHED)
    assert identity.text == PUBLISHED
    assert identity.recipient.text.startswith(
        "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95pae"
    )
    assert Recipient.parse(identity.recipient.text) == identity.recipient
    assert identity.recipient.fingerprint == hashlib.sha256(identity.recipient.public).hexdigest()


def test_an_identity_never_shows_its_seed() -> None:
    assert "00" not in repr(OURS)


@pytest.mark.parametrize("text", [CLASSICAL, "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"])
def test_classical_keys_are_refused_as_weak(text: str) -> None:
    for parse in (Identity.parse, Recipient.parse):
        with pytest.raises(WeakKey):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        PUBLISHED.lower(),
        PUBLISHED[:-1] + "Q",
        " " + PUBLISHED,
        PUBLISHED + "\n",
        PUBLISHED.title(),
        "\u0131" * 80,
    ],
)
def test_mistyped_identities_are_refused(text: str) -> None:
    with pytest.raises(BadKey):
        Identity.parse(text)


def test_a_recipient_in_upper_case_is_refused() -> None:
    with pytest.raises(BadKey):
        Recipient.parse(OURS.recipient.text.upper())


def test_bytes_that_are_no_ml_kem_key_are_refused() -> None:
    with pytest.raises(BadKey):
        Recipient(b"\xff" * 1216)


@given(st.binary(max_size=80), st.sampled_from(["age1pq", "age-secret-key-pq-", "a"]))
def test_bech32_is_the_identity_in_both_cases(data: bytes, hrp: str) -> None:
    text = bech32.encode(hrp, data)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (hrp, data)


@pytest.mark.parametrize(
    "text",
    [
        "A12UEL5L",
        "a12uel5l",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "?1ezyfcl",
    ],
)
def test_the_valid_strings_of_bip_173_have_a_right_checksum(text: str) -> None:
    letters = [bech32.ALPHABET.index(c) for c in text.lower().rpartition("1")[2]]
    assert bech32._checksum(text.lower().rpartition("1")[0], letters) == 1


@pytest.mark.parametrize(
    "text", ["pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "A1G7SGD8", "10a06t8", "1qzzfhee", "a1Lqfn3a"]
)
def test_the_invalid_strings_of_bip_173_are_refused(text: str) -> None:
    with pytest.raises(BadKey):
        bech32.decode(text)


def test_a_key_file_comes_back() -> None:
    assert read_agekey(write_agekey(OURS)) == OURS
    assert write_agekey(OURS) == f"# public key: {OURS.recipient.text}\n{OURS.text}\n"


def test_a_key_file_of_age_keygen_is_read() -> None:
    assert read_agekey("# created: 2026-09-01T08:00:00Z\n" + write_agekey(OURS)) == OURS


KEY_FILE = write_agekey(OURS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        OURS.text + "\n",
        KEY_FILE[:-1],
        KEY_FILE + "\n",
        KEY_FILE + KEY_FILE,
        "# a remark\n" + KEY_FILE,
        KEY_FILE.replace("\n", "\r\n"),
        KEY_FILE.replace("# public key: ", "# public key:"),
        KEY_FILE.replace(OURS.recipient.text, OTHER.recipient.text),
        " " * 9000,
    ],
)
def test_any_other_key_file_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        read_agekey(text)


def hpke_cases() -> list[dict[str, Any]]:
    import cryptography_vectors

    with cryptography_vectors.open_vector_file("HPKE/hpke-pq-test-vectors.json", "r") as file:
        cases: list[dict[str, Any]] = json.load(file)
    return [c for c in cases if c["kem_id"] == 0x647A and c["kdf_id"] == 1 and c["mode"] == 0]


def test_published_hpke_vectors_of_the_hybrid_kem_open_with_our_identities() -> None:
    from cryptography.hazmat.primitives import hpke

    cases = hpke_cases()
    assert cases
    for case in cases:
        aead = {1: hpke.AEAD.AES_128_GCM, 2: hpke.AEAD.AES_256_GCM, 3: hpke.AEAD.CHACHA20_POLY1305}[case["aead_id"]]
        suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, aead)
        identity = Identity(bytes.fromhex(case["skRm"]))
        assert identity.recipient.public.hex() == case["pkRm"]
        first = case["encryptions"][0]
        sealed = bytes.fromhex(case["enc"]) + bytes.fromhex(first["ct"])
        info, aad = bytes.fromhex(case["info"]), bytes.fromhex(first["aad"])
        rust = __import__("cryptography.hazmat.bindings._rust", fromlist=["openssl"]).openssl.hpke
        assert rust._decrypt_with_aad(suite, sealed, identity.hpke(), info, aad).hex() == first["pt"]


SCRIPT = """
import { Encrypter, Decrypter } from "age-encryption";
import { readFileSync } from "node:fs";
const ask = JSON.parse(readFileSync(0, "utf8"));
if (ask.recipients) {
  const e = new Encrypter();
  for (const r of ask.recipients) e.addRecipient(r);
  process.stdout.write(Buffer.from(await e.encrypt(Buffer.from(ask.data, "base64"))).toString("base64"));
} else {
  const d = new Decrypter();
  d.addIdentity(ask.identity);
  process.stdout.write(Buffer.from(await d.decrypt(Buffer.from(ask.data, "base64"))).toString("base64"));
}
"""


@pytest.fixture(scope="module")
def other_age(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with npm's age-encryption, a second implementation."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("node and npm are not here: nothing was exchanged with age-encryption")
    folder = tmp_path_factory.mktemp("age-encryption")
    (folder / "run.mjs").write_text(SCRIPT)
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "age-encryption@0.3.1"]
    try:
        subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=90)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"npm could not install age-encryption ({type(error).__name__}): nothing was exchanged with it")
    return folder


def ask_other(folder: Path, **ask: Any) -> bytes:
    run = subprocess.run(
        ["node", "run.mjs"], cwd=folder, input=json.dumps(ask).encode(), capture_output=True, timeout=60
    )
    assert run.returncode == 0, run.stderr.decode()
    return base64.b64decode(run.stdout)


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072, 1 << 20])
def test_files_are_exchanged_both_ways_with_age_encryption(other_age: Path, size: int) -> None:
    data = hashlib.shake_256(b"story").digest(size)
    recipients = [OURS.recipient, OTHER.recipient]
    theirs = ask_other(other_age, recipients=[r.text for r in recipients], data=base64.b64encode(data).decode())
    assert unseal_bytes(theirs, [OURS]) == unseal_bytes(theirs, [OTHER]) == data
    ours = seal_bytes(data, recipients)
    assert ask_other(other_age, identity=OTHER.text, data=base64.b64encode(ours).decode()) == data
