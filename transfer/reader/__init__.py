"""The page that reads a student's copy in a browser, as built from ``src/`` by ``npm run build``."""

from __future__ import annotations

from importlib.resources import files

NAME = "reader.html"


def page() -> bytes:
    """reader.html, one file that needs nothing else."""
    return files("transfer.reader").joinpath("dist", NAME).read_bytes()
