"""Backups with the real pg_dump and pg_restore: everything comes back, except what was erased."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from astrack.settings import Settings
from astrack.store import BadSetting, Change, KeyMissing, PupilStreams, SchoolLog, Store, StoreError
from astrack.store.backup import _binary, backup, read_heads, restore
from domain.base import Actor, Erased, Event, StreamClass
from domain.school import StreamErased as Reason

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="head")

try:
    _binary("pg_dump")
except BadSetting:
    pytest.skip("no pg_dump on this computer: backups are NOT tested", allow_module_level=True)


class LeafTurned(Event):
    """A leaf was turned (for these tests)."""

    TOPIC: ClassVar[str] = "test.leaf-turned.v1"


def turned(stream: UUID, expected: int, at: datetime = AT) -> Change:
    event = LeafTurned(event_id=uuid4(), recorded_at=at, by=ACTOR)
    return Change(stream, StreamClass.JOURNEY, expected, (event,))


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="astrack-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def elsewhere(store: Store, settings: Settings) -> Settings:
    """Another, empty database of the same server, with the same root key."""
    return Settings(home=settings.home, database=f"restored_{uuid4().hex[:8]}", timeout_s=20)


@pytest.fixture
def origin(store: Store, settings: Settings) -> Iterator[tuple[Settings, SchoolLog]]:
    """A database of its own with one school in it."""
    own = Settings(home=settings.home, database=f"origin_{uuid4().hex[:8]}", timeout_s=20)
    school = uuid4()
    with Store.open(own) as opened:
        opened.create_school(school, AT)
        yield own, opened.log(school)


def test_everything_comes_back_and_what_was_erased_since_is_erased_again(
    origin: tuple[Settings, SchoolLog], elsewhere: Settings, folder: Path
) -> None:
    own, log = origin
    pupil = PupilStreams(uuid4(), uuid4(), uuid4(), uuid4())
    log.append([turned(pupil.journey_id, -1)], idempotency=None, new_pupils=[pupil])
    kept = uuid4()
    log.append([turned(kept, -1)], idempotency=None)
    draft = uuid4()
    log.save_draft(draft, kept, b"half an answer")
    assert backup(own, folder / "old", folder / "old-keys") == 1
    assert (folder / "old-keys" / "keys.dump").stat().st_mode & 0o077 == 0
    log.erase_stream(
        pupil.journey_id, Reason(event_id=uuid4(), recorded_at=AT + timedelta(hours=1), by=ACTOR, why="asked for")
    )
    leaves = log.leaves()
    backup(own, folder / "new", folder / "keys")
    # the newest record is lost: an older one comes back, with the newest keys
    done = restore(elsewhere, folder / "old", folder / "keys", AT + timedelta(days=1))
    assert (done.logs, done.erased_again, done.findings) == (1, 1, [])
    with Store.open(elsewhere) as again:
        back = again.log(log.school_id)
        assert back.leaves() == leaves and back.load_draft(draft) == b"half an answer"
        assert isinstance(back.load(pupil.journey_id).facts[0].event, Erased) and back.pupil(pupil.pupil_id) is None
        back.append([turned(kept, 0, AT + timedelta(days=2))], idempotency=None)  # goes on
    with pytest.raises(StoreError, match="already has records"):
        restore(elsewhere, folder / "new", folder / "keys", AT)


def test_an_older_backup_is_recognised_by_the_newest_heads(
    origin: tuple[Settings, SchoolLog], elsewhere: Settings, folder: Path
) -> None:
    own, log = origin
    stream = uuid4()
    log.append([turned(stream, -1)], idempotency=None)
    backup(own, folder / "old", folder / "old-keys")
    log.append([turned(stream, 0)], idempotency=None)
    backup(own, folder / "new", folder / "keys")
    assert read_heads(folder / "keys" / "heads.json")[log.school_id][0] == 2
    done = restore(elsewhere, folder / "old", folder / "keys", AT)
    assert [school for school, _ in done.findings] == [log.school_id]
    assert "checkpoint of 2 entries is known, but the log has 1" in done.findings[0][1].what


def test_a_backup_without_its_root_key_opens_nothing(
    origin: tuple[Settings, SchoolLog], elsewhere: Settings, folder: Path
) -> None:
    own, log = origin
    log.append([turned(uuid4(), -1)], idempotency=None)
    backup(own, folder / "record", folder / "keys")
    stranger = Settings(home=elsewhere.home, database=elsewhere.database, root_key="11" * 32, timeout_s=20)
    with pytest.raises(KeyMissing, match="root key"):
        restore(stranger, folder / "record", folder / "keys", AT)
    with Store.open(stranger) as thief, pytest.raises(KeyMissing):
        thief.log(log.school_id).page(-1, 1)


def test_a_restore_draws_no_root_key_of_its_own(
    origin: tuple[Settings, SchoolLog], elsewhere: Settings, folder: Path
) -> None:
    own, _ = origin
    backup(own, folder / "record", folder / "keys")
    mistyped = replace(elsewhere, root_key_file=folder / "mistyped.key")
    with pytest.raises(BadSetting, match="put back the one of the backup"):
        restore(mistyped, folder / "record", folder / "keys", AT)
    assert not (folder / "mistyped.key").exists()


def test_folders_that_are_no_backup_are_refused(elsewhere: Settings, folder: Path) -> None:
    with pytest.raises(StoreError, match=r"heads\.json is not the list of heads"):
        restore(elsewhere, folder, folder, AT)
    (folder / "heads.json").write_text("{}")
    with pytest.raises(StoreError, match=r"there is no .*record\.dump"):
        restore(elsewhere, folder, folder, AT)
    (folder / "record.dump").write_bytes(b"PGDMP but not really")
    with pytest.raises(StoreError, match="pg_restore did not do it"):
        restore(elsewhere, folder, folder, AT)
