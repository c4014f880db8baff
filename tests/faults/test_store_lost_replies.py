"""The connection is lost after the server has committed and before its reply is read: nothing is written twice."""

from __future__ import annotations

import contextlib
import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack.changing import Ask, Changing, Decided, Target
from astrack.settings import Settings
from astrack.store import SchoolLog, Store, StoreUnavailable
from astrack.store.database import Database, Login
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from domain.base import Actor, DomainError, Event, Stamp, StreamClass

AT = datetime(2026, 9, 2, 9, tzinfo=UTC)
ACTOR = Actor(id=UUID(int=7), role="tutor")


class DoorClosed(Event):
    """The door was closed (for these tests)."""

    TOPIC: ClassVar[str] = "test.door-closed.v1"


class DoorIsClosed(DomainError):
    """A closed door cannot be closed."""


class Proxy:
    """Stands between client and server on a Unix socket; when ``armed``, swallows one reply and hangs up."""

    def __init__(self, server: Path, folder: Path) -> None:
        self.armed = False
        self.cuts = 0
        self._server = str(server / ".s.PGSQL.5432")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen(20)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        watched, doomed = False, False
        with client, server, contextlib.suppress(OSError):
            while True:
                for ready in select.select([client, server], [], [], 30)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is client:
                        watched = b"append" in data and b"PREPARE" not in data
                        server.sendall(data)
                        continue
                    if watched and self.armed:
                        doomed = True
                    if doomed:
                        # 'Z' is ReadyForQuery: the transaction has been committed
                        if data.endswith(b"Z\x00\x00\x00\x05I"):
                            self.armed, self.cuts = False, self.cuts + 1
                            return
                        continue
                    client.sendall(data)


@pytest.fixture
def proxied(store: Store, settings: Settings) -> Iterator[tuple[Proxy, SchoolLog]]:
    """A school's log that is reached through a proxy."""
    server = Embedded(settings.home)
    school = uuid4()
    store.create_school(school, AT)
    with tempfile.TemporaryDirectory(prefix="astrack-proxy-") as folder:
        proxy = Proxy(server.folder, Path(folder))

        def login(role: str) -> Login:
            info: Any = psycopg.conninfo.make_conninfo(server.conninfo(role, settings.database), host=folder)
            return Login(info, role, False)

        db = Database(login("astrack_service"), login("astrack_projector"), 4, 10, None)
        yield proxy, SchoolLog(db, store._root, school)
        db.close()
        proxy.close()


@pytest.fixture
def changing(proxied: tuple[Proxy, SchoolLog]) -> Changing:
    return Changing(proxied[1], lambda: AT, uuid4)


def closing(changing: Changing, ask: Ask, stream: UUID) -> dict[str, Any]:
    def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
        if loaded[0]:
            raise DoorIsClosed("the door is closed: open it first")
        return Decided([[DoorClosed(**stamp.fresh())]], {"closed": True})

    return changing.change(ask, {"close": str(stream)}, [Target(stream, StreamClass.JOURNEY)], decide)


def test_a_command_whose_reply_was_lost_is_answered_when_repeated(
    proxied: tuple[Proxy, SchoolLog], changing: Changing
) -> None:
    proxy, log = proxied
    stream, ask = uuid4(), Ask(ACTOR, "k")
    log.load(stream)  # the connection and the keys are there: the next message is the append
    proxy.armed = True
    with pytest.raises(StoreUnavailable, match="same idempotency key"):
        closing(changing, ask, stream)
    assert proxy.cuts == 1 and log.size() == 1
    # decided afresh it would be refused; the key gives the answer it earned
    assert closing(changing, ask, stream) == {"closed": True}
    with pytest.raises(DoorIsClosed):
        closing(changing, Ask(ACTOR, "another"), stream)
    assert log.size() == 1 and list(check_store(log)) == []


def test_callers_in_one_message_all_find_their_answers_after_its_reply_was_lost(
    proxied: tuple[Proxy, SchoolLog], changing: Changing
) -> None:
    proxy, log = proxied
    streams = [uuid4() for _ in range(6)]
    log.load_many(streams)
    answers: list[Any] = []

    def close(number: int) -> None:
        try:
            answers.append(closing(changing, Ask(ACTOR, f"k{number}"), streams[number]))
        except StoreUnavailable:
            answers.append(None)

    proxy.armed = True
    callers = [threading.Thread(target=close, args=(number,)) for number in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert proxy.cuts == 1 and None in answers
    for number in range(6):
        assert closing(changing, Ask(ACTOR, f"k{number}"), streams[number]) == {"closed": True}
    assert log.size() == 6 and list(check_store(log)) == []
