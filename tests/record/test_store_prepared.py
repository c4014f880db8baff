"""What is planned once for each connection stays planned."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from astrack.store import SchoolLog, Store


def test_a_rollback_does_not_take_the_plans_of_a_connection_away(store: Store, school_log: SchoolLog) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), store._db.reading(school_log.school_id) as conn:
        for _ in range(8):  # more often than psycopg waits before it prepares a statement by itself
            conn.execute("SELECT %s::int + 1", (1,))
        conn.execute("SELECT 1 / 0")
    for _ in range(3):
        assert school_log.load(uuid4()).facts == []
        assert len(school_log.pupils(10)) == 0
