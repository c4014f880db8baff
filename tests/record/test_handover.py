"""Hand-overs between schools on a real PostgreSQL: once, whole, provable; and what is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack import ids
from astrack.app import App
from astrack.changing import Decided
from astrack.handover import (
    Handover,
    NoRecall,
    NoSuchTransfer,
    RecordHeldHere,
    TransferEnded,
    TransferUnanswered,
    outgoing,
    restated,
)
from astrack.handover.sending import _order
from astrack.handover.withholding import Choice
from astrack.records import Ask, Records
from astrack.server.clockwork import Clockwork
from astrack.settings import Settings
from astrack.store import Change, Store, roots
from domain.background import NOTHING, Background
from domain.base import Actor, Event, Stamp, StreamClass, encode
from domain.identity import Person, SchoolName, replay, state_background
from domain.journey.facts import FactCorrected, OutcomeReported, RecordReceived
from domain.journey.refusals import ConsentNotNamed, RecordFrozen
from domain.journey.state import Custody
from domain.school import StreamErased
from transfer import errors, package, recall
from transfer.keys.signing import Purpose
from transfer.keys.trust import Trust
from transfer.recall import Recall
from transfer.verify import Verifier

BY = Actor(id=uuid4(), role="dsl")
JO = Person(surname="Maple", forename="Jo", upn="B801200005001", date_of_birth=date(2015, 3, 4))
DAY = date(2026, 9, 1)


@dataclass
class Place:
    """One school: its records and its hand-overs."""

    records: Records
    hands: Handover

    def admit(self, person: Person = JO) -> UUID:
        answer = self.records.admit(ask(), person, on=DAY, year_group=6)
        return UUID(answer["pupil_id"])

    def send(self, other: Place, pupil: UUID, **how: Any) -> tuple[UUID, bytes]:
        answer = self.prepare(other, [pupil], **how)
        transfer = UUID(answer["transfers"][0]["transfer_id"])
        return transfer, self.hands.sealed(transfer)

    def prepare(self, other: Place, pupils: list[UUID], key: Ask | None = None, **how: Any) -> dict[str, Any]:
        given = {"lawful_basis": "legal_obligation", "accepted_on": DAY, "start_on": DAY, **how}
        return self.hands.prepare(key or ask(), pupils, to=other.hands.key_document(), **given)

    def move(self, other: Place, pupil: UUID) -> UUID:
        _, data = self.send(other, pupil)
        answer = other.hands.receive(ask(), data)
        self.hands.acknowledge(ask(), answer["receipt"].encode())
        there = UUID(answer["pupil_id"])
        other.records.return_to_roll(ask(), there, on=DAY, year_group=7)
        return there

    def size(self) -> int:
        return self.records.log.size()

    def custody(self, pupil: UUID) -> Custody:
        return self.records.journey(pupil)[0].custody


@dataclass
class Clock:
    """A clock that goes on by itself and can be set forward."""

    at: datetime = datetime(2026, 9, 1, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


def ask() -> Ask:
    return Ask(BY, str(uuid4()))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def place(store: Store, clock: Clock) -> Callable[..., Place]:
    def make(name: str, urn: str = "") -> Place:
        school = uuid4()
        store.create_school(school, clock.at)
        records = Records(store.log(school), clock, ids.maker(clock))
        origin = f"{name.lower()}-{school.hex[:6]}.example/log"
        named = SchoolName(school_id=school, name=name, urn=urn, lea="330", estab="2345", origin=origin)
        records.register_school(ask(), named, True)
        return Place(records, Handover(records))

    return make


@pytest.fixture
def schools(place: Callable[..., Place]) -> SimpleNamespace:
    """Three schools that know each other's keys."""
    made = [place("Ash", "100001"), place("Beech", "100002"), place("Cedar", "100003")]
    for one in made:
        for other in made:
            if one is not other:
                one.hands.trust(ask(), other.hands.key_document(), words=other.hands.key_words())
    return SimpleNamespace(a=made[0], b=made[1], c=made[2])


def read(place: Place, data: bytes) -> package.Package:
    keys = place.hands.signing.identities(place.hands.clock())
    return package.read(package.open_sealed(io.BytesIO(data), keys), Trust())


def test_the_story_begins_with_the_imported_facts_and_then_says_that_it_was_received(schools: SimpleNamespace) -> None:
    pupil = schools.a.admit()
    _, data = schools.a.send(schools.b, pupil)
    answer = schools.b.hands.receive(ask(), data)
    _, facts = schools.b.records.journey(UUID(answer["pupil_id"]))
    assert [type(fact.event).__name__ for fact in facts] == ["PupilEnrolled", "TransferPrepared", "RecordReceived"]
    assert [bool(fact.origin) for fact in facts] == [True, True, False]
    assert answer["facts"] == answer["new"] == 2
    assert schools.b.records.identity(UUID(answer["pupil_id"])).person == JO


def test_a_story_goes_on_through_three_schools_and_back_and_verifies_at_each_step(schools: SimpleNamespace) -> None:
    a, b, c = schools.a, schools.b, schools.c
    at_a = a.admit()
    at_b = a.move(b, at_a)
    at_c = b.move(c, at_b)
    assert c.move(a, at_c) == at_a
    assert a.move(b, at_a) == at_b
    assert b.move(c, at_b) == at_c
    _, data = c.send(a, at_c)
    found = read(a, data)
    assert {proved.unit.origin for proved in found.proved.values()} == {one.hands.origin() for one in (a, b, c)}
    events = [fact.event.event_id for fact in c.records.journey(at_c)[1]]
    assert len(set(events)) == len(events)
    assert [one.custody(pupil) for one, pupil in ((a, at_a), (b, at_b), (c, at_c))] == [
        Custody.RELEASED, Custody.RELEASED, Custody.FROZEN,
    ]  # fmt: skip


def test_what_is_known_of_a_background_stays_when_the_record_moves(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()

    def state(loaded: list[list[Event]], stamp: Stamp) -> Decided:
        return Decided([state_background(replay(loaded[0]), stamp, Background(sen=True, ethnicity="Mixed"))])

    a.records.change(ask(), {"do": "state"}, [a.records.identity_of(pupil)], state)
    assert a.records.identity(pupil).background.sen
    _, data = a.send(b, pupil)
    told = read(b, data)
    assert "SEN" not in str(told.members.keys()) and b"Mixed" not in b"".join(told.members.values())
    answer = b.hands.receive(ask(), data)
    assert b.records.identity(UUID(answer["pupil_id"])).background == NOTHING


def test_a_returning_pupil_brings_only_what_is_new(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    at_a = a.admit()
    at_b = a.move(b, at_a)
    before = len(a.records.journey(at_a)[1])
    _, data = b.send(a, at_b)
    answer = a.hands.receive(ask(), data)
    assert UUID(answer["pupil_id"]) == at_a
    assert (answer["facts"], answer["new"]) == (5, 3)
    assert len(a.records.journey(at_a)[1]) == before + 3 + 1


def test_a_school_that_erased_its_copy_takes_the_pupil_back_with_every_proof(schools: SimpleNamespace) -> None:
    a, b, c = schools.a, schools.b, schools.c
    at_a = a.admit()
    at_c = b.move(c, a.move(b, at_a))
    streams = a.records.streams_of(at_a)
    for stream in (streams.identity_id, streams.safeguarding_id, streams.journey_id):
        erased = StreamErased(event_id=uuid4(), recorded_at=a.hands.clock(), by=BY, why="retention")
        a.records.log.erase_stream(stream, erased)
    a.records.forget(at_a)
    back = Handover(a.records)
    _, data = c.send(a, at_c)
    answer = back.receive(ask(), data)
    assert UUID(answer["pupil_id"]) != at_a
    assert answer["new"] == answer["facts"]
    a.records.return_to_roll(ask(), UUID(answer["pupil_id"]), on=DAY, year_group=8)
    c.hands.acknowledge(ask(), answer["receipt"].encode())
    again = Place(a.records, back)
    _, onward = again.send(b, UUID(answer["pupil_id"]))
    origins = sorted(proved.unit.origin for proved in read(b, onward).proved.values())
    assert origins == sorted([a.hands.origin(), a.hands.origin(), b.hands.origin(), c.hands.origin()])


def test_the_same_file_again_gives_the_first_answer_and_writes_nothing(schools: SimpleNamespace, clock: Clock) -> None:
    pupil = schools.a.admit()
    _, data = schools.a.send(schools.b, pupil)
    first = schools.b.hands.receive(ask(), data)
    size = schools.b.size()
    clock.at += timedelta(days=60)
    assert schools.b.hands.receive(ask(), data) == first
    assert schools.b.size() == size


def test_a_receipt_lost_in_a_crash_is_signed_when_the_file_comes_again(schools: SimpleNamespace) -> None:
    _, data = schools.a.send(schools.b, schools.a.admit())
    proving = schools.b.hands.proving
    real, proving.checkpoint = proving.checkpoint, lambda _: 1 / 0
    with pytest.raises(ZeroDivisionError):
        schools.b.hands.receive(ask(), data)
    proving.checkpoint = real
    answer = schools.b.hands.receive(ask(), data)
    assert schools.a.hands.acknowledge(ask(), answer["receipt"].encode())["state"] == "acknowledged"


def test_two_importers_at_once_take_it_in_once(schools: SimpleNamespace) -> None:
    _, data = schools.a.send(schools.b, schools.a.admit())
    importers = [Handover(schools.b.records) for _ in range(4)]
    size = schools.b.size()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: one.receive(ask(), data), importers))
    assert len({answer["pupil_id"] for answer in answers}) == 1
    assert len({answer["receipt"] for answer in answers}) == 1
    assert schools.b.size() == size + 2 + 1 + 2


def test_another_file_under_the_same_transfer_is_a_conflict(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    transfer, data = a.send(b, pupil)
    row = a.hands.vault.transfer("out", transfer)
    other = outgoing.seal(
        _order(row), a.hands.named(), a.records.identity(pupil), a.hands.vault, a.hands.proving,
        a.hands.proving.publish(ask()),
    )  # fmt: skip
    b.hands.receive(ask(), data)
    size = b.size()
    with pytest.raises(errors.Conflict, match="another file of the same transfer"):
        b.hands.receive(ask(), other.data)
    assert b.size() == size


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda data: b"", errors.BadContainer),
        (lambda data: b"not age at all\n", errors.BadHeader),
        (lambda data: data[:-1], errors.BadPayload),
        (lambda data: data + b"\0", errors.BadPayload),
        (lambda data: data[:9000] + bytes([data[9000] ^ 1]) + data[9001:], errors.TransferRefused),
    ],
)
def test_a_spoilt_file_is_refused_and_nothing_is_written(
    schools: SimpleNamespace, spoil: Callable[[bytes], bytes], fault: type[Exception]
) -> None:
    _, data = schools.a.send(schools.b, schools.a.admit())
    size, pupils = schools.b.size(), schools.b.records.log.pupils(10)
    with pytest.raises(fault):
        schools.b.hands.receive(ask(), spoil(data))
    assert (schools.b.size(), schools.b.records.log.pupils(10)) == (size, pupils)
    assert schools.b.hands.transfers() == []


def test_a_file_for_another_school_is_not_opened(schools: SimpleNamespace) -> None:
    _, data = schools.a.send(schools.b, schools.a.admit())
    with pytest.raises(errors.NotForUs):
        schools.c.hands.receive(ask(), data)


def test_a_file_whose_time_limit_is_past_is_refused(schools: SimpleNamespace, clock: Clock) -> None:
    _, data = schools.a.send(schools.b, schools.a.admit(), days=3)
    clock.at += timedelta(days=4)
    size = schools.b.size()
    with pytest.raises(errors.OutOfDate):
        schools.b.hands.receive(ask(), data)
    assert schools.b.size() == size


def test_a_sender_nobody_vouched_for_is_refused_until_the_eight_words_are_said(place: Callable[..., Place]) -> None:
    a, b = place("Ash"), place("Beech")
    _, data = a.send(b, a.admit(), words=b.hands.key_words())
    with pytest.raises(errors.UnknownSigner, match="compare the eight words"):
        b.hands.receive(ask(), data)
    with pytest.raises(errors.UnknownSigner):
        b.hands.receive(ask(), data, words="one two three four five six seven eight")
    assert b.hands.receive(ask(), data, words=a.hands.key_words())["facts"] == 2


def test_nothing_is_sealed_for_a_school_nobody_vouched_for(place: Callable[..., Place]) -> None:
    a, b = place("Ash"), place("Beech")
    pupil = a.admit()
    with pytest.raises(errors.BadKeyDocument, match="nobody has confirmed"):
        a.send(b, pupil)
    assert a.custody(pupil) is Custody.HELD


def test_a_pupil_with_the_same_number_is_here_already_until_somebody_says_it_is_the_same(
    schools: SimpleNamespace,
) -> None:
    a, b = schools.a, schools.b
    _, data = a.send(b, a.admit())
    here = b.admit()
    size = b.size()
    with pytest.raises(RecordHeldHere, match="same UPN"):
        b.hands.receive(ask(), data)
    assert b.size() == size
    answer = b.hands.receive(ask(), data, pupil_id=here)
    assert UUID(answer["pupil_id"]) == here
    b.records.return_to_roll(ask(), here, on=DAY, year_group=7)
    assert b.custody(here) is Custody.HELD


def test_two_schools_files_of_one_pupil_become_one_story_and_what_differs_is_named(schools: SimpleNamespace) -> None:
    a, b, c = schools.a, schools.b, schools.c
    _, first = a.send(c, a.admit())
    there = UUID(c.hands.receive(ask(), first)["pupil_id"])
    c.records.return_to_roll(ask(), there, on=DAY, year_group=7)
    _, second = b.send(c, b.admit(JO.model_copy(update={"surname": "Birch", "sex": "F"})))
    with pytest.raises(RecordHeldHere, match="same UPN"):
        c.hands.receive(ask(), second)
    answer = c.hands.receive(ask(), second, pupil_id=there)
    assert UUID(answer["pupil_id"]) == there and answer["differs"] == ["surname"]
    origins = {fact.origin for fact in c.records.journey(there)[1]}
    assert origins == {"", a.hands.origin(), b.hands.origin()}
    assert c.records.identity(there).person.surname == "Birch"  # type: ignore[union-attr]
    assert c.custody(there) is Custody.HELD
    _, both = c.send(a, there)
    opened = package.read(package.open_sealed(io.BytesIO(both), a.hands.signing.identities(a.records.clock())), Trust())
    assert {one.unit.origin for one in opened.proved.values()} == {a.hands.origin(), b.hands.origin(), c.hands.origin()}


def test_a_record_that_is_held_here_is_not_taken_over(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    transfer, data = a.send(b, pupil)
    b.hands.receive(ask(), data)
    a.hands.withdraw(ask(), transfer)
    _, second = a.send(b, pupil)
    with pytest.raises(RecordHeldHere, match="held here"):
        b.hands.receive(ask(), second)


def test_a_record_that_is_on_its_way_from_here_is_not_taken_over(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    _, data = a.send(b, pupil)
    there = UUID(b.hands.receive(ask(), data)["pupil_id"])
    b.records.return_to_roll(ask(), there, on=DAY, year_group=7)
    _, back = b.send(a, there)
    with pytest.raises(TransferUnanswered, match="receipt"):
        a.hands.receive(ask(), back)


def test_a_prepared_record_is_frozen_until_it_is_withdrawn(schools: SimpleNamespace) -> None:
    a = schools.a
    pupil = a.admit()
    transfer, _ = a.send(schools.b, pupil)
    with pytest.raises(RecordFrozen):
        a.records.opt_out(ask(), pupil, asked_by="parent", on=DAY)
    with pytest.raises(RecordFrozen):
        a.send(schools.c, pupil)
    assert a.hands.withdraw(ask(), transfer)["state"] == "withdrawn"
    assert a.custody(pupil) is Custody.HELD
    with pytest.raises(NoSuchTransfer):
        a.hands.sealed(transfer)


def test_consent_without_a_name_freezes_nothing(schools: SimpleNamespace) -> None:
    pupil = schools.a.admit()
    with pytest.raises(ConsentNotNamed):
        schools.a.send(schools.b, pupil, lawful_basis="consent")
    assert schools.a.custody(pupil) is Custody.HELD


def test_preparing_again_with_the_same_key_goes_on_where_it_stopped(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupils = [a.admit(), a.admit(JO.model_copy(update={"upn": "X823432109876"}))]
    key = ask()
    real, a.hands._seal = a.hands._seal, lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        a.prepare(b, pupils, key)
    assert a.custody(pupils[0]) is Custody.FROZEN
    a.hands._seal = real
    first = a.prepare(b, pupils, key)
    size = a.size()
    assert a.prepare(b, pupils, key) == first
    assert a.size() == size
    assert len({one["transfer_id"] for one in first["transfers"]}) == 2


def test_many_are_prepared_under_one_checkpoint(schools: SimpleNamespace) -> None:
    pupils = [schools.a.admit(JO.model_copy(update={"upn": None, "surname": name})) for name in "PQR"]
    heard: list[int] = []
    answer = schools.a.prepare(schools.b, pupils, progress=heard.append)
    assert heard == [1, 2, 3]
    files = [read(schools.b, schools.a.hands.sealed(UUID(one["transfer_id"]))) for one in answer["transfers"]]
    assert len({source.root for one in files for source in one.manifest.sources}) == 1


def test_custody_passes_only_with_the_receivers_receipt(schools: SimpleNamespace) -> None:
    a, b, c = schools.a, schools.b, schools.c
    pupil = a.admit()
    transfer, data = a.send(b, pupil)
    receipt = b.hands.receive(ask(), data)["receipt"].encode()
    row = b.hands.vault.transfer("in", transfer)
    forged = c.hands.refusal(transfer, row.details["manifest_sha256"], "lost")
    with pytest.raises(errors.BadReceipt, match="not from the school"):
        a.hands.acknowledge(ask(), forged)
    with pytest.raises(errors.TransferRefused):
        a.hands.acknowledge(ask(), receipt.replace(b"position ", b"position 1"))
    assert a.custody(pupil) is Custody.FROZEN
    assert a.hands.acknowledge(ask(), receipt)["state"] == "acknowledged"
    assert a.hands.acknowledge(ask(), receipt)["state"] == "acknowledged"
    assert a.custody(pupil) is Custody.RELEASED
    with pytest.raises(errors.BadReceipt, match="another file"):
        a.hands.acknowledge(ask(), b.hands.refusal(transfer, "0" * 64, "lost"))


def test_a_refusal_brings_the_record_back(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    answer = a.prepare(b, [pupil])["transfers"][0]
    refusal = b.hands.refusal(UUID(answer["transfer_id"]), answer["manifest_sha256"], "not_expected")
    assert a.hands.acknowledge(ask(), refusal)["state"] == "rejected"
    assert a.custody(pupil) is Custody.HELD


def test_a_file_that_is_refused_here_goes_back_and_is_not_taken_in_any_more(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    transfer, data = a.send(b, pupil)
    size = b.size()
    first, again = (b.hands.refuse(data, "not_expected") for _ in range(2))
    assert first == again and first["from"] == "Ash"
    with pytest.raises(errors.Recalled, match="refused here"):
        b.hands.receive(ask(), data)
    assert b.size() == size and b.hands.transfers() == []
    assert a.hands.acknowledge(ask(), first["receipt"].encode())["state"] == "rejected"
    assert a.custody(pupil) is Custody.HELD
    _, anew = a.send(b, pupil)
    b.hands.receive(ask(), anew)
    with pytest.raises(TransferEnded, match="taken in here"):
        b.hands.refuse(anew, "not_expected")
    with pytest.raises(errors.TransferRefused):
        b.hands.refuse(data[:-1], "not_expected")
    assert transfer


def test_a_file_that_was_called_back_is_not_taken_in_any_more(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    transfer, data = a.send(b, pupil)
    with pytest.raises(NoRecall, match="call it off first"):
        a.hands.recall(transfer)
    a.hands.mark(ask(), transfer, "collected")
    assert a.hands.withdraw(ask(), transfer)["state"] == "recalled"
    notice, size = a.hands.recall(transfer), b.size()
    for _ in range(2):
        assert b.hands.take_recall(ask(), notice)["state"] == "recalled"
    with pytest.raises(errors.Recalled, match="called it back"):
        b.hands.receive(ask(), data)
    assert b.size() == size
    _, again = a.send(b, pupil)  # a fresh file of the same pupil is another transfer
    assert b.hands.receive(ask(), again)["new"] > 0


def test_a_record_that_was_taken_in_stays_when_its_file_is_called_back(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    transfer, data = a.send(b, a.admit())
    there = UUID(b.hands.receive(ask(), data)["pupil_id"])
    a.hands.withdraw(ask(), transfer)
    assert b.hands.take_recall(ask(), a.hands.recall(transfer))["state"] == "received"
    assert b.custody(there) is Custody.HELD
    assert UUID(b.hands.receive(ask(), data)["pupil_id"]) == there


def test_nobody_calls_back_another_schools_file(schools: SimpleNamespace) -> None:
    a, b, c = schools.a, schools.b, schools.c
    transfer, data = a.send(b, a.admit())
    digest = a.hands.vault.transfer("out", transfer).details["manifest_sha256"]
    keys = c.hands.signing.newest(c.records.clock())
    for origin, known in ((c.hands.origin(), True), (a.hands.origin(), False)):
        made = Recall(transfer, digest, origin, c.records.clock(), bytes(keys.signed))
        forged = recall.sign(made, keys.signers(Purpose.MANIFEST), 1)
        if known:
            b.hands.take_recall(ask(), forged)
        else:
            with pytest.raises(errors.TransferRefused):
                b.hands.take_recall(ask(), forged)
    assert b.hands.receive(ask(), data)["new"] > 0


def test_a_recall_with_a_flipped_byte_is_refused_and_a_protected_move_has_none(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    transfer, _ = a.send(b, a.admit())
    a.hands.withdraw(ask(), transfer)
    notice = a.hands.recall(transfer)
    for at in range(0, len(notice), 97):
        changed = bytearray(notice)
        changed[at] ^= 1
        with pytest.raises(errors.TransferRefused):
            recall.read(bytes(changed), Trust())
    hidden, _ = a.send(b, a.admit(JO.model_copy(update={"upn": None})), protected=True)
    a.hands.withdraw(ask(), hidden)
    with pytest.raises(NoRecall, match="name this school"):
        a.hands.recall(hidden)


def test_a_receipt_for_a_transfer_that_was_called_off_is_a_dispute(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    transfer, data = a.send(b, a.admit())
    a.hands.mark(ask(), transfer, "sent")
    a.hands.mark(ask(), transfer, "collected")
    assert a.hands.withdraw(ask(), transfer)["state"] == "recalled"
    receipt = b.hands.receive(ask(), data)["receipt"].encode()
    assert a.hands.acknowledge(ask(), receipt)["state"] == "disputed"
    assert a.hands.transfers()[0]["state"] == "disputed"


def test_a_transfer_expires_a_week_after_its_time_limit(schools: SimpleNamespace, clock: Clock) -> None:
    a = schools.a
    pupil = a.admit()
    transfer, _ = a.send(schools.b, pupil, days=3)
    clock.at += timedelta(days=9)
    assert a.hands.expire(ask()) == []
    clock.at += timedelta(days=2)
    assert a.hands.expire(ask()) == [transfer]
    assert a.custody(pupil) is Custody.HELD
    with pytest.raises(TransferEnded):
        a.hands.mark(ask(), transfer, "sent")


def test_the_clock_of_the_service_ends_what_ran_out_and_keeps_roots(
    schools: SimpleNamespace, clock: Clock, store: Store, settings: Settings
) -> None:
    a = schools.a
    pupil = a.admit()
    a.send(schools.b, pupil, days=3)
    tick = Clockwork(App(settings, store, clock))
    tick(a.records.school_id)
    assert a.custody(pupil) is Custody.FROZEN and roots.newest(a.records.log) is not None
    clock.at += timedelta(days=11)
    tick(a.records.school_id)
    assert a.custody(pupil) is Custody.HELD


def old_code(place: Place, pupil: UUID) -> UUID:
    """An outcome of the DSL's that an earlier version kept in the journey; its event's id."""
    journey, event_id = place.records.streams_of(pupil).journey_id, uuid4()
    said = OutcomeReported(event_id=event_id, recorded_at=place.hands.clock(), by=BY, outcome_id=uuid4(),
                           happened_on=DAY, code="self_harm", source="dsl")  # fmt: skip
    version = place.records.log.load(journey).version
    place.records.log.append([Change(journey, StreamClass.JOURNEY, version, (said,), pupil)], idempotency=None)
    return event_id


def test_what_is_the_dsls_alone_does_not_go_on_with_the_story_wherever_it_stands(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    event_id = old_code(a, pupil)
    a.records.report_outcome(
        Ask(Actor(id=uuid4(), role="dsl"), uuid4().hex),
        pupil,
        outcome_id=uuid4(),
        on=DAY,
        code="self_harm",
        source="dsl",
    )
    _, data = a.send(b, pupil)
    found = read(b, data)
    told = [line.payload for line in found.lines if line.payload is not None]
    assert not [payload for payload in told if b"self_harm" in payload or str(event_id).encode() in payload]
    reasons = {line.omitted for line in found.lines if line.payload is None}
    assert reasons == {"it does not belong in the story, and is not part of what is handed on with it"}
    here = UUID(b.hands.receive(ask(), data)["pupil_id"])
    _, facts = b.records.journey(here)
    assert not [one for one in facts if one.event.event_id == event_id]
    assert b.records.safeguarding_facts(here) == []


def test_neither_a_protected_move_nor_a_students_copy_tells_what_is_the_dsls_alone() -> None:
    head = {"event_id": uuid4(), "recorded_at": datetime(2026, 9, 1, tzinfo=UTC), "by": BY}
    said = OutcomeReported(**head, outcome_id=uuid4(), happened_on=DAY, code="self_harm", source="dsl")
    turned = FactCorrected(**head, corrects=uuid4(), changes={"code": "self_harm"}, why="code")
    other = OutcomeReported(**head, outcome_id=uuid4(), happened_on=DAY, code="bullied", source="dsl")
    for event, told in ((said, False), (turned, False), (other, True)):
        assert (restated._Restating(uuid4()).fact(encode(event)) is not None) is told
        assert (Choice(notes_read=True).why(encode(event)) == "") is told


def test_six_hundred_facts_are_taken_in_by_one_append(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    journey = a.records.streams_of(pupil).journey_id
    at = a.hands.clock()
    events = tuple(
        OutcomeReported(
            event_id=uuid4(), recorded_at=at, by=BY, outcome_id=uuid4(), happened_on=DAY, code="none", source="staff"
        )
        for _ in range(600)
    )
    version = a.records.log.load(journey).version
    a.records.log.append([Change(journey, StreamClass.JOURNEY, version, events, pupil)], idempotency=None)
    _, data = a.send(b, pupil)
    b.hands.key_document()
    calls: list[int] = []
    real = b.records.log.append
    b.records.log.append = lambda *given, **how: calls.append(1) or real(*given, **how)  # type: ignore[method-assign]
    try:
        answer = b.hands.receive(ask(), data)
    finally:
        b.records.log.append = real  # type: ignore[method-assign]
    assert (answer["facts"], calls) == (602, [1])


def test_what_a_school_signed_years_ago_still_verifies_under_its_renewed_keys(
    schools: SimpleNamespace, clock: Clock
) -> None:
    a, b, c = schools.a, schools.b, schools.c
    there = a.move(b, a.admit())
    clock.at += timedelta(days=800)
    assert len(b.hands.key_files()) > 1
    _, data = b.send(c, there)
    answer = c.hands.receive(ask(), data)
    assert b.hands.acknowledge(ask(), answer["receipt"].encode())["state"] == "acknowledged"


def test_the_ledger_names_both_ends(schools: SimpleNamespace) -> None:
    schools.a.move(schools.b, schools.a.admit())
    (out,), (into,) = schools.a.hands.transfers(), schools.b.hands.transfers()
    assert (out["direction"], out["state"], out["to"]) == ("out", "acknowledged", "Beech")
    assert (into["direction"], into["state"], into["from"]) == ("in", "received", "Ash")
    assert out["transfer_id"] == into["transfer_id"]


@pytest.mark.parametrize("table", ["vault", "pinned", "evidence", "transfers", "tiles"])
def test_one_school_sees_nothing_of_anothers_hand_overs(schools: SimpleNamespace, table: str) -> None:
    schools.b.move(schools.c, schools.a.move(schools.b, schools.a.admit()))
    b, c = schools.b.records.log, schools.c.records.log
    query = f"SELECT count(*) FROM record.{table} WHERE school_id <> %s"
    assert b.ask(query)[0][0] == 0
    assert c.ask(query)[0][0] == 0
    assert b.ask(query.replace("<>", "="))[0][0] > 0


def test_erasing_a_record_takes_its_evidence_and_what_a_transfer_said_of_it(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    there = a.move(b, a.admit())
    stream = b.records.streams_of(there).journey_id
    assert b.hands.vault.evidence(stream)
    erased = StreamErased(event_id=uuid4(), recorded_at=b.hands.clock(), by=BY, why="retention")
    b.records.log.erase_stream(stream, erased)
    assert b.hands.vault.evidence(stream) == {}
    assert b.hands.transfers()[0]["pupil_id"] is None


def test_the_audit_bundle_of_a_school_verifies_and_says_what_was_erased(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    there = a.move(b, a.admit())
    erased = StreamErased(event_id=uuid4(), recorded_at=b.hands.clock(), by=BY, why="retention")
    b.records.log.erase_stream(b.records.streams_of(there).journey_id, erased)
    run = Verifier()
    for one in (a, b):
        name, pieces = one.hands.audit_bundle(ask())
        assert name.endswith(".tar")
        verdict = run.audit(io.BytesIO(b"".join(pieces)))
        assert verdict.ok
    assert any("intact, unreadable since entry" in line for line in verdict.lines)


def test_a_file_that_nobody_released_is_refused(schools: SimpleNamespace) -> None:
    """A sender who seals a stream without the fact that releases it."""
    a, b = schools.a, schools.b
    pupil = a.admit()
    transfer, _ = a.send(b, pupil)
    row = a.hands.vault.transfer("out", transfer)
    other = _order(row).__class__(
        **{**{n: getattr(_order(row), n) for n in _order(row).__slots__}, "transfer_id": uuid4()}
    )
    made = outgoing.seal(
        other, a.hands.named(), a.records.identity(pupil), a.hands.vault, a.hands.proving,
        a.hands.proving.publish(ask()),
    )  # fmt: skip
    with pytest.raises(errors.BadStory, match="released"):
        b.hands.receive(ask(), made.data)


def test_received_facts_keep_who_recorded_them_and_where(schools: SimpleNamespace) -> None:
    there = schools.a.move(schools.b, schools.a.admit())
    _, facts = schools.b.records.journey(there)
    assert {fact.origin for fact in facts} == {schools.a.hands.origin(), ""}
    (received,) = [fact.event for fact in facts if isinstance(fact.event, RecordReceived)]
    assert received.from_school_id == schools.a.records.school_id
    assert not received.witnessed
