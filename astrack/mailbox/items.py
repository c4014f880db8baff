"""One sealed item in a mailbox's folder: its bytes so far, and the few files that say how it stands.

``about.json`` is written once, ``part`` grows, ``whole.json`` says that all of it came and which bytes they are,
``gone.json`` that it was collected. Each appears whole or not at all, so a crash leaves the step before.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from astrack.mailbox.disk import durable, full
from domain.base import DomainError

ABOUT, PART, WHOLE, GONE = "about.json", "part", "whole.json", "gone.json"


class NoSuchUpload(DomainError):
    """There is no such item in this mailbox, or its time is over."""


class UploadCollected(DomainError):
    """The item has been collected by its recipient."""


class OffsetWrong(DomainError):
    """The upload stands at another offset than the one named."""


class UploadTooLong(DomainError):
    """More bytes came than were announced."""


class DigestWrong(DomainError):
    """The bytes that came are not those that were announced."""


class Standing(StrEnum):
    """How far an item is."""

    COMING = "coming"
    WHOLE = "whole"
    GONE = "gone"


@dataclass(slots=True)
class Item:
    """One item. ``box`` names its box on disk, ``digest`` is the SHA-256 announced (hex, "" for none); bytes."""

    folder: Path
    box: str
    length: int
    digest: str
    created: datetime
    until: datetime
    standing: Standing = Standing.COMING
    sha256: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def id(self) -> str:
        """Its name in addresses."""
        return self.folder.name

    @property
    def part(self) -> Path:
        """Where its bytes are."""
        return self.folder / PART

    @property
    def offset(self) -> int:
        """How many bytes have come. Raises UploadCollected."""
        if self.standing is Standing.GONE:
            raise UploadCollected("the recipient has collected this item: nothing is left to do")
        return self.part.stat().st_size

    def begin(self) -> None:
        """Make its folder. Raises MailboxFull."""
        with full():
            self.folder.mkdir(mode=0o700)
            self.part.touch(mode=0o600)
            self._say(ABOUT, {"box": self.box, "length": self.length, "digest": self.digest}, self.created)

    def append(self, data: bytes) -> None:
        """Put bytes at the end. Raises UploadTooLong, MailboxFull; what fitted stays and counts."""
        if self.offset + len(data) > self.length:
            raise UploadTooLong(f"{self.length} bytes were announced and more came: begin the upload anew")
        with full(), self.part.open("ab") as sink:
            sink.write(data)

    def settle(self, now: datetime, until: datetime) -> None:
        """Make what came durable; an item that is complete is whole from now on. Raises DigestWrong, MailboxFull."""
        with full():
            with self.part.open("rb") as source:
                os.fsync(source.fileno())
                if os.fstat(source.fileno()).st_size < self.length:
                    return
                sha256 = hashlib.file_digest(source, "sha256").hexdigest()
            if self.digest not in ("", sha256):
                raise DigestWrong("the bytes that came have another SHA-256 than was announced: send the item anew")
            self.until = until
            self._say(WHOLE, {"sha256": sha256}, now)
        self.standing, self.sha256 = Standing.WHOLE, sha256

    def collected(self, now: datetime) -> None:
        """Forget the bytes; that it was collected stays known until its time is over."""
        self._say(GONE, {}, now)
        self.standing = Standing.GONE
        self.part.unlink(missing_ok=True)

    def drop(self) -> None:
        """Forget all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _say(self, name: str, what: dict[str, object], at: datetime) -> None:
        text = json.dumps({**what, "at": at.isoformat(), "until": self.until.isoformat()})
        durable(self.folder / name, text.encode())


def read(folder: Path) -> Item | None:
    """The item in a folder, as the files in it say; None for what was never begun."""
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        last = next((name for name in (GONE, WHOLE) if (folder / name).exists()), ABOUT)
        until = datetime.fromisoformat(json.loads((folder / last).read_bytes())["until"])
        made = Item(folder, about["box"], about["length"], about["digest"], datetime.fromisoformat(about["at"]), until)
        if last != ABOUT:
            made.sha256 = json.loads((folder / WHOLE).read_bytes())["sha256"]
        made.standing = {GONE: Standing.GONE, WHOLE: Standing.WHOLE}.get(last, Standing.COMING)
    except (OSError, ValueError, KeyError):
        return None
    if made.standing is Standing.GONE:
        made.part.unlink(missing_ok=True)
    return made if made.standing is Standing.GONE or made.part.exists() else None
