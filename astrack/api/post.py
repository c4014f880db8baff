"""Keys and boxes: whose keys are known, revoking one's own, what waits in boxes, directories that are followed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from astrack.access.callers import Caller, CallerOf
from astrack.api.common import Body, Key, Line, Out, Raw, file_body
from astrack.directory.following import Follower
from astrack.handover import keyring
from astrack.mailbox.carrying import Carrier, What
from astrack.mailbox.client import Where
from domain.authority import Action

router = APIRouter(tags=["keys and boxes"])
Address = Annotated[str, StringConstraints(min_length=9, max_length=300, pattern=r"^[!-~]+$")]


class KeysOut(Out):
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


class KnownOut(Out):
    """This school's own keys, and those it has pinned."""

    own: KeysOut
    known: list[KeysOut]


class RevokeKeysIn(Body):
    """Every key this school has signed with is to be trusted no more: say `true`."""

    sure: Literal[True]


class JoinIn(Body):
    """A mailbox, and the invitation from whoever runs it."""

    mailbox: Address
    invite: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class BoxOut(Out):
    """The mailbox in which this school has a box."""

    address: str


class WaitingOut(Out):
    """One item that waits: its size, and whether it was refused before and waits for a person."""

    address: str
    sha256: str
    bytes: int
    refused: bool


class BoxesOut(Out):
    """What waits in the school's boxes, and what mailboxes that do not answer said."""

    boxes: list[str]
    waiting: list[WaitingOut]
    away: list[str]


class CollectIn(Body):
    """The eight words of a school that writes for the first time; `drop`: delete from the box what is refused."""

    words: Line | None = None
    drop: bool = False


class EventOut(Out):
    """What a round of the post brought or did."""

    what: What
    transfer_id: str
    said: str


class SentOut(Out):
    """Where a file is now."""

    where: Where


class CardOut(Out):
    """Whose box is in which mailbox."""

    origin: str
    mailbox: str


class FetchIn(Body):
    """A directory's address; its eight words the first time; schools to know from now on, by their URNs."""

    address: Address
    words: Line | None = None
    urns: Annotated[list[Annotated[str, Field(pattern=r"^\d{5,7}$")]], Field(max_length=400, default_factory=list)]


class FetchedOut(Out):
    """What a directory showed: `not_ours` are keys in this school's name that it never made."""

    directory: str
    size: int
    new: int
    taken: list[str]
    refused: list[str]
    missing: list[str]
    not_ours: list[str]


class FollowedOut(Out):
    """A directory that is followed, and how many entries of it were seen."""

    address: str
    origin: str
    size: int


@router.get("/keys")
def keys(caller: CallerOf) -> KnownOut:
    """This school's keys and those it has pinned, each with the eight words to compare over the telephone."""
    caller.may(Action.CARRY_SEALED)
    own, known = keyring.own(caller.handover), keyring.known(caller.handover)
    return KnownOut(own=KeysOut(**own._asdict()), known=[KeysOut(**one._asdict()) for one in known])


@router.post("/keys/revoke")
def revoke(caller: CallerOf, body: RevokeKeysIn, key: Key) -> KeysOut:
    """Revoke this school's keys, because somebody else may have them, and go on with new ones, which are the answer."""
    caller.may(Action.RECEIVE_RECORD)
    return KeysOut(**keyring.revoke(caller.handover, caller.ask(key))._asdict())


@router.get("/mailboxes")
def boxes(caller: CallerOf) -> BoxesOut:
    """What waits in this school's boxes; the mailboxes are asked, and nothing is taken in."""
    post = _post(caller)
    items, away = post.waiting()
    waiting = [
        WaitingOut(address=one.address, sha256=one.sha256, bytes=one.bytes, refused=one.refused) for one in items
    ]
    return BoxesOut(boxes=[box.address for box in post.boxes()], waiting=waiting, away=away)


@router.post("/mailboxes")
def join(caller: CallerOf, body: JoinIn, key: Key) -> BoxOut:
    """Make this school's box in a mailbox; the same again changes nothing."""
    return BoxOut(address=_post(caller).join(body.mailbox, body.invite).address)


@router.post("/mailboxes/cards", openapi_extra=file_body("A school's card."))
def know(caller: CallerOf, data: Raw, key: Key, name: bool = False) -> CardOut:
    """Take in the card of a school whose keys are known; `name`: the mailbox in it may be asked."""
    post = _post(caller)
    card = post.know(data)
    if name:
        post.name(card.mailbox)
    return CardOut(origin=card.origin, mailbox=card.mailbox)


@router.post("/mailboxes/collect")
def collect(caller: CallerOf, body: CollectIn, key: Key) -> list[EventOut]:
    """Take in what waits, send the receipts, and see which files were collected."""
    caller.may(Action.RECEIVE_RECORD)
    events = _post(caller).collect(caller.ask(key), words=body.words, drop=body.drop)
    return [EventOut(what=one.what, transfer_id=one.transfer_id, said=one.said) for one in events]


@router.post("/transfers/{transfer_id}/send")
def send(caller: CallerOf, transfer_id: UUID, key: Key) -> SentOut:
    """Put a sealed file into its receiver's box; done again, it goes on or says where the file is."""
    caller.carry("out", transfer_id)
    return SentOut(where=_post(caller).send_to_card(caller.ask(key), transfer_id))


@router.get("/directories")
def directories(caller: CallerOf) -> list[FollowedOut]:
    """The directories of keys that are followed."""
    caller.may(Action.CARRY_SEALED)
    return [FollowedOut(**one._asdict()) for one in Follower(caller.handover).followed()]


@router.post("/directories")
def fetch(caller: CallerOf, body: FetchIn, key: Key) -> FetchedOut:
    """Read on in a directory: newer keys of schools that are known are taken, those of `urns` known from now on."""
    caller.may(Action.RECEIVE_RECORD)
    found = Follower(caller.handover).fetch(caller.ask(key), body.address, body.urns, words=body.words)
    return FetchedOut(**found)


def _post(caller: Caller) -> Carrier:
    caller.may(Action.CARRY_SEALED)
    return Carrier.of(caller.handover, caller.app.settings)
