"""What holds of every page: it is walked, it opens, and its questions to the database do not grow with the pupils."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from astrack.settings import Settings
from astrack.store import Store, database
from domain.review import Load
from tests.support.addresses import NO_PAGE, PAGES, filled, known_of, pattern, routes
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build

FEW, MORE = 9, 21


@pytest.fixture(scope="module")
def schools(store: Store, settings: Settings) -> list[SmallSchool]:
    """Two schools that differ in how many pupils they have; most of those without a sign are drawn for a look."""
    load = Load(least=3, most=30, unflagged=24)
    return [build(store, settings, pupils=count, years=1, load=load) for count in (FEW, MORE)]


@pytest.fixture(scope="module")
def sites(schools: list[SmallSchool]) -> list[tuple[FastAPI, dict[str, object]]]:
    return [(served(one), known_of(one)) for one in schools]


READERS: dict[tuple[int, str], Reader] = {}


def reader(schools: list[SmallSchool], sites: list[Any], at: int, who: str) -> Reader:
    if (at, who) not in READERS:
        READERS[at, who] = Reader(sites[at][0], schools[at], who)
    return READERS[at, who]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The questions to the database while this is open."""
    asked: list[str] = []
    borrowed, execute = database._borrowed, database.psycopg.Cursor.execute

    def note(what: str) -> None:
        # a check of the record goes on beside the pages and asks as much as the record is long
        if threading.current_thread().name != "check":
            asked.append(what)

    def borrow(pool: Any) -> Any:
        note("a message")
        return borrowed(pool)

    def say(cursor: Any, query: Any, *values: Any, **more: Any) -> Any:
        note(str(query)[:120])
        return execute(cursor, query, *values, **more)

    with monkeypatch.context() as patch:
        patch.setattr(database, "_borrowed", borrow)
        patch.setattr(database.psycopg.Cursor, "execute", say)
        yield asked


def test_every_address_is_walked_or_is_no_page() -> None:
    patterns = {path: pattern(path) for path in routes("GET")}
    assert NO_PAGE.keys() <= patterns.keys(), "an address that is gone"
    known = {path: str(index) for index, path in enumerate(("Mia", "Kofi", "plan", "asked", "sat", "tutor"))}
    walked = {path for path, one in patterns.items() if any(one.fullmatch(filled(given, known)) for _, given in PAGES)}
    assert patterns.keys() - walked - NO_PAGE.keys() == set(), "give it a line in tests/support/addresses.py"


@pytest.mark.parametrize(("who", "path"), PAGES, ids=lambda part: part or "anybody")
def test_a_page_opens_and_asks_no_more_of_the_database_where_there_are_more_pupils(
    schools: list[SmallSchool], sites: list[Any], monkeypatch: pytest.MonkeyPatch, who: str, path: str
) -> None:
    numbers = []
    for at in range(2):
        address, client = filled(path, sites[at][1]), reader(schools, sites, at, who)
        assert client.get(address).status_code == 200
        with counted(monkeypatch) as asked:
            assert client.get(address).status_code == 200
        numbers.append(asked)
    assert len(numbers[1]) <= len(numbers[0]), "\n".join(numbers[1])
