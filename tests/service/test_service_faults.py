"""What people and programs are told when the ground gives way, and that nothing is lost: database, disk, clock."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from astrack.settings import Settings
from astrack.store.embedded import Embedded

FULL = """
CREATE FUNCTION record.full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON record.answers FOR EACH ROW EXECUTE FUNCTION record.full_disk()
"""


@pytest.fixture
def admin(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database), autocommit=True) as conn:
        yield conn


def talk(world: Any, key: str, talk_id: str) -> Any:
    path = f"/api/v1/pupils/{world.pupil}/talks"
    return world.as_("pupil").post(path, json={"talk_id": talk_id}, headers={"Idempotency-Key": key})


def talks(world: Any) -> list[str]:
    return [str(one) for one in world.records.journey(world.pupil)[0].talks]


def in_time(world: Any, key: str, talk_id: str) -> Any:
    """The answer once it is not 503 any more, as a program that repeats itself gets it."""
    for _ in range(60):
        answer = talk(world, key, talk_id)
        if answer.status_code != 503:
            return answer
        assert answer.headers["retry-after"]
        time.sleep(0.25)
    raise AssertionError(f"still {answer.text}")


def test_connections_cut_in_the_middle_are_opened_again_and_nothing_is_doubled(school: Any, admin: Any) -> None:
    school.as_("pupil")
    wanted = []
    for number in range(6):
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'astrack_%'")
        wanted.append(str(uuid4()))
        assert in_time(school, f"cut-{number}", wanted[-1]).status_code == 200
        assert in_time(school, f"cut-{number}", wanted[-1]).status_code == 200, "a repeat gets the first answer"
    assert talks(school) == wanted


def test_a_database_that_was_stopped_comes_back_without_help(school: Any, settings: Settings) -> None:
    school.as_("pupil")
    pid = Embedded(settings.home).pid()
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    one = str(uuid4())
    assert in_time(school, "stopped", one).status_code == 200
    assert school.client().get("/ready").status_code == 200
    assert talks(school) == [one]


def test_a_full_disk_is_said_and_leaves_nothing_half_written(school: Any, admin: Any) -> None:
    school.as_("pupil")
    one = str(uuid4())
    admin.execute(FULL)
    try:
        refused = talk(school, "full", one)
    finally:
        admin.execute("DROP TRIGGER full_disk ON record.answers; DROP FUNCTION record.full_disk()")
    assert (refused.status_code, "disk is full" in refused.json()["detail"]) == (503, True)
    assert talks(school) == []
    assert talk(school, "full", one).status_code == 200
    assert talks(school) == [one]


def test_a_clock_set_back_is_said_and_writes_wait_for_it_while_reading_goes_on(school: Any) -> None:
    school.as_("pupil")
    assert talk(school, "before", str(uuid4())).status_code == 200
    at, one = school.clock.at, str(uuid4())
    school.clock.at = at - timedelta(minutes=30)
    try:
        refused = talk(school, "back", one)
        assert (refused.status_code, "set the clock" in refused.json()["detail"]) == (503, True)
        assert school.as_("pupil").get(f"/api/v1/pupils/{school.pupil}/identity").status_code == 200
    finally:
        school.clock.at = at + timedelta(seconds=1)
    assert talk(school, "back", one).status_code == 200
