"""My pupils by need, all my pupils, plans that run, wishes to talk: lists within what the viewer may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from psycopg import Cursor
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.picture import CONTEXTS, FACTORS, IN_WORDS, NAMES, long_day
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.reading import Spark, spark
from astrack.web.site import Site, see_other
from astrack.web.story import sign_sentence
from astrack.web.talks import escalate_waiting
from domain import review, risk
from domain.authority import Action
from domain.journey.state import Journey
from domain.scope import Scope
from domain.support import reminder
from projections import plan_board, pupils, risk_register, truth
from projections.risk_register import Line

A_LIST, ALL_PAGE, PLANS_SHOWN = 30, 200, 120
SIGNS_LISTED, LOTS_LISTED = 48, 12
"""A whole school's list stays short; as pupils are looked at, the next ones come up."""
WAITING = 200
DIMENSIONS_SHOWN, NAMES_SHOWN = 4, 60


def list_pages(site: Site) -> APIRouter:
    """The lists a member of staff starts from."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/pupils")
    def by_need(request: Request, who: Who) -> Response:
        scope, load = named(who, Action.SEE_STORY), who.records.school_state().load
        chosen = _chosen(request)
        with reading(who) as (cur, school):
            groups = pupils.dimensions(cur, school, scope)
            narrow = narrowed(scope, chosen)
            room = min(SIGNS_LISTED, load.room(_on_roll(pupils.dimensions(cur, school, narrow))))
            signs = risk_register.new_to_look_at(cur, school, narrow, room + WAITING)
            lots = truth.drawn(cur, school, narrow, load.chance, LOTS_LISTED)
            due = risk_register.due(cur, school, narrow, who.today, A_LIST)
            better = risk_register.better(cur, school, narrow, who.today, A_LIST)
        new = _to_look_at(who, signs[:room], lots)
        looked = {*(one.id for one in new), *(one.pupil.pupil_id for one in (*due, *better))}
        who.looked(Action.SEE_STORY, list(looked))
        return site.page(
            request, "pupils.html", viewer=who.viewer, filters=_filters(groups, chosen), chosen=chosen,
            count=_on_roll(groups), new=new, waiting=max(0, len(signs) - room),
            due=[_due(one, who.today) for one in due], better=[_better(one) for one in better],
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

    return router


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
    return sorted(names.items(), key=lambda one: (not one[0].isdigit(), int(one[0]) if one[0].isdigit() else 0, one[0]))


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


def _to_look_at(who: Caller, signs: Sequence[Line], lots: Sequence[tuple[pupils.Row, UUID]]) -> list[ListRow]:
    """Pupils with signs and pupils whom a round drew without one, in one form and an order that tells neither."""
    rows = [*map(_new, signs), *_drawn(who, [pupil for pupil, _ in lots])]
    return [rows[at] for at in review.mixed([one.id for one in rows])]


def _drawn(who: Caller, lots: Sequence[pupils.Row]) -> list[ListRow]:
    loaded = who.records.journeys([one.pupil_id for one in lots])
    there = [(one, loaded[one.pupil_id][0]) for one in lots if one.pupil_id in loaded]
    nearest = risk.nearest_of(risk.load_model(), [journey.sittings for _, journey in there], who.today)
    rows = [_as_sign(pupil, journey, found) for (pupil, journey), found in zip(there, nearest, strict=True)]
    return [row for row in rows if row]


def _as_sign(pupil: pupils.Row, journey: Journey, found: risk.Finding | None) -> ListRow | None:
    if found is None or found.factor is None:
        return None
    said = sign_sentence(found.reason, journey.sittings[-1].on, pupil.called)
    where = CONTEXTS.index(found.context or CONTEXTS[0]) * len(FACTORS) + FACTORS.index(found.factor)
    values = [value for sat in journey.sittings if sat.usable and (value := sat.values[where]) is not None]
    return ListRow(pupil.pupil_id, pupil.name, said, _line_of(values, found.factor, found.context),
                   f"/pupils/{pupil.pupil_id}", "Review")  # fmt: skip


def _new(line: Line) -> ListRow:
    waiting = [flag for flag in line.risk.flags.values() if flag["judgement"] is None]
    first = max(waiting, key=lambda flag: (flag["factor"] is not None, flag["probability"] or 0.5))
    said = sign_sentence(first["reason"], date.fromisoformat(first["raised_on"]), line.pupil.called)
    more = f" And {len(waiting) - 1} more." if len(waiting) > 1 else ""
    path = f"/pupils/{line.pupil.pupil_id}"
    return ListRow(
        line.pupil.pupil_id,
        line.pupil.name,
        said + more,
        _spark(line, first["factor"], first["context"]),
        path,
        "Review",
        behind=line.behind,
    )


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
    return _line_of(values, factor, where)


def _line_of(values: Sequence[float], factor: str, context: str | None) -> Spark | None:
    last = values[-risk_register.RECENT :]
    where = CONTEXTS[1] if context == "school" else CONTEXTS[0]
    words = f"{NAMES[factor]} {IN_WORDS[where]}, the last {len(last)} sittings"
    return spark(last, words)
