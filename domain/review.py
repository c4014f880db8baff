"""Whom a tutor is asked to look at: the surest signs up to a load, and some pupils without a sign, unmarked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Self
from uuid import UUID

from pydantic import model_validator

from domain.base import Value

CLASS = 30


class Load(Value):
    """The setting: at most ``most`` pupils a class of 30 are put on the list at once, ``unflagged`` of them without a
    sign; ``least`` is what a school should expect. The rest of the signs wait for the next look.
    """

    least: float = 3
    most: float = 5
    unflagged: float = 1

    @model_validator(mode="after")
    def _a_span(self) -> Self:
        if not (0 < self.least <= self.most <= CLASS and 0 <= self.unflagged <= self.most):
            raise ValueError("the review load must run from some pupils a class to no more than all of them")
        return self

    def room(self, pupils: int) -> int:
        """How many pupils of a group of this size may be on the list, at least one."""
        return max(1, math.floor(self.most * pupils / CLASS + 0.5))

    def drawn(self, pupils: int) -> int:
        """How many of them are drawn from those without a sign."""
        return max(1, math.floor(self.unflagged * pupils / CLASS + 0.5)) if self.unflagged else 0


@dataclass(frozen=True, slots=True)
class Sign:
    """A pupil's sign that makes work; ``urgency`` orders them (the model's probability, 0 to 1)."""

    pupil_id: UUID
    urgency: float


@dataclass(frozen=True, slots=True)
class ReviewList:
    """``show``: whom to look at, signs and drawn pupils mixed in an order that does not tell which is which;
    ``drawn``: which of them were drawn (kept apart, for the arithmetic); ``chance``: how likely a pupil without a sign
    was to be drawn; ``waiting``: signs for which there was no room.
    """

    show: tuple[UUID, ...]
    drawn: frozenset[UUID]
    chance: float
    waiting: tuple[UUID, ...]


def review_list(signs: Iterable[Sign], sat: Sequence[UUID], chance: Random, load: Load | None = None) -> ReviewList:
    """The list of one group for one round. ``sat``: the pupils who sat it; ``chance`` is the randomness to use."""
    load = load or Load()
    urgent = _surest(signs)
    drawn_room = load.drawn(len(sat))
    room = max(load.room(len(sat)) - drawn_room, 1)
    flagged, quiet = urgent[:room], sorted(set(sat) - set(urgent))
    drawn = chance.sample(quiet, min(drawn_room, len(quiet)))
    show = [*flagged, *drawn]
    chance.shuffle(show)
    return ReviewList(tuple(show), frozenset(drawn), len(drawn) / len(quiet) if quiet else 0.0, tuple(urgent[room:]))


def _surest(signs: Iterable[Sign]) -> list[UUID]:
    by_pupil: dict[UUID, float] = {}
    for sign in signs:
        by_pupil[sign.pupil_id] = max(sign.urgency, by_pupil.get(sign.pupil_id, 0.0))
    return sorted(by_pupil, key=lambda pupil: (-by_pupil[pupil], pupil))
