"""A whole year group handed over at once, by several processes: the same as one by one, whoever dies, whoever is refused."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack.app import App, utc_now
from astrack.handover import Handover
from astrack.handover.together import FEW, Done, Together
from astrack.records import Ask, Records
from astrack.settings import Settings
from astrack.store import Store
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey.refusals import ConsentNotNamed
from domain.journey.state import Custody

BY = Actor(id=uuid4(), role="dsl")
DAY = date(2026, 9, 1)
MANY = FEW + 8
PLAN: dict[str, Any] = {"lawful_basis": "legal_obligation", "accepted_on": DAY, "start_on": DAY}


@dataclass
class Place:
    """One school with many pupils."""

    records: Records
    hands: Handover
    many: Together

    def admit(self, count: int) -> list[UUID]:
        people = [Person(surname=f"Maple{n}", forename="Jo", date_of_birth=date(2015, 3, 4)) for n in range(count)]
        return [UUID(self.records.admit(ask(), one, on=DAY, year_group=6)["pupil_id"]) for one in people]

    def custodies(self, pupils: list[UUID]) -> set[Custody]:
        return {self.records.journey(one)[0].custody for one in pupils}

    def facts(self, pupil: UUID) -> list[str]:
        return [type(one.event).__name__ for one in self.records.journey(pupil)[1]]


def ask() -> Ask:
    return Ask(BY, str(uuid4()))


@pytest.fixture
def schools(store: Store, settings: Settings) -> tuple[Place, Place]:
    app = App(settings, store, utc_now)
    made = [_place(app, name, urn) for name, urn in (("Ash", "100001"), ("Beech", "100002"))]
    for one, other in (made, made[::-1]):
        one.hands.trust(ask(), other.hands.key_document(), words=other.hands.key_words())
    return made[0], made[1]


def _place(app: App, name: str, urn: str) -> Place:
    records = app.create_school(uuid4())
    origin = f"{name.lower()}-{records.school_id.hex[:6]}.example/log"
    named = SchoolName(school_id=records.school_id, name=name, urn=urn, lea="330", estab="2345", origin=origin)
    records.register_school(ask(), named, True)
    hands = Handover(records)
    return Place(records, hands, Together(app, hands, processes=2))


def sealed(place: Place, done: Done, folder: Path) -> list[Path]:
    files = []
    for one in done.answers:
        files.append(folder / one["file_name"])
        files[-1].write_bytes(place.hands.sealed(UUID(one["transfer_id"])))
    return files


def test_a_year_group_goes_there_and_its_receipts_come_back(schools: tuple[Place, Place], tmp_path: Path) -> None:
    a, b = schools
    pupils, moved = a.admit(MANY), list[int]()
    made = a.many.prepare(ask(), pupils, moved.append, to=b.hands.key_document(), **PLAN)
    assert [UUID(one["pupil_id"]) for one in made.answers] == pupils and not made.refused
    assert sum(moved) == MANY, "the bar is moved on by everybody's work"
    taken = b.many.receive(ask(), sealed(a, made, tmp_path))
    assert [one["transfer_id"] for one in taken.answers] == [one["transfer_id"] for one in made.answers]
    assert {tuple(b.facts(UUID(one["pupil_id"]))) for one in taken.answers} == {
        ("PupilEnrolled", "TransferPrepared", "RecordReceived")
    }
    ended = a.many.acknowledge(ask(), [one["receipt"].encode() for one in taken.answers])
    assert {one["state"] for one in ended.answers} == {"acknowledged"}
    assert a.custodies(pupils) == {Custody.RELEASED}


def test_the_same_again_changes_nothing(schools: tuple[Place, Place], tmp_path: Path) -> None:
    a, b = schools
    pupils, key = a.admit(MANY), ask()
    made = a.many.prepare(key, pupils, to=b.hands.key_document(), **PLAN)
    files = sealed(a, made, tmp_path)
    taken = b.many.receive(ask(), files)
    sizes = a.records.log.size(), b.records.log.size()
    again = a.many.prepare(key, pupils, to=b.hands.key_document(), **PLAN)
    assert again == made
    assert b.many.receive(ask(), files) == taken
    assert (a.records.log.size(), b.records.log.size()) == sizes


@pytest.mark.parametrize("what", ["prepare", "receive", "acknowledge"])
def test_a_process_that_dies_loses_and_doubles_nothing(schools: tuple[Place, Place], tmp_path: Path, what: str) -> None:
    a, b = schools
    killed: list[int | None] = []

    def kill(_: int) -> None:
        for child in multiprocessing.active_children() if not killed else ():
            killed.append(child.pid)
            child.kill()

    def moving(now: str) -> Callable[[int], None] | None:
        return kill if now == what else None

    pupils = a.admit(MANY)
    made = a.many.prepare(ask(), pupils, moving("prepare"), to=b.hands.key_document(), **PLAN)
    taken = b.many.receive(ask(), sealed(a, made, tmp_path), moving("receive"))
    ended = a.many.acknowledge(ask(), [one["receipt"].encode() for one in taken.answers], moving("acknowledge"))
    assert killed and len(ended.answers) == MANY
    assert {tuple(a.facts(one)) for one in pupils} == {("PupilEnrolled", "TransferPrepared", "CustodyReleased")}
    assert {tuple(b.facts(UUID(one["pupil_id"]))) for one in taken.answers} == {
        ("PupilEnrolled", "TransferPrepared", "RecordReceived")
    }


def test_who_is_refused_stops_none_of_the_others(schools: tuple[Place, Place], tmp_path: Path) -> None:
    a, b = schools
    pupils = a.admit(5)
    a.hands.prepare(ask(), [pupils[2]], to=b.hands.key_document(), **PLAN)
    made = a.many.prepare(ask(), pupils, to=b.hands.key_document(), **PLAN)
    assert [at for at, _ in made.refused] == [2] and "handed over" in made.refused[0][1]
    files = sealed(a, made, tmp_path)
    files[1].write_bytes(files[1].read_bytes()[:-9])
    taken = b.many.receive(ask(), files)
    assert [at for at, _ in taken.refused] == [1] and len(taken.answers) == 3
    receipts = [one["receipt"].encode() for one in taken.answers]
    ended = a.many.acknowledge(ask(), [receipts[0], receipts[1][:-20], receipts[2]])
    assert [at for at, _ in ended.refused] == [1] and len(ended.answers) == 2


def test_what_concerns_all_is_refused_before_anybody_is_frozen(schools: tuple[Place, Place]) -> None:
    a, b = schools
    pupils = a.admit(2)
    with pytest.raises(ConsentNotNamed):
        a.many.prepare(ask(), pupils, to=b.hands.key_document(), **{**PLAN, "lawful_basis": "consent"})
    assert a.custodies(pupils) == {Custody.HELD}
