"""My pupils by need, all my pupils, plans that run, wishes to talk: lists within what the viewer may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from psycopg import Cursor
from starlette.responses import Response

from astrack import looking
from astrack.access.callers import Caller
from astrack.looking import Look
from astrack.picture import CONTEXTS, FACTORS, IN_WORDS, NAMES, long_day
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.reading import Spark, scale_of, spark
from astrack.web.site import Site, see_other
from astrack.web.story import claim_sentence
from astrack.web.talks import escalate_waiting
from domain.authority import Action
from domain.instrument import CELLS
from domain.scope import Scope
from domain.support import reminder
from projections import plan_board, pupils, risk_register
from projections.risk_register import Line

A_LIST, ALL_PAGE, PLANS_SHOWN = 30, 200, 120
DIMENSIONS_SHOWN, NAMES_SHOWN = 4, 60


def list_pages(site: Site) -> APIRouter:
    """The lists a member of staff starts from."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/pupils")
    def by_need(request: Request, who: Who) -> Response:
        scope = named(who, Action.SEE_STORY)
        chosen = _chosen(request)
        with reading(who) as (cur, school):
            groups = pupils.dimensions(cur, school, scope)
            narrow = narrowed(scope, chosen)
            asked = looking.listed(who, cur, school, narrow)
            due = risk_register.due(cur, school, narrow, who.today, A_LIST)
            better = risk_register.better(cur, school, narrow, who.today, A_LIST)
            left_out = pupils.left_out(cur, school, narrow)
        new = [_new(line, look) for line, look in asked.pupils]
        # somebody with a sign to look at is not getting better: nor is, to the eye, somebody who was drawn
        hidden = asked.drawn | {row.id for row in new}
        better = [one for one in better if one.pupil.pupil_id not in hidden]
        looked = {*(one.id for one in new), *(one.pupil.pupil_id for one in (*due, *better))}
        looked |= {one.pupil_id for one in left_out}
        who.looked(Action.SEE_STORY, list(looked))
        return site.page(
            request, "pupils.html", viewer=who.viewer, filters=_filters(groups, chosen), chosen=chosen,
            count=_on_roll(groups), new=new, waiting=asked.more,
            due=[_due(one, who.today) for one in due], better=[_better(one) for one in better],
            left_out=left_out,
        )  # fmt: skip

    @router.get("/pupils/all")
    def everybody(request: Request, who: Who, q: str = "", after: str = "") -> Response:
        scope = who.listed(Action.SEE_NAME)
        with reading(who) as (cur, school):
            found = pupils.listed(cur, school, scope, search=q[:60], after=_after(after), limit=ALL_PAGE + 1)
        who.looked(Action.SEE_NAME, [one.pupil_id for one in found[:ALL_PAGE]])
        last = found[ALL_PAGE - 1] if len(found) > ALL_PAGE else None
        return site.page(
            request, "everybody.html", viewer=who.viewer, found=found[:ALL_PAGE], q=q[:60], groups=pupils.groups_of,
            following=f"{last.surname}|{last.called}|{last.pupil_id}" if last else "",
        )  # fmt: skip

    @router.get("/plans")
    def plans(request: Request, who: Who) -> Response:
        scope = named(who, Action.SEE_PLANS)
        with reading(who) as (cur, school):
            running = plan_board.running(cur, school, scope, who.today, limit=PLANS_SHOWN)
            ended = plan_board.ended(cur, school, scope, who.today, limit=A_LIST)
            due = plan_board.waiting(cur, school, who.today).get(who.viewer.id, (0, 0))
        who.looked(Action.SEE_PLANS, list({one.pupil.pupil_id for one in (*running, *ended)}))
        return site.page(request, "plans.html", viewer=who.viewer, running=running, ended=ended, names=NAMES,
                         reminder=reminder(*due), may_guidance=who.can(Action.SEE_GUIDANCE))  # fmt: skip

    _talk_pages(site, router)
    return router


def _talk_pages(site: Site, router: APIRouter) -> None:
    @router.get("/talks")
    def talks(request: Request, who: Who) -> Response:
        scope = named(who, Action.TAKE_UP_TALK)
        escalate_waiting(who.app, who.records.school_id)
        with reading(who) as (cur, school):
            waiting = risk_register.wishes_to_talk(cur, school, scope, A_LIST)
        who.looked(Action.TAKE_UP_TALK, [one.pupil.pupil_id for one in waiting])
        rows = [(one.pupil, key, talk) for one in waiting for key, talk in one.risk.talks.items()]
        return site.page(request, "talks.html", viewer=who.viewer, rows=rows, day=date.fromisoformat)

    @router.post("/talks/{pupil_id}/{talk_id}")
    def take_up(who: Who, sent: Sent, pupil_id: UUID, talk_id: UUID) -> Response:
        who.may(Action.TAKE_UP_TALK, pupil_id)
        who.records.take_up_talk(who.ask(sent.key), pupil_id, talk_id=talk_id)
        return see_other("/talks", "talk-taken-up")


@contextmanager
def reading(who: Caller) -> Iterator[tuple[Cursor[Any], UUID]]:
    """The school's read models, caught up: a cursor and the school's id."""
    school_id = who.records.school_id
    who.app.views.catch_up(school_id)
    with who.app.views.reading(school_id) as cur:
        yield cur, school_id


def named(who: Caller, action: Action) -> Scope:
    """The scope of a list that shows names: only for who may see both. Raises NotAllowed."""
    who.listed(Action.SEE_NAME)
    return who.listed(action)


def narrowed(scope: Scope, chosen: Mapping[str, str]) -> Scope:
    """What is in both: the viewer's scope, and what a filter asks for; never more than the scope."""
    if not chosen:
        return scope
    dimensions = {} if scope.everyone else dict(scope.dimensions)
    if not scope.everyone and not dimensions:
        return Scope()
    for dimension, name in chosen.items():
        allowed = dimensions.get(dimension, frozenset({name}))
        if name not in allowed:
            return Scope()
        dimensions[dimension] = frozenset({name})
    return Scope(dimensions=dimensions)


def _chosen(request: Request) -> dict[str, str]:
    pairs = [(key.removeprefix("f."), value) for key, value in request.query_params.items() if key.startswith("f.")]
    return {dimension[:80]: name[:80] for dimension, name in pairs[:DIMENSIONS_SHOWN] if name}


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: a dimension and its names with how many pupils each has."""

    dimension: str
    names: list[tuple[str, int]]
    chosen: str


def _filters(groups: Mapping[str, Mapping[str, int]], chosen: Mapping[str, str]) -> list[Filter]:
    order = sorted(groups, key=lambda one: (one != "year", one))
    worth = [one for one in order if len(groups[one]) > 1][:DIMENSIONS_SHOWN]
    return [Filter(one, _in_order(groups[one])[:NAMES_SHOWN], chosen.get(one, "")) for one in worth]


def _in_order(names: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(
        names.items(), key=lambda one: (not one[0].isdecimal(), int(one[0]) if one[0].isdecimal() else 0, one[0])
    )


def _on_roll(groups: Mapping[str, Mapping[str, int]]) -> int:
    return sum(groups.get("year", {}).values())


def _after(text: str) -> tuple[str, str, UUID] | None:
    parts = text[:300].split("|")
    try:
        return (parts[0], parts[1], UUID(parts[2]))
    except (IndexError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class ListRow:
    """One pupil on a list: who, one sentence, a sparkline, one action; ``late`` marks an overdue duty, ``behind`` that
    the list has yet to take something of this pupil.
    """

    id: UUID
    name: str
    said: str
    spark: Spark | None
    href: str
    act: str
    late: bool = False
    behind: bool = False


def _new(line: Line, look: Look) -> ListRow:
    pupil_id, said = line.pupil.pupil_id, claim_sentence(look.said, line.pupil.called)
    spark = _spark(line, *_place(line, look))
    return ListRow(pupil_id, line.pupil.name, said, spark, f"/pupils/{pupil_id}", "Review", behind=line.behind)


def _place(line: Line, look: Look) -> tuple[str | None, str | None]:
    """Which line to draw: the one that is told of, else the one that lay furthest from the middle last."""
    values = line.risk.recent[-1]["values"] if line.risk.recent else []
    if look.factor or not any(value is not None for value in values):
        return look.factor, look.context
    middle = (scale_of().low + scale_of().high) / 2
    context, factor = CELLS[max(range(len(values)), key=lambda at: abs((values[at] or middle) - middle))]
    return factor, context


def _due(line: Line, today: date) -> ListRow:
    plan_id, plan = min(line.risk.plans.items(), key=lambda one: one[1]["due_on"])
    due = date.fromisoformat(plan["due_on"])
    said = f"{plan['goal']}. {'Look was due' if due < today else 'Next look'} {long_day(due)}."
    href = f"/pupils/{line.pupil.pupil_id}/plans/{plan_id}"
    return ListRow(
        line.pupil.pupil_id, line.pupil.name, said, _spark(line, plan["factor"], None), href, "Look in", due < today,
        line.behind,
    )  # fmt: skip


def _better(line: Line) -> ListRow:
    what, _, rest = line.risk.better.partition(": ")
    factor = rest.split(" ")[-1]
    said = {
        "eased": f"An early sign has eased{' (' + NAMES[factor].lower() + ')' if factor in NAMES else ''}.",
        "plan helped": f"A plan helped: {rest}.",
        "plan helped_partly": f"A plan helped in part: {rest}.",
    }.get(what, line.risk.better)
    pupil_id = line.pupil.pupil_id
    return ListRow(
        pupil_id, line.pupil.name, said, _spark(line, factor, None), f"/pupils/{pupil_id}", "See the story",
        behind=line.behind,
    )  # fmt: skip


def _spark(line: Line, factor: str | None, context: str | None) -> Spark | None:
    if factor not in FACTORS:
        return None
    where = CONTEXTS[1] if context == "school" else CONTEXTS[0]
    index = CONTEXTS.index(where) * len(FACTORS) + FACTORS.index(factor)
    values = [one["values"][index] for one in line.risk.recent if one["values"][index] is not None]
    last = values[-risk_register.RECENT :]
    return spark(last, f"{NAMES[factor]} {IN_WORDS[where]}, the last {len(last)} sittings")
