"""What the log takes in, what it refuses, and what comes out again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from astrack.store import (
    Change,
    ClockBehind,
    Idempotency,
    KeyReused,
    PupilStreams,
    SchoolLog,
    SchoolUnknown,
    Store,
    StreamErased,
    VersionClash,
)
from astrack.store.fsck import check_store
from domain.base import Actor, Erased, Event, Kind, StreamClass
from transfer.evidence.chain import commitment, entry, leaf

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")


class NoteTaken(Event):
    """A tutor took a note (for these tests)."""

    TOPIC: ClassVar[str] = "test.note-taken.v1"
    text: str


class ThingErased(Event):
    """A stream was erased (for these tests)."""

    TOPIC: ClassVar[str] = "test.thing-erased.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    KIND: ClassVar[Kind] = "erasure"


def note(text: str = "x", at: datetime = AT) -> NoteTaken:
    return NoteTaken(event_id=uuid4(), recorded_at=at, by=ACTOR, text=text)


def change(stream: UUID, expected: int, *texts: str, at: datetime = AT) -> Change:
    return Change(stream, StreamClass.JOURNEY, expected, tuple(note(text, at) for text in texts))


def asked(key: str, answer: bytes = b"answer", request: bytes = b"hash") -> Idempotency:
    return Idempotency(ACTOR.id, key, request, answer)


def test_what_is_written_is_read(school_log: SchoolLog) -> None:
    stream = uuid4()
    written = change(stream, -1, "a", "b")
    assert school_log.append([written], idempotency=None) == range(2)
    assert school_log.load(stream).facts == school_log.page(-1, 10)
    assert tuple(fact.event for fact in school_log.load(stream).facts) == written.events
    assert school_log.load(stream).version == 1 and school_log.size() == 2


def test_an_unknown_stream_is_empty(school_log: SchoolLog) -> None:
    empty = school_log.load(uuid4())
    assert (empty.version, empty.facts, empty.leaf) == (-1, [], bytes(32))


def test_the_database_computes_the_same_leaves_as_the_format(school_log: SchoolLog) -> None:
    one, two = uuid4(), uuid4()
    school_log.append([change(one, -1, "a", "b"), change(two, -1, "c")], idempotency=None)
    school_log.append([change(one, 1, "d")], idempotency=None)
    previous: dict[UUID, bytes] = {}
    for row in school_log.rows(-1, 10):
        assert row.payload is not None
        made = entry(row.kind, row.stream_id.bytes, row.version, previous.get(row.stream_id, bytes(32)),
                     commitment(row.salt, row.payload))  # fmt: skip
        assert (made, leaf(made)) == (row.entry, row.leaf)
        previous[row.stream_id] = row.leaf
    assert school_log.leaves() == [row.leaf for row in school_log.rows(-1, 10)]
    assert [row.entry for row in school_log.rows(2, 10)] == [row.entry for row in school_log.rows(-1, 10)][3:]


def test_an_old_version_is_refused_and_leaves_nothing(school_log: SchoolLog) -> None:
    stream, other = uuid4(), uuid4()
    school_log.append([change(stream, -1, "a")], idempotency=None)
    with pytest.raises(VersionClash):
        school_log.append([change(other, -1, "b"), change(stream, -1, "c")], idempotency=asked("k"))
    assert school_log.size() == 1 and school_log.load_for([], ACTOR.id, "k", b"hash") == ([], None)


def test_hundreds_of_facts_at_once_are_written_as_they_are(school_log: SchoolLog) -> None:
    one, other = uuid4(), uuid4()
    texts = [f"{number} 'quoted' \"twice\" \\back {{braces}}, NULL \u0141" for number in range(200)]
    later = AT + timedelta(microseconds=1)
    school_log.append([change(one, -1, *texts), change(other, -1, *texts, at=later)], idempotency=asked("many"))
    for stream in (one, other):
        assert [fact.event.text for fact in school_log.load(stream).facts] == texts  # type: ignore[attr-defined]
    assert school_log.load(other).facts[-1].recorded_at == later
    assert not list(check_store(school_log))


def test_hundreds_of_facts_that_are_refused_leave_nothing(school_log: SchoolLog) -> None:
    stream = uuid4()
    school_log.append([change(stream, -1, "first")], idempotency=None)
    for _ in range(3):
        with pytest.raises(VersionClash):
            school_log.append([change(stream, 1, *["late"] * 200)], idempotency=asked("late"))
    assert school_log.size() == 1
    assert school_log.load_for((), ACTOR.id, "late", b"hash") == ([], None)


def test_of_eight_writers_to_one_version_exactly_one_wins(school_log: SchoolLog) -> None:
    stream = uuid4()

    def attempt(number: int) -> bool:
        try:
            school_log.append([change(stream, -1, str(number))], idempotency=None)
        except VersionClash:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_a_fact_from_before_the_last_one_is_refused_with_its_instant(school_log: SchoolLog) -> None:
    school_log.append([change(uuid4(), -1, "a")], idempotency=None)
    with pytest.raises(ClockBehind) as refused:
        school_log.append([change(uuid4(), -1, "b", at=AT - timedelta(microseconds=1))], idempotency=None)
    assert refused.value.previous == AT


def test_a_repeated_key_gives_the_first_answer(school_log: SchoolLog) -> None:
    stream = uuid4()
    school_log.append([change(stream, -1, "a")], idempotency=asked("k"))
    assert school_log.load_for([stream], ACTOR.id, "k", b"hash")[1] == b"answer"


def test_a_key_with_another_request_is_refused(school_log: SchoolLog) -> None:
    school_log.append([], idempotency=asked("k"))
    with pytest.raises(KeyReused):
        school_log.load_for([], ACTOR.id, "k", b"other")
    with pytest.raises(KeyReused):
        school_log.append([], idempotency=asked("k", request=b"other"))


def test_an_answer_without_events_is_kept(school_log: SchoolLog) -> None:
    assert school_log.append([], idempotency=asked("k")) == range(0)
    assert school_log.load_for([], ACTOR.id, "k", b"hash")[1] == b"answer"


def test_a_school_without_a_log_is_refused(store: Store) -> None:
    with pytest.raises(SchoolUnknown):
        store.log(uuid4()).append([change(uuid4(), -1, "a")], idempotency=None)


def test_a_pupil_is_found_with_their_streams_and_facts_name_them(school_log: SchoolLog) -> None:
    pupil = PupilStreams(uuid4(), uuid4(), uuid4(), uuid4())
    school_log.append([change(pupil.journey_id, -1, "a")], idempotency=None, new_pupils=[pupil])
    assert school_log.pupil(pupil.pupil_id) == pupil and school_log.pupils(5) == [pupil]
    assert school_log.pupils(5, after=pupil.pupil_id) == [] and school_log.pupil(uuid4()) is None
    assert [fact.pupil_id for fact in school_log.page(-1, 5)] == [pupil.pupil_id]


def test_as_of_an_instant_is_the_longest_prefix(school_log: SchoolLog) -> None:
    stream = uuid4()
    for number in range(5):
        school_log.append([change(stream, number - 1, "a", at=AT + timedelta(days=number))], idempotency=None)
    days = (-1, 0, 2.5, 4, 9)
    assert [school_log.position_at(AT + timedelta(days=day)) for day in days] == [0, 1, 3, 5, 5]


def test_drafts_come_back_and_go(school_log: SchoolLog) -> None:
    pupil, draft = [uuid4() for _ in range(4)], uuid4()
    school_log.add_pupil(*pupil)
    school_log.save_draft(draft, pupil[1], b"one")
    school_log.save_draft(draft, pupil[1], b"two")
    assert school_log.load_draft(draft) == b"two"
    school_log.delete_draft(draft)
    assert school_log.load_draft(draft) is None


def test_dead_letters_are_kept_per_projection(school_log: SchoolLog) -> None:
    school_log.append([change(uuid4(), -1, "a")], idempotency=None)
    school_log.dead_letter("timeline", 0, "it broke")
    assert [(letter.position, letter.error) for letter in school_log.dead_letters("timeline")] == [(0, "it broke")]


def test_an_erased_stream_keeps_its_place_and_loses_its_contents(school_log: SchoolLog) -> None:
    pupil = PupilStreams(uuid4(), uuid4(), uuid4(), uuid4())
    school_log.append([change(pupil.journey_id, -1, "a", "b")], idempotency=asked("k"), new_pupils=[pupil])
    kept = school_log.append([change(uuid4(), -1, "kept")], idempotency=None)
    before_erasing = school_log.page(kept[0] - 1, 1)
    school_log.save_draft(uuid4(), pupil.journey_id, b"draft")
    before = school_log.leaves()
    reason = ThingErased(event_id=uuid4(), recorded_at=AT + timedelta(days=1), by=ACTOR)
    last = school_log.erase_stream(pupil.journey_id, reason)
    assert (last.position, last.version) == (3, 2) and school_log.leaves()[:3] == before
    facts = school_log.page(-1, 10)
    assert [type(fact.event) for fact in facts] == [Erased, Erased, NoteTaken, ThingErased]
    assert facts[2] == before_erasing[0] and school_log.rows(-1, 1)[0].payload is None
    assert school_log.pupil(pupil.pupil_id) is None
    assert school_log.load_for([], ACTOR.id, "k", b"hash")[1] is None
    assert list(check_store(school_log)) == []
    assert school_log.position_at(AT) == 3
    with pytest.raises(StreamErased):
        school_log.append([change(pupil.journey_id, 2, "late", at=AT + timedelta(days=2))], idempotency=None)


def test_eight_writers_leave_no_gap_for_a_tailing_reader(school_log: SchoolLog) -> None:
    def write(_: int) -> None:
        stream = uuid4()
        for number in range(15):
            school_log.append([change(stream, number - 1, "a")], idempotency=None)

    seen: list[int] = []
    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, number) for number in range(8)]
        while len(seen) < 120:
            done = all(writer.done() for writer in writers)
            seen += [fact.position for fact in school_log.page(len(seen) - 1, 50)]
            assert not (done and len(seen) < school_log.size() - 50)
    assert seen == list(range(120)) and list(check_store(school_log)) == []
