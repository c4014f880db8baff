"""A ciphertext opens in its own place alone: moved to another version, stream, school or row, it is refused and named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astrack.settings import Settings
from astrack.store import Change, Idempotency, KeyMissing, PupilStreams, SchoolLog, Store
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from astrack.store.keys import CLASSES, Key
from astrack.store.mapper import BODY, COMMITMENT_BYTES, beginning, open_state, seal_state
from domain.base import Actor, Event, Opaque, StreamClass

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")
ONE, TWO = UUID(int=1), UUID(int=2)
CIPHER = AESGCM(bytes(32))
Admin = psycopg.Connection[tuple[Any, ...]]
OWN: dict[str, Any] = {"school": ONE, "stream": TWO, "version": 3, "kind": "event", "topic": "a.b.v1", "at": AT}
ELSEWHERE: dict[str, Any] = {
    "school": TWO, "stream": ONE, "version": 4, "kind": "import", "topic": "a.b.v2", "at": AT + timedelta(microseconds=1),
}  # fmt: skip


class LidClosed(Event):
    """A lid was closed (for these tests)."""

    TOPIC: ClassVar[str] = "test.lid-closed.v1"


@pytest.fixture
def admin(store: Store, settings: Settings) -> Iterator[Admin]:
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database), autocommit=True) as conn:
        yield conn


def closed(stream: UUID, name: StreamClass, count: int = 2) -> Change:
    return Change(stream, name, -1, tuple(LidClosed(event_id=uuid4(), recorded_at=AT, by=ACTOR) for _ in range(count)))


def opened(state: bytes, **place: Any) -> bytes:
    begun = beginning(place["school"].bytes, place["stream"].bytes)
    return open_state(CIPHER, begun, place["version"], place["kind"], place["topic"], place["at"], state)


@pytest.fixture
def state() -> bytes:
    key = Key(CLASSES[StreamClass.JOURNEY], 1, CIPHER)
    return seal_state(key, beginning(ONE.bytes, TWO.bytes), *(OWN[name] for name in ("version", "kind", "topic", "at")),
                      b"payload")  # fmt: skip


@pytest.mark.parametrize("moved", ELSEWHERE)
def test_a_state_opens_under_its_own_columns_alone(state: bytes, moved: str) -> None:
    assert opened(state, **OWN)[32:] == b"payload"
    with pytest.raises(InvalidTag):
        opened(state, **{**OWN, moved: ELSEWHERE[moved]})


def test_no_byte_of_a_state_can_be_another(state: bytes) -> None:
    for place in range(len(state)):
        other = bytearray(state)
        other[place] ^= 1
        with pytest.raises(InvalidTag):
            opened(bytes(other), **OWN)


def test_the_header_and_the_commitment_are_bound_too(state: bytes) -> None:
    key = Key(CLASSES[StreamClass.IDENTITY], 1, CIPHER)
    other = seal_state(key, beginning(ONE.bytes, TWO.bytes), 3, "event", "a.b.v1", AT, b"payload")
    for start, end in ((0, COMMITMENT_BYTES), (COMMITMENT_BYTES, BODY)):
        with pytest.raises(InvalidTag):
            opened(state[:start] + other[start:end] + state[end:], **OWN)


def exchange(admin: Admin, log: SchoolLog, one: int, other: int) -> None:
    """Give two rows each the other's state."""
    query = b"SELECT state FROM record.events WHERE school_id = %s AND position = %s"
    states = [admin.execute(query, (log.school_id, place)).fetchall()[0][0] for place in (one, other)]
    for place, state in ((one, states[1]), (other, states[0])):
        admin.execute("UPDATE record.events SET state = %s WHERE school_id = %s AND position = %s",
                      (state, log.school_id, place))  # fmt: skip


@pytest.mark.parametrize("streams", [1, 2], ids=["two versions of a stream", "two streams under one key"])
def test_rows_that_exchanged_their_states_are_not_read_and_named(
    school_log: SchoolLog, admin: Admin, streams: int
) -> None:
    changes = [closed(uuid4(), StreamClass.SCHOOL, 2 // streams) for _ in range(streams)]
    school_log.append(changes, idempotency=None)
    exchange(admin, school_log, 0, 1)
    assert [type(fact.event) for fact in school_log.page(-1, 10)] == [Opaque, Opaque]
    said = [(one.position, one.what) for one in check_store(school_log)]
    for position in (0, 1):
        assert (position, "it does not open: the state or one of its columns has been altered") in said


def test_a_log_copied_to_another_school_with_all_its_keys_opens_nothing(
    store: Store, school_log: SchoolLog, admin: Admin
) -> None:
    stream, thief = uuid4(), uuid4()
    school_log.append([closed(stream, StreamClass.JOURNEY)], idempotency=None)
    store.create_school(thief, AT)
    for table in ("keys.stream_keys", "keys.school_keys", "record.schools"):
        admin.execute(f"DELETE FROM {table} WHERE school_id = %s".encode(), (thief,))
    for table in ("record.schools", "keys.school_keys", "keys.stream_keys", "record.streams", "record.events"):
        copied = f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object('school_id', %s::uuid))).*"
        admin.execute(f"{copied} FROM {table} t WHERE school_id = %s".encode(), (thief, school_log.school_id))
    other = SchoolLog(store._db, store._root, thief)
    try:
        assert other.size() == 2
        with pytest.raises(KeyMissing):
            other.load(stream)
    finally:
        for table in ("keys.stream_keys", "keys.school_keys", "record.streams", "record.events", "record.schools"):
            admin.execute(f"DELETE FROM {table} WHERE school_id = %s".encode(), (thief,))


@pytest.fixture
def pupil(school_log: SchoolLog) -> PupilStreams:
    made = PupilStreams(uuid4(), uuid4(), uuid4(), uuid4())
    school_log.append([closed(made.journey_id, StreamClass.JOURNEY)], idempotency=None, new_pupils=[made])
    return made


def test_a_draft_opens_under_its_own_id_alone(school_log: SchoolLog, pupil: PupilStreams, admin: Admin) -> None:
    one, other = uuid4(), uuid4()
    school_log.save_draft(one, pupil.journey_id, b"mine")
    admin.execute("UPDATE record.drafts SET draft_id = %s WHERE draft_id = %s", (other, one))
    with pytest.raises(KeyMissing, match="has been altered"):
        school_log.load_draft(other)


def test_an_answer_opens_under_its_own_key_alone(school_log: SchoolLog, admin: Admin) -> None:
    school_log.append([], idempotency=Idempotency(ACTOR.id, "k", b"hash", b"answer"))
    admin.execute("UPDATE record.answers SET key = 'other' WHERE school_id = %s", (school_log.school_id,))
    with pytest.raises(KeyMissing, match="has been altered"):
        school_log.load_for([], ACTOR.id, "other", b"hash")


def test_a_dead_letter_opens_at_its_own_position_alone(
    school_log: SchoolLog, pupil: PupilStreams, admin: Admin
) -> None:
    school_log.dead_letter("timeline", 0, "it broke")
    admin.execute("UPDATE record.dead_letters SET position = 1 WHERE school_id = %s", (school_log.school_id,))
    with pytest.raises(KeyMissing, match="has been altered"):
        school_log.dead_letters("timeline")
