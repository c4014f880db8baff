"""Who looked at a pupil's record, as a pupil or parent is told: on which day, in which role, what for, how often."""

from __future__ import annotations

from collections import Counter
from datetime import date
from uuid import UUID

from astrack.access.callers import Caller
from astrack.web.words import PURPOSES, ROLE_NAMES

LOOKS_SHOWN = 50


def lookers(who: Caller, pupil_id: UUID) -> dict[tuple[date, str, str], int]:
    """(day, role, purpose) and how often somebody else looked so; the viewer's own looks are left out."""
    seen = who.looks.told(who.viewer, pupil_id, LOOKS_SHOWN, not_by=who.viewer.id)
    return Counter(
        (one.at.date(), ROLE_NAMES.get(one.role, one.role), PURPOSES.get(one.purpose, one.purpose)) for one in seen
    )
