"""A school follows a directory: it keeps how much of the log it has seen, takes newer keys of schools it knows, and
looks whether the directory shows a key for this school that this school never made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import httpx

from astrack.changing import Answer, Ask
from astrack.directory import layout
from astrack.handover import Handover
from astrack.mailbox import guarded
from astrack.mailbox.guarded import OtherSideSilent
from domain.base import DomainError
from transfer.errors import BadKeyDocument, TransferRefused
from transfer.keys import published
from transfer.keys.directory import KeyDirectory
from transfer.keys.document import KeyDocument
from transfer.keys.published import Entry, Seen
from transfer.keys.trust import open_documents

ADDRESSES, ORIGINS = "directories/", "directory-origins/"


class DirectoryUnknown(DomainError):
    """The school does not follow this directory."""


class Followed(NamedTuple):
    """A directory that is followed: where it is, what its log is called, and how many entries of it were seen."""

    address: str
    origin: str
    size: int


class Follower:
    """The directories that one school follows."""

    def __init__(self, hands: Handover) -> None:
        self.hands, self.vault = hands, hands.vault

    def addresses(self) -> list[str]:
        """Where the directories are that are followed."""
        return [(self.vault.kept(name) or b"").decode() for name in self.vault.names(ADDRESSES)]

    def followed(self) -> list[Followed]:
        """The directories that are followed, with how far each was seen."""
        return [self._followed(address) for address in self.addresses()]

    def _followed(self, address: str) -> Followed:
        origin = (self.vault.kept(ORIGINS + _named(address)) or b"").decode()
        return Followed(address, origin, self._seen(origin).size if origin else 0)

    def fetch(
        self, ask: Ask, address: str, urns: Sequence[str] = (), *, words: str | None = None, whole: bool = False
    ) -> Answer:
        """Read on in a directory: newer keys of schools known here are taken, those of ``urns`` are known from now on.

        ``words``: the directory's own eight, the first time; ``whole``: every entry is looked at again. The answer
        names what was taken, what was refused and why, and what claims to be this school and is not. Raises the
        transfer.errors tree, AddressWrong, OtherSideSilent.
        """
        address = guarded.checked(address, path=True)
        with guarded.opened() as http:
            origin = self._keys(ask, http, address, words)
            own = [one.document for one in KeyDirectory.load(self.vault.pinned()).pinned[origin]]
            seen = self._seen(origin)
            begin = 0 if urns or whole else seen.size // layout.BUNDLE * layout.BUNDLE
            checkpoint = _get(http, f"{address}/{layout.CHECKPOINT}", layout.CHECKPOINT_BYTES_MAX)
            entries = self._entries(http, address, begin, checkpoint)
        after, found = published.follow(seen, own, checkpoint, entries, begin, self.hands.clock())
        self.vault.follow(origin, after.size, [after.leaves, after.checkpoint])
        self.vault.keep(ADDRESSES + _named(address), address.encode(), self.hands.clock())
        self.vault.keep(ORIGINS + _named(address), origin.encode(), self.hands.clock())
        schools = published.by_origin(found)
        taken = self._take(ask, schools, urns)
        return {"directory": origin, "size": after.size, "new": after.size - seen.size, **taken,
                "not_ours": self._not_ours(schools)}  # fmt: skip

    def _keys(self, ask: Ask, http: httpx.Client, address: str, words: str | None) -> str:
        """Know the directory's own keys; its origin."""
        data = _get(http, f"{address}/{layout.KEYS}", layout.KEYS_BYTES_MAX)
        origin = open_documents(data)[-1].document.origin
        self.hands.trust(ask, data, words=words)
        return origin

    def _seen(self, origin: str) -> Seen:
        return Seen(*self.vault.followed(origin))

    def _entries(self, http: httpx.Client, address: str, begin: int, checkpoint: bytes) -> list[bytes]:
        size = published.head_of(checkpoint).size
        found: list[bytes] = []
        for number in range(begin // layout.BUNDLE, -(-size // layout.BUNDLE)):
            data = _get(http, f"{address}/{layout.bundle_name(number)}", layout.BUNDLE_BYTES_MAX)
            found += layout.entries_of(data)
        return found

    def _take(self, ask: Ask, schools: Mapping[str, Sequence[Entry]], urns: Sequence[str]) -> Answer:
        known = KeyDirectory.load(self.vault.pinned())
        taken: list[str] = []
        refused: list[str] = []
        wanted = set(urns)
        for origin, entries in schools.items():
            newest, here = entries[-1].document, known.latest(origin)
            asked = newest.school.urn in wanted
            wanted.discard(newest.school.urn or "")
            if origin == self.hands.origin() or (here is None and not asked):
                continue
            if here is not None and here.serial >= newest.serial:
                continue
            try:
                self._trust(ask, entries, here)
                taken.append(f"{newest.school.name} ({newest.serial})")
            except TransferRefused as error:
                refused.append(str(error))
        return {"taken": taken, "refused": refused, "missing": sorted(wanted)}

    def _trust(self, ask: Ask, entries: Sequence[Entry], here: KeyDocument | None) -> None:
        """Know a school by its newest run of documents in the directory."""
        run = [one.signed for one in entries if here is None or one.document.serial >= here.serial]
        if here is not None and here.digest not in (run[0].document.digest, run[0].document.previous):
            raise BadKeyDocument(
                f"the directory shows another document {here.serial} than is known here",
                f"the keys of {here.school.name}", "Ring the school on a number you know, and compare the eight words.",
            )  # fmt: skip
        self.hands.trust(ask, b"".join(map(bytes, run)), vouchers=entries[-1].vouchers)

    def _not_ours(self, schools: Mapping[str, Sequence[Entry]]) -> list[str]:
        """What the directory shows in this school's name that this school did not make."""
        mine = {one.signed.document.digest for one in self.hands.signing.all(self.hands.clock())}
        origin, urn = self.hands.origin(), self.hands.named().urn
        shown = [entry.document for entries in schools.values() for entry in entries]
        ours = [one for one in shown if one.origin == origin or (urn and one.school.urn == urn)]
        odd = [one for one in ours if one.digest not in mine]
        return [f"document {one.serial} of {one.origin}, {one.school.name}" for one in odd]

    def compare(self, checkpoint: bytes) -> int:
        """Compare what somebody else was shown with what was shown here; its size. Raises DirectoryUnknown,
        DirectoryForked, BadProof."""
        origin = published.head_of(checkpoint).origin
        chain = KeyDirectory.load(self.vault.pinned()).latest(origin)
        if chain is None or not self.vault.followed(origin):
            raise DirectoryUnknown("this checkpoint is of a directory that is not followed here: fetch it first")
        return published.check_against(self._seen(origin), checkpoint, chain)

    def checkpoint(self, origin: str) -> bytes:
        """The newest checkpoint seen of a directory, for others to compare. Raises DirectoryUnknown."""
        seen = self._seen(origin)
        if not seen.checkpoint:
            raise DirectoryUnknown("this directory is not followed here: fetch it first")
        return seen.checkpoint


def _named(address: str) -> str:
    """What an address is called among what is kept: names are not sealed."""
    return sha256(address.encode()).hexdigest()[:32]


def _get(http: httpx.Client, address: str, most: int) -> bytes:
    answer = guarded.ask(http, "GET", address, most=most)
    if answer.status != 200:
        raise OtherSideSilent(f"there is no directory at that address (status {answer.status}): check it")
    return answer.body
