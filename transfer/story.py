"""The story as the file holds it: an entry of the sender's log a line, and the envelopes inside (FORMAT.md, 5)."""

from __future__ import annotations

import json
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from transfer import canonical
from transfer.errors import BadEnvelope, BadStory, TooLarge, TransferRefused
from transfer.evidence import chain
from transfer.evidence.chain import b64, unb64

MAX_LINES = 200_000
MAX_LINE = 12 << 20
MAX_REASON = 200
MAX_STREAMS = 256
MEMBER = "events.jsonl"
TOLD = re.compile(rb'\{"entry":"([A-Za-z0-9+/=]+)","payload":"([A-Za-z0-9+/=]+)","salt":"([A-Za-z0-9+/=]+)"\}')
StreamOf = tuple[str, bytes]
"""A stream anywhere: (origin of its log, stream id)."""


class Line(NamedTuple):
    """One entry with what opens it; ``payload`` and ``salt`` are None where it is ``omitted`` for a reason."""

    entry: bytes
    payload: bytes | None = None
    salt: bytes | None = None
    omitted: str = ""

    def __bytes__(self) -> bytes:
        if self.payload is None or self.salt is None:
            return canonical.dump({"entry": b64(self.entry), "omitted": self.omitted}) + b"\n"
        # written out: the canonical encoder costs more than all the rest, and base64 has nothing to escape
        return b'{"entry":"%b","payload":"%b","salt":"%b"}\n' % (
            b2a_base64(self.entry, newline=False),
            b2a_base64(self.payload, newline=False),
            b2a_base64(self.salt, newline=False),
        )


def dump(lines: Iterable[Line]) -> bytes:
    """The member's bytes."""
    return b"".join(map(bytes, lines))


def parse(data: bytes, member: str = MEMBER) -> list[Line]:
    """The lines, each in its one form, each entry committing to its payload. Raises BadStory, TooLarge and below."""
    rows = data.split(b"\n")
    if rows.pop():
        raise BadStory("its last line does not end", member)
    if len(rows) > MAX_LINES:
        raise TooLarge(f"there are more than {MAX_LINES} lines", member)
    return [_line(row, f"{member}, line {number}") for number, row in enumerate(rows, 1)]


def _line(row: bytes, where: str) -> Line:
    if len(row) > MAX_LINE:
        raise TooLarge(f"it is longer than {MAX_LINE} bytes", where)
    if (line := _told(row)) is not None:
        return line
    try:
        fields = json.loads(row)
        line = _omitted(fields) if "omitted" in fields else _opened(fields)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadStory("it is not one of the two forms of a line", where) from error
    except TransferRefused as error:
        raise BadStory(f"{error.where}: {error.what}", where) from error
    if bytes(line) != row + b"\n":
        raise BadStory("it is not in its one form", where)
    return line


def _told(row: bytes) -> Line | None:
    """A line that is opened and right, at once; None where the slower way has to say what is wrong."""
    form = TOLD.fullmatch(row)
    if form is None:
        return None
    try:
        entry, payload, salt = map(a2b_base64, form.groups())
        line = Line(entry, payload, salt)
        same = len(payload) <= chain.MAX_NESTED_BYTES and bytes(line) == row + b"\n"
        right = same and chain.commitment(salt, payload) == chain.parse_entry(entry).commitment
    except (ValueError, TransferRefused):
        return None
    return line if right else None


def _omitted(fields: dict[str, object]) -> Line:
    reason = fields["omitted"]
    if not isinstance(reason, str) or not 0 < len(reason) <= MAX_REASON:
        raise BadStory("a reason is a short text", "omitted")
    return Line(unb64(fields["entry"], "entry", limit=chain.MAX_ENTRY_BYTES), omitted=reason)


def _opened(fields: dict[str, object]) -> Line:
    entry = unb64(fields["entry"], "entry", limit=chain.MAX_ENTRY_BYTES)
    line = Line(entry, unb64(fields["payload"], "payload"), unb64(fields["salt"], "salt", chain.SALT_BYTES))
    assert line.salt is not None and line.payload is not None
    parsed = chain.parse_entry(line.entry)
    if chain.commitment(line.salt, line.payload) != parsed.commitment:
        raise BadStory("it does not commit to this payload", "entry")
    return line


class Threads:
    """Every entry that a story shows, by the stream it belongs to, gathered from all depths.

    ``found[(origin, stream)][index] = entry``.
    """

    def __init__(self) -> None:
        self.found: dict[StreamOf, dict[int, bytes]] = {}

    def add(self, origin: str, index: int, entry: bytes, payload: bytes | None) -> None:
        """One entry and all that its payload envelopes. Raises BadEnvelope, BadStory, BadEntry, TooLarge."""
        if payload is None:
            self.put(origin, index, entry)
            return
        layers = chain.nested(payload)
        kinds = [self.put(origin, index, entry)]
        kinds += [self.put(one.origin, one.index, one.entry) for one in layers]
        if kinds[-1] == "import" or kinds.count("import") != len(layers):
            raise BadEnvelope("an entry is an import exactly when its payload is an import envelope", f"entry {index}")

    def put(self, origin: str, index: int, entry: bytes) -> str:
        """One entry alone; its kind. Raises BadStory, BadEntry, TooLarge."""
        parsed = chain.parse_entry(entry)
        thread = self.found.setdefault((origin, parsed.stream), {})
        if thread.setdefault(index, entry) != entry:
            raise BadStory("two different entries stand at one index", f"entry {index} of {origin}")
        if len(self.found) > MAX_STREAMS or len(thread) > MAX_LINES:
            raise TooLarge("the story passed through too many logs, or holds too many entries", MEMBER)
        return parsed.kind


def threads_of(origin: str, indexes: Sequence[int], lines: Sequence[Line]) -> Threads:
    """All the entries of a story whose lines stand at these indexes of the sender's log. Raises BadStory and below."""
    if len(indexes) != len(lines):
        raise BadStory(f"it has {len(lines)} lines where {len(indexes)} are proved", MEMBER)
    threads = Threads()
    for index, line in zip(indexes, lines, strict=True):
        threads.add(origin, index, line.entry, line.payload)
    if not lines:
        raise BadStory("there is no entry in it", MEMBER)
    return threads


def payloads(lines: Iterable[Line]) -> Iterator[bytes]:
    """The innermost payload of every line that is not withheld: what was recorded, by whichever school."""
    return (chain.innermost(line.payload)[1] for line in lines if line.payload is not None)
