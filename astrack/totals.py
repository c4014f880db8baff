"""Totals of a licensed instrument from a CSV file: read whole, shown first, taken in as facts; items are never read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import isfinite
from uuid import UUID, uuid5

from pydantic import ValidationError

from astrack.changing import Ask
from astrack.records import Records
from domain.base import DomainError
from domain.instrument import licensed
from domain.instrument.licensed import TotalsOf

ROWS_MAX, BYTES_MAX = 20_000, 8 << 20
OWN = ("pupil", "on")


class TotalsWrong(DomainError):
    """A file of totals, or what was said of its instrument, cannot be read."""


@dataclass(frozen=True, slots=True)
class Line:
    """One pupil's totals on a day, by scale; ``row`` is its place in the file."""

    row: int
    pupil_id: UUID
    on: date
    totals: dict[str, float]


def instrument_of(content: bytes) -> TotalsOf:
    """What a school says of its instrument, as JSON: name, version, licence, totals by scale. Raises TotalsWrong."""
    try:
        return TotalsOf.model_validate(json.loads(content))
    except (ValueError, ValidationError) as error:
        raise TotalsWrong("the instrument's file must be JSON with name, version, licence and totals, each scale with "
                          "its least and most: mend it") from error  # fmt: skip


def read(of: TotalsOf, content: bytes, pupil_of: Callable[[str], UUID], today: date) -> list[Line]:
    """The lines of a CSV with the columns "pupil" (UPN or id), "on" (YYYY-MM-DD) and one for each scale; an empty cell
    is no total. Whole or not at all. Raises TotalsWrong, and what finding a pupil and checking totals raise.
    """
    if len(content) > BYTES_MAX:
        raise TotalsWrong(f"the file is over {BYTES_MAX >> 20} MiB: split it")
    try:
        table = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        rows = [row for _, row in zip(range(ROWS_MAX + 1), table, strict=False)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TotalsWrong("the file is not CSV in UTF-8: export it again as such") from error
    heads = set(table.fieldnames or ())
    if not set(OWN) <= heads or len(rows) > ROWS_MAX:
        raise TotalsWrong(f"the file needs the columns pupil and on, and at most {ROWS_MAX:,} rows: mend it")
    lines = [_line(of, number, row, pupil_of, today) for number, row in enumerate(rows, 2)]
    if len({(one.pupil_id, one.on) for one in lines}) < len(lines):
        raise TotalsWrong("a pupil stands twice in the file for one day: keep one of the two rows")
    return lines


def _line(of: TotalsOf, number: int, row: dict[str, str], pupil_of: Callable[[str], UUID], today: date) -> Line:
    try:
        on = date.fromisoformat((row["on"] or "").strip())
        given = {str(name): float(text) for name, text in row.items() if name not in OWN and (text or "").strip()}
    except (TypeError, ValueError, AttributeError):
        raise TotalsWrong(f"row {number}: the day is not YYYY-MM-DD or a total is not a number: mend it") from None
    if on > today or not all(map(isfinite, given.values())):
        raise TotalsWrong(f"row {number}: the day is still to come or a total is no number: mend it")
    try:
        return Line(number, pupil_of((row["pupil"] or "").strip()), on, licensed.checked(of, given))
    except DomainError as refused:
        raise type(refused)(f"row {number}: {refused}") from refused


def take_in(records: Records, ask: Ask, of: TotalsOf, lines: list[Line], moved: Callable[[int], None]) -> int:
    """Take the lines in, one pupil at a time; sent again it goes on where it stopped. How many there were to take."""
    for line in lines:
        named = f"{of.name}/{of.version}/{line.on}"
        records.take_in_totals(
            ask.part(f"{line.pupil_id}/{named}"), line.pupil_id, totals_id=uuid5(line.pupil_id, named), on=line.on,
            of=of, totals=line.totals,
        )  # fmt: skip
        moved(1)
    return len(lines)
