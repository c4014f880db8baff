"""How right have we been? What staff made of early signs, what came to pass, and whether groups fare alike."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import fairness
from astrack.newest import Newest
from astrack.web.door import PageRoute, Who
from astrack.web.lists import reading
from astrack.web.site import Site
from domain.authority import Action
from domain.fairness import CELL_LEAST
from domain.truth import Figure
from projections import truth
from projections.truth import AFTER_ROUNDS

ITEMS: Newest[UUID, fairness.Items] = Newest(20)
"""The comparison of items of some schools, with the size of the log it is of: aggregates alone."""
RIGHT: Newest[UUID, tuple[truth.Right, list[fairness.Rate]]] = Newest(20)
"""The figures of the page, with the size of the log and the day they are of."""


def truth_pages(site: Site) -> APIRouter:
    """The head's and lead's page: aggregates alone."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/truth")
    def right(request: Request, who: Who) -> Response:
        who.see(Action.SEE_AGGREGATES)
        found, rates = RIGHT.of(who.records.school_id, (who.records.log.size(), who.today), lambda: _right(who))
        return site.page(
            request, "truth.html", viewer=who.viewer, found=found, rounds=AFTER_ROUNDS, smallest=CELL_LEAST,
            staff=[_share("Staff agree", "flags reviewed", found.staff.agreed),
                   _share("New to us", "flags staff agreed with", found.staff.new)],
            figures=[_share("Followed by an outcome (PPV)", "pupils flagged and followed up", found.truth.ppv),
                     _share("Outcomes that were flagged (sensitivity)", "pupils with one", found.truth.sensitivity),
                     _share("No outcome and no flag (specificity)", "pupils without one", found.truth.specificity)],
            rates=rates,
        )  # fmt: skip

    @router.get("/truth/items")
    def items(request: Request, who: Who) -> Response:
        who.see(Action.SEE_AGGREGATES)
        return site.page(request, "truth_items.html", viewer=who.viewer, found=_items(who))

    return router


def _right(who: Who) -> tuple[truth.Right, list[fairness.Rate]]:
    with reading(who) as (cur, school):
        return truth.right(cur, school, who.today), fairness.flag_rates(who.app, school)


def _items(who: Who) -> fairness.Items:
    school_id = who.records.school_id
    return ITEMS.of(school_id, who.records.log.size(), lambda: fairness.items(who.app, school_id))


@dataclass(frozen=True, slots=True)
class Share:
    """A figure in per cent with its 95 % interval, or why there is none yet."""

    name: str
    shown: bool
    best: int
    low: int
    high: int
    why: str


def _share(name: str, of: str, figure: Figure) -> Share:
    if figure.value is None or figure.low is None or figure.high is None:
        why = "; ".join(f"{one.counted} {one.of}, and {one.needed} are needed" for one in figure.lacks)
        why = f"Not enough yet: {why}."
        return Share(name, False, 0, 0, 0, why)
    best, low, high = (round(100 * one) for one in (figure.value, figure.low, figure.high))
    return Share(name, True, best, low, high, f"{figure.counted} {of}")
