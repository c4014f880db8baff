"""age's hybrid post-quantum keys, MLKEM768-X25519 only: identities, recipients, and the file that holds an identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from transfer.age import bech32
from transfer.errors import BadKey, WeakKey

SEED_BYTES = 32
MLKEM_SEED_BYTES = 64
MLKEM_PUBLIC_BYTES = 1184
X25519_BYTES = 32
PUBLIC_BYTES = MLKEM_PUBLIC_BYTES + X25519_BYTES
IDENTITY_HRP = "age-secret-key-pq-"
RECIPIENT_HRP = "age1pq"
CLASSICAL_HRPS = ("age", "age-secret-key-", "age1tag", "age1tagpq")
PUBLIC_LINE = "# public key: "
CREATED_LINE = "# created: "
MAX_FILE_CHARS = 8192


def _decoded(text: str, hrp: str, size: int, what: str) -> bytes:
    found, data = bech32.decode(text)
    if found in CLASSICAL_HRPS:
        raise WeakKey("it is not a hybrid post-quantum key", what)
    if found != hrp or len(data) != size:
        raise BadKey(f"it is not text that begins {hrp}1", what)
    return data


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key: an ML-KEM-768 encapsulation key (1184 bytes) and an X25519 public key (32)."""

    public: bytes

    def __post_init__(self) -> None:
        try:
            self.hpke()
        except ValueError as error:
            raise BadKey("it is not a public key of the hybrid kind", "recipient") from error

    @property
    def text(self) -> str:
        """The recipient as age writes it: age1pq1…"""
        return bech32.encode(RECIPIENT_HRP, self.public)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key bytes, as 64 hex digits: how manifests and key documents name it."""
        return hashlib.sha256(self.public).hexdigest()

    @classmethod
    def parse(cls, text: str) -> Recipient:
        """The recipient in lower-case text. Raises WeakKey for a classical one, BadKey for anything else."""
        made = cls(_decoded(text, RECIPIENT_HRP, PUBLIC_BYTES, "recipient"))
        if text != made.text:
            raise BadKey("a recipient is written in lower case", "recipient")
        return made

    def hpke(self) -> MLKEM768X25519PublicKey:
        """The key as HPKE takes it. Raises ValueError."""
        mlkem = MLKEM768PublicKey.from_public_bytes(self.public[:MLKEM_PUBLIC_BYTES])
        return MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(self.public[MLKEM_PUBLIC_BYTES:]))


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key: one seed of 32 bytes, which the caller draws; it fits a line and a QR code."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise BadKey(f"an identity is a seed of {SEED_BYTES} bytes", "identity")

    @property
    def text(self) -> str:
        """The identity as age writes it: AGE-SECRET-KEY-PQ-1…"""
        return bech32.encode(IDENTITY_HRP, self.seed).upper()

    @classmethod
    def parse(cls, text: str) -> Identity:
        """The identity in upper-case text. Raises WeakKey for a classical one, BadKey for anything else."""
        made = cls(_decoded(text, IDENTITY_HRP, SEED_BYTES, "identity"))
        if text != made.text:
            raise BadKey("an identity is written in upper case", "identity")
        return made

    def parts(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        """The two private keys: SHAKE256(seed, 96) is the ML-KEM seed (64 bytes) and the X25519 secret (32)."""
        drawn = hashlib.shake_256(self.seed).digest(MLKEM_SEED_BYTES + X25519_BYTES)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(drawn[:MLKEM_SEED_BYTES])
        return mlkem, X25519PrivateKey.from_private_bytes(drawn[MLKEM_SEED_BYTES:])

    def hpke(self) -> MLKEM768X25519PrivateKey:
        """The key as HPKE takes it."""
        return MLKEM768X25519PrivateKey(*self.parts())

    @property
    def recipient(self) -> Recipient:
        """The public half."""
        mlkem, x25519 = (part.public_key().public_bytes_raw() for part in self.parts())
        return Recipient(mlkem + x25519)


def write_agekey(identity: Identity) -> str:
    """The text of a key file: the public key in a comment, then the identity; stock age reads it."""
    return f"{PUBLIC_LINE}{identity.recipient.text}\n{identity.text}\n"


def read_agekey(text: str) -> Identity:
    """The identity in a key file of ours or of age-keygen (a created line first). Raises BadKey or WeakKey."""
    lines = text.split("\n") if len(text) <= MAX_FILE_CHARS else []
    if lines and lines[0].startswith(CREATED_LINE):
        del lines[0]
    if len(lines) != 3 or lines[2] or not lines[0].startswith(PUBLIC_LINE):
        raise BadKey("it is not a public key line and an identity line", "key file")
    identity = Identity.parse(lines[1])
    if Recipient.parse(lines[0].removeprefix(PUBLIC_LINE)) != identity.recipient:
        raise BadKey("its public key is not that of its identity", "key file")
    return identity
