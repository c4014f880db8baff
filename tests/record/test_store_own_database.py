"""A PostgreSQL of the user's own, named by a URL: which roles serve, and which are refused."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from astrack.settings import Settings
from astrack.store import BadSetting, Store
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store

AT = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def prepared(store: Store, settings: Settings) -> Callable[[str, str], Settings]:
    """Settings for a fresh database of the test server, opened as a role with some attributes."""
    server = Embedded(settings.home)

    def prepare(role: str, attributes: str) -> Settings:
        name = f"own_{uuid4().hex[:8]}"
        role = f"{role}_{name}"
        with psycopg.connect(server.conninfo(), autocommit=True) as conn:
            conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'p' {attributes}".encode())
            conn.execute(f"CREATE DATABASE {name} OWNER {role}".encode())
            conn.execute("GRANT astrack_owner, astrack_service, astrack_projector TO " + role + " WITH ADMIN OPTION"
                         if "CREATEROLE" in attributes else f"GRANT astrack_service, astrack_projector TO {role}")  # fmt: skip
        url = psycopg.conninfo.make_conninfo(host=str(server.folder), user=role, password="p", dbname=name)
        key = settings.home / "database.hex"
        key.write_text(f"{'11' * 32}\ndatabase: {server.secret.hex()}\n")  # the roles of one server have one password
        return replace(settings, database_url=url, root_key_file=key)

    return prepare


def test_a_role_that_may_create_roles_prepares_the_database(prepared: Callable[[str, str], Settings]) -> None:
    own = prepared("builder", "CREATEROLE")
    for _ in range(2):
        with Store.open(own) as store:
            school = uuid4()
            store.create_school(school, AT)
            assert school in store.schools()


def test_a_plain_role_is_refused_until_the_database_is_prepared(
    prepared: Callable[[str, str], Settings], settings: Settings
) -> None:
    plain = prepared("plain", "")
    with pytest.raises(BadSetting, match="not prepared"):
        Store.open(plain)
    server = Embedded(settings.home)
    name = psycopg.conninfo.conninfo_to_dict(plain.database_url or "")["dbname"]
    Store.open(replace(plain, database_url=server.conninfo(database=str(name)))).close()
    with Store.open(plain) as store:
        store.create_school(uuid4(), AT)
        assert len(store.schools()) == 1


@pytest.fixture
def alone() -> Iterator[Settings]:
    """A server of its own, reached by its URL: what it is told of passwords concerns no other test."""
    home = Path(tempfile.mkdtemp(prefix="astrack-"))
    home.chmod(0o711)
    server = Embedded(home)
    server.start()
    yield Settings(home=home, database_url=server.conninfo(), timeout_s=20)
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


def test_an_old_root_key_may_be_taken_out_of_the_environment_after_a_rotation(alone: Settings) -> None:
    old, new, school = "11" * 32, "22" * 32, uuid4()
    with Store.open(replace(alone, root_key=old)) as store:
        store.create_school(school, AT)
    with Store.open(replace(alone, root_key=f"{new},{old}")) as store:
        assert store.rotate_root() == 1
    with Store.open(replace(alone, root_key=new)) as store:
        assert list(check_store(store.log(school))) == []
        assert store.log(school).ring.own().generation == 1
