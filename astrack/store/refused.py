"""What the database refuses, in our own words: each refusal says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from astrack.store.types import (
    ClockBehind,
    KeysRotated,
    RowHeld,
    SchoolUnknown,
    StoreError,
    StoreUnavailable,
    StreamErased,
    StreamHeld,
    VersionClash,
)

FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
UNIQUE = ("stream_keys_once", "events_pkey", "answers_once", "transfers_once")
REFUSALS: dict[str, Callable[[str, str], StoreError]] = {
    "AS001": lambda text, detail: SchoolUnknown(f"{text}: create the school first"),
    "AS002": lambda text, detail: VersionClash(f"{text}: load it again and decide again"),
    "AS003": lambda text, detail: ClockBehind(datetime.fromisoformat(detail)),
    "AS004": lambda text, detail: StreamErased(f"{text}: nothing may follow the erasure"),
    "AS006": lambda text, detail: StreamHeld(f"{text}: release the hold first"),
    "AS005": lambda text, detail: StoreError(text),
}


def place(conninfo: str) -> str:
    """Where a connection string leads, for people: host, port and database, never the user or the password."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    host = parts.get("host") or parts.get("hostaddr") or "this machine"
    return f"{host}, port {parts.get('port') or 5432}, database {parts.get('dbname') or '(not named)'}"


REASONS = (
    ("password authentication failed", "it refuses the user or the password"),
    ("no password supplied", "it wants a password"),
    ("does not exist", "it has no such database or user"),
    ("refused", "nothing listens there"),
    ("translate host name", "there is no such host"),
    ("No such file", "no server runs there"),
    ("timeout", "it does not answer in time"),
)


@contextmanager
def reached(conninfo: str) -> Iterator[None]:
    """Connecting, where a failure names the place and what to check, never the password. Raises StoreUnavailable."""
    try:
        with translated():
            yield
    except StoreUnavailable as error:
        cause = error.__cause__
        if not isinstance(cause, psycopg.OperationalError) or cause.sqlstate is not None:
            raise
        why = next((words for sign, words in REASONS if sign in str(cause)), "it does not answer")
        raise StoreUnavailable(
            f"the database at {place(conninfo)} cannot be used, {why}: check ASTRACK_DATABASE_URL and that the server"
            " runs, then try again"
        ) from error


@contextmanager
def translated() -> Iterator[None]:
    """The database's refusals in our own words."""
    try:
        yield
    except psycopg.Error as error:
        told = in_our_words(error)
        if told is None:
            raise
        raise told from error


def in_our_words(error: psycopg.Error) -> StoreError | None:
    """A refusal of the database as one of ours; None where it is none that we know."""
    match error:
        case psycopg.errors.UniqueViolation():
            if error.diag.constraint_name in UNIQUE:
                return VersionClash("somebody else wrote this first: load it again and decide again")
        case psycopg.errors.ForeignKeyViolation() | psycopg.errors.NotNullViolation():
            if error.diag.constraint_name == "stream_keys_under" or error.diag.column_name == "school_generation":
                return KeysRotated("the school's key was rotated meanwhile: send it again")
        case psycopg.errors.DiskFull():
            return StoreUnavailable("the database's disk is full, nothing was written: make room, then repeat with the "
                                    "same idempotency key")  # fmt: skip
        case psycopg.errors.LockNotAvailable():
            return RowHeld("somebody else is writing to this school just now: send it again")
        case psycopg.OperationalError():
            return StoreUnavailable("the database does not answer: repeat with the same idempotency key")
        case _:
            if refusal := REFUSALS.get(error.sqlstate or ""):
                return refusal(error.diag.message_primary or "", error.diag.message_detail or "")
    return None


def checked(conn: psycopg.Connection[Any], result: PGresult) -> PGresult:
    """A bare result that is no error. Raises psycopg.Error."""
    if result.status in FINE:
        return result
    if conn.pgconn.status != ConnStatus.OK or not result.error_field(DiagnosticField.SQLSTATE):
        # no word of the server's own is no refusal: what was sent may have been committed
        raise psycopg.OperationalError("the connection was lost")
    raise psycopg.errors.error_from_result(result)
