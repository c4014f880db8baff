"""Where the facts of a made-up trust go: one school's log, written in batches and in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from astrack.store import Change, PupilStreams, SchoolLog
from domain.base import Event, StreamClass


@dataclass(slots=True)
class Life:
    """One pupil of a trust: where their streams are, how far, and what is open."""

    streams: PupilStreams
    school: int
    year: int
    versions: dict[UUID, int] = field(default_factory=dict)
    flags: dict[tuple[Any, ...], UUID] = field(default_factory=dict)
    plan: UUID | None = None
    sat: UUID | None = None


class Writer:
    """One school's log, written in the order of time; facts go in batches."""

    def __init__(self, log: SchoolLog, school_id: UUID, lives: dict[UUID, Life]) -> None:
        self.log, self.school_id, self.lives = log, school_id, lives
        self.changes: dict[UUID, Change] = {}
        self.fresh: list[PupilStreams] = []
        self.waiting = self.count = 0

    def add(self, life: Life, stream: UUID, name: StreamClass, events: Sequence[Event]) -> None:
        """Append to one of a pupil's streams."""
        if stream in self.changes and next(reversed(self.changes)) != stream:
            self.flush()  # or a later fact of one stream would stand before an earlier one of another
        before = self.changes.get(stream)
        held = before.events if before else ()
        version = before.expected_version if before else life.versions.get(stream, -1)
        self.changes[stream] = Change(stream, name, version, (*held, *events), life.streams.pupil_id)
        self.waiting += len(events)

    def school(self, version: int, events: Sequence[Event]) -> None:
        """Append to the school's own stream, after everything before."""
        self.flush()
        change = Change(self.school_id, StreamClass.SCHOOL, version, tuple(events))
        self.log.append([change], idempotency=None)
        self.count += len(events)

    def flush(self) -> None:
        """Write what waits."""
        if not self.changes:
            return
        changes = list(self.changes.values())
        self.log.append(changes, idempotency=None, new_pupils=self.fresh)
        for change in changes:
            if change.pupil_id in self.lives:
                self.lives[change.pupil_id].versions[change.stream_id] = change.expected_version + len(change.events)
        self.count += self.waiting
        self.changes, self.fresh, self.waiting = {}, [], 0
