"""Whom a tutor is asked to look at: the surest signs up to a load, and some pupils without a sign, unmarked."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from pydantic import model_validator

from domain.base import Value
from domain.journey import facts as f
from domain.journey.state import Journey
from domain.risk import makes_work

CLASS = 30


class Load(Value):
    """The setting: at most ``most`` pupils a class of 30 are put on the list at once, ``unflagged`` of them without a
    sign, on average; ``least`` is what a school should expect. The rest of the signs wait for the next look.
    """

    least: float = 3
    most: float = 5
    unflagged: float = 1

    @model_validator(mode="after")
    def _a_span(self) -> Self:
        if not (0 < self.least <= self.most <= CLASS and 0 <= self.unflagged <= self.most):
            raise ValueError("the review load must run from some pupils a class to no more than all of them")
        return self

    @property
    def chance(self) -> float:
        """How likely a pupil without a sign is to be drawn in a round."""
        return self.unflagged / CLASS

    def room(self, pupils: int) -> int:
        """How many pupils with a sign may be on the list of a group of this size, at least one."""
        return max(1, math.floor((self.most - self.unflagged) * pupils / CLASS + 0.5))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pupil without a sign is to be looked at for a round; ``chance``: how likely that was, for the arithmetic."""

    round_id: UUID
    chance: float


def lot(round_id: UUID, pupil_id: UUID) -> float:
    """A pupil's lot in a round, even in [0, 1): the same whoever asks, on nothing but the two ids (SHA-256).

    Whoever lies below the chance is drawn: each pupil on their own, so the chance is exact in a group of any size.
    """
    digest = hashlib.sha256(b"astrack/review/v1\0" + round_id.bytes + pupil_id.bytes).digest()
    return int.from_bytes(digest[:7]) / 2**56


def drawn(journey: Journey, pupil_id: UUID, load: Load) -> Drawn | None:
    """Whether a pupil's last round drew them, unless a sign stands that makes work, or they were looked at since."""
    last = next((sat for sat in reversed(journey.sittings) if sat.usable and sat.round_id), None)
    if last is None or last.round_id is None or lot(last.round_id, pupil_id) >= load.chance:
        return None
    if any(makes_work(one.raised.kind) and not one.eased for one in journey.flags.values()):
        return None
    looked = (one.round_id for one in journey.events.values() if isinstance(one, f.PupilLookedAt))
    return None if last.round_id in looked else Drawn(last.round_id, load.chance)


def mixed(pupils: Sequence[UUID]) -> list[int]:
    """The order to show these pupils in, as places in the list: one that does not tell who was drawn."""
    return sorted(range(len(pupils)), key=lambda at: hashlib.sha256(pupils[at].bytes).digest())
