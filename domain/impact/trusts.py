"""Simulated trusts with a known effect of support: what the impact figure must get right before anybody reads one.

The world is not the model: levels drift, sittings err, tutor groups share shocks, plan owners differ, some sit nothing,
and who is supported is decided by chance, by what is on record, or by what nobody wrote down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from domain.impact.cases import NONE, Panel, Plans

Floats = NDArray[np.float64]
Chosen = Literal["chance", "record", "hidden"]
FIRST_DAY, ROUND_DAYS = 738_000, 120
SD, ERROR, RETEST_DRIFT, CONTEXTS_R = 0.72, 0.40, 0.80, 0.70
MIDDLE, LOW, HIGH = 3.5, 2.2, 4.8
GROUP_SHOCK, OWNER_SPREAD, ABSENT = 0.15, 0.5, 0.06


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust as a panel and its plans, and what support truly did to those reassessed (scale points nearer)."""

    panel: Panel
    plans: Plans
    truth: Floats


def trust(chance: np.random.Generator, chosen: Chosen, effect_sd: float, pupils: int = 900, rounds: int = 3) -> Trust:
    """One trust. Support begins two weeks after the flagged round, moves true levels towards the middle by
    ``effect_sd`` standard deviations in the mean (owners differ by half of that), and lasts.
    """
    school, group = np.arange(pupils) // 300, np.arange(pupils) // 30
    year = 3 + (np.arange(pupils) // 60) % 5
    levels, future = _levels(chance, pupils, rounds, group)
    noise = chance.normal(0, ERROR, (pupils, rounds, 8))
    seen = MIDDLE + levels + noise
    sat = chance.random((pupils, rounds)) > ABSENT
    flagged, aimed = _flags(seen, sat, rounds)
    first = np.where(flagged.any(axis=1), flagged.argmax(axis=1), NONE)
    case = np.flatnonzero(first != NONE)
    picked = case[chance.random(len(case)) < _chances(chosen, seen, sat, first, case, future)]
    owner = group[picked] if len(picked) else picked
    moved = effect_sd * SD * (1 + OWNER_SPREAD * chance.normal(0, 1, group.max() + 1))[owner]
    values, truth = _supported(seen, levels, noise, picked, first, moved, sat, aimed)
    days = np.where(sat, FIRST_DAY + ROUND_DAYS * np.arange(rounds), 0)
    panel = Panel(
        school=school, days=days, values=np.where(sat[..., None], values, np.nan), errors=np.full(values.shape, ERROR),
        adequate=sat, flagged=flagged, aimed=aimed, year=np.repeat(year[:, None], rounds, axis=1),
        group=np.repeat(group[:, None], rounds, axis=1), middle=MIDDLE, low=LOW, high=HIGH,
    )  # fmt: skip
    start = FIRST_DAY + ROUND_DAYS * first[picked] + 14
    together = np.full(len(picked), NONE)
    return Trust(panel, Plans(picked, start, start + 42, owner, together), truth)


def _levels(chance: np.random.Generator, pupils: int, rounds: int, group: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """True levels about the middle, drifting back as they go; and each pupil's hidden prospect: what nobody wrote down
    and what moves every later step away from the middle or towards it.
    """
    prospect = chance.normal(0, 1, pupils)
    shock = chance.normal(0, GROUP_SHOCK, (group.max() + 1, rounds))
    levels = np.empty((pupils, rounds, 8))
    now = _pair(chance, pupils) * SD
    for step in range(rounds):
        if step:
            fresh = _pair(chance, pupils) * SD * np.sqrt(1 - RETEST_DRIFT**2)
            now = RETEST_DRIFT * now + fresh
            away = 0.12 * prospect[:, None] + shock[group, step][:, None]
            now = now + np.sign(now) * away
        levels[:, step] = now
    return levels, prospect


def _pair(chance: np.random.Generator, pupils: int) -> Floats:
    """Four factors in two contexts that are alike."""
    shared = chance.normal(0, 1, (pupils, 4))
    own = [np.sqrt(CONTEXTS_R) * shared + np.sqrt(1 - CONTEXTS_R) * chance.normal(0, 1, (pupils, 4)) for _ in range(2)]
    return np.concatenate(own, axis=1)


def _flags(seen: Floats, sat: NDArray[np.bool_], rounds: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """A sign where two or more scores are polar; it names them. The last round raises none: nothing follows it."""
    polar = (seen <= LOW) | (seen >= HIGH)
    flagged = (polar.sum(axis=2) >= 2) & sat
    flagged[:, rounds - 1] = False
    return flagged, polar & flagged[..., None]


def _chances(
    chosen: Chosen,
    seen: Floats,
    sat: NDArray[np.bool_],
    first: NDArray[np.intp],
    case: NDArray[np.intp],
    future: Floats,
) -> Floats:
    if chosen == "chance":
        return np.full(len(case), 0.5)
    if chosen == "hidden":
        return _logistic(1.2 * -future[case])
    out = np.abs(seen - MIDDLE).mean(axis=2)
    now = out[case, first[case]]
    before = np.where(sat[case] & (np.arange(seen.shape[1]) < first[case][:, None]), out[case], np.nan)
    count = (~np.isnan(before)).sum(axis=1)
    earlier = np.where(count > 0, np.nansum(before, axis=1) / np.maximum(count, 1), now)
    return _logistic(4 * (now - now.mean()) + 2 * (now - earlier - (now - earlier).mean()))


def _logistic(x: Floats) -> Floats:
    out: Floats = 1 / (1 + np.exp(-x))
    return out


def _supported(
    seen: Floats,
    levels: Floats,
    noise: Floats,
    picked: NDArray[np.intp],
    first: NDArray[np.intp],
    moved: Floats,
    sat: NDArray[np.bool_],
    aimed: NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """Scores with support, and what it did to the followed-up distance of each supported pupil who was reassessed."""
    values = seen.copy()
    later = np.arange(seen.shape[1]) > first[picked][:, None]
    shift = np.sign(levels[picked]) * moved[:, None, None] * later[..., None]
    values[picked] = MIDDLE + levels[picked] - shift + noise[picked]
    follow = sat[picked] & later
    some = np.flatnonzero(follow.any(axis=1))
    at = follow[some].argmax(axis=1)
    aim = aimed[picked[some], first[picked[some]]]
    gap = np.abs(seen[picked[some], at] - MIDDLE) - np.abs(values[picked[some], at] - MIDDLE)
    return values, (gap * aim).sum(axis=1) / np.maximum(aim.sum(axis=1), 1)
