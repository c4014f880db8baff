"""A directory's own folder: its keys, its log, and the checkpoint that is published. ``public/`` is what any web
server shows; ``private/`` holds the keys, for their owner alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

from astrack.directory import layout
from astrack.mailbox.disk import durable
from astrack.signing import Signing
from domain.base import DomainError
from domain.identity import SchoolName
from domain.naming import check_name
from transfer.errors import BadKeyDocument, DirectoryForked, DirectoryRolledBack, TooLarge
from transfer.evidence import merkle
from transfer.evidence.checkpoint import Checkpoint
from transfer.keys import published
from transfer.keys.directory import KeyDirectory
from transfer.keys.document import SignedDocument, fingerprint_words
from transfer.keys.parts import held
from transfer.keys.signing import Purpose
from transfer.keys.trust import open_documents

NAME, PRIVATE, PUBLIC = "directory.json", "private", "public"


class DirectoryBegun(DomainError):
    """There is a directory in this folder already."""


class DirectoryNotBegun(DomainError):
    """There is no directory in this folder."""


class Keeper:
    """The directory in a folder. One process at a time: it is kept by hand."""

    def __init__(self, root: Path, clock: Callable[[], datetime]) -> None:
        self._root, self._clock = root, clock
        self._signing = Signing(_Folder(root / PRIVATE), self._name, opens=False)

    @classmethod
    def begin(cls, root: Path, name: str, origin: str, clock: Callable[[], datetime]) -> Keeper:
        """A new directory with keys of its own; ``origin`` names its log. Raises DirectoryBegun, NameWrong."""
        check_name(name, "the directory")
        if (root / NAME).exists():
            raise DirectoryBegun(f"there is a directory in {root} already: choose another folder")
        try:
            held("origin", origin)
        except ValueError as error:
            raise BadKeyDocument(
                "its origin is not like directory.example/keys", "directory", "Name another."
            ) from error
        (root / PRIVATE).mkdir(mode=0o700, parents=True)
        (root / PUBLIC / layout.ENTRIES).mkdir(parents=True)
        durable(root / NAME, json.dumps({"name": name, "origin": origin}).encode())
        made = cls(root, clock)
        made.publish()
        return made

    def _name(self) -> SchoolName | None:
        try:
            said = json.loads((self._root / NAME).read_bytes())
        except FileNotFoundError as error:
            raise DirectoryNotBegun(f"there is no directory in {self._root}: `astrack directory begin` one") from error
        return SchoolName(school_id=UUID(int=0), name=said["name"], origin=said["origin"])

    def words(self) -> str:
        """The eight words of its newest key document."""
        return " ".join(fingerprint_words(self._signing.newest(self._clock()).signed.document))

    def add(self, data: bytes, words: str | None = None) -> SignedDocument:
        """Countersign a school's documents and put them at the end of the log; those that stand in it are passed over.

        A first one needs the eight words that were heard over the telephone; a later one the signatures of the one
        before, or words again. Raises BadKeyDocument, TooLarge.
        """
        run, entries = open_documents(data), self.entries()
        known = KeyDirectory.load(entries)
        have = known.latest(run[-1].document.origin)
        fresh = [one for one in run if have is None or one.document.serial > have.serial]
        if have is None:
            # the newest vouches, by digest, for all that came before it
            known.pin(bytes(run[-1]), words)
        for one in fresh if have is not None else ():
            known = known.pin(bytes(one), words if one is run[-1] else None)
        signers = self._signing.newest(self._clock()).signers(Purpose.MANIFEST)
        made = [published.countersigned(one, signers) for one in fresh]
        if any(len(one) > layout.ENTRY_BYTES_MAX for one in made):
            raise TooLarge("a key document is too long for a directory", "key document", "Take old keys out of it.")
        self._append(entries, made)
        return run[-1]

    def entries(self) -> list[bytes]:
        """Every entry of the log."""
        files = sorted((self._public / layout.ENTRIES).glob("*"))
        return [one for path in files for one in layout.entries_of(path.read_bytes())]

    def _append(self, entries: list[bytes], made: list[bytes]) -> None:
        whole = [*entries, *made]
        for number in range(len(entries) // layout.BUNDLE, -(-len(whole) // layout.BUNDLE)):
            at = number * layout.BUNDLE
            durable(self._public / layout.bundle_name(number), layout.bundle(whole[at : at + layout.BUNDLE]))

    def publish(self) -> Checkpoint:
        """Sign the log as it stands; readers see it from now on, and want it again within 40 days.

        Raises DirectoryRolledBack, DirectoryForked where the log is not the one that was published before.
        """
        leaves, now = published.leaves_of(self.entries()), self._clock()
        self._check_grown(leaves)
        keys = self._signing.newest(now)
        documents = b"".join(self._signing.documents(now))
        made = published.checkpoint(keys.signed.document.origin, leaves, keys.signers(Purpose.CHECKPOINT), now)
        durable(self._public / layout.KEYS, documents)
        durable(self._public / layout.CHECKPOINT, made)
        return published.head_of(made)

    def _check_grown(self, leaves: bytes) -> None:
        with suppress(FileNotFoundError):
            before = published.head_of((self._public / layout.CHECKPOINT).read_bytes())
            where, remedy = f"the directory {before.origin}", "Bring the newest copy of the folder back, then publish."
            if before.size * merkle.HASH_BYTES > len(leaves):
                raise DirectoryRolledBack("its log is shorter than what was published", where, remedy)
            if published.root_of(leaves[: before.size * merkle.HASH_BYTES]) != before.root:
                raise DirectoryForked("its log is not the one that was published", where, remedy)

    @property
    def _public(self) -> Path:
        self._name()
        return self._root / PUBLIC


class _Folder:
    """Keeps things for ever, a file each."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, prefix: str) -> list[str]:
        """The names that begin with a prefix, in order."""
        found = (str(path.relative_to(self._root)) for path in self._root.rglob("*") if path.is_file())
        return sorted(name for name in found if name.startswith(prefix))

    def kept(self, name: str) -> bytes | None:
        """What is kept under a name."""
        path = self._root / name
        return path.read_bytes() if path.exists() else None

    def keep(self, name: str, content: bytes, at: datetime) -> bytes:
        """Keep something under a name; what was there first is the answer."""
        path = self._root / name
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable(path, content)
        return path.read_bytes()
