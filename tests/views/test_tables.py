"""The tables of the views are made once, whoever comes first."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from astrack.store import SchoolLog
from astrack.views.tables import LOCK, Tables
from projections import ALL
from projections.shape import Projection

WAIT_S = 20
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted)"


def made(log: SchoolLog, one: Projection) -> None:
    with log.views() as conn:
        Tables([one]).prepare(conn)


def test_who_waits_while_another_makes_the_tables_does_not_make_them_again(school_log: SchoolLog) -> None:
    (one,) = [replace(one, suffix="_first_visit") for one in ALL if one.name == "timeline"]
    try:
        with ThreadPoolExecutor(1) as pool:
            with school_log.views() as conn:
                Tables([one]).prepare(conn)
                second = pool.submit(made, school_log, one)
                until = time.monotonic() + WAIT_S
                while not conn.execute(WAITING, (LOCK,)).fetchall()[0][0]:
                    assert time.monotonic() < until, "the second does not wait for the first"
                    time.sleep(0.01)
            second.result(WAIT_S)
    finally:
        with school_log.views() as conn:
            conn.execute(f"DROP TABLE IF EXISTS {one.table}".encode())
