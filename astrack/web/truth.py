"""How right have we been? What staff made of early signs, what came to pass, and whether groups fare alike."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import fairness
from astrack.access.callers import Caller
from astrack.newest import Newest
from astrack.picture import IN_WORDS, NAMES
from astrack.questions import questions
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.lists import reading
from astrack.web.site import Site, see_other
from domain.authority import Action
from domain.background import WATCHABLE
from domain.fairness import CELL_LEAST, DIF_LEAST
from domain.scoring.reliability import PUPILS_LEAST
from domain.truth import Figure
from projections import truth
from projections.truth import AFTER_ROUNDS

RIGHT: Newest[UUID, tuple[truth.Right, list[fairness.Rate]]] = Newest(20)
"""The figures of the page, with the size of the log and the day they are of."""

BACKGROUNDS = {
    "sen": "Special educational needs (SEN)",
    "eal": "English as an additional language (EAL)",
    "fsm": "Free school meals (FSM)",
    "ethnicity": "Ethnicity, in five broad groups",
}


def truth_pages(site: Site) -> APIRouter:
    """The head's and lead's page: aggregates alone."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/truth")
    def right(request: Request, who: Who) -> Response:
        return _page(site, request, who)

    @router.post("/truth/backgrounds")
    def watch(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.WATCH_BACKGROUNDS)
        watched = [name for name in WATCHABLE if name in sent.many("watched")]
        try:
            who.records.watch_backgrounds(sent.ask(who), watched, sent.text("purpose", 500))
        except REFUSALS as refused:
            return _page(site, request, who, sent, refused)
        return see_other("/truth", "backgrounds-watched" if watched else "backgrounds-unwatched")

    @router.get("/truth/items")
    def items(request: Request, who: Who) -> Response:
        who.see(Action.SEE_AGGREGATES)
        found = questions(who.app, who.records.school_id)
        return site.page(
            request, "truth_items.html", viewer=who.viewer, found=found.items, needed=DIF_LEAST,
            scales=found.scales, pupils_least=PUPILS_LEAST, names=NAMES, places=IN_WORDS,
        )  # fmt: skip

    return router


def _page(
    site: Site, request: Request, who: Caller, typed: Form | None = None, refused: Exception | None = None
) -> Response:
    who.see(Action.SEE_AGGREGATES)
    found, rates = RIGHT.of(who.records.school_id, (who.records.log.size(), who.today), lambda: _right(who))
    school = who.records.school_state()
    return site.page(
        request, "truth.html", status=status_of(refused) if refused else 200, viewer=who.viewer, found=found,
        rounds=AFTER_ROUNDS, smallest=CELL_LEAST, rates=rates,
        staff=[_share("Staff agree", "flags reviewed", found.staff.agreed),
               _share("New to us", "flags staff agreed with", found.staff.new)],
        figures=[_share("Followed by an outcome (PPV)", "pupils flagged and followed up", found.truth.ppv),
                 _share("Outcomes that were flagged (sensitivity)", "pupils with one", found.truth.sensitivity),
                 _share("No outcome and no flag (specificity)", "pupils without one", found.truth.specificity)],
        may_watch=who.can(Action.WATCH_BACKGROUNDS), fields=BACKGROUNDS,
        watched=typed.many("watched") if typed else school.watched, typed=typed or Form(),
        purpose=school.backgrounds.purpose if school.backgrounds else "",
        error=said(refused) if refused else "", error_at="purpose",
    )  # fmt: skip


def _right(who: Caller) -> tuple[truth.Right, list[fairness.Rate]]:
    with reading(who) as (cur, school):
        return truth.right(cur, school, who.today), fairness.flag_rates(who.app, school)


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
