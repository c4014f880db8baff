"""Entries and commitments: the lines of a school's log (FORMAT.md, section 3).

An entry shows neither person, time nor type; it commits to the payload through a salt that travels encrypted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from transfer.errors import BadEntry, BadEnvelope

COMMIT_LABEL = b"astrack/commit/v1\0"
ENTRY_LABEL = "astrack/entry/v1"
KINDS = ("event", "import", "export", "erasure", "heads")
IMPORT_TOPIC = "transfer.fact-imported.v1"
ZERO = bytes(32)
SALT_BYTES = 32
MAX_ENTRY_BYTES = 512
MAX_STREAM_BYTES = 64
MAX_NESTING = 16
MAX_NESTED_BYTES = 8 << 20
MAX_SEQ = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, parsed: its kind, stream id, dense number in the stream, the leaf before it, its commitment."""

    kind: str
    stream: bytes
    seq: int
    prev: bytes
    commitment: bytes


def b64(data: bytes) -> str:
    """Standard base64 with padding, as every field of the format uses it."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: object, what: str, size: int | None = None, limit: int = MAX_NESTED_BYTES) -> bytes:
    """The bytes of canonical base64 text; ``size`` where it is fixed, in bytes. Raises BadEntry."""
    if not isinstance(text, str) or len(text) > limit * 4 // 3 + 4:
        raise BadEntry("it is not base64 text of a permitted length", what)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEntry("it is not valid base64", what) from error
    if b64(data) != text or (size is not None and len(data) != size):
        raise BadEntry(f"it is not canonical base64 of {size} bytes" if size else "it is not canonical base64", what)
    return data


def commitment(salt: bytes, payload: bytes) -> bytes:
    """HMAC-SHA256 under a random 32-byte salt of the label and the exact payload bytes; 32 bytes."""
    if len(salt) != SALT_BYTES:
        raise BadEntry(f"a salt has {SALT_BYTES} bytes, not {len(salt)}", "salt")
    return hmac.digest(salt, COMMIT_LABEL + payload, "sha256")


def entry(kind: str, stream: bytes, seq: int, prev: bytes, commitment: bytes) -> bytes:
    """The exact bytes of one log entry; ``prev`` is the leaf of seq-1 of the stream, 32 zero bytes for seq 0."""
    if kind not in KINDS or not 1 <= len(stream) <= MAX_STREAM_BYTES or not 0 <= seq <= MAX_SEQ:
        raise BadEntry("the kind, the stream id or the number is not one the format knows", "entry")
    if len(prev) != 32 or len(commitment) != 32 or (seq == 0) != (prev == ZERO):
        raise BadEntry("prev and commitment have 32 bytes, and prev is zero for number 0 only", "entry")
    return f"{ENTRY_LABEL}\n{kind}\n{b64(stream)}\n{seq}\n{b64(prev)}\n{b64(commitment)}\n".encode("ascii")


def parse_entry(data: bytes) -> Entry:
    """The entry in these bytes; only the one exact encoding is accepted. Raises BadEntry."""
    if len(data) > MAX_ENTRY_BYTES:
        raise BadEntry(f"an entry of {len(data)} bytes is over the limit of {MAX_ENTRY_BYTES}", "entry")
    try:
        lines = data.decode("ascii").split("\n")
        label, kind, stream, seq, prev, committed, end = lines
        number = int(seq) if seq.isdecimal() and len(seq) < 20 else -1
    except ValueError as error:
        raise BadEntry("it does not have the seven lines of an entry", "entry") from error
    made = Entry(kind, unb64(stream, "stream"), number, unb64(prev, "prev", 32), unb64(committed, "commitment", 32))
    if label != ENTRY_LABEL or end or entry(kind, made.stream, number, made.prev, made.commitment) != data:
        raise BadEntry("it is not the exact encoding of an entry", "entry")
    return made


def leaf(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry): the leaf of the log's tree, and the ``prev`` of the stream's next entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def envelope(origin: str, index: int, entry: bytes, salt: bytes, payload: bytes) -> dict[str, Any]:
    """The import envelope: the source's origin, leaf index, entry, salt and payload as JSON values."""
    return {"origin": origin, "index": index, "entry": b64(entry), "salt": b64(salt), "payload": b64(payload)}


@dataclass(frozen=True, slots=True)
class Envelope:
    """An import envelope, opened: whose log, which leaf, and the three byte strings that prove each other."""

    origin: str
    index: int
    entry: bytes
    salt: bytes
    payload: bytes


def open_envelope(data: object) -> Envelope:
    """The envelope in JSON values; its entry must commit to its payload. Raises BadEnvelope or BadEntry."""
    if not isinstance(data, dict) or set(data) != {"origin", "index", "entry", "salt", "payload"}:
        raise BadEnvelope("it does not have exactly origin, index, entry, salt and payload", "import envelope")
    origin, index = data["origin"], data["index"]
    if not isinstance(origin, str) or not 0 < len(origin) <= 200 or type(index) is not int or index < 0:
        raise BadEnvelope("its origin or index is not one", "import envelope")
    made = Envelope(
        origin, index, unb64(data["entry"], "entry"), unb64(data["salt"], "salt", 32), unb64(data["payload"], "payload")
    )
    if commitment(made.salt, made.payload) != parse_entry(made.entry).commitment:
        raise BadEnvelope("its entry does not commit to its payload", f"import envelope from {origin}")
    return made


def imported(payload: bytes) -> Envelope | None:
    """The envelope that an import event's payload carries; None when the payload is no import event."""
    if len(payload) > MAX_NESTED_BYTES:
        raise BadEnvelope(f"a payload of {len(payload)} bytes is over the limit of {MAX_NESTED_BYTES}", "payload")
    if IMPORT_TOPIC.encode() not in payload:
        return None
    try:
        raw = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BadEnvelope("it is not JSON", "payload") from error
    if not isinstance(raw, dict) or raw.get("topic") != IMPORT_TOPIC:
        return None
    return open_envelope(raw.get("data"))


def nested(payload: bytes) -> list[Envelope]:
    """The envelopes around a fact, outermost first; empty for a fact that was never imported."""
    found: list[Envelope] = []
    while (inner := imported(payload)) is not None:
        if len(found) == MAX_NESTING:
            raise BadEnvelope(f"a fact passed through more than {MAX_NESTING} imports", "import envelope")
        found.append(inner)
        payload = inner.payload
    return found


def innermost(payload: bytes) -> tuple[str, bytes]:
    """(origin that first recorded it, its own payload bytes); ("", payload) for a fact that was never imported."""
    envelopes = nested(payload)
    return (envelopes[-1].origin, envelopes[-1].payload) if envelopes else ("", payload)
