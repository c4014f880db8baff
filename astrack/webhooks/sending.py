"""What is told goes out: made from the log, signed, sent, tried again with growing waits, and given up at last."""

from __future__ import annotations

import base64
import hmac
import json
import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from astrack.app import App
from astrack.mailbox.guarded import OtherSideSilent
from astrack.store import SchoolLog
from astrack.webhooks import COLUMNS, Delivery, Webhooks, message_id, receivers, secret_of
from astrack.webhooks.receivers import ReceiverNotPublic
from domain.webhooks import KINDS, WebhookAdded

log = logging.getLogger(__name__)
EVERY_S = 5.0
HOURS = (2, 5, 10, 14, 20, 24)
WAITS = (timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), *(timedelta(hours=one) for one in HOURS))
"""How long to wait after each try that failed (Standard Webhooks, "Deliverability and reliability"); then given up."""
LEASE = timedelta(minutes=5)
"""For so long a message is somebody's who is sending it; who dies over it leaves it to the next."""
KEPT_FOR = timedelta(days=30)
READ_MAX, AT_ONCE = 5_000, 20
GONE, REDIRECTS = 410, range(300, 400)
BEHIND = (
    "SELECT w.webhook_id, w.position, s.next_position - 1 FROM record.webhooks w JOIN record.schools s"
    " ON s.school_id = w.school_id WHERE w.school_id = %s AND w.position < s.next_position - 1"
)
MAKE = (
    "INSERT INTO record.deliveries (school_id, webhook_id, position, topic, recorded_at, state, next_at)"
    " SELECT e.school_id, %s, e.position, e.topic, e.recorded_at, 'waiting', %s FROM record.events e"
    " WHERE e.school_id = %s AND e.position > %s AND e.position <= %s AND e.topic = ANY (%s) ON CONFLICT DO NOTHING"
)
REACH = "UPDATE record.webhooks SET position = %s WHERE school_id = %s AND webhook_id = %s AND position = %s"
TAKE = (
    "WITH due AS (SELECT school_id, webhook_id, position FROM record.deliveries WHERE school_id = %s"
    " AND state = 'waiting' AND next_at <= %s ORDER BY next_at, position LIMIT %s FOR UPDATE SKIP LOCKED)"
    " UPDATE record.deliveries d SET tries = d.tries + 1, next_at = %s FROM due WHERE d.school_id = due.school_id"
    " AND d.webhook_id = due.webhook_id AND d.position = due.position"
    f" RETURNING d.webhook_id, {', '.join(f'd.{one}' for one in COLUMNS.split(', '))}"
)
ENDED = (
    "UPDATE record.deliveries SET state = %s, next_at = %s, said = %s"
    " WHERE school_id = %s AND webhook_id = %s AND position = %s"
)
PUT_OFF = (
    "UPDATE record.deliveries SET tries = tries - 1, next_at = %s"
    " WHERE school_id = %s AND webhook_id = %s AND position = %s"
)
TIDY = "DELETE FROM record.deliveries WHERE school_id = %s AND state <> 'waiting' AND next_at < %s"


class Sender:
    """Called for each school at each turn; several processes may do so at once."""

    def __init__(self, app: App, timeout: httpx.Timeout = receivers.TIMEOUT) -> None:
        self._app, self._timeout = app, timeout

    def __call__(self, school_id: UUID) -> None:
        """Make what is to be told from the log, and send what is due; an address that fails waits for its next turn."""
        school = self._app.store.log(school_id)
        behind = school.ask(BEHIND)
        due = school.ask("SELECT 1 FROM record.deliveries WHERE school_id = %s LIMIT 1")
        if not behind and not due:
            return
        told = Webhooks(self._app.school(school_id)).told()
        for webhook_id, position, last in behind:
            self._make(school, told.get(webhook_id), webhook_id, position, min(last, position + READ_MAX))
        self._send_due(school, told)
        school.ask(TIDY, self._app.clock() - KEPT_FOR)

    def _make(self, school: SchoolLog, one: WebhookAdded | None, webhook_id: UUID, after: int, up_to: int) -> None:
        topics = [cls.TOPIC for name, cls in KINDS.items() if one and name in one.kinds]
        made = (MAKE, (webhook_id, self._app.clock(), school.school_id, after, up_to, topics))
        school.tell([made, (REACH, (up_to, school.school_id, webhook_id, after))])

    def _send_due(self, school: SchoolLog, told: dict[UUID, WebhookAdded]) -> None:
        now = self._app.clock()
        taken = school.ask(TAKE, now, AT_ONCE, now + LEASE)
        silent: set[UUID] = set()
        for webhook_id, *fields in sorted(taken, key=lambda row: row[1]):
            one = Delivery(*fields)
            if webhook_id in silent or webhook_id not in told:
                # not tried after all, and not counted as a try: the next turn takes it up
                school.tell([(PUT_OFF, (now + WAITS[0], school.school_id, webhook_id, one.position))])
                continue
            if not self._sent(school, told[webhook_id], one):
                silent.add(webhook_id)

    def _sent(self, school: SchoolLog, to: WebhookAdded, one: Delivery) -> bool:
        now = self._app.clock()
        body, headers = signed(school, to.webhook_id, one, now)
        allowed = self._app.settings.webhook_networks
        try:
            status = receivers.post(to.address, headers, body, allowed, self._timeout)
        except (OtherSideSilent, ReceiverNotPublic) as refused:
            status, said = 0, type(refused.__cause__ or refused).__name__
        else:
            said = f"redirect refused ({status})" if status in REDIRECTS else f"answered {status}"
        if 200 <= status < 300:
            self._end(school, to.webhook_id, one, "delivered", now, said)
            return True
        if status == GONE or one.tries > len(WAITS):
            self._end(school, to.webhook_id, one, "given_up", now, said)
            log.warning("a webhook's message was given up after %d tries", one.tries)
        else:
            self._end(school, to.webhook_id, one, "waiting", now + WAITS[one.tries - 1], said)
        return False

    def _end(self, school: SchoolLog, webhook_id: UUID, one: Delivery, state: str, at: datetime, said: str) -> None:
        school.tell([(ENDED, (state, at, said[:200], school.school_id, webhook_id, one.position))])


def signed(school: SchoolLog, webhook_id: UUID, one: Delivery, now: datetime) -> tuple[bytes, dict[str, str]]:
    """A message and its headers, signed as Standard Webhooks asks (HMAC-SHA-256 over id, timestamp and body)."""
    name, at = message_id(school, webhook_id, one.position), str(int(now.timestamp()))
    told: dict[str, Any] = {"type": one.kind, "timestamp": one.recorded_at.isoformat().replace("+00:00", "Z")}
    body = json.dumps({**told, "data": {"id": name, "school_id": str(school.school_id)}}).encode()
    mac = hmac.digest(secret_of(school, webhook_id), f"{name}.{at}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return body, {
        "Content-Type": "application/json", "User-Agent": "astrack", "webhook-id": name, "webhook-timestamp": at,
        "webhook-signature": signature,
    }  # fmt: skip
