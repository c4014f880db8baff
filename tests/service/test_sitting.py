"""A thousand pupils answer at once: what one answer asks of the database, and that no answer leads to a dead end."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from astrack.settings import Settings
from astrack.store import Store
from astrack.store.pool import Pool
from astrack.web import draft as drafts
from domain import instrument
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings)


@pytest.fixture(scope="module")
def reader(small: SmallSchool) -> Reader:
    return Reader(served(small), small, "Mia")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One for each message to the database."""
    taken: list[int] = []
    real = Pool.take
    monkeypatch.setattr(Pool, "take", lambda pool: taken.append(1) or real(pool))  # type: ignore[func-returns-value]
    return taken


def test_an_answer_takes_three_messages_to_the_database_and_the_next_page_two(
    reader: Reader, small: SmallSchool, asked: list[int]
) -> None:
    page = reader.send(reader.get("/sit"), "/sit/begin")
    page = reader.send(page, "/sit/answer", answer="3")  # practice, and whatever is read once
    reader.client.follow_redirects = False
    for _ in range(3):
        asked.clear()
        answer = reader.send(page, "/sit/answer", answer="4")
        assert (answer.status_code, answer.headers["location"], len(asked)) == (303, "/sit/next", 3)
        asked.clear()
        page = reader.get("/sit/next")
        assert (page.status_code, len(asked)) == (200, 2)
    reader.client.follow_redirects = True


def test_the_time_an_answer_took_runs_from_the_answer_before(reader: Reader, small: SmallSchool) -> None:
    page = reader.get("/sit/next")
    for seconds in (7, 11):
        small.clock.at += timedelta(seconds=seconds)
        page = reader.send(page, "/sit/answer", answer="2")
    kept = drafts.load(small.records, small.open_round, small.pupils["Mia"])
    assert kept is not None
    assert list(kept.seconds.values())[-2:] == pytest.approx([7, 11], abs=0.1)


def test_the_last_answer_sent_twice_leads_to_the_end_both_times(small: SmallSchool, reader: Reader) -> None:
    page = reader.get("/sit/next")
    values, items = [2, 3, 4, 5], instrument.newest().items
    for number, _ in enumerate(items):
        small.clock.at += timedelta(seconds=5)
        last, page = page, reader.send(page, "/sit/answer", answer=str(values[number * 7 % 4]))
        if page.url.path == "/sit/done":
            break
    assert page.url.path == "/sit/done"
    again = reader.send(last, "/sit/answer", answer="3")
    assert (again.status_code, again.url.path) == (200, "/sit/done")
    assert reader.get("/sit/next").url.path == "/sit/done"
    sat = [one.round_id for one in small.records.journey(small.pupils["Mia"])[0].sittings]
    assert sat.count(small.open_round) == 1


def test_a_draft_is_found_by_its_stream_and_a_stranger_to_the_school_has_none(small: SmallSchool) -> None:
    mia = small.records.streams_of(small.pupils["Mia"]).journey_id
    one = uuid4()
    small.records.log.save_draft(one, mia, b"words")
    _, found, size = small.records.log.load_with_drafts(mia)
    assert (found[one], size) == (b"words", small.records.log.size())
    assert small.records.log.load_with_drafts(uuid4())[1] == {}
