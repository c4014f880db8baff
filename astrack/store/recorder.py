"""The eventsourcing library's seams over one school's log: mapper, recorder and factory, on the store's one pool.

Notification id = position + 1. Streams count from version 0 (the library's aggregates: ``INITIAL_VERSION = 0``).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    DatabaseError,
    InfrastructureFactory,
    IntegrityError,
    ListenNotifySubscription,
    Mapper,
    Notification,
    OperationalError,
    ProcessRecorder,
    StoredEvent,
    TrackingRecorder,
)
from eventsourcing.utils import Environment

from astrack.store import mapper
from astrack.store.log import SchoolLog
from astrack.store.reading import Stored
from astrack.store.types import ClockBehind, StoreError, StoreUnavailable, StreamErased, VersionClash
from astrack.store.writing import APPEND
from domain.base import Event, encode

MAX_SELECT = 10_000
POLL_S = 0.05


class Stamped(str):
    """A topic with the columns that travel beside it: the library's StoredEvent has no place for them."""

    kind: str
    at: datetime | None

    @classmethod
    def of(cls, topic: str, kind: str, at: datetime | None) -> Stamped:
        """A topic that remembers its row's kind and instant."""
        made = cls(topic)
        made.kind, made.at = kind, at
        return made


@dataclass(frozen=True, slots=True)
class Recorded:
    """A domain event in its place, as the library's Application saves and loads it."""

    originator_id: UUID
    originator_version: int
    event: Event


class SchoolMapper(Mapper[UUID]):
    """Event <-> StoredEvent under the stream's own key; a destroyed key gives an Erased event, never an error."""

    def __init__(self, log: SchoolLog) -> None:
        self._log = log

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Seal a Recorded event under its stream's key."""
        stream, version, event = domain_event.originator_id, domain_event.originator_version, domain_event.event
        key = self._log.key_for(stream, event.STREAM)
        topic = Stamped.of(getattr(event, "topic", None) or event.TOPIC, event.KIND, event.recorded_at)
        begun = mapper.beginning(self._log.school_id.bytes, stream.bytes)
        state = mapper.seal_state(key, begun, version, event.KIND, str(topic), event.recorded_at, encode(event))
        return StoredEvent(stream, version, topic, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Open a row again as a Recorded event."""
        stream, version, topic = stored_event.originator_id, stored_event.originator_version, stored_event.topic
        kind, at = (topic.kind, topic.at) if isinstance(topic, Stamped) else ("event", None)
        assert isinstance(stream, UUID)
        self._log.ring.find([stream, self._log.school_id])
        row = Stored(-1, stream, version, kind, str(topic), at, b"", stored_event.state, None)  # type: ignore[arg-type]
        return Recorded(stream, version, self._log.to_fact(row).event)


class SchoolAggregateRecorder(AggregateRecorder):
    """Streams of one school's log."""

    def __init__(self, log: SchoolLog) -> None:
        self._log = log

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append all or nothing. Raises IntegrityError on a clash, OperationalError without a database."""
        self._insert(stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The rows of one stream, between versions."""
        query = (
            "SELECT stream_id, version, topic, state, kind, recorded_at FROM record.events WHERE school_id = %s"
            " AND stream_id = %s AND version > %s AND version <= %s ORDER BY version "
        )
        values = (originator_id, -1 if gt is None else gt, (1 << 62) if lte is None else lte, limit)
        rows = self._log.ask(query + ("DESC" if desc else "ASC") + " LIMIT %s", *values)
        return [StoredEvent(row[0], row[1], Stamped.of(row[2], row[4], row[5]), row[3]) for row in rows]

    def _insert(self, stored_events: Sequence[StoredEvent]) -> list[int]:
        if not stored_events:
            return []
        rows = [
            (item.originator_id, item.originator_version, getattr(item.topic, "kind", "event"), str(item.topic),
             getattr(item.topic, "at", None), item.state)
            for item in stored_events
        ]  # fmt: skip
        try:
            first = self._log.ask(APPEND, *(list(column) for column in zip(*rows, strict=True)))[0][0]
        except (VersionClash, StreamErased, ClockBehind) as error:
            raise IntegrityError(str(error)) from error
        except StoreUnavailable as error:
            raise OperationalError(str(error)) from error
        except (StoreError, psycopg.Error) as error:
            raise DatabaseError(str(error)) from error
        return list(range(first + 1, first + 1 + len(rows)))


class SchoolRecorder(SchoolAggregateRecorder, ApplicationRecorder):
    """One school's whole log, in its order."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append all or nothing; the notification ids given."""
        return self._insert(stored_events)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Entries from ``start`` to ``stop`` as notifications, at most ``limit``."""
        low = (start or 0) - 1 + (0 if inclusive_of_start or start is None else 1)
        query = (
            "SELECT position, stream_id, version, topic, state, kind, recorded_at FROM record.events"
            " WHERE school_id = %s AND position >= %s AND position < %s AND (%s OR topic = ANY (%s::text[]))"
            " ORDER BY position LIMIT %s"
        )
        high = (1 << 62) if stop is None else stop
        rows = self._log.ask(query, low, high, not topics, list(topics), min(limit, MAX_SELECT))
        return [Notification(row[1], row[2], Stamped.of(row[3], row[5], row[6]), row[4], row[0] + 1) for row in rows]

    def max_notification_id(self) -> int | None:
        """The size of the log, None when it is empty."""
        return self._log.size() or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Tail:
        """Everything after ``gt``, and then what comes."""
        return Tail(self, gt=gt, topics=topics)


class Tail(ListenNotifySubscription[SchoolRecorder]):
    """A subscription that polls: NOTIFY would make every commit of the database queue behind one lock."""

    def __init__(self, recorder: SchoolRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder, gt, topics)
        self._stopped = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)
        self._poller.start()

    def stop(self) -> None:
        """Stop the subscription and its polling."""
        super().stop()
        if hasattr(self, "_stopped"):
            self._stopped.set()

    def _poll(self) -> None:
        while not self._stopped.wait(POLL_S):
            self._has_been_notified.set()


class SchoolFactory(InfrastructureFactory[TrackingRecorder]):
    """Builds the library's Application over one school's log; every factory shares the store's pools.

    ``Application(env)`` is built with ``construct`` replaced: see ``school_application``.
    """

    def __init__(self, log: SchoolLog, env: Environment) -> None:
        super().__init__(env)
        self._log = log

    def mapper(self, *args: Any, **kwargs: Any) -> SchoolMapper:  # type: ignore[override]
        """The school's mapper."""
        return SchoolMapper(self._log)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """The school's streams."""
        return SchoolAggregateRecorder(self._log)

    def application_recorder(self) -> ApplicationRecorder:
        """The school's log."""
        return SchoolRecorder(self._log)

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> TrackingRecorder:
        """None of its own: views keep their position beside their rows."""
        raise NotImplementedError("views keep their own position: use SchoolLog.views()")

    def process_recorder(self) -> ProcessRecorder:
        """None of its own: views keep their position beside their rows."""
        raise NotImplementedError("views keep their own position: use SchoolLog.views()")
