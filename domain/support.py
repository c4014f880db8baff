"""Support in a school: what helped before, with numbers; one plan for several; reminders that give nothing away."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from domain import instrument
from domain.base import DomainError
from domain.change import Class, classify
from domain.guidance import Context, Signpost, Suggestions
from domain.guidance.aims import Cell
from domain.impact.cases import WAIT_DAYS
from domain.journey.facts import PlanOpened
from domain.journey.state import Sat
from domain.statistics import wilson

SIMILAR_LEAST = 5
"""Fewer plans than this tell nothing about what helps; the number stays off the page."""
DECISIONS_MAX = 12
GROUP_MAX = 12
HELPED, ENDED = frozenset({"helped", "helped_partly"}), frozenset({"helped", "helped_partly", "did_not_help"})


class GroupTooSmall(DomainError):
    """A group plan is for two pupils or more, and for no more than adults can see at once."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One plan that ended: what it aimed at, its signposts, and what came of it. ``own``: of this same pupil."""

    factor: str | None
    pole: str | None
    context: str | None
    signposts: tuple[str, ...]
    came: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class Suggested:
    """A signpost with why it is suggested. ``own``, ``similar``: (helped, tried) for this pupil, and for others' plans
    at the same end of the same factor here, None where fewer than five; ``interval`` of the latter (Wilson).
    """

    signpost: Signpost
    own: tuple[int, int]
    similar: tuple[int, int] | None
    interval: tuple[float, float] | None

    @property
    def because(self) -> str:
        """The reason in a sentence; "" where there is none yet."""
        parts = []
        if self.own[1]:
            parts.append(f"tried {_times(self.own[1])} with this pupil, said to have helped {_times(self.own[0])}")
        if self.similar and self.interval:
            low, high = self.interval
            parts.append(
                f"said to have helped in {self.similar[0]} of {self.similar[1]} similar plans here"
                f" (interval {low:.0%} to {high:.0%}; owners' view, no comparison)"
            )
        return "; ".join(parts)


def suggested(fit: Suggestions, tried: Iterable[Tried], factor: str | None, pole: str | None) -> list[Suggested]:
    """The signposts of a place, best first: what helped this pupil, then the lower bound of similar plans, then the
    library's order. What was tried with this pupil and never helped comes last.
    """
    own, similar = _counts(tried, factor, pole)
    made = [_one(signpost, own, similar) for signpost in fit.signposts]
    return sorted(made, key=_rank)


def _counts(
    tried: Iterable[Tried], factor: str | None, pole: str | None
) -> tuple[Counter[tuple[str, bool]], Counter[tuple[str, bool]]]:
    own: Counter[tuple[str, bool]] = Counter()
    similar: Counter[tuple[str, bool]] = Counter()
    for one in tried:
        if one.factor == factor and one.pole == pole and one.came in ENDED:
            (own if one.own else similar).update((code, one.came in HELPED) for code in one.signposts)
    return own, similar


def _one(signpost: Signpost, own: Counter[tuple[str, bool]], similar: Counter[tuple[str, bool]]) -> Suggested:
    def of(counts: Counter[tuple[str, bool]]) -> tuple[int, int]:
        helped = counts[(signpost.id, True)]
        return helped, helped + counts[(signpost.id, False)]

    found = of(similar)
    enough = found[1] >= SIMILAR_LEAST
    return Suggested(signpost, of(own), found if enough else None, wilson(*found) if enough else None)


def _rank(one: Suggested) -> tuple[int, float]:
    helped, tried = one.own
    mine = -1 if helped else (1 if tried else 0)
    return mine, -(one.interval[0] if one.interval else 0.0)


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")


def for_group(
    plan: Mapping[str, Any], pupils: Sequence[UUID], flags: Mapping[UUID, tuple[UUID, ...]], group_plan_id: UUID
) -> dict[UUID, dict[str, Any]]:
    """One group plan as each pupil's own: same steps, own flags, one group plan id, and a plan id of their own that
    follows from it, so that sent twice it is the same plan. Raises GroupTooSmall.
    """
    members = list(dict.fromkeys(pupils))
    if not 2 <= len(members) <= GROUP_MAX:
        raise GroupTooSmall(f"a group plan is for 2 to {GROUP_MAX} pupils, not {len(members)}: choose again")
    shared = {**plan, "kind": "group", "group_plan_id": group_plan_id}
    return {
        pupil: {**shared, "plan_id": uuid5(group_plan_id, str(pupil)), "flags": flags.get(pupil, ())}
        for pupil in members
    }


@dataclass(frozen=True, slots=True)
class Since:
    """What became of one score a plan aimed at, from the last adequate sitting before it to the first one that counts
    after it, as answered; ``error``: the standard error of the difference; ``came``: the class of change.
    """

    factor: str
    context: Context
    before: float
    before_on: date
    after: float
    after_on: date
    error: float
    came: Class


def since_plan(sittings: Sequence[Sat], plan: PlanOpened, cells: Iterable[Cell]) -> list[Since]:
    """The change since a plan began, a line for each factor and context; none while there is no such sitting.

    A sitting counts from eight weeks after the start, as in the impact report, beside the last one before to the same
    instrument, by which both are read. Levels from the filter are not used: they contain the baseline (shared field
    guide, section 3).
    """
    usable = [one for one in sittings if one.usable and _installed(one)]
    before = {one.instrument: one for one in usable if one.on <= plan.start_on}
    now = next((one for one in usable if one.on >= counts_from(plan) and one.instrument in before), None)
    made = [_since(before[now.instrument], now, *cell) for cell in cells] if now else []
    return [one for one in made if one is not None]


def _installed(sat: Sat) -> bool:
    return sat.instrument is None or sat.instrument[1] in instrument.available().get(sat.instrument[0], ())


def counts_from(plan: PlanOpened) -> date:
    """The first day on which a sitting tells what became of a plan."""
    return plan.start_on + timedelta(days=WAIT_DAYS)


def _since(then: Sat, now: Sat, factor: str, context: Context) -> Since | None:
    cell = instrument.PLACES[context, factor]
    one, two, e_one, e_two = then.values[cell], now.values[cell], then.errors[cell], now.errors[cell]
    if one is None or two is None or e_one is None or e_two is None:
        return None
    on = instrument.load(*now.instrument) if now.instrument else instrument.newest()
    error = math.hypot(e_one, e_two)
    came = classify(one, two, error, on.scale.middle, on.poles.low, on.poles.high)
    return Since(factor, context, one, then.on, two, now.on, error, came)


def reminder(due: int, overdue: int) -> str | None:
    """What an e-mail or a banner may say: how many, never who or what. None where nothing is due."""
    if not due and not overdue:
        return None
    count, late = due + overdue, f", {overdue} of them overdue" if overdue else ""
    return f"{count} of your plans {'is' if count == 1 else 'are'} due for a look{late}. Sign in to see which."


def decisions(plan: Mapping[str, Any], prefilled: Iterable[str]) -> int:
    """How many decisions writing a plan took: each thing chosen or written that the form had not filled in already."""
    filled = set(prefilled)
    lists = ("causes", "risks", "signposts", "own_strategies", "flags")
    many = sum(len(plan.get(name, ())) for name in lists if name not in filled)
    asked = ("goal", "factor", "owner_id", "start_on", "end_on", "monitoring", "tier")
    return many + sum(1 for name in asked if name in plan and name not in filled)
