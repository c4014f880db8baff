"""Rows as lines of COPY's text format: what a rebuild writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from astrack.store.pool import Connection
from astrack.views.tables import as_json, quoted, without_nul
from projections.shape import Projection, Row

NULL = "\\N"
BLOCK_CHARS = 1 << 16
_SPECIAL = re.compile(r"[\\\n\r\t\x00]")
_ESCAPES: dict[int, str] = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x00": "\ufffd"})


class Lines:
    """Writes the rows of one read model for one school; column types are those of its table."""

    def __init__(self, conn: Connection, projection: Projection, school: UUID) -> None:
        types: dict[str, str] = dict(conn.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass(%s)"
            " AND attnum > 0", (projection.table,)).fetchall())  # fmt: skip
        self._writers = [_writer(types[name]) for name in projection.columns]
        self._start = school.hex
        self.into = f"(school_id, {quoted(projection.columns)}) FROM STDIN"

    def line(self, row: Row) -> str:
        """One row, its line end included."""
        fields = [NULL if value is None else write(value) for write, value in zip(self._writers, row, strict=True)]
        return f"{self._start}\t" + "\t".join(fields) + "\n"


def _writer(kind: str) -> Callable[[Any], str]:
    if kind in ("json", "jsonb"):
        return _json
    if kind == "text[]":
        return _texts
    if kind.endswith("[]"):
        return _numbers
    return _WRITERS.get(kind, str)


def _json(value: Any) -> str:
    # JSON text holds no line ends or tabs of its own
    return as_json(value).replace("\\", "\\\\")


def _text(value: str) -> str:
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value


def _texts(values: Sequence[str]) -> str:
    return _text("{" + ",".join(map(_element, values)) + "}")


def _element(value: str) -> str:
    escaped: str = without_nul(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _numbers(values: Sequence[float | None]) -> str:
    return "{" + to_json(values)[1:-1].decode().replace("null", "NULL") + "}"


def _id(value: UUID) -> str:
    return str(value.hex)


def _day(value: date) -> str:
    return value.isoformat()


def _instant(value: datetime) -> str:
    return to_json(value)[1:-1].decode()


def _bytes(value: bytes) -> str:
    return f"\\\\x{value.hex()}"


_WRITERS: dict[str, Callable[[Any], str]] = {
    "bytea": _bytes,
    "text": _text,
    "uuid": _id,
    "date": _day,
    "timestamp with time zone": _instant,
    "double precision": repr,
}
