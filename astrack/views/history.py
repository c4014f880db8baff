"""The rows of a read model as they were: folded in memory from the log as it was known, and stored nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from astrack.store import SchoolLog
from astrack.views.fold import Broken, Folding, as_corrected, corrected_pupils
from domain.base import DomainError, Fact
from domain.journey.facts import FactCorrected
from projections.shape import Projection

PAGE = 1_000
ENTRIES_MAX = 1_000_000


class HistoryTooLong(DomainError):
    """The log had more entries than are folded in memory."""


@dataclass(frozen=True, slots=True)
class Past:
    """A read model as it was when the log had ``known`` entries; ``left_out``: facts it could not take, with why."""

    known: int
    rows: list[dict[str, Any]]
    left_out: list[Broken]


def as_of(
    log: SchoolLog, projection: Projection, known: int, happened_by: date | None, moved: Callable[[int], None]
) -> Past:
    """The rows made of the first ``known`` entries, with the corrections among them applied.

    ``happened_by``: of what had happened by the end of that day alone, by the day each fact reads now. What has been
    erased since is in no row. ``moved`` hears how many entries more have been read. Raises HistoryTooLong.
    """
    if known > ENTRIES_MAX:
        raise HistoryTooLong(f"{known} entries are more than the {ENTRIES_MAX} that are folded in memory: "
                             "name an earlier position")  # fmt: skip
    folding = Folding(projection)
    now, failed = _as_read(list(_told(log, projection, known, moved)))
    for fact in now:
        if type(fact.event) in projection.takes and (happened_by is None or fact.event.day <= happened_by):
            folding.take(fact)
    for fact, error in failed if projection.refolds else ():
        folding.fail(fact, error)
    rows = [dict(zip(projection.columns, row, strict=True)) for row, _ in folding.touched()]
    return Past(known, rows, folding.broken)


def _told(log: SchoolLog, projection: Projection, known: int, moved: Callable[[int], None]) -> Iterator[Fact]:
    after = -1
    while page := log.page(after, PAGE, known):
        after = page[-1].position
        moved(len(page))
        yield from (fact for fact in page if type(fact.event) in projection.takes or type(fact.event) is FactCorrected)


def _as_read(facts: list[Fact]) -> tuple[list[Fact], list[tuple[Fact, str]]]:
    """The facts as their corrections have them read, each pupil's apart; the corrections that do not fit, with why."""
    read, failed = {fact.position: fact for fact in facts}, list[tuple[Fact, str]]()
    for pupil_id in corrected_pupils(facts):
        now, wrong = as_corrected([fact for fact in facts if fact.pupil_id == pupil_id])
        read.update((fact.position, fact) for fact in now)
        failed += wrong
    return [read[fact.position] for fact in facts], failed
