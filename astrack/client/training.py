"""What the API has on the topic `training`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from astrack.client.calling import Caller, Got, Sent, new_key, part


class AttemptIn(Sent):
    """The option chosen for every question drawn."""

    answers: dict[str, int]


class AttemptOut(Got):
    """How an attempt went."""

    passed: bool
    right: int
    of: int
    level: float
    level_sd: float
    explained: list[ExplainedOut]


class ExplainedOut(Got):
    """One answer explained."""

    id: str
    right: bool
    because: str


class LevelOut(Got):
    """A level in logits after an attempt, over all modules, with its standard deviation."""

    on: date
    level: float
    level_sd: float
    answers: int


class ModuleOut(Got):
    """A training module, and how far the caller is with it."""

    name: str
    title: str
    questions: int
    attempts: int
    passed: bool


class OptionOut(Got):
    """One answer to choose: ``at`` is what to send."""

    at: int
    say: str


class PersonOut(Got):
    """One person's training, by id."""

    staff_id: UUID
    modules: list[str]
    attempts: int
    level: float | None
    level_sd: float | None
    last_on: date | None


class QuestionOut(Got):
    """One scenario question, its options in the order to show them."""

    id: str
    ask: str
    options: list[OptionOut]


class QuestionsOut(Got):
    """A module's pages and the questions of the caller's next attempt."""

    pages: list[str]
    questions: list[QuestionOut]


class TrainingOut(Got):
    """The caller's own training."""

    modules: list[ModuleOut]
    levels: list[LevelOut]


class TrainingCalls(Caller):
    """What the API has on the topic `training`."""

    def own_training(self) -> TrainingOut:
        """The modules and the caller's level after each attempt."""
        return self.value(TrainingOut, "GET", "/training")

    def everybodys_training(self, *, limit: int = 200) -> list[PersonOut]:
        """Everybody who works here, the least trained first."""
        return self.value(list[PersonOut], "GET", "/training/people", query={"limit": limit})

    def training_questions(self, module: str) -> QuestionsOut:
        """The module's pages and what is asked next: the same until it is answered, then new questions."""
        return self.value(QuestionsOut, "GET", f"/training/{part(module)}")

    def sit_training(self, module: str, body: AttemptIn, *, key: str | None = None) -> AttemptOut:
        """Answer the questions drawn; enough right answers record the module as finished."""
        return self.value(AttemptOut, "POST", f"/training/{part(module)}/attempts", body=body, key=key or new_key())
