"""Keys and boxes by page, by API and by command: what is known, what waits, sending, revoking, a directory."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from astrack.directory.keeping import Keeper
from astrack.handover import Handover
from astrack.mailbox.carrying import Carrier
from astrack.settings import Settings
from astrack.store import Store
from domain.journey.state import Custody
from tests.service.conftest import World, key
from tests.service.test_pages_transfers import upload
from tests.support.command import Run
from tests.support.mailboxes import Served
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build

HERE = "/transfers/keys"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "mailbox").start()
    yield made
    made.kill()


@pytest.fixture
def two(store: Store, settings: Settings) -> tuple[SmallSchool, SmallSchool]:
    sender = build(store, settings, pupils=1, years=1, with_past=False)
    return sender, build(store, settings, pupils=0, years=1, with_past=False)


def dsl(school: SmallSchool) -> Reader:
    return Reader(served(school), school, "dsl")


def hands(school: SmallSchool) -> Handover:
    return Handover(school.records)


def know_each_other(a: SmallSchool, b: SmallSchool) -> None:
    for one, other in ((a, b), (b, a)):
        hands(one).trust(one.ask("dsl"), hands(other).key_document(), words=hands(other).key_words())


def test_a_record_goes_by_mailbox_from_page_to_page_and_its_receipt_comes_back(
    two: tuple[SmallSchool, SmallSchool], mailbox: Served
) -> None:
    know_each_other(*two)
    here, there = (dsl(one) for one in two)
    for one in (here, there):
        joined = one.send(one.get(HERE), "/join", mailbox=mailbox.address, invite=mailbox.invite())
        assert "You have a box" in joined.text and mailbox.address in joined.text
    card = there.get(HERE + "/own-card").content
    assert "known now where that school" in upload(here, here.get(HERE), "/card", card, "card", ask="yes").text
    assert mailbox.address in here.get(HERE).text
    origin = hands(two[1]).origin()
    made = here.send(
        here.get("/transfers"), "/prepare", to=origin, accepted_on="2026-09-01", start_on="2026-09-02",
        lawful_basis="legal_obligation",
    )  # fmt: skip
    assert made.status_code == 200, made.text
    boxed = here.send(here.get("/transfers"), "/send")
    assert "in the other school&#39;s box" in boxed.text or "in the other school's box" in boxed.text
    office = Reader(served(two[1]), two[1], "administrator")
    looked = office.send(office.get(HERE), "/look")
    assert f"bytes in {mailbox.address}" in looked.text and "refused before" not in looked.text
    assert office.post(HERE + "/collect").status_code in (403, 422)
    came = there.send(there.get(HERE), "/collect")
    assert "a record of" in came.text and "the receipt was sent" in came.text
    assert "the transfer is acknowledged" in here.send(here.get(HERE), "/collect").text
    (pupil,) = two[0].pupils.values()
    assert two[0].records.journey(pupil)[0].custody is Custody.RELEASED
    assert "Nothing waits" in there.send(there.get(HERE), "/look").text


def test_what_is_refused_is_marked_until_a_person_drops_it(
    two: tuple[SmallSchool, SmallSchool], mailbox: Served
) -> None:
    receiver = two[1]
    there = dsl(receiver)
    there.send(there.get(HERE), "/join", mailbox=mailbox.address, invite=mailbox.invite())
    (box,) = Carrier.of(hands(receiver), receiver.app.settings).boxes()
    with mailbox.client() as sender:
        sender.send(box.key.token, io.BytesIO(b"no file of ours"), 15, hashlib.sha256(b"no file of ours").hexdigest())
    assert "refused" in there.send(there.get(HERE), "/collect").text
    assert "refused before: somebody must look" in there.send(there.get(HERE), "/look").text
    there.send(there.get(HERE), "/collect", drop="yes")
    assert "Nothing waits" in there.send(there.get(HERE), "/look").text
    mailbox.kill()
    away = there.send(there.get(HERE), "/look")
    assert away.status_code == 200 and "does not answer" in away.text


def test_keys_are_shown_with_their_words_and_revoked_once_for_each_request(
    two: tuple[SmallSchool, SmallSchool],
) -> None:
    know_each_other(*two)
    here = dsl(two[0])
    shown = here.get(HERE).text
    assert hands(two[0]).key_words() in shown and hands(two[1]).key_words() in shown
    unsure = here.send(here.get(HERE), "/revoke")
    assert unsure.status_code == 422 and "every key so far must go" in unsure.text
    page, before = here.get(HERE), hands(two[0]).key_words()
    for _ in range(2):
        assert "The keys so far are revoked" in here.send(page, "/revoke", sure="yes").text
    now = hands(two[0]).signing.newest(two[0].clock()).signed.document
    assert (now.serial, len(now.revoked)) == (2, 4)
    assert before not in here.get(HERE).text and "4 keys" in here.get(HERE).text
    assert Reader(served(two[0]), two[0], "administrator").post(HERE + "/revoke", sure="yes").status_code in (403, 422)


def test_a_directory_is_read_from_the_page_once_its_words_are_said(
    two: tuple[SmallSchool, SmallSchool], tmp_path: Path
) -> None:
    sender, receiver = two
    keeper = Keeper.begin(tmp_path / "d", "The trust", "trust.example/keys", sender.clock)
    keeper.add(hands(receiver).key_document(), hands(receiver).key_words())
    keeper.publish()
    here = dsl(sender)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "d" / "public")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}"
        refused = here.send(here.get(HERE), "/directory", address=at)
        assert refused.status_code == 422 and "nobody has confirmed it yet" in refused.text
        read = here.send(here.get(HERE), "/directory", address=at, words=keeper.words())
        assert "1 entry, 1 of them new" in read.text
        assert "trust.example/keys" in here.get(HERE).text and "nothing can be sealed for it" in here.get(HERE).text
        assert "The trust</option>" not in here.get("/transfers").text
        server.shutdown()


def test_the_api_shows_keys_and_boxes_and_revokes_once_for_each_key(school: World) -> None:
    office, lead = school.as_("administrator"), school.as_("dsl")
    shown = office.get("/api/v1/keys").json()
    assert (shown["own"]["serial"], shown["known"]) == (1, [])
    assert len(shown["own"]["words"].split()) == 8
    assert office.get("/api/v1/mailboxes").json() == {"boxes": [], "waiting": [], "away": []}
    assert office.get("/api/v1/directories").json() == []
    once = key()
    assert lead.post("/api/v1/keys/revoke", json={"sure": False}, headers=key()).status_code == 422
    for _ in range(2):
        assert lead.post("/api/v1/keys/revoke", json={"sure": True}, headers=once).json()["serial"] == 2
    assert lead.post("/api/v1/mailboxes/collect", json={}, headers=key()).json() == []


def test_the_command_lists_whose_keys_are_known(here: Run, store: Store, settings: Settings) -> None:
    a, b = (build(store, settings, pupils=0, years=1, with_past=False) for _ in range(2))
    know_each_other(a, b)
    code, said, _ = here("keys", "list", "--school", a.school_id)
    assert code == 0 and hands(b).key_words() in said and hands(b).origin() in said
