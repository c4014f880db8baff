"""Erasing reaches everything that is kept of a stream; a hold refuses it; a restored backup is erased again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack.settings import Settings
from astrack.store import Change, Idempotency, PupilStreams, SchoolLog, Store, StreamErased, StreamHeld
from astrack.store.embedded import Embedded
from astrack.store.erasing import hold, release
from astrack.store.fsck import check_store
from domain.base import Actor, Erased, Event, StreamClass
from domain.school import StreamErased as Reason

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
LATER = AT + timedelta(days=1)
ACTOR = Actor(id=UUID(int=7), role="head")
COLUMNS = "school_id, position, stream_id, version, kind, topic, recorded_at, leaf, state"


class PageWritten(Event):
    """A page was written (for these tests)."""

    TOPIC: ClassVar[str] = "test.page-written.v1"
    text: str


def written(stream: UUID, expected: int, *texts: str, name: StreamClass = StreamClass.JOURNEY) -> Change:
    events = (PageWritten(event_id=uuid4(), recorded_at=AT, by=ACTOR, text=text) for text in texts)
    return Change(stream, name, expected, tuple(events))


def why(at: datetime = LATER) -> Reason:
    return Reason(event_id=uuid4(), recorded_at=at, by=ACTOR, why="asked for by the family")


@pytest.fixture
def admin(store: Store, settings: Settings) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database), autocommit=True) as conn:
        yield conn


@pytest.fixture
def pupil(school_log: SchoolLog) -> PupilStreams:
    """A pupil with something in every place that keeps anything of a stream."""
    made = PupilStreams(uuid4(), uuid4(), uuid4(), uuid4())
    key = Idempotency(ACTOR.id, "k", b"hash", b"an answer about the pupil")
    journey = written(made.journey_id, -1, "one", "two")
    school_log.append([journey], idempotency=key, new_pupils=[made])
    school_log.append([written(made.identity_id, -1, "Hartley", name=StreamClass.IDENTITY)], idempotency=None)
    school_log.append([written(uuid4(), -1, "somebody else's")], idempotency=None)
    school_log.save_draft(uuid4(), made.journey_id, b"half an answer")
    school_log.dead_letter("timeline", 0, "it broke on 'one'")
    with school_log.views() as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS views.erasing_trial (school_id uuid, pupil_id uuid, text text)")
        conn.execute("SELECT views.protect()")
        conn.execute("INSERT INTO views.erasing_trial VALUES (%s, %s, 'one')", (school_log.school_id, made.pupil_id))
    return made


def test_erasing_leaves_nothing_behind_but_what_proves(school_log: SchoolLog, pupil: PupilStreams) -> None:
    before = school_log.leaves()
    assert school_log.erasure_report(pupil.journey_id).position == -1
    assert "has not been erased" in str(school_log.erasure_report(pupil.journey_id))
    school_log.erase_stream(pupil.journey_id, why())
    report = school_log.erasure_report(pupil.journey_id)
    assert (report.erased, report.position, report.intact, report.left) == (2, 4, True, {})
    assert str(report).startswith("2 entries, unreadable since entry 4; the chain still holds")
    assert school_log.leaves()[:4] == before and list(check_store(school_log)) == []
    with school_log.views() as conn:
        assert conn.execute("SELECT count(*) FROM views.erasing_trial").fetchone() == (0,)
    assert school_log.dead_letters("timeline") == []
    assert school_log.load_for([], ACTOR.id, "k", b"hash")[1] is None


def test_no_byte_of_the_stream_is_left_in_any_table(
    school_log: SchoolLog, pupil: PupilStreams, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    tables = "SELECT table_schema || '.' || table_name FROM information_schema.columns WHERE column_name = 'school_id'"
    school_log.erase_stream(pupil.journey_id, why())
    for (table,) in admin.execute(tables).fetchall():
        query = f"SELECT t::text FROM {table} t WHERE school_id = %s AND t::text LIKE %s"
        rows = admin.execute(query.encode(), (school_log.school_id, f"%{pupil.journey_id}%")).fetchall()
        assert {table: len(rows)} in ({table: 0}, {"record.events": 3}, {"keys.erasures": 1})


def test_the_identity_can_be_erased_alone(school_log: SchoolLog, pupil: PupilStreams) -> None:
    school_log.erase_stream(pupil.identity_id, why())
    assert isinstance(school_log.load(pupil.identity_id).facts[0].event, Erased)
    assert [fact.event.text for fact in school_log.load(pupil.journey_id).facts] == ["one", "two"]  # type: ignore[attr-defined]
    found = school_log.pupil(pupil.pupil_id)
    assert found is not None and found.journey_id == pupil.journey_id and found.identity_id != pupil.identity_id


def test_another_process_that_holds_the_key_reads_and_writes_no_more(
    store: Store, school_log: SchoolLog, pupil: PupilStreams
) -> None:
    other = SchoolLog(store._db, store._root, school_log.school_id)
    assert other.load(pupil.journey_id).version == 1
    school_log.erase_stream(pupil.journey_id, why())
    with pytest.raises(StreamErased):
        other.append([written(pupil.journey_id, 2, "late")], idempotency=None)
    assert {type(fact.event) for fact in other.load(pupil.journey_id).facts} == {Erased, Reason}
    assert other.ring.newest(pupil.journey_id) is None


def test_a_stream_is_erased_once(school_log: SchoolLog, pupil: PupilStreams) -> None:
    school_log.erase_stream(pupil.journey_id, why())
    with pytest.raises(StreamErased):
        school_log.erase_stream(pupil.journey_id, why())


def test_a_legal_hold_refuses_every_erasure_until_it_is_released(school_log: SchoolLog, pupil: PupilStreams) -> None:
    school = school_log.school_id
    own = written(school, -1, "held for the court", name=StreamClass.SCHOOL)
    school_log.append([own], idempotency=None, also=hold(school, pupil.pupil_id, AT))
    assert school_log.held(pupil.pupil_id)
    size = school_log.size()
    for stream in (pupil.journey_id, pupil.identity_id, pupil.safeguarding_id):
        with pytest.raises(StreamHeld, match="release the hold"):
            school_log.erase_stream(stream, why())
    assert school_log.size() == size and school_log.load(pupil.journey_id).version == 1
    school_log.append(
        [written(school, 0, "released", name=StreamClass.SCHOOL)],
        idempotency=None,
        also=release(school, pupil.pupil_id),
    )
    assert not school_log.held(pupil.pupil_id)
    school_log.erase_stream(pupil.journey_id, why())


def restored(admin: psycopg.Connection[tuple[Any, ...]], school: UUID, rows: list[tuple[Any, ...]]) -> None:
    """Put the record back as an older backup had it; the keys stay as they are now."""
    admin.execute("DELETE FROM record.events WHERE school_id = %s", (school,))
    for row in rows:
        admin.execute(
            f"INSERT INTO record.events ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)".encode(), row
        )
    admin.execute("UPDATE record.schools SET next_position = %s, last_recorded_at = %s WHERE school_id = %s",
                  (len(rows), AT, school))  # fmt: skip


@pytest.mark.parametrize("older", [False, True])
def test_a_restored_backup_is_erased_again(
    store: Store, school_log: SchoolLog, pupil: PupilStreams, admin: psycopg.Connection[tuple[Any, ...]], older: bool
) -> None:
    query = f"SELECT {COLUMNS} FROM record.events WHERE school_id = %s ORDER BY position"
    rows = admin.execute(query.encode(), (school_log.school_id,)).fetchall()
    if older:
        school_log.append([written(pupil.journey_id, 1, "three")], idempotency=None)
    last = school_log.erase_stream(pupil.journey_id, why())
    leaf = school_log.leaves()[-1]
    restored(admin, school_log.school_id, rows)
    fresh = SchoolLog(store._db, store._root, school_log.school_id)
    again = fresh.replay_erasures(LATER + timedelta(hours=1))
    assert [(fact.stream_id, fact.event.why) for fact in again] == [(pupil.journey_id, last.event.why)]  # type: ignore[attr-defined]
    assert (fresh.leaves()[-1] == leaf) is not older
    report = fresh.erasure_report(pupil.journey_id)
    assert (report.erased, report.intact, report.left) == (2, True, {})
    assert fresh.replay_erasures(LATER) == [] and list(check_store(fresh)) == []
