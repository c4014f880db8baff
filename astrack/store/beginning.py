"""Which database a store opens: found where it is, made where it may be, refused in a sentence where it cannot be."""

from __future__ import annotations

import contextlib

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from astrack.settings import Settings
from astrack.store import refused
from astrack.store.embedded import Embedded
from astrack.store.pool import CONNECT_S
from astrack.store.types import BadSetting

BEGIN = "or begin a record with `astrack school add NAME`"
PREPARED = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'record')"


def server(settings: Settings, create: bool) -> Embedded | None:
    """The embedded server of the data folder, None where a URL is set. Raises BadSetting."""
    if settings.database_url is not None:
        _check_url(settings.database_url)
        return None
    try:
        if not create and not (settings.home / "postgres" / "PG_VERSION").exists():
            raise BadSetting(f"there is no database in {settings.home}: set ASTRACK_HOME to the folder that holds it, "
                             f"{BEGIN}")  # fmt: skip
        return Embedded(settings.home)
    except OSError as error:
        raise BadSetting(f"no database can be kept in {settings.home} ({error.strerror}): "
                         "set ASTRACK_HOME to a folder of this account's own") from error  # fmt: skip


def admin(settings: Settings, embedded: Embedded | None, create: bool) -> str:
    """How to connect to the database; starts the embedded server. Raises BadSetting, StoreUnavailable."""
    if embedded is None:
        there, where = settings.database_url or "", "ASTRACK_DATABASE_URL"
    else:
        embedded.start()
        _find(embedded, settings.database, create)
        there, where = embedded.conninfo(database=settings.database), "ASTRACK_HOME and ASTRACK_DATABASE"
    if not create and not prepared(there):
        raise BadSetting(f"the database at {refused.place(there)} holds no records: check {where}, {BEGIN}")
    return there


def prepared(conninfo: str) -> bool:
    """Whether a database has been prepared for records. Raises StoreUnavailable."""
    with refused.reached(conninfo), psycopg.connect(conninfo, autocommit=True, connect_timeout=CONNECT_S) as conn:
        row = conn.execute(PREPARED).fetchone()
        return bool(row and row[0])


def _find(embedded: Embedded, name: str, create: bool) -> None:
    with refused.translated(), psycopg.connect(embedded.conninfo(), autocommit=True) as conn:
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return
        if not create:
            raise BadSetting(f"there is no database {name!r} in {embedded.home}: check ASTRACK_DATABASE, {BEGIN}")
        # another process may be first
        with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _check_url(url: str) -> None:
    try:
        conninfo_to_dict(url)
    except psycopg.Error:
        # the error quotes the address, and with it a password; nothing of it may be shown
        raise BadSetting("ASTRACK_DATABASE_URL is no address of a PostgreSQL database: write it as "
                         "postgresql://USER:PASSWORD@HOST:PORT/DATABASE") from None  # fmt: skip
