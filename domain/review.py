"""Whom a tutor is asked to look at: the surest signs up to a load, and some pupils without a sign, unmarked."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Self
from uuid import UUID

from pydantic import ValidationError, model_validator

from domain.base import DomainError, Fact, Value
from domain.journey import facts as f
from domain.journey.state import Journey
from domain.risk import makes_work, reads

CLASS = 30
LOTS_MAX = 20_000
"""So many lots are kept: a list asks for those of all pupils each time it is opened."""
LOT, SIGN_ID = b"astrack/review/lot/v2\0", b"astrack/review/sign-id/v2\0"


class LoadWrong(DomainError):
    """The review load must run from some pupils of a class to no more than all of them."""


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


def load_of(*, least: float, most: float, unflagged: float) -> Load:
    """A load from what somebody typed. Raises LoadWrong."""
    try:
        return Load(least=least, most=most, unflagged=unflagged)
    except ValidationError as error:
        raise LoadWrong("the load must run from some pupils a class to no more than all: change it") from error


DEFAULT = Load()
Loads = Sequence[tuple[datetime, Load]]
"""The loads a school has set, oldest first, each with the instant from which it held."""


def load_at(loads: Loads, at: datetime | None = None) -> Load:
    """The load that held at an instant, or the one set last; what astrack comes with where none was set by then."""
    return next((load for since, load in reversed(loads) if at is None or since <= at), DEFAULT)


@dataclass(frozen=True, slots=True)
class Draw:
    """How the rounds of a school draw pupils without a sign.

    ``key``: a secret of the school, without which nobody can tell who is drawn. A pupil's chance is that of the instant
    their sitting was recorded: a load changed in between would else give pupils of one round more than one chance, and
    their weights would be wrong.
    """

    key: bytes
    loads: Loads = ()

    def chance(self, sat_at: datetime) -> float:
        """How likely a pupil was to be drawn who sat at an instant."""
        return load_at(self.loads, sat_at).chance

    def lot(self, round_id: UUID, pupil_id: UUID) -> float:
        """A pupil's lot in a round, even in [0, 1): HMAC-SHA-256 of the two ids under the school's key.

        Whoever lies below the chance is drawn: each pupil on their own, so it is exact in a group of any size.
        """
        return self.lot_of(round_id.bytes + pupil_id.bytes)

    def lot_of(self, ids: bytes) -> float:
        """The same by the two ids as bytes, the round's and the pupil's, for many pupils at once."""
        return _lot(self.key, ids)

    def takes(self, round_id: UUID, pupil_id: UUID, sat_at: datetime) -> bool:
        """Whether a round drew a pupil who sat it at an instant."""
        return self.lot(round_id, pupil_id) < self.chance(sat_at)

    def sign_id(self, of: UUID, pupil_id: UUID) -> UUID:
        """The id under which a waiting sign (``of``: its flag) or a drawn pupil (``of``: the fact of the sitting) is
        put before somebody and reviewed: one kind of id for both, that tells nothing (UUID version 8, RFC 9562).
        """
        raw = bytearray(self._mac(SIGN_ID, of, pupil_id)[:16])
        raw[6], raw[8] = 0x80 | (raw[6] & 0x0F), 0x80 | (raw[8] & 0x3F)
        return UUID(bytes=bytes(raw))

    def _mac(self, label: bytes, *ids: UUID) -> bytes:
        return hmac.digest(self.key, label + b"".join(one.bytes for one in ids), "sha256")


@lru_cache(LOTS_MAX)
def _lot(key: bytes, ids: bytes) -> float:
    return int.from_bytes(hmac.digest(key, LOT + ids, "sha256")[:7]) / 2**56


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pupil without a sign is to be looked at for a round; ``chance``: how likely that was, for the arithmetic;
    ``sign_id``: the id it is reviewed under, as a waiting sign has one.
    """

    round_id: UUID
    chance: float
    sign_id: UUID


def drawn(journey: Journey, pupil_id: UUID, draw: Draw) -> Drawn | None:
    """Whether a pupil's last round drew them: unless a sign that makes work stood after its sitting or stands now, or
    they were looked at for that round.
    """
    sat = _last_round(journey)
    if sat is None or sat.round_id is None or not draw.takes(sat.round_id, pupil_id, sat.recorded_at):
        return None
    stands = any(makes_work(one.raised.kind) and not one.eased for one in journey.flags.values())
    if stands or _stood_after(journey, sat):
        return None
    if any(isinstance(one, f.PupilLookedAt) and one.round_id == sat.round_id for one in journey.events.values()):
        return None
    return Drawn(sat.round_id, draw.chance(sat.recorded_at), draw.sign_id(sat.event_id, pupil_id))


def _last_round(journey: Journey) -> f.AssessmentSat | None:
    """The sitting that counts of the round sat last of those the model in use reads, in order of the record."""
    first: dict[UUID, f.AssessmentSat] = {}
    for event in journey.events.values():
        if not isinstance(event, f.AssessmentSat) or not event.usable or event.round_id is None:
            continue
        if reads(event.instrument, event.instrument_version):
            first.setdefault(event.round_id, event)
    return next(reversed(first.values()), None)


def _stood_after(journey: Journey, sat: f.AssessmentSat) -> bool:
    """Whether a sign that makes work stood once a sitting had been judged: its flags follow it at the same instant."""
    standing: set[UUID] = set()
    judged = False
    for event in journey.events.values():
        if judged and event.recorded_at != sat.recorded_at:
            break
        judged = judged or event.event_id == sat.event_id
        if isinstance(event, f.FlagRaised) and makes_work(event.kind):
            standing.add(event.flag_id)
        elif isinstance(event, f.FlagEased):
            standing.discard(event.flag_id)
    return bool(standing)


def waiting(journey: Journey) -> dict[UUID, f.FlagRaised]:
    """The signs that ask for a look, stand, and nobody has reviewed yet, the likeliest first."""
    found = [one.raised for one in journey.flags.values() if not one.eased and one.judgement is None]
    order = sorted(found, key=lambda one: (-(one.probability or 0.0), one.flag_id))
    return {one.flag_id: one for one in order if makes_work(one.kind)}


def without(journey: Journey, facts: Sequence[Fact], signs: Collection[UUID]) -> tuple[Journey, list[Fact]]:
    """A journey and its facts without some signs: they are told elsewhere, until somebody has looked."""
    flags = {key: one for key, one in journey.flags.items() if key not in signs}
    kept = [one for one in facts if not (isinstance(one.event, f.FlagRaised) and one.event.flag_id in signs)]
    return replace(journey, flags=flags), kept


def mixed(pupils: Sequence[UUID]) -> list[int]:
    """The order to show these pupils in, as places in the list: one that does not tell who was drawn."""
    return sorted(range(len(pupils)), key=lambda at: hashlib.sha256(pupils[at].bytes).digest())
