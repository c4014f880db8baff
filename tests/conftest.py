"""One embedded PostgreSQL for each test process, and a fresh school for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from astrack.settings import Settings
from astrack.store import SchoolLog, Store

OPENED = datetime(2026, 9, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """A data folder of this test process, which the server's own user can reach."""
    home = Path(tempfile.mkdtemp(prefix="astrack-"))
    home.chmod(0o711)
    yield Settings(home=home, database="tests", timeout_s=20)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def store(settings: Settings) -> Iterator[Store]:
    """A store on real PostgreSQL."""
    os.umask(0o022)
    with Store.open(settings) as opened:
        yield opened


@pytest.fixture
def school_log(store: Store) -> SchoolLog:
    """The empty log of a school of this test's own."""
    school_id = uuid4()
    store.create_school(school_id, OPENED)
    return store.log(school_id)
