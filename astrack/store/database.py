"""Connections: two pools, one for each role, and one message for each question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import psycopg
from psycopg.adapt import Transformer
from psycopg.generators import execute
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from astrack.store import bulk, migrate
from astrack.store.embedded import Embedded, derived_password
from astrack.store.line import EventRow
from astrack.store.literals import message, one_event
from astrack.store.pool import CONNECT_S, Connection, Pool
from astrack.store.types import (
    BadSetting,
    ClockBehind,
    KeysRotated,
    SchoolUnknown,
    StoreError,
    StoreUnavailable,
    StreamErased,
    StreamHeld,
    UnsafeRole,
    VersionClash,
)

T = TypeVar("T")
Rows = list[tuple[Any, ...]]
Statement = tuple[LiteralString, Sequence[Any]]
FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
OF_EVENT = "e.position, e.stream_id, e.version, e.kind, e.topic, e.recorded_at, e.leaf, e.state"
COLUMNS = OF_EVENT + ", s.pupil_id"
SOURCE = "FROM record.events e LEFT JOIN record.streams s ON s.school_id = e.school_id AND s.stream_id = e.stream_id"
# what every command, page and answer of a sitting asks is planned once for each connection
PREPARED = (
    "PREPARE append_one (uuid, uuid, bigint, text, text, timestamptz, bytea) AS"
    " SELECT record.append_one($1, $2, $3, $4, $5, $6, $7)",
    # of one stream: a plan that is as good for every stream is planned once, and its pupil is looked up once
    f"PREPARE load_stream (uuid, uuid) AS SELECT {OF_EVENT}, (SELECT s.pupil_id FROM record.streams s"
    " WHERE s.school_id = $1 AND s.stream_id = $2) FROM record.events e"
    " WHERE e.school_id = $1 AND e.stream_id = $2 ORDER BY e.version",
    # of a stream, the facts of some topics, what may hide one of them, and the last entry
    f"PREPARE load_some (uuid, uuid, text[]) AS SELECT {OF_EVENT}, (SELECT s.pupil_id FROM record.streams s"
    " WHERE s.school_id = $1 AND s.stream_id = $2) FROM record.events e"
    " WHERE e.school_id = $1 AND e.stream_id = $2 AND (e.topic = ANY ($3) OR e.kind IN ('import', 'erasure')"
    " OR e.version = (SELECT max(l.version) FROM record.events l WHERE l.school_id = $1 AND l.stream_id = $2))"
    " ORDER BY e.version",
    "PREPARE find_session (uuid, uuid) AS"
    " SELECT account_id, about, kind, grant_id, verifier, expires_at, proved_at, coalesce(seen_at, made_at)"
    " FROM record.sessions WHERE school_id = $1 AND session_id = $2",
    "PREPARE load_drafts (uuid, uuid) AS SELECT draft_id, sealed FROM record.drafts"
    " WHERE school_id = $1 AND stream_id = $2",
    "PREPARE log_size (uuid) AS SELECT next_position FROM record.schools WHERE school_id = $1",
    "PREPARE keep_draft (uuid, uuid, uuid, integer, bytea) AS"
    " INSERT INTO record.drafts SELECT k.school_id, $2, k.stream_id, $5 FROM keys.stream_keys k"
    " WHERE k.school_id = $1 AND k.stream_id = $3 AND k.generation = $4"
    " ON CONFLICT (school_id, draft_id) DO UPDATE SET stream_id = EXCLUDED.stream_id, sealed = EXCLUDED.sealed",
)


class Database:
    """The pools of the service and of the projector."""

    def __init__(
        self, service: Login, projector: Login, size: int, timeout_s: float, revive: Callable[[], None] | None
    ) -> None:
        self._revive = revive or (lambda: None)
        self.service, self.projector, self.timeout_s = service, projector, timeout_s
        self._service = _pool(service, size, timeout_s)
        self._projector = _pool(projector, max(2, size // 2), timeout_s)

    def close(self) -> None:
        """Close every connection."""
        self._service.close()
        self._projector.close()

    def ask(self, school: UUID | None, *statements: Statement) -> list[Rows]:
        """Send statements as one simple-query message, which is one transaction; the rows of each that gives rows."""
        return [rows_of(result) for result in self.question(school, *statements)]

    def question(self, school: UUID | None, *statements: Statement) -> list[PGresult]:
        """Send statements as ``ask`` does; the bare results of those that give rows."""
        if len(statements) == 1:
            results = [self._exec(lambda conn: message(conn, school, statements))]
        else:
            results = self._try(lambda conn: _each(conn, message(conn, school, statements)))
        return [result for result in results if result.status == ExecStatus.TUPLES_OK]

    def write(self, school: UUID, *statements: Statement) -> PGresult:
        """Send statements as ``ask`` does, in one call of libpq; the bare result of the last.

        With large values it is one transaction of several messages.
        """
        if any(bulk.is_large(values) for _, values in statements):
            return self._try(lambda conn: bulk.send(conn, school, statements, partial(_check, conn)))
        return self._exec(lambda conn: message(conn, school, statements))

    def append_one(self, school: UUID, row: EventRow) -> PGresult:
        """Append one event and nothing else: what most writes are."""
        return self._exec(lambda conn: one_event(conn, school, row))

    def _exec(self, text: Callable[[Connection], bytes]) -> PGresult:
        def act(conn: Connection) -> PGresult:
            result = conn.pgconn.exec_(text(conn))
            _check(conn, result)
            return result

        return self._try(act)

    def _try(self, act: Callable[[Connection], T]) -> T:
        try:
            with translated(), _borrowed(self._service) as conn:
                return act(conn)
        except StoreUnavailable:
            self._revive()
            raise

    @contextmanager
    def views(self, school: UUID) -> Iterator[Connection]:
        """One transaction of the projector, bound to one school."""
        with translated(), _borrowed(self._projector) as conn, conn.transaction():
            conn.execute("SELECT set_config('app.school', %s, true)", (str(school),))
            yield conn

    def connect(self, *, projector: bool) -> Connection:
        """A connection of one's own, without the time limit of requests."""
        login = self.projector if projector else self.service
        with translated():
            conn = psycopg.connect(
                login.conninfo, autocommit=True, connect_timeout=CONNECT_S, options="-c timezone=UTC"
            )
            login.prepare(conn)
            return conn

    @contextmanager
    def reading(self, school: UUID) -> Iterator[Connection]:
        """One read-only transaction of the service, bound to one school."""
        with translated(), _borrowed(self._service) as conn, conn.transaction():
            conn.execute(f"SET TRANSACTION READ ONLY; SET LOCAL app.school = '{school}'".encode())
            yield conn


def _each(conn: Connection, text: bytes) -> list[PGresult]:
    conn.pgconn.send_query(text)
    results: list[PGresult] = conn.wait(execute(conn.pgconn))
    for result in results:
        _check(conn, result)
    return results


def rows_of(result: PGresult) -> Rows:
    """The rows of a bare result, each value in its own type."""
    loader = Transformer()
    loader.set_pgresult(result)
    return loader.load_rows(0, result.ntuples, tuple)


def _check(conn: Connection, result: PGresult) -> None:
    if result.status in FINE:
        return
    if conn.pgconn.status != ConnStatus.OK or not result.error_field(DiagnosticField.SQLSTATE):
        # no word of the server's own is no refusal: what was sent may have been committed
        raise psycopg.OperationalError("the connection was lost")
    raise psycopg.errors.error_from_result(result)


class Login:
    """How one role connects: its connection string, and the role to take on after it, if any."""

    def __init__(self, conninfo: str, role: str, take_on: bool) -> None:
        self.conninfo, self.role, self.take_on = conninfo, role, take_on

    def prepare(self, conn: Connection) -> None:
        """Take on the role and make sure that row-level security holds for it. Raises UnsafeRole."""
        if self.take_on:
            conn.execute(f"SET ROLE {self.role}".encode())
        check_role(conn)
        if self.role == migrate.SERVICE:
            for statement in PREPARED:
                conn.execute(statement)


def check_role(conn: Connection) -> None:
    """Raise UnsafeRole when the connection's role could read or write past row-level security."""
    row = conn.execute(
        "SELECT current_user, bool_or(r.rolsuper), bool_or(r.rolbypassrls), bool_or(r.rolname = 'astrack_owner')"
        " FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER')"
    ).fetchone()
    if row is None or any(row[1:]):
        raise UnsafeRole(
            f"the database role {row[0] if row else '?'} could bypass row-level security: "
            "use a role that is neither superuser nor BYPASSRLS nor a member of astrack_owner"
        )


def logins(admin: str, secret: bytes, embedded: Embedded | None, database: str) -> tuple[Login, Login]:
    """The two logins for a database; prepares it first where the connection may."""
    with reached(admin), psycopg.connect(admin, autocommit=True, connect_timeout=CONNECT_S) as conn:
        if conn.info.server_version < 150000:
            raise BadSetting("ASTRACK_DATABASE_URL names a PostgreSQL older than 15: upgrade it")
        if embedded is not None or migrate.may_migrate(conn):
            migrate.migrate(conn, lambda role: derived_password(secret, role))
            return (_own(admin, secret, migrate.SERVICE), _own(admin, secret, migrate.PROJECTOR))
        if not migrate.migrated(conn):
            raise BadSetting(
                "the database is not prepared and this role may not do it: start once with a role that may create "
                "roles, then grant astrack_service and astrack_projector to this one"
            )
        check_role(conn)
    return Login(admin, migrate.SERVICE, True), Login(admin, migrate.PROJECTOR, True)


def _own(admin: str, secret: bytes, role: str) -> Login:
    info = psycopg.conninfo.make_conninfo(admin, user=role, password=derived_password(secret, role))
    return Login(info, role, False)


def _pool(login: Login, size: int, timeout_s: float) -> Pool:
    pool = Pool(login.conninfo, login.prepare, size, timeout_s)
    with reached(login.conninfo), _borrowed(pool):
        pass  # an unsafe role or a database that does not answer is told at the start
    return pool


@contextmanager
def _borrowed(pool: Pool) -> Iterator[Connection]:
    conn = pool.take()
    try:
        yield conn
    finally:
        pool.give(conn)


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
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name in ("stream_keys_once", "events_pkey", "answers_once", "transfers_once"):
            raise VersionClash("somebody else wrote this first: load it again and decide again") from error
        raise
    except (psycopg.errors.ForeignKeyViolation, psycopg.errors.NotNullViolation) as error:
        if error.diag.constraint_name == "stream_keys_under" or error.diag.column_name == "school_generation":
            raise KeysRotated("the school's key was rotated meanwhile: send it again") from error
        raise
    except psycopg.errors.DiskFull as error:
        raise StoreUnavailable(
            "the database's disk is full, nothing was written: make room, then repeat with the same idempotency key"
        ) from error
    except psycopg.OperationalError as error:
        raise StoreUnavailable("the database does not answer: repeat with the same idempotency key") from error
    except psycopg.Error as error:
        if refusal := REFUSALS.get(error.sqlstate or ""):
            raise refusal(error.diag.message_primary or "", error.diag.message_detail or "") from error
        raise
