"""Entries and commitments: the lines of a school's log (FORMAT.md, section 3).

An entry shows neither person, time nor type; it commits to the payload through a salt that travels encrypted.
"""

from __future__ import annotations

import binascii
import json
import re
from binascii import a2b_base64 as _a2b
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from transfer.errors import BadChain, BadEntry, BadEnvelope

COMMIT_LABEL = b"astrack/commit/v1\0"
ENTRY_LABEL = "astrack/entry/v1"
KINDS = ("event", "import", "export", "erasure", "heads")
IMPORT_TOPIC = "transfer.fact-imported.v1"
IMPORT_TOPIC_BYTES = IMPORT_TOPIC.encode()
ZERO = bytes(32)
ZERO_TEXT = b2a_base64(ZERO, newline=False)
ENTRY_LINES = 6
LABEL_LINE = ENTRY_LABEL.encode()
ENTRY_TEXT = LABEL_LINE + b"\n%b\n%b\n%d\n%b\n%b\n"
LEAF_LINE = b"\x00" + LABEL_LINE
KIND_LINES = frozenset(kind.encode() for kind in KINDS)
SALT_BYTES = 32
MAX_ENTRY_BYTES = 512
PARSED_KEPT = 8_192  # a story's entries are looked at some five times between the file and the store
MAX_STREAM_BYTES = 64
MAX_NESTING = 16
MAX_NESTED_BYTES = 8 << 20
MAX_SEQ = (1 << 63) - 1
_INNER, _OUTER = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))
_INNER_REST, _OUTER_REST = bytes(32).translate(_INNER), bytes(32).translate(_OUTER)
# Base64 has one canonical form: these last letters leave the unused bits zero (RFC 4648, 3.5).
HASH_TEXT = rb"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
STREAM_TEXT = rb"(?:[A-Za-z0-9+/]{4}){0,21}(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"
ENTRY_FORM = re.compile(
    rb"astrack/entry/v1\n(event|import|export|erasure|heads)\n(%b)\n(0|[1-9][0-9]{0,18})\n(%b)\n(%b)\n"
    % (STREAM_TEXT, HASH_TEXT, HASH_TEXT)
)
HASH_CHARS = 44
HASH_LAST = b"AEIMQUYcgkosw048"
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Entry(NamedTuple):
    """One entry, parsed: its kind, stream id, dense number in the stream, the leaf before it, its commitment."""

    kind: str
    stream: bytes
    seq: int
    prev: bytes
    commitment: bytes


def b64(data: bytes) -> str:
    """Standard base64 with padding, as every field of the format uses it."""
    return b2a_base64(data, newline=False).decode("ascii")


def unb64(text: object, what: str, size: int | None = None, limit: int = MAX_NESTED_BYTES) -> bytes:
    """The bytes of canonical base64 text; ``size`` where it is fixed, in bytes. Raises BadEntry."""
    if not isinstance(text, str) or len(text) > limit * 4 // 3 + 4:
        raise BadEntry("it is not base64 text of a permitted length", what)
    try:
        data, given = _a2b(text), text.encode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BadEntry("it is not valid base64", what) from error
    # what is no letter of the alphabet was passed over, and so shows here
    if b2a_base64(data, newline=False) != given or (size is not None and len(data) != size):
        raise BadEntry(f"it is not canonical base64 of {size} bytes" if size else "it is not canonical base64", what)
    return data


def commitment(salt: bytes, payload: bytes) -> bytes:
    """HMAC-SHA256 under a random 32-byte salt of the label and the exact payload bytes; 32 bytes."""
    if len(salt) != SALT_BYTES:
        raise BadEntry(f"a salt has {SALT_BYTES} bytes, not {len(salt)}", "salt")
    # HMAC (RFC 2104) spelt out: hmac.digest lets go of the interpreter's lock, which costs threads more than the hash
    inner = sha256(salt.translate(_INNER) + _INNER_REST + COMMIT_LABEL + payload).digest()
    return sha256(salt.translate(_OUTER) + _OUTER_REST + inner).digest()


def entry(kind: str, stream: bytes, seq: int, prev: bytes, commitment: bytes) -> bytes:
    """The exact bytes of one log entry; ``prev`` is the leaf of seq-1 of the stream, 32 zero bytes for seq 0."""
    if kind not in KINDS or not 1 <= len(stream) <= MAX_STREAM_BYTES or not 0 <= seq <= MAX_SEQ:
        raise BadEntry("the kind, the stream id or the number is not one the format knows", "entry")
    if len(prev) != 32 or len(commitment) != 32 or (seq == 0) != (prev == ZERO):
        raise BadEntry("prev and commitment have 32 bytes, and prev is zero for number 0 only", "entry")
    return ENTRY_TEXT % (
        kind.encode(), b2a_base64(stream, newline=False), seq, b2a_base64(prev, newline=False),
        b2a_base64(commitment, newline=False),
    )  # fmt: skip


@lru_cache(maxsize=PARSED_KEPT)
def parse_entry(data: bytes) -> Entry:
    """The entry in these bytes; only the one exact encoding is accepted. Raises BadEntry."""
    if len(data) > MAX_ENTRY_BYTES:
        raise BadEntry(f"an entry of {len(data)} bytes is over the limit of {MAX_ENTRY_BYTES}", "entry")
    found = ENTRY_FORM.fullmatch(data)
    if found is None:
        raise BadEntry("it is not the exact encoding of an entry", "entry")
    kind, stream, number, prev, committed = found.groups()
    made = Entry(kind.decode(), _a2b(stream), int(number), _a2b(prev), _a2b(committed))
    if not 1 <= len(made.stream) <= MAX_STREAM_BYTES or made.seq > MAX_SEQ or (made.seq == 0) != (made.prev == ZERO):
        raise BadEntry("its stream id, its number or its prev is not one the format knows", "entry")
    return made


def leaf(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry): the leaf of the log's tree, and the ``prev`` of the stream's next entry."""
    return sha256(b"\x00" + entry).digest()


def _are_hashes(texts: Sequence[bytes]) -> bool:
    """Whether each is canonical base64 of 32 bytes (HASH_TEXT), asked of all at once."""
    joined = b"".join(texts)
    return (
        set(map(len, texts)) <= {HASH_CHARS}
        and joined[HASH_CHARS - 1 :: HASH_CHARS] == b"=" * len(texts)
        and not joined[HASH_CHARS - 2 :: HASH_CHARS].translate(None, HASH_LAST)
        and len(joined.translate(None, LETTERS)) == len(texts)
    )


class Streams:
    """Every stream of a log that is gone through in order: each entry must follow the last one of its stream.

    ``count`` is the number of entries so far. Kept as text, as the next entry will state it: one look, no decoding.
    """

    def __init__(self) -> None:
        self.count = 0
        self._ends: dict[bytes, tuple[bytes, bytes, bytes, int]] = {}

    def follow(self, lines: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
        """(kinds, leaves) of the log's next entries, given as their lines without newlines, six to an entry.

        Raises BadEntry, BadChain.
        """
        labels, kinds, streams, numbers, prevs, commitments = (list(lines[n::ENTRY_LINES]) for n in range(ENTRY_LINES))
        if len(lines) % ENTRY_LINES or set(labels) - {LABEL_LINE} or set(kinds) - KIND_LINES:
            raise BadEntry("they are not entries of this format", f"entries {self.count} and after")
        if not _are_hashes(commitments):
            raise BadEntry("a commitment is not canonical base64 of 32 bytes", f"entries {self.count} and after")
        leaves: list[bytes] = []
        ends = self._ends
        for kind, stream, number, prev, committed in zip(kinds, streams, numbers, prevs, commitments, strict=True):
            form = b"\n".join((LEAF_LINE, kind, stream, number, prev, committed, b""))
            expected, leaf_text, ended, seq = ends.get(stream) or self._begun(form)
            if number != expected or prev != leaf_text or ended == b"erasure":
                raise self._refusal(form, self.count + len(leaves))
            made = sha256(form).digest()
            leaves.append(made)
            ends[stream] = (b"%d" % (seq + 1), b2a_base64(made, newline=False), kind, seq + 1)
        self.count += len(leaves)
        return kinds, leaves

    def _begun(self, form: bytes) -> tuple[bytes, bytes, bytes, int]:
        parse_entry(form[1:])
        return b"0", ZERO_TEXT, b"", 0

    def _refusal(self, form: bytes, index: int) -> BadChain:
        parse_entry(form[1:])
        return BadChain("it does not follow the entry before it in its stream", f"entry {index}")

    def __len__(self) -> int:
        return len(self._ends)

    def ends(self) -> Iterator[tuple[bytes, int, bytes]]:
        """(stream, seq, leaf) of each stream's last entry."""
        for stream, (_, leaf, _, seq) in self._ends.items():
            yield _a2b(stream), seq - 1, _a2b(leaf)


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
    if IMPORT_TOPIC_BYTES not in payload:
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


def told(payload: bytes) -> tuple[str, bytes]:
    """``innermost`` of a payload whose envelopes were verified before it was stored: nothing is checked again.

    Raises BadEnvelope for what is no envelope after all.
    """
    origin = ""
    for _ in range(MAX_NESTING + 1):
        if IMPORT_TOPIC_BYTES not in payload:
            return origin, payload
        try:
            raw = json.loads(payload)
            if raw["topic"] != IMPORT_TOPIC:
                return origin, payload
            origin, payload = str(raw["data"]["origin"]), _a2b(raw["data"]["payload"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadEnvelope("it is not an import envelope", "payload") from error
    raise BadEnvelope(f"a fact passed through more than {MAX_NESTING} imports", "import envelope")
