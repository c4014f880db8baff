"""How groups of pupils stand and move, by year, tutor group, house or any imported field; small groups stay hidden."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor

from domain.base import Fact
from domain.journey import facts as f
from domain.journey.state import Sat
from domain.risk import reads
from domain.scope import Scope
from domain.small import SMALLEST, hidden
from projections import pupils, risk_register
from projections.shape import in_scope, untag

NAME, VERSION = "cohort", 3
KEY = ("pupil_id", "sitting_id")
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, sitting_id uuid NOT NULL,"
    " event_id uuid NOT NULL, happened_on date NOT NULL, round_id uuid, age_months int, usable boolean NOT NULL,"
    " read boolean NOT NULL,"
    ' "values" double precision[] NOT NULL, errors double precision[] NOT NULL)',
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id, sitting_id)",
    "CREATE INDEX ON {table} (school_id, pupil_id, happened_on)",
)
TAKES = frozenset({f.AssessmentSat})
MAX_PUPILS = 20_000


class Row(NamedTuple):
    """One sitting as arithmetic needs it: eight values and their standard errors, on the instrument's scale.

    ``read``: the model in use reads that instrument; figures are of such sittings alone, as others have another scale.
    """

    pupil_id: UUID
    sitting_id: UUID
    event_id: UUID
    happened_on: date
    round_id: UUID | None
    age_months: int | None
    usable: bool
    read: bool
    values: list[float | None]
    errors: list[float | None]


def rows(fact: Fact) -> list[Row]:
    """The row of a sitting."""
    event = fact.event
    if fact.pupil_id is None or not isinstance(event, f.AssessmentSat):
        return []
    return [
        Row(fact.pupil_id, event.sitting_id, event.event_id, event.happened_on, event.round_id, event.age_months,
            event.usable, reads(event.instrument, event.instrument_version), list(event.values), list(event.errors))
    ]  # fmt: skip


def sittings(cur: Cursor[Any], school_id: UUID, pupil_ids: Sequence[UUID]) -> dict[UUID, list[Sat]]:
    """The sittings of some pupils that the model in use reads, by day, as it judges them; who has none is left out."""
    cur.execute(
        'SELECT c.pupil_id, c.event_id, c.sitting_id, c.round_id, c.happened_on, c."values", c.errors, c.usable,'
        f" c.age_months FROM {TABLE} c WHERE c.school_id = %s AND c.pupil_id = ANY (%s) AND c.read"
        " ORDER BY c.happened_on, c.event_id".encode(),
        (school_id, list(pupil_ids)), binary=True,
    )  # fmt: skip
    made: dict[UUID, list[Sat]] = {}
    for pupil_id, event_id, sitting_id, round_id, on, scores, errors, *rest in cur:
        sat = Sat(event_id, sitting_id, round_id, on, tuple(scores), tuple(errors), *rest)
        made.setdefault(pupil_id, []).append(sat)
    return made


class Cell(NamedTuple):
    """One group. When ``shown`` is False every number is None, whatever it was: too few pupils, or it could be
    worked out from the others.

    ``pupils``: on roll with a usable sitting in the period; ``mean`` and ``spread`` (standard deviation): eight numbers
    of their newest sitting; ``moved``: mean change since the sitting before, of the ``moved_pupils`` who have one;
    ``flagged``: pupils with an early sign not set aside.
    """

    name: str
    shown: bool
    pupils: int | None
    mean: tuple[float | None, ...] | None
    spread: tuple[float | None, ...] | None
    moved_pupils: int | None
    moved: tuple[float | None, ...] | None
    flagged: int | None


class Newest(NamedTuple):
    """One line a pupil: memberships, the newest sitting, the one before (NaN where none), whether flagged."""

    tags: list[list[str]]
    newest: NDArray[np.float64]
    before: NDArray[np.float64]
    flagged: NDArray[np.bool_]


def cells(cur: Cursor[Any], school_id: UUID, scope: Scope, dimension: str, *, since: date, until: date) -> list[Cell]:
    """The groups of one dimension ("year", "tutor group", any imported field) and, first, "all", over a period.

    Groups under 10 pupils are hidden; if just one is, the next smallest is hidden too, or the whole would tell it.
    """
    data = newest(cur, school_id, scope, since=since, until=until)
    return summarised(data, dimension)


def newest(cur: Cursor[Any], school_id: UUID, scope: Scope, *, since: date, until: date) -> Newest:
    """Each pupil on roll in scope who sat usably in the period; arrays of pupils x 8."""
    scoped, values = in_scope(scope)
    cur.execute(
        f'SELECT p.tags, s."values", b."values", coalesce(r.need > 0, false) FROM {pupils.TABLE} p'
        f" JOIN LATERAL ({_nth(0)}) s ON true LEFT JOIN LATERAL ({_nth(1)}) b ON true"
        f" LEFT JOIN {risk_register.TABLE} r ON r.school_id = p.school_id AND r.pupil_id = p.pupil_id"
        f" WHERE p.school_id = %s AND p.on_roll AND {scoped} ORDER BY p.pupil_id LIMIT {MAX_PUPILS}",
        (since, until, until, school_id, *values),
    )
    found = cur.fetchall()
    return Newest(
        [row[0] for row in found], _matrix([row[1] for row in found]), _matrix([row[2] for row in found]),
        np.array([row[3] for row in found], dtype=bool),
    )  # fmt: skip


def fingerprint(cur: Cursor[Any], school_id: UUID) -> tuple[int, int]:
    """How many sittings there are and a sum over all that is kept of each: another one where anything has changed."""
    cur.execute(
        f"SELECT count(*), coalesce(sum(hashtextextended(c::text, 0)), 0) FROM {TABLE} c WHERE c.school_id = %s",
        (school_id,),
    )
    count, whole = next(iter(cur))
    return int(count), int(whole)


def _nth(number: int) -> str:
    first = " AND c.happened_on >= %s" if number == 0 else ""
    return (
        f'SELECT c."values" FROM {TABLE} c WHERE c.school_id = p.school_id AND c.pupil_id = p.pupil_id AND c.usable'
        f" AND c.read{first} AND c.happened_on <= %s ORDER BY c.happened_on DESC, c.sitting_id OFFSET {number} LIMIT 1"
    )


def _matrix(lists: Sequence[list[float | None] | None]) -> NDArray[np.float64]:
    made = np.full((len(lists), 8), np.nan)
    for index, values in enumerate(lists):
        if values is not None:
            made[index] = [np.nan if value is None else value for value in values]
    return made


def summarised(data: Newest, dimension: str) -> list[Cell]:
    """The cells of one dimension over these pupils, small ones hidden."""
    members: dict[str, list[int]] = {}
    for index, held in enumerate(data.tags):
        for name in [name for of, name in map(untag, held) if of == dimension]:
            members.setdefault(name, []).append(index)
    everyone = list(range(len(data.tags)))
    sizes = {name: [len(held)] for name, held in members.items()}
    gone = hidden(sizes, [len(everyone) - sum(size for (size,) in sizes.values())])
    made = [_cell("all", data, everyone, len(everyone) >= SMALLEST)]
    return made + [_cell(name, data, members[name], name not in gone) for name in sorted(members)]


def _cell(name: str, data: Newest, index: list[int], shown: bool) -> Cell:
    if not shown:
        return Cell(name, False, None, None, None, None, None, None)
    now, change = data.newest[index], data.newest[index] - data.before[index]
    moved = change[~np.isnan(change).all(axis=1)]
    return Cell(
        name, True, len(index), _rounded(_mean(now)), _rounded(_spread(now)),
        len(moved) if len(moved) >= SMALLEST else None,
        _rounded(_mean(moved)) if len(moved) >= SMALLEST else None,
        int(data.flagged[index].sum()),
    )  # fmt: skip


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    count = (~np.isnan(values)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count >= SMALLEST, np.nansum(values, axis=0) / count, np.nan)


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    count = (~np.isnan(values)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.nansum((values - _mean(values)) ** 2, axis=0) / (count - 1)
        return np.where(count >= SMALLEST, np.sqrt(square), np.nan)


def _rounded(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else round(float(value), 3) for value in values)
