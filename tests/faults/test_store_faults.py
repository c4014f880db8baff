"""Killed servers and parents, cut connections, altered rows: what was acknowledged stays, and what is wrong is named."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack.settings import Settings
from astrack.store import Change, Idempotency, KeyMissing, SchoolLog, Store, StoreUnavailable
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from domain.base import Actor, Event, StreamClass

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")
ROOT = Path(__file__).parents[2]


class BellRung(Event):
    """The bell rang (for these tests)."""

    TOPIC: ClassVar[str] = "test.bell-rung.v1"


def rung(stream: UUID, expected: int, count: int = 1) -> Change:
    events = tuple(BellRung(event_id=uuid4(), recorded_at=AT, by=ACTOR) for _ in range(count))
    return Change(stream, StreamClass.JOURNEY, expected, events)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="astrack-"))
    folder.chmod(0o711)
    yield folder
    Store.open(Settings(home=folder)).close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def admin(store: Store, settings: Settings) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database), autocommit=True) as conn:
        yield conn


def test_a_connection_cut_while_idle_is_replaced_unseen(
    school_log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    stream = uuid4()
    school_log.append([rung(stream, -1)], idempotency=None)
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'astrack_service'")
    time.sleep(0.2)
    school_log.append([rung(stream, 0)], idempotency=None)
    assert school_log.load(stream).version == 1


def test_an_answer_lost_after_commit_is_found_under_its_key(school_log: SchoolLog) -> None:
    stream = uuid4()
    key = Idempotency(ACTOR.id, "k", b"hash", b"answer")
    school_log.append([rung(stream, -1)], idempotency=key)  # and the connection was lost before the reply was read
    streams, answer = school_log.load_for([stream], ACTOR.id, "k", b"hash")
    assert answer == b"answer" and streams[0].version == 0


ALTERATIONS = {
    "UPDATE record.events SET topic = 'test.other.v1' WHERE position = 1": "does not open",
    "UPDATE record.events SET recorded_at = recorded_at + interval '1 day' WHERE position = 1": "does not open",
    "UPDATE record.events SET leaf = sha256('x') WHERE position = 1": "its leaf is not",
    "UPDATE record.events SET state = set_byte(state, 3, get_byte(state, 3) # 1) WHERE position = 1": "its leaf is not",
    "UPDATE record.events SET state = set_byte(state, 60, get_byte(state, 60) # 1) WHERE position = 1": "does not open",
    "UPDATE record.events SET state = substring(state FROM 1 FOR 20) WHERE position = 1": "neither sealed nor erased",
    "UPDATE record.events SET recorded_at = NULL WHERE position = 1": "its time is missing",
    "UPDATE record.events SET version = 7 WHERE position = 2": "goes on with version 7, not 2",
    "UPDATE record.events SET version = version + 10 WHERE true": "goes on with version 10, not 0",
    "UPDATE record.events SET stream_id = gen_random_uuid() WHERE position = 0": "goes on with version 1, not 0",
    "UPDATE record.events SET kind = 'export' WHERE position = 1": "its leaf is not",
    "UPDATE record.events SET kind = 'note' WHERE position = 1": "its columns do not make an entry",
    "UPDATE record.events SET position = 9 WHERE position = 2": "position 2 is missing: the next one found is 9",
    "DELETE FROM record.events WHERE position = 1": "position 1 is missing",
    "DELETE FROM record.events WHERE position = 2": "the school says it has 3 entries",
    "UPDATE record.schools SET next_position = 2 WHERE true": "the school says it has 2 entries, but the last one",
    "UPDATE record.schools SET last_recorded_at = '2026-09-01' WHERE true": "time of its last entry is not that of",
    "UPDATE record.schools SET last_recorded_at = '2099-01-01' WHERE true": "time of its last entry is not that of",
    "DELETE FROM keys.stream_keys WHERE class = 1": "is missing though it has not been erased",
}


@pytest.mark.parametrize("statement", ALTERATIONS)
def test_check_store_names_what_was_altered(
    store: Store, school_log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]], statement: str
) -> None:
    school_log.append([rung(uuid4(), -1, 3)], idempotency=None)
    assert list(check_store(school_log)) == []
    where = " AND school_id = %s" if "WHERE" in statement else " WHERE school_id = %s"
    admin.execute((statement + where).encode(), (school_log.school_id,))
    fresh = SchoolLog(store._db, store._root, school_log.school_id)
    assert ALTERATIONS[statement] in " ".join(finding.what for finding in check_store(fresh))
    assert len(fresh.page(-1, 10)) >= 2


def test_another_root_key_is_refused_in_a_sentence(home: Path) -> None:
    school = uuid4()
    with Store.open(Settings(home=home)) as store:
        store.create_school(school, AT)
    other = home / "other.key"
    other.write_text("00" * 32)
    with Store.open(Settings(home=home, root_key_file=other)) as store, pytest.raises(KeyMissing, match="root key"):
        store.log(school).append([rung(uuid4(), -1)], idempotency=None)


PARENT = """
import sys, time
from pathlib import Path
from astrack.settings import Settings
from astrack.store import Store
store = Store.open(Settings(home=Path(sys.argv[1])))
print("open", flush=True)
time.sleep(60)
"""


def parent(home: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", PARENT, str(home)], stdout=subprocess.PIPE, text=True, cwd=ROOT,
                             env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert child.stdout and child.stdout.readline() == "open\n"
    return child


def running(home: Path) -> bool:
    return Embedded(home).pid() is not None


def test_sigterm_stops_the_server_with_its_last_user(home: Path) -> None:
    first, second = parent(home), parent(home)
    for child, still in ((first, True), (second, False)):
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 128 + signal.SIGTERM
        assert running(home) is still


def test_a_killed_parent_leaves_a_server_that_the_next_one_adopts(home: Path) -> None:
    child = parent(home)
    pid = Embedded(home).pid()
    child.kill()
    child.wait(10)
    with Store.open(Settings(home=home)) as store:
        assert Embedded(home).pid() == pid and store.schools() == []
    assert not running(home)


def test_a_killed_server_loses_nothing_acknowledged(home: Path) -> None:
    school, stream = uuid4(), uuid4()
    with Store.open(Settings(home=home, timeout_s=5)) as store:
        store.create_school(school, AT)
        log = store.log(school)
        for version in range(-1, 29):
            log.append([rung(stream, version)], idempotency=None)
        pid = Embedded(home).pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
        with pytest.raises(StoreUnavailable):
            log.append([rung(stream, 29)], idempotency=None)
        log.append([rung(stream, 29)], idempotency=None)  # the store has started it again
    with Store.open(Settings(home=home)) as store:
        assert store.log(school).load(stream).version == 30
        assert list(check_store(store.log(school))) == []


def test_the_databases_own_log_holds_no_value_of_a_statement_that_was_refused_or_cut_off(home: Path) -> None:
    school = uuid4()
    with Store.open(Settings(home=home, timeout_s=5)) as store:
        store.create_school(school, AT)
        log = store.log(school)
        with pytest.raises(psycopg.Error):
            log.ask("SELECT %s::uuid, 'Amaryllis'::int")
        for ending in ("pg_terminate_backend(pid)", "pg_cancel_backend(pid)"):
            with ThreadPoolExecutor(1) as beside, admin_of(home) as admin:
                slow = beside.submit(log.ask, "SELECT %s::uuid, 'Amaryllis', pg_sleep(30)")
                until_running(admin, f"SELECT {ending} FROM pg_stat_activity WHERE query LIKE '%Amaryllis%pg_sleep%'"
                                     " AND pid <> pg_backend_pid()")  # fmt: skip
                assert slow.exception(30) is not None
        with ThreadPoolExecutor(1) as beside, admin_of(home) as admin:
            slow = beside.submit(log.ask, "SELECT %s::uuid, 'Amaryllis', pg_sleep(30)")
            pid = until_running(admin, "SELECT pid FROM pg_stat_activity WHERE query LIKE '%Amaryllis%pg_sleep%'"
                                       " AND pid <> pg_backend_pid()")  # fmt: skip
            os.kill(pid, signal.SIGKILL)
            assert slow.exception(30) is not None
        written = (home / "postgres" / "server.log").read_text()
    assert "signal 9" in written, "what happens is in the log"
    assert "Amaryllis" not in written


def admin_of(home: Path) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection that may do everything."""
    return psycopg.connect(Embedded(home).conninfo("postgres", "astrack"), autocommit=True)


def until_running(admin: psycopg.Connection[tuple[Any, ...]], question: str) -> Any:
    """The first value of a question, asked until it has one."""
    for _ in range(100):
        row = admin.execute(question.encode()).fetchone()
        if row is not None:
            return row[0]
        time.sleep(0.1)
    raise AssertionError("the statement never ran")


def test_the_socket_folder_and_the_secrets_are_private(home: Path) -> None:
    with Store.open(Settings(home=home)):
        server = Embedded(home)
        assert server.folder.stat().st_mode & 0o077 == 0
        for name in ("root.key", "database.secret"):
            assert (home / name).stat().st_mode & 0o077 == 0
        hba = (home / "postgres" / "pg_hba.conf").read_text()
        assert "trust" not in "".join(line for line in hba.splitlines() if not line.startswith("#"))
