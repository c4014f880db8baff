"""Training of the one who asks: modules, the questions drawn next, attempts, the level over time; the lead's view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from astrack.access.callers import CallerOf
from astrack.api.common import Body, Code, Day, Key, Limit, Out
from astrack.records.support import Support
from domain import training
from domain.authority import Action
from domain.training import TrainingSat
from projections import training as trained

router = APIRouter(tags=["training"])


class LevelOut(Out):
    """A level in logits after an attempt, over all modules, with its standard deviation."""

    on: Day
    level: float
    level_sd: float
    answers: int


class ModuleOut(Out):
    """A training module, and how far the caller is with it."""

    name: str
    title: str
    questions: int
    attempts: int
    passed: bool


class TrainingOut(Out):
    """The caller's own training."""

    modules: list[ModuleOut]
    levels: list[LevelOut]


class OptionOut(Out):
    """One answer to choose: ``at`` is what to send."""

    at: int
    say: str


class QuestionOut(Out):
    """One scenario question, its options in the order to show them."""

    id: str
    ask: str
    options: list[OptionOut]


class QuestionsOut(Out):
    """A module's pages and the questions of the caller's next attempt."""

    pages: list[str]
    questions: list[QuestionOut]


class AttemptIn(Body):
    """The option chosen for every question drawn."""

    answers: Annotated[dict[Code, Annotated[int, Field(ge=0, le=9)]], Field(min_length=1, max_length=40)]


class ExplainedOut(Out):
    """One answer explained."""

    id: str
    right: bool
    because: str


class AttemptOut(Out):
    """How an attempt went."""

    passed: bool
    right: int
    of: int
    level: float
    level_sd: float
    explained: list[ExplainedOut]


class PersonOut(Out):
    """One person's training, by id."""

    staff_id: UUID
    modules: list[str]
    attempts: int
    level: float | None
    level_sd: float | None
    last_on: Day | None


@router.get("/training")
def own_training(caller: CallerOf) -> TrainingOut:
    """The modules and the caller's level after each attempt."""
    caller.may(Action.TRAIN)
    taken = Support(caller.records).attempts(caller.viewer.id)
    passed = caller.records.staff_state(caller.viewer.id).trained
    levels = [
        LevelOut(on=day, level=one.mean, level_sd=one.sd, answers=one.answers) for day, one in training.progress(taken)
    ]
    return TrainingOut(modules=[_module(name, taken, passed) for name in training.modules()], levels=levels)


@router.get("/training/people")
def everybodys_training(caller: CallerOf, limit: Limit = 200) -> list[PersonOut]:
    """Everybody who works here, the least trained first."""
    caller.see(Action.SEE_TRAINING)
    school_id = caller.records.school_id
    caller.app.views.catch_up(school_id)
    with caller.app.views.reading(school_id) as cur:
        return [PersonOut(**one._asdict()) for one in trained.everybody(cur, school_id, limit)]


@router.get("/training/{module}")
def training_questions(caller: CallerOf, module: Code) -> QuestionsOut:
    """The module's pages and what is asked next: the same until it is answered, then new questions."""
    caller.may(Action.TRAIN)
    drawn = Support(caller.records).drawn(caller.viewer.id, module)
    questions = [
        QuestionOut(id=item.id, ask=item.ask, options=[OptionOut(at=at, say=item.option[at].say) for at in order])
        for item, order in drawn
    ]
    return QuestionsOut(pages=list(training.module(module).pages), questions=questions)


@router.post("/training/{module}/attempts")
def sit_training(caller: CallerOf, module: Code, body: AttemptIn, key: Key) -> AttemptOut:
    """Answer the questions drawn; enough right answers record the module as finished."""
    caller.may(Action.TRAIN)
    support = Support(caller.records)
    told = support.sit_training(caller.ask(key), caller.viewer.id, module=module, answers=body.answers, on=caller.today)
    mine = [one for one in support.attempts(caller.viewer.id) if one.answers == body.answers and one.module == module]
    explained = [
        ExplainedOut(id=one.item.id, right=one.right, because=one.because) for one in training.explained(mine[-1])
    ]
    return AttemptOut(**told, explained=explained)


def _module(name: str, taken: Sequence[TrainingSat], passed: frozenset[str]) -> ModuleOut:
    one = training.module(name)
    attempts = sum(sat.module == name for sat in taken)
    return ModuleOut(name=name, title=one.title, questions=one.draw, attempts=attempts, passed=name in passed)
