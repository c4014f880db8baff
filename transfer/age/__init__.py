"""The age v1 container (c2sp.org/age) with the hybrid post-quantum recipient only: seal and unseal, streamed.

Chunks reach the sink one by one, before the last is checked: whoever unseals must stage them until this returns.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from transfer.age.key import X25519_BYTES, Identity, Recipient, read_agekey, write_agekey
from transfer.errors import BadHeader, BadHeaderMac, BadKey, BadPayload, NotForUs, WeakKey

__all__ = [
    "Identity", "Recipient", "Stanza", "read_agekey", "seal", "seal_bytes", "unseal", "unseal_bytes", "unseal_with",
    "write_agekey",
]  # fmt: skip

VERSION_LINE = b"age-encryption.org/v1\n"
STANZA_MARK = b"-> "
MAC_MARK = b"---"
HYBRID = "mlkem768x25519"
HPKE_INFO = b"age-encryption.org/mlkem768x25519"
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
ENCAPSULATED_BYTES = 1120
CLASSICAL = ("X25519", "scrypt", "ssh-rsa", "ssh-ed25519", "piv-p256", "p256tag")
FILE_KEY_BYTES = 16
WRAPPED_KEY_BYTES = FILE_KEY_BYTES + 16
NONCE_BYTES = 16
TAG_BYTES = 16
CHUNK_BYTES = 64 << 10
COLUMNS = 64
MAX_LINE_BYTES = 4096
MAX_STANZAS = 32
MAX_STANZA_LINES = 64
MAX_RECIPIENTS = 16
ARGUMENTS = re.compile(rb"-> ([!-~]+(?: [!-~]+)*)\n")

Unwrap = Callable[[Sequence["Stanza"]], bytes | None]


@dataclass(frozen=True, slots=True)
class Stanza:
    """One recipient's part of a header: its arguments, the first being its type, and its decoded body."""

    args: tuple[str, ...]
    body: bytes

    def __bytes__(self) -> bytes:
        body = _b64(self.body)
        lines = [body[at : at + COLUMNS] for at in range(0, len(body) + 1, COLUMNS)]
        return STANZA_MARK + " ".join(self.args).encode("ascii") + b"\n" + b"".join(line + b"\n" for line in lines)


def _b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unb64(text: bytes) -> bytes:
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadHeader("it holds text that is not base64", "age header") from error
    if _b64(data) != text:
        raise BadHeader("it holds base64 that is not canonical", "age header")
    return data


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_hkdf(file_key, b"", b"header"), header, "sha256")


def _line(source: BinaryIO) -> bytes:
    line = source.readline(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BadHeader("it ends early or has a line over the limit", "age header")
    return line


def _stanza(first: bytes, source: BinaryIO) -> Stanza:
    """The stanza that begins with this line (age, Recipient stanza). Raises BadHeader."""
    args = ARGUMENTS.fullmatch(first)
    if not args:
        raise BadHeader("a line begins neither a stanza nor the end", "age header")
    body = b""
    for _ in range(MAX_STANZA_LINES):
        line = _line(source)[:-1]
        body += _unb64(line)
        if len(line) < COLUMNS:
            return Stanza(tuple(args[1].decode("ascii").split(" ")), body)
        if len(line) > COLUMNS:
            break
    raise BadHeader("a stanza has a line or a body over the limit", "age header")


def _header(source: BinaryIO) -> tuple[list[Stanza], bytes, bytes]:
    """The stanzas, the bytes that the MAC covers, and the MAC. Raises BadHeader."""
    if _line(source) != VERSION_LINE:
        raise BadHeader("it is not an age version 1 file", "age header")
    stanzas: list[Stanza] = []
    while not (line := _line(source)).startswith(MAC_MARK):
        if len(stanzas) == MAX_STANZAS:
            raise BadHeader(f"it has more than {MAX_STANZAS} stanzas", "age header")
        stanzas.append(_stanza(line, source))
    mac = _unb64(line[4:-1])
    if line[3:4] != b" " or len(mac) != 32 or not stanzas:
        raise BadHeader("its last line is not a MAC, or it has no recipient", "age header")
    return stanzas, VERSION_LINE + b"".join(map(bytes, stanzas)) + MAC_MARK, mac


def _filled(source: BinaryIO, size: int) -> bytes:
    """``size`` bytes, or all that is left."""
    data = source.read(size)
    while len(data) < size and (more := source.read(size - len(data))):
        data += more
    return data


def _chunks(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    """(nonce, chunk) with chunks of ``size`` bytes, the last one shorter or full and its nonce flagged."""
    chunk, counter = _filled(source, size), 0
    while True:
        following = _filled(source, size) if len(chunk) == size else b""
        yield counter.to_bytes(11, "big") + (b"\x00" if following else b"\x01"), chunk
        if not following:
            return
        chunk, counter = following, counter + 1


def _wrap(recipient: Recipient, file_key: bytes) -> Stanza:
    try:
        sealed = SUITE.encrypt(file_key, recipient.hpke(), HPKE_INFO)
    except ValueError as error:
        raise BadKey("nothing can be sealed for it", f"recipient {recipient.fingerprint}") from error
    enc, body = sealed[:ENCAPSULATED_BYTES], sealed[ENCAPSULATED_BYTES:]
    return Stanza((HYBRID, _b64(enc).decode("ascii")), body)


def seal(
    source: BinaryIO,
    sink: BinaryIO,
    recipients: Sequence[Recipient],
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> None:
    """Encrypt ``source`` to ``sink`` for every recipient; memory stays at two chunks of 64 KiB. Raises BadKey."""
    if not 0 < len(recipients) <= MAX_RECIPIENTS or len(set(recipients)) != len(recipients):
        raise BadKey(f"a file is sealed for 1 to {MAX_RECIPIENTS} different recipients", "recipients")
    file_key, nonce = random(FILE_KEY_BYTES), random(NONCE_BYTES)
    header = VERSION_LINE + b"".join(bytes(_wrap(each, file_key)) for each in recipients) + MAC_MARK
    sink.write(header + b" " + _b64(_mac(file_key, header)) + b"\n" + nonce)
    cipher = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    for counter, chunk in _chunks(source, CHUNK_BYTES):
        sink.write(cipher.encrypt(counter, chunk, None))


def _encapsulated(stanza: Stanza) -> bytes:
    """The checked second argument of a hybrid stanza. Raises BadHeader."""
    enc = _unb64(stanza.args[1].encode("ascii")) if len(stanza.args) == 2 else b""
    if len(enc) != ENCAPSULATED_BYTES or len(stanza.body) != WRAPPED_KEY_BYTES:
        raise BadHeader("a recipient's part has not its exact form", "age header")
    return enc


def hybrid_unwrap(identity: Identity, stanzas: Sequence[Stanza]) -> bytes | None:
    """The file key that one of the stanzas wraps for this identity, or None. Raises BadHeader."""
    for stanza in stanzas:
        if stanza.args[0] != HYBRID:
            continue
        enc = _encapsulated(stanza)
        try:
            identity.parts()[1].exchange(X25519PublicKey.from_public_bytes(enc[-X25519_BYTES:]))
        except ValueError as error:  # an all-zero result: the share has low order, which age refuses
            raise BadHeader("a recipient's share is one that age forbids", "age header") from error
        try:
            return SUITE.decrypt(enc + stanza.body, identity.hpke(), HPKE_INFO)
        except InvalidTag:
            continue
    return None


def unseal_with(source: BinaryIO, sink: BinaryIO, unwrap: Unwrap) -> None:
    """Decrypt any age v1 file whose key ``unwrap`` finds among the stanzas; see ``unseal`` for ours."""
    stanzas, header, mac = _header(source)
    file_key = unwrap(stanzas)
    if file_key is None:
        raise NotForUs("no key given here opens it", "age header")
    if not hmac.compare_digest(_mac(file_key, header), mac):
        raise BadHeaderMac("it was altered after sealing", "age header")
    nonce = _filled(source, NONCE_BYTES)
    if len(nonce) != NONCE_BYTES:
        raise BadHeader("the file ends after the header", "age payload")
    _open_payload(ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload")), source, sink)


def _open_payload(cipher: ChaCha20Poly1305, source: BinaryIO, sink: BinaryIO) -> None:
    """Decrypt chunk by chunk (age, Payload). Raises BadPayload."""
    for counter, chunk in _chunks(source, CHUNK_BYTES + TAG_BYTES):
        try:
            plain = cipher.decrypt(counter, chunk, None)
        except InvalidTag as error:
            sink.write(_wrongly_flagged(cipher, counter, chunk))
            raise BadPayload("it is damaged, cut short or extended", "age payload") from error
        if not plain and int.from_bytes(counter[:11], "big"):
            raise BadPayload("its last chunk is empty", "age payload")
        sink.write(plain)


def _wrongly_flagged(cipher: ChaCha20Poly1305, nonce: bytes, chunk: bytes) -> bytes:
    """What a full chunk holds that is last but not marked so, or marked so but not last.

    The file fails all the same; the testkit counts these bytes as decrypted.
    """
    if len(chunk) < CHUNK_BYTES + TAG_BYTES:
        return b""
    try:
        return cipher.decrypt(nonce[:11] + bytes([nonce[11] ^ 1]), chunk, None)
    except InvalidTag:
        return b""


def unseal(source: BinaryIO, sink: BinaryIO, identities: Sequence[Identity]) -> Identity:
    """Decrypt ``source`` to ``sink``; the identity that opened it. Memory stays at two chunks of 64 KiB.

    Raises WeakKey when the file was sealed for a classical key as well, NotForUs, BadHeader, BadHeaderMac, BadPayload.
    """
    opened: list[Identity] = []

    def unwrap(stanzas: Sequence[Stanza]) -> bytes | None:
        weak = [stanza.args[0] for stanza in stanzas if stanza.args[0] in CLASSICAL]
        if weak:
            raise WeakKey(f"it was sealed for a classical key ({weak[0]})", "age header")
        for identity in identities:
            if (file_key := hybrid_unwrap(identity, stanzas)) is not None:
                opened.append(identity)
                return file_key
        return None

    unseal_with(source, sink, unwrap)
    return opened[0]


def seal_bytes(
    data: bytes, recipients: Sequence[Recipient], random: Callable[[int], bytes] = secrets.token_bytes
) -> bytes:
    """As ``seal``, in memory."""
    sink = BytesIO()
    seal(BytesIO(data), sink, recipients, random)
    return sink.getvalue()


def unseal_bytes(data: bytes, identities: Sequence[Identity]) -> bytes:
    """As ``unseal``, in memory; nothing is returned of a file that fails anywhere."""
    sink = BytesIO()
    unseal(BytesIO(data), sink, identities)
    return sink.getvalue()
