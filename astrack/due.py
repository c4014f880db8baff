"""What a school owes, and by when: by law, hand-overs of records and requests about them; and a look every six months
whether support helped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from astrack.picture import long_day
from astrack.records import Records
from astrack.records.support import Support
from astrack.rights import clock
from domain import duties
from domain.duties import HAND_OVER, owed
from domain.half_year import newest_told
from domain.reporting import tells
from projections import pupils, rights_desk, round_progress, transfer_ledger

UNDER_WAY = ("prepared", "sent")
LEFT_WITHIN, LAST_COMPULSORY_YEAR = timedelta(days=365), 11
SOON = timedelta(days=5)
SHOWN = 200


class Due(NamedTuple):
    """Something owed. ``due_on`` None: not known, as the term dates stated do not reach so far, or a clock stands."""

    what: str
    source: str
    reason: str
    pupil_id: UUID | None
    due_on: date | None
    href: str

    def days(self, today: date) -> int | None:
        """How many days are left, negative when it is over."""
        return None if self.due_on is None else (self.due_on - today).days


def of_school(
    cur: Cursor[Any], records: Records, today: date, *, moves: bool, requests: bool, impact: bool, glass: bool = False
) -> list[Due]:
    """What is owed, the first due first and what has no day last; ``moves``, ``requests``, ``impact``, ``glass``: which
    kinds."""
    calendar, school_id = clock.calendar_of(records), records.school_id
    found: list[Due] = []
    if moves:
        found += _moves(cur, school_id, today, calendar)
    if requests:
        found += _requests(cur, school_id, calendar)
    if impact:
        found += _half_year(cur, records, today)
    if glass:
        found += _glasses(records)
    return sorted(found, key=lambda one: (one.due_on or date.max, one.what, str(one.pupil_id)))


def _moves(cur: Cursor[Any], school_id: UUID, today: date, calendar: clock.Calendar) -> Iterator[Due]:
    """Of each pupil who goes or went to another school, until the receipt is here."""
    under_way = transfer_ledger.transfers(cur, school_id, direction="out", states=UNDER_WAY, limit=SHOWN)
    for row in under_way:
        if row.kind == "school" and row.start_on is not None:
            yield from _hand_over(row.pupil_id, row.start_on, calendar)
    for left in pupils.leavers(cur, school_id, today - LEFT_WITHIN, LAST_COMPULSORY_YEAR, SHOWN):
        assert left.left_on is not None
        yield from _hand_over(left.pupil_id, left.left_on, calendar)


def _hand_over(pupil_id: UUID | None, from_day: date, calendar: clock.Calendar) -> Iterator[Due]:
    for one in owed(HAND_OVER, from_day, calendar.terms, maintained=calendar.maintained):
        yield Due(one.duty.title, one.duty.source, one.duty.reason, pupil_id, one.due_on, "/transfers")


def _requests(cur: Cursor[Any], school_id: UUID, calendar: clock.Calendar) -> Iterator[Due]:
    for row in rights_desk.listed(cur, school_id, open_only=True, limit=SHOWN):
        asked = row.request
        if asked.received is not None:
            source = clock.source(asked.received.kind, calendar)
            where = f"/rights/requests/{row.request_id}"
            yield Due(f"Answer a request ({row.kind})", source, "", row.pupil_id, clock.due(asked, calendar), where)


def _half_year(cur: Cursor[Any], records: Records, today: date) -> Iterator[Due]:
    """The newest half-year that can be told and had a round, until a report on it has been put on record since."""
    rounds = round_progress.days(cur, records.school_id)
    half = newest_told(today, rounds)
    asked = any(opens <= half.until and closes >= half.since for opens, closes in rounds)
    if asked and not any(tells(made, half) for made in Support(records).reports_made()):
        said = f"See whether support helped from {long_day(half.since)} to {long_day(half.until)}, and make the report"
        where = f"/impact?since={half.since}&until={half.until}"
        yield Due(said, "Every six months", "the school's own rule, no law", None, half.due_on, where)


def _glasses(records: Records) -> Iterator[Due]:
    """Of each broken glass, a second person's look at why, by the next day."""
    for state in records.staff_states(records.staff_ids()):
        for glass_id in state.unreviewed:
            by = state.glasses[glass_id].recorded_at.date() + timedelta(days=1)
            said = "Look at why a record was opened that was closed to a role (a second person)"
            yield Due(said, "The day after", "the school's own rule, no law", None, by, "/glass")


def counts(found: Iterable[Due], today: date) -> tuple[int, int]:
    """(due within five days, overdue)."""
    days = [left for one in found if (left := one.days(today)) is not None]
    return sum(0 <= left <= SOON.days for left in days), sum(left < 0 for left in days)


def reminder(found: Iterable[Due], today: date) -> str | None:
    """What an e-mail or a banner may say of it."""
    return duties.reminder(*counts(found, today))
