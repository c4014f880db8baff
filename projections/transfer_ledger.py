"""Every record that left or came: when it was prepared, sent, acknowledged, withdrawn, received."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.journey import facts as f
from domain.school import ExportMade
from projections.shape import capped

NAME, VERSION = "transfer_ledger", 1
KEY = ("transfer_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, transfer_id uuid NOT NULL, pupil_id uuid, direction text NOT NULL,"
    " kind text NOT NULL, state text NOT NULL, other_school_id uuid, lawful_basis text NOT NULL,"
    " protected boolean NOT NULL, accepted_on date, start_on date, not_after date, prepared_at timestamptz,"
    " sent_at timestamptz, ended_at timestamptz, received_at timestamptz, moved_at timestamptz NOT NULL,"
    " manifest_sha256 text, receipt_sha256 text, facts int, witnessed boolean NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, transfer_id)",
    "CREATE INDEX ON {table} (school_id, moved_at DESC, transfer_id)",
    "CREATE INDEX ON {table} (school_id, pupil_id)",
)


class Row(NamedTuple):
    """One transfer, seen from this school. Instants are when this school recorded them.

    ``direction``: out, in; ``kind``: school, student, audit; ``state``: prepared, sent, acknowledged,
    withdrawn, rejected, expired, recalled, received, passed; ``ended_at``: acknowledged, passed or called off;
    ``other_school_id``: where to or where from, None when not said.
    """

    transfer_id: UUID
    pupil_id: UUID | None = None
    direction: str = "out"
    kind: str = "school"
    state: str = "prepared"
    other_school_id: UUID | None = None
    lawful_basis: str = ""
    protected: bool = False
    accepted_on: date | None = None
    start_on: date | None = None
    not_after: date | None = None
    prepared_at: datetime | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    received_at: datetime | None = None
    moved_at: datetime = datetime.min
    manifest_sha256: str | None = None
    receipt_sha256: str | None = None
    facts: int | None = None
    witnessed: bool = False


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each transfer of this school; what other schools did before is in the story, not here."""
    if fact.origin or (isinstance(fact.event, ExportMade) and fact.event.kind == "safeguarding"):
        return None  # what goes from DSL to DSL is not for everybody who sees transfers
    return (fact.event.transfer_id,)  # type: ignore[attr-defined]


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    event: Any = fact.event
    row = row or Row(event.transfer_id)
    row = row._replace(pupil_id=row.pupil_id or fact.pupil_id, moved_at=fact.recorded_at)
    return STEPS[type(event)](row, event, fact)


def _prepared(row: Row, event: f.TransferPrepared, fact: Fact) -> Row:
    return row._replace(
        kind=event.kind, other_school_id=event.to_school_id, lawful_basis=event.lawful_basis,
        protected=event.protected, accepted_on=event.accepted_on, start_on=event.start_on,
        not_after=event.not_after, prepared_at=fact.recorded_at,
    )  # fmt: skip


def _sent(row: Row, event: ExportMade, fact: Fact) -> Row:
    state = "sent" if row.state == "prepared" else row.state
    return row._replace(kind=event.kind, state=state, sent_at=fact.recorded_at, manifest_sha256=event.manifest_sha256)


def _acknowledged(row: Row, event: f.CustodyReleased, fact: Fact) -> Row:
    return row._replace(state="acknowledged", ended_at=fact.recorded_at, receipt_sha256=event.receipt_sha256)


def _withdrawn(row: Row, event: f.TransferWithdrawn, fact: Fact) -> Row:
    return row._replace(state=event.why, ended_at=fact.recorded_at)


def _received(row: Row, event: f.RecordReceived, fact: Fact) -> Row:
    return row._replace(
        direction="in", state="received", received_at=fact.recorded_at, other_school_id=event.from_school_id,
        manifest_sha256=event.manifest_sha256, facts=event.facts, witnessed=event.witnessed,
    )  # fmt: skip


def _supplement_prepared(row: Row, event: f.SupplementPrepared, fact: Fact) -> Row:
    return row._replace(not_after=event.not_after, prepared_at=fact.recorded_at)


def _supplement_received(row: Row, event: f.SupplementReceived, fact: Fact) -> Row:
    return row._replace(
        direction="in", state="received", received_at=fact.recorded_at, other_school_id=event.from_school_id,
        manifest_sha256=event.manifest_sha256, facts=event.facts,
    )  # fmt: skip


def _passed(row: Row, event: f.OwnershipPassed, fact: Fact) -> Row:
    return row._replace(
        kind="student", state="passed", ended_at=fact.recorded_at, manifest_sha256=event.manifest_sha256
    )


STEPS: dict[type[Event], Callable[[Row, Any, Fact], Row]] = {
    f.TransferPrepared: _prepared,
    ExportMade: _sent,
    f.CustodyReleased: _acknowledged,
    f.TransferWithdrawn: _withdrawn,
    f.RecordReceived: _received,
    f.SupplementPrepared: _supplement_prepared,
    f.SupplementReceived: _supplement_received,
    f.OwnershipPassed: _passed,
}
TAKES = frozenset(STEPS)
COLUMNS = ", ".join(Row._fields)


def transfers(
    cur: Cursor[Any],
    school_id: UUID,
    *,
    direction: str | None = None,
    states: tuple[str, ...] = (),
    after: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Transfers, the last moved first; ``after`` is (moved_at, transfer_id) of the last seen, ``states`` () for all."""
    moved_at, transfer_id = after or (None, None)
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} WHERE school_id = %s AND (%s::text IS NULL OR direction = %s)"
        " AND (cardinality(%s::text[]) = 0 OR state = ANY (%s::text[]))"
        " AND (%s::timestamptz IS NULL OR moved_at < %s OR (moved_at = %s AND transfer_id > %s))"
        " ORDER BY moved_at DESC, transfer_id LIMIT %s",
        (school_id, direction, direction, list(states), list(states), moved_at, moved_at, moved_at, transfer_id,
         capped(limit)),
    )  # fmt: skip
    return [Row(*row) for row in cur]


def of_pupil(cur: Cursor[Any], school_id: UUID, pupil_id: UUID, limit: int = 50) -> list[Row]:
    """The transfers of one pupil, the last moved first."""
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} WHERE school_id = %s AND pupil_id = %s ORDER BY moved_at DESC LIMIT %s",
        (school_id, pupil_id, capped(limit)),
    )
    return [Row(*row) for row in cur]
