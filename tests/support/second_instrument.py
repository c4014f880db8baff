"""A second instrument for tests, as a trust might add one: our items under another name, on a scale of five."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

SIX = (
    b'"Just like this end", "Much like this end", "A bit like this end", "A bit like that end", "Much like that end", '
)
FIVE = b'"Just like this end", "A bit like this end", "In between", "A bit like that end", '
CHANGES = (
    (b'name = "astrack-demo"', b'name = "island-two"'),
    (b'title = "The island"', b'title = "The second island"'),
    (b"most = 6", b"most = 5"),
    (b"low = 2.2 ", b"low = 1.9 "),
    (b"high = 4.8 ", b"high = 4.1 "),
    (SIX, FIVE),
)


def content(version: int = 1) -> bytes:
    """The bytes of its file; a later version has another title."""
    text = (resources.files("domain") / "instruments" / "astrack-demo-1.toml").read_bytes()
    for old, new in CHANGES:
        assert old in text, old
        text = text.replace(old, new, 1)
    if version > 1:
        text = text.replace(b"The second island", b"The second island again").replace(
            b"version = 1", b"version = %d" % version
        )
    return text


def put_into(folder: Path, *versions: int) -> Path:
    """A folder with these versions of it."""
    for version in versions:
        (folder / f"island-two-{version}.toml").write_bytes(content(version))
    return folder
