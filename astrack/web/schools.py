"""The schools of this installation by what they are called, for who has not signed in yet."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from astrack.app import App
from domain.identity import SchoolName


def name_of(app: App, school_id: UUID) -> SchoolName | None:
    """What a school is called now; None before it is registered."""
    registered = app.school(school_id).school_state().registered
    return registered.school if registered else None


def those(app: App, fits: Callable[[SchoolName], bool]) -> list[UUID]:
    """The registered schools whose names fit."""
    return [one for one in app.store.schools() if (named := name_of(app, one)) is not None and fits(named)]
