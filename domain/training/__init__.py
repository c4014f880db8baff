"""Training of staff: short modules as data, scenario questions explained, a level that compares, a gate."""

from __future__ import annotations

import hashlib
import random
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, ValidationError

from domain import staff
from domain.base import DomainError, Event, Stamp, StreamClass, Value
from domain.staff import Staff
from domain.training import calibration
from domain.training.calibration import Calibration
from domain.training.rasch import Level, level_of

READY, SURE = 0.0, 0.85
"""The gate: at least this sure that the level is above 0 logits. What that lets through: docs/training.md."""
TEXT = 400
CALIBRATED = "difficulties.json"
"""The calibration in use, beside the modules; where there is none, difficulties are by judgement."""


class NoSuchModule(DomainError):
    """There is no training module of this name."""


class AnswersIncomplete(DomainError):
    """A training attempt answers exactly the questions that were drawn for it."""


class TrainingWrong(DomainError):
    """A training file does not say what it must."""


class Option(Value):
    """One answer to choose, and why it is right or not."""

    say: Annotated[str, Field(min_length=1, max_length=TEXT)]
    because: Annotated[str, Field(min_length=10, max_length=TEXT)]
    right: bool = False


class Item(Value):
    """One scenario question. ``difficulty`` in logits; of its options one is right."""

    id: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9-]+$")]
    difficulty: Annotated[float, Field(ge=-4, le=4)]
    ask: Annotated[str, Field(min_length=10, max_length=TEXT)]
    option: Annotated[tuple[Option, ...], Field(min_length=3, max_length=5)]

    @property
    def right(self) -> int:
        """The index of the right option."""
        return next(index for index, one in enumerate(self.option) if one.right)


class Module(Value):
    """A module: a few short pages, then ``draw`` questions out of its bank."""

    name: str
    version: int
    title: str
    draw: Annotated[int, Field(ge=1, le=20)]
    pages: Annotated[tuple[str, ...], Field(min_length=1)]
    item: tuple[Item, ...]
    digest: str = ""

    def by_id(self) -> dict[str, Item]:
        """Its items by id."""
        return {one.id: one for one in self.item}


class TrainingSat(Event):
    """A member of staff answered the questions of a training module: what, how many rightly, and the level it shows."""

    TOPIC: ClassVar[str] = "staff.training-sat.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    happened_on: date
    module: str
    module_digest: str
    answers: dict[str, int]
    right: int
    level: float
    level_sd: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    """One answer explained."""

    item: Item
    chosen: int
    right: bool

    @property
    def because(self) -> str:
        """Why the chosen option is right or not."""
        return self.item.option[self.chosen].because


def parse(content: bytes) -> Module:
    """A module from its file. Raises TrainingWrong."""
    try:
        module = Module.model_validate(tomllib.loads(content.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise TrainingWrong(f"a training file cannot be read: {error}") from error
    ids = [one.id for one in module.item]
    if len(set(ids)) < len(ids) or len(ids) < 2 * module.draw:
        raise TrainingWrong(f"{module.name} needs {2 * module.draw} different items, so that a retake draws new ones")
    if any(sum(option.right for option in one.option) != 1 for one in module.item):
        raise TrainingWrong(f"each question of {module.name} has exactly one right answer: mark it")
    return module.model_copy(update={"digest": hashlib.sha256(content).hexdigest()})


def calibrated(of: Module, newest: Calibration | None) -> Module:
    """A module with the difficulties of a calibration, as far as it has them; its digest then tells both."""
    if newest is None or not newest.items.keys() & of.by_id().keys():
        return of
    item = tuple(
        one.model_copy(update={"difficulty": newest.items[one.id].difficulty}) if one.id in newest.items else one
        for one in of.item
    )
    both = hashlib.sha256(f"{of.digest} {newest.model_dump_json()}".encode()).hexdigest()
    return of.model_copy(update={"item": item, "digest": both})


def first_answers(taken: Iterable[TrainingSat]) -> dict[str, bool]:
    """What somebody answered to each question when they first met it: later they know the explanation."""
    found: dict[str, bool] = {}
    for sat in taken:
        for one in explained(sat) if sat.module in modules() else ():
            found.setdefault(one.item.id, one.right)
    return found


@cache
def in_use() -> Calibration | None:
    """The calibration in use, None while difficulties are by judgement."""
    known = resources.files("domain") / "training" / CALIBRATED
    return calibration.read(known.read_bytes()) if known.is_file() else None


def version() -> int:
    """The version of the item difficulties in use, 0 while they are by judgement."""
    newest = in_use()
    return newest.version if newest else 0


@cache
def modules() -> dict[str, Module]:
    """Every module this version carries, the first one first."""
    folder, newest = resources.files("domain") / "training", in_use()
    found = [calibrated(parse(one.read_bytes()), newest) for one in folder.iterdir() if one.name.endswith(".toml")]
    return {one.name: one for one in sorted(found, key=lambda one: (one.name != staff.FIRST_MODULE, one.name))}


def module(name: str) -> Module:
    """A module. Raises NoSuchModule."""
    if name not in modules():
        raise NoSuchModule(f"there is no training module called {name}: choose one of {', '.join(modules())}")
    return modules()[name]


def draw(of: Module, staff_id: UUID, taken: Sequence[TrainingSat]) -> list[Item]:
    """The questions of the next attempt: parallel forms of even difficulty, those not yet met first.

    The bank in order of difficulty is cut into ``draw`` bands, one item from each: so forms are parallel. The choice
    follows from who, which module and which attempt: asked twice it is the same, and nothing need be kept.
    """
    met = [set(one.answers) for one in taken if one.module == of.name]
    last = {item_id: number for number, ids in enumerate(met) for item_id in ids}
    chance = random.Random(f"{staff_id}/{of.name}/{len(met)}")
    ordered = sorted(of.item, key=lambda one: (one.difficulty, one.id))
    bands = [ordered[k * len(ordered) // of.draw : (k + 1) * len(ordered) // of.draw] for k in range(of.draw)]
    return [min(band, key=lambda one: (last.get(one.id, -1), chance.random())) for band in bands]


def shown(item: Item, staff_id: UUID) -> list[int]:
    """The order in which to show an item's options to somebody: indexes into its options."""
    order = list(range(len(item.option)))
    random.Random(f"{staff_id}/{item.id}").shuffle(order)
    return order


def sit(
    state: Staff, taken: Sequence[TrainingSat], stamp: Stamp, *, name: str, answers: Mapping[str, int], on: date
) -> list[Event]:
    """Answer the drawn questions; where that is enough, the module is recorded as finished with the skill shown.

    Raises NoSuchModule, AnswersIncomplete, StaffUnknown, StaffAlreadyLeft.
    """
    of = module(name)
    if state.added is None:
        raise staff.StaffUnknown("nobody with this id works at this school: add them first")
    drawn = draw(of, state.added.staff_id, taken)
    if {one.id for one in drawn} != set(answers) or not all(0 <= answers[one.id] < len(one.option) for one in drawn):
        raise AnswersIncomplete(f"answer the {len(drawn)} questions drawn for this attempt, each once: open it again")
    right = sum(answers[one.id] == one.right for one in drawn)
    level = level_over([*scored(taken, name), *((one.difficulty, answers[one.id] == one.right) for one in drawn)])
    passed = level.sure_above(READY) >= SURE
    sat = TrainingSat(
        **stamp.fresh(), happened_on=on, module=name, module_digest=of.digest, answers=dict(answers), right=right,
        level=round(level.mean, 4), level_sd=round(level.sd, 4), passed=passed,
    )  # fmt: skip
    new = passed and name not in state.trained
    skill = round(level.sure_above(READY), 4)
    return [sat, *(staff.record_training(state, stamp, module=name, on=on, skill=skill) if new else [])]


def explained(sat: TrainingSat) -> list[Feedback]:
    """Each answer of an attempt with its explanation; items this version no longer has are left out."""
    known = module(sat.module).by_id()
    return [Feedback(known[i], chosen, chosen == known[i].right) for i, chosen in sat.answers.items() if i in known]


def scored(taken: Iterable[TrainingSat], name: str | None = None) -> list[tuple[float, bool]]:
    """(difficulty, right) of every answer, first to last; of one module or all. Modules share one scale."""
    return [
        (one.item.difficulty, one.right)
        for sat in taken
        if name in (None, sat.module) and sat.module in modules()
        for one in explained(sat)
    ]


def level_over(answers: Sequence[tuple[float, bool]]) -> Level:
    """The level these answers show together."""
    return level_of(answers)


def progress(taken: Sequence[TrainingSat]) -> list[tuple[date, Level]]:
    """The level after each attempt, over all modules, with its uncertainty: a line over time."""
    return [(sat.happened_on, level_over(scored(taken[: index + 1]))) for index, sat in enumerate(taken)]
