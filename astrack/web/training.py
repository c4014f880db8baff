"""Training pages: modules, questions with explained answers, a level with its doubt over time, the gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.records.support import Support
from astrack.reports import plot
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.lists import reading
from astrack.web.site import BadForm, Site, see_other
from domain import training
from domain.authority import Action
from domain.staff import FIRST_MODULE
from domain.training import READY, SURE, Module, TrainingSat
from projections import training as trained

SHOWN = 300


def training_pages(site: Site) -> APIRouter:
    """Everybody's own training, and the lead's view of all."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/training")
    def own(request: Request, who: Who) -> Response:
        who.may(Action.TRAIN)
        taken = Support(who.records).attempts(who.viewer.id)
        state = who.records.staff_state(who.viewer.id)
        return site.page(
            request, "training.html", viewer=who.viewer, progress=_drawn(taken), levels=levels(taken),
            modules=[_module(one, taken, state.trained) for one in training.modules().values()], open=_open(who),
            sure=round(100 * SURE), lead=who.can(Action.SEE_TRAINING),
        )  # fmt: skip

    @router.get("/training/people")
    def people(request: Request, who: Who) -> Response:
        who.see(Action.SEE_TRAINING)
        with reading(who) as (cur, school):
            rows = trained.everybody(cur, school, SHOWN)
            whole = trained.levels(cur, school)
        names = _names(who, [one.staff_id for one in rows])
        return site.page(
            request, "training_people.html", viewer=who.viewer, whole=whole, modules=training.modules(),
            rows=[(names.get(one.staff_id, "somebody"), one) for one in rows],
        )  # fmt: skip

    @router.get("/training/{name}")
    def one(request: Request, who: Who, name: str) -> Response:
        who.may(Action.TRAIN)
        return _questions(site, request, who, training.module(name))

    @router.post("/training/{name}")
    def sit(request: Request, who: Who, sent: Sent, name: str) -> Response:
        who.may(Action.TRAIN)
        module = training.module(name)
        try:
            answers = _answers(sent, who, module)
            Support(who.records).sit_training(
                who.ask(sent.key), who.viewer.id, module=name, answers=answers, on=who.today
            )
        except REFUSALS as refused:
            return _questions(site, request, who, module, sent, refused)
        return see_other(f"/training/{name}/answers", "training-sat")

    @router.get("/training/{name}/answers")
    def answers(request: Request, who: Who, name: str) -> Response:
        who.may(Action.TRAIN)
        taken = [one for one in Support(who.records).attempts(who.viewer.id) if one.module == name]
        if not taken:
            return see_other(f"/training/{name}")
        return site.page(
            request, "training_answers.html", viewer=who.viewer, module=training.module(name), sat=taken[-1],
            attempt=len(taken), explained=training.explained(taken[-1]), gate=name == FIRST_MODULE,
            level=words(taken[-1].level, taken[-1].level_sd),
        )  # fmt: skip

    return router


def _open(who: Caller) -> bool:
    return FIRST_MODULE in who.records.staff_state(who.viewer.id).trained


def _module(one: Module, taken: Sequence[TrainingSat], passed: frozenset[str]) -> dict[str, Any]:
    mine = [sat for sat in taken if sat.module == one.name]
    last = mine[-1] if mine else None
    return {"name": one.name, "title": one.title, "questions": one.draw, "attempts": len(mine), "last": last,
            "passed": one.name in passed, "gate": one.name == FIRST_MODULE}  # fmt: skip


def levels(taken: Sequence[TrainingSat]) -> list[tuple[Any, str]]:
    """The level after each attempt in words, oldest first."""
    return [(day, words(one.mean, one.sd)) for day, one in training.progress(taken)]


def words(mean: float, sd: float) -> str:
    """A level with its doubt: "+0.7, likely between -0.2 and +1.6"."""
    return f"{mean:+.1f}, likely between {mean - 1.96 * sd:+.1f} and {mean + 1.96 * sd:+.1f}"


def _drawn(taken: Sequence[TrainingSat]) -> Markup:
    if not taken:
        return Markup()
    points = [(day, one.mean, one.sd) for day, one in training.progress(taken)]
    return Markup(plot.progress(points, READY))  # noqa: S704  # every text in it is escaped


def _names(who: Caller, ids: Sequence[UUID]) -> dict[UUID, str]:
    states = who.records.staff_states(ids) if ids else []
    return {one: state.added.name for one, state in zip(ids, states, strict=True) if state.added}


def _answers(sent: Form, who: Caller, module: Module) -> dict[str, int]:
    drawn = Support(who.records).drawn(who.viewer.id, module.name)
    missing = [item for item, _ in drawn if not sent.text(item.id, 3)]
    if missing:
        raise BadForm(f"{len(missing)} of {len(drawn)} questions have no answer yet: choose one for each.", "questions")
    return {item.id: sent.number(item.id, 0, len(item.option) - 1, label="The answer") for item, _ in drawn}


def _questions(
    site: Site,
    request: Request,
    who: Caller,
    module: Module,
    typed: Form | None = None,
    refused: Exception | None = None,
) -> Response:
    return site.page(
        request, "training_module.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        module=module, drawn=Support(who.records).drawn(who.viewer.id, module.name), typed=typed or Form(),
        error=said(refused) if refused else "", error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip
