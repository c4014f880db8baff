"""What the API has on the topic `keys and boxes`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from astrack.client.calling import Caller, Got, Sent, new_key, part


class BoxOut(Got):
    """The mailbox in which this school has a box."""

    address: str


class BoxesOut(Got):
    """What waits in the school's boxes, and what mailboxes that do not answer said."""

    boxes: list[str]
    waiting: list[WaitingOut]
    away: list[str]


class CollectIn(Sent):
    """The eight words of a school that writes for the first time; `drop`: delete from the box what is refused."""

    words: str | None = None
    drop: bool = False


class EventOut(Got):
    """What a round of the post brought or did."""

    what: Literal["record", "receipt", "card", "collected", "receipt_sent", "receipt_waits", "refused", "failed"]
    transfer_id: str
    said: str


class FetchIn(Sent):
    """A directory's address; its eight words the first time; schools to know from now on, by their URNs."""

    address: str
    words: str | None = None
    urns: list[str] = Field(default=[])


class FetchedOut(Got):
    """What a directory showed: `not_ours` are keys in this school's name that it never made."""

    directory: str
    size: int
    new: int
    taken: list[str]
    refused: list[str]
    missing: list[str]
    not_ours: list[str]


class FollowedOut(Got):
    """A directory that is followed, and how many entries of it were seen."""

    address: str
    origin: str
    size: int


class JoinIn(Sent):
    """A mailbox, and the invitation from whoever runs it."""

    mailbox: str
    invite: str


class KeysOut(Got):
    """A school's newest key document; `opens`: whether a file can be sealed for it now."""

    origin: str
    name: str
    urn: str
    serial: int
    issued_at: datetime
    valid_until: datetime
    renews_at: datetime
    words: str
    revoked: int
    opens: bool


class RevokeKeysIn(Sent):
    """Every key this school has signed with is to be trusted no more: say `true`."""

    sure: Literal[True]


class SentOut(Got):
    """Where a file is now."""

    where: Literal["waiting", "collected"]


class WaitingOut(Got):
    """One item that waits: its size, and whether it was refused before and waits for a person."""

    address: str
    sha256: str
    bytes: int
    refused: bool


class astrack__api__post__CardOut(Got):
    """Whose box is in which mailbox."""

    origin: str
    mailbox: str


class astrack__api__post__KnownOut(Got):
    """This school's own keys, and those it has pinned."""

    own: KeysOut
    known: list[KeysOut]


class KeysAndBoxesCalls(Caller):
    """What the API has on the topic `keys and boxes`."""

    def keys(self) -> astrack__api__post__KnownOut:
        """This school's keys and those it has pinned, each with the eight words to compare over the telephone."""
        return self.value(astrack__api__post__KnownOut, "GET", "/keys")

    def revoke(self, body: RevokeKeysIn, *, key: str | None = None) -> KeysOut:
        """Revoke this school's keys, because somebody else may have them, and go on with new ones, which are the
        answer.
        """
        return self.value(KeysOut, "POST", "/keys/revoke", body=body, key=key or new_key())

    def boxes(self) -> BoxesOut:
        """What waits in this school's boxes; the mailboxes are asked, and nothing is taken in."""
        return self.value(BoxesOut, "GET", "/mailboxes")

    def join(self, body: JoinIn, *, key: str | None = None) -> BoxOut:
        """Make this school's box in a mailbox; the same again changes nothing."""
        return self.value(BoxOut, "POST", "/mailboxes", body=body, key=key or new_key())

    def know(self, content: bytes, *, name: bool = False, key: str | None = None) -> astrack__api__post__CardOut:
        """Take in the card of a school whose keys are known; `name`: the mailbox in it may be asked."""
        return self.value(
            astrack__api__post__CardOut,
            "POST",
            "/mailboxes/cards",
            content=content,
            query={"name": name},
            key=key or new_key(),
        )

    def collect(self, body: CollectIn, *, key: str | None = None) -> list[EventOut]:
        """Take in what waits, send the receipts, and see which files were collected."""
        return self.value(list[EventOut], "POST", "/mailboxes/collect", body=body, key=key or new_key())

    def send(self, transfer_id: UUID, *, key: str | None = None) -> SentOut:
        """Put a sealed file into its receiver's box; done again, it goes on or says where the file is."""
        return self.value(SentOut, "POST", f"/transfers/{part(transfer_id)}/send", key=key or new_key())

    def directories(self) -> list[FollowedOut]:
        """The directories of keys that are followed."""
        return self.value(list[FollowedOut], "GET", "/directories")

    def fetch(self, body: FetchIn, *, key: str | None = None) -> FetchedOut:
        """Read on in a directory: newer keys of schools that are known are taken, those of `urns` known from now on."""
        return self.value(FetchedOut, "POST", "/directories", body=body, key=key or new_key())
