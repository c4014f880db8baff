"""How well a flag finds what is so: rates with intervals, calibration, lead time. Pure arithmetic on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.statistics import Z95, auc, auc_interval, wilson

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]
RESAMPLED = 1000


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion (or another figure) with its 95 % interval, and what it was counted on."""

    value: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}, {self.high:.3f})"


def rate(count: int, of: int) -> Rate:
    """A proportion; nan where nothing was counted."""
    low, high = wilson(count, of)
    return Rate(count / of if of else float("nan"), low, high, of)


@dataclass(frozen=True, slots=True)
class Screen:
    """Sensitivity, specificity, positive and negative predictive value, AUC (Hanley and McNeil 1982), prevalence."""

    sensitivity: Rate
    specificity: Rate
    ppv: Rate
    npv: Rate
    auc: Rate
    prevalence: float
    flagged: float


def screen(index: Floats, flagged: Flags, truth: Flags) -> Screen:
    """Count a flag against the truth; ``index`` is what it was cut from. All (N,)."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    area = auc(index, truth)
    low, high = auc_interval(area, positives, negatives)
    return Screen(
        rate(int((flagged & truth).sum()), positives),
        rate(int((~flagged & ~truth).sum()), negatives),
        rate(int((flagged & truth).sum()), int(flagged.sum())),
        rate(int((~flagged & ~truth).sum()), int((~flagged).sum())),
        Rate(area, low, high, len(truth)),
        positives / len(truth),
        float(flagged.mean()),
    )


def top(index: Floats, share: float) -> Flags:
    """The pupils with the highest index, exactly this share of all: flags at an equal rate. nan counts as lowest."""
    order = np.argsort(np.where(np.isnan(index), -np.inf, index), kind="stable")
    flagged = np.zeros(len(index), bool)
    flagged[order[len(index) - round(share * len(index)) :]] = True
    return flagged


def paired_margin(first: Flags, second: Flags, truth: Flags) -> tuple[float, float, float]:
    """The difference of two sensitivities on the same pupils and its interval (Wald, paired)."""
    n = int(truth.sum())
    only_first, only_second = int((first & ~second & truth).sum()), int((second & ~first & truth).sum())
    margin = (only_first - only_second) / n
    half = Z95 * np.sqrt(max(only_first + only_second - n * margin**2, 0.0)) / n
    return margin, margin - half, margin + half


@dataclass(frozen=True, slots=True)
class Calibration:
    """By bin of probability: mean said, share that was so with its interval, how many; and the Brier score of all."""

    said: tuple[float, ...]
    so: tuple[Rate, ...]
    brier: float
    gap: float
    """The mean distance between said and so, weighed by how many (expected calibration error)."""


def calibration(said: Floats, truth: Flags, bins: int = 10) -> Calibration:
    """How far probabilities say what is so. Both any one shape."""
    said, truth = said.ravel(), truth.ravel()
    at = np.minimum((said * bins).astype(int), bins - 1)
    means, shares, apart = [], [], 0.0
    for one in range(bins):
        here = at == one
        if here.any():
            means.append(float(said[here].mean()))
            shares.append(rate(int(truth[here].sum()), int(here.sum())))
            apart += abs(means[-1] - shares[-1].value) * float(here.mean())
    return Calibration(tuple(means), tuple(shares), float(((said - truth) ** 2).mean()), apart)


def standing(probability: Floats, seen: Flags, on: float, off: float) -> Flags:
    """Whether a flag stands in each round (N, T): raised at ``on``, eased below ``off``, unchanged where not seen."""
    stands = np.zeros(probability.shape, bool)
    now = np.zeros(len(probability), bool)
    for at in range(probability.shape[1]):
        fresh = (probability[:, at] >= on) | (now & (probability[:, at] >= off))
        now = np.where(seen[:, at], fresh, now)
        stands[:, at] = now
    return stands


def lead_rounds(stands: Flags, happened: Flags) -> tuple[NDArray[np.int64], int]:
    """For pupils to whom it happened, how many rounds before its first round a flag stood, without a break, up to it;
    those with none are left out. Beside them, to how many it happened at all.
    """
    hit = happened.any(axis=1)
    first = happened.argmax(axis=1)
    leads = []
    for flags, at in zip(stands[hit], first[hit], strict=True):
        run = 0
        while run < at and flags[at - 1 - run]:
            run += 1
        if run:
            leads.append(run)
    return np.array(leads, np.int64), int(hit.sum())


@dataclass(frozen=True, slots=True)
class Lead:
    """How far ahead a flag stood, in rounds, of those to whom it happened with a flag beforehand: mean and median with
    95 % intervals from ``RESAMPLED`` drawings of pupils with replacement (Efron 1979, percentiles), and quartiles.
    """

    mean: Rate
    median: Rate
    quartiles: tuple[float, float]


def lead_time(leads: NDArray[np.int64], chance: np.random.Generator) -> Lead | None:
    """What ``lead_rounds`` gave, one number a pupil, summed up; ``chance`` draws pupils. None where there is none."""
    if not len(leads):
        return None
    drawn = leads[chance.integers(0, len(leads), (RESAMPLED, len(leads)))]
    mean, median = (_resampled(float(of(leads)), of(drawn, axis=1), len(leads)) for of in (np.mean, np.median))
    low, high = map(float, np.percentile(leads, [25, 75]))
    return Lead(mean, median, (low, high))


def _resampled(value: float, drawn: Floats, of: int) -> Rate:
    low, high = map(float, np.percentile(drawn, [2.5, 97.5]))
    return Rate(value, low, high, of)
