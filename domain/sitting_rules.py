"""Who has sat a round, who has not, and the one re-offer: by response quality alone, before any value is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.journey.state import Sat

TRIES = 2
"""The first and the one re-offer."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one pupil stands in a round. ``counts``: the sitting that counts; ``offer``: whether one may be sat now."""

    counts: Sat | None
    tries: int
    offer: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """A round so far. ``reoffered`` is the share of those who sat whose first sitting could not be read."""

    expected: int
    sat: int
    absent: tuple[UUID, ...]
    again: tuple[UUID, ...]
    reoffered: float | None


def standing(sittings: Sequence[Sat], round_id: UUID) -> Standing:
    """Where a pupil stands: the first sitting of adequate quality counts, and where neither has it, none does.

    Whether a second is offered rests on response quality alone, never on values and never on anyone's choice.
    """
    own = [sat for sat in sittings if sat.round_id == round_id]
    good = next((sat for sat in own if sat.usable), None)
    return Standing(good, len(own), good is None and len(own) < TRIES)


def progress(expected: Iterable[UUID], by_pupil: dict[UUID, Sequence[Sat]], round_id: UUID) -> Progress:
    """Completion of a round over the pupils expected in it."""
    pupils = list(expected)
    where = {pupil: standing(by_pupil.get(pupil, ()), round_id) for pupil in pupils}
    sat = [pupil for pupil in pupils if where[pupil].tries]
    first_bad = sum(_first_unreadable(by_pupil.get(pupil, ()), round_id) for pupil in sat)
    return Progress(
        len(pupils),
        len(sat),
        tuple(pupil for pupil in pupils if not where[pupil].tries),
        tuple(pupil for pupil in sat if where[pupil].offer),
        first_bad / len(sat) if sat else None,
    )


def _first_unreadable(sittings: Sequence[Sat], round_id: UUID) -> bool:
    first = next((sat for sat in sittings if sat.round_id == round_id), None)
    return first is not None and not first.usable
