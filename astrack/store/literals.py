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


class Listed(tuple[Any, ...]):
    """A column of values of one type, to be written as an array; the driver's own way takes ten times as long."""


def message(
    conn: psycopg.Connection[Any], school: UUID | None, statements: Iterable[tuple[str, Sequence[Any]]]
) -> bytes:
    """The statements, bound to one school (or to none), with every %s replaced by its value as a literal."""
    parts = [] if school is None else [f"SET LOCAL app.school = '{school}'"]
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
        return _quoted(conn, value)
    return sql.Literal(value).as_string(conn)


def _quoted(conn: psycopg.Connection[Any], text: str) -> str:
    return bytes(Escaping(conn.pgconn).escape_literal(text.encode())).decode()


def _array(values: Sequence[Any]) -> str:
    write = ELEMENTS[type(values[0])]
    # a column mostly says the same again: the stream, the kind, the instant of one command
    texts = {value: write(value) for value in set(values)} if type(values[0]) in REPEATED else None
    inside = ",".join(map(write, values) if texts is None else [texts[value] for value in values])
    return "'{" + inside.replace("'", "''") + "}'"


def _quoted_element(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


ELEMENTS: dict[type, Callable[[Any], str]] = {
    UUID: str,
    int: str,
    str: _quoted_element,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    datetime: lambda value: f'"{value.isoformat()}"',
}
REPEATED = (UUID, str, datetime)
WRITERS: dict[type, Callable[[Any], str]] = {
    UUID: lambda value: f"'{value}'",
    int: str,
    bytes: lambda value: f"'\\x{value.hex()}'",
    bytearray: lambda value: f"'\\x{value.hex()}'",
    datetime: lambda value: f"'{value.isoformat()}'",
    Listed: _array,
}
