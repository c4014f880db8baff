"""Schools that follow a directory over HTTP: newer keys come by themselves, a revoked one is refused, a false one shows."""

from __future__ import annotations

import functools
import http.server
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from astrack.app import App
from astrack.directory import layout
from astrack.directory.following import DirectoryUnknown, Follower
from astrack.directory.keeping import DirectoryBegun, DirectoryNotBegun, Keeper
from astrack.mailbox.guarded import OtherSideSilent
from astrack.server.rounds import Rounds
from astrack.settings import Settings
from astrack.signing import OwnKeys
from astrack.store import Store
from domain.journey.state import Custody
from tests.record.test_handover import Clock, Place, ask, clock, place, read  # noqa: F401
from transfer.age import Identity
from transfer.errors import BadKeyDocument, DirectoryForked, DirectoryRolledBack, ExpiredKey, OutOfDate
from transfer.keys.document import School, fingerprint_words, open_document
from transfer.keys.issue import first_document, next_document
from transfer.keys.signing import SigningKeys


@dataclass
class Served:
    """A directory, and where it can be read."""

    keeper: Keeper
    folder: Path
    address: str

    def add(self, school: Place) -> None:
        self.keeper.add(school.hands.key_document(), school.hands.key_words())
        self.keeper.publish()

    def follow(self, school: Place, *urns: str) -> dict[str, object]:
        return Follower(school.hands).fetch(ask(), self.address, urns, words=self.keeper.words())


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def directory(tmp_path: Path, clock: Clock) -> Iterator[Served]:  # noqa: F811
    keeper = Keeper.begin(tmp_path / "directory", "The trust's directory", "directory.example/keys", clock)
    public = tmp_path / "directory" / "public"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=public)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Served(keeper, tmp_path / "directory", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.fixture
def schools(place: Callable[..., Place]) -> tuple[Place, Place]:  # noqa: F811
    return place("Ash", "100001"), place("Beech", "100002")


def test_a_school_is_known_by_its_urn_once_the_directory_is(directory: Served, schools: tuple[Place, Place]) -> None:
    a, b = schools
    directory.add(a)
    with pytest.raises(BadKeyDocument, match="nobody has confirmed"):
        Follower(b.hands).fetch(ask(), directory.address, ["100001"])
    with pytest.raises(BadKeyDocument, match="eight words are not"):
        Follower(b.hands).fetch(ask(), directory.address, ["100001"], words=b.hands.key_words())
    answer = directory.follow(b, "100001", "999999")
    assert (answer["taken"], answer["missing"], answer["size"]) == (["Ash (1)"], ["999999"], 1)
    b.hands.trust(ask(), a.hands.key_document())
    assert Follower(b.hands).addresses() == [directory.address]
    assert directory.follow(b)["taken"] == []


def test_a_first_document_is_added_by_its_words_alone(directory: Served, schools: tuple[Place, Place]) -> None:
    a, b = schools
    with pytest.raises(BadKeyDocument, match="nobody has confirmed"):
        directory.keeper.add(a.hands.key_document())
    with pytest.raises(BadKeyDocument, match="eight words are not"):
        directory.keeper.add(a.hands.key_document(), b.hands.key_words())
    assert directory.keeper.entries() == []


def test_renewed_keys_come_through_the_directory(
    directory: Served,
    schools: tuple[Place, Place],
    clock: Clock,  # noqa: F811
) -> None:
    a, b = schools
    directory.add(a)
    directory.follow(b, "100001")
    clock.at += timedelta(days=366)
    directory.keeper.add(a.hands.key_document())
    directory.keeper.publish()
    assert len(directory.keeper.entries()) == 2
    assert directory.follow(b)["taken"] == ["Ash (2)"]
    assert directory.follow(b)["new"] == 0
    directory.keeper.add(a.hands.key_document())
    assert len(directory.keeper.entries()) == 2


def test_files_of_a_revoked_key_are_refused_by_name_and_those_of_before_still_count(
    directory: Served,
    schools: tuple[Place, Place],
    place: Callable[..., Place],  # noqa: F811
) -> None:
    (a, b), c = schools, place("Cedar", "100003")
    for one in (a, b, c):
        directory.add(one)
    for one in (a, b, c):
        directory.follow(one, *{"100001", "100002", "100003"} - {one.hands.named().urn})
    early, late = a.admit(), a.admit(a.records.identity(a.admit()).person.model_copy(update={"upn": "H801200001001"}))
    _, before = a.send(b, early)
    receipt = b.hands.receive(ask(), before)["receipt"]
    transfer, after = a.send(b, late)
    a.hands.signing.revoke(a.hands.clock())
    directory.keeper.add(a.hands.key_document())
    directory.keeper.publish()
    assert directory.follow(b)["taken"] == directory.follow(c)["taken"] == ["Ash (2)"]
    with pytest.raises(ExpiredKey, match=r"of Ash: its manifest key .* has been revoked"):
        b.hands.receive(ask(), after)
    again = b.hands.receive(ask(), before)
    assert again["receipt"] == receipt
    a.hands.acknowledge(ask(), receipt.encode())
    assert a.custody(early) is Custody.RELEASED
    at_b = UUID(again["pupil_id"])
    b.records.return_to_roll(ask(), at_b, on=b.hands.clock().date(), year_group=7)
    _, onward = b.send(c, at_b)
    assert {one.unit.origin for one in read(c, onward).proved.values()} == {a.hands.origin(), b.hands.origin()}
    assert c.hands.receive(ask(), onward)["facts"] > 2
    a.hands.withdraw(ask(), transfer)
    _, anew = a.send(b, late)
    assert b.hands.receive(ask(), anew)["facts"] == again["facts"] + 2


def test_who_has_revoked_keys_cannot_go_on_from_them(directory: Served, schools: tuple[Place, Place]) -> None:
    a, b = schools
    directory.add(a)
    directory.follow(b, "100001")
    stolen = a.hands.signing.newest(a.hands.clock())
    at = a.hands.clock()
    a.hands.signing.revoke(at)
    directory.keeper.add(a.hands.key_document())
    directory.keeper.publish()
    directory.follow(b)
    thief = SigningKeys.draw(os.urandom)
    fork = [stolen.signed]
    for _ in range(2):
        fork.append(next_document(fork[-1], stolen.signing if len(fork) == 1 else thief, thief,
                                  [stolen.identity.recipient], at, at + timedelta(days=400)))  # fmt: skip
    forked = b"".join(map(bytes, fork))
    with pytest.raises(BadKeyDocument, match="document 2 that is known here"):
        b.hands.trust(ask(), forked)
    a.hands.signing._known = [OwnKeys(thief, stolen.identity, one) for one in fork]
    a.hands.trust(ask(), b.hands.key_document(), words=b.hands.key_words())
    _, data = a.send(b, a.admit())
    with pytest.raises(BadKeyDocument, match="document 2 that is known here"):
        b.hands.receive(ask(), data)
    with pytest.raises(BadKeyDocument):
        directory.keeper.add(forked)


def test_a_directory_that_went_back_or_took_another_way_is_refused(
    directory: Served, schools: tuple[Place, Place], tmp_path: Path
) -> None:
    a, b = schools
    directory.add(a)
    shutil.copytree(directory.folder, tmp_path / "old")
    directory.add(b)
    directory.follow(a)
    theirs = Follower(a.hands).checkpoint("directory.example/keys")
    shutil.rmtree(directory.folder / "public")
    shutil.copytree(tmp_path / "old" / "public", directory.folder / "public")
    with pytest.raises(DirectoryRolledBack, match="shows 1 entries and has shown 2"):
        directory.follow(a)
    directory.keeper.add(_other("Yew"), _words("Yew"))
    directory.keeper.publish()
    for how in ({}, {"whole": True}):
        with pytest.raises(DirectoryForked):
            Follower(a.hands).fetch(ask(), directory.address, **how)  # type: ignore[arg-type]
    directory.follow(b)
    with pytest.raises(DirectoryForked, match="somebody else"):
        Follower(b.hands).compare(theirs)
    assert Follower(a.hands).compare(theirs) == 2
    with pytest.raises(DirectoryUnknown):
        Follower(a.hands).checkpoint("other.example/keys")


def _yew(name: str) -> OwnKeys:
    count = iter(range(9))
    signing = SigningKeys.draw(lambda size: bytes([next(count)]) * size)
    at = Clock().at
    made = first_document(School(name=name, urn="100009"), f"{name.lower()}.example/log", signing,
                          [Identity(bytes(32)).recipient], at, at + timedelta(days=400))  # fmt: skip
    return OwnKeys(signing, Identity(bytes(32)), made)


def _other(name: str) -> bytes:
    return bytes(_yew(name).signed)


def _words(name: str) -> str:
    return " ".join(fingerprint_words(open_document(_other(name)).document))


def test_the_keeper_does_not_publish_a_log_that_is_shorter_or_another(
    directory: Served, schools: tuple[Place, Place]
) -> None:
    a, b = schools
    directory.add(a)
    file = directory.folder / "public" / layout.bundle_name(0)
    kept = file.read_bytes()
    file.write_bytes(b"")
    with pytest.raises(DirectoryRolledBack, match="shorter than what was published"):
        directory.keeper.publish()
    file.write_bytes(layout.bundle([b.hands.key_document()]))
    with pytest.raises(DirectoryForked, match="not the one that was published"):
        directory.keeper.publish()
    file.write_bytes(kept)
    assert directory.keeper.publish().size == 1


def test_a_directory_that_nobody_publishes_any_more_is_not_believed(
    directory: Served,
    schools: tuple[Place, Place],
    clock: Clock,  # noqa: F811
) -> None:
    directory.add(schools[0])
    clock.at += timedelta(days=41)
    with pytest.raises(OutOfDate, match="publish it again"):
        directory.follow(schools[1])


def test_keys_in_this_schools_name_that_it_never_made_are_told(directory: Served, schools: tuple[Place, Place]) -> None:
    a, b = schools
    directory.add(a)
    assert directory.follow(a)["not_ours"] == []
    yew = _yew("Yew").signed.document
    assert yew.school.urn == "100009"
    b.records.register_school(ask(), b.hands.named().model_copy(update={"urn": "100009"}), True)
    directory.keeper.add(_other("Yew"), _words("Yew"))
    directory.keeper.publish()
    assert directory.follow(b)["not_ours"] == ["document 1 of yew.example/log, Yew"]


def test_the_service_follows_by_itself_once_a_day(
    directory: Served, schools: tuple[Place, Place], store: Store, settings: Settings, clock: Clock,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    a, b = schools
    directory.add(a)
    directory.follow(b, "100001")
    a.hands.signing.revoke(a.hands.clock())
    directory.keeper.add(a.hands.key_document())
    directory.keeper.publish()
    rounds = Rounds(App(settings, store, clock))
    rounds(b.records.school_id)
    assert Follower(b.hands).fetch(ask(), directory.address)["taken"] == []
    shutil.rmtree(directory.folder / "public")
    rounds(b.records.school_id)
    caplog.set_level(logging.WARNING)
    clock.at += timedelta(days=1)
    rounds(b.records.school_id)
    assert "a directory could not be followed: OtherSideSilent" in caplog.text
    with pytest.raises(OtherSideSilent, match="no directory at that address"):
        directory.follow(b)


def test_a_folder_holds_one_directory(directory: Served, tmp_path: Path, clock: Clock) -> None:  # noqa: F811
    with pytest.raises(DirectoryBegun):
        Keeper.begin(directory.folder, "Another", "other.example", clock)
    with pytest.raises(DirectoryNotBegun):
        Keeper(tmp_path / "nowhere", clock).publish()
    with pytest.raises(BadKeyDocument, match="origin is not like"):
        Keeper.begin(tmp_path / "odd", "Odd", "with space", clock)
