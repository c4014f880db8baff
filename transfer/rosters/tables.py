"""CSV tables in a zip, read with every size bounded before anything is unpacked."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO

from transfer.errors import BrokenRoster, NotARoster, RosterTooLarge

ZIP_BYTES_MAX = 64 << 20
UNPACKED_BYTES_MAX = 128 << 20
RATIO_MAX = 200
"""Compressed CSV reaches about 30; a zip bomb 1,000 and more."""
MEMBERS_MAX = 64
ROWS_MAX = 500_000
COLUMNS_MAX = 200
FIELD_LENGTH_MAX = 10_000
MANIFEST = ("propertyName", "value")


@dataclass(slots=True)
class Row:
    """One line of a table; a column the table does not have reads as ""."""

    file: str
    line: int
    columns: Mapping[str, int]
    cells: list[str]

    def __getitem__(self, column: str) -> str:
        at = self.columns.get(column)
        return "" if at is None else self.cells[at]

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.file} line {self.line}"


@dataclass(slots=True)
class Table:
    """The lines of one CSV file."""

    name: str
    rows: list[Row] = field(default_factory=list)
    _index: dict[str, dict[str, Row]] = field(default_factory=dict)

    def by(self, column: str) -> dict[str, Row]:
        """The rows by what they have in a column; the last one where several have the same."""
        if column not in self._index:
            self._index[column] = {row[column]: row for row in self.rows}
        return self._index[column]


def read_tables(data: bytes, wanted: Mapping[str, Sequence[str]]) -> dict[str, Table]:
    """The manifest and the wanted tables (name -> columns each must have) of a zip; others are left unread.

    Raises BrokenRoster, NotARoster, RosterTooLarge.
    """
    if len(data) > ZIP_BYTES_MAX:
        raise RosterTooLarge(f"the zip is over {ZIP_BYTES_MAX >> 20} MiB", "the whole file")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = _members(archive)
            texts = {name: _unpack(archive, members[name]) for name in ("manifest", *wanted) if name in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        raise BrokenRoster("the zip is damaged, cut short or locked", "the zip") from None
    if "manifest" not in texts:
        raise NotARoster("the zip holds no manifest.csv, so this is not a OneRoster export", "the zip")
    columns = {"manifest": MANIFEST, **wanted}
    tables: dict[str, Table] = {}
    for name, raw in texts.items():
        room = ROWS_MAX - sum(len(table.rows) for table in tables.values())
        tables[name] = _table(name, raw, columns[name], room)
    return tables


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Table name -> its file in the zip, all caps checked."""
    infos = archive.infolist()
    if len(infos) > MEMBERS_MAX or sum(info.file_size for info in infos) > UNPACKED_BYTES_MAX:
        raise RosterTooLarge("the zip holds more than a roster does", "the zip")
    members: dict[str, zipfile.ZipInfo] = {}
    for number, info in enumerate(infos, 1):
        if info.file_size > RATIO_MAX * max(info.compress_size, 1024):
            raise RosterTooLarge("a file in the zip unpacks to far more than its size", f"file {number} of the zip")
        name = info.filename.removesuffix(".csv")
        if name != info.filename:
            if "/" in name or "\\" in name or name in members:
                raise NotARoster("a file lies in a folder, or twice", f"file {number} of the zip")
            members[name] = info
    return members


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as packed:
        raw = packed.read(info.file_size + 1)
    if len(raw) > info.file_size:
        raise RosterTooLarge("a file unpacks to more than the zip says", "the zip")
    return raw


def _table(name: str, raw: bytes, columns: Sequence[str], room: int) -> Table:
    file = f"{name}.csv"
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BrokenRoster("the file is not in UTF-8", file) from None
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    table = Table(name)
    try:
        header = _header(next(reader, []), columns, file)
        for cells in reader:
            if cells:
                table.rows.append(_row(file, reader.line_num, header, cells))
            if len(table.rows) > room:
                raise RosterTooLarge(f"the tables have more than {ROWS_MAX} lines together", file)
    except csv.Error:
        raise BrokenRoster("the CSV is not well formed", f"{file} line {reader.line_num}") from None
    return table


def _header(header: list[str], columns: Sequence[str], file: str) -> dict[str, int]:
    missing = [column for column in columns if column not in header]
    if missing:
        raise NotARoster(f"the column {missing[0]} is missing", f"{file} line 1")
    if len(header) > COLUMNS_MAX or len(set(header)) != len(header):
        raise NotARoster("the columns are too many, or one comes twice", f"{file} line 1")
    return {column: at for at, column in enumerate(header)}


def _row(file: str, line: int, header: Mapping[str, int], cells: list[str]) -> Row:
    row = Row(file, line, header, [cell.strip() for cell in cells])
    if len(cells) != len(header):
        raise BrokenRoster(f"the line has {len(cells)} fields and the header {len(header)}", row.place)
    if any(len(cell) > FIELD_LENGTH_MAX for cell in cells):
        raise RosterTooLarge(f"a field is over {FIELD_LENGTH_MAX} characters", row.place)
    return row
