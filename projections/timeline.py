"""One pupil's story in order, each fact as it reads now, with where it was recorded and what corrected it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact, Opaque
from domain.journey import facts as f
from projections.shape import capped

NAME, VERSION = "timeline", 3
KEY = ("pupil_id", "position")
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, position bigint NOT NULL,"
    " event_id uuid NOT NULL, topic text NOT NULL, happened_on date NOT NULL, recorded_at timestamptz NOT NULL,"
    " by_id uuid NOT NULL, by_role text NOT NULL, origin text NOT NULL, corrects uuid, detail jsonb NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id, position)",
)
TAKES: frozenset[type[Event]] = frozenset({
    f.PupilEnrolled, f.PupilRegrouped, f.PupilLeft, f.AssessmentSat, f.NotTodaySaid, f.FlagRaised, f.FlagEased,
    f.FlagReviewed, f.PupilLookedAt, f.OutcomeReported, f.TotalsImported, f.TalkRequested, f.TalkAcknowledged,
    f.TalkEscalated, f.PlanOpened, f.PlanMonitored, f.PlanReviewed, f.PlanClosed, f.TransferPrepared, f.CustodyReleased,
    f.TransferWithdrawn, f.RecordReceived, f.SupplementPrepared, f.SupplementReceived, f.OwnershipPassed,
    f.FactCorrected, f.OptOutRecorded, f.OptOutEnded, f.ProcessingRestricted, f.RestrictionLifted, Opaque,
})  # fmt: skip
LEFT_OUT = {
    "event_id", "recorded_at", "by", "answers", "seconds", "errors", "instrument_digest", "model_digest",
    "guidance_digest", "happened_on", "rests_on",
}  # fmt: skip
TOLD = {cls: tuple(name for name in cls.model_fields if name not in LEFT_OUT) for cls in TAKES if cls is not Opaque}


class Row(NamedTuple):
    """One fact of the story. ``recorded_at`` is the instant its author recorded it; ``position`` its place in this log.

    ``origin`` names the school's log it was imported from, "" for this school's own; ``detail`` holds the fact's
    fields as JSON values, corrections applied, without answers and digests; ``corrects`` the event a correction names.
    """

    pupil_id: UUID
    position: int
    event_id: UUID
    topic: str
    happened_on: date
    recorded_at: datetime
    by_id: UUID
    by_role: str
    origin: str
    corrects: UUID | None
    detail: dict[str, Any]


def rows(fact: Fact) -> list[Row]:
    """The line of one fact; none for facts without a pupil."""
    event = fact.event
    if fact.pupil_id is None:
        return []
    opaque = isinstance(event, Opaque)
    fields = vars(event)
    detail = {} if opaque else {name: fields[name] for name in TOLD[type(event)]}
    corrects = event.corrects if isinstance(event, f.FactCorrected) else None
    topic = event.topic if isinstance(event, Opaque) else event.TOPIC
    return [
        Row(fact.pupil_id, fact.position, event.event_id, topic, event.day, event.recorded_at, event.by.id,
            event.by.role, fact.origin, corrects, detail)
    ]  # fmt: skip


class Line(NamedTuple):
    """A line of the story and the corrections that changed it, oldest first: (event_id, why)."""

    row: Row
    corrected_by: list[tuple[UUID, str]]


_SHOWN = (
    f"FROM {TABLE} t WHERE t.school_id = %s AND t.pupil_id = %s AND NOT EXISTS"
    # a record that came back brings our own facts again: the first one stands
    f" (SELECT 1 FROM {TABLE} e WHERE e.school_id = t.school_id AND e.pupil_id = t.pupil_id"
    " AND e.event_id = t.event_id AND e.position < t.position AND t.origin <> '')"
)


def story(
    cur: Cursor[Any], school_id: UUID, pupil_id: UUID, *, before: tuple[date, int] | None = None, limit: int = 120
) -> list[Line]:
    """The newest lines of a pupil's story, newest first; ``before`` is (happened_on, position) of the last seen."""
    columns = ", ".join(f"t.{name}" for name in Row._fields)
    cur.execute(
        f"SELECT {columns} {_SHOWN} AND (t.happened_on, t.position) < (%s, %s)"
        " ORDER BY t.happened_on DESC, t.position DESC LIMIT %s",
        (school_id, pupil_id, *(before or (date.max, 1 << 62)), capped(limit)),
    )
    found = [Row(*row) for row in cur]
    corrected = _corrections(cur, school_id, pupil_id)
    return [Line(row, corrected.get(row.event_id, [])) for row in found]


def _corrections(cur: Cursor[Any], school_id: UUID, pupil_id: UUID) -> dict[UUID, list[tuple[UUID, str]]]:
    cur.execute(
        f"SELECT t.corrects, t.event_id, t.detail->>'why' {_SHOWN} AND t.corrects IS NOT NULL"
        " ORDER BY t.position LIMIT 5000",
        (school_id, pupil_id),
    )
    made: dict[UUID, list[tuple[UUID, str]]] = {}
    for corrects, event_id, why in cur:
        made.setdefault(corrects, []).append((event_id, why or ""))
    return made
