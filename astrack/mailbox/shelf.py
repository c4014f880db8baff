"""A mailbox's folder: boxes that may receive, invitations to get one, and items on their way. The files are the truth.

``boxes/`` and ``invites/`` hold a file each, named by a hash; ``items/`` a folder each. What is in memory is read from
them at the start.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from astrack.mailbox import items
from astrack.mailbox.disk import MailboxFull, durable, full, locked
from astrack.mailbox.items import Item, NoSuchUpload, Standing
from astrack.mailbox.limits import Limits
from astrack.mailbox.proof import TOKEN, token_of
from astrack.store import BadSetting
from domain.base import DomainError
from transfer.errors import BadKey
from transfer.evidence.note import Verifier

BOXES, INVITES, ITEMS, LOCK = "boxes", "invites", "items", "lock"
ID_BYTES, CODE_BYTES = 16, 12


class BoxUnknown(DomainError):
    """There is no such box in this mailbox."""


class InviteRefused(DomainError):
    """The invitation is not one of this mailbox, was used, or has run out."""


class UploadTooLarge(DomainError):
    """An item is larger than this mailbox takes."""


class BoxFull(DomainError):
    """The box has as much waiting in it as it may."""


class Shelf:
    """The folder, opened by one process at a time. Safe to share between threads."""

    def __init__(
        self,
        root: Path,
        clock: Callable[[], datetime],
        limits: Limits | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._root, self._clock, self.limits, self._random = root, clock, limits or Limits(), random
        self._lock = threading.RLock()
        self._held = _alone(root)
        self._items = {one.id: one for one in self._read()}

    def close(self) -> None:
        """Let another process have the folder."""
        self._held.close()

    def _read(self) -> Iterator[Item]:
        for folder in (self._root / ITEMS).iterdir():
            found = items.read(folder)
            if found is None:
                # a crash while it was begun
                Item(folder, "", 0, "", self._clock(), self._clock()).drop()
            else:
                yield found

    def join(self, code: str, key: Verifier) -> str:
        """Make a box for this key with an invitation; its token. The same again gives the same.

        Raises InviteRefused, MailboxFull.
        """
        token, invite = token_of(key), self._root / INVITES / named(code)
        with self._lock, full():
            if self.key_of(token) is not None:
                return token
            try:
                valid = datetime.fromisoformat(invite.read_text()) >= self._clock()
            except FileNotFoundError:
                valid = False
            if not valid:
                raise InviteRefused("this invitation is not one of this mailbox, was used or has run out: ask for one")
            if sum(1 for _ in (self._root / BOXES).iterdir()) >= self.limits.boxes:
                raise MailboxFull("this mailbox has as many boxes as it may: ask who runs it")
            durable(self._root / BOXES / named(token), key.text.encode())
            invite.unlink()
        return token

    def key_of(self, token: str) -> Verifier | None:
        """The key of the box with this token."""
        if not TOKEN.fullmatch(token):
            return None
        with suppress(FileNotFoundError, BadKey):
            return Verifier.parse((self._root / BOXES / named(token)).read_text())
        return None

    def begin(self, token: str, length: int, digest: str) -> Item:
        """An item for a box; the one that is there for the same box and bytes, when there is one.

        Raises BoxUnknown, UploadTooLarge, BoxFull, MailboxFull.
        """
        if self.key_of(token) is None:
            raise BoxUnknown("there is no box with this token here: ask the school for its newest card")
        box, now = named(token), self._clock()
        with self._lock:
            for one in self._items.values():
                if digest and (one.box, one.length, one.digest) == (box, length, digest) and one.until > now:
                    return one
            self._room(box, length)
            folder = self._root / ITEMS / self._random(ID_BYTES).hex()
            made = Item(folder, box, length, digest, now, now + self.limits.unfinished)
            try:
                made.begin()
            except MailboxFull:
                made.drop()
                raise
            self._items[made.id] = made
        return made

    def _room(self, box: str, length: int) -> None:
        limits = self.limits
        if length > limits.item_bytes:
            raise UploadTooLarge(f"an item may have {limits.item_bytes} bytes here: carry this one another way")
        live = [one for one in self._items.values() if one.standing is not Standing.GONE]
        mine = [one.length for one in live if one.box == box]
        if len(mine) >= limits.box_items or sum(mine) + length > limits.box_bytes:
            raise BoxFull("this box has as much waiting as it may: its holder must collect first")
        if len(self._items) >= limits.all_items or sum(one.length for one in live) + length > limits.all_bytes:
            raise MailboxFull("the mailbox has no room for this now: try again later")

    def item(self, item_id: str) -> Item:
        """An item by its id. Raises NoSuchUpload."""
        found = self._items.get(item_id)
        if found is None or found.until <= self._clock():
            raise NoSuchUpload("there is no such item here, or its time is over: begin anew")
        return found

    def settle(self, item: Item) -> None:
        """Make durable what came of an item. Raises DigestWrong, which ends the item, and MailboxFull."""
        now = self._clock()
        item.until = now + self.limits.unfinished
        try:
            item.settle(now, now + self.limits.keep)
        except items.DigestWrong:
            self.drop(item)
            raise

    def waiting(self, token: str) -> list[Item]:
        """The whole items of a box, the oldest first."""
        box, now = named(token), self._clock()
        with self._lock:
            found = [one for one in self._items.values() if one.box == box and one.standing is Standing.WHOLE]
        return sorted((one for one in found if one.until > now), key=lambda one: one.created)

    def of_box(self, token: str, item_id: str) -> Item:
        """A whole item of this box. Raises NoSuchUpload, UploadCollected."""
        found = self.item(item_id)
        if found.box != named(token) or found.standing is Standing.COMING:
            raise NoSuchUpload("there is no such item in this box, or its time is over")
        found.offset  # noqa: B018 - says that it was collected
        return found

    def collected(self, item: Item) -> None:
        """The recipient has it. Raises UploadCollected when it was said before."""
        with self._lock:
            item.offset  # noqa: B018 - says that it was collected
            item.collected(self._clock())

    def drop(self, item: Item) -> None:
        """Forget an item, its bytes and all."""
        with self._lock:
            self._items.pop(item.id, None)
        item.drop()

    def sweep(self) -> int:
        """Forget what has outlived its time; how many items that were. Invitations too."""
        now = self._clock()
        over = [one for one in list(self._items.values()) if one.until <= now]
        for one in over:
            self.drop(one)
        for invite in (self._root / INVITES).iterdir():
            with suppress(FileNotFoundError, ValueError):
                if datetime.fromisoformat(invite.read_text()) <= now:
                    invite.unlink()
        return len(over)


def invite(root: Path, until: datetime, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A code that lets one box be made in the mailbox of this folder: told this once, kept as its hash.

    It may be called while the mailbox is served. Raises BadSetting.
    """
    _prepare(root)
    code = random(CODE_BYTES).hex()
    durable(root / INVITES / named(code), until.isoformat().encode())
    return code


def named(secret: str) -> str:
    """What a token or a code is called on disk: whoever reads the folder's names can use neither."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _prepare(root: Path) -> None:
    try:
        for name in (BOXES, INVITES, ITEMS):
            (root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise BadSetting(f"the mailbox folder {root} cannot be used ({error.strerror}): name another") from error


def _alone(root: Path) -> BinaryIO:
    """The folder's lock, held until it is closed. Raises BadSetting."""
    _prepare(root)
    held = locked(root / LOCK)
    if held is None:
        raise BadSetting(f"another process serves the mailbox in {root}: stop it first")
    return held
