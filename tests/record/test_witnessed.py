"""A school's checkpoints are cosigned by a witness over HTTP; one that is away or refuses stops nothing."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from astrack import ids
from astrack.handover import Handover
from astrack.records import Ask, Records
from astrack.store import BadSetting, Store
from astrack.witnesses import Witness, Witnesses, read
from domain.base import Actor
from domain.identity import SchoolName
from transfer.evidence import merkle, note
from transfer.evidence.checkpoint import Checkpoint

KEY = note.Signer("witness.example/one", note.Kind.COSIGNATURE_V1, bytes(range(32)))
AT = datetime(2026, 9, 7, 9, tzinfo=UTC)


class Seen:
    """What the witness remembers; ``refuse`` makes it answer 422."""

    def __init__(self) -> None:
        self.size, self.root, self.refuse, self.conflicts = 0, merkle.EMPTY_ROOT, False, 0

    def add(self, body: bytes) -> tuple[int, str, bytes]:
        head, _, rest = body.partition(b"\n\n")
        first, *lines = head.decode().split("\n")
        signed = note.parse(rest)
        asked = Checkpoint.parse(signed.text)
        if int(first.removeprefix("old ")) != self.size:
            self.conflicts += 1
            return 409, "text/x.tlog.size", f"{self.size}\n".encode()
        if self.refuse:
            return 422, "text/plain", b""
        if self.size:
            merkle.verify_consistency(
                self.size, self.root, asked.size, asked.root, [base64.b64decode(one) for one in lines]
            )
        self.size, self.root = asked.size, asked.root
        return 200, "text/plain", KEY.sign(signed.text, int(AT.timestamp())).line.encode()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def address(seen: Seen) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, kind, body = seen.add(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def desk(store: Store, witnesses: Witnesses) -> tuple[Handover, Ask]:
    school_id, now = uuid4(), [AT]

    def clock() -> datetime:
        now[0] += timedelta(seconds=1)
        return now[0]

    store.create_school(school_id, AT)
    records = Records(store.log(school_id), clock, ids.maker(clock), witnesses)
    ask = Ask(Actor(id=UUID(int=2), role="auditor"), "k")
    records.register_school(ask, SchoolName(school_id=school_id, name="Brook"))
    return Handover(records), ask


def cosigned(checkpoint: bytes) -> bool:
    return KEY.verifier in note.verify(note.parse(checkpoint), [KEY.verifier])


def test_each_checkpoint_is_cosigned_as_the_log_grows(store: Store, seen: Seen, address: str) -> None:
    hands, ask = desk(store, Witnesses([Witness(address, KEY.verifier)]))
    for _ in range(3):
        assert cosigned(hands.proving.publish(ask).checkpoint)
    assert seen.conflicts == 0


def test_a_witness_that_knows_more_than_we_remember_says_from_where(store: Store, seen: Seen, address: str) -> None:
    known = [Witness(address, KEY.verifier)]
    hands, ask = desk(store, Witnesses(known))
    assert cosigned(hands.proving.publish(ask).checkpoint)
    hands.records.witnesses = Witnesses(known)  # the service was started again
    assert cosigned(hands.proving.publish(ask).checkpoint)
    assert seen.conflicts == 1


def test_a_witness_that_refuses_or_is_away_stops_nothing(store: Store, seen: Seen, address: str) -> None:
    seen.refuse = True
    away = Witness("http://127.0.0.1:1", KEY.verifier)
    hands, ask = desk(store, Witnesses([Witness(address, KEY.verifier), away], timeout_s=1))
    assert not cosigned(hands.proving.publish(ask).checkpoint)


@pytest.mark.parametrize(
    "line", ["http://witness.example " + KEY.verifier.text, "https://witness.example nonsense", "one"]
)
def test_a_file_of_witnesses_that_cannot_be_used_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "witnesses"
    path.write_text(f"# ours\nhttps://witness.example {KEY.verifier.text}\n")
    assert read(path) == (Witness("https://witness.example", KEY.verifier),)
    path.write_text(line + "\n")
    with pytest.raises(BadSetting, match="ASTRACK_WITNESSES"):
        read(path)
