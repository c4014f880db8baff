"""The text of a checkpoint, as C2SP tlog-checkpoint defines it: which log, how long, which root."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from transfer.errors import BadNote

MAX_NAME_BYTES = 255
MAX_SIZE = (1 << 63) - 1


def unb64(text: str, where: str) -> bytes:
    """The bytes of canonical, padded base64. Raises BadNote."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("it is not valid base64", where) from error
    if base64.b64encode(data).decode("ascii") != text:
        raise BadNote("it is not canonical base64", where)
    return data


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's head: its origin line, its size in leaves, its RFC 6962 root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed (tlog-checkpoint, note text)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint in a note's text; extension lines are refused, as no log signs them. Raises BadNote."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not 0 < len(lines[0].encode()) <= MAX_NAME_BYTES:
            raise BadNote("it does not have exactly an origin, a size and a root", "checkpoint")
        size = int(lines[1]) if lines[1].isascii() and lines[1].isdecimal() and len(lines[1]) < 20 else -1
        root = unb64(lines[2], "checkpoint root")
        if not 0 <= size <= MAX_SIZE or str(size) != lines[1] or len(root) != 32:
            raise BadNote("its size or its root is not one", f"checkpoint of {lines[0]}")
        return cls(lines[0], size, root)
