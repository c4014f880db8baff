"""Builds everything once and owns the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import UUID

from astrack import ids, instruments, trusts, witnesses
from astrack.records import Records
from astrack.settings import Settings
from astrack.store import SchoolUnknown, Store
from astrack.views import Views
from astrack.witnesses import Witnesses


def utc_now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


class App:
    """The whole service of one installation. A context manager; safe to share between threads."""

    def __init__(
        self, settings: Settings, store: Store, clock: Callable[[], datetime], new_id: Callable[[], UUID] | None = None
    ) -> None:
        self.settings, self.store, self.clock = settings, store, clock
        self.new_id = new_id or ids.maker(clock)
        self.views = Views(store)
        self._schools: dict[UUID, Records] = {}
        self._known: frozenset[UUID] = frozenset()
        instruments.install(settings.instruments)
        self.trusts = trusts.read(settings.trusts)
        self._witnesses = Witnesses(witnesses.read(settings.witnesses) if settings.witnesses else ())
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], UUID] | None = None,
        *,
        create: bool = True,
    ) -> App:
        """Open the store (starting the embedded PostgreSQL where none is named) and build the rest; ``create`` says
        whether a database may be made where there is none."""
        return cls(settings, Store.open(settings, create=create), clock, new_id)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def create_school(self, school_id: UUID) -> Records:
        """Begin a school's log; its particulars are registered with the first command."""
        self.store.create_school(school_id, self.clock())
        return self.school(school_id)

    def school(self, school_id: UUID) -> Records:
        """The records of one school. Raises SchoolUnknown."""
        with self._lock:
            if school_id not in self._schools:
                if school_id not in self._known:
                    self._known = frozenset(self.store.schools())
                if school_id not in self._known:
                    raise SchoolUnknown(f"there is no school {school_id} here: list them with `astrack school list`")
                # the clock is looked up at each call, so that it can be replaced as a whole
                log = self.store.log(school_id)
                self._schools[school_id] = Records(log, lambda: self.clock(), self.new_id, self._witnesses)
            return self._schools[school_id]
