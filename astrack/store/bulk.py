"""One transaction in several messages, where a value is too large for a literal: such values go in binary.

The server takes ten times as long to read a large value out of an SQL text as to take it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import Format, TransactionStatus
from psycopg.pq.abc import PGresult

from astrack.store import binary
from astrack.store.literals import REPEATED, Listed, message

LARGE_BYTES = 64 << 10
LARGE_ITEMS = 64
# type of an item -> (its object id in pg_type, its binary form)
ITEMS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    bytes: (binary.BYTES_OID, lambda value: value),
    int: (binary.BIGINT_OID, binary.bigint),
    str: (binary.TEXT_OID, str.encode),
    datetime: (binary.INSTANT_OID, binary.instant),
    UUID: (binary.UUID_OID, lambda value: value.bytes),
}
Statements = Iterable[tuple[str, Sequence[Any]]]
Checked = Callable[[PGresult], object]


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
    oid, form = ITEMS[type(values[0])]
    if type(values[0]) in REPEATED:
        known = {value: form(value) for value in set(values)}
        return binary.array(oid, [known[value] for value in values])
    return binary.array(oid, [form(value) for value in values])
