"""check_store finds what does not fit around a log: grants, policies, keys, tiles, views, an older backup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack.settings import Settings
from astrack.store import Change, SchoolLog, Store
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from domain.base import Actor, Event, StreamClass
from domain.school import StreamErased
from transfer.evidence import merkle

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")
APPEND_ONE = "record.append_one(uuid, uuid, bigint, text, text, timestamptz, bytea)"
WRITE = "record.write(uuid, uuid[], bigint[], text[], text[], timestamptz[], bytea[])"


class RowAdded(Event):
    """A row was added (for these tests)."""

    TOPIC: ClassVar[str] = "test.row-added.v1"


@pytest.fixture
def admin(store: Store, settings: Settings) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database), autocommit=True) as conn:
        yield conn


@pytest.fixture
def log(school_log: SchoolLog) -> SchoolLog:
    """A log of 600 entries."""
    events = tuple(RowAdded(event_id=uuid4(), recorded_at=AT, by=ACTOR) for _ in range(200))
    changes = [Change(uuid4(), StreamClass.JOURNEY, -1, events) for _ in range(3)]
    assert len(school_log.append(changes, idempotency=None)) == 600
    return school_log


def found(log: SchoolLog, known: tuple[int, bytes] | None = None) -> str:
    return " | ".join(finding.what for finding in check_store(log, known))


PAST = "record.past()"
LOOSENED = {
    "GRANT INSERT ON record.events TO astrack_service": (
        "REVOKE INSERT ON record.events FROM astrack_service", "astrack_service may INSERT record.events"),
    "GRANT UPDATE (topic) ON record.events TO astrack_service": (
        "REVOKE UPDATE (topic) ON record.events FROM astrack_service", "astrack_service may UPDATE record.events.topic"),
    "GRANT DELETE ON record.events TO astrack_projector": (
        "REVOKE DELETE ON record.events FROM astrack_projector", "astrack_projector may DELETE record.events"),
    "GRANT TRUNCATE ON record.answers TO PUBLIC": (
        "REVOKE TRUNCATE ON record.answers FROM PUBLIC", "everybody may TRUNCATE record.answers"),
    "GRANT UPDATE ON record.schools TO astrack_service": (
        "REVOKE UPDATE ON record.schools FROM astrack_service", "may UPDATE record.schools"),
    "GRANT DELETE ON keys.erasures TO astrack_service": (
        "REVOKE DELETE ON keys.erasures FROM astrack_service", "may DELETE keys.erasures"),
    "GRANT INSERT ON views.positions TO astrack_service": (
        "REVOKE INSERT ON views.positions FROM astrack_service", "may INSERT views.positions"),
    "GRANT CREATE ON SCHEMA record TO astrack_service": (
        "REVOKE CREATE ON SCHEMA record FROM astrack_service", "may CREATE schema record"),
    f"GRANT EXECUTE ON FUNCTION {WRITE} TO astrack_service": (
        f"REVOKE EXECUTE ON FUNCTION {WRITE} FROM astrack_service", "may EXECUTE record.write"),
    "GRANT EXECUTE ON FUNCTION views.forget(uuid, uuid, boolean) TO astrack_service": (
        "REVOKE EXECUTE ON FUNCTION views.forget(uuid, uuid, boolean) FROM astrack_service", "may EXECUTE views.forget"),
    f"CREATE FUNCTION {PAST} RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS"
    " 'DELETE FROM record.events'": (f"DROP FUNCTION {PAST}", "everybody may EXECUTE record.past"),
    f"CREATE FUNCTION {PAST} RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'": (
        f"DROP FUNCTION {PAST}", f"{PAST} is not the function that this version makes"),
    "ALTER TABLE record.drafts NO FORCE ROW LEVEL SECURITY": (
        "ALTER TABLE record.drafts FORCE ROW LEVEL SECURITY", "record.drafts has no forced"),
    "CREATE POLICY wide ON record.answers USING (true)": (
        "DROP POLICY wide ON record.answers", "not of its own school"),
    "CREATE POLICY wide ON record.answers FOR INSERT WITH CHECK (true)": (
        "DROP POLICY wide ON record.answers", "not of its own school"),
    "CREATE POLICY wide ON record.answers USING (school_id = record.school() OR true)": (
        "DROP POLICY wide ON record.answers", "not of its own school"),
    "CREATE POLICY grouped ON record.drafts TO astrack_service USING (true)": (
        "DROP POLICY grouped ON record.drafts", "record.drafts has a policy that is not of its own school"),
    f"ALTER FUNCTION {APPEND_ONE} RESET search_path": (
        f"ALTER FUNCTION {APPEND_ONE} SET search_path = pg_catalog, pg_temp", "looks names up"),
    "ALTER TABLE record.holds OWNER TO postgres": (
        "ALTER TABLE record.holds OWNER TO astrack_owner", "record.holds belongs to postgres"),
    "CREATE RULE quiet AS ON UPDATE TO record.events DO INSTEAD NOTHING": (
        "DROP RULE quiet ON record.events", "record.events has a trigger or a rule"),
    "CREATE TRIGGER quiet BEFORE UPDATE ON record.answers FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()": (
        "DROP TRIGGER quiet ON record.answers", "record.answers has a trigger or a rule"),
}  # fmt: skip


@pytest.mark.parametrize("loosen", LOOSENED)
def test_a_way_past_the_records_functions_is_found(
    school_log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]], loosen: str
) -> None:
    tighten, sentence = LOOSENED[loosen]
    assert found(school_log) == ""
    admin.execute(loosen.encode())
    try:
        assert sentence in found(school_log)
    finally:
        admin.execute(tighten.encode())
    assert found(school_log) == ""


def test_keys_and_streams_that_have_lost_each_other_are_found(
    log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    one = log.page(-1, 1)[0].stream_id
    admin.execute("DELETE FROM record.streams WHERE stream_id = %s", (one,))
    assert found(log) == f"the key of stream {one} is kept though no stream has it"
    admin.execute("INSERT INTO record.streams VALUES (%s, %s, NULL)", (log.school_id, one))
    empty = uuid4()
    admin.execute("INSERT INTO record.streams VALUES (%s, %s, NULL)", (log.school_id, empty))
    assert found(log) == f"stream {empty} has no key"


def test_an_older_list_of_erasures_and_a_rotation_broken_off_are_found(
    store: Store, log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    stream = log.page(-1, 1)[0].stream_id
    log.erase_stream(stream, StreamErased(event_id=uuid4(), recorded_at=AT, by=ACTOR, why="asked for"))
    assert found(log) == ""
    admin.execute("DELETE FROM keys.erasures WHERE stream_id = %s", (stream,))
    assert found(log) == f"the keys do not know that stream {stream} was erased: restore a newer backup of them"
    admin.execute("INSERT INTO keys.school_keys VALUES (%s, 7, 'x')", (log.school_id,))
    assert "the school has 2 keys: a rotation runs or was broken off" in found(log)
    admin.execute("DELETE FROM keys.school_keys WHERE school_id = %s AND generation = 7", (log.school_id,))


def test_tiles_that_the_leaves_do_not_give_are_found(
    log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    tiles: dict[tuple[int, int], bytes] = {}
    tiles |= merkle.new_tiles(0, log.leaves(), lambda level, place: tiles.get((level, place), b""))
    for (level, place), hashes in tiles.items():
        admin.execute("INSERT INTO record.tiles VALUES (%s, %s, %s, %s)", (log.school_id, level, place, hashes))
    assert {level for level, _ in tiles} == {0, 1} and found(log) == ""
    flip = "UPDATE record.tiles SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) WHERE school_id = %s"
    admin.execute((flip + " AND level = 0 AND place = 1").encode(), (log.school_id,))
    assert found(log).startswith("the tile 1 of level 0 is not")
    admin.execute((flip + " AND level = 0 AND place = 1").encode(), (log.school_id,))
    admin.execute((flip + " AND level = 1").encode(), (log.school_id,))
    assert found(log) == "the tile 0 of level 1 is not what the leaves give"


def test_a_view_that_is_ahead_of_its_log_is_found(log: SchoolLog) -> None:
    with log.views() as conn:
        conn.execute("INSERT INTO views.positions VALUES (%s, 'timeline', 601)", (log.school_id,))
    assert found(log) == "the view timeline is at 601, the log has 600 entries: rebuild it"


def test_an_older_backup_is_told_from_the_last_checkpoint(
    log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    known = (600, merkle.root(log.leaves()))
    assert (
        found(log, known)
        == found(log, (0, merkle.EMPTY_ROOT))
        == found(log, (77, merkle.root(log.leaves(0, 77))))
        == ""
    )
    assert "written anew" in found(log, (599, known[1]))
    admin.execute("DELETE FROM record.events WHERE school_id = %s AND position >= 590", (log.school_id,))
    admin.execute("UPDATE record.schools SET next_position = 590 WHERE school_id = %s", (log.school_id,))
    assert "an older backup has been restored" in found(log, known) and found(log) == ""


def test_six_hundred_events_go_in_with_one_call_in_a_moment(school_log: SchoolLog) -> None:
    streams = [uuid4() for _ in range(30)]
    changes = [
        Change(stream, StreamClass.JOURNEY, -1,
               tuple(RowAdded(event_id=uuid4(), recorded_at=AT, by=ACTOR) for _ in range(20)))
        for stream in streams
    ]  # fmt: skip
    begun = datetime.now(UTC)
    school_log.append(changes, idempotency=None)
    assert (datetime.now(UTC) - begun).total_seconds() < 5  # about 0.05 s on an idle computer
    assert [one.version for one in school_log.load_many(streams)] == [19] * 30 and found(school_log) == ""
