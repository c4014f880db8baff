"""The few words of the typesetter's language that every printed page of ours is made with."""

from __future__ import annotations

from typing import Literal

PDF_STANDARD: Literal["ua-1"] = "ua-1"
"""PDF/UA-1: tagged, with a language, a title and alternative texts; the compiler refuses a file that is not."""


def heading(words: str) -> str:
    """A heading of the first level."""
    return f"#heading(level: 1, {quoted(words)})"


def para(words: str) -> str:
    """A paragraph."""
    return f"#{quoted(words)}"


def quoted(words: str) -> str:
    """A string: nothing in it is read as markup."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
