"""The corrections of one school, known before its facts pass by, so that each fact passes as it reads now."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from astrack.views.fold import as_corrected
from domain.base import Event, Fact
from domain.journey.facts import FactCorrected


class Corrections:
    """What was corrected, by pupil and event.

    ``corrected``: the events some correction names; ``pupils``: whose; ``failed``: corrections that do not fit, with
    why; ``again``: pupils of whom a corrected fact came twice, to be folded anew from their streams.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.failed: list[tuple[Fact, str]] = []
        self.again: set[UUID] = set()
        self._now: dict[int, Fact] = {}
        self._naming: dict[tuple[UUID, UUID], list[Fact]] = {}
        self._seen: set[tuple[UUID, UUID]] = set()
        by_pupil: dict[UUID, list[Fact]] = {}
        for fact in facts:
            if fact.pupil_id is not None:
                by_pupil.setdefault(fact.pupil_id, []).append(fact)
        for pupil_id, held in by_pupil.items():
            self._take(pupil_id, held)
        self.corrected = frozenset(event_id for _, event_id in self._naming)
        self.pupils = frozenset(pupil_id for pupil_id, _ in self._naming)

    def names(self, event: Event | None) -> bool:
        """Whether an event is a correction, or one that some correction names."""
        return event is not None and (type(event) is FactCorrected or event.event_id in self.corrected)

    def now(self, fact: Fact) -> Fact:
        """The fact as it reads now."""
        if type(fact.event) is FactCorrected:
            return self._now.get(fact.position, fact)
        if fact.event.event_id not in self.corrected or fact.pupil_id is None:
            return fact
        place = (fact.pupil_id, fact.event.event_id)
        if place not in self._naming:
            return fact
        if place in self._seen:
            self.again.add(fact.pupil_id)
        self._seen.add(place)
        now, failed = as_corrected([fact, *(one for one in self._naming[place] if one.position > fact.position)])
        self.failed += failed
        return now[0]

    def _take(self, pupil_id: UUID, held: list[Fact]) -> None:
        now, failed = as_corrected(held)
        self.failed += failed
        for fact in now:
            self._now[fact.position] = fact
            if isinstance(fact.event, FactCorrected):
                self._naming.setdefault((pupil_id, fact.event.corrects), []).append(fact)
