"""Signed notes, as C2SP signed-note and tlog-cosignature define them: text that one or more keys signed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA44PublicKey,
    MLDSA65PrivateKey,
    MLDSA65PublicKey,
)

from transfer.errors import BadKey, BadNote, BadSignature
from transfer.evidence.checkpoint import MAX_NAME_BYTES, MAX_SIZE, Checkpoint, unb64

MAX_NOTE_BYTES = 1 << 20
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
NOT_IN_NAME = re.compile(r"[\s+\x00-\x1f]")
MAX_SIGNATURES = 64
MAX_VKEY_CHARS = 4096
SEED_BYTES = 32
STAMP_BYTES = 8
PAIRS_KEPT = 64
DASH = "\u2014 "


class Kind(Enum):
    """A signature type: the identifier in its key id, the bytes of a public key and of a signature, whether timed."""

    ED25519 = (b"\x01", 32, 64, False)
    COSIGNATURE_V1 = (b"\x04", 32, 64, True)
    ML_DSA_44 = (b"\x06", 1312, 2420, True)
    ML_DSA_65 = (b"\xffastrack/ml-dsa-65", 1952, 3309, False)

    def __init__(self, label: bytes, public_bytes: int, signature_bytes: int, timed: bool) -> None:
        self.label, self.public_bytes = label, public_bytes
        self.signature_bytes, self.timed = signature_bytes, timed


Private = Ed25519PrivateKey | MLDSA44PrivateKey | MLDSA65PrivateKey
_PRIVATE: Mapping[Kind, type[Ed25519PrivateKey] | type[MLDSA44PrivateKey] | type[MLDSA65PrivateKey]] = {
    Kind.ED25519: Ed25519PrivateKey,
    Kind.COSIGNATURE_V1: Ed25519PrivateKey,
    Kind.ML_DSA_44: MLDSA44PrivateKey,
    Kind.ML_DSA_65: MLDSA65PrivateKey,
}
_PUBLIC: Mapping[Kind, type[Ed25519PublicKey] | type[MLDSA44PublicKey] | type[MLDSA65PublicKey]] = {
    Kind.ED25519: Ed25519PublicKey,
    Kind.COSIGNATURE_V1: Ed25519PublicKey,
    Kind.ML_DSA_44: MLDSA44PublicKey,
    Kind.ML_DSA_65: MLDSA65PublicKey,
}


def _name(name: str) -> str:
    if not name or NOT_IN_NAME.search(name) or len(name.encode()) > MAX_NAME_BYTES:
        raise BadKey("a key name is 1 to 255 bytes without spaces or plus", repr(name)[:80])
    return name


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name, its id of 4 bytes, and what follows the id."""

    name: str
    key_id: bytes
    data: bytes

    @property
    def line(self) -> str:
        """The line with its final newline (signed-note, Signatures)."""
        return f"{DASH}{self.name} {base64.b64encode(self.key_id + self.data).decode('ascii')}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        """The signature in a line without its newline. Raises BadNote."""
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] + " " != DASH:
            raise BadNote("a signature line is a dash, a key name and base64", "signed note")
        data = unb64(parts[2], "signature line")
        if len(data) < 5:
            raise BadNote("a signature line is too short", "signed note")
        try:
            return cls(_name(parts[1]), data[:4], data[4:])
        except BadKey as error:
            raise BadNote(error.what, "signature line") from error


@dataclass(frozen=True, slots=True)
class Note:
    """A note: its text with the final newline, and its signatures in order, none of them checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(s.line for s in self.signatures)).encode()

    def signed_also(self, signatures: Iterable[Signature]) -> Note:
        """The note with further signatures; one of the same name and id takes the place of the older."""
        kept = {(s.name, s.key_id): s for s in (*self.signatures, *signatures)}
        return Note(self.text, tuple(kept.values()))


def parse(data: bytes) -> Note:
    """The note in these bytes; its exact bytes come back from ``bytes(note)``. Raises BadNote."""
    if len(data) > MAX_NOTE_BYTES:
        raise BadNote(f"{len(data)} bytes are over the limit of {MAX_NOTE_BYTES}", "signed note")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadNote("it is not UTF-8", "signed note") from error
    text, blank, tail = whole.rpartition("\n\n")
    lines = tail.split("\n")
    if not blank or lines.pop() or not lines or CONTROL.search(whole):
        raise BadNote("it is not text, an empty line and signature lines", "signed note")
    if len(lines) > MAX_SIGNATURES:
        raise BadNote(f"{len(lines)} signatures are over the limit of {MAX_SIGNATURES}", "signed note")
    return Note(text + "\n", tuple(Signature.parse(line) for line in lines))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A verifier key: a name, a signature type and the raw public key."""

    name: str
    kind: Kind
    public: bytes

    def __post_init__(self) -> None:
        _name(self.name)
        if len(self.public) != self.kind.public_bytes:
            raise BadKey(f"a {self.kind.name} key has {self.kind.public_bytes} bytes", self.name)

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name, newline, type, public key) (signed-note, Signatures)."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind.label + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The vkey: name+id+base64 (signed-note, Verifier keys)."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.kind.label + self.public).decode('ascii')}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """The verifier key in vkey text; its id must be the one computed. Raises BadKey."""
        name, _, rest = text.partition("+")
        _, _, encoded = rest.partition("+")
        try:
            data = unb64(encoded, "verifier key") if len(text) <= MAX_VKEY_CHARS else b""
        except BadNote as error:
            raise BadKey(error.what, "verifier key") from error
        kind = next((k for k in Kind if data.startswith(k.label)), None)
        made = cls(name, kind, data[len(kind.label) :]) if kind else None
        if made is None or made.text != text:
            raise BadKey("it is not name+id+key of a known type", "verifier key")
        return made

    def check(self, text: str, signature: Signature) -> int | None:
        """Verify one signature of ``text``; its time in Unix seconds if its type has one. Raises BadSignature."""
        body, stamp = signature.data, None
        if self.kind.timed:
            stamp, body = int.from_bytes(body[:STAMP_BYTES], "big"), body[STAMP_BYTES:]
        if len(body) != self.kind.signature_bytes or (stamp is not None and not 0 < stamp <= MAX_SIZE):
            raise BadSignature("a signature has not the form of its type", self.name)
        try:
            _PUBLIC[self.kind].from_public_bytes(self.public).verify(body, _message(self, text, stamp))
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(f"the {self.kind.name} signature is not over this text", self.name) from error
        return stamp


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key: a name, a signature type and the 32-byte seed that the caller drew."""

    name: str
    kind: Kind
    seed: bytes

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise BadKey(f"a signing seed has {SEED_BYTES} bytes", self.name)

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, {self.kind.name})"

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.kind, _pair(self.kind, self.seed)[1])

    def sign(self, text: str, at: int) -> Signature:
        """A signature of ``text``; ``at`` (Unix seconds) is for the timed types, which sign only checkpoints."""
        public = self.verifier
        stamp = at if self.kind.timed else None
        body = _pair(self.kind, self.seed)[0].sign(_message(public, text, stamp))
        return Signature(
            self.name, public.key_id, (b"" if stamp is None else stamp.to_bytes(STAMP_BYTES, "big")) + body
        )


@lru_cache(maxsize=PAIRS_KEPT)
def _pair(kind: Kind, seed: bytes) -> tuple[Private, bytes]:
    """(the private key of a seed, its raw public half): drawing them from the seed costs more than to sign."""
    cls = _PRIVATE[kind]
    private = cls.from_private_bytes(seed) if issubclass(cls, Ed25519PrivateKey) else cls.from_seed_bytes(seed)
    return private, private.public_key().public_bytes_raw()


def _message(key: Verifier, text: str, stamp: int | None) -> bytes:
    """The bytes that a signature type signs (signed-note; tlog-cosignature, signed messages)."""
    if stamp is None:
        return text.encode()
    head = Checkpoint.parse(text)
    if key.kind is Kind.COSIGNATURE_V1:
        return f"cosignature/v1\ntime {stamp}\n{text}".encode()
    name, origin = key.name.encode(), head.origin.encode()
    return b"".join(
        (
            b"subtree/v1\n\0",
            len(name).to_bytes(1, "big") + name,
            stamp.to_bytes(8, "big"),
            len(origin).to_bytes(1, "big") + origin,
            (0).to_bytes(8, "big"),
            head.size.to_bytes(8, "big"),
            head.root,
        )
    )


def sign(text: str, signers: Iterable[Signer], at: int) -> Note:
    """A note of ``text`` with one line for each signer; ``at`` is Unix seconds. Raises BadNote for unfit text."""
    note = Note(text, tuple(signer.sign(text, at) for signer in signers))
    if parse(bytes(note)) != note:
        raise BadNote("the text does not end with a newline", "signed note")
    return note


def verify(note: Note, known: Collection[Verifier]) -> dict[Verifier, int | None]:
    """Which of the known keys signed, with the time of the timed ones (Unix seconds); unknown lines are ignored.

    Raises BadSignature when a line of a known key is wrong or stands twice.
    """
    by_id = {(key.name, key.key_id): key for key in known}
    found: dict[Verifier, int | None] = {}
    for signature in note.signatures:
        key = by_id.get((signature.name, signature.key_id))
        if key is None:
            continue
        if key in found:
            raise BadSignature("the same key signed twice", key.name)
        found[key] = key.check(note.text, signature)
    return found


def require(note: Note, keys: Collection[Verifier]) -> dict[Verifier, int | None]:
    """As ``verify``, and every one of ``keys`` must have signed. Raises BadSignature."""
    found = verify(note, keys)
    missing = [f"{key.name} ({key.kind.name})" for key in keys if key not in found]
    if missing or not keys:
        raise BadSignature(
            f"a required signature is missing: {', '.join(missing) or 'no key was given'}", "signed note"
        )
    return found


def open_checkpoint(data: bytes, keys: Collection[Verifier]) -> Checkpoint:
    """The checkpoint in these bytes, signed by every one of ``keys``. Raises BadNote or BadSignature."""
    note = parse(data)
    require(note, keys)
    return Checkpoint.parse(note.text)
