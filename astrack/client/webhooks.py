"""What the API has on the topic `webhooks`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from astrack.client.calling import Caller, Got, Sent, new_key, part
from astrack.client.shared import Empty


class DeliveryOut(Got):
    """One message: `waiting`, `delivered` or `given_up`; `said`: what came of the last try."""

    position: int
    kind: str
    recorded_at: datetime
    state: str
    tries: int
    next_at: datetime
    said: str


class DeliveryPage(Got):
    """Messages, the newest first, and the cursor of the next page."""

    items: list[DeliveryOut]
    next: str | None


class WebhookIn(Sent):
    """An address and the kinds of facts it is told of."""

    webhook_id: UUID
    address: str
    kinds: list[
        Literal[
            "pupil-enrolled",
            "pupil-regrouped",
            "pupil-left",
            "round-opened",
            "round-closed",
            "transfer-prepared",
            "record-released",
            "record-received",
            "staff-added",
            "staff-left",
            "role-granted",
            "role-withdrawn",
        ]
    ]


class WebhookMade(Got):
    """The key its messages are signed with (Standard Webhooks): shown to who repeats this very request, else never."""

    webhook_id: UUID
    secret: str


class WebhookOut(Got):
    """An address that is told."""

    webhook_id: UUID
    address: str
    kinds: list[str]
    since: datetime


class WebhooksCalls(Caller):
    """What the API has on the topic `webhooks`."""

    def listed(self) -> list[WebhookOut]:
        """The addresses that are told, the oldest first."""
        return self.value(list[WebhookOut], "GET", "/webhooks")

    def add(self, body: WebhookIn, *, key: str | None = None) -> WebhookMade:
        """Tell an address from now on that facts of some kinds were recorded: an id, the kind and the time, no
        content.
        """
        return self.value(WebhookMade, "POST", "/webhooks", body=body, key=key or new_key())

    def end(self, webhook_id: UUID, *, key: str | None = None) -> Empty:
        """Tell an address nothing more; what waits for it is dropped."""
        return self.value(Empty, "POST", f"/webhooks/{part(webhook_id)}/end", key=key or new_key())

    def deliveries(self, webhook_id: UUID, *, limit: int = 50, cursor: str | None = None) -> DeliveryPage:
        """What was sent to an address in the last 30 days or waits for it, the newest first."""
        return self.value(
            DeliveryPage, "GET", f"/webhooks/{part(webhook_id)}/deliveries", query={"limit": limit, "cursor": cursor}
        )

    def send_again(self, webhook_id: UUID, position: int, *, key: str | None = None) -> Empty:
        """Send a message once more, however it ended."""
        return self.value(
            Empty, "POST", f"/webhooks/{part(webhook_id)}/deliveries/{part(position)}/again", key=key or new_key()
        )
