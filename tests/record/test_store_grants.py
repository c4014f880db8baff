"""What the service's and the projector's own roles cannot do, tried."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack.access.sessions import Sessions
from astrack.app import App
from astrack.changing import Ask
from astrack.settings import Settings
from astrack.store import SchoolLog, Store, UnsafeRole
from astrack.store.database import check_role
from astrack.store.embedded import Embedded
from domain.base import Actor
from domain.identity import Person, SchoolName

Connection = psycopg.Connection[tuple[Any, ...]]
DENIED = psycopg.errors.InsufficientPrivilege


def connected(settings: Settings, role: str) -> Connection:
    return psycopg.connect(Embedded(settings.home).conninfo(role, settings.database), autocommit=True)


@pytest.fixture
def service(store: Store, settings: Settings) -> Iterator[Connection]:
    """A connection with the service's own role."""
    with connected(settings, "astrack_service") as conn:
        yield conn


@pytest.fixture
def projector(store: Store, settings: Settings) -> Iterator[Connection]:
    """A connection with the role that owns the views."""
    with connected(settings, "astrack_projector") as conn:
        yield conn


@pytest.fixture
def admin(store: Store, settings: Settings) -> Iterator[Connection]:
    """A connection that may do everything."""
    with connected(settings, "postgres") as conn:
        yield conn


FORGERIES = [
    "INSERT INTO record.events VALUES (gen_random_uuid(), 9, gen_random_uuid(), 0, 'event', '', now(), '', '')",
    "UPDATE record.events SET topic = 'x'",
    "DELETE FROM record.events",
    "TRUNCATE record.events",
    "COPY record.events FROM STDIN",
    "MERGE INTO record.events e USING record.events f ON e.position = f.position WHEN MATCHED THEN UPDATE SET topic = ''",
    "INSERT INTO record.events SELECT * FROM record.events ON CONFLICT DO NOTHING",
    "WITH gone AS (DELETE FROM record.events RETURNING *) SELECT * FROM gone",
    "SELECT 1 FROM record.events FOR UPDATE",
    "BEGIN; LOCK TABLE record.events IN EXCLUSIVE MODE",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "INSERT INTO record.schools VALUES (gen_random_uuid(), now())",
    "UPDATE record.schools SET next_position = 0",
    "DELETE FROM record.schools",
    "DELETE FROM record.answers",
    "UPDATE record.answers SET sealed = ''",
    "UPDATE record.streams SET pupil_id = NULL",
    "DELETE FROM record.vault",
    "DELETE FROM keys.stream_keys",
    "UPDATE keys.stream_keys SET class = 1",
    "INSERT INTO keys.erasures VALUES (gen_random_uuid(), gen_random_uuid(), 0, '', now(), '')",
    "DELETE FROM keys.erasures",
    "ALTER TABLE record.events DISABLE ROW LEVEL SECURITY",
    "SELECT record.write(gen_random_uuid(), '{}', '{}', '{}', '{}', '{}', '{}')",
    "SELECT views.forget(gen_random_uuid(), gen_random_uuid())",
    "SET ROLE astrack_owner",
    "SET session_replication_role = replica",
    "COPY record.events FROM '/dev/null'",
    "ALTER ROLE astrack_service BYPASSRLS",
    "SET SESSION AUTHORIZATION astrack_owner",
    "CREATE OR REPLACE FUNCTION record.school() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'",
    "ALTER FUNCTION record.append_one(uuid, uuid, bigint, text, text, timestamptz, bytea) SECURITY INVOKER",
    "ALTER TABLE record.events OWNER TO astrack_service",
    "DROP POLICY own_school ON record.events",
    "CREATE TRIGGER mine BEFORE INSERT ON record.events FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON INSERT TO record.events DO INSTEAD NOTHING",
    "CREATE TABLE record.mine (x int)",
]


@pytest.mark.parametrize("statement", FORGERIES)
def test_the_service_cannot_go_past_append(service: Connection, statement: str) -> None:
    with pytest.raises(DENIED):
        service.execute(statement.encode())


OF_THE_RECORD = [
    "SELECT record.append(gen_random_uuid(), '{}', '{}', '{}', '{}', '{}', '{}')",
    "SELECT record.append_one(gen_random_uuid(), gen_random_uuid(), 0, 'event', 'x', now(), '')",
    "SELECT record.append_group('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    "SELECT record.erase_stream(gen_random_uuid(), gen_random_uuid(), 0, '', now(), '')",
    "SELECT record.open_school(gen_random_uuid(), now())",
    "SELECT * FROM keys.stream_keys",
]


@pytest.mark.parametrize("statement", [one for one in FORGERIES if "views." not in one] + OF_THE_RECORD)
def test_the_owner_of_the_views_cannot_reach_the_record(projector: Connection, statement: str) -> None:
    with pytest.raises(DENIED):
        projector.execute(statement.encode())


def test_no_school_set_shows_no_rows(service: Connection, school_log: SchoolLog) -> None:
    for table in ("record.schools", "record.events", "record.pupils", "keys.school_keys", "record.answers"):
        assert service.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


TABLES = (
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
    " AND n.nspname IN ('record', 'keys', 'views') AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid"
    " AND a.attname = 'school_id' AND NOT a.attisdropped) AND has_table_privilege('astrack_service', c.oid, 'SELECT')"
    " ORDER BY 1"
)


def counted(conn: Connection, table: str, school: object) -> int:
    """How many rows of a school a connection sees in a table."""
    (count,) = conn.execute(f"SELECT count(*) FROM {table} WHERE school_id = %s".encode(), (school,)).fetchone() or (0,)
    return int(count)


def test_bound_to_one_school_no_table_shows_a_row_of_another(
    service: Connection, admin: Connection, store: Store, settings: Settings
) -> None:
    theirs = furnished(store, settings)
    tables = [name for (name,) in admin.execute(TABLES.encode())]
    full = [table for table in tables if counted(admin, table, theirs)]
    assert len(tables) > 15 and {"record.events", "record.pupils", "record.credentials", "record.sessions"} <= set(full)
    assert [one for one in full if one.startswith("views.")]
    for bound in (str(uuid4()), str(theirs)):
        with service.transaction():
            service.execute("SELECT set_config('app.school', %s, true)", (bound,))
            seen = [table for table in tables if counted(service, table, theirs)]
        assert seen == (full if bound == str(theirs) else [])


def furnished(store: Store, settings: Settings) -> UUID:
    """A school with rows in many tables: pupils, staff, a card, a session, read models."""
    app = App(settings, store, lambda: datetime.now(UTC))
    school_id = uuid4()
    records, sessions = app.create_school(school_id), Sessions(app)
    office = Actor(id=uuid4(), role="administrator")
    records.register_school(Ask(office, "begin"), SchoolName(school_id=school_id, name="Mill Lane"))
    person = Person(surname="Xylophone", forename="Zebedee", date_of_birth=date(2016, 12, 5))
    made = records.admit(Ask(office, "admit"), person, on=app.clock().date(), year_group=5, groups=[])
    card = sessions.credentials(school_id).card(UUID(made["pupil_id"]))
    sessions.sign_in(school_id, card, address="here")
    app.views.catch_up(school_id)
    return school_id


def test_a_setting_made_and_reset_shows_no_rows(service: Connection, school_log: SchoolLog) -> None:
    with service.transaction():
        service.execute("SELECT set_config('app.school', %s, true)", (str(school_log.school_id),))
        assert service.execute("SELECT count(*) FROM record.schools").fetchone() == (1,)
    assert service.execute("SELECT count(*) FROM record.schools").fetchone() == (0,)


ELSEWHERE = [
    "append(%(school)s, ARRAY[%(stream)s], '{0}', '{event}', '{x}', '{2026-09-02}', ARRAY[%(state)s])",
    "append_one(%(school)s, %(stream)s, 0, 'event', 'x', '2026-09-02', %(state)s)",
    "erase_stream(%(school)s, %(stream)s, 0, 'x', '2026-09-02', %(state)s)",
]


@pytest.mark.parametrize("setting", ["app.astrack", "app.grouped", "app.school"])
@pytest.mark.parametrize("call", ELSEWHERE)
def test_a_school_cannot_append_to_another(service: Connection, school_log: SchoolLog, call: str, setting: str) -> None:
    values = {"school": school_log.school_id, "stream": uuid4(), "state": b"s" * 40}
    with pytest.raises(psycopg.Error) as refused, service.transaction():
        service.execute("SELECT set_config(%s, 'on', true)", (setting,))
        service.execute("SELECT set_config('app.school', %s, true)", (str(uuid4()),))
        service.execute(f"SELECT record.{call}".encode(), values)
    assert refused.value.sqlstate == "AS001" and school_log.size() == 0


@pytest.mark.parametrize("call", ELSEWHERE)
@pytest.mark.parametrize("bound", ["", "nobody"])
@pytest.mark.parametrize("grouped", ["on", "off"])
def test_bound_to_no_school_nothing_is_appended(
    service: Connection, school_log: SchoolLog, call: str, bound: str, grouped: str
) -> None:
    values = {"school": school_log.school_id, "stream": uuid4(), "state": b"s" * 40}
    with pytest.raises(psycopg.Error) as refused, service.transaction():
        service.execute("SELECT set_config('app.grouped', %s, true)", (grouped,))
        service.execute("SELECT set_config('app.school', %s, true)", (bound,))
        service.execute(f"SELECT record.{call}".encode(), values)
    assert refused.value.sqlstate in ("AS001", "22P02") and school_log.size() == 0


@pytest.mark.parametrize("kind", ["erasure", "Event", "note", ""])
def test_only_the_kinds_of_the_format_are_appended(service: Connection, school_log: SchoolLog, kind: str) -> None:
    school, stream = school_log.school_id, uuid4()
    for call, values in (
        ("append(%s, %s, '{0}', %s, '{x}', '{2026-09-02}', %s)", (school, [stream], [kind], [b"s" * 40])),
        ("append_one(%s, %s, 0, %s, 'x', '2026-09-02', %s)", (school, stream, kind, b"s" * 40)),
    ):
        with pytest.raises(psycopg.Error) as refused, service.transaction():
            service.execute("SELECT set_config('app.school', %s, true)", (str(school),))
            service.execute(f"SELECT record.{call}".encode(), values)
        assert refused.value.sqlstate == "AS005"
    assert school_log.size() == 0


def test_a_caller_cannot_choose_a_position_or_a_version_ahead(service: Connection, school_log: SchoolLog) -> None:
    school = school_log.school_id
    call = "SELECT record.append_one(%s, %s, %s, 'event', 'x', '2026-09-02', %s)"
    for version in (-1, 1, 7):
        with pytest.raises(psycopg.Error) as refused, service.transaction():
            service.execute("SELECT set_config('app.school', %s, true)", (str(school),))
            service.execute(call, (school, uuid4(), version, b"s" * 40))
        assert refused.value.sqlstate == "AS002"
    assert school_log.size() == 0


def test_tables_and_functions_of_the_callers_own_are_not_taken_for_the_records(
    service: Connection, school_log: SchoolLog
) -> None:
    school = school_log.school_id
    with service.transaction():
        service.execute(
            "CREATE TEMP TABLE events (LIKE record.events); CREATE TEMP TABLE schools (LIKE record.schools)"
        )
        service.execute("CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'")
        service.execute("SET LOCAL search_path = pg_temp, record, pg_catalog")
        service.execute("SELECT set_config('app.school', %s, true)", (str(school),))
        call = "SELECT record.append_one(%s, %s, 0, 'event', 'x', '2026-09-02', %s)"
        service.execute(call, (school, uuid4(), b"s" * 40))
        assert service.execute("SELECT count(*) FROM pg_temp.events").fetchone() == (0,)
    assert school_log.size() == 1 and len(school_log.leaves()[0]) == 32


def test_an_erasure_cannot_be_appended(service: Connection, school_log: SchoolLog) -> None:
    with pytest.raises(psycopg.Error) as refused:
        service.execute("SELECT record.append(%s, '{}', '{}', '{erasure}', '{}', '{}', '{}')", (school_log.school_id,))
    assert refused.value.sqlstate == "AS005"


def test_every_table_is_under_forced_row_security(admin: Connection) -> None:
    bare = admin.execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
        " AND n.nspname IN ('record', 'keys', 'views') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    ).fetchall()
    assert bare == [("record.migrations",)]


def test_a_role_that_could_bypass_is_refused(admin: Connection) -> None:
    with pytest.raises(UnsafeRole):
        check_role(admin)


def test_views_of_one_school_are_not_seen_from_another(school_log: SchoolLog, store: Store) -> None:
    with school_log.views() as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS views.trial (school_id uuid, pupil_id uuid)")
        conn.execute("SELECT views.protect()")
        conn.execute("INSERT INTO views.trial VALUES (%s, %s)", (school_log.school_id, uuid4()))
    with store.log(uuid4()).views() as conn:
        assert conn.execute("SELECT count(*) FROM views.trial").fetchone() == (0,)


def test_the_projector_reads_no_events(school_log: SchoolLog) -> None:
    with pytest.raises(DENIED), school_log.views() as conn:
        conn.execute("SELECT 1 FROM record.events")
