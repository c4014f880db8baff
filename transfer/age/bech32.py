"""Bech32 (BIP 173) without its length limit, as age writes keys: one case, a checksum of six letters."""

from __future__ import annotations

from collections.abc import Iterable

from transfer.errors import BadKey

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
MAX_CHARS = 4096
CHECKSUM_CHARS = 6


def _checksum(hrp: str, values: Iterable[int]) -> int:
    """The BCH remainder over the expanded prefix and the 5-bit values (BIP 173, Checksum)."""
    state = 1
    for value in (*(ord(c) >> 5 for c in hrp), 0, *(ord(c) & 31 for c in hrp), *values):
        top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(GENERATOR):
            if top >> bit & 1:
                state ^= term
    return state


def encode(hrp: str, data: bytes) -> str:
    """Lower-case Bech32 of ``data`` under a lower-case prefix."""
    bits, size = int.from_bytes(data, "big"), len(data) * 8
    padding = -size % 5
    values = [bits << padding >> shift & 31 for shift in range(size + padding - 5, -1, -5)]
    check = _checksum(hrp, [*values, *[0] * CHECKSUM_CHARS]) ^ 1
    values += [check >> shift & 31 for shift in range(25, -1, -5)]
    return f"{hrp}1{''.join(ALPHABET[value] for value in values)}"


def decode(text: str) -> tuple[str, bytes]:
    """The prefix in lower case and the data; only canonical text is accepted. Raises BadKey."""
    lower = text.lower()
    hrp, separator, letters = lower.rpartition("1")
    known = all(c in ALPHABET for c in letters) and all("!" <= c <= "~" for c in hrp)
    if text not in (lower, lower.upper()) or not text.isascii() or len(text) > MAX_CHARS:
        raise BadKey("it is not all lower case or all upper case", "key text")
    if not separator or not hrp or not known or len(letters) < CHECKSUM_CHARS:
        raise BadKey("it is not Bech32 text", "key text")
    values = [ALPHABET.index(c) for c in letters]
    if _checksum(hrp, values) != 1:
        raise BadKey("its checksum is wrong: a letter was mistyped", "key text")
    return hrp, _bytes(values[:-CHECKSUM_CHARS])


def _bytes(values: list[int]) -> bytes:
    size, spare = divmod(len(values) * 5, 8)
    number = 0
    for value in values:
        number = number << 5 | value
    if spare > 4 or number & ((1 << spare) - 1):
        raise BadKey("its last letter is not canonical", "key text")
    return (number >> spare).to_bytes(size, "big")
