"""Bring a database to this version: the three roles, the schemas, then one file for each object.

Versions run side by side while one takes over from another: what is applied only adds, a version that finds its own
mark among those applied applies nothing, and whoever is reading or writing goes before.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from astrack.store.types import StoreUnavailable

OWNER, SERVICE, PROJECTOR = "astrack_owner", "astrack_service", "astrack_projector"
LOCK = 0x61737472
LOCK_MS, PAUSE_S, TIMES = 500, 0.5, 60
"""How long the tables are waited for at a time: less than the second after which PostgreSQL looks for a deadlock, and
might end a command of the service's instead; and less than anybody who queues behind would notice.
"""
TABLES = (
    "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
    " WHERE schemaname IN ('record', 'keys', 'views') ORDER BY 1"
)
Connection = psycopg.Connection[tuple[Any, ...]]


def scripts() -> list[tuple[str, str]]:
    """(name, text) of the owner's files in the order they apply."""
    folder = files("astrack.store").joinpath("sql")
    return sorted((f.name, f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".sql"))


def views_script() -> str:
    """What the projector owns."""
    return files("astrack.store").joinpath("sql/bootstrap/views.sql").read_text("utf-8")


def fingerprint() -> str:
    """Names one state of all scripts."""
    return hashlib.sha256(repr((scripts(), views_script())).encode()).hexdigest()


def may_migrate(conn: Connection) -> bool:
    """Whether this login may create roles, and so prepare a database."""
    row = conn.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def migrated(conn: Connection) -> bool:
    """Whether the database is at this version, or past it: an older process must not undo what a newer one did."""
    try:
        # a transaction of its own: what is not there yet must not end the one around it
        with conn.transaction():
            rows = conn.execute("SELECT fingerprint FROM record.migrations").fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
        return False
    return (fingerprint(),) in rows


def migrate(conn: Connection, password: Callable[[str], str]) -> None:
    """Apply everything in one transaction, under a lock; nothing to do where it is applied already.

    ``conn`` is in autocommit mode and may create roles; ``password`` gives the login roles theirs. Raises
    StoreUnavailable.
    """
    for _ in range(TIMES):
        if migrated(conn) and _can_login(conn):
            return
        try:
            _apply(conn, password)
        except psycopg.errors.LockNotAvailable:
            time.sleep(PAUSE_S)
    raise StoreUnavailable("the database could not be brought to this version, since somebody reads it without a pause:"
                           " wait for the backup or report that is under way, then start again")  # fmt: skip


def _apply(conn: Connection, password: Callable[[str], str]) -> None:
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if migrated(conn) and _can_login(conn):
            return
        _lock_tables(conn)
        _roles(conn, password)
        _schemas(conn)
        owned = scripts()
        _as(conn, OWNER, owned[0][1])
        _as(conn, PROJECTOR, views_script())
        for _, text in owned[1:]:
            _as(conn, OWNER, text)
        _as(conn, OWNER, "CREATE TABLE IF NOT EXISTS record.migrations (fingerprint text NOT NULL);"
            "GRANT SELECT ON record.migrations TO astrack_service")  # fmt: skip
        conn.execute(f"SET LOCAL ROLE {OWNER}")
        conn.execute("INSERT INTO record.migrations VALUES (%s)", (fingerprint(),))


def _lock_tables(conn: Connection) -> None:
    """All at once and before anything is changed: so no command can wait for one table while it holds another."""
    conn.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
    tables = [name for (name,) in conn.execute(TABLES)]
    if tables:
        conn.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE".encode())


def _can_login(conn: Connection) -> bool:
    row = conn.execute("SELECT count(*) FROM pg_roles WHERE rolname IN (%s, %s)", (SERVICE, PROJECTOR)).fetchone()
    return row is not None and row[0] == 2


def _roles(conn: Connection, password: Callable[[str], str]) -> None:
    there = {name for (name,) in conn.execute("SELECT rolname FROM pg_roles")}
    for role in (OWNER, SERVICE, PROJECTOR):
        if role not in there:
            conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(sql.Identifier(role)))
        conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    give_passwords(conn, password)
    _keep_values_out_of_the_log(conn)


def _keep_values_out_of_the_log(conn: Connection) -> None:
    """A refused statement holds names: the service hears of it, the database's log does not. For superusers to set."""
    row = conn.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row and row[0]:
        for role in (SERVICE, PROJECTOR):
            conn.execute(f"ALTER ROLE {role} SET log_min_messages = 'log'")
            conn.execute(f"ALTER ROLE {role} SET log_min_error_statement = 'panic'")


def give_passwords(conn: Connection, password: Callable[[str], str]) -> None:
    """Let the two login roles in by these passwords alone."""
    for role in (SERVICE, PROJECTOR):
        text = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password(role))
        conn.execute(text)


def _schemas(conn: Connection) -> None:
    for schema, role in (("record", OWNER), ("keys", OWNER), ("views", PROJECTOR)):
        if not conn.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone():
            conn.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")


def _as(conn: Connection, role: str, text: str) -> None:
    conn.execute(f"SET LOCAL ROLE {role}")
    conn.execute(text.encode())
    conn.execute("RESET ROLE")
