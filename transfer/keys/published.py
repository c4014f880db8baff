"""A directory of key documents that nobody has to trust blindly: each is countersigned and stands in a log of its own.

A leaf of the log is the countersigned document, byte for byte; the log's checkpoints are signed by the checkpoint pair
of the directory's own key document (FORMAT.md, section 14). A reader keeps the leaves it has seen: a log that is
shorter, or that shows others, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from transfer.errors import BadKeyDocument, BadProof, BadSignature, DirectoryForked, DirectoryRolledBack, OutOfDate
from transfer.evidence import merkle, note
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.merkle import HASH_BYTES
from transfer.evidence.note import Signer, Verifier
from transfer.keys.document import KeyDocument, SignedDocument, open_document
from transfer.keys.signing import Purpose

FRESH = timedelta(days=40)
AHEAD = timedelta(hours=1)
ENTRIES_MAX = 100_000
STALE = "Ask who runs the directory to publish it again; if the date is wrong, correct this computer's clock."


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of a directory's log a reader has seen: its leaf hashes, joined, and the checkpoint that said so."""

    leaves: bytes = b""
    checkpoint: bytes = b""

    @property
    def size(self) -> int:
        """How many entries."""
        return len(self.leaves) // HASH_BYTES


class Entry(NamedTuple):
    """One document of a directory, with the directory's keys that countersigned it."""

    signed: SignedDocument
    vouchers: tuple[Verifier, ...]

    @property
    def document(self) -> KeyDocument:
        """What it says."""
        return self.signed.document


def countersigned(signed: SignedDocument, signers: Sequence[Signer]) -> bytes:
    """The document with the directory's signatures beside its own: an entry of the log."""
    return bytes(signed.note.signed_also(one.sign(signed.note.text, 0) for one in signers))


def leaves_of(entries: Iterable[bytes]) -> bytes:
    """The leaf hashes of entries, joined."""
    return b"".join(map(merkle.leaf_hash, entries))


def root_of(leaves: bytes) -> bytes:
    """The root over joined leaf hashes."""
    return merkle.root(leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES))


def checkpoint(origin: str, leaves: bytes, signers: Sequence[Signer], at: datetime) -> bytes:
    """A signed checkpoint of a directory's log."""
    head = Checkpoint(origin, len(leaves) // HASH_BYTES, root_of(leaves))
    return bytes(note.sign(head.text, signers, int(at.timestamp())))


def head_of(signed: bytes) -> Checkpoint:
    """What a checkpoint says, its signatures left aside. Raises BadNote."""
    return Checkpoint.parse(note.parse(signed).text)


def follow(
    seen: Seen, own: Sequence[KeyDocument], signed: bytes, entries: Sequence[bytes], begin: int, now: datetime
) -> tuple[Seen, list[Entry]]:
    """(what has been seen from now on, the entries given): the log as it is, after what was seen of it before.

    ``own``: the directory's own documents, oldest first; ``entries``: those from number ``begin`` on. Raises BadNote,
    BadSignature, ExpiredKey, OutOfDate, DirectoryRolledBack, DirectoryForked, BadProof, BadKeyDocument.
    """
    head = _head(own[-1], signed, now)
    if head.size < seen.size:
        raise DirectoryRolledBack(
            f"it shows {head.size} entries and has shown {seen.size} before", f"the directory {head.origin}"
        )
    where = f"the directory {head.origin}"
    shown = leaves_of(entries[: head.size - begin])
    leaves = seen.leaves[: begin * HASH_BYTES] + shown
    if not 0 <= begin <= seen.size or len(leaves) != head.size * HASH_BYTES or head.size > ENTRIES_MAX:
        raise BadProof(
            f"the entries that came do not make the {head.size} of its checkpoint", f"the directory {head.origin}"
        )
    if not leaves.startswith(seen.leaves):
        raise DirectoryForked("an entry is another than it was before", where)
    if root_of(leaves) != head.root:
        raise DirectoryForked("its checkpoint is of other entries than came", where)
    return Seen(leaves, signed), [_entry(own, data) for data in entries[: head.size - begin]]


def _signed(own: KeyDocument, signed: bytes) -> Checkpoint:
    """What a checkpoint of the directory says."""
    head = note.open_checkpoint(signed, own.newest(Purpose.CHECKPOINT).verifiers)
    if head.origin != own.origin:
        raise BadProof("its checkpoint is of another log", f"the directory {own.origin}")
    return head


def _head(own: KeyDocument, signed: bytes, now: datetime) -> Checkpoint:
    """What a fresh checkpoint of the directory says."""
    pair, where = own.newest(Purpose.CHECKPOINT), f"the directory {own.origin}"
    own.signer(Purpose.CHECKPOINT, pair.key_id, now)
    head = _signed(own, signed)
    times = note.require(note.parse(signed), pair.verifiers).values()
    made = datetime.fromtimestamp(max(stamp for stamp in times if stamp is not None), UTC)
    if not -AHEAD <= now - made <= FRESH:
        raise OutOfDate(f"its checkpoint is of {made:%d %B %Y}", where, STALE)
    return head


def _entry(own: Sequence[KeyDocument], data: bytes) -> Entry:
    signed = open_document(data)
    for document in own:
        for pair in document.signing:
            if pair.purpose is Purpose.MANIFEST and _signed_by(signed, pair.verifiers):
                return Entry(signed, pair.verifiers)
    raise BadKeyDocument(
        "the directory did not countersign it", f"key document {signed.document.serial} of {signed.document.origin}"
    )


def _signed_by(signed: SignedDocument, keys: tuple[Verifier, ...]) -> bool:
    try:
        return bool(note.require(signed.note, keys))
    except BadSignature:
        return False


def check_against(seen: Seen, other: bytes, own: KeyDocument) -> int:
    """The size of a checkpoint that somebody else was shown, once it is found to be of the same log as was seen here.

    Raises DirectoryForked; BadProof where it is longer than what was seen here, so that nothing can be said.
    """
    head = _signed(own, other)
    if head.size > seen.size:
        raise BadProof(
            f"it is of {head.size} entries and only {seen.size} were seen here", f"the directory {head.origin}",
            "Fetch the directory, then compare again.",
        )  # fmt: skip
    if root_of(seen.leaves[: head.size * HASH_BYTES]) != head.root:
        raise DirectoryForked(
            "it shows somebody else other entries than it showed here", f"the directory {head.origin}"
        )
    return head.size


def by_origin(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Each school's documents, oldest first."""
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda one: one.document.serial):
        found.setdefault(entry.document.origin, []).append(entry)
    return found
