"""The mailbox over HTTP: tus whole, boxes for their holders alone, caps, expiry, and nothing told to a log."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.testclient import TestClient

from astrack.mailbox import items, shelf
from astrack.mailbox.limits import BEGIN, Limits
from astrack.mailbox.proof import BoxKey
from astrack.mailbox.service import build
from astrack.mailbox.shelf import Shelf
from astrack.server.logs import Lines
from astrack.store import BadSetting

ADDRESS = "http://testserver"
DATA = b"age-encryption.org/v1 " + bytes(range(256)) * 40
TUS = {"Tus-Resumable": "1.0.0"}
APPEND = {**TUS, "Content-Type": "application/offset+octet-stream"}
LIMITS = Limits(item_bytes=100_000, box_bytes=60_000, box_items=3, all_bytes=150_000)


@dataclass
class Clock:
    at: datetime = datetime(2026, 11, 25, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Place:
    """A mailbox in this process, and the box of somebody in it."""

    http: TestClient
    folder: Path
    clock: Clock
    shelf: Shelf
    key: BoxKey

    def challenge(self) -> str:
        return str(self.http.get("/health").headers["astrack-challenge"])

    def signed(self, method: str, path: str, key: BoxKey | None = None, **how: Any) -> httpx.Response:
        given = (key or self.key).authorization(method, ADDRESS, path, self.challenge())
        headers = {"Authorization": given, **how.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **how)

    def join(self, key: BoxKey, code: str | None = None) -> httpx.Response:
        code = code or shelf.invite(self.folder, self.clock() + timedelta(days=1))
        return self.signed("POST", "/boxes", key, json={"invite": code, "key": key.public.text})

    def begin(self, data: bytes = DATA, **headers: str) -> httpx.Response:
        given = {**TUS, "Astrack-Box": self.key.token, "Upload-Length": str(len(data)), **headers}
        return self.http.post("/uploads", headers=given)

    def append(self, path: str, at: int, data: bytes) -> httpx.Response:
        return self.http.patch(path, headers={**APPEND, "Upload-Offset": str(at)}, content=data)

    def stands(self, path: str) -> httpx.Response:
        return self.http.head(path, headers=TUS)

    def put(self, data: bytes = DATA) -> str:
        """A whole item; its path in the box."""
        path = self.begin(data).headers["location"].removeprefix(ADDRESS)
        assert self.append(path, 0, data).status_code == 204
        return path.replace("/uploads/", "/box/")

    def waiting(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.signed("GET", "/box").json()["items"]
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    clock = Clock()
    opened = Shelf(tmp_path / "mailbox", clock, LIMITS)
    with TestClient(build(opened, ADDRESS, clock, uuid4), base_url=ADDRESS) as http:
        made = Place(http, tmp_path / "mailbox", clock, opened, BoxKey(bytes(range(32))))
        assert made.join(made.key).json() == {"token": made.key.token}
        yield made
    opened.close()


def says(answer: httpx.Response, status: int, words: str) -> bool:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    return True


def etag(data: bytes = DATA) -> str:
    return f'"{hashlib.sha256(data).hexdigest()}"'


def test_an_upload_goes_on_where_it_stands_until_it_is_whole(place: Place) -> None:
    begun = place.begin()
    path = begun.headers["location"].removeprefix(ADDRESS)
    assert (begun.status_code, begun.headers["tus-resumable"]) == (201, "1.0.0")
    assert "upload-expires" in begun.headers
    assert place.append(path, 0, DATA[:4000]).headers["upload-offset"] == "4000"
    stands = place.stands(path)
    assert (stands.status_code, stands.headers["upload-offset"]) == (200, "4000")
    assert (stands.headers["upload-length"], stands.headers["cache-control"]) == (str(len(DATA)), "no-store")
    assert place.waiting() == []
    assert place.append(path, 4000, DATA[4000:]).headers["upload-offset"] == str(len(DATA))
    assert [one["sha256"] for one in place.waiting()] == [hashlib.sha256(DATA).hexdigest()]


def test_bytes_at_another_offset_are_refused_and_change_nothing(place: Place) -> None:
    path = place.begin().headers["location"].removeprefix(ADDRESS)
    place.append(path, 0, DATA[:100])
    for at in (0, 99, 101, len(DATA)):
        assert says(place.append(path, at, b"x"), 409, "stands at 100")
    assert place.stands(path).headers["upload-offset"] == "100"


def test_the_protocol_is_announced_and_another_version_refused(place: Place) -> None:
    told = place.http.options("/uploads")
    assert (told.status_code, told.headers["tus-version"]) == (204, "1.0.0")
    assert told.headers["tus-extension"] == "creation,termination,expiration"
    assert told.headers["tus-max-size"] == "100000"
    wrong = place.http.post("/uploads", headers={"Tus-Resumable": "0.2.2"})
    assert says(wrong, 412, "speaks tus 1.0.0")
    assert wrong.headers["tus-version"] == "1.0.0"


def test_a_method_can_be_named_in_a_header(place: Place) -> None:
    path = place.begin().headers["location"].removeprefix(ADDRESS)
    headers = {**APPEND, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert place.http.post(path, headers=headers, content=b"abc").status_code == 204
    assert place.stands(path).headers["upload-offset"] == "3"


def test_an_upload_can_be_called_back_until_it_is_collected(place: Place) -> None:
    path = place.put().replace("/box/", "/uploads/")
    assert place.http.delete(path, headers=TUS).status_code == 204
    assert place.stands(path).status_code == 404
    assert place.waiting() == []
    assert list((place.folder / "items").iterdir()) == []


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"Upload-Length": ""}, 400, "whole number"),
        ({"Upload-Length": "0"}, 400, "from 1"),
        ({"Upload-Length": "-1"}, 400, "whole number"),
        ({"Upload-Length": "1e3"}, 400, "whole number"),
        ({"Upload-Length": "9" * 400}, 400, "whole number"),
        ({"Upload-Length": "100001"}, 413, "may have 100000 bytes"),
        ({"Upload-Metadata": "filename c2VjcmV0"}, 400, "leave it out"),
        ({"Upload-Defer-Length": "1"}, 400, "leave it out"),
        ({"Repr-Digest": "md5=:abc:"}, 400, "sha-256"),
        ({"Astrack-Box": "A" * 43}, 404, "no box"),
        ({"Astrack-Box": "../../etc/passwd"}, 404, "no box"),
    ],
)
def test_an_upload_that_is_not_one_is_refused_in_words(
    place: Place, headers: dict[str, str], status: int, words: str
) -> None:
    assert says(place.begin(**headers), status, words)
    assert list((place.folder / "items").iterdir()) == []


def test_a_client_that_always_sends_metadata_may_send_none(place: Place) -> None:
    assert place.begin(**{"Upload-Metadata": ""}).status_code == 201


def test_what_is_appended_must_be_bytes_at_an_offset(place: Place) -> None:
    path = place.begin().headers["location"].removeprefix(ADDRESS)
    assert says(place.http.patch(path, headers={**TUS, "Upload-Offset": "0"}, content=b"x"), 415, "offset+octet")
    assert says(place.http.patch(path, headers=APPEND, content=b"x"), 400, "upload-offset")


def test_more_than_was_announced_is_refused(place: Place) -> None:
    path = place.begin(b"12345").headers["location"].removeprefix(ADDRESS)
    assert says(place.append(path, 0, b"123456"), 413, "5 bytes were announced")
    assert place.stands(path).headers["upload-offset"] == "0"


def test_other_bytes_than_were_announced_end_the_upload(place: Place) -> None:
    digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    path = place.begin(**{"Repr-Digest": f"sha-256=:{digest}:"}).headers["location"].removeprefix(ADDRESS)
    assert says(place.append(path, 0, DATA[:-1] + b"?"), 422, "another SHA-256")
    assert place.stands(path).status_code == 404
    assert place.waiting() == []


def test_the_same_bytes_for_the_same_box_are_the_same_upload(place: Place) -> None:
    digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    told = {"Repr-Digest": f"sha-256=:{digest}:"}
    first = place.begin(**told).headers["location"]
    assert place.begin(**told).headers["location"] == first
    assert place.begin(b"x" * len(DATA)).headers["location"] != first


def test_one_request_writes_to_an_upload_at_a_time(place: Place) -> None:
    path = place.begin().headers["location"].removeprefix(ADDRESS)
    held = place.shelf.item(path.rpartition("/")[2])
    with held.lock:
        assert says(place.append(path, 0, b"x"), 423, "another request")
    assert place.append(path, 0, b"x").status_code == 204


def test_a_box_takes_only_so_many_items_and_bytes(place: Place) -> None:
    for number in range(3):
        place.put(b"%d" % number)
    assert says(place.begin(b"one more"), 507, "as much waiting")
    place.signed("DELETE", place.waiting()[0]["id"].join(("/box/", "")), headers={"If-Match": etag(b"0")})
    assert says(place.begin(b"x" * 60_000), 507, "as much waiting")
    assert place.begin(b"x" * 50_000).status_code == 201


def test_a_full_mailbox_says_so_whatever_box_it_is(place: Place) -> None:
    keys = [BoxKey(bytes([number]) * 32) for number in range(1, 4)]
    for key in keys:
        place.join(key)
    answers = [place.begin(b"x" * 60_000, **{"Astrack-Box": key.token}) for key in keys]
    assert [one.status_code for one in answers] == [201, 201, 507]


def test_a_disk_that_is_full_loses_nothing_and_counts_nothing_twice(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.begin().headers["location"].removeprefix(ADDRESS)
    place.append(path, 0, DATA[:100])

    def no_room(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(items.Path, "open", no_room)
        assert says(place.append(path, 100, DATA[100:]), 507, "no room")
    with monkeypatch.context() as patched:
        patched.setattr(items, "durable", no_room)
        assert says(place.begin(b"another"), 507, "no room")
    assert len(list((place.folder / "items").iterdir())) == 1
    assert place.append(path, 100, DATA[100:]).status_code == 204
    assert len(place.waiting()) == 1


def test_an_item_is_fetched_in_parts_under_its_etag(place: Place) -> None:
    path = place.put()
    whole = place.signed("GET", path)
    assert (whole.content, whole.headers["etag"], whole.headers["accept-ranges"]) == (DATA, etag(), "bytes")
    rest = place.signed("GET", path, headers={"Range": "bytes=5000-", "If-Range": etag()})
    assert (rest.status_code, rest.content) == (206, DATA[5000:])
    assert rest.headers["content-range"] == f"bytes 5000-{len(DATA) - 1}/{len(DATA)}"
    other = place.signed("GET", path, headers={"Range": "bytes=5000-", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, DATA)
    assert says(place.signed("GET", path, headers={"Range": f"bytes={len(DATA)}-"}), 416, "lies in it")


def test_an_item_is_forgotten_when_its_recipient_says_which_bytes_they_have(place: Place) -> None:
    path = place.put()
    assert says(place.signed("DELETE", path), 412, "If-Match")
    assert says(place.signed("DELETE", path, headers={"If-Match": '"other"'}), 412, "If-Match")
    assert len(place.waiting()) == 1
    assert place.signed("DELETE", path, headers={"If-Match": etag()}).status_code == 204
    assert says(place.signed("GET", path), 410, "collected")
    assert place.stands(path.replace("/box/", "/uploads/")).status_code == 410
    assert place.waiting() == []
    assert not list(place.folder.rglob("part"))


def test_a_request_that_is_not_signed_is_refused_with_a_challenge(place: Place) -> None:
    path = place.put()
    for method, where in (("GET", "/box"), ("GET", path), ("DELETE", path)):
        answer = place.http.request(method, where)
        assert says(answer, 401, "sign the challenge")
        assert answer.headers["www-authenticate"] == "Astrack-Box"
        assert len(answer.headers["astrack-challenge"]) > 40


def test_a_signed_request_serves_once(place: Place) -> None:
    given = {"Authorization": place.key.authorization("GET", ADDRESS, "/box", place.challenge())}
    assert place.http.get("/box", headers=given).status_code == 200
    assert says(place.http.get("/box", headers=given), 401, "fresh one")


def test_a_challenge_holds_for_two_minutes_and_for_the_process_that_drew_it(place: Place) -> None:
    given = {"Authorization": place.key.authorization("GET", ADDRESS, "/box", place.challenge())}
    place.clock.at += timedelta(seconds=121)
    assert says(place.http.get("/box", headers=given), 401, "fresh one")
    with TestClient(build(place.shelf, ADDRESS, place.clock, uuid4), base_url=ADDRESS) as anew:
        given = {"Authorization": place.key.authorization("GET", ADDRESS, "/box", place.challenge())}
        assert says(anew.get("/box", headers=given), 401, "fresh one")


@pytest.mark.parametrize(
    "signed", [("GET", ADDRESS, "/box/other"), ("DELETE", ADDRESS, "/box"), ("GET", "https://other.example", "/box")]
)
def test_a_signature_is_for_one_request_at_one_mailbox(place: Place, signed: tuple[str, str, str]) -> None:
    given = {"Authorization": place.key.authorization(*signed, place.challenge())}
    assert says(place.http.get("/box", headers=given), 401, "another request")


@pytest.mark.parametrize("given", ["Bearer x", "Astrack-Box", "Astrack-Box !", "Astrack-Box " + "A" * 9000,
                                   "Astrack-Box " + base64.b64encode(b"a\nb\n\n\xe2\x80\x94 x y\n").decode()])  # fmt: skip
def test_an_authorization_that_is_none_is_refused(place: Place, given: str) -> None:
    assert place.http.get("/box", headers={"Authorization": given}).status_code == 401


def test_nobody_reads_or_deletes_in_the_box_of_another(place: Place) -> None:
    path, other = place.put(), BoxKey(b"o" * 32)
    place.join(other)
    assert place.signed("GET", "/box", other).json() == {"items": [], "more": False}
    assert says(place.signed("GET", path, other), 404, "in this box")
    assert says(place.signed("DELETE", path, other, headers={"If-Match": etag()}), 404, "in this box")
    forged = BoxKey(b"f" * 32)
    text = forged.authorization("GET", ADDRESS, "/box", place.challenge())
    assert place.http.get("/box", headers={"Authorization": text}).status_code == 401


def test_an_upload_that_is_not_whole_is_in_no_box(place: Place) -> None:
    path = place.begin().headers["location"].removeprefix(ADDRESS)
    place.append(path, 0, DATA[:-1])
    assert says(place.signed("GET", path.replace("/uploads/", "/box/")), 404, "in this box")


def test_an_invitation_makes_one_box_within_its_time(place: Place) -> None:
    code = shelf.invite(place.folder, place.clock() + timedelta(days=1))
    first, second = BoxKey(b"1" * 32), BoxKey(b"2" * 32)
    assert place.join(first, code).status_code == 201
    assert place.join(first, "used up, and not needed: the box is there").status_code == 201
    assert says(place.join(second, code), 403, "invitation")
    late = shelf.invite(place.folder, place.clock() + timedelta(days=1))
    place.clock.at += timedelta(days=2)
    assert says(place.join(second, late), 403, "invitation")
    stolen = place.signed("POST", "/boxes", second, json={"invite": "x", "key": first.public.text})
    assert stolen.status_code == 401


def test_what_is_over_is_forgotten_with_its_bytes(place: Place) -> None:
    whole = place.put()
    half = place.begin(b"half").headers["location"].removeprefix(ADDRESS)
    place.clock.at += timedelta(days=1, minutes=1)
    assert place.stands(half).status_code == 404
    assert place.signed("GET", whole).status_code == 200
    assert place.shelf.sweep() == 1
    place.clock.at += timedelta(days=30)
    assert place.waiting() == []
    assert says(place.signed("GET", whole), 404, "time is over")
    place.shelf.sweep()
    assert list((place.folder / "items").iterdir()) == []


def test_the_folder_alone_is_enough_to_go_on(place: Place) -> None:
    whole, gone = place.put(), place.put(b"gone")
    half = place.begin(b"half of it").headers["location"].rpartition("/")[2]
    place.append(f"/uploads/{half}", 0, b"half")
    place.signed("DELETE", gone, headers={"If-Match": etag(b"gone")})
    (place.folder / "items" / "begun").mkdir()
    place.shelf.close()
    anew = Shelf(place.folder, place.clock, LIMITS)
    try:
        assert anew.item(half).offset == 4
        assert [one.id for one in anew.waiting(place.key.token)] == [whole.rpartition("/")[2]]
        with pytest.raises(items.UploadCollected):
            anew.of_box(place.key.token, gone.rpartition("/")[2])
        assert not (place.folder / "items" / "begun").exists()
    finally:
        anew.close()


def test_two_processes_do_not_serve_one_folder(place: Place) -> None:
    with pytest.raises(BadSetting, match="another process"):
        Shelf(place.folder, place.clock, LIMITS)


def test_who_guesses_tokens_or_begins_without_end_has_to_wait(place: Place) -> None:
    guesses = [place.begin(**{"Astrack-Box": "A" * 43}) for _ in range(21)]
    assert [one.status_code for one in guesses[-2:]] == [404, 429]
    assert int(guesses[-1].headers["retry-after"]) > 0
    place.clock.at += timedelta(minutes=10)
    digest = {"Repr-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(DATA).digest()).decode()}:"}
    begun = [place.begin(**digest).status_code for _ in range(int(BEGIN.burst) + 1)]
    assert (begun[-2], begun[-1]) == (201, 429)


def test_a_body_over_its_cap_is_refused_before_it_is_read(place: Place) -> None:
    assert says(place.http.post("/boxes", content=b"x" * 70_000), 413, "at most")
    assert says(place.http.get("/nothing"), 404, "nothing at this address")


def test_no_log_line_holds_a_token_an_invitation_or_an_id(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    code = shelf.invite(place.folder, place.clock() + timedelta(days=1))
    place.join(BoxKey(b"n" * 32), code)
    path = place.put()
    place.begin(**{"Astrack-Box": "B" * 43})
    place.signed("GET", path, BoxKey(b"f" * 32))
    place.signed("DELETE", path, headers={"If-Match": etag()})
    place.clock.at += timedelta(days=40)
    place.shelf.sweep()
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "asyncio"))]
    said = "".join(Lines().format(one) for one in ours)
    for secret in (place.key.token, code, path.rpartition("/")[2], "B" * 43, shelf.named(place.key.token)):
        assert secret not in said
    stored = "".join(json.dumps(str(one)) for one in place.folder.rglob("*"))
    assert place.key.token not in stored
