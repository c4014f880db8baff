"""What may stand in a name: letters and spaces, never a character that steers a screen or turns the writing round."""

from __future__ import annotations

from domain.base import DomainError

TURNS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""Explicit directional embeddings, overrides and isolates (Unicode Standard Annex 9, section 2): a name that holds one
makes the words beside it read otherwise than they are written."""


class NameWrong(DomainError):
    """A name is empty, or holds characters that nobody can see."""


def steers(sign: str) -> bool:
    """Whether a character is a control character or turns the direction of the writing around it."""
    return sign < " " or "\x7f" <= sign <= "\x9f" or sign in TURNS


def check_name(name: str, whose: str) -> None:
    """Refuse a name that cannot be one. Raises NameWrong."""
    if not name.strip():
        raise NameWrong(f"the name of {whose} is empty: give the name")
    if any(map(steers, name)):
        raise NameWrong(f"the name of {whose} holds characters that cannot be seen and change how the words around it "
                        "read: type it anew instead of pasting it")  # fmt: skip
