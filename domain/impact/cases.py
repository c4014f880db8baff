"""From a school's sittings, flags and plans to the cases an impact figure compares: fixed rules, set in advance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

WAIT_DAYS = 8 * 7
"""A follow-up sitting counts from eight weeks after the plan starts: before that little can have happened."""
START_DAYS = 12 * 7
"""A plan counts for a round's flag when it starts within so many days of that sitting."""
FOLLOW_DAYS_MAX = 400
"""Later than this, a sitting tells of other things."""
NONE = -1


@dataclass(frozen=True, slots=True)
class Panel:
    """Pupils x rounds. ``days``: proleptic ordinals, 0 where not sat; ``values``, ``errors``: scores and their standard
    errors, pupils x rounds x 8, NaN where none; ``adequate``: the sitting was usable; ``flagged``: that round raised an
    early sign that asks for work; ``aimed``: the scores its signs name, pupils x rounds x 8; ``year``, ``group``: year
    group and tutor group (any label; the same label in another school is another group) at the sitting.
    """

    school: Ints
    days: Ints
    values: Floats
    errors: Floats
    adequate: Flags
    flagged: Flags
    aimed: Flags
    year: Ints
    group: Ints
    middle: float = 3.5
    low: float = 2.2
    high: float = 4.8


@dataclass(frozen=True, slots=True)
class Plans:
    """One line a plan: whose (row of the panel), its first and last day, its owner, its group plan or NONE."""

    pupil: Ints
    start: Ints
    end: Ints
    owner: Ints
    together: Ints


@dataclass(frozen=True, slots=True)
class Cases:
    """One line a flagged pupil: their first flagged round in the window. Intention to treat: a plan begun is support.

    ``before``, ``after``: distance to the middle, mean over the scores that the signs named, after NaN where the pupil
    was not reassessed; ``history``, ``trend``: mean of the same over earlier rounds, and baseline less the last of them
    (NaN without); ``wide``, ``wide_history``, ``wide_trend``: the same over all eight scores; ``aims``: how many scores
    the signs named; ``cell``: of the named scores the one farthest out, with ``score_before``, ``score_after`` and
    ``error`` (of their difference). ``plan``: line of the plan, or NONE.
    """

    pupil: Ints
    round: Ints
    supported: Flags
    before: Floats
    after: Floats
    history: Floats
    trend: Floats
    wide: Floats
    wide_history: Floats
    wide_trend: Floats
    aims: Floats
    cell: Ints
    score_before: Floats
    score_after: Floats
    error: Floats
    stratum: Ints
    tutor_group: Ints
    owner: Ints
    together: Ints
    plan: Ints
    already_supported: int
    weeks: Floats

    def __len__(self) -> int:
        return len(self.pupil)

    def where(self, some: Flags) -> Cases:
        """The cases of a mask."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        kept: dict[str, Any] = {n: one[some] if isinstance(one, np.ndarray) else one for n, one in fields.items()}
        return Cases(**kept)

    @property
    def reassessed(self) -> Flags:
        """Who has a follow-up."""
        return ~np.isnan(self.after)


def cases(panel: Panel, plans: Plans, since: int, until: int) -> Cases:
    """The cases whose flagged sitting is in [since, until] (ordinals). Pupils with a plan then running are left out.

    An unsupported pupil's waiting time is counted from the day on which plans of the same school, round and year group
    began in the median, or of all, so that both arms wait alike.
    """
    eligible = panel.flagged & panel.adequate & (panel.days >= since) & (panel.days <= until)
    pupil = np.flatnonzero(eligible.any(axis=1))
    first = eligible[pupil].argmax(axis=1)
    day = panel.days[pupil, first]
    plan, running = _plan_of(plans, pupil, day, len(panel.school))
    keep = ~running
    pupil, first, day, plan = pupil[keep], first[keep], day[keep], plan[keep]
    stratum = _codes(panel.school[pupil], first, panel.year[pupil, first])
    ready = _index_day(plans, plan, day, stratum) + WAIT_DAYS
    return _lines(panel, plans, pupil, first, day, plan, stratum, ready, int(running.sum()))


def _plan_of(plans: Plans, pupil: Ints, day: Ints, pupils: int) -> tuple[Ints, Flags]:
    """For each case the first plan that starts on its day or up to START_DAYS later, and whether one was running."""
    at = np.full(pupils, NONE)
    at[pupil] = np.arange(len(pupil))
    case = at[plans.pupil]
    mine = np.flatnonzero(case != NONE)
    base = day[case[mine]]
    start, end = plans.start[mine], plans.end[mine]
    running = np.zeros(len(pupil), dtype=bool)
    running[case[mine[(start < base) & (end >= base)]]] = True
    fresh = mine[(start >= base) & (start <= base + START_DAYS)]
    fresh = fresh[np.argsort(-plans.start[fresh], kind="stable")]
    plan = np.full(len(pupil), NONE)
    plan[case[fresh]] = fresh
    return plan, running


def _index_day(plans: Plans, plan: Ints, day: Ints, stratum: Ints) -> Ints:
    """The day waiting starts: the plan's own, or that many days after the sitting as plans here took in the median."""
    supported = plan != NONE
    if not supported.any():
        return day
    own = plans.start[plan] - day
    typical = np.full(stratum.max() + 1, int(np.median(own[supported])))
    order = np.lexsort((own[supported], stratum[supported]))
    codes, delays = stratum[supported][order], own[supported][order]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    sizes = np.diff(np.r_[starts, len(codes)])
    typical[codes[starts]] = delays[starts + (sizes - 1) // 2]
    return day + np.where(supported, own, typical[stratum])


def _lines(
    panel: Panel,
    plans: Plans,
    pupil: Ints,
    first: Ints,
    day: Ints,
    plan: Ints,
    stratum: Ints,
    ready: Ints,
    already: int,
) -> Cases:
    days, sat = panel.days[pupil], panel.adequate[pupil]
    aim = _aim(panel, pupil, first)
    after = sat & (days >= ready[:, None]) & (days <= day[:, None] + FOLLOW_DAYS_MAX)
    follow = np.where(after.any(axis=1), np.where(after, days, np.iinfo(np.int64).max).argmin(axis=1), NONE)
    n = np.arange(len(pupil))
    base = panel.values[pupil, first]
    then = np.where((follow != NONE)[:, None], panel.values[pupil, follow], np.nan)
    out = np.where(aim & ~np.isnan(base), np.abs(base - panel.middle), -1.0)
    cell = out.argmax(axis=1)
    e1, e2 = panel.errors[pupil, first, cell], panel.errors[pupil, follow, cell]
    before = _distance(panel, base, aim)
    earlier, every = sat & (days < day[:, None]) & (days > 0), np.ones_like(aim)
    history, last = _history(panel, pupil, days, earlier, aim)
    wide, (wide_history, wide_last) = _distance(panel, base, every), _history(panel, pupil, days, earlier, every)
    supported = plan != NONE
    return Cases(
        pupil=pupil, round=first, supported=supported, before=before, after=_distance(panel, then, aim),
        history=history, trend=before - last, wide=wide, wide_history=wide_history, wide_trend=wide - wide_last,
        aims=aim.sum(axis=1).astype(float), cell=cell, score_before=base[n, cell], score_after=then[n, cell],
        error=np.hypot(e1, e2), stratum=stratum, tutor_group=_codes(panel.school[pupil], panel.group[pupil, first]),
        owner=np.where(supported, plans.owner[plan], -2 - n) if len(plans.owner) else -2 - n,
        together=_together(plans, plan, n), plan=plan, already_supported=already,
        weeks=np.where(follow != NONE, (days[n, follow] - day) / 7, np.nan),
    )  # fmt: skip


def _aim(panel: Panel, pupil: Ints, first: Ints) -> Flags:
    """The scores signs named; where they named none, those at a pole; where none is, all eight."""
    named = panel.aimed[pupil, first]
    base = panel.values[pupil, first]
    polar = np.logical_or(base <= panel.low, base >= panel.high)
    aim = np.where(named.sum(axis=1, keepdims=True) > 0, named, polar)
    return np.where(aim.sum(axis=1, keepdims=True) > 0, aim, True)


def _distance(panel: Panel, values: Floats, aim: Flags) -> Floats:
    """Mean distance to the middle over the aimed scores that are there; NaN where none is."""
    there = aim & ~np.isnan(values)
    total = np.where(there, np.abs(values - panel.middle), 0.0).sum(axis=-1)
    count = there.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _history(panel: Panel, pupil: Ints, days: Ints, earlier: Flags, aim: Flags) -> tuple[Floats, Floats]:
    """Mean distance over earlier adequate rounds, and the last of them; NaN without any."""
    case, round_ = np.nonzero(earlier)
    distance = _distance(panel, panel.values[pupil[case], round_], aim[case])
    known = ~np.isnan(distance)
    case, round_, distance = case[known], round_[known], distance[known]
    count = np.bincount(case, minlength=len(pupil))
    total = np.bincount(case, weights=distance, minlength=len(pupil))
    last = np.full(len(pupil), np.nan)
    order = np.lexsort((days[case, round_], case))
    last[case[order]] = distance[order]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), last


def _together(plans: Plans, plan: Ints, n: Ints) -> Ints:
    """The group plan; a pupil without one is a cluster of their own."""
    if not len(plans.together):
        return -2 - n
    group = np.where(plan != NONE, plans.together[plan], NONE)
    return np.where(group != NONE, group, -2 - n)


def _codes(*columns: Ints) -> Ints:
    """One small whole number for each distinct combination."""
    joined = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        index = np.unique(column, return_inverse=True)[1]
        joined = np.unique(joined * (int(index.max(initial=0)) + 1) + index, return_inverse=True)[1]
    return joined.astype(np.int64)
