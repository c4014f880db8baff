"""Totals of a licensed instrument from a CSV file: read whole, shown first, taken in as facts; items are never read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

from pydantic import ValidationError

from astrack.changing import Ask
from astrack.records import Records
from domain.base import DomainError, Event, Stamp
from domain.instrument import licensed
from domain.instrument.licensed import TotalsOf
from domain.journey import facts, outcomes
from domain.scoring import UnknownItem

ROWS_MAX, BYTES_MAX, YEARS_MAX = 20_000, 8 << 20, 25
OWN = ("pupil", "on")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{1,12})?", re.ASCII)


class TotalsWrong(DomainError):
    """A file of totals, or what was said of its instrument, cannot be read."""


@dataclass(frozen=True, slots=True)
class Line:
    """One pupil's totals on a day, by scale; ``row`` is the line of the file it ends on."""

    row: int
    pupil_id: UUID
    on: date
    totals: dict[str, float]

    def fact(self, of: TotalsOf) -> dict[str, object]:
        """What is put on record; its id is the pupil's, the day's and the instrument's, whatever the values are."""
        return licensed.fact_of(of, self.totals, uuid5(self.pupil_id, f"{of.name}/{of.version}/{self.on}"), self.on)


def instrument_of(content: bytes) -> TotalsOf:
    """What a school says of its instrument, as JSON: name, version, licence, totals by scale. Raises TotalsWrong."""
    mend = "it is JSON with name, version, licence and totals, each scale with its least and a greater most: mend it"
    try:
        return TotalsOf.model_validate(json.loads(content, object_pairs_hook=_once))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise TotalsWrong(f"the instrument's file is wrong in {where}: {first['msg']}; {mend}") from error
    except (ValueError, RecursionError) as error:
        raise TotalsWrong(f"the instrument's file cannot be read: {mend}") from error


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def read(of: TotalsOf, content: bytes, pupil_of: Callable[[str], UUID], today: date) -> list[Line]:
    """The lines of a CSV with the columns "pupil" (UPN or id), "on" (YYYY-MM-DD) and one for each scale; an empty cell
    is no total, an empty line is none. Whole or not at all. Raises TotalsWrong, UnknownItem, and what finding a pupil
    and checking totals raise.
    """
    if len(content) > BYTES_MAX:
        raise TotalsWrong(f"the file is over {BYTES_MAX >> 20} MiB: split it")
    try:
        numbered = [row for _, row in zip(range(ROWS_MAX + 2), _rows(content), strict=False)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TotalsWrong("the file is not CSV in UTF-8: export it again as such") from error
    heads = [head.strip() for head in numbered[0][1]] if numbered else []
    _check_heads(of, heads)
    if len(numbered) > ROWS_MAX + 1:
        raise TotalsWrong(f"the file has more than {ROWS_MAX:,} rows: split it")
    lines = [_line(of, number, heads, cells, pupil_of, today) for number, cells in numbered[1:]]
    if len({(one.pupil_id, one.on) for one in lines}) < len(lines):
        raise TotalsWrong("a pupil stands twice in the file for one day: keep one of the two rows")
    return lines


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold something, each with the line of the file it ends on."""
    table = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    return ((table.line_num, row) for row in table if any(cell.strip() for cell in row))


def _check_heads(of: TotalsOf, heads: Sequence[str]) -> None:
    if not set(OWN) <= set(heads):
        raise TotalsWrong("the file needs the columns pupil and on: mend its first line")
    if len(set(heads)) < len(heads):
        raise TotalsWrong("two columns of the file have the same name: keep one of them")
    if not set(heads) <= {*OWN, *of.totals}:
        raise UnknownItem(f"a column is of a scale that {of.name} {of.version} does not have: leave it out")


def _line(
    of: TotalsOf, number: int, heads: Sequence[str], cells: Sequence[str], pupil_of: Callable[[str], UUID], today: date
) -> Line:
    if len(cells) != len(heads):
        raise TotalsWrong(f"row {number} has {len(cells)} cells and the first line {len(heads)}: mend it")
    row = {head: cell.strip() for head, cell in zip(heads, cells, strict=True)}
    on = _day(number, row["on"], today)
    given = {scale: _total(number, scale, row[scale]) for scale in heads if scale not in OWN and row[scale]}
    try:
        return Line(number, pupil_of(row["pupil"]), on, licensed.checked(of, given))
    except DomainError as refused:
        raise type(refused)(f"row {number}: {refused}") from refused


def _day(number: int, text: str, today: date) -> date:
    try:
        on = date.fromisoformat(text if DAY.fullmatch(text) else "")
    except ValueError:
        raise TotalsWrong(f"row {number}: the day is not YYYY-MM-DD: mend it") from None
    if on > today:
        raise TotalsWrong(f"row {number}: the day is still to come: mend it")
    if on.year < today.year - YEARS_MAX:
        raise TotalsWrong(
            f"row {number}: the day is more than {YEARS_MAX} years ago, when no pupil was at school: mend it"
        )
    return on


def _total(number: int, scale: str, text: str) -> float:
    if not NUMBER.fullmatch(text):
        raise TotalsWrong(f"row {number}: the total of {scale} is not a number: write it as 7 or 7.5")
    return float(text)


def expected(
    records: Records, ask: Ask, of: TotalsOf, lines: Sequence[Line], moved: Callable[[int], None]
) -> Counter[str]:
    """How many lines are new, mended (other totals of that day are on record) or known; nothing is written.

    Raises what taking them in would raise.
    """
    told: Counter[str] = Counter()
    for line in lines:
        stamp = Stamp(records.clock(), ask.by, records.new_id)
        totals = facts.TotalsImported.model_validate({**stamp.fresh(), **line.fact(of)})
        told[_kind(outcomes.take_in_totals(records.journey(line.pupil_id)[0], stamp, totals))] += 1
        moved(1)
    return told


def _kind(events: Sequence[Event]) -> str:
    return "known" if not events else "new" if isinstance(events[0], facts.TotalsImported) else "mended"


def take_in(records: Records, ask: Ask, of: TotalsOf, lines: Sequence[Line], moved: Callable[[int], None]) -> None:
    """Take the lines in, one pupil at a time; sent again it goes on where it stopped."""
    for line in lines:
        records.take_in_totals(
            ask.part(f"{line.pupil_id}/{of.name}/{of.version}/{line.on}"), line.pupil_id, line.fact(of)
        )
        moved(1)
