"""The store of all schools: opens the database, migrates it, and hands out each school's log."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID

from astrack.settings import Settings
from astrack.store.log import SchoolLog


class Store:
    """All schools of one database. Use as a context manager; safe to share between threads."""

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Start the embedded PostgreSQL where no URL is set, migrate, and check the roles."""
        raise NotImplementedError

    def close(self) -> None:
        """Close every connection; stop the embedded PostgreSQL when no other process uses it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def create_school(self, school_id: UUID, at: datetime) -> None:
        """Begin a school's log at an instant; does nothing where it already exists."""
        raise NotImplementedError

    def schools(self) -> list[UUID]:
        """The schools that have a log here, in the order of their ids."""
        raise NotImplementedError

    def log(self, school_id: UUID) -> SchoolLog:
        """The log of one school."""
        raise NotImplementedError
