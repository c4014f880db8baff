"""Every look on record: a log of its own beside each school's, with the same chain and the same proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from astrack.store import Change, ClockBehind, SchoolLog, Store, looks_log
from domain.authority import RULES, Action, Reason, Viewer
from domain.base import Event, Fact, Stamp, StreamClass
from domain.look import GLASS, PURPOSES, LookRefused, LookTaken, shown_to_pupil

SCAN_MAX = 20_000
"""How many of the newest looks a question about one pupil goes through."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look as it is shown: when, in which role, for what, at what kind of thing."""

    event_id: UUID
    at: datetime
    by: UUID
    role: str
    action: str
    field_class: str
    purpose: str
    pupils: tuple[UUID, ...]


class Looks:
    """The look logs of all schools of an installation."""

    def __init__(self, store: Store, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._store, self._clock, self._new_id = store, clock, new_id
        self._begun: set[UUID] = set()

    def log(self, school_id: UUID) -> SchoolLog:
        """The look log of a school, begun at its first use."""
        look_id = looks_log(school_id)
        if look_id not in self._begun:
            self._store.create_school(look_id, self._clock())
            self._begun.add(look_id)
        return self._store.log(look_id)

    def taken(self, viewer: Viewer, action: Action, pupils: Sequence[UUID] = ()) -> None:
        """Put a look on record before its answer is given. Raises StoreUnavailable: then nothing is shown."""
        field_class = RULES[action].field_class
        glass = bool(viewer.glass.intersection(pupils)) and RULES[action].cells.get(viewer.role) == "glass"
        purpose = GLASS if glass else PURPOSES.get(viewer.role, "unknown")
        self._append(
            viewer,
            lambda stamp: LookTaken(
                **stamp.fresh(), action=action, field_class=field_class, purpose=purpose, pupils=tuple(pupils)
            ),
        )

    def refused(self, viewer: Viewer, action: Action, reason: Reason, pupil_id: UUID | None) -> None:
        """Put a refused look on record."""
        self._append(
            viewer, lambda stamp: LookRefused(**stamp.fresh(), action=action, reason=reason.name, pupil_id=pupil_id)
        )

    def of_pupil(self, school_id: UUID, pupil_id: UUID, limit: int, *, for_pupil: bool) -> list[Seen]:
        """The newest looks at one pupil, newest first, among the newest 20,000 of the school."""
        found = [
            _seen(fact, fact.event)
            for fact in self._newest(school_id)
            if isinstance(fact.event, LookTaken)
            and pupil_id in fact.event.pupils
            and (not for_pupil or shown_to_pupil(fact.event))
        ]
        return found[::-1][:limit]

    def page(self, school_id: UUID, after: int, limit: int) -> list[Fact]:
        """At most ``limit`` looks and refusals after a position, in order."""
        return self.log(school_id).page(after, limit)

    def _newest(self, school_id: UUID) -> Iterator[Fact]:
        log = self.log(school_id)
        at = max(-1, log.size() - SCAN_MAX - 1)
        while page := log.page(at, 5000):
            yield from page
            at = page[-1].position

    def _append(self, viewer: Viewer, made: Callable[[Stamp], Event]) -> None:
        log, at = self.log(viewer.school_id), self._clock()
        # each look is a stream of its own: nobody waits for anybody, and the log's order is the order of looks
        event, stream_id = made(Stamp(at, viewer.actor, self._new_id)), self._new_id()
        while True:
            try:
                log.append([Change(stream_id, StreamClass.SCHOOL, -1, (event,))], idempotency=None)
            except ClockBehind as behind:
                event = event.restamped(max(self._clock(), behind.previous))
            else:
                return


def _seen(fact: Fact, look: LookTaken) -> Seen:
    return Seen(look.event_id, fact.recorded_at, look.by.id, look.by.role, look.action, look.field_class, look.purpose,
                look.pupils)  # fmt: skip
