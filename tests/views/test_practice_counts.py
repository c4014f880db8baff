"""What an accreditor is shown is counted from the record: every pair against the facts themselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from astrack.settings import Settings
from astrack.store import Store
from domain.base import Event
from domain.journey import facts as f
from domain.risk import makes_work
from projections import practice
from tests.support.small_school import NOW, SmallSchool, build

SINCE, UNTIL = NOW.date() - timedelta(days=365), NOW.date()


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, years=2, busy=True, with_past=False)


def told(small: SmallSchool) -> list[Event]:
    facts = [fact.event for one in small.pupils.values() for fact in small.records.journey(one)[1]]
    return [one for one in facts if SINCE <= one.day <= UNTIL]


def named(events: Iterable[Event], kind: type[Event], name: str) -> set[object]:
    return {getattr(one, name) for one in events if isinstance(one, kind)}


def test_each_pair_is_what_the_facts_say(small: SmallSchool) -> None:
    pupil = next(iter(small.pupils.values()))
    talks = [small.app.new_id() for _ in range(2)]
    for talk_id in talks:
        small.records.ask_to_talk(small.ask("pupil"), pupil, talk_id=talk_id)
    small.records.take_up_talk(small.ask("tutor"), pupil, talk_id=talks[0])
    small.records.look_at(small.ask("tutor"), pupil, concern=False)
    small.app.views.catch_up(small.school_id)
    with small.app.views.reading(small.school_id) as cur:
        found = practice.counted(cur, small.school_id, since=SINCE, until=UNTIL)
    events = told(small)
    signs = {one.flag_id for one in events if isinstance(one, f.FlagRaised) and makes_work(one.kind)}
    reviewed = named(events, f.FlagReviewed, "flag_id")
    assert found.signs_reviewed == (len(signs & reviewed), len(signs))
    assert len(signs) > 0
    assert found.talks_taken_up == (1, 2)
    begun = [one for one in events if isinstance(one, f.PlanOpened) and SINCE <= one.start_on <= UNTIL]
    closed = named(events, f.PlanClosed, "plan_id")
    over = [one for one in begun if one.plan_id in closed or one.end_on < UNTIL]
    assert found.plans_closed == (sum(one.plan_id in closed for one in over), len(over))
    assert found.plans_looked_at[1] == len(begun) > 0
    assert found.unmarked_reviewed == (1, len(found.rounds))
    assert 0 < found.sat[0] <= found.sat[1]


def test_a_round_asks_for_a_report_only_after_half_a_year() -> None:
    rounds = [date(2025, 10, 1), date(2026, 2, 1), date(2026, 9, 1)]
    made = [date(2026, 1, 10)]
    assert practice.reported(rounds, made, date(2026, 11, 1)) == (1, 2)
    assert practice.reported(rounds, [], date(2025, 11, 1)) == (0, 0)
