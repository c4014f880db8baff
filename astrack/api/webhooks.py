"""Webhooks: which addresses are told that something happened, what was sent, and sending it again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints

from astrack.access.callers import Caller, CallerOf
from astrack.api.common import Body, Cursor, Empty, Key, Limit, Out, cursor_number, cursor_of
from astrack.webhooks import Webhooks
from domain.authority import Action
from domain.webhooks import KindName

router = APIRouter(tags=["webhooks"])
Position = Annotated[int, Path(ge=0, lt=1 << 53)]


class WebhookIn(Body):
    """An address and the kinds of facts it is told of."""

    webhook_id: UUID
    address: Annotated[str, StringConstraints(min_length=9, max_length=300, pattern=r"^[!-~]+$")]
    kinds: Annotated[list[KindName], Field(min_length=1, max_length=40)]


class WebhookMade(Out):
    """The key its messages are signed with (Standard Webhooks): shown to who repeats this very request, else never."""

    webhook_id: UUID
    secret: str


class WebhookOut(Out):
    """An address that is told."""

    webhook_id: UUID
    address: str
    kinds: list[str]
    since: datetime


class DeliveryOut(Out):
    """One message: `waiting`, `delivered` or `given_up`; `said`: what came of the last try."""

    position: int
    kind: str
    recorded_at: datetime
    state: str
    tries: int
    next_at: datetime
    said: str


class DeliveryPage(Out):
    """Messages, the newest first, and the cursor of the next page."""

    items: list[DeliveryOut]
    next: str | None


@router.get("/webhooks")
def listed(caller: CallerOf) -> list[WebhookOut]:
    """The addresses that are told, the oldest first."""
    return [
        WebhookOut(webhook_id=one.webhook_id, address=one.address, kinds=list(one.kinds), since=one.recorded_at)
        for one in _of(caller).told().values()
    ]


@router.post("/webhooks")
def add(caller: CallerOf, body: WebhookIn, key: Key) -> WebhookMade:
    """Tell an address from now on that facts of some kinds were recorded: an id, the kind and the time, no content."""
    done = _of(caller).add(caller.ask(key), webhook_id=body.webhook_id, address=body.address, kinds=body.kinds)
    return WebhookMade(**done)


@router.post("/webhooks/{webhook_id}/end")
def end(caller: CallerOf, webhook_id: UUID, key: Key) -> Empty:
    """Tell an address nothing more; what waits for it is dropped."""
    _of(caller).end(caller.ask(key), webhook_id)
    return Empty()


@router.get("/webhooks/{webhook_id}/deliveries")
def deliveries(caller: CallerOf, webhook_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> DeliveryPage:
    """What was sent to an address in the last 30 days or waits for it, the newest first."""
    before = None if cursor is None else cursor_number(cursor)
    found = _of(caller).deliveries(webhook_id, before, limit)
    items = [DeliveryOut(**one._asdict(), kind=one.kind) for one in found]
    return DeliveryPage(items=items, next=cursor_of(items[-1].position) if len(items) == limit else None)


@router.post("/webhooks/{webhook_id}/deliveries/{position}/again")
def send_again(caller: CallerOf, webhook_id: UUID, position: Position, key: Key) -> Empty:
    """Send a message once more, however it ended."""
    _of(caller).send_again(caller.ask(key), webhook_id, position)
    return Empty()


def _of(caller: Caller) -> Webhooks:
    caller.may(Action.KEEP_WEBHOOKS)
    return Webhooks(caller.records, caller.app.settings.webhook_networks)
