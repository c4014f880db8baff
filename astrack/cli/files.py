"""The files of a command: read whole within a limit, written whole or not at all, each failure one sentence."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast, get_args
from uuid import uuid4

from domain.base import DomainError

BYTES_MAX = 1 << 30
NOT_ALL = 6
"""The exit code of a command that did something and found something wrong."""


class BadArgument(DomainError):
    """An argument of a command cannot be used."""


def bytes_of(path: Path) -> bytes:
    """The bytes of a file. Raises BadArgument when it is not there, no regular file, or too large."""
    data = _read(path, BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise BadArgument(f"{path} is over 1 GiB: this cannot be the file meant")
    return data


def openable(path: Path) -> None:
    """See that a file can be read, before a command begins with others. Raises BadArgument."""
    _read(path, 0)


def _read(path: Path, most: int) -> bytes:
    try:
        # a pipe would wait for whoever writes to it, and a device never ends
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise BadArgument(f"{path} is no regular file: save what it gives into a file and name that")
            return source.read(most)
    except OSError as error:
        raise BadArgument(f"{path} cannot be read ({error.strerror}): check the name and the permissions") from error


def json_of(path: Path) -> Any:
    """The JSON in a file. Raises BadArgument."""
    try:
        return json.loads(bytes_of(path))
    except (ValueError, RecursionError) as error:
        raise BadArgument(f"{path} does not hold JSON ({error}): mend the file") from error


def folder(path: Path) -> Path:
    """A folder that can be written to, made where it is not there: asked before a command does what cannot be undone.

    Raises BadArgument.
    """
    trial = path / f".{uuid4()}.part"
    try:
        path.mkdir(parents=True, exist_ok=True)
        trial.touch(0o600)
        trial.unlink()
    except OSError as error:
        raise BadArgument(
            f"nothing can be written to {path} ({error.strerror}): name another folder with --out"
        ) from error
    return path


def one_of(given: str, allowed: Any, what: str) -> Any:
    """One of the choices of a literal type or a tuple. Raises BadArgument."""
    choices = cast(tuple[str, ...], get_args(allowed) or allowed)
    if given not in choices:
        raise BadArgument(f"{given!r} is no {what}: choose one of {', '.join(choices)}")
    return given


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner alone. Raises BadArgument when it cannot be written."""
    write_pieces(path, (content,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a file from its pieces, as ``write`` does; how many bytes. Raises BadArgument."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            size = sum(file.write(piece) for piece in pieces)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except BaseException as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise BadArgument(f"{path} cannot be written ({error.strerror}): check the folder and the disk") from error
    return size
