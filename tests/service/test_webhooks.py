"""Webhooks: told after it was recorded and of nothing else, signed, tried again, given up, and never led astray."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from astrack.app import App
from astrack.changing import Ask, Decided
from astrack.store import Store
from astrack.webhooks import Delivery, NoSuchDelivery, Webhooks
from astrack.webhooks.sending import WAITS, Sender
from domain.base import Actor, Stamp
from domain.journey.facts import PupilLeft
from domain.webhooks import KINDS, KindsMissing, WebhooksFull, WebhookUnknown
from tests.service.conftest import Clock, World, admit, key
from tests.support.command import Run

OFFICE = Actor(id=UUID(int=1), role="administrator")
HERE = (ip_network("127.0.0.0/8"),)
QUICK = httpx.Timeout(0.5)


@dataclass
class Receiver:
    """A machine that is told: answers what the test says, one after another, then 204; keeps what it got."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    slow_s: float = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(told.slow_s)
            self.send_response(told.answers.pop(0) if told.answers else 204)
            self.send_header("Location", f"http://127.0.0.1:{told.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


@dataclass
class Telling:
    """A school that tells one receiver of pupils who come and go."""

    app: App
    clock: Clock
    school_id: UUID
    ours: Webhooks
    id: UUID
    secret: str

    def turn(self) -> None:
        Sender(self.app, QUICK)(self.school_id)

    def sent(self) -> list[Delivery]:
        return self.ours.deliveries(self.id)

    def admit(self) -> UUID:
        return admit(self.app.school(self.school_id), "Quince", 5)

    def ask(self) -> Ask:
        return Ask(OFFICE, str(uuid4()))


@pytest.fixture
def telling(school: World, store: Store, receiver: Receiver) -> Telling:
    app = App(replace(school.app.settings, webhook_networks=HERE), store, school.clock)
    ours, one = Webhooks(app.school(school.school_id), HERE), uuid4()
    made = ours.add(
        Ask(OFFICE, str(uuid4())), webhook_id=one, address=receiver.address, kinds=["pupil-enrolled", "pupil-left"]
    )
    return Telling(app, school.clock, school.school_id, ours, one, made["secret"])


def test_a_message_says_that_something_of_a_kind_was_recorded_and_nothing_of_it(
    telling: Telling, receiver: Receiver
) -> None:
    pupil = telling.admit()
    telling.turn()
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert set(told) == {"type", "timestamp", "data"} and told["type"] == "pupil-enrolled"
    assert told["data"] == {"id": headers["webhook-id"], "school_id": str(telling.school_id)}
    text = str(headers) + body.decode()
    assert str(pupil) not in text and "Quince" not in text and "5A" not in text
    assert [(one.state, one.tries, one.said) for one in telling.sent()] == [("delivered", 1, "answered 204")]


def test_a_message_is_signed_as_standard_webhooks_asks(telling: Telling, receiver: Receiver) -> None:
    telling.admit()
    telling.turn()
    ((headers, body),) = receiver.got
    kept = base64.b64decode(telling.secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(kept, content, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - telling.clock.at.timestamp()) < 5


def test_only_the_kinds_that_were_chosen_are_told_and_only_from_then_on(telling: Telling, receiver: Receiver) -> None:
    records, pupil = telling.app.school(telling.school_id), telling.admit()
    records.leave(telling.ask(), pupil, on=date(2026, 11, 2))
    records.add_staff(telling.ask(), staff_id=uuid4(), name="Una")
    telling.turn()
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["pupil-enrolled", "pupil-left"]


def test_no_kind_tells_anything_of_a_pupils_story() -> None:
    stories = ("flag", "plan", "talk", "sat", "outcome", "hand", "right", "look", "review")
    assert not [name for name, cls in KINDS.items() for one in stories if one in name or one in cls.TOPIC]


def test_what_was_rolled_back_is_not_told(telling: Telling, receiver: Receiver) -> None:
    records, pupil = telling.app.school(telling.school_id), telling.admit()
    telling.turn()
    size = records.log.size()

    def left_and_broken(_: Any, stamp: Stamp) -> Decided:
        left = PupilLeft(**stamp.fresh(), happened_on=date(2026, 11, 2))
        return Decided([[left]], also=lambda _: [("SELECT 1 / 0", ())])

    with pytest.raises(Exception, match="division by zero"):
        records.change(telling.ask(), {"do": "leave"}, [records.journey_of(pupil)], left_and_broken)
    telling.turn()
    assert records.log.size() == size
    telling.admit()
    telling.turn()
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["pupil-enrolled", "pupil-enrolled"]


def test_what_a_stopped_service_had_not_told_is_told_by_the_next_and_once(telling: Telling, receiver: Receiver) -> None:
    telling.admit()
    another = App(telling.app.settings, telling.app.store, telling.clock)
    Sender(another, QUICK)(telling.school_id)
    Sender(another, QUICK)(telling.school_id)
    telling.turn()
    assert len(receiver.got) == 1


def test_who_dies_over_a_message_leaves_it_to_the_next(
    telling: Telling, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling.admit()
    with monkeypatch.context() as dying:
        dying.setattr("astrack.webhooks.receivers.post", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            telling.turn()
    telling.turn()
    assert receiver.got == [], "it is still the other's"
    telling.clock.at += timedelta(minutes=6)
    telling.turn()
    assert len(receiver.got) == 1 and telling.sent()[0].state == "delivered"


def test_a_message_that_is_not_taken_is_tried_again_under_its_id_with_growing_waits_and_given_up(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.answers = [500] * 50
    telling.admit()
    waits = []
    for _ in range(len(WAITS)):
        telling.turn()
        one = telling.sent()[0]
        assert (one.state, one.said) == ("waiting", "answered 500")
        waits.append(one.next_at - telling.clock.at)
        telling.clock.at = one.next_at
    assert waits == sorted(waits) and waits[-1] > timedelta(hours=23)
    telling.turn()
    assert telling.sent()[0].state == "given_up" and telling.sent()[0].tries == len(WAITS) + 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    telling.clock.at += timedelta(days=2)
    telling.turn()
    assert len(receiver.got) == len(WAITS) + 1
    receiver.answers = []
    telling.ours.send_again(telling.ask(), telling.id, telling.sent()[0].position)
    telling.turn()
    assert telling.sent()[0].state == "delivered"


def test_a_message_put_off_behind_one_that_failed_has_not_been_tried(telling: Telling, receiver: Receiver) -> None:
    receiver.answers = [500]
    telling.admit()
    telling.admit()
    telling.turn()
    assert sorted(one.tries for one in telling.sent()) == [0, 1]
    assert {one.state for one in telling.sent()} == {"waiting"}


def test_an_address_that_is_gone_is_given_up_at_once(telling: Telling, receiver: Receiver) -> None:
    receiver.answers = [410]
    telling.admit()
    telling.turn()
    assert telling.sent()[0].state == "given_up"


def test_a_redirect_is_refused_and_goes_nowhere(telling: Telling, receiver: Receiver) -> None:
    receiver.answers = [302]
    telling.admit()
    telling.turn()
    assert len(receiver.got) == 1 and telling.sent()[0].said == "redirect refused (302)"


def test_a_receiver_that_does_not_answer_in_time_holds_nobody_up(telling: Telling, receiver: Receiver) -> None:
    receiver.slow_s = 3
    telling.admit()
    telling.admit()
    begun = time.monotonic()
    telling.turn()
    assert time.monotonic() - begun < 2.5
    assert {one.state for one in telling.sent()} == {"waiting"} and telling.sent()[1].said == "ReadTimeout"


def test_nobody_listening_is_a_failed_try(telling: Telling, receiver: Receiver) -> None:
    receiver.port, gone = 1, uuid4()
    telling.ours.add(telling.ask(), webhook_id=gone, address="http://127.0.0.1:1/x", kinds=["pupil-enrolled"])
    telling.admit()
    telling.turn()
    assert [(one.state, one.said) for one in telling.ours.deliveries(gone)] == [("waiting", "ConnectError")]
    telling.ours.end(telling.ask(), gone)


@pytest.mark.parametrize(
    "address",
    ["https://127.0.0.1/x", "https://10.0.0.1/x", "https://169.254.169.254/latest", "https://[::1]/x",
     "https://[::ffff:10.0.0.1]/x", "https://localhost/x", "https://0.0.0.0/x", "http://example.org/x",
     "https://me:pw@example.org/x", "ftp://example.org/x", "https:///x"],
)  # fmt: skip
def test_an_address_of_a_private_network_or_not_of_https_is_refused(school: World, address: str) -> None:
    body = {"webhook_id": str(uuid4()), "address": address, "kinds": ["pupil-left"]}
    answer = school.as_("administrator").post("/api/v1/webhooks", json=body, headers=key())
    assert answer.status_code == 422
    assert answer.json()["type"].rsplit("/", 1)[-1] in ("receiver-not-public", "address-wrong")


def test_a_name_that_turns_private_after_it_was_checked_is_not_asked(
    telling: Telling, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling.admit()
    app = App(replace(telling.app.settings, webhook_networks=()), telling.app.store, telling.clock)
    Sender(app, QUICK)(telling.school_id)
    assert receiver.got == [] and telling.sent()[0].said == "ReceiverNotPublic"


def test_the_secret_is_shown_to_a_repeat_of_the_request_and_in_no_list(school: World, fresh_key: Any) -> None:
    office, head = school.as_("administrator"), fresh_key()
    body = {"webhook_id": str(uuid4()), "address": "https://93.184.215.14/x", "kinds": ["pupil-left"]}
    first = office.post("/api/v1/webhooks", json=body, headers=head)
    assert first.status_code == 200, first.text
    assert office.post("/api/v1/webhooks", json=body, headers=head).json() == first.json()
    assert first.json()["secret"] not in office.get("/api/v1/webhooks").text
    assert office.get(f"/api/v1/webhooks/{body['webhook_id']}/deliveries").json() == {"items": [], "next": None}
    assert office.post(f"/api/v1/webhooks/{body['webhook_id']}/end", headers=fresh_key()).status_code == 200
    gone = office.get(f"/api/v1/webhooks/{body['webhook_id']}/deliveries")
    assert gone.json()["type"].endswith("/webhook-unknown")


def test_what_makes_no_sense_is_refused_by_name(telling: Telling) -> None:
    with pytest.raises(NoSuchDelivery):
        telling.ours.send_again(telling.ask(), telling.id, 1 << 40)
    with pytest.raises(WebhookUnknown):
        telling.ours.end(telling.ask(), uuid4())
    for kinds in ([], ["flag-raised"]):
        with pytest.raises(KindsMissing):
            telling.ours.add(telling.ask(), webhook_id=uuid4(), address="http://127.0.0.1/x", kinds=kinds)
    with pytest.raises(WebhooksFull):
        for _ in range(30):
            telling.ours.add(telling.ask(), webhook_id=uuid4(), address="http://127.0.0.1/x", kinds=["pupil-left"])


def test_the_page_shows_the_key_once_what_was_sent_and_sends_it_again(
    telling: Telling, receiver: Receiver, school: World
) -> None:
    receiver.answers = [410]
    telling.admit()
    telling.turn()
    office, position = school.as_("administrator"), telling.sent()[0].position
    page = office.get("/setup/webhooks").text
    assert receiver.address in page and "given up" in page and "answered 410" in page and telling.secret not in page
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    form = {"token": token, "key": str(uuid4()), "number": str(position)}
    sent = office.post(f"/setup/webhooks/{telling.id}/again", data=form, headers={"Origin": "https://astrack.test"})
    assert "sent once more" in sent.text
    telling.turn()
    assert telling.sent()[0].state == "delivered"
    body = {"token": token, "key": str(uuid4()), "webhook_id": str(uuid4()), "address": "https://10.0.0.1/typed"}
    refused = office.post("/setup/webhooks", data=body, headers={"Origin": "https://astrack.test"})
    assert refused.status_code == 422 and "https://10.0.0.1/typed" in refused.text and "private network" in refused.text
    body |= {"address": "https://93.184.215.14/x", "kind": "pupil-left"}
    assert "whsec_" in office.post("/setup/webhooks", data=body, headers={"Origin": "https://astrack.test"}).text
    assert "whsec_" not in office.get("/setup/webhooks").text


def test_the_command_line_adds_lists_sends_again_and_ends(telling: Telling, receiver: Receiver, here: Run) -> None:
    school = ["--school", str(telling.school_id)]
    code, out, err = here("webhook", "add", "https://93.184.215.14/x", "--kind", "pupil-left", *school)
    assert code == 0 and "whsec_" in out, err
    assert receiver.address in here("webhook", "list", *school)[1]
    telling.admit()
    telling.turn()
    listed = here("webhook", "deliveries", str(telling.id), *school)[1]
    assert "pupil-enrolled" in listed and "delivered" in listed
    number = str(telling.sent()[0].position)
    assert here("webhook", "again", str(telling.id), number, *school)[0] == 0
    assert telling.sent()[0].state == "waiting"
    assert here("webhook", "end", str(telling.id), *school)[0] == 0
    assert here("webhook", "deliveries", str(telling.id), *school)[0] == 3


def test_a_message_that_is_kept_no_longer_is_not_made_again(telling: Telling, receiver: Receiver) -> None:
    telling.admit()
    telling.turn()
    telling.clock.at += timedelta(days=31)
    for _ in range(2):
        telling.turn()
    assert telling.sent() == [] and len(receiver.got) == 1


def test_an_address_that_is_ended_is_told_nothing_more(telling: Telling, receiver: Receiver) -> None:
    telling.admit()
    telling.ours.end(telling.ask(), telling.id)
    telling.turn()
    assert receiver.got == []
