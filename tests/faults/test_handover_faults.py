"""A hand-over that breaks off at each of its steps, on a full disk too: done again, nothing is lost and nothing twice."""

# ruff: noqa: F811 - fixtures of another file are arguments here
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from astrack.changing import Ask
from astrack.handover import Handover
from astrack.store import StoreError
from astrack.store.database import Database
from domain.identity import Person
from domain.journey.state import Custody
from domain.school import ExportMade
from tests.record.test_handover import BY, DAY, JO, Clock, Place, clock, place, schools  # noqa: F401

STEPS_MAX = 80
Step = Callable[["Way"], object]


class ProcessDied(BaseException):
    """What a kill is to the process: nothing after it is done, not even what is done for an error."""


@dataclass
class Way:
    """One record on its way from one school to another, and what has been made of it so far."""

    a: Place
    b: Place
    pupil: UUID
    keys: dict[str, Ask]
    transfer: UUID | None = None
    data: bytes = b""
    receipt: bytes = b""
    there: UUID | None = None

    @classmethod
    def begun(cls, a: Place, b: Place) -> Way:
        person = Person(surname=f"Maple{'abcdefghij'[uuid4().int % 10]}", forename="Jo", date_of_birth=JO.date_of_birth)
        return cls(
            a, b, a.admit(person), {name: Ask(BY, uuid4().hex) for name in ("prepare", "receive", "acknowledge")}
        )

    def prepare(self) -> None:
        hands = Handover(self.a.records)
        made = hands.prepare(
            self.keys["prepare"], [self.pupil], to=self.b.hands.key_document(), lawful_basis="public_task",
            accepted_on=DAY, start_on=DAY,
        )  # fmt: skip
        self.transfer = UUID(made["transfers"][0]["transfer_id"])
        self.data = hands.sealed(self.transfer)

    def receive(self) -> None:
        answer = Handover(self.b.records).receive(self.keys["receive"], self.data)
        self.there, self.receipt = UUID(answer["pupil_id"]), answer["receipt"].encode()

    def acknowledge(self) -> None:
        assert Handover(self.a.records).acknowledge(self.keys["acknowledge"], self.receipt)["state"] == "acknowledged"

    def check(self) -> None:
        """That it came over once, whole, and both schools' states say so."""
        assert self.there is not None
        told = [[type(one.event).__name__ for one in school.records.journey(who)[1]]
                for school, who in ((self.a, self.pupil), (self.b, self.there))]  # fmt: skip
        assert told == [["PupilEnrolled", "TransferPrepared", "CustodyReleased"],
                        ["PupilEnrolled", "TransferPrepared", "RecordReceived"]]  # fmt: skip
        assert self.a.custody(self.pupil) is Custody.RELEASED
        for school, state in ((self.a, "acknowledged"), (self.b, "received")):
            rows = [one for one in school.hands.transfers(1000) if one["transfer_id"] == str(self.transfer)]
            assert [one["state"] for one in rows] == [state]
        own = self.a.records.log.load(self.a.records.school_id)
        left = [one.event for one in own.facts if isinstance(one.event, ExportMade)]
        assert sum(one.transfer_id == self.transfer for one in left) == 1


@contextmanager
def breaking(at: int, fault: BaseException | None) -> Iterator[Counter[str]]:
    """Lets every conversation with the database through but the ``at``-th, which ends with a fault instead."""
    real, counted = Database._try, Counter[str]()

    def trying(self: Database, pool: Any, act: Any) -> Any:
        counted["steps"] += 1
        if counted["steps"] != at or fault is None:
            return real(self, pool, act)

        def failing(conn: Any) -> Any:
            raise fault

        return real(self, pool, failing)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "_try", trying)
        yield counted


def each_step(a: Place, b: Place, name: str, fault: Callable[[], BaseException]) -> int:
    """Break a verb off at each of its steps, go on with the same key, and look at what came of it; the steps."""
    for at in range(1, STEPS_MAX):
        way = Way.begun(a, b)
        for verb in ("prepare", "receive", "acknowledge"):
            if verb != name:
                getattr(way, verb)()
                continue
            with breaking(at, fault()) as counted:
                broken = True
                try:
                    getattr(way, verb)()
                    broken = False
                except (ProcessDied, StoreError):
                    pass
            if broken:
                getattr(way, verb)()
        way.check()
        if counted["steps"] < at:
            return at - 1
    raise AssertionError(f"{name} has more than {STEPS_MAX} steps")


@pytest.mark.parametrize("name", ["prepare", "receive", "acknowledge"])
@pytest.mark.parametrize("fault", [ProcessDied, lambda: psycopg.errors.DiskFull("no space left on device")])
def test_broken_off_at_each_step_it_goes_on_and_nothing_is_lost_or_twice(
    schools: Any,
    name: str,
    fault: Callable[[], BaseException],
) -> None:
    assert each_step(schools.a, schools.b, name, fault) >= 3
