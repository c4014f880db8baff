"""Connections: two pools, one for each role, and one message for each question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import psycopg
from psycopg.adapt import Transformer
from psycopg.generators import execute
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from astrack.store import binary, bulk, migrate
from astrack.store.binary import AnswerRow, EventRow
from astrack.store.embedded import Embedded, derived_password
from astrack.store.line import Line, Parcel
from astrack.store.literals import message
from astrack.store.pool import CONNECT_S, Connection, Pool
from astrack.store.refused import checked, reached, translated
from astrack.store.types import BadSetting, StoreUnavailable, UnsafeRole

T = TypeVar("T")
IN_BINARY = [1] * 13
Rows = list[tuple[Any, ...]]
Statement = tuple[LiteralString, Sequence[Any]]
OF_EVENT = "e.position, e.stream_id, e.version, e.kind, e.topic, e.recorded_at, e.leaf, e.state"
COLUMNS = OF_EVENT + ", s.pupil_id"
SOURCE = "FROM record.events e LEFT JOIN record.streams s ON s.school_id = e.school_id AND s.stream_id = e.stream_id"
BOUND = "set_config('app.school', $1, true)::uuid"
# what every command, page and answer of a sitting asks is planned once for each connection
PREPARED = (
    # an append is one statement, so it can go in binary form: it is bound to its school before the function is called
    "PREPARE append_one (text, uuid, bigint, text, text, timestamptz, bytea) AS"
    f" SELECT record.append_one({BOUND}, $2, $3, $4, $5, $6, $7)",
    "PREPARE append (text, uuid[], bigint[], text[], text[], timestamptz[], bytea[]) AS"
    f" SELECT record.append({BOUND}, $2, $3, $4, $5, $6, $7)",
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
    " SELECT account_id, about, kind, grant_id, verifier, expires_at, proved_at, coalesce(seen_at, made_at),"
    " (SELECT next_position FROM record.schools s WHERE s.school_id = $1)"
    " FROM record.sessions WHERE school_id = $1 AND session_id = $2",
    "PREPARE load_drafts (uuid, uuid) AS SELECT draft_id, sealed FROM record.drafts"
    " WHERE school_id = $1 AND stream_id = $2",
    "PREPARE log_size (uuid) AS SELECT next_position FROM record.schools WHERE school_id = $1",
    "PREPARE keep_draft (uuid, uuid, uuid, integer, bytea) AS"
    " INSERT INTO record.drafts SELECT k.school_id, $2, k.stream_id, $5 FROM keys.stream_keys k"
    " WHERE k.school_id = $1 AND k.stream_id = $3 AND k.generation = $4"
    " ON CONFLICT (school_id, draft_id) DO UPDATE SET stream_id = EXCLUDED.stream_id, sealed = EXCLUDED.sealed",
)

GROUPED = "PREPARE append_group AS SELECT record.append_group($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
DISTRIBUTED = "SELECT 1 FROM pg_extension WHERE extname = 'citus'"
# one plan for groups of every size, by the keys however small the tables were when it was made; no lock is waited for
GROUP_OPTIONS = (
    " -c lock_timeout=5 -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off"
    " -c enable_hashjoin=off -c enable_mergejoin=off"
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
        self._grouped = _pool(service, 1, timeout_s, GROUP_OPTIONS)
        # a group of schools would span the machines of a distributed database
        self.line = Line(None if self.ask(None, (DISTRIBUTED, ()))[0] else self._together)

    def close(self) -> None:
        """Close every connection."""
        self._service.close()
        self._projector.close()
        self._grouped.close()

    def ask(self, school: UUID | None, *statements: Statement) -> list[Rows]:
        """Send statements as one simple-query message, which is one transaction; the rows of each that gives rows."""
        return [rows_of(result) for result in self.question(school, *statements)]

    def question(self, school: UUID | None, *statements: Statement) -> list[PGresult]:
        """Send statements as ``ask`` does; the bare results of those that give rows."""
        if len(statements) == 1:
            results = [self._exec(self._service, lambda conn: conn.pgconn.exec_(message(conn, school, statements)))]
        else:
            results = self._try(self._service, lambda conn: _each(conn, message(conn, school, statements)))
        return [result for result in results if result.status == ExecStatus.TUPLES_OK]

    def write(self, school: UUID, *statements: Statement) -> PGresult:
        """Send statements as ``ask`` does, in one call of libpq; the bare result of the last.

        With large values it is one transaction of several messages.
        """
        if any(bulk.is_large(values) for _, values in statements):
            return self._try(self._service, lambda conn: bulk.send(conn, school, statements, partial(checked, conn)))
        return self._exec(self._service, lambda conn: conn.pgconn.exec_(message(conn, school, statements)))

    def append(self, school: UUID, rows: Sequence[EventRow]) -> int:
        """Append events and nothing else, waiting for the school's row; the position of the first."""
        return int(self._exec(self._service, lambda conn: _append(conn, school, rows)).get_value(0, 0) or b"0")

    def _together(self, group: Sequence[Parcel]) -> None:
        """Write what several callers have waiting, and set ``first`` of each whose school's row was free."""
        result = self._exec(self._grouped, lambda conn: _append_group(conn, group))
        places = (result.get_value(0, 0) or b"").strip(b"{}").split(b",")
        at = 0
        for one in group:
            one.first = None if places[at] == b"NULL" else int(places[at])
            at += len(one.rows)

    def _exec(self, pool: Pool, send: Callable[[Connection], PGresult]) -> PGresult:
        return self._try(pool, lambda conn: checked(conn, send(conn)))

    def _try(self, pool: Pool, act: Callable[[Connection], T]) -> T:
        try:
            with translated(), _borrowed(pool) as conn:
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
    return [checked(conn, result) for result in results]


def rows_of(result: PGresult) -> Rows:
    """The rows of a bare result, each value in its own type."""
    loader = Transformer()
    loader.set_pgresult(result)
    return loader.load_rows(0, result.ntuples, tuple)


def _append(conn: Connection, school: UUID, rows: Sequence[EventRow]) -> PGresult:
    one = len(rows) == 1
    values = [str(school).encode(), *(binary.row(rows[0]) if one else binary.columns(rows))]
    return conn.pgconn.exec_prepared(b"append_one" if one else b"append", values, IN_BINARY[:7])


def _append_group(conn: Connection, group: Sequence[Parcel]) -> PGresult:
    if len(group) == 1 and len(group[0].rows) == 1 and group[0].answer is None:
        return _append(conn, group[0].school, group[0].rows)
    rows, schools, answers = list[EventRow](), list[bytes](), list[tuple[int, AnswerRow]]()
    for one in group:
        rows += one.rows
        schools += [one.school.bytes] * len(one.rows)
        if one.answer is not None:
            answers.append((len(rows), one.answer))
    values = [binary.array(binary.UUID_OID, schools), *binary.columns(rows), *binary.answers(answers)]
    return conn.pgconn.exec_prepared(b"append_group", values, IN_BINARY)


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
            for statement in (*PREPARED, GROUPED):
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
            service, projector = _own(admin, secret, migrate.SERVICE), _own(admin, secret, migrate.PROJECTOR)
            if embedded is None and not (_let_in(service) and _let_in(projector)):
                # what the passwords come from is another now: an old root key was taken out of the environment
                migrate.give_passwords(conn, lambda role: derived_password(secret, role))
            return service, projector
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


def _let_in(login: Login) -> bool:
    try:
        psycopg.connect(login.conninfo, connect_timeout=CONNECT_S).close()
    except psycopg.OperationalError:
        return False
    return True


def _pool(login: Login, size: int, timeout_s: float, more: str = "") -> Pool:
    pool = Pool(login.conninfo, login.prepare, size, timeout_s, more)
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
