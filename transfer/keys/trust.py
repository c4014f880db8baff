"""What a reader knows beforehand of other schools' keys, and so how far a file's own key documents are believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from transfer.errors import BadKeyDocument, UnknownSigner
from transfer.evidence.note import Verifier
from transfer.keys import words
from transfer.keys.directory import KeyDirectory
from transfer.keys.document import LABEL, KeyDocument, SignedDocument, check_follows, fingerprint_words, open_document
from transfer.keys.signing import Purpose

MAX_DOCUMENTS = 100


class Known(StrEnum):
    """How a school's keys are known."""

    PINNED = "pinned"
    CONFIRMED = "confirmed"
    SELF_ASSERTED = "self-asserted"


@dataclass(frozen=True, slots=True)
class Standing:
    """A school's newest key document in a file, and how it is known."""

    document: KeyDocument
    how: Known
    documents: tuple[SignedDocument, ...] = ()

    @property
    def manifest_keys(self) -> tuple[Verifier, Verifier]:
        """The pair that signs manifests."""
        return self.document.newest(Purpose.MANIFEST).verifiers

    @property
    def checkpoint_keys(self) -> tuple[Verifier, Verifier]:
        """The pair that signs checkpoints."""
        return self.document.newest(Purpose.CHECKPOINT).verifiers

    @property
    def receipt_keys(self) -> tuple[Verifier, Verifier]:
        """The pair that signs receipts."""
        return self.document.newest(Purpose.RECEIPT).verifiers

    @property
    def words(self) -> str:
        """The eight words that two people compare over the telephone."""
        return " ".join(fingerprint_words(self.document))

    @property
    def name(self) -> str:
        """What to call the school."""
        return self.document.school.name or "a school withheld by law"


@dataclass(frozen=True, slots=True)
class Trust:
    """What a reader goes by: the documents pinned, eight words heard over the telephone, witnesses' keys."""

    directory: KeyDirectory = field(default_factory=KeyDirectory)
    words: tuple[str, ...] = ()
    witnesses: tuple[Verifier, ...] = ()

    @classmethod
    def of(cls, documents: Iterable[bytes], spoken: Iterable[str] = (), witnesses: Iterable[Verifier] = ()) -> Trust:
        """Trust in these key documents, each vouched for by whoever names it. Raises BadKeyDocument."""
        opened = {one.digest: one for data in documents for one in open_documents(data)}
        by_origin: dict[str, tuple[SignedDocument, ...]] = {}
        for made in sorted(opened.values(), key=lambda one: one.document.serial):
            by_origin[made.document.origin] = (*by_origin.get(made.document.origin, ()), made)
        for chain in by_origin.values():
            check_chain(chain)
        return cls(KeyDirectory(by_origin), tuple(spoken), tuple(witnesses))

    def judge(self, origin: str, documents: Sequence[bytes], now: datetime | None = None) -> Standing:
        """How the newest of these documents of a log's school is known; ``now`` when it has to be valid at present.

        Raises BadKeyDocument when they do not follow one another, are of another log, or contradict what is pinned;
        ExpiredKey when ``now`` is given and the manifest's keys are not valid then, or have been revoked.
        """
        if not 0 < len(documents) <= MAX_DOCUMENTS:
            raise BadKeyDocument(f"there are not 1 to {MAX_DOCUMENTS} key documents", f"the log {origin}")
        opened = tuple(open_document(data) for data in documents)
        check_chain(opened)
        newest = opened[-1].document
        if newest.origin != origin:
            raise BadKeyDocument("it is of another log", f"the log {origin}")
        standing = Standing(newest, self._how(origin, opened), opened)
        if now is not None:
            # a pinned document that is newer may have revoked the key; an older one cannot know a key that came later
            pinned = (one.document for one in self.directory.pinned.get(origin, ())[-1:])
            for document in (newest, *(one for one in pinned if one.serial > newest.serial)):
                document.signer(Purpose.MANIFEST, newest.newest(Purpose.MANIFEST).key_id, now)
        return standing

    def _how(self, origin: str, opened: Sequence[SignedDocument]) -> Known:
        ours = self.directory.pinned.get(origin, ())
        check_agree(ours, opened)
        if ours and _linked(ours, opened):
            return Known.PINNED
        if ours and opened[-1].document.serial >= ours[0].document.serial:
            raise BadKeyDocument("it is not the school's key document that is known here", f"the log {origin}")
        expected = fingerprint_words(opened[-1].document) if self.words else ()
        if any(words.same_words(spoken, expected) for spoken in self.words):
            return Known.CONFIRMED
        return Known.SELF_ASSERTED


def check_agree(ours: Sequence[SignedDocument], theirs: Sequence[SignedDocument]) -> None:
    """Two runs never hold two documents of one number: who has old keys could go on from them on a way of their own.

    Raises BadKeyDocument.
    """
    known = {one.document.serial: one.digest for one in ours}
    for one in theirs:
        number, name = one.document.serial, one.document.school.name or one.document.origin
        if known.get(number, one.digest) != one.digest:
            raise BadKeyDocument(
                f"it is not the school's key document {number} that is known here", f"the keys of {name}",
                "Somebody may be using old keys of that school: ring them on a number you know.",
            )  # fmt: skip


def _linked(ours: Sequence[SignedDocument], theirs: Sequence[SignedDocument]) -> bool:
    """Whether one of the two runs of documents begins in the other, or just where it ends. Raises BadKeyDocument."""
    known, given = ({one.digest for one in run} for run in (ours, theirs))
    if known & given or ours[0].document.previous in given:
        return True
    if theirs[0].document.previous in known:
        check_follows(theirs[0], next(one for one in ours if one.digest == theirs[0].document.previous))
        return True
    return False


def open_documents(data: bytes) -> tuple[SignedDocument, ...]:
    """The key documents of a school in one file, oldest first, each following the one before. Raises BadKeyDocument."""
    start = f"{LABEL}\n".encode()
    starts = [at.start() for at in re.finditer(b"^" + re.escape(start), data, re.MULTILINE)][: MAX_DOCUMENTS + 1]
    if not starts or starts[0] != 0 or len(starts) > MAX_DOCUMENTS:
        raise BadKeyDocument(f"it does not hold 1 to {MAX_DOCUMENTS} key documents", "key document")
    found = tuple(open_document(data[at:end]) for at, end in pairwise([*starts, len(data)]))
    check_chain(found)
    return found


def check_chain(opened: Sequence[SignedDocument]) -> None:
    """Each document follows the one before it. Raises BadKeyDocument."""
    for old, new in pairwise(opened):
        check_follows(new, old)


def require_known(standing: Standing) -> None:
    """A school whose keys nobody vouched for hands nothing over. Raises UnknownSigner."""
    if standing.how is Known.SELF_ASSERTED:
        raise UnknownSigner(
            f"nothing here says yet that these are the keys of {standing.name}",
            "key document",
            f"Ring them on a number you know, compare the eight words ({standing.words}), and say them with the file.",
        )
