"""Eight words that two people compare over the telephone, made from a digest and a list of 256 plain words."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

WORDS = 8
LABEL = b"astrack/words/v1"
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 15, 8, 1
SCRYPT_MEMORY_BYTES = 64 << 20


@cache
def word_list() -> tuple[str, ...]:
    """The 256 words, sorted; the n-th stands for the byte n."""
    return tuple(files("transfer").joinpath("words.txt").read_text("ascii").split())


@cache
def eight_words(digest: bytes) -> tuple[str, ...]:
    """The words for a digest: 64 bits, drawn by scrypt so that a forger pays its cost for each attempt at a match."""
    drawn = hashlib.scrypt(
        digest, salt=LABEL, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=SCRYPT_MEMORY_BYTES, dklen=WORDS
    )
    return tuple(word_list()[byte] for byte in drawn)


def same_words(spoken: str, expected: tuple[str, ...]) -> bool:
    """Whether what a person typed is these words, in order, whatever the case and the spaces between."""
    return tuple(spoken.lower().split()) == expected
