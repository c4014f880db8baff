"""Webhooks without content: which addresses are told, what was sent to them, and what came of it.

An address hears of a fact after it was recorded: deliveries are made from the school's log, so nothing is told of a
transaction that was rolled back, and nothing is lost when the service stops.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from astrack.changing import Answer, Ask, Changing, Decided, Target
from astrack.store import SchoolLog, Statement
from astrack.webhooks import receivers
from astrack.webhooks.receivers import Networks
from domain import webhooks
from domain.base import DomainError, Event, Stamp, StreamClass, topics_of
from domain.webhooks import KINDS, WebhookAdded, WebhookEnded, WebhookUnknown

SECRET_LABEL, MESSAGE_LABEL = b"astrack/webhook/v1\0", b"astrack/webhook-message/v1\0"
TOPICS = topics_of(WebhookAdded, WebhookEnded)
NAMES = {cls.TOPIC: name for name, cls in KINDS.items()}
SHOWN_MAX = 200
BEGIN = (
    "INSERT INTO record.webhooks SELECT s.school_id, %s, s.next_position - 1 FROM record.schools s"
    " WHERE s.school_id = %s ON CONFLICT DO NOTHING"
)
FORGET = (
    "DELETE FROM record.webhooks WHERE school_id = %s AND webhook_id = %s",
    "DELETE FROM record.deliveries WHERE school_id = %s AND webhook_id = %s",
)
COLUMNS = "position, topic, recorded_at, state, tries, next_at, said"
LISTED = (
    f"SELECT {COLUMNS} FROM record.deliveries WHERE school_id = %s AND webhook_id = %s AND position < %s"
    " ORDER BY position DESC LIMIT %s"
)
ONE = f"SELECT {COLUMNS} FROM record.deliveries WHERE school_id = %s AND webhook_id = %s AND position = %s"
AGAIN = (
    "UPDATE record.deliveries SET state = 'waiting', tries = 0, next_at = %s, said = ''"
    " WHERE school_id = %s AND webhook_id = %s AND position = %s"
)


class NoSuchDelivery(DomainError):
    """Nothing was sent to this address under this number, or too long ago."""


class Delivery(NamedTuple):
    """One message. ``state``: waiting, delivered or given_up; ``next_at``: when it is tried next, or ended; ``said``:
    what came of the last try.
    """

    position: int
    topic: str
    recorded_at: datetime
    state: str
    tries: int
    next_at: datetime
    said: str

    @property
    def kind(self) -> str:
        """What it tells of, by its name."""
        return NAMES.get(self.topic, self.topic)


class Webhooks:
    """What one school tells by machine. ``allowed``: networks that may be told although they are private."""

    def __init__(self, records: Changing, allowed: Networks = ()) -> None:
        self._records, self._log, self._allowed = records, records.log, allowed

    def told(self) -> webhooks.Webhooks:
        """The addresses that are told, by id."""
        found = self._log.load(self._log.school_id, only=TOPICS)
        return webhooks.replay(fact.event for fact in found.facts)

    def add(self, ask: Ask, *, webhook_id: UUID, address: str, kinds: Sequence[str]) -> Answer:
        """Tell an address from now on -> {"webhook_id", "secret"}.

        Raises AddressWrong, ReceiverNotPublic, KindsMissing, WebhooksFull.
        """
        address = receivers.checked(address, self._allowed)

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            events = webhooks.add(
                webhooks.replay(loaded[0]), stamp, webhook_id=webhook_id, address=address, kinds=kinds
            )
            begin = (BEGIN, (webhook_id, self._log.school_id))
            answer = {"webhook_id": str(webhook_id), "secret": secret_text(self._log, webhook_id)}
            return Decided([events], answer, also=lambda _: [begin])

        request = {"do": "add_webhook", "id": webhook_id, "address": address, "kinds": sorted(kinds)}
        return self._records.change(ask, request, [self._own()], decide)

    def end(self, ask: Ask, webhook_id: UUID) -> Answer:
        """Tell an address nothing more; what waited for it is dropped. Raises WebhookUnknown."""
        gone: list[Statement] = [(query, (self._log.school_id, webhook_id)) for query in FORGET]

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            return Decided([webhooks.end(webhooks.replay(loaded[0]), stamp, webhook_id)], also=lambda _: gone)

        return self._records.change(ask, {"do": "end_webhook", "id": webhook_id}, [self._own()], decide)

    def deliveries(self, webhook_id: UUID, before: int | None = None, limit: int = SHOWN_MAX) -> list[Delivery]:
        """What was sent to an address or waits for it, the newest first. Raises WebhookUnknown."""
        if webhook_id not in self.told():
            raise WebhookUnknown("no address is told under this id: see the list of webhooks")
        rows = self._log.ask(LISTED, webhook_id, 1 << 62 if before is None else before, min(limit, SHOWN_MAX))
        return [Delivery(*row) for row in rows]

    def send_again(self, ask: Ask, webhook_id: UUID, position: int) -> Answer:
        """Send a message once more, however it ended, with all its tries. Raises NoSuchDelivery."""
        if not self._log.ask(ONE, webhook_id, position):
            raise NoSuchDelivery("no such message is kept for this address: see its deliveries")
        again = (AGAIN, (self._records.clock(), self._log.school_id, webhook_id, position))
        request = {"do": "send_again", "id": webhook_id, "position": position}
        return self._records.change(ask, request, [], lambda *_: Decided([], also=lambda _: [again]))

    def _own(self) -> Target:
        return Target(self._log.school_id, StreamClass.SCHOOL, only=TOPICS)


def secret_of(log: SchoolLog, webhook_id: UUID) -> bytes:
    """The key an address's messages are signed with: worked out from the school's secret, kept nowhere."""
    return hmac.digest(log.secret(), SECRET_LABEL + webhook_id.bytes, "sha256")


def secret_text(log: SchoolLog, webhook_id: UUID) -> str:
    """The same as it is shown, once, to who asked."""
    return "whsec_" + base64.b64encode(secret_of(log, webhook_id)).decode()


def message_id(log: SchoolLog, webhook_id: UUID, position: int) -> str:
    """The id of a message, the same at each try: it tells nothing of the fact, nor how many there are."""
    place = webhook_id.bytes + position.to_bytes(8)
    return "msg_" + hmac.digest(log.secret(), MESSAGE_LABEL + place, "sha256")[:16].hex()
