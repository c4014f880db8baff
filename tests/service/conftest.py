"""A school with people in every role, and the whole HTTP service over it, on real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from astrack.app import App
from astrack.changing import Ask
from astrack.cli import main
from astrack.client import Client
from astrack.records import Records
from astrack.server.site import build
from astrack.settings import Settings
from astrack.store import Store
from domain import instrument, staff
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey.facts import Group
from domain.scope import Scope
from tests.support.command import Run

YEAR_5 = Scope(dimensions={"year": frozenset({"5"})})
SCOPES = {"tutor": YEAR_5, "head_of_year": YEAR_5, "auditor": YEAR_5}
ON = date(2026, 9, 2)


class Clock:
    """A clock that the test sets; it moves on by a millisecond each time it is read."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@dataclass
class World:
    """One school, its people, and a signed-in client for each role."""

    app: App
    site: FastAPI
    clock: Clock
    school_id: UUID
    pupil: UUID
    far: UUID
    left: UUID
    staff: dict[str, UUID] = field(default_factory=dict)
    clients: dict[str, TestClient] = field(default_factory=dict)

    @property
    def records(self) -> Records:
        return self.app.school(self.school_id)

    def client(self) -> TestClient:
        """A browser nobody has signed in with."""
        return TestClient(self.site, base_url="https://astrack.test", raise_server_exceptions=False)

    def sign_in(self, code: str, client: TestClient | None = None) -> TestClient:
        browser = client or self.client()
        answer = browser.post("/api/v1/sign-in", json={"school_id": str(self.school_id), "code": code})
        assert answer.status_code == 200, answer.text
        return browser

    def as_(self, role: str) -> TestClient:
        """The browser of the person in a role, signed in once."""
        if role not in self.clients:
            secrets = self.site.state.sessions.credentials(self.school_id)
            if role == "pupil":
                code = secrets.card(self.pupil)
            elif role == "parent":
                code = secrets.letter(uuid4(), self.pupil)
            else:
                code = secrets.code(self.staff[role])
            self.clients[role] = self.sign_in(code)
        return self.clients[role]

    def api(self, role: str) -> Client:
        """The same person through the typed client."""
        return Client(http=self.as_(role))


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def admit(records: Records, name: str, year: int, born: date = date(2016, 12, 5)) -> UUID:
    person = Person(surname=name, forename="Zebedee", date_of_birth=born)
    groups = [Group(dimension="tutor group", name=f"{year}A")]
    office = Actor(id=UUID(int=1), role="administrator")
    answer = records.admit(Ask(office, str(uuid4())), person, on=ON, year_group=year, groups=groups)
    return UUID(answer["pupil_id"])


def employ(records: Records, role: str, staff_id: UUID, scope: Scope, kind: Any = "person") -> None:
    office = Actor(id=UUID(int=1), role="administrator")
    records.add_staff(Ask(office, str(uuid4())), staff_id=staff_id, name=f"Quentin {role}", kind=kind)
    records.grant_role(Ask(office, str(uuid4())), staff_id, grant_id=uuid4(), role=role, scope=scope)  # type: ignore[arg-type]
    records.record_training(Ask(office, str(uuid4())), staff_id, module=staff.FIRST_MODULE, on=ON)


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def running(settings: Settings, store: Store, clock: Clock) -> App:
    """The App over the store of this test process."""
    return App(settings, store, clock)


@pytest.fixture(scope="session")
def site(running: App) -> FastAPI:
    return build(running)


@pytest.fixture
def school(running: App, site: FastAPI, clock: Clock) -> World:
    """A school of this test's own; its tutor's id is known."""
    return furnish(running, site, clock, UUID(int=77))


@pytest.fixture(scope="module")
def shared_school(running: App, site: FastAPI, clock: Clock) -> World:
    """A school that the tests of one file share."""
    return furnish(running, site, clock)


@pytest.fixture(scope="module")
def neighbour(running: App, site: FastAPI, clock: Clock) -> World:
    """Another school of the same database."""
    return furnish(running, site, clock)


def furnish(app: App, site: FastAPI, clock: Clock, tutor: UUID | None = None) -> World:
    school_id = uuid4()
    app.create_school(school_id)
    records = app.school(school_id)
    office = Actor(id=UUID(int=1), role="administrator")
    records.register_school(Ask(office, "begin"), SchoolName(school_id=school_id, name="Mill Lane Primary"))
    world = World(
        app,
        site,
        clock,
        school_id,
        admit(records, "Xylophone", 5),
        admit(records, "Yggdrasil", 6),
        admit(records, "Wombat", 5),
    )
    records.leave(Ask(office, "leave"), world.left, on=date(2026, 10, 20))
    for role in staff.ROLES:
        world.staff[role] = tutor if tutor and role == "tutor" else uuid4()
        employ(records, role, world.staff[role], SCOPES.get(role, Scope(everyone=True)))
    return world


@pytest.fixture
def answers() -> Callable[[], dict[str, int]]:
    """Answers of a pupil to every item of the newest instrument."""
    return lambda: {item.id: 3 + index % 2 for index, item in enumerate(instrument.newest().items)}


@pytest.fixture
def fresh_key() -> Callable[[], dict[str, str]]:
    return key


@pytest.fixture
def run(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command; (exit code, what it printed, what it said about errors). ``store`` keeps the server running."""
    monkeypatch.setenv("ASTRACK_HOME", str(settings.home))
    monkeypatch.setenv("ASTRACK_DATABASE", settings.database)
    monkeypatch.setenv("COLUMNS", "400")

    def once(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(one) for one in arguments])
        said = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 1), said.out, said.err

    return once


@pytest.fixture
def here(run: Run, running: App, monkeypatch: pytest.MonkeyPatch) -> Run:
    """As ``run``, over the App that is open already: for commands whose opening is not the question."""
    monkeypatch.setattr(App, "open", lambda *_, **__: nullcontext(running))
    return run
