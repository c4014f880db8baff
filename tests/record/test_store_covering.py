"""check_store holds the log against the roots that were kept as it grew: nothing is moved or cut unseen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack import ids
from astrack.handover import Handover
from astrack.records import Ask, Records
from astrack.settings import Settings
from astrack.store import Change, SchoolLog, Store, roots
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from astrack.store.tree import Tree
from astrack.store.vault import Vault
from domain.base import Actor, Event, StreamClass
from domain.identity import Person, SchoolName
from transfer.evidence import merkle

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="dsl")
Admin = psycopg.Connection[tuple[Any, ...]]


class LineAdded(Event):
    """A line was added (for these tests)."""

    TOPIC: ClassVar[str] = "test.line-added.v1"


@pytest.fixture
def admin(store: Store, settings: Settings) -> Iterator[Admin]:
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database), autocommit=True) as conn:
        yield conn


def grow(log: SchoolLog, streams: int = 3, events: int = 100) -> None:
    made = tuple(LineAdded(event_id=uuid4(), recorded_at=AT, by=ACTOR) for _ in range(events))
    log.append([Change(uuid4(), StreamClass.JOURNEY, -1, made) for _ in range(streams)], idempotency=None)


@pytest.fixture
def log(school_log: SchoolLog) -> SchoolLog:
    """A log of 300 entries, whose root was kept at 300, and 60 more."""
    grow(school_log)
    assert roots.keep_when_due(school_log, AT)
    grow(school_log, events=20)
    return school_log


def found(log: SchoolLog) -> list[tuple[int, str]]:
    return [(one.position, one.what) for one in check_store(log)]


def swap(admin: Admin, school: UUID, one: int, other: int) -> None:
    move = b"UPDATE record.events SET position = %s WHERE school_id = %s AND position = %s"
    for to, at in ((-1, one), (one, other), (other, -1)):
        admin.execute(move, (to, school, at))


def test_a_log_as_it_was_written_is_sound(log: SchoolLog) -> None:
    assert found(log) == []


def test_entries_of_two_streams_that_changed_places_are_found_without_a_tile(log: SchoolLog, admin: Admin) -> None:
    swap(admin, log.school_id, 99, 100)
    admin.execute("DELETE FROM record.tiles WHERE school_id = %s", (log.school_id,))
    said = found(log)
    assert said[0][1].startswith("the entries 0 to 299 are not those whose root was kept")
    assert said[-1] == (-1, "the tiles hold 0 entries of the 300 that are under a root that was kept")


def test_a_tile_says_at_which_position_entries_changed_places(log: SchoolLog, admin: Admin) -> None:
    swap(admin, log.school_id, 99, 100)
    assert (99, "the tile 0 of level 0 is not what the leaves give") in found(log)


def test_what_changed_after_a_root_is_not_laid_to_what_came_before(log: SchoolLog, admin: Admin) -> None:
    assert roots.keep_when_due(log, AT + timedelta(hours=1))
    swap(admin, log.school_id, 319, 320)
    (position, what), *_ = found(log)
    assert position == 300 and what.startswith("the entries 300 to 359 are not")


def test_entries_cut_off_the_end_are_found(log: SchoolLog, admin: Admin) -> None:
    assert roots.keep_when_due(log, AT + timedelta(hours=1))
    admin.execute("DELETE FROM record.events WHERE school_id = %s AND position >= 340", (log.school_id,))
    admin.execute("UPDATE record.schools SET next_position = 340 WHERE school_id = %s", (log.school_id,))
    assert any("360 entries is known, but the log has 340" in what for _, what in found(log))


def test_a_root_that_was_altered_is_found(log: SchoolLog, admin: Admin) -> None:
    admin.execute(
        "UPDATE record.vault SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1) WHERE school_id = %s",
        (log.school_id,),
    )
    assert (-1, "a root of the log that was kept has been altered: restore it from a backup") in found(log)


def test_a_root_is_kept_once_an_hour_where_the_log_has_grown(school_log: SchoolLog) -> None:
    assert not roots.keep_when_due(school_log, AT)
    grow(school_log, 1, 1)
    assert roots.keep_when_due(school_log, AT)
    assert not roots.keep_when_due(school_log, AT + timedelta(hours=2))
    grow(school_log, 1, 1)
    assert not roots.keep_when_due(school_log, AT + timedelta(minutes=59))
    assert roots.keep_when_due(school_log, AT + timedelta(hours=1))
    assert [size for size, _ in roots.kept(school_log)] == [1, 2]


@pytest.fixture
def handed_over(store: Store) -> tuple[SchoolLog, SchoolLog]:
    """The logs of two schools between which a pupil has moved."""
    now = [AT]

    def clock() -> datetime:
        now[0] += timedelta(milliseconds=1)
        return now[0]

    def ask() -> Ask:
        return Ask(ACTOR, str(uuid4()))

    def school(name: str, urn: str) -> tuple[Records, Handover]:
        school_id = uuid4()
        store.create_school(school_id, AT)
        records = Records(store.log(school_id), clock, ids.maker(clock))
        origin = f"{school_id.hex[:8]}.example/log"
        records.register_school(
            ask(), SchoolName(school_id=school_id, name=name, urn=urn, lea="330", estab="2345", origin=origin), True
        )
        return records, Handover(records)

    (records, hands), (others, there) = school("Elm", "100011"), school("Fir", "100012")
    for one, other in ((hands, there), (there, hands)):
        one.trust(ask(), other.key_document(), words=other.key_words())
    person = Person(surname="Maple", forename="Jo", upn="B801200005001", date_of_birth=AT.date().replace(year=2015))
    pupil = UUID(records.admit(ask(), person, on=AT.date(), year_group=6)["pupil_id"])
    made = hands.prepare(
        ask(), [pupil], to=there.key_document(), lawful_basis="legal_obligation", accepted_on=AT.date(),
        start_on=AT.date(),
    )  # fmt: skip
    there.receive(ask(), hands.sealed(UUID(made["transfers"][0]["transfer_id"])))
    return records.log, others.log


def test_a_log_is_sound_after_each_step_of_a_hand_over(handed_over: tuple[SchoolLog, SchoolLog]) -> None:
    for log in handed_over:
        assert found(log) == []
        assert roots.kept(log)[-1][0] > 0


def test_a_root_is_kept_with_its_tiles_or_not_at_all(school_log: SchoolLog, admin: Admin) -> None:
    grow(school_log)
    tree = Tree(Vault(school_log))
    root = merkle.tree_root(tree.nodes(300), 300)
    admin.execute("REVOKE INSERT ON record.vault FROM astrack_service")
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            tree.save(roots.keeping(Vault(school_log), 300, root, AT))
        assert Vault(school_log).tiled() == 0
    finally:
        admin.execute("GRANT INSERT ON record.vault TO astrack_service")
    tree.save(roots.keeping(Vault(school_log), 300, root, AT))
    assert found(school_log) == [] and roots.kept(school_log) == [(300, root)]


def test_two_trees_of_one_log_agree(school_log: SchoolLog) -> None:
    one, other = Tree(Vault(school_log)), Tree(Vault(school_log))
    for size in range(300, 1_500, 300):
        grow(school_log)
        tree = (one, other)[size // 300 % 2]
        root = merkle.tree_root(tree.nodes(size), size)
        tree.save(roots.keeping(Vault(school_log), size, root, AT))
        assert root == merkle.root(school_log.leaves())
    assert found(school_log) == []


GONE = {
    "DELETE FROM record.vault WHERE school_id = %s AND name LIKE 'roots/%%'": (0, "but the root kept then is gone"),
    "DELETE FROM record.vault WHERE school_id = %s AND name LIKE 'keys/%%'": (0, "the school's own keys are gone"),
    "DELETE FROM record.transfers WHERE school_id = %s": (0, "that left here is gone"),
    "DELETE FROM record.pupils WHERE school_id = %s": (0, "the row that names the streams of pupil"),
    "DELETE FROM record.tiles WHERE school_id = %s": (0, "under a root that was kept"),
    "DELETE FROM record.evidence WHERE school_id = %s": (1, "what proves the imported facts of stream"),
}


@pytest.mark.parametrize("statement", GONE)
def test_what_stands_beside_the_log_is_missed(
    handed_over: tuple[SchoolLog, SchoolLog], admin: Admin, statement: str
) -> None:
    which, sentence = GONE[statement]
    log = handed_over[which]
    assert found(log) == []
    admin.execute(statement.encode(), (log.school_id,))
    assert any(sentence in what for _, what in found(log)), found(log)
