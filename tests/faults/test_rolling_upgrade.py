"""A new version beside the old one, with a migration, while people write: nobody is refused, nothing is lost or undone."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from astrack.access.sessions import Sessions
from astrack.app import App
from astrack.changing import Ask
from astrack.settings import Settings
from astrack.store import Store, migrate
from astrack.store.embedded import Embedded
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.scope import Scope
from domain.staff import FIRST_MODULE

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
import projections
from projections import pupils, shape
if sys.argv[4]:
    # in the new version the table of a read model has another shape
    pupils.VERSION, pupils.TABLE = 92, "views.pupils_v92"
    pupils.SCHEMA = (pupils.SCHEMA[0].replace("school_id uuid NOT NULL,", "school_id uuid NOT NULL, later text,"),
                     *pupils.SCHEMA[1:])
    projections.ALL = tuple(
        shape.projection(pupils) if one.name == pupils.NAME else one for one in projections.ALL
    )
from astrack.app import App
from astrack.server.running import run
from astrack.settings import Settings
from astrack.store import migrate
home, database, port, later = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
before = migrate.scripts()
if later:
    migrate.scripts = lambda: [*before, ("900_later.sql", later)]
with App.open(Settings(home=home, database=database, pool_size=4, second_factor=False)) as app:
    run(app, "127.0.0.1", port, lambda: print("ready", flush=True))
"""
LATER = """
CREATE TABLE IF NOT EXISTS record.later (school_id uuid NOT NULL, said text NOT NULL);
ALTER TABLE record.answers ADD COLUMN IF NOT EXISTS later text;
ALTER TABLE record.drafts ADD COLUMN IF NOT EXISTS later text;
ALTER TABLE record.sessions ADD COLUMN IF NOT EXISTS later text;
CREATE OR REPLACE FUNCTION record.log_sizes() RETURNS TABLE (school_id uuid, entries bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ /* later */ SELECT s.school_id, s.next_position FROM record.schools s $$;
"""
MARK = "COMMENT ON TABLE record.events IS 'every fact'"
OFFICE = Actor(id=UUID(int=1), role="administrator")
WRITERS = 4
ONCE = httpx.Limits(max_keepalive_connections=0)


class Version:
    """One process of the service, of the old version or of the new one."""

    def __init__(self, of: Settings, later: str = "") -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(of.home), of.database, str(self.port), later],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def ready(self) -> Version:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def stop(self) -> None:
        """As an administrator does: what is under way is finished."""
        self._process.terminate()
        self._process.wait(60)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(20)


class Proxy:
    """Sends each request to one of the processes that are in use, as what stands before them does."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.acknowledged: list[str] = []
        self.wrong: list[str] = []
        self._turn = 0
        self._over = threading.Event()

    def write(self, pupil: UUID, cookie: str) -> None:
        """Wishes to talk, one after another, until it is over."""
        with httpx.Client(cookies={"astrack": cookie}, timeout=30, limits=ONCE) as browser:
            while not self._over.is_set():
                self._turn += 1
                ports = list(self.ports)
                self._one(browser, f"http://127.0.0.1:{ports[self._turn % len(ports)]}/api/v1/pupils/{pupil}/talks")
                time.sleep(0.05)

    def _one(self, browser: httpx.Client, address: str) -> None:
        talk_id = str(uuid4())
        try:
            answer = browser.post(address, json={"talk_id": talk_id}, headers={"Idempotency-Key": talk_id})
        except httpx.HTTPError as error:
            self.wrong.append(type(error).__name__)
            return
        if answer.status_code == 200:
            self.acknowledged.append(talk_id)
        else:
            self.wrong.append(answer.text)

    def moves_off(self, one: Version) -> None:
        """Send nothing more to one of them, then stop it."""
        self.ports.remove(one.port)
        time.sleep(0.5)
        one.stop()

    def end(self) -> None:
        self._over.set()

    def goes_on(self) -> None:
        """Wait until more has been acknowledged."""
        until, before = time.monotonic() + 60, len(self.acknowledged)
        while len(self.acknowledged) < before + 3 * WRITERS:
            assert time.monotonic() < until, self.wrong[:3]
            time.sleep(0.05)


@pytest.fixture
def rolling(settings: Settings, store: Store) -> Settings:
    """A database of this test's own in the server of the others."""
    return Settings(
        home=settings.home, database=f"rolling_{uuid4().hex[:8]}", pool_size=4, timeout_s=20, second_factor=False
    )


@pytest.fixture
def admin(rolling: Settings) -> Iterator[psycopg.Connection[Any]]:
    Store.open(rolling).close()
    with psycopg.connect(Embedded(rolling.home).conninfo("postgres", rolling.database), autocommit=True) as conn:
        yield conn


def pupils(app: App, count: int) -> dict[UUID, str]:
    """Pupils of a new school, each with the cookie of a session."""
    school_id, sessions = uuid4(), Sessions(app)
    records, today = app.create_school(school_id), app.clock().date()
    records.register_school(Ask(OFFICE, "begin"), SchoolName(school_id=school_id, name="Mill Lane"))
    signed_in = {}
    for number in range(count):
        person = Person(surname=f"Zwiebel{number}", forename="Quill", date_of_birth=today - timedelta(days=4_400))
        made = records.admit(Ask(OFFICE, f"admit-{number}"), person, on=today, year_group=7, groups=[])
        pupil = UUID(made["pupil_id"])
        card = sessions.credentials(school_id).card(pupil)
        signed_in[pupil] = sessions.sign_in(school_id, card, address="here").cookie
    return signed_in


def write_one(app: App, pupil: UUID, key: str) -> None:
    (school_id,) = app.store.schools()
    app.school(school_id).ask_to_talk(Ask(Actor(id=pupil, role="pupil"), key), pupil, talk_id=uuid4())


def source(admin: psycopg.Connection[Any], function: str) -> str:
    row = admin.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", (function,)).fetchone()
    assert row is not None
    return str(row[0])


def kept(app: App, pupils: Iterable[UUID]) -> list[str]:
    (school_id,) = app.store.schools()
    records = app.school(school_id)
    return [str(talk) for pupil in pupils for talk in records.journey(pupil)[0].talks]


def test_a_new_version_takes_over_under_load_and_an_old_one_undoes_nothing(
    rolling: Settings, admin: psycopg.Connection[Any]
) -> None:
    proxy = Proxy()
    with App.open(rolling) as app, ThreadPoolExecutor(WRITERS) as at_once, ExitStack() as ended:
        writing = pupils(app, WRITERS)
        old = [Version(rolling) for _ in range(2)]
        for one in old:
            ended.callback(one.kill)
            proxy.ports.append(one.ready().port)
        ended.callback(proxy.end)
        going = [at_once.submit(proxy.write, pupil, cookie) for pupil, cookie in writing.items()]
        proxy.goes_on()
        new = Version(rolling, LATER)
        ended.callback(new.kill)
        proxy.ports.append(new.ready().port)
        assert "later" in source(admin, "log_sizes")
        proxy.goes_on()
        # an old one that is started again beside the new one, as a supervisor does with one that died
        proxy.moves_off(old[0])
        again = Version(rolling)
        ended.callback(again.kill)
        proxy.ports.append(again.ready().port)
        proxy.goes_on()
        for one in (old[1], again):
            proxy.moves_off(one)
        proxy.goes_on()
        proxy.end()
        for written in going:
            written.result(60)
        assert proxy.wrong == []
        assert sorted(kept(app, writing)) == sorted(proxy.acknowledged)
        assert "later" in source(admin, "log_sizes"), "an old process put its own version back"


def lead(app: App) -> str:
    """The cookie of somebody who sees every pupil's name."""
    (school_id,) = app.store.schools()
    records, staff_id, day = app.school(school_id), uuid4(), app.clock().date()
    records.add_staff(Ask(OFFICE, "lead"), staff_id=staff_id, name="Quentin", kind="person")
    everyone = Scope(everyone=True)
    records.grant_role(Ask(OFFICE, "g"), staff_id, grant_id=uuid4(), role="lead_practitioner", scope=everyone)
    records.record_training(Ask(OFFICE, "t"), staff_id, module=FIRST_MODULE, on=day)
    sessions = Sessions(app)
    return sessions.sign_in(school_id, sessions.credentials(school_id).code(staff_id), address="here").cookie


def listed(one: Version, cookie: str) -> set[str]:
    """The pupils that one version lists."""
    with httpx.Client(cookies={"astrack": cookie}, timeout=30, limits=ONCE) as browser:
        answer = browser.get(f"http://127.0.0.1:{one.port}/api/v1/pupils?limit=200")
        assert answer.status_code == 200, answer.text
        return {line["pupil_id"] for line in answer.json()["items"]}


def test_a_read_model_with_a_new_table_is_kept_by_both_versions_while_the_old_one_still_writes(
    rolling: Settings, admin: psycopg.Connection[Any]
) -> None:
    with App.open(rolling) as app, ExitStack() as ended:
        known, cookie = {str(one) for one in pupils(app, 3)}, lead(app)
        (school_id,) = app.store.schools()
        old, new = Version(rolling), Version(rolling, LATER)
        for one in (old, new):
            ended.callback(one.kill)
            one.ready()
        assert listed(old, cookie) == listed(new, cookie) == known
        for number in range(5):
            # this process is of the old version: what it writes, and what it alone catches up, the new one lists too
            person = Person(surname="Zwiebel", forename="Quill", date_of_birth=app.clock().date() - timedelta(4_400))
            made = app.school(school_id).admit(
                Ask(OFFICE, f"late-{number}"), person, on=app.clock().date(), year_group=7, groups=[]
            )
            app.views.catch_up(school_id)
            known.add(made["pupil_id"])
            assert listed(new, cookie) == known
            assert listed(old, cookie) == known
    tables = {name for (name,) in admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'views'")}
    assert {"pupils_v2", "pupils_v92"} <= tables


def test_a_migration_lets_whoever_reads_for_long_and_those_who_write_go_before(
    rolling: Settings, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer_scripts = [*migrate.scripts(), ("901_mark.sql", MARK)]
    with App.open(rolling) as ready, psycopg.connect(admin.info.dsn, password=admin.info.password) as reader:
        (pupil,) = pupils(ready, 1)
        reader.execute("SELECT count(*) FROM record.events")
        monkeypatch.setattr(migrate, "scripts", lambda: newer_scripts)
        with ThreadPoolExecutor(1) as beside:
            newer, took = beside.submit(Store.open, rolling), []
            try:
                for number in range(10):
                    time.sleep(0.1)
                    begun = time.monotonic()
                    write_one(ready, pupil, f"write-{number}")
                    took.append(time.monotonic() - begun)
                assert not newer.done(), "it did not wait for whoever reads"
            finally:
                reader.rollback()
            newer.result(60).close()
        assert max(took) < 3, "a write waited for the migration, and it for the reader"
    assert migrate.migrated(admin)
