"""Root, school and stream keys: what is bound to what, rotation while others write, a key service that is not ours."""

from __future__ import annotations

import base64
import json
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astrack.settings import Settings
from astrack.store import BadSetting, Change, KeyMissing, SchoolLog, Store, StoreUnavailable
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from astrack.store.keys import place_of
from astrack.store.rootkey import FileRootKey, HeldRootKey
from astrack.store.rotation import rotate_root
from astrack.store.store import root_key
from astrack.store.transit import TransitRootKey
from domain.base import Actor, Event, StreamClass

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")
PLACE = place_of(UUID(int=1), UUID(int=1), 0, 1)
KEY = bytes(range(32))


class LampLit(Event):
    """The lamp was lit (for these tests)."""

    TOPIC: ClassVar[str] = "test.lamp-lit.v1"


def lit(stream: UUID, expected: int) -> Change:
    event = LampLit(event_id=uuid4(), recorded_at=AT, by=ACTOR)
    return Change(stream, StreamClass.JOURNEY, expected, (event,))


@pytest.fixture
def admin(store: Store, settings: Settings) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database), autocommit=True) as conn:
        yield conn


@pytest.fixture(autouse=True)
def _leave_no_school_that_opens_for_nobody(store: Store, admin: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
    before = store.logs()
    yield
    made = [school for school in store.logs() if school not in before]
    tables = ("keys.stream_keys", "keys.school_keys", "record.streams", "record.events", "record.schools")
    for table in tables:
        admin.execute(f"DELETE FROM {table} WHERE school_id = ANY (%s)".encode(), (made,))


def fresh(store: Store, log: SchoolLog) -> SchoolLog:
    """The same log with no key in memory."""
    return SchoolLog(store._db, store._root, log.school_id)


def test_a_school_key_is_rotated_and_everything_still_opens(
    store: Store, school_log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    streams = [uuid4() for _ in range(12)]
    for stream in streams:
        school_log.append([lit(stream, -1)], idempotency=None)
    seen: list[tuple[int, int]] = []
    assert store.rotate_school_key(school_log.school_id, lambda done, total: seen.append((done, total))) == 13
    assert seen[-1] == (13, 13)
    left = "SELECT DISTINCT generation FROM keys.school_keys WHERE school_id = %s"
    assert admin.execute(left, (school_log.school_id,)).fetchall() == [(2,)]
    for log in (school_log, fresh(store, school_log)):
        assert [log.load(stream).version for stream in streams] == [0] * 12
        log.append([lit(uuid4(), -1)], idempotency=None)
        assert list(check_store(log)) == []


def test_a_school_key_is_rotated_while_others_make_streams(store: Store, school_log: SchoolLog) -> None:
    others = [fresh(store, school_log) for _ in range(3)]
    halt = threading.Event()
    made: list[UUID] = []

    def write(log: SchoolLog) -> None:
        while not halt.is_set() and len(made) < 300:
            stream = uuid4()
            log.append([lit(stream, -1)], idempotency=None)
            made.append(stream)

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, log) for log in others]
        try:
            for _ in range(4):
                store.rotate_school_key(school_log.school_id)
        finally:
            halt.set()
        for writer in writers:
            writer.result(30)
    found = fresh(store, school_log)
    assert {type(stream.facts[0].event) for stream in found.load_many(made)} == {LampLit}
    assert list(check_store(found)) == []


def test_a_destroyed_school_key_opens_no_older_copy_of_the_keys(
    store: Store, school_log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]]
) -> None:
    stream = uuid4()
    school_log.append([lit(stream, -1)], idempotency=None)
    query = "SELECT wrapped FROM keys.stream_keys WHERE school_id = %s AND stream_id = %s"
    ((before,),) = admin.execute(query, (school_log.school_id, stream)).fetchall()
    store.rotate_school_key(school_log.school_id)
    restored = "UPDATE keys.stream_keys SET wrapped = %s WHERE school_id = %s AND stream_id = %s"
    admin.execute(restored, (before, school_log.school_id, stream))
    with pytest.raises(KeyMissing):
        fresh(store, school_log).load(stream)


@pytest.mark.parametrize("swap", ["stream", "class", "generation", "school"])
def test_a_wrapped_key_opens_only_where_it_belongs(
    store: Store, school_log: SchoolLog, admin: psycopg.Connection[tuple[Any, ...]], swap: str
) -> None:
    one, two = uuid4(), uuid4()
    school_log.append([lit(one, -1), lit(two, -1)], idempotency=None)
    where = "WHERE school_id = %(school)s AND stream_id = %(one)s"
    statements = {
        "stream": "UPDATE keys.stream_keys SET wrapped = (SELECT wrapped FROM keys.stream_keys"
                  " WHERE school_id = %(school)s AND stream_id = %(two)s) " + where,
        "class": "UPDATE keys.stream_keys SET class = 2 " + where,
        "generation": "UPDATE keys.stream_keys SET generation = 2 " + where,
        "school": "UPDATE keys.school_keys SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)"
                  " WHERE school_id = %(school)s",
    }  # fmt: skip
    admin.execute(statements[swap].encode(), {"school": school_log.school_id, "one": one, "two": two})
    with pytest.raises(KeyMissing):
        fresh(store, school_log).load(one)


def test_a_new_root_key_wraps_and_the_old_one_unwraps_until_it_is_retired(tmp_path: Path) -> None:
    root = FileRootKey(tmp_path / "root.key")
    first = (tmp_path / "root.key").read_text().strip()
    other = FileRootKey(tmp_path / "root.key")
    before, secret = other.wrap(KEY, PLACE), root.secret()
    assert (tmp_path / "root.key").stat().st_mode & 0o077 == 0
    root.renew()
    after = other.wrap(KEY, PLACE)  # the other process reads what the file now says
    assert other.newest(after, PLACE) and not other.newest(before, PLACE)
    assert root.unwrap(before, PLACE) == root.unwrap(after, PLACE) == KEY
    root.retire()
    assert first not in (tmp_path / "root.key").read_text()
    assert other.unwrap(after, PLACE) == KEY and other.secret() == root.secret() == secret
    with pytest.raises(KeyMissing):
        other.unwrap(before, PLACE)
    with pytest.raises(KeyMissing):
        root.unwrap(after, place_of(UUID(int=2), UUID(int=1), 0, 1))


def test_the_root_key_is_rotated_under_a_running_service(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "root.key"
    FileRootKey(path)
    mine, theirs = Store(store._db, FileRootKey(path), None), Store(store._db, FileRootKey(path), None)
    schools = [uuid4() for _ in range(3)]
    for school in schools:
        mine.create_school(school, AT)
        theirs.log(school).append([lit(uuid4(), -1)], idempotency=None)
    seen: list[tuple[int, int]] = []
    assert rotate_root(store._db, mine._root, schools, lambda *at: seen.append(at)) == 3
    assert seen == [(1, 3), (2, 3), (3, 3)] and len(path.read_text().split("\n")) == 3
    for school in schools:
        theirs.log(school).ring.renew()
        theirs.log(school).append([lit(uuid4(), -1)], idempotency=None)
        assert list(check_store(SchoolLog(store._db, FileRootKey(path), school))) == []


def test_a_root_key_file_that_cannot_be_written_is_named_and_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = FileRootKey(tmp_path / "root.key")
    text, wrapped = (tmp_path / "root.key").read_text(), root.wrap(KEY, PLACE)

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("astrack.store.rootkey.os.open", refuse)
    with pytest.raises(BadSetting, match="cannot be written"):
        root.renew()
    assert (tmp_path / "root.key").read_text() == text and root.newest(wrapped, PLACE)


@pytest.mark.parametrize(
    "text", ["", "00", "zz" * 32, "00" * 33, "database: " + "00" * 32, "\n".join(["00" * 32] * 21)]
)
def test_a_text_that_is_not_a_root_key_is_refused(text: str) -> None:
    with pytest.raises(KeyMissing, match="64 hexadecimal digits"):
        HeldRootKey(text, "ASTRACK_ROOT_KEY")


def test_a_root_key_of_the_environment_may_hold_the_old_one_too(tmp_path: Path) -> None:
    old, new = "11" * 32, "22" * 32
    before = HeldRootKey(old, "x").wrap(KEY, PLACE)
    both = root_key(Settings(home=tmp_path, root_key=f"{new},{old}"))
    assert both.unwrap(before, PLACE) == KEY and not both.newest(before, PLACE)
    assert pickle.loads(pickle.dumps(both)).unwrap(before, PLACE) == KEY
    assert old not in repr(Settings(home=tmp_path, root_key=old))


class KeyService(ThreadingHTTPServer):
    """The transit protocol, as OpenBao speaks it, for one key."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.versions = [AESGCM(AESGCM.generate_key(256))]
        self.token = "s.right"
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: KeyService

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self.server.asked.append(self.path)
        if self.headers["X-Vault-Token"] != self.server.token:
            return self._say(403, {"errors": ["permission denied"]})
        verb, _, key = self.path.removeprefix("/v1/transit/").partition("/")
        if key not in ("astrack", "astrack/rotate", "astrack-database"):
            return self._say(404, {"errors": []})
        try:
            return self._say(200, {"data": self._do(verb, key, body)})
        except (InvalidTag, ValueError, IndexError):
            return self._say(400, {"errors": ["cipher: message authentication failed"]})

    def _do(self, verb: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        versions = self.server.versions
        bound = base64.b64decode(body.get("associated_data", ""))
        if verb == "keys" and key.endswith("/rotate"):
            versions.append(AESGCM(AESGCM.generate_key(256)))
            return {}
        if verb == "keys":
            return {"latest_version": len(versions), "type": "aes256-gcm96"}
        if verb == "encrypt":
            sealed = b"n" * 12 + versions[-1].encrypt(b"n" * 12, base64.b64decode(body["plaintext"]), bound)
            return {"ciphertext": f"vault:v{len(versions)}:{base64.b64encode(sealed).decode()}"}
        if verb == "hmac":
            return {"hmac": f"vault:v{body['key_version']}:c2VjcmV0"}
        _, version, text = body["ciphertext"].split(":")
        sealed = base64.b64decode(text)
        plain = versions[int(version[1:]) - 1].decrypt(sealed[:12], sealed[12:], bound)
        return {"plaintext": base64.b64encode(plain).decode()}

    def _say(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def service() -> Iterator[KeyService]:
    with KeyService() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def transit(service: KeyService, tmp_path: Path) -> TransitRootKey:
    (tmp_path / "token").write_text("s.right\n")
    address = f"http://127.0.0.1:{service.server_port}"
    made = root_key(Settings(home=tmp_path, transit_url=address, transit_token_file=tmp_path / "token"))
    assert isinstance(made, TransitRootKey)
    return made


def test_a_key_service_wraps_the_schools_keys(store: Store, transit: TransitRootKey, service: KeyService) -> None:
    school, stream = uuid4(), uuid4()
    kept = Store(store._db, transit, None)
    kept.create_school(school, AT)
    kept.log(school).append([lit(stream, -1)], idempotency=None)
    again = SchoolLog(store._db, transit, school)
    assert again.load(stream).version == 0 and list(check_store(again)) == []
    assert service.asked == ["/v1/transit/encrypt/astrack"] + ["/v1/transit/decrypt/astrack"] * 2
    assert rotate_root(store._db, transit, [school], lambda *_: None) == 1 and len(service.versions) == 2
    assert rotate_root(store._db, transit, [school], lambda *_: None) == 1
    assert SchoolLog(store._db, transit, school).load(stream).version == 0
    with pytest.raises(KeyMissing):
        SchoolLog(store._db, store._root, school).load(stream)


def test_a_key_service_binds_a_key_to_its_place(transit: TransitRootKey) -> None:
    wrapped = transit.wrap(KEY, PLACE)
    assert transit.unwrap(wrapped, PLACE) == KEY and len(transit.secret()) == 32
    with pytest.raises(KeyMissing):
        transit.unwrap(wrapped, place_of(UUID(int=1), UUID(int=1), 0, 2))
    with pytest.raises(KeyMissing, match="was not wrapped by this key service"):
        transit.unwrap(b"not ours", PLACE)


def test_a_key_service_that_refuses_or_is_gone_is_named(
    transit: TransitRootKey, service: KeyService, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("s.old")
    with pytest.raises(BadSetting, match="token"):
        transit.wrap(KEY, PLACE)
    service.shutdown()
    service.server_close()
    with pytest.raises(StoreUnavailable, match="key service"):
        transit.wrap(KEY, PLACE)


@pytest.mark.parametrize("address", ["http://bao.example:8200", "ftp://127.0.0.1", "bao.example"])
def test_a_key_is_never_sent_in_the_clear(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="https"):
        TransitRootKey(address, "astrack", tmp_path / "token")
