"""What a plan is about, by its code: one end of a factor, or what a sign names; and where that finds guidance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations, product

from domain import instrument
from domain.guidance import CONTEXTS, FACTORS, POLES, Context, Place, Pole
from domain.journey.facts import FlagRaised, PlanOpened
from domain.risk import words

Cell = tuple[str, Context]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a plan is about. ``places``: where its guidance stands; ``cells``: the factors and contexts to look at again
    at the next round. ``factor``, ``pole``, ``context``: what the plan itself names, None where that is several.
    """

    code: str
    places: tuple[Place, ...]
    cells: tuple[Cell, ...]
    factor: str | None = None
    pole: Pole | None = None
    context: Context | None = None

    def shares(self, other: Aim) -> bool:
        """Whether two are about the same end or pattern, in whatever context: one plan could serve both."""
        return bool({at[:2] for at in self.places} & {at[:2] for at in other.places})


def of_code(code: str) -> Aim | None:
    """What a plan is about, from its code; None for anything else."""
    return _AIMS.get(code)


def of_sign(kind: str, factor: str | None, context: str | None, pole: str | None, reason: str = "") -> Aim | None:
    """What a sign is about; None for one about a sitting, and for one that this version does not know.

    A sign that names a factor, end and context finds that place, one that names several each of theirs; composites,
    gaps between contexts, unsettled and flat have guidance of their own. ``reason`` names the two ends of a priority.
    """
    return _AIMS.get(_code(kind, factor, context, pole, reason))


def of_ends(factor: str | None, pole: str | None, context: str | None) -> Aim | None:
    """One end of a factor, in one context or in both (None); None where that is no end."""
    return _AIMS.get(f"{factor}.{pole}.{context or 'both'}")


def of_plan(opened: PlanOpened, answers: Iterable[FlagRaised]) -> Aim | None:
    """What a plan was about: the sign it answers where it names what that names, else the end it names itself."""
    signs = (of_sign(one.kind, one.factor, one.context, one.pole, one.reason) for one in answers)
    named = (opened.factor, opened.pole, opened.context)
    found = (one for one in signs if one and (one.factor, one.pole, one.context) == named)
    return next(found, of_ends(*named))


def _code(kind: str, factor: str | None, context: str | None, pole: str | None, reason: str) -> str:
    if kind == "priority":
        return ".".join([kind, *(part for end in words.ends(reason) for part in end)])
    if kind == "context_gap":
        return f"{kind}.{factor}.{pole}"
    if kind.startswith("composite_"):
        return f"{kind}.{context}"
    return f"{factor}.{pole}.{context or 'both'}" if factor else kind


def _all() -> Iterator[Aim]:
    for factor, pole in product(FACTORS, POLES):
        both = tuple(Place(factor, pole, context) for context in CONTEXTS)
        cells = tuple((factor, context) for context in CONTEXTS)
        for at, cell in zip(both, cells, strict=True):
            yield Aim(at.code, (at,), (cell,), factor, pole, at.context)
        yield Aim(f"{factor}.{pole}.both", both, cells, factor, pole)
        yield Aim(f"context_gap.{factor}.{pole}", (Place("context_gap", pole),), cells, factor, pole)
    for one, two in permutations(product(FACTORS, POLES), 2):
        if one[0] != two[0]:
            yield _several(one, two)
    for composite, context in product(instrument.newest().composites, CONTEXTS):
        at = Place(f"composite_{composite.name}", None, context)
        yield Aim(at.code, (at,), tuple((factor, context) for factor in composite.ends), context=context)
    for kind in ("unsettled", "flat"):
        yield Aim(kind, (Place(kind),), ())


def _several(*ends: tuple[str, Pole]) -> Aim:
    places = tuple(Place(*end, context) for end in ends for context in CONTEXTS)
    cells = tuple((factor, context) for factor, _ in ends for context in CONTEXTS)
    return Aim(".".join(["priority", *(part for end in ends for part in end)]), places, cells)


_AIMS = {one.code: one for one in _all()}
