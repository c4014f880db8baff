"""A school's boxes, and the cards that say where other schools' boxes are: kept with the school's own keys."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from astrack.handover import Handover
from astrack.mailbox import guarded
from astrack.mailbox.client import Mailbox
from astrack.mailbox.proof import BoxKey
from domain.base import DomainError
from transfer.evidence.chain import b64, unb64
from transfer.keys import card as cards
from transfer.keys.card import Card
from transfer.keys.directory import KeyDirectory
from transfer.keys.signing import Purpose

BOX, JOINED, NAMED, OWN_CARD, CARD = "box/", "joined/", "mailbox/", "own-card/", "card/"


class NoCard(DomainError):
    """It is not known here which box a school has."""


class NoBox(DomainError):
    """The school has no box in a mailbox."""


class MailboxNotNamed(DomainError):
    """Another school's card names a mailbox that nobody here has said may be asked."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box of this school."""

    address: str
    key: BoxKey


class Post:
    """What a school knows of mailboxes. Only addresses that a person here has named are ever asked."""

    def __init__(self, hands: Handover) -> None:
        self.hands, self.vault = hands, hands.vault

    def join(self, address: str, invite: str) -> Box:
        """Make a box in a mailbox with an invitation; the same again changes nothing.

        Raises AddressWrong, MailboxRefused, OtherSideSilent.
        """
        address = guarded.checked(address)
        drawn = json.dumps({"address": address, "seed": b64(os.urandom(32))}).encode()
        box = _box(self.vault.keep(BOX + _name(address), drawn, self._now()))
        with Mailbox(address) as mailbox:
            mailbox.join(box.key, invite)
        self.vault.keep(JOINED + _name(address), address.encode(), self._now())
        return box

    def boxes(self) -> list[Box]:
        """The boxes of this school."""
        names = self.vault.names(JOINED)
        kept = [self.vault.kept(BOX + name.removeprefix(JOINED)) for name in names]
        return [_box(one) for one in kept if one is not None]

    def name(self, address: str) -> str:
        """Say that a mailbox may be asked; its address. Raises AddressWrong."""
        address = guarded.checked(address)
        self.vault.keep(NAMED + _name(address), address.encode(), self._now())
        return address

    def may_ask(self, address: str) -> bool:
        """Whether a person here has named this mailbox, or the school has a box in it."""
        return any(self.vault.kept(prefix + _name(address)) is not None for prefix in (JOINED, NAMED))

    def own_card(self, address: str | None = None) -> bytes:
        """This school's card for its box in a mailbox, or for its only one; signed once for each of its keys.

        Raises NoBox.
        """
        fits = [box for box in self.boxes() if address is None or box.address == guarded.checked(address)]
        if len(fits) != 1:
            raise NoBox(f"this school has {len(fits)} boxes that fit: join a mailbox, or say which with its address")
        at = self._now()
        keys = self.hands.signing.newest(at)
        document = keys.signed.document
        name = f"{OWN_CARD}{_name(fits[0].address)}/{document.serial:06d}"
        made = Card(document.origin, fits[0].address, fits[0].key.token, document.newest(Purpose.RECEIPT).key_id, at)
        return self.vault.kept(name) or self.vault.keep(name, cards.sign(made, keys.signers(Purpose.RECEIPT)), at)

    def know(self, data: bytes) -> Card:
        """Take in another school's card, whose keys are known here. Raises BadCard, BadSignature and below."""
        made = cards.read(data, self.directory(), self._now())
        guarded.checked(made.mailbox)
        self.vault.keep(f"{CARD}{_name(made.origin)}/{made.at:%Y%m%d%H%M%S}", data, self._now())
        return made

    def card_of(self, origin: str) -> Card | None:
        """The newest card of a school that was taken in here."""
        names = self.vault.names(f"{CARD}{_name(origin)}/")
        kept = self.vault.kept(names[-1]) if names else None
        return cards.parse(kept) if kept is not None else None

    def reaches(self, origin: str) -> bool:
        """Whether a file for a school can go by mailbox: its card is here, and its mailbox may be asked."""
        card = self.card_of(origin)
        return card is not None and self.may_ask(card.mailbox)

    def directory(self) -> KeyDirectory:
        """The key documents known here."""
        return KeyDirectory.load(self.vault.pinned())

    def _now(self) -> datetime:
        return self.hands.clock()


def _box(kept: bytes) -> Box:
    said = json.loads(kept)
    return Box(said["address"], BoxKey(unb64(said["seed"], "box", 32)))


def _name(secret: str) -> str:
    """What an address or an origin is called among what is kept: names are not sealed."""
    return sha256(secret.encode()).hexdigest()[:32]
