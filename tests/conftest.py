"""One embedded PostgreSQL for each test process, and a fresh school for each test."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from astrack.server.logs import Lines
from astrack.settings import Settings
from astrack.store import SchoolLog, Store
from astrack.store.embedded import Embedded, derived_password
from astrack.store.migrate import PROJECTOR, SERVICE

SHARED = Path(__file__).parents[2] / "shared"
OPENED = datetime(2026, 9, 1, 8, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long modes too (minutes to hours)")


SEEDS = (
    "Xylophone", "Yggdrasil", "Wombat", "Zebedee", "Neighbourson", "Quentin", "Zwiebel", "Okafor", "Hughes", "Rahman",
    "four words that are mine",
)  # fmt: skip
"""Names of people and secrets that tests make up: none of them belongs into a log."""
SECRETS: set[str] = set()
"""The keys and passwords of this test process, as texts: none of them belongs into a log either."""


class Heard(logging.Handler):
    """Every line the service logs in this test process, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(Lines())
        self.found: list[str] = []
        self.lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        self.lines += 1
        self.found += told(line)


def told(text: str) -> list[str]:
    """Which names and secrets a text tells; of a secret only that it is one."""
    names = [f"{seed} in {text[:300]}" for seed in SEEDS if seed in text]
    return names + ["a key or password" for secret in SECRETS if secret in text]


HEARD = Heard()


def pytest_configure() -> None:
    for name in ("astrack", "uvicorn", "psycopg", "eventsourcing", "opentelemetry", "fastapi"):
        logging.getLogger(name).addHandler(HEARD)
        logging.getLogger(name).setLevel(logging.DEBUG)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the whole run where a made-up name or secret went into a log."""
    if HEARD.found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nlogs name people or secrets:", *HEARD.found[:10], sep="\n")


LONGEST = {
    "test_api_fuzz.py", "test_demo_story.py", "test_store_kill_loop.py", "test_accessible.py", "test_journeys.py",
    "test_views_properties.py", "test_simulated_store.py", "test_rolling_upgrade.py", "test_year_group.py",
    "test_server_processes.py", "test_cli.py", "test_oneroster.py", "test_fuzz.py", "test_views_faults.py",
}  # fmt: skip
"""Files that take longest. They are begun first: a long one begun last would keep one process busy alone."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="a long mode: scripts/test --long runs it"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of conformance data beside the project; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"no conformance data at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """A data folder of this test process, which the server's own user can reach."""
    home = Path(tempfile.mkdtemp(prefix="astrack-"))
    home.chmod(0o711)
    yield Settings(home=home, database="tests", timeout_s=20, second_factor=False)
    for log in (home / "postgres" / "server.log", home / "errors.log"):
        # what the database and the command line wrote is searched like the service's own lines
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        HEARD.found += [one for line in lines for one in told(line)]
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def store(settings: Settings) -> Iterator[Store]:
    """A store on real PostgreSQL."""
    os.umask(0o022)
    with Store.open(settings) as opened:
        server = Embedded(settings.home)
        _throw_away(server)
        SECRETS.update({settings.root_key_path.read_text().strip(), server.secret.hex()})
        SECRETS.update(derived_password(server.secret, role) for role in ("postgres", SERVICE, PROJECTOR))
        yield opened


def _throw_away(server: Embedded) -> None:
    """Spare a server the care that only a power cut would reward: nothing of it outlives the tests.

    Tests that kill a server, or fill its disk, start one of their own, which keeps all its care.
    """
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        for name in ("fsync", "full_page_writes"):
            conn.execute(f"ALTER SYSTEM SET {name} = off".encode())
        conn.execute("SELECT pg_reload_conf()")


@pytest.fixture
def school_log(store: Store) -> SchoolLog:
    """The empty log of a school of this test's own."""
    school_id = uuid4()
    store.create_school(school_id, OPENED)
    return store.log(school_id)
