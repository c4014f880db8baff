"""Scoring many sittings at once, as simulations and a whole school need it: the same numbers as one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.instrument import Instrument
from domain.reading_back import reading

Answers = NDArray[np.int8]
Small = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ScoredMany:
    """``values``, ``errors`` (M, 8), nan where too little was answered; ``usable`` (M,)."""

    values: Small
    errors: Small
    usable: Flags


def score_many(instrument: Instrument, answers: Answers) -> ScoredMany:
    """Score M sittings; ``answers`` (M, items) in the instrument's order, 0 where there is none. No refusals here."""
    values, errors = (np.empty((len(answers), 8), np.float32) for _ in range(2))
    ends = instrument.scale.least + instrument.scale.most
    for cell in range(8):
        at = [n for n, item in enumerate(instrument.items) if item.cell == cell]
        chosen = answers[:, at].astype(np.float32)
        keys = np.array([instrument.items[n].keyed for n in at])
        keyed = np.where(keys == 1, chosen, ends - chosen)
        values[:, cell], errors[:, cell] = _cell(instrument, keyed, chosen > 0)
    return ScoredMany(values, errors, _usable(instrument, answers, values))


def _cell(instrument: Instrument, keyed: Small, given: Flags) -> tuple[Small, Small]:
    rules, curve = instrument.scoring, reading(instrument)
    count = given.sum(axis=1).astype(np.float32)
    enough = count >= rules.least_answered
    count = np.where(enough, count, np.float32(np.nan))
    mean = (keyed * given).sum(axis=1) / count
    squares = (((keyed - mean[:, None]) ** 2) * given).sum(axis=1)
    variance = (rules.item_sd_weight * rules.item_sd**2 + squares) / (rules.item_sd_weight + count - 1)
    return curve.level(mean).astype(np.float32), (np.sqrt(variance / count) / curve.slope(mean)).astype(np.float32)


def _usable(instrument: Instrument, answers: Answers, values: Small) -> Flags:
    given = answers > 0
    rules, count = instrument.quality, given.sum(axis=1)
    steps = range(instrument.scale.least, instrument.scale.most + 1)
    straight = np.max([(answers == step).sum(axis=1) for step in steps], axis=0) >= rules.straight_share * count
    missing = np.isnan(values).any(axis=1) | (count < rules.answered_share * answers.shape[1])
    found = {
        "straight_lining": straight,
        "inconsistent": _pair_gap(instrument, answers) >= rules.inconsistent_gap,
        "missing": missing,
        "longest_run": _longest_run(answers) >= rules.longest_run,
    }
    bad = np.zeros(len(answers), bool)
    for code, true in found.items():
        if code in rules.unusable:
            bad |= true
    return ~bad


def _pair_gap(instrument: Instrument, answers: Answers) -> Small:
    place = {item.id: n for n, item in enumerate(instrument.items)}
    ends = instrument.scale.least + instrument.scale.most
    first = [n for n, item in enumerate(instrument.items) if item.keyed == 1]
    second = [place[instrument.items[n].pair] for n in first]
    both = (answers[:, first] > 0) & (answers[:, second] > 0)
    gaps = np.abs(answers[:, first].astype(np.float32) - (ends - answers[:, second].astype(np.float32))) * both
    count = both.sum(axis=1)
    mean: Small = np.where(count >= 6, gaps.sum(axis=1) / np.maximum(count, 1), 0).astype(np.float32)
    return mean


def _longest_run(answers: Answers) -> NDArray[np.int64]:
    longest = run = np.ones(len(answers), np.int64)
    for n in range(1, answers.shape[1]):
        run = np.where(answers[:, n] == answers[:, n - 1], run + 1, 1)
        longest = np.maximum(longest, run)
    return longest
