"""The eventsourcing library's own recorder test cases, on our recorder; and its Application on our factory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import AggregateRecorder, InfrastructureFactory
from eventsourcing.tests import persistence as cases
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)

from astrack.store import SchoolLog, Store
from astrack.store.fsck import check_store
from astrack.store.recorder import Recorded, SchoolAggregateRecorder, SchoolFactory, SchoolRecorder
from domain.base import Actor, Event

OPENED = datetime(2026, 9, 1, 8, tzinfo=UTC)


class GateOpened(Event):
    """The gate was opened (for these tests)."""

    TOPIC: ClassVar[str] = "test.gate-opened.v1"


class _Fresh:
    """Streams count from 0, the library's own switch for recorders that do."""

    INITIAL_VERSION = 0
    store: Store

    @pytest.fixture(autouse=True)
    def _with_store(self, store: Store) -> None:
        self.store = store

    def fresh_log(self) -> SchoolLog:
        school = uuid4()
        self.store.create_school(school, OPENED)
        return self.store.log(school)


class TestStreams(_Fresh, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return SchoolAggregateRecorder(self.fresh_log())


class TestWholeLog(_Fresh, ApplicationRecorderTestCase[SchoolRecorder]):
    def create_recorder(self) -> SchoolRecorder:
        return SchoolRecorder(self.fresh_log())

    def test_subscriptions(self) -> None:
        self.optional_test_insert_subscribe()


class TestOrder(_Fresh, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> SchoolRecorder:
        return SchoolRecorder(self.fresh_log())


OURS = {AggregateRecorderTestCase, ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase}
LEFT_OUT = {
    "RecorderTestCase": "what the cases above share",
    "TrackingRecorderTestCase": "a view keeps its position beside its rows, in one transaction: projections' own tests",
    "ProcessRecorderTestCase": "the same; and its streams count from 1, without the switch",
    "InfrastructureFactoryTestCase": "one cipher, compressor and table for all, named by the environment: ours has none",
    "TranscoderTestCase": "the library's own JSON: our facts are pydantic's",
}
# unittest would otherwise run the abstract cases themselves
del AggregateRecorderTestCase, ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase


def test_every_case_of_the_library_is_run_or_left_out_with_a_reason() -> None:
    found = {
        name for name, kind in vars(cases).items() if isinstance(kind, type) and name.endswith(("TestCase", "BaseCase"))
    }
    assert found - {"TestCase"} == {kind.__name__ for kind in OURS} | set(LEFT_OUT)


def application(log: SchoolLog) -> Application[UUID]:
    class SchoolApplication(Application[UUID]):
        name = "school"

        def construct_factory(self, env: Any) -> InfrastructureFactory[Any]:
            return SchoolFactory(log, env)

    return SchoolApplication()


def test_one_application_for_each_school_saves_and_notifies(store: Store) -> None:
    logs = []
    for _ in range(30):
        school = uuid4()
        store.create_school(school, OPENED)
        logs.append(store.log(school))
    for log in logs:
        app, stream = application(log), uuid4()
        at = datetime(2026, 9, 2, tzinfo=UTC)
        events = [GateOpened(event_id=uuid4(), recorded_at=at, by=Actor(id=uuid4(), role="head")) for _ in range(2)]
        app.save(*(Recorded(stream, number, event) for number, event in enumerate(events)))
        assert [item.event for item in app.events.get(stream)] == events  # type: ignore[attr-defined]
        assert [item.id for item in app.notification_log.select(1, 10)] == [1, 2]
        assert [fact.event for fact in log.page(-1, 10)] == events and list(check_store(log)) == []
