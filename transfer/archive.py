"""The inner tar: one encoding for one content, written and read as a stream (FORMAT.md, section 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from transfer.errors import BadArchive, BadName, TooLarge

BLOCK = 512
CHUNK = 1 << 16
END = bytes(2 * BLOCK)
MAX_MEMBERS = 4096
MAX_NAME = 100
MAX_SIZE = 8**11 - 1
MAX_SEALED = 2 << 30
MAX_AUDIT = 64 << 30
PADDING = "padding"
MEBI = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,3}")
ORDER = (
    "manifest.json", "manifest.note", "events.jsonl", "heads.jsonl", "entries.txt", "identity.json", "evidence/",
    "instruments/", "schemas/", "actors.json", "ctf/", "credential.json", "attachments/", "README.txt",
)  # fmt: skip
CAPS = {
    "manifest.json": 4 * MEBI, "manifest.note": MEBI >> 4, "events.jsonl": 256 * MEBI, "entries.txt": MAX_AUDIT,
    "heads.jsonl": 256 * MEBI, "attachments/": 1024 * MEBI, PADDING: MAX_SEALED >> 3,
}  # fmt: skip
CAP = 64 * MEBI


class Source(Protocol):
    """Where an archive is read from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; empty only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Content:
    """A member to write: its name, its size in bytes, and how to get its bytes (asked for once)."""

    name: str
    size: int
    chunks: Callable[[], Iterable[bytes]]

    @classmethod
    def of(cls, name: str, data: bytes) -> Content:
        """A member held in memory."""
        return cls(name, len(data), lambda: (data,))


@dataclass(frozen=True, slots=True)
class Member:
    """A member being read. ``chunks`` must be used up before the next member is asked for."""

    name: str
    size: int
    chunks: Iterator[bytes]


def check_name(name: str) -> str:
    """The name if the format allows it. Raises BadName."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise BadName("its name is not one the format allows", f"member {name[:MAX_NAME]!r}")
    return name


def rank(name: str) -> tuple[int, str]:
    """The key that members are sorted by."""
    if name == PADDING:
        return len(ORDER) + 1, name
    folder = name.partition("/")[0] + "/"
    for place, known in enumerate(ORDER):
        if known in (name, folder):
            return place, name
    return len(ORDER), name


def header(name: str, size: int) -> bytes:
    """The one ustar header of a member, 512 bytes. Raises BadName, TooLarge."""
    if not 0 <= size <= MAX_SIZE:
        raise TooLarge(f"{size} bytes are more than an archive can hold", name)
    head = b"".join((
        check_name(name).encode("ascii").ljust(100, b"\0"), b"0000644\0", b"0000000\0", b"0000000\0",
        b"%011o\0" % size, b"00000000000\0", b" " * 8, b"0", bytes(100), b"ustar\00000", bytes(64),
        b"0000000\0", b"0000000\0", bytes(167),
    ))  # fmt: skip
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def filled(size: int) -> int:
    """The size rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def padme(size: int) -> int:
    """The Padmé length of ``size`` (Nikitin and others 2019, section 4), in whole blocks."""
    exponent = size.bit_length() - 1
    step = max(1 << (exponent - exponent.bit_length()), BLOCK)
    return -(-size // step) * step


def write(contents: Iterable[Content], *, padded: bool) -> Iterator[bytes]:
    """The archive of these members, which must come in the order of the format. Raises BadArchive when not."""
    total, order = 0, _Order()
    for content in contents:
        order.next(content.name)
        total += BLOCK + filled(content.size)
        yield from _member(content)
    if padded:
        size = padding_size(total)
        yield from _member(Content(PADDING, size, lambda: _zeros(size)))
    yield END


def padding_size(total: int) -> int:
    """How many zeros the padding member holds when the members before it take ``total`` bytes."""
    plain = total + BLOCK + len(END)
    return padme(plain) - plain


def _member(content: Content) -> Iterator[bytes]:
    yield header(content.name, content.size)
    written = 0
    for chunk in content.chunks():
        written += len(chunk)
        yield chunk
    if written != content.size:
        raise BadArchive(f"{written} bytes came where {content.size} were announced", content.name)
    yield bytes(filled(written) - written)


def _zeros(size: int) -> Iterator[bytes]:
    for start in range(0, size, CHUNK):
        yield bytes(min(CHUNK, size - start))


def read(source: Source, *, padded: bool) -> Iterator[Member]:
    """The members of an archive, each to be read before the next; every byte is compared with the one encoding.

    Raises BadArchive, BadName, TooLarge.
    """
    total, order, limit = 0, _Order(), MAX_SEALED if padded else MAX_AUDIT
    while (name_size := _header(source)) is not None:
        name, size = name_size
        order.next(name)
        if name == PADDING:
            if not padded or size != padding_size(total):
                raise BadArchive("it is not as long as the format makes it", PADDING)
            _expect_zeros(source, size)
            break
        total += BLOCK + filled(size)
        if size > cap(name) or total > limit:
            raise TooLarge(f"{size} bytes are over the limit", name)
        chunks = _contents(source, name, size)
        yield Member(name, size, chunks)
        if next(chunks, None) is not None:
            raise BadArchive("it was not read to its end", name)
    _finish(source, order, padded)


def cap(name: str) -> int:
    """The most bytes a member may have."""
    return CAPS.get(name, CAPS.get(name.partition("/")[0] + "/", CAP))


class _Order:
    """Names as they come: in order, each once, not too many."""

    def __init__(self) -> None:
        self.last: tuple[int, str] = (-1, "")
        self.seen: set[str] = set()

    def next(self, name: str) -> None:
        check_name(name)
        if len(self.seen) >= MAX_MEMBERS:
            raise TooLarge(f"there are more than {MAX_MEMBERS} members", "archive")
        if name.lower() in self.seen:
            raise BadName("it is there twice", f"member {name}")
        if rank(name) <= self.last:
            raise BadArchive("it is not in its place", f"member {name}")
        self.seen.add(name.lower())
        self.last = rank(name)


def _header(source: Source) -> tuple[str, int] | None:
    """(name, size) of the next member; None when the first of the two zero blocks was read."""
    block = _exactly(source, BLOCK, "archive")
    if not any(block):
        return None
    name, digits = block[:100].rstrip(b"\0"), block[124:135]
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise BadArchive("a header has no size", "archive")
    size = int(digits, 8)
    if header(check_name(name.decode("latin-1")), size) != block:
        raise BadArchive("its header is not the one the format prescribes", f"member {name.decode('ascii')}")
    return name.decode("ascii"), size


def _contents(source: Source, name: str, size: int) -> Iterator[bytes]:
    left = size
    while left:
        chunk = source.read(min(left, CHUNK))
        if not chunk:
            raise BadArchive("it is cut short", f"member {name}")
        left -= len(chunk)
        yield chunk
    if any(_exactly(source, filled(size) - size, name)):
        raise BadArchive("the filling after it is not zeros", f"member {name}")


def _expect_zeros(source: Source, size: int) -> None:
    left = filled(size)
    while left:
        chunk = _exactly(source, min(left, CHUNK), PADDING)
        if any(chunk):
            raise BadArchive("it is not zeros", PADDING)
        left -= len(chunk)


def _finish(source: Source, order: _Order, padded: bool) -> None:
    if padded and order.last[1] != PADDING:
        raise BadArchive("there is no padding at its end", "archive")
    blocks = len(END) if padded else BLOCK
    if any(_exactly(source, blocks, "archive")):
        raise BadArchive("it does not end with two empty blocks", "archive")
    if source.read(1):
        raise BadArchive("something follows its end", "archive")


def _exactly(source: Source, size: int, where: str) -> bytes:
    parts, left = [], size
    while left:
        part = source.read(left)
        if not part:
            raise BadArchive("it is cut short", where)
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
