"""A generative simulator: made-up pupils, their answers, absences, moves, staff who act or not, and what comes of it.

Nothing here is drawn from pupils. Every draw comes from the generator passed in: the same seed, the same world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.instrument import Instrument
from domain.risk.kalman import Sittings
from domain.risk.model import Correlation, Model, correlations
from domain.scoring.many import score_many
from domain.simulation.worlds import World

Floats = NDArray[np.float64]
Small = NDArray[np.float32]
Flags = NDArray[np.bool_]
ROUND_GAPS = (120, 120, 125)
FIRST_AGE_MONTHS = (96, 108)
CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Staff:
    """What adults do: ``act``, the share of pupils with two raw factors at an end whom they help, and ``helps``, how
    much of the way to the middle a round; ``move``, the share that changes school a round: they miss it, and are
    shaken by ``shaken`` scale points.
    """

    act: float = 0.0
    helps: float = 0.0
    move: float = 0.0
    shaken: float = 0.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """``levels`` (N, T, 8): what is true; ``sittings``: what was seen, nan where absent or unusable; ``direct``: values
    that direct questions would give; ``acted``, ``moved`` (N, T).
    """

    levels: Small
    sittings: Sittings
    direct: Small
    acted: Flags
    moved: Flags


def simulate(
    model: Model,
    world: World,
    pupils: int,
    rounds: int,
    chance: np.random.Generator,
    staff: Staff | None = None,
    hide: float = 0.5,
) -> Simulated:
    """Live through so many rounds, three a year from age 8 on; ``hide``: how much of the way to the middle pupils at an
    end go when they answer direct questions (an assumption of ours, shown as one).
    """
    staff = staff or Staff()
    days, months = calendar(pupils, rounds, chance)
    levels, values, errors = (np.empty((pupils, rounds, 8), np.float32) for _ in range(3))
    acted, moved = np.zeros((pupils, rounds), bool), chance.random((pupils, rounds)) < staff.move
    life, answering = _Life(model, world, pupils, chance), _Answering(model, world, pupils, chance)
    helped, shift = np.zeros(pupils, bool), np.zeros((pupils, 8))
    for at in range(rounds):
        gap = days[:, at] - days[:, at - 1] if at else None
        shift = shift * np.where(helped, 1 - staff.helps, 1.0)[:, None]
        shift += moved[:, at, None] * chance.normal(0, max(staff.shaken, 1e-12), (pupils, 8))
        true = life.next(gap, months[:, at]) + shift
        if staff.helps:
            shift -= np.where(helped, staff.helps, 0.0)[:, None] * (true - shift - model.instrument.scale.middle)
        levels[:, at] = true
        absent = _absent(model, world, true, chance) | moved[:, at]
        values[:, at], errors[:, at] = answering.sit(true, absent)
        acted[:, at] = raw_ends(model, values[:, at]) >= 2
        acted[:, at] &= chance.random(pupils) < staff.act
        helped = acted[:, at]
    direct = _direct(model, levels, values, hide, chance)
    return Simulated(levels, Sittings(days, months, values, errors), direct, acted, moved)


def calendar(pupils: int, rounds: int, chance: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Days of the rounds (three a year, a few days apart within a school) and the ages in months, (N, T) each."""
    gaps = np.array([ROUND_GAPS[at % 3] for at in range(rounds)])
    start = np.concatenate([[0], np.cumsum(gaps)[:-1]])
    days = np.sort(start[None] + chance.integers(0, 14, (pupils, rounds)), axis=1)
    first = chance.integers(*FIRST_AGE_MONTHS, pupils)
    return days, first[:, None] + np.round(days / 30.4369).astype(np.int64)


def ends(model: Model, levels: Small | Floats) -> Flags:
    """Which factors (N, ..., 4) are at an end in either context."""
    poles = model.instrument.poles
    out = (levels <= poles.low) | (levels >= poles.high)
    either: Flags = out[..., :4] | out[..., 4:]
    return either


def raw_ends(model: Model, values: Small | Floats) -> NDArray[np.int64]:
    """How many factors are at an end in raw values; nan counts as not."""
    count: NDArray[np.int64] = ends(model, values).sum(axis=-1)
    return count


class _Life:
    """The true levels as they go on: a fixed part and one that drifts back, shocks that stay."""

    def __init__(self, model: Model, world: World, pupils: int, chance: np.random.Generator) -> None:
        self.model, self.world, self.chance, self.pupils = model, world, chance, pupils
        same_factor, same_context, neither = world.correlation
        given = Correlation(same_factor=same_factor, same_context=same_context, neither=neither)
        self.root = np.linalg.cholesky(correlations(given))
        self.scale = self._scales()
        self.fixed, self.moving = self._draw(), self._draw()
        self.shocks = np.zeros((pupils, 8))

    def _scales(self) -> Floats:
        if not self.world.tails:
            return np.ones((self.pupils, 1))
        df = self.world.tails
        wide: Floats = np.sqrt((df - 2) / self.chance.chisquare(df, (self.pupils, 1)))
        return wide

    def _draw(self) -> Floats:
        drawn: Floats = self.chance.standard_normal((self.pupils, 8)) @ self.root.T
        return drawn

    def next(self, gap: NDArray[np.int64] | None, months: NDArray[np.int64]) -> Floats:
        """The levels (N, 8) after ``gap`` days."""
        if gap is not None:
            keep = np.exp2(-gap / self.world.halving_days)[:, None]
            self.moving = keep * self.moving + np.sqrt(1 - keep**2) * self._draw()
            self._shock()
        share = self.world.trait_share
        deviation = self.scale * (np.sqrt(share) * self.fixed + np.sqrt(1 - share) * self.moving)
        centre, sd = self.model.norms(months)
        true: Floats = centre.T + sd[:, None] * deviation + self.shocks
        return true

    def _shock(self) -> None:
        if not self.world.shock_rate:
            return
        hit = self.chance.random(self.pupils) < self.world.shock_rate
        factor = self.chance.integers(0, 4, self.pupils)
        size = self.world.shock_size * np.where(self.chance.random(self.pupils) < 0.5, 1, -1) * hit
        # a second shock on a factor takes the place of the first, or levels would leave the scale
        for side in (0, 4):
            at = (np.arange(self.pupils), factor + side)
            self.shocks[at] = np.where(hit, size, self.shocks[at])


class _Answering:
    """How pupils answer: through ordinal items, or as the model assumes."""

    def __init__(self, model: Model, world: World, pupils: int, chance: np.random.Generator) -> None:
        self.instrument, self.world, self.chance, self.pupils = model.instrument, world, chance, pupils
        self.offset = chance.normal(0, world.item_offset, len(self.instrument.items))
        self.item_sd = world.item_sd * np.exp(chance.normal(0, world.item_sd_spread, pupils))
        self.fakes = chance.random(pupils) < world.fake_share
        self.careless = chance.random(pupils) < world.careless_share

    def sit(self, true: Floats, absent: Flags) -> tuple[Small, Small]:
        """Values and errors (N, 8), nan where absent or unusable."""
        middle = self.instrument.scale.middle
        shown = np.where(self.fakes[:, None], middle + self.world.fake_pull * (true - middle), true)
        shown = shown + self.chance.normal(0, self.world.occasion_sd, (self.pupils, 1))
        values, errors = self._items(shown) if self.world.ordinal else self._plain(shown)
        values[absent], errors[absent] = np.nan, np.nan
        return values, errors

    def _plain(self, shown: Floats) -> tuple[Small, Small]:
        errors = self.world.item_sd / np.sqrt(6) * self.chance.uniform(0.9, 1.3, shown.shape)
        return (shown + self.chance.normal(0, 1, shown.shape) * errors).astype(np.float32), errors.astype(np.float32)

    def _items(self, shown: Floats) -> tuple[Small, Small]:
        parts = [self._answers(shown, at, min(at + CHUNK, self.pupils)) for at in range(0, self.pupils, CHUNK)]
        scored = [score_many(self.instrument, part) for part in parts]
        values, errors = (np.concatenate([getattr(one, name) for one in scored]) for name in ("values", "errors"))
        bad = ~np.concatenate([one.usable for one in scored])
        values[bad], errors[bad] = np.nan, np.nan
        return values, errors

    def _answers(self, shown: Floats, start: int, stop: int) -> NDArray[np.int8]:
        return answers(
            self.instrument, shown[start:stop], self.item_sd[start:stop], self.offset, self.chance,
            self.careless[start:stop] & (self.chance.random(stop - start) < 0.3),
        )  # fmt: skip


def answers(
    instrument: Instrument,
    shown: Floats,
    item_sd: Floats,
    offset: Floats,
    chance: np.random.Generator,
    at_random: Flags,
) -> NDArray[np.int8]:
    """Answers (N, items) to shown levels (N, 8): the level, the item's offset and an error, rounded and cut off."""
    scale = instrument.scale
    cells, keys = [item.cell for item in instrument.items], np.array([item.keyed for item in instrument.items])
    felt = scale.middle + keys * (shown[:, cells] - scale.middle) + offset
    felt += chance.standard_normal(felt.shape) * item_sd[:, None]
    given = np.clip(np.round(felt), scale.least, scale.most).astype(np.int8)
    if at_random.any():
        given[at_random] = chance.integers(scale.least, scale.most + 1, (int(at_random.sum()), len(cells)))
    return given


def _absent(model: Model, world: World, true: Floats, chance: np.random.Generator) -> Flags:
    rate = world.absent + world.absent_at_end * (raw_ends(model, true) >= 2)
    missing: Flags = chance.random(len(true)) < rate
    return missing


def _direct(model: Model, levels: Small, values: Small, hide: float, chance: np.random.Generator) -> Small:
    """Values of direct questions with the same error: those at an end show only part of how far out they are."""
    middle, poles = model.instrument.scale.middle, model.instrument.poles
    away = levels - middle
    at_end = (levels <= poles.low) | (levels >= poles.high)
    shown = middle + away * np.where(at_end, 1 - hide, 1)
    noise = chance.normal(0, 0.45, levels.shape)
    return np.where(np.isnan(values), np.nan, shown + noise).astype(np.float32)


def burden(model: Model, levels: Small) -> Small:
    """What bears on a pupil (N, T): how far factors lie beyond three fifths of the way to an end, summed."""
    middle, poles = model.instrument.scale.middle, model.instrument.poles
    away = np.abs(levels - middle) / (poles.high - middle)
    furthest = np.maximum(away[..., :4], away[..., 4:])
    total: Small = np.maximum(furthest - 0.6, 0).sum(axis=-1)
    return total


def outcomes(weight: Small, prevalence: float, link: float, horizon: int, chance: np.random.Generator) -> Flags:
    """Whether something came to pass in each round (N, T): a hazard on the logit scale, ``link`` times the burden,
    set so that the share ``prevalence`` of pupils have it within ``horizon`` rounds. link 0: nothing to do with it.
    """
    weight = weight.astype(np.float64)
    low, high = -20.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        hazard = np.minimum(1 / (1 + np.exp(-(middle + link * weight))), 1 - 1e-12)
        within = 1 - np.exp(np.log1p(-hazard[:, -horizon:]).sum(axis=1))
        low, high = (middle, high) if within.mean() < prevalence else (low, middle)
    happened: Flags = chance.random(weight.shape) < hazard
    return happened
