"""Where somebody is signed in: their sessions that still hold, for themselves to see."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from astrack.access import Signed
from astrack.access.sessions import IDLE
from astrack.store import SchoolLog

SHOWN = 20
THEIRS = (
    "SELECT session_id, made_at, coalesce(seen_at, made_at) FROM record.sessions WHERE school_id = %s"
    " AND account_id = %s AND expires_at > %s AND coalesce(seen_at, made_at) > %s ORDER BY 3 DESC, 1 LIMIT %s"
)


class Place(NamedTuple):
    """One session: since when, last used when, and whether it is the one that asks."""

    since: datetime
    used: datetime
    here: bool


def places(log: SchoolLog, signed: Signed, now: datetime) -> list[Place]:
    """The sessions of somebody of staff that have neither run out nor lain unused too long, the one used last first; no
    more than 20.
    """
    rows: list[tuple[UUID, datetime, datetime]] = log.ask(THEIRS, signed.viewer.id, now, now - IDLE["staff"], SHOWN)
    return [Place(since, used, session_id == signed.session_id) for session_id, since, used in rows]
