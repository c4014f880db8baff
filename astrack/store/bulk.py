"""One transaction in several messages, where a value is too large for a literal: such values go in binary.

The server takes ten times as long to read a large value out of an SQL text as to take it as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import Format, TransactionStatus
from psycopg.pq.abc import PGresult

from astrack.store.literals import REPEATED, Listed, message

LARGE_BYTES = 64 << 10
LARGE_ITEMS = 64
ARRAY_HEAD = struct.Struct(">iiIii")
LENGTH = struct.Struct(">I")
WHOLE = struct.Struct(">q")
YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# type of an item -> (its object id in pg_type, its binary form)
ITEMS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    bytes: (17, lambda value: value),
    int: (20, WHOLE.pack),
    str: (25, str.encode),
    datetime: (1184, lambda value: WHOLE.pack((value - YEAR_2000) // MICROSECOND)),
    UUID: (2950, lambda value: value.bytes),
}
Statements = Iterable[tuple[str, Sequence[Any]]]
Checked = Callable[[PGresult], None]


def is_large(values: Sequence[Any]) -> bool:
    """Whether a statement's values should go in binary."""
    return any(
        len(value) >= (LARGE_ITEMS if type(value) is Listed else LARGE_BYTES)
        for value in values
        if type(value) is Listed or type(value) is bytes
    )


def send(conn: psycopg.Connection[Any], school: UUID, statements: Statements, check: Checked) -> PGresult:
    """Send the statements as one transaction bound to one school; the bare result of the last.

    ``check`` raises what a result refuses: then nothing of it stays.
    """
    pg, begun = conn.pgconn, False
    try:
        for large, some in groupby(statements, key=lambda one: is_large(one[1])):
            if not begun:
                check(pg.exec_(b"BEGIN;" + message(conn, school, [])))
                begun = True
            for result in _in_binary(conn, some) if large else [pg.exec_(message(conn, school, some))]:
                check(result)
        check(pg.exec_(b"COMMIT"))
    except BaseException:
        if pg.transaction_status != TransactionStatus.IDLE:
            pg.exec_(b"ROLLBACK")
        raise
    return result


def _in_binary(conn: psycopg.Connection[Any], statements: Statements) -> Iterator[PGresult]:
    for query, values in statements:
        numbered = query % tuple(f"${number}" for number in range(1, len(values) + 1))
        forms = [Format.BINARY if isinstance(value, (bytes, Listed)) else Format.TEXT for value in values]
        yield conn.pgconn.exec_params(numbered.encode(), [_parameter(one) for one in values], param_formats=forms)


def _parameter(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    return _array(value) if type(value) is Listed else str(value).encode()


def _array(values: Listed) -> bytes:
    """A one-dimensional array in PostgreSQL's binary form (array_recv): a head, then each item after its length."""
    kind, binary = ITEMS[type(values[0])]
    if type(values[0]) in REPEATED:
        known = {value: _item(binary(value)) for value in set(values)}
        items = [known[value] for value in values]
    else:
        items = [_item(binary(value)) for value in values]
    return ARRAY_HEAD.pack(1, 0, kind, len(items), 1) + b"".join(items)


def _item(data: bytes) -> bytes:
    return LENGTH.pack(len(data)) + data
