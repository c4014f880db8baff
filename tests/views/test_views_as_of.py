"""A read model as of a position, an instant or a happened day is what pages showed then, corrections as known then."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic_core import from_json, to_json

from astrack.store import Change, PupilStreams, SchoolLog, Store
from astrack.views import HistoryTooLong, UnknownReadModel, Views, history
from domain.base import Actor, Event, Stamp
from domain.base import StreamClass as C
from domain.journey import decisions as d
from domain.journey import facts as f
from domain.journey.state import replay
from domain.school import StreamErased
from projections import ALL

OPENED = datetime(2026, 9, 1, 8, tzinfo=UTC)
BY = Actor(id=UUID(int=7), role="tutor")
Dump = dict[str, list[str]]


@pytest.fixture
def views(store: Store) -> Views:
    return Views(store)


class Story:
    """A pupil's journey, a fact a day."""

    def __init__(self, log: SchoolLog) -> None:
        self.log, self.at = log, OPENED
        self.pupil = PupilStreams(uuid4(), uuid4(), uuid4(), uuid4())
        log.append((), idempotency=None, new_pupils=[self.pupil])

    def stamp(self) -> Stamp:
        self.at += timedelta(days=1)
        return Stamp(self.at, BY, uuid4)

    def save(self, events: list[Event]) -> list[Event]:
        stream = self.log.load(self.pupil.journey_id)
        change = Change(self.pupil.journey_id, C.JOURNEY, stream.version, tuple(events), self.pupil.pupil_id)
        self.log.append([change], idempotency=None)
        return events

    def journey(self) -> Any:
        return replay(fact.event for fact in self.log.load(self.pupil.journey_id).facts)

    def enrol(self) -> list[Event]:
        return self.save(d.enrol(self.journey(), self.stamp(), school_id=self.log.school_id, on=self.at.date(),
                                 year_group=7, age_months=140, groups=[]))  # fmt: skip

    def regroup(self, year_group: int, days_ago: int = 0) -> list[Event]:
        stamp = self.stamp()
        on = self.at.date() - timedelta(days=days_ago)
        return self.save(d.regroup(self.journey(), stamp, on=on, year_group=year_group, groups=[]))

    def correct(self, event: Event, **changes: Any) -> list[Event]:
        told = from_json(to_json(changes))
        return self.save([f.FactCorrected(**self.stamp().fresh(), corrects=event.event_id, changes=told, why="a slip")])


def shown(views: Views, school_id: UUID) -> Dump:
    """Every row that pages read now, without the columns only the table knows."""
    views.catch_up(school_id)
    with views.reading(school_id) as cur:
        made = {}
        for one in ALL:
            names = ", ".join(f'"{name}"' for name in one.columns)
            cur.execute(f"SELECT {names} FROM {one.table} ORDER BY 1".encode())
            made[one.name] = in_order([dict(zip(one.columns, row, strict=True)) for row in cur.fetchall()])
        return made


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(from_json(to_json(row)), sort_keys=True) for row in rows)


def then(views: Views, school_id: UUID, **when: Any) -> Dump:
    return {one.name: in_order(views.as_of(school_id, one.name, **when).rows) for one in ALL}


def test_at_every_position_it_is_what_pages_showed_then(school_log: SchoolLog, views: Views) -> None:
    story, other = Story(school_log), Story(school_log)
    was: dict[int, tuple[datetime, Dump]] = {}

    def note() -> None:
        was[school_log.size()] = (max(story.at, other.at), shown(views, school_log.school_id))

    note()
    story.enrol()
    note()
    other.at = story.at
    other.enrol()
    note()
    story.at = other.at
    (moved,) = story.regroup(8)
    note()
    (slip,) = story.correct(moved, year_group=9)
    note()
    story.correct(slip, changes={"year_group": 10})
    note()
    assert len(was) == 6
    for position, (at, rows) in was.items():
        assert then(views, school_log.school_id, position=position) == rows
        assert then(views, school_log.school_id, at=at) == rows
    assert then(views, school_log.school_id) == was[school_log.size()][1]
    years = [views.as_of(school_log.school_id, "pupils", position=n).rows[0]["year_group"] for n in (1, 3, 4, 5)]
    assert years == [7, 8, 9, 10]


def test_by_happened_day_a_fact_stands_on_the_day_it_is_known_to_have_happened(
    school_log: SchoolLog, views: Views
) -> None:
    story = Story(school_log)
    story.enrol()
    enrolled = story.at.date()
    for _ in range(5):
        story.stamp()
    (late,) = story.regroup(8, days_ago=3)
    (wrong,) = story.regroup(9)
    told = story.at.date()

    def year(known: int, days: int) -> int | None:
        rows = views.as_of(school_log.school_id, "pupils", position=known, happened_by=enrolled + timedelta(days)).rows
        return rows[0]["year_group"] if rows else None

    assert [year(3, days) for days in (-1, 0, 2, 3, 6, 7)] == [None, 7, 7, 8, 8, 9]
    story.correct(wrong, happened_on=enrolled + timedelta(days=4))
    assert [year(4, days) for days in (3, 4, 7)] == [8, 9, 9]
    assert [year(3, days) for days in (4, 6)] == [8, 8], "not known yet"
    assert late.day < told


def test_what_was_erased_since_is_in_no_row(school_log: SchoolLog, views: Views) -> None:
    story = Story(school_log)
    story.enrol()
    assert len(views.as_of(school_log.school_id, "pupils", position=1).rows) == 1
    school_log.erase_stream(story.pupil.journey_id, StreamErased(**story.stamp().fresh(), why="asked"))
    found = views.as_of(school_log.school_id, "pupils", position=1)
    assert (found.rows, found.left_out, found.known) == ([], [], 1)


def test_it_says_how_far_it_has_read_and_what_it_will_not_fold(
    school_log: SchoolLog, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(school_log)
    story.enrol()
    for year in (8, 9, 10):
        story.regroup(year)
    monkeypatch.setattr(history, "PAGE", 2)
    steps: list[int] = []
    assert views.as_of(school_log.school_id, "pupils", position=3, progress=steps.append).known == 3
    assert steps == [2, 1]
    assert views.as_of(school_log.school_id, "pupils", position=99).known == 4
    monkeypatch.setattr(history, "ENTRIES_MAX", 3)
    with pytest.raises(HistoryTooLong):
        views.as_of(school_log.school_id, "pupils")
    with pytest.raises(UnknownReadModel):
        views.as_of(school_log.school_id, "nothing")
