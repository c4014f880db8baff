"""One simple-query message out of statements and their values, bound on the client.

PostgreSQL takes several statements in one message only as text, and SET LOCAL takes no parameters at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.pq import Escaping


def message(conn: psycopg.Connection[Any], school: UUID, statements: Iterable[tuple[str, Sequence[Any]]]) -> bytes:
    """The statements, bound to one school, with every %s replaced by its value as a literal."""
    parts = [f"SET LOCAL app.school = '{school}'"]
    for query, values in statements:
        parts.append(query % tuple(literal(conn, value) for value in values))
    return ";".join(parts).encode()


def literal(conn: psycopg.Connection[Any], value: Any) -> str:
    """A value as an SQL literal; types with one safe text are written here, all others by the driver."""
    write = WRITERS.get(type(value))
    if write is not None:
        return write(value)
    if type(value) is list and all(type(item) is UUID for item in value):
        return "'{" + ",".join(map(str, value)) + "}'"
    if type(value) is str:
        return bytes(Escaping(conn.pgconn).escape_literal(value.encode())).decode()
    return sql.Literal(value).as_string(conn)


WRITERS: dict[type, Callable[[Any], str]] = {
    UUID: lambda value: f"'{value}'",
    int: str,
    bytes: lambda value: f"'\\x{value.hex()}'",
    bytearray: lambda value: f"'\\x{value.hex()}'",
    datetime: lambda value: f"'{value.isoformat()}'",
}
