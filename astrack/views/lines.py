"""Rows as lines of COPY's CSV format: what a rebuild writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel

from astrack.store.pool import Connection
from astrack.views.tables import as_json, quoted, told, without_nul
from projections.shape import Projection, Row

OPTIONS = "(FORMAT csv, ESCAPE '\\', NULL 'null')"
NUL = b"\\u0000"


class Lines:
    """Writes the rows of one read model for one school; column types are those of its table.

    A row's JSON list, without its brackets, is a line of CSV where a backslash escapes: one stroke of C for a row.
    """

    def __init__(self, conn: Connection, projection: Projection, school: UUID) -> None:
        types: dict[str, str] = dict(conn.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass(%s)"
            " AND attnum > 0", (projection.table,)).fetchall())  # fmt: skip
        writers = [(place, _writer(types[name])) for place, name in enumerate(projection.columns)]
        self._nested = [(place, write) for place, write in writers if write is not None]
        self._start = f"{school},".encode()
        self.into = f"(school_id, {quoted(projection.columns)}) FROM STDIN {OPTIONS}"

    def line(self, row: Row) -> bytes:
        """One row, its line end included."""
        values: Sequence[Any] = row
        if self._nested:
            values = list(row)
            for place, write in self._nested:
                values[place] = write(values[place])
        written = _encode(values)
        if b"\\" in written and b"\\" in written.replace(b"\\\\", b"").replace(b'\\"', b""):
            written = b"[" + b",".join(map(_field, values)) + b"]"
        return self._start + written[1:-1] + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"a {type(value).__name__} is no value of a row")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def _field(value: Any) -> bytes:
    # JSON writes control characters in its own way, which CSV does not read
    if not isinstance(value, str):
        return _encode(value)
    escaped: str = without_nul(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.encode("utf-8", "replace")


def _writer(kind: str) -> Callable[[Any], object] | None:
    if kind in ("json", "jsonb"):
        return _json
    if kind == "text[]":
        return _texts
    if kind == "bytea":
        return told
    return _numbers if kind.endswith("[]") else None


def _json(value: Any) -> str:
    try:
        text = _encode(value)
    except (TypeError, ValueError, OverflowError):
        return as_json(value)
    return as_json(value) if NUL in text else text.decode()


def _texts(values: Sequence[str]) -> str:
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str) -> str:
    escaped: str = without_nul(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _numbers(values: Sequence[float | None]) -> str:
    return "{" + _encode(values)[1:-1].decode().replace("null", "NULL") + "}"
