"""How a directory is laid out as files, on its keeper's disk and at its address alike."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from transfer.errors import BadProof, TooLarge

KEYS, CHECKPOINT, ENTRIES = "keys", "checkpoint", "entries"
BUNDLE = 256
"""Entries in a file of them, as in tlog-tiles."""
ENTRY_BYTES_MAX = 1 << 16
BUNDLE_BYTES_MAX = BUNDLE * (ENTRY_BYTES_MAX * 4 // 3 + 8)
KEYS_BYTES_MAX, CHECKPOINT_BYTES_MAX = 8 << 20, 1 << 16


def bundle_name(number: int) -> str:
    """The file of the entries from ``number`` * 256 on."""
    return f"{ENTRIES}/{number:06d}"


def bundle(entries: Iterable[bytes]) -> bytes:
    """A file of entries: base64, one a line."""
    return b"".join(base64.b64encode(one) + b"\n" for one in entries)


def entries_of(data: bytes) -> list[bytes]:
    """The entries in such a file. Raises BadProof, TooLarge."""
    try:
        found = [base64.b64decode(line, validate=True) for line in data.split(b"\n")[:-1]]
    except binascii.Error as error:
        raise BadProof("its entries are not base64", "directory") from error
    if len(found) > BUNDLE or any(len(one) > ENTRY_BYTES_MAX for one in found):
        raise TooLarge("a file of entries has too many, or one that is too long", "directory")
    return found
