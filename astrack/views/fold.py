"""Facts into rows: the one fold that serves a page of the log, a pupil made anew, and a whole school in memory."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.base import Fact
from domain.journey.facts import FactCorrected
from domain.journey.state import amended
from projections.shape import Key, Projection, Row


@dataclass(frozen=True, slots=True)
class Broken:
    """A fact that a read model could not take, and the traceback."""

    projection: str
    position: int
    pupil_id: UUID | None
    error: str


class Slot:
    """One row as it is made, and the newest fact in it; None when it is as it was loaded."""

    __slots__ = ("fact", "row")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.fact: Fact | None = None


class Folding:
    """The rows of one read model as they are made."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.slots: dict[Key, Slot] = {}
        self.broken: list[Broken] = []
        self._width = [projection.columns.index(name) for name in projection.key]
        self._key_of, self._evolve, self._rows = projection.key_of, projection.evolve, projection.rows

    def load(self, rows: dict[Key, Row]) -> None:
        """Begin with these rows."""
        self.slots = {key: Slot(row) for key, row in rows.items()}

    def touched(self) -> Iterator[tuple[Row, Fact]]:
        """The rows that facts have made or brought on, each with the newest."""
        return ((slot.row, slot.fact) for slot in self.slots.values() if slot.fact is not None)

    def keys(self, facts: Iterable[Fact]) -> set[Key]:
        """The rows these facts belong to; a fact whose key cannot be told is left for ``take`` to report."""
        found: set[Key] = set()
        for fact in facts if self._key_of else ():
            try:
                key = self._key_of(fact) if self._key_of else None
            except Exception:  # noqa: S112 - reported when the fact is taken
                continue
            if key is not None:
                found.add(key)
        return found

    def take(self, fact: Fact) -> None:
        """Bring the rows on by one fact; one that breaks the read model is noted and leaves them as they were."""
        try:
            if self._evolve is None or self._key_of is None:
                self._list(fact)
                return
            key = self._key_of(fact)
            if key is None:
                return
            slot = self.slots.get(key)
            if slot is None:
                slot = self.slots[key] = Slot(self._evolve(None, fact))
            else:
                slot.row = self._evolve(slot.row, fact)
            slot.fact = fact
        except Exception:
            self.fail(fact, traceback.format_exc())

    def fail(self, fact: Fact, error: str) -> None:
        """Note that a fact could not be taken."""
        self.broken.append(Broken(self.projection.name, fact.position, fact.pupil_id, error))

    def _list(self, fact: Fact) -> None:
        # the whole list first: half of a fact's lines would be worse than none
        for row in list(self._rows(fact)) if self._rows else ():
            slot = self.slots[tuple(row[place] for place in self._width)] = Slot(row)
            slot.fact = fact


def taken(projection: Projection, facts: Iterable[Fact]) -> list[Fact]:
    """Those of the facts that the read model is made of."""
    return [fact for fact in facts if type(fact.event) in projection.takes]


def corrected_pupils(facts: Iterable[Fact]) -> set[UUID]:
    """Pupils of whom an earlier fact was corrected."""
    return {fact.pupil_id for fact in facts if fact.pupil_id is not None and type(fact.event) is FactCorrected}


def as_corrected(story: Sequence[Fact]) -> tuple[list[Fact], list[tuple[Fact, str]]]:
    """A pupil's facts as they read now, and the corrections that could not be applied, with why.

    What domain.journey.state.corrected does, except that a correction that does not fit changes nothing.
    """
    at = {fact.event.event_id: index for index, fact in enumerate(story)}
    now, failed = list(story), []
    naming: dict[int, list[int]] = {}
    for index, fact in enumerate(story):
        if isinstance(fact.event, FactCorrected) and at.get(fact.event.corrects, index) < index:
            naming.setdefault(at[fact.event.corrects], []).append(index)
    for target in sorted(naming, reverse=True):
        for index in naming[target]:
            try:
                now[target] = now[target]._replace(event=amended(now[target].event, changes_of(now[index])))
            except Exception:
                failed.append((now[index], traceback.format_exc()))
    return now, failed


def changes_of(fact: Fact) -> dict[str, Any]:
    """What a correction changes, as it reads now."""
    event = fact.event
    return event.changes if isinstance(event, FactCorrected) else {}


def refold(folding: Folding, story: Sequence[Fact]) -> None:
    """Make the rows of one pupil anew from all their facts in order, corrections applied."""
    now, failed = as_corrected(story)
    for fact in taken(folding.projection, now):
        folding.take(fact)
    for fact, error in failed:
        folding.fail(fact, error)
