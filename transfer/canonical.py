"""JSON in its one canonical form (RFC 8785), written and read strictly."""

from __future__ import annotations

import json
from typing import Any

import rfc8785

from transfer.errors import BadFile

MAX_DEPTH = 32
MAX_WHOLE = (1 << 53) - 1


def dump(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value."""
    if _plain(value, MAX_DEPTH):
        # without fractions and beyond-ASCII keys the standard library writes the same text, thirty times as fast
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        if text.isascii():
            return text.encode("ascii")
    return rfc8785.dumps(value)


def _plain(value: Any, depth: int) -> bool:
    """Whether a value holds nothing but texts, truths, nulls and whole numbers in lists and objects."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MAX_WHOLE <= value <= MAX_WHOLE)
    if kind is list:
        if depth > 0 and set(map(type, value)) == {int}:
            return bool(min(value) >= -MAX_WHOLE and max(value) <= MAX_WHOLE)
        return depth > 0 and all(_plain(one, depth - 1) for one in value)
    if kind is dict:
        return depth > 0 and all(type(name) is str and _plain(one, depth - 1) for name, one in value.items())
    return False


def load(data: bytes, where: str) -> Any:
    """The value in exactly canonical bytes. Raises BadFile."""
    try:
        value = json.loads(data)
        same = not _deeper(value, MAX_DEPTH) and dump(value) == data
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise BadFile("it is not JSON", where) from error
    if not same:
        raise BadFile("it is not JSON in its canonical form (RFC 8785)", where)
    return value


def _deeper(value: Any, than: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return than == 0 or any(_deeper(one, than - 1) for one in inner if than == 1 or isinstance(one, (dict, list)))


class Fields:
    """One JSON object being taken apart: each field is asked for once, with its type. Raises BadFile."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise BadFile("it is not a JSON object", where)
        self._left, self.where = dict(value), where

    def _take(self, name: str) -> Any:
        if name not in self._left:
            raise BadFile(f"it has no field {name!r}", self.where)
        return self._left.pop(name)

    def text(self, name: str, most: int = 200) -> str:
        """A text of at most ``most`` characters."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) > most:
            raise BadFile(f"its field {name!r} is not a text of at most {most} characters", self.where)
        return value

    def maybe_text(self, name: str, most: int = 200) -> str | None:
        """A text or null."""
        if self._left.get(name, "") is None:
            self._left.pop(name)
            return None
        return self.text(name, most)

    def number(self, name: str) -> int:
        """A whole number from 0."""
        value = self._take(name)
        if type(value) is not int or value < 0:
            raise BadFile(f"its field {name!r} is not a whole number", self.where)
        return value

    def truth(self, name: str) -> bool:
        """true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise BadFile(f"its field {name!r} is neither true nor false", self.where)
        return value

    def items(self, name: str, most: int) -> list[Any]:
        """A list of at most ``most`` values."""
        value = self._take(name)
        if not isinstance(value, list) or len(value) > most:
            raise BadFile(f"its field {name!r} is not a list of at most {most}", self.where)
        return value

    def texts(self, name: str, most: int, each: int = 200) -> list[str]:
        """A list of texts."""
        found = self.items(name, most)
        if not all(isinstance(one, str) and len(one) <= each for one in found):
            raise BadFile(f"its field {name!r} is not a list of texts of at most {each} characters", self.where)
        return found

    def fields(self, name: str) -> Fields:
        """An object inside."""
        return Fields(self._take(name), f"{self.where}, {name}")

    def maybe_fields(self, name: str) -> Fields | None:
        """An object inside, or null."""
        if self._left.get(name, "") is None:
            self._left.pop(name)
            return None
        return self.fields(name)

    def rest(self) -> dict[str, Any]:
        """What nobody asked for."""
        return self._left

    def done(self) -> None:
        """Nothing may be left."""
        if self._left:
            raise BadFile(f"it has a field that the format does not know: {min(self._left)[:80]!r}", self.where)
