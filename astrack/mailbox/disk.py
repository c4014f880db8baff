"""Small files that are there whole or not at all, folders for one process at a time, and disks that are full."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from domain.base import DomainError


class MailboxFull(DomainError):
    """The mailbox has no room."""


def locked(path: Path) -> BinaryIO | None:
    """A lock file, held until it is closed; None while another process holds it."""
    held = path.open("ab")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    return held


def durable(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all, so that it is there after the power fails."""
    fresh = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
        sink.write(data)
        sink.flush()
        os.fsync(sink.fileno())
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def full() -> Iterator[None]:
    """Turns a disk that takes no more into a refusal. Raises MailboxFull."""
    try:
        yield
    except OSError as error:
        raise MailboxFull("the mailbox has no room for this now: try again later") from error
