"""Two installations and a real mailbox between them: a record goes over and its receipt comes back, whatever breaks."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack import ids
from astrack.app import App
from astrack.changing import Ask
from astrack.handover import Handover
from astrack.mailbox import client
from astrack.mailbox.carrying import Carrier, CollectingAlready, Event
from astrack.mailbox.client import MailboxRefused
from astrack.mailbox.guarded import AddressWrong
from astrack.mailbox.post import MailboxNotNamed, NoBox, NoCard
from astrack.records import Records
from astrack.server.rounds import Rounds
from astrack.settings import Settings
from astrack.store import Store
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey.state import Custody
from tests.support.mailboxes import Served
from tests.support.small_school import Clock
from transfer import letter
from transfer.errors import BadCard, BadSignature, UnknownSigner
from transfer.keys import card as cards
from transfer.letter import Letter

BY = Actor(id=uuid4(), role="dsl")
DAY = date(2026, 9, 1)
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
NAMES = ("Zebedee", "Ash Primary", "Beech Academy", "100001", "B801200005001")


def ask() -> Ask:
    return Ask(BY, uuid4().hex)


@dataclass
class Place:
    """One school of one installation, and its post."""

    records: Records
    hands: Handover
    post: Carrier

    def admit(self) -> UUID:
        person = Person(
            surname="Zebedee",
            forename="Jo",
            upn=f"B80120000{uuid4().int % 9000 + 1000}",
            date_of_birth=date(2015, 3, 4),
        )
        return UUID(self.records.admit(ask(), person, on=DAY, year_group=6)["pupil_id"])

    def prepare(self, other: Place, pupil: UUID, **how: Any) -> UUID:
        done = self.hands.prepare(
            ask(), [pupil], to=other.hands.key_document(), lawful_basis="legal_obligation", accepted_on=DAY, start_on=DAY,
            **how,
        )  # fmt: skip
        return UUID(done["transfers"][0]["transfer_id"])

    def trusts(self, other: Place) -> None:
        self.hands.trust(ask(), other.hands.key_document(), words=other.hands.key_words())

    def state(self, transfer: UUID) -> str:
        row = self.hands.vault.transfer("out", transfer)
        assert row is not None
        return row.state

    def collect(self, **how: Any) -> dict[str, Event]:
        return {event.what: event for event in self.post.collect(ask(), **how)}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("served") / "mailbox").start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def elsewhere(settings: Settings, store: Store) -> Iterator[Store]:
    """The database of another installation, under a root key of its own."""
    with Store.open(replace(settings, database="elsewhere", root_key=os.urandom(32).hex())) as opened:
        yield opened


@pytest.fixture
def place(store: Store, elsewhere: Store, tmp_path: Path) -> Callable[..., Place]:
    clock = Clock(NOW)

    def make(name: str, urn: str, *, at_home: bool = True) -> Place:
        kept, school = store if at_home else elsewhere, uuid4()
        kept.create_school(school, clock.at)
        records = Records(kept.log(school), clock, ids.maker(clock))
        origin = f"{name.split()[0].lower()}-{school.hex[:8]}.example/log"
        named = SchoolName(school_id=school, name=name, urn=urn, lea="330", estab="2345", origin=origin)
        records.register_school(ask(), named, True)
        hands = Handover(records)
        return Place(records, hands, Carrier(hands, tmp_path / school.hex, sleep=lambda _: None))

    return make


@pytest.fixture
def schools(place: Callable[..., Place], served: Served) -> tuple[Place, Place]:
    """Two schools of two installations that know each other's keys; the sender has the receiver's card."""
    a, b = place("Ash Primary", "100001"), place("Beech Academy", "100002", at_home=False)
    for one, other in ((a, b), (b, a)):
        one.trusts(other)
        one.post.join(served.address, served.invite())
    a.post.know(b.post.own_card())
    return a, b


class Killed(BaseException):
    """Stands for a process that ends where it is."""


def dying(after: int) -> Callable[[int], None]:
    """Hears of bytes, and ends the process once so many have come."""
    seen = [0]

    def hear(done: int) -> None:
        seen[0] += done
        if seen[0] > after:
            raise Killed

    return hear


def test_a_record_goes_over_and_its_receipt_comes_back_whatever_is_killed_on_the_way(
    schools: tuple[Place, Place], served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a, b = schools
    monkeypatch.setattr(client, "CHUNK_BYTES", 16_384)
    pupil = a.admit()
    transfer = a.prepare(b, pupil)
    size = len(a.hands.sealed(transfer))
    with pytest.raises(Killed):
        a.post.send(ask(), transfer, served.address, dying(30_000))
    served.kill()
    served.start()
    assert (b.collect().keys(), a.state(transfer)) == ({"card"}, "prepared")
    told: list[int] = []
    assert a.post.send(ask(), transfer, served.address, told.append) == "waiting"
    assert told[0] >= 32_768
    assert (sum(told), a.state(transfer)) == (size, "sent")
    with pytest.raises(Killed):
        b.collect(progress=dying(0))
    served.kill()
    served.start()
    came: list[int] = []
    events = b.collect(progress=came.append)
    assert events.keys() == {"record", "receipt_sent"}
    assert sum(came) < size
    assert a.collect()["receipt"].said == "the receipt came: the transfer is acknowledged"
    assert (a.state(transfer), a.records.journey(pupil)[0].custody) == ("acknowledged", Custody.RELEASED)
    assert a.collect() == b.collect() == {}
    kept = b"".join(one.read_bytes() for one in served.folder.rglob("*") if one.is_file()) + served.log.read_bytes()
    for name in (*NAMES, a.hands.origin(), b.hands.origin(), str(transfer), str(pupil)):
        assert name.encode() not in kept
    assert not list(served.folder.rglob("part"))
    assert [one.name for one in (tmp_path / b.records.school_id.hex).iterdir()] == ["lock"]


def test_the_sender_sees_that_its_file_was_collected_before_the_receipt_comes(
    schools: tuple[Place, Place], served: Served
) -> None:
    a, b = schools
    transfer = a.prepare(b, a.admit())
    assert a.post.send(ask(), transfer, served.address) == a.post.send(ask(), transfer, served.address) == "waiting"
    monday = b.post.boxes()[0]
    with served.client() as asked:
        for item in asked.waiting(monday.key):
            asked.done(monday.key, item)
    assert a.collect().keys() == {"collected"}
    assert a.state(transfer) == "collected"
    assert a.post.send(ask(), transfer, served.address) == "collected"


def test_what_a_mailbox_has_lost_is_sent_again(schools: tuple[Place, Place], served: Served) -> None:
    a, b = schools
    transfer = a.prepare(b, a.admit())
    a.post.send(ask(), transfer, served.address)
    with served.client() as asked:
        for item in asked.waiting(b.post.boxes()[0].key):
            asked._ask("DELETE", f"/uploads/{item.id}", client.TUS)
    assert (b.collect(), a.collect()) == ({}, {})
    assert "record" in b.collect()


def test_a_file_in_the_wrong_box_is_refused_there_and_stays_until_somebody_drops_it(
    schools: tuple[Place, Place], place: Callable[..., Place], served: Served
) -> None:
    a, b = schools
    c = place("Cedar School", "100003")
    c.post.join(served.address, served.invite())
    data = a.hands.sealed(a.prepare(b, a.admit()))
    with served.client() as asked:
        asked.send(c.post.boxes()[0].key.token, io.BytesIO(data), len(data), sha256(data).hexdigest())
        assert "no key given here opens it" in c.collect()["refused"].said
        assert c.collect(again=False) == {}
        assert c.collect(drop=True).keys() == {"refused"}
        assert asked.waiting(c.post.boxes()[0].key) == []


def test_a_file_that_comes_twice_is_taken_in_once(schools: tuple[Place, Place], served: Served) -> None:
    a, b = schools
    transfer = a.prepare(b, a.admit())
    data, token = a.hands.sealed(transfer), b.post.boxes()[0].key.token
    a.post.send(ask(), transfer, served.address)
    assert "record" in b.collect()
    size = b.records.log.size()
    with served.client() as asked:
        again = asked._ask("POST", "/uploads", {**client.TUS, "Upload-Length": str(len(data)), "Astrack-Box": token})
        path = "/uploads/" + again.headers["location"].rpartition("/")[2]
        assert asked._append(path, io.BytesIO(data), 0, len(data)) == len(data)
    assert "record" in b.collect()
    assert b.records.log.size() == size
    assert a.collect()["receipt"].transfer_id == str(transfer)
    assert a.state(transfer) == "acknowledged"


def test_a_school_whose_keys_are_not_known_is_heard_once_its_words_are_said(
    place: Callable[..., Place], served: Served
) -> None:
    a, b = place("Ash Primary", "100001"), place("Beech Academy", "100002", at_home=False)
    a.trusts(b)
    for one in (a, b):
        one.post.join(served.address, served.invite())
    with pytest.raises(UnknownSigner):
        b.post.know(a.post.own_card())
    a.post.know(b.post.own_card())
    a.post.send(ask(), a.prepare(b, a.admit()), served.address)
    refused = b.collect()
    assert refused.keys() == {"refused"}
    b.trusts(a)
    assert b.collect().keys() == {"card", "record", "receipt_sent"}


def test_a_protected_move_does_not_tell_where_it_came_from(schools: tuple[Place, Place], served: Served) -> None:
    a, b = schools
    transfer = a.prepare(b, a.admit(), protected=True)
    a.post.send(ask(), transfer, served.address)
    row = a.hands.vault.transfer("out", transfer)
    assert row is not None
    events = b.collect(words=row.details["words"])
    assert events.keys() == {"record", "receipt_waits"}
    assert "another way" in events["receipt_waits"].said
    assert b.post.card_of(a.hands.origin()) is None


def test_only_a_mailbox_that_a_person_named_is_asked(
    schools: tuple[Place, Place], place: Callable[..., Place], served: Served, tmp_path: Path
) -> None:
    a, b = schools
    transfer = a.prepare(b, a.admit())
    with pytest.raises(MailboxNotNamed, match=r"name that one"):
        a.post.send(ask(), transfer, "https://other.example")
    c = place("Cedar School", "100003")
    c.trusts(b)
    with pytest.raises(NoCard):
        c.post.send(ask(), c.prepare(b, c.admit()), served.address)
    with pytest.raises(NoBox):
        c.post.own_card()
    assert not c.post.may_ask(served.address)
    c.post.name(served.address.upper().replace("HTTP", "http"))
    assert c.post.may_ask(served.address)


@pytest.mark.parametrize("address", ["http://mailbox.example", "https://", "ftp://x", "https://u:p@x", "https://x/?q",
                                     "https://x/path", "file:///etc/passwd", "https://x:port", "http://169.254.169.254"])  # fmt: skip
def test_an_address_is_https_and_nothing_more(schools: tuple[Place, Place], address: str) -> None:
    with pytest.raises(AddressWrong):
        schools[0].post.join(address, "code")


def test_a_card_of_another_hand_is_refused(schools: tuple[Place, Place]) -> None:
    a, b = schools
    good = b.post.own_card()
    other = cards.parse(a.post.own_card())
    keys = a.hands.signing.newest(a.hands.clock())
    signers = keys.signers(cards.Purpose.RECEIPT)
    with pytest.raises(BadCard, match="another school"):
        b.post.know(cards.sign(replace(other, origin=b.hands.origin()), signers))
    with pytest.raises(BadSignature):
        a.post.know(cards.sign(cards.parse(good), signers))
    for wrong in (good.replace(b"mailbox http", b"mailbox ftp"), good.replace(b"token ", b"token  "),
                  good.replace(b"card/v1", b"card/v2"), good.replace(b"\ntoken", b"\nother x\ntoken")):  # fmt: skip
        with pytest.raises((BadCard, BadSignature)):
            a.post.know(wrong)


def test_a_letter_is_as_long_as_any_other_and_opens_for_its_receiver_alone(schools: tuple[Place, Place]) -> None:
    a, b = schools
    now = a.hands.clock()
    to = b.hands.signing.newest(now).identity.recipient
    short, longer = (letter.seal(one, [to]) for one in (Letter(card=b"c"), Letter(receipt=b"r" * 60_000)))
    assert len(short) == len(longer)
    assert letter.unseal(short, b.hands.signing.identities(now)) == Letter(card=b"c")


def test_a_letter_that_is_none_is_refused_and_what_is_longer_is_a_file(schools: tuple[Place, Place]) -> None:
    _, b = schools
    key = b.hands.signing.newest(b.hands.clock()).identity
    for body in (b"astrack/letter/v1\n{}\n", b'astrack/letter/v1\n{"card":"","receipt":""}\nx',
                 b'astrack/letter/v1\n{"card":"!","receipt":""}\n'):  # fmt: skip
        with pytest.raises(letter.BadLetter):
            letter.unseal(letter.age.seal_bytes(body, [key.recipient]), [key])
    assert letter.unseal(letter.age.seal_bytes(b"a tar", [key.recipient]), [key]) is None


def test_two_do_not_collect_for_a_school_at_once(schools: tuple[Place, Place]) -> None:
    with schools[0].post._alone(), pytest.raises(CollectingAlready):
        schools[0].post.collect(ask())


def test_a_mailbox_that_is_away_stops_nothing_else(
    schools: tuple[Place, Place], served: Served, tmp_path: Path
) -> None:
    a, b = schools
    gone = Served(tmp_path / "gone").start()
    b.post.join(gone.address, gone.invite())
    gone.kill()
    a.post.send(ask(), a.prepare(b, a.admit()), served.address)
    assert b.collect().keys() == {"failed", "record", "receipt_sent", "card"}


def test_the_service_looks_into_the_boxes_by_itself(
    store: Store, settings: Settings, schools: tuple[Place, Place], served: Served
) -> None:
    a, b = schools
    transfer = a.prepare(b, a.admit())
    a.post.send(ask(), transfer, served.address)
    b.collect()
    Rounds(App(settings, store, Clock(NOW)))(a.records.school_id)
    assert a.state(transfer) == "acknowledged"


def test_an_invitation_that_is_none_is_one_sentence(place: Callable[..., Place], served: Served) -> None:
    with pytest.raises(MailboxRefused, match="this invitation is not one of this mailbox"):
        place("Cedar School", "100003").post.join(served.address, "guessed")
