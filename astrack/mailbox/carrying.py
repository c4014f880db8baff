"""Carrying by mailbox: sealed files out, what waits in the school's boxes in, and receipts back the same way."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self
from uuid import UUID

from astrack import errors
from astrack.changing import Ask
from astrack.handover import Handover
from astrack.handover.closing import LIST_MAX
from astrack.mailbox import guarded
from astrack.mailbox.client import Mailbox, MailboxRefused, Progress, Waiting, Where
from astrack.mailbox.disk import locked
from astrack.mailbox.guarded import OtherSideSilent
from astrack.mailbox.post import Box, MailboxNotNamed, NoCard, Post
from astrack.settings import Settings
from astrack.store.vault import Transfer
from domain.base import DomainError
from transfer import letter as letters
from transfer.errors import TransferRefused
from transfer.keys.card import Card
from transfer.letter import Letter

POSTED, TOLD, REFUSED, LOCK = "posted/", "told/", ".refused", "lock"
NO_CARD = "it is not known here which box that school has: ask for its card, then take that in"
ITEMS_AT_ONCE, SERVICE_FAULT = 500, 500
What = Literal["record", "receipt", "card", "collected", "receipt_sent", "receipt_waits", "refused", "failed"]


class CollectingAlready(DomainError):
    """Another process is collecting for this school."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a round of the post brought or did; ``said`` is a sentence for people."""

    what: What
    transfer_id: str
    said: str


@dataclass(frozen=True, slots=True)
class InBox:
    """One item that waits in a box of this school: its size, and whether it was refused and waits for a person."""

    address: str
    sha256: str
    bytes: int
    refused: bool


class Carrier(Post):
    """The post of one school. ``spool``: a folder for what is being fetched, which is sealed."""

    def __init__(self, hands: Handover, spool: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(hands)
        self._spool, self._sleep = spool, sleep

    @classmethod
    def of(cls, hands: Handover, settings: Settings) -> Self:
        """The post of a school; what is being fetched lies in the data folder."""
        return cls(hands, settings.home / "post" / str(hands.records.school_id))

    def send(self, ask: Ask, transfer_id: UUID, address: str, progress: Progress = lambda _: None) -> Where:
        """Put a sealed file into its receiver's box; done again, it goes on or says where the file is.

        Raises NoCard, MailboxNotNamed, NoSuchTransfer, TransferEnded, MailboxRefused, OtherSideSilent.
        """
        data = self.hands.sealed(transfer_id)
        row = self.vault.transfer("out", transfer_id)
        assert row is not None
        card = self._card_for(row, guarded.checked(address))
        self.name(card.mailbox)
        with self._open(card.mailbox) as mailbox:
            if not row.details.get("protected"):
                # a protected move does not tell where it came from: its receipt goes another way
                self._introduce(mailbox, card)
            where = _put(mailbox, card, data, progress)
        self.hands.mark(ask, transfer_id, "sent" if where == "waiting" else "collected")
        return where

    def send_to_card(self, ask: Ask, transfer_id: UUID) -> Where:
        """As ``send``, to the mailbox that the receiver's card names, where somebody here has said it may be asked."""
        row = self.vault.transfer("out", transfer_id)
        if row is None:
            raise self.hands.unknown(transfer_id)
        card = self.card_of((row.details.get("to") or {}).get("origin", ""))
        if card is None:
            raise NoCard(NO_CARD)
        if not self.may_ask(card.mailbox):
            raise MailboxNotNamed(f"that school's box is in {card.mailbox}: name that mailbox if you trust it")
        return self.send(ask, transfer_id, card.mailbox)

    def _card_for(self, row: Transfer, address: str) -> Card:
        to: dict[str, Any] = row.details.get("to") or {}
        card = self.card_of(to.get("origin", ""))
        if card is None:
            raise NoCard(NO_CARD)
        if card.mailbox != address:
            raise MailboxNotNamed(f"that school's box is in the mailbox {card.mailbox}: name that one if you trust it")
        return card

    def _introduce(self, mailbox: Mailbox, card: Card) -> None:
        """Tell a school, once for each key, where its receipts can be sent."""
        if not self.boxes():
            return
        mine = self.own_card(self.boxes()[0].address)
        name = TOLD + sha256(card.token.encode() + mine).hexdigest()[:32]
        if self.vault.kept(name) is None and self._write(mailbox, card, Letter(card=mine)):
            self.vault.keep(name, b"1", self.hands.clock())

    def _write(self, mailbox: Mailbox, card: Card, letter: Letter) -> bool:
        """Put a letter into a school's box; False where no key of that school is valid."""
        known = self.directory().latest(card.origin)
        recipients = known.recipients_at(self.hands.clock()) if known is not None else ()
        if recipients:
            _put(mailbox, card, letters.seal(letter, recipients))
        return bool(recipients)

    def collect(
        self, ask: Ask, *, words: str | None = None, drop: bool = False, again: bool = True,
        progress: Progress = lambda _: None,
    ) -> list[Event]:  # fmt: skip
        """Take in what waits in every box of this school, send the receipts, and see which files were collected.

        ``words`` as for receiving; ``drop`` deletes what is refused; without ``again`` what was refused before is left
        alone. ``progress`` hears how many bytes more have come. Raises CollectingAlready.
        """
        with self._alone():
            self._seen: set[str] = {LOCK}
            events = [event for box in self.boxes() for event in self._box(ask, box, words, drop, again, progress)]
            if all(event.what != "failed" for event in events):
                self._tidy()
            return [*events, *self._answer(), *self._follow(ask)]

    def waiting(self) -> tuple[list[InBox], list[str]]:
        """(what waits in this school's boxes, which mailboxes do not answer and why): nothing is taken in."""
        found: list[InBox] = []
        away: list[str] = []
        for box in self.boxes():
            try:
                with self._open(box.address) as mailbox:
                    for item in mailbox.waiting(box.key)[:ITEMS_AT_ONCE]:
                        refused = (self._spool / item.sha256).with_suffix(REFUSED).exists()
                        found.append(InBox(box.address, item.sha256, item.bytes, refused))
            except (MailboxRefused, OtherSideSilent) as silent:
                away.append(f"{box.address}: {silent}")
        return found, away

    def _tidy(self) -> None:
        """Forget what was being fetched and waits nowhere any more."""
        for path in self._spool.iterdir():
            if path.stem not in self._seen:
                path.unlink(missing_ok=True)

    def _box(
        self, ask: Ask, box: Box, words: str | None, drop: bool, again: bool, progress: Progress
    ) -> Iterator[Event]:
        try:
            with self._open(box.address) as mailbox:
                waiting = mailbox.waiting(box.key)[:ITEMS_AT_ONCE]
                for item in waiting:
                    self._seen.add(item.sha256)
                    path = self._spool / item.sha256
                    refused = path.with_suffix(REFUSED)
                    if refused.exists() and not again:
                        continue
                    mailbox.fetch(box.key, item, path, progress)
                    event = self._take(ask, item, path.read_bytes(), words)
                    yield event
                    if event.what == "refused" and not drop:
                        refused.touch(0o600)
                        continue
                    mailbox.done(box.key, item)
                    for one in (path, refused):
                        one.unlink(missing_ok=True)
        except (MailboxRefused, OtherSideSilent) as away:
            yield Event("failed", "", str(away))

    def _take(self, ask: Ask, item: Waiting, data: bytes, words: str | None) -> Event:
        try:
            letter = letters.unseal(data, self.hands.signing.identities(self.hands.clock()))
            if letter is None:
                done = self.hands.receive(ask.part(item.sha256), data, words=words)
                return Event(
                    "record", done["transfer_id"], f"a record of {done['facts']} facts came from {done['from']}"
                )
            return self._read(ask.part(item.sha256), letter)
        except (TransferRefused, DomainError) as refused:
            if errors.row(refused).status >= SERVICE_FAULT:
                raise
            return Event("refused", "", f"{refused} (It is {self._spool / item.sha256}.)")

    def _read(self, ask: Ask, letter: Letter) -> Event:
        event = Event("card", "", "a card came")
        if letter.card:
            event = Event("card", "", f"the school {self.know(letter.card).origin} says where its box is")
        if letter.receipt:
            done = self.hands.acknowledge(ask, letter.receipt)
            event = Event("receipt", done["transfer_id"], f"the receipt came: the transfer is {done['state']}")
        return event

    def _answer(self) -> Iterator[Event]:
        """Send the receipts of what was taken in to those whose box is known."""
        for row in self.vault.transfers(LIST_MAX):
            name = f"{POSTED}{row.transfer_id}"
            if row.direction != "in" or row.state != "received" or self.vault.kept(name) is not None:
                continue
            card = self.card_of(row.details.get("from_origin", ""))
            if card is None or not self.may_ask(card.mailbox):
                yield Event("receipt_waits", str(row.transfer_id), _why(card))
                continue
            with self._trying() as failed, self._open(card.mailbox) as mailbox:
                if self._write(mailbox, card, Letter(receipt=self.hands.receipt(row.transfer_id))):
                    self.vault.keep(name, b"1", self.hands.clock())
                    yield Event("receipt_sent", str(row.transfer_id), "the receipt was sent")
            yield from failed

    def _follow(self, ask: Ask) -> Iterator[Event]:
        """See which files that were sent have been collected, and send again what a mailbox has lost."""
        for row in self.vault.transfers(LIST_MAX):
            card = self.card_of((row.details.get("to") or {}).get("origin", ""))
            if row.direction != "out" or row.state != "sent" or card is None or not self.may_ask(card.mailbox):
                continue
            with self._trying() as failed:
                if self.send(ask, row.transfer_id, card.mailbox) == "collected":
                    yield Event("collected", str(row.transfer_id), "the file was collected")
            yield from failed

    @contextmanager
    def _trying(self) -> Iterator[list[Event]]:
        """Goes on with the next one where a mailbox is away; what happened is in the list."""
        failed: list[Event] = []
        try:
            yield failed
        except (DomainError, TransferRefused) as away:
            failed.append(Event("failed", "", str(away)))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = locked(self._spool / LOCK)
        if held is None:
            raise CollectingAlready("another process is collecting for this school: wait until it has ended")
        with held:
            yield

    def _open(self, address: str) -> Mailbox:
        return Mailbox(address, self._sleep)


def _put(mailbox: Mailbox, card: Card, data: bytes, progress: Progress = lambda _: None) -> Where:
    return mailbox.send(card.token, io.BytesIO(data), len(data), sha256(data).hexdigest(), progress)


def _why(card: Card | None) -> str:
    if card is None:
        return "the sender's box is not known here: give them the receipt another way"
    return f"the sender's box is in {card.mailbox}: `astrack mailbox name` it, if it may be asked"
