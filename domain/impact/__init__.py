"""Did support help? One primary estimate fixed in advance, and beside it everything that keeps it honest.

Primary: baseline-adjusted analysis of covariance on the raw follow-up distance to the middle (first adequate sitting
eight weeks or more after the plan starts), supported against unsupported flagged pupils of the same school, round and
year group, errors clustered by tutor group, plan owner and group plan. Change is never computed from filtered levels
or flag states: both contain the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.impact import ancova as impact_ancova
from domain.impact import classes as impact_classes
from domain.impact.cases import Cases, Panel, Plans, cases
from domain.impact.classes import Paired, Retest, Share, counted, expected_improvement, paired, retest, share
from domain.small import SMALLEST, hidden
from domain.statistics import newcombe

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
LEAST_ARM = 10
"""Fewer reassessed pupils in an arm than this give no estimate at all."""
METHOD = "astrack-impact-1"
"""Names the rules above; another rule is another name, so that a figure always says how it was made."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How much nearer the middle supported pupils were at follow-up, in scale points; positive is nearer.

    ``sd``: the same in standard deviations of all scores; ``clusters``: tutor groups, owners, group plans (a pupil
    without an owner or group plan counts as one); ``df``: effective clusters less one.
    """

    nearer: float
    low: float
    high: float
    sd: float
    df: float
    supported: int
    unsupported: int
    strata: int
    clusters: tuple[int, ...]

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Hidden:
    """How strong a reason the record does not show must be (Cinelli and Hazlett 2020).

    ``whole``: the share of what is left of both support and outcome that it must explain to take the whole effect,
    ``interval``: to let the interval take in zero (0 where it does); ``recorded_outcome``, ``recorded_support``: the
    shares that all that was recorded beforehand explains; ``moved``: how far a reason as strong as that can move the
    effect, in scale points.
    """

    whole: float
    interval: float
    recorded_outcome: float
    recorded_support: float
    moved: float


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: how many were flagged, how many reassessed, their mean distances, each class, and what doing nothing
    would look like (``null``: the expected share of any improvement; NaN where unknown).
    """

    flagged: int
    reassessed: Share
    before: float
    after: float
    classes: Mapping[str, Share]
    null: float


@dataclass(frozen=True, slots=True)
class Subgroup:
    """A part of the cases. ``shown`` False: every number is None, whatever it was."""

    dimension: str
    name: str
    shown: bool
    supported: Share | None
    unsupported: Share | None
    difference: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Impact:
    """Everything an impact figure needs beside it. None where there are too few pupils to say."""

    method: str
    since: int
    until: int
    primary: Estimate | None
    hidden: Hidden | None
    supported: Arm
    unsupported: Arm
    difference: tuple[float, float, float] | None
    worst_case: tuple[float, float] | None
    pairs: Paired | None
    biased_change: Estimate | None
    already_supported: int
    median_weeks: float
    subgroups: tuple[Subgroup, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether both arms are large enough to be drawn."""
        return min(one.classes["any_improvement"].of for one in (self.supported, self.unsupported)) >= SMALLEST


def assess(
    panel: Panel, plans: Plans, since: int, until: int, parts: Mapping[str, Mapping[str, Flags]] | None = None
) -> Impact:
    """The whole answer for flagged sittings in [since, until] (proleptic ordinals).

    ``parts``: dimension -> name -> mask over the panel's pupils ("year", "house", "kind of sign"); signposts and other
    parts of plans are for ``of_plans``.
    """
    return judged(panel, cases(panel, plans, since, until), since, until, parts)


def judged(
    panel: Panel, found: Cases, since: int, until: int, parts: Mapping[str, Mapping[str, Flags]] | None = None
) -> Impact:
    """The same of cases that are found already."""
    classed = impact_classes.classes(panel, found)
    spread = spread_of(panel)
    estimate, hidden = primary(found, spread)
    known = retest(panel)
    arms = [_arm(panel, found, classed, known, found.supported == which) for which in (True, False)]
    return Impact(
        METHOD, since, until, estimate, hidden, arms[0], arms[1], _difference(arms[0], arms[1]),
        _worst_case(arms[0], arms[1]), paired(panel, found), change_compared(found, spread), found.already_supported,
        float(np.nanmedian(found.weeks)) if found.reassessed.any() else math.nan,
        tuple(_subgroups(found, classed, parts or {})),
    )  # fmt: skip


def primary(found: Cases, spread: float) -> tuple[Estimate | None, Hidden | None]:
    """The estimate fixed in advance, and how strong a hidden cause would have to be. None with too few pupils.

    ``spread``: what ``spread_of`` gives.
    """
    some = comparable(found)
    if not _enough(some):
        return None, None
    return _estimated(some, some.after, covariates(some), spread)


def covariates(some: Cases) -> Floats:
    """What was on record before support was chosen, over the scores that signs named and over all eight: baseline,
    earlier mean, trend; how many scores were named; the baseline's square, as distances bend near the middle.
    """
    known = ~np.isnan(some.history) & ~np.isnan(some.wide_history)
    now = some.before - some.before.mean()
    past = [some.history - some.before, some.trend, some.wide_history - some.wide, some.wide_trend]
    earlier = [np.where(known, one, 0.0) for one in past]
    return np.column_stack([now, now**2, some.wide, some.aims, known.astype(float), *earlier])


def change_compared(found: Cases, spread: float) -> Estimate | None:
    """Difference in differences: shown because it is asked for, and marked as biased wherever pupils were selected."""
    some = comparable(found)
    if not _enough(some):
        return None
    return _estimated(some, some.after - some.before, np.empty((len(some), 0)), spread)[0]


def comparable(found: Cases) -> Cases:
    """Reassessed cases of strata in which both arms are."""
    some = found.where(found.reassessed & ~np.isnan(found.before))
    if not len(some):
        return some
    top = int(some.stratum.max()) + 1
    treated = np.bincount(some.stratum, weights=some.supported, minlength=top)
    size = np.bincount(some.stratum, minlength=top)
    return some.where(((treated > 0) & (treated < size))[some.stratum])


def _enough(some: Cases) -> bool:
    treated = int(some.supported.sum())
    return min(treated, len(some) - treated) >= LEAST_ARM


def _estimated(some: Cases, outcome: Floats, z: Floats, spread: float) -> tuple[Estimate | None, Hidden | None]:
    ways = (some.tutor_group, some.owner, some.together)
    fitted = impact_ancova.fit(outcome, some.supported.astype(float), z, some.stratum, ways)
    if fitted is None:
        return None, None
    low, high = fitted.interval()
    treated = int(some.supported.sum())
    estimate = Estimate(
        -fitted.effect, -high, -low, -fitted.effect / spread if spread > 0 else 0.0, fitted.df, treated,
        len(some) - treated, len(np.unique(some.stratum)), fitted.clusters,
    )  # fmt: skip
    ry, rx, df = fitted.share_y, fitted.share_x, fitted.residual_df
    return estimate, Hidden(
        impact_ancova.robustness(fitted.t, df), impact_ancova.robustness_interval(fitted.t, df), ry, rx,
        impact_ancova.bias(fitted.t, df, fitted.se, ry, rx),
    )  # fmt: skip


def spread_of(panel: Panel) -> float:
    """The standard deviation of all scores of each pupil's first round."""
    first = panel.values[np.arange(len(panel.school)), panel.adequate.argmax(axis=1)]
    return float(np.nanstd(first)) if first.size and not np.isnan(first).all() else 0.0


def _arm(panel: Panel, found: Cases, classed: NDArray[np.int64], known: Retest | None, mine: Flags) -> Arm:
    some = found.where(mine)
    seen = some.reassessed
    before, after = some.before[seen], some.after[seen]
    return Arm(
        len(some), share(int(seen.sum()), len(some)), float(before.mean()) if len(before) else math.nan,
        float(after.mean()) if len(after) else math.nan, counted(classed[mine]),
        expected_improvement(panel, some.where(seen), known) if known else math.nan,
    )  # fmt: skip


def _difference(one: Arm, other: Arm) -> tuple[float, float, float] | None:
    a, b = one.classes["any_improvement"], other.classes["any_improvement"]
    return newcombe(a.count, a.of, b.count, b.of) if min(a.of, b.of) >= LEAST_ARM else None


def _worst_case(one: Arm, other: Arm) -> tuple[float, float] | None:
    """The difference of the shares that improved, were all who are missing on the worse, or the better, side."""
    if not one.flagged or not other.flagged:
        return None
    a, b = one.classes["any_improvement"], other.classes["any_improvement"]
    missing_a, missing_b = one.flagged - a.of, other.flagged - b.of
    low = a.count / one.flagged - (b.count + missing_b) / other.flagged
    high = (a.count + missing_a) / one.flagged - b.count / other.flagged
    return low, high


def _subgroups(found: Cases, classed: NDArray[np.int64], parts: Mapping[str, Mapping[str, Flags]]) -> list[Subgroup]:
    return [
        one
        for dimension, members in parts.items()
        for one in _parted(found, classed, dimension, {name: mask[found.pupil] for name, mask in members.items()})
    ]


def of_plans(found: Cases, classed: NDArray[np.int64], dimension: str, plans: Mapping[str, Flags]) -> list[Subgroup]:
    """Parts of the supported by their plan (a signpost, a tier): masks over plans, each against all unsupported."""
    # NONE is the last line, also where no plan has begun
    own = {name: np.append(mask, False)[found.plan] for name, mask in plans.items()}
    return _parted(found, classed, dimension, {name: mask | ~found.supported for name, mask in own.items()})


def _parted(found: Cases, classed: NDArray[np.int64], dimension: str, members: Mapping[str, Flags]) -> list[Subgroup]:
    made = []
    for name in sorted(members):
        arms = [_improved(classed[members[name] & (found.supported == which)]) for which in (True, False)]
        made.append((name, arms[0], arms[1]))
    everyone = [_improved(classed[found.supported == which]).of for which in (True, False)]
    sizes = {name: (a.of, b.of) for name, a, b in made}
    gone = hidden(sizes, [of - sum(arm) for of, arm in zip(everyone, zip(*sizes.values(), strict=True), strict=False)])
    return [
        Subgroup(dimension, name, False, None, None, None)
        if name in gone
        else Subgroup(dimension, name, True, a, b, newcombe(a.count, a.of, b.count, b.of))
        for name, a, b in made
    ]


def _improved(classed: NDArray[np.int64]) -> Share:
    return share(int(((classed == 0) | (classed == 1)).sum()), int((classed >= 0).sum()))
