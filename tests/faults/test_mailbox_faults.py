"""A mailbox as a process that is killed, and a disk that takes no more: nothing half-written counts, nothing is lost."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from astrack.mailbox.client import Mailbox, MailboxRefused
from astrack.mailbox.guarded import OtherSideSilent
from astrack.mailbox.proof import BoxKey
from tests.support.mailboxes import Served

DATA = os.urandom(9_000_000)
DIGEST = hashlib.sha256(DATA).hexdigest()
DISK_BYTES = 2 << 20


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "mailbox").start()
    yield made
    made.kill()


def send(served: Served, token: str, data: bytes = DATA) -> tuple[str, list[int]]:
    told: list[int] = []
    with served.client() as asked:
        where = asked.send(token, io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest(), told.append)
    return where, told


def half_sent(served: Served, token: str) -> None:
    """Begin an upload and send a third of it in a request that never ends."""
    digest = base64.b64encode(bytes.fromhex(DIGEST)).decode()
    begun = (f"POST /uploads HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nAstrack-Box: {token}\r\n"
             f"Upload-Length: {len(DATA)}\r\nRepr-Digest: sha-256=:{digest}:\r\nContent-Length: 0\r\n"
             "Connection: close\r\n\r\n")  # fmt: skip
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as wire:
        wire.sendall(begun.encode())
        answer = wire.makefile("rb").read().decode()
    path = answer.split("location: ")[1].split("\r\n")[0].removeprefix(served.address)
    wire = socket.create_connection(("127.0.0.1", served.port), timeout=10)
    head = (f"PATCH {path} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(DATA)}\r\n\r\n")  # fmt: skip
    wire.sendall(head.encode() + DATA[: len(DATA) // 3])
    part = next((served.folder / "items").glob("*/part"))
    until = time.monotonic() + 10
    while part.stat().st_size < 1 << 20 and time.monotonic() < until:
        time.sleep(0.02)
    assert 1 << 20 <= part.stat().st_size < len(DATA)


def test_an_upload_goes_on_after_the_mailbox_was_killed_in_the_middle_of_it(served: Served, tmp_path: Path) -> None:
    key = served.box()
    half_sent(served, key.token)
    served.kill()
    served.start()
    with served.client() as asked:
        assert asked.waiting(key) == []
    where, told = send(served, key.token)
    assert where == "waiting"
    assert told[0] >= 1 << 20, "what had come before was sent again"
    assert sum(told) == len(DATA)
    with served.client() as asked:
        (item,) = asked.waiting(key)
        asked.fetch(key, item, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == DATA


def test_a_download_goes_on_where_it_broke_off_and_a_wrong_beginning_is_fetched_anew(
    served: Served, tmp_path: Path
) -> None:
    key, path = served.box(), tmp_path / "got"
    send(served, key.token)
    with served.client() as asked:
        (item,) = asked.waiting(key)
        path.write_bytes(DATA[:5_000_000])
        told: list[int] = []
        served.kill()
        served.start()
        asked.fetch(key, item, path, told.append)
        assert (sum(told), path.read_bytes() == DATA) == (4_000_000, True)
        path.write_bytes(b"x" * 100)
        with pytest.raises(OtherSideSilent, match="fetched anew"):
            asked.fetch(key, item, path)
        asked.fetch(key, item, path)
        assert path.read_bytes() == DATA


def test_a_disk_that_takes_no_more_is_said_and_the_upload_goes_on_once_there_is_room(tmp_path: Path) -> None:
    made = Served(tmp_path / "mailbox")
    made.start(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES)))
    try:
        key = made.box()
        with pytest.raises(MailboxRefused, match="no room"):
            send(made, key.token)
        assert send(made, key.token, b"small")[0] == "waiting"
        made.kill()
        made.start()
        where, told = send(made, key.token)
        assert (where, told[0], sum(told)) == ("waiting", DISK_BYTES, len(DATA))
    finally:
        made.kill()


def test_what_was_listed_is_there_after_a_kill_and_what_was_collected_is_not(served: Served) -> None:
    key = served.box()
    for number in range(3):
        send(served, key.token, b"item %d" % number)
    with served.client() as asked:
        first, *rest = asked.waiting(key)
        asked.done(key, first)
    served.kill()
    served.start()
    with served.client() as asked:
        assert asked.waiting(key) == rest
        asked.done(key, first)
    assert send(served, key.token, b"item 0")[0] == "collected"


def test_nothing_in_the_folder_or_the_log_says_more_than_sizes_and_times(served: Served) -> None:
    key = served.box()
    send(served, key.token)
    with served.client() as asked:
        (item,) = asked.waiting(key)
    with Mailbox(served.address, sleep=lambda _: None) as asked, pytest.raises(MailboxRefused, match="no box"):
        asked.send("B" * 43, io.BytesIO(b"x"), 1, hashlib.sha256(b"x").hexdigest())
    kept = b"".join(one.read_bytes() for one in served.folder.rglob("*") if one.is_file() and one.name != "part")
    said = served.log.read_bytes()
    for secret in (key.token, item.id, "B" * 43):
        assert secret.encode() not in said
    assert key.token.encode() not in kept
    assert b"127.0.0.1" not in kept + said


def test_a_mailbox_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    gone = Served(tmp_path / "mailbox")
    with gone.client() as asked, pytest.raises(OtherSideSilent, match="does not answer as it should"):
        asked.join(BoxKey(bytes(32)), "code")
