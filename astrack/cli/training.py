"""Training on the command line: modules, the questions drawn, answers handed in, everybody's level."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import numpy as np
import typer

from astrack.changing import Ask
from astrack.cli import common as c
from astrack.cli import files
from astrack.records.support import Support
from domain import training
from domain.base import Actor
from domain.staff import StaffUnknown
from domain.training import calibration
from projections import training as trained

app = typer.Typer(help="Training of staff: questions, levels, the gate to real data.", no_args_is_help=True)
School = Annotated[str | None, c.SchoolOption]
StaffId = Annotated[UUID, typer.Argument(help="The id, as `astrack staff list` shows it.")]
Module = Annotated[str, typer.Argument(help="The module's name, as `astrack training modules` shows it.")]


@app.command("modules")
def modules() -> None:
    """List the modules this version carries."""
    rows = [(name, one.title, one.draw, len(one.item)) for name, one in training.modules().items()]
    c.table(["name", "title", "questions", "in the bank"], rows, "None.")


@app.command("draw")
def draw(staff_id: StaffId, module: Module, school: School = None) -> None:
    """The questions of somebody's next attempt, as JSON: send the number of an option as the answer."""
    with c.school_opened(school) as (_, records):
        drawn = Support(records).drawn(staff_id, module)
        c.show([
            {"id": item.id, "ask": item.ask, "options": {str(at): item.option[at].say for at in order}}
            for item, order in drawn
        ])  # fmt: skip


@app.command("sit")
def sit(
    staff_id: StaffId,
    module: Module,
    answers: Annotated[Path, typer.Argument(help='A JSON file: {"question": number of the option, …}.')],
    school: School = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Hand in somebody's answers; each is explained."""
    given = files.json_of(answers)
    if not isinstance(given, dict) or not all(isinstance(one, int) for one in given.values()):
        raise files.BadArgument(f"{answers} does not hold answers: write an object of numbers by question")
    with c.school_opened(school) as (app, records):
        support = Support(records)
        ask = Ask(Actor(id=staff_id, role=_role(support, staff_id)), key or c.fresh_key())
        told = support.sit_training(ask, staff_id, module=module, answers=given, on=app.clock().date())
        mine = [one for one in support.attempts(staff_id) if one.module == module]
        explained = {one.item.id: one.because for one in training.explained(mine[-1])}
        c.show({**told, "explained": explained})


@app.command("levels")
def levels(school: School = None) -> None:
    """Everybody's level with its doubt, the least trained first."""
    with c.school_opened(school) as (app, records):
        app.views.catch_up(records.school_id)
        with app.views.reading(records.school_id) as cur:
            found = trained.everybody(cur, records.school_id)
        rows = [
            (one.staff_id, ", ".join(one.modules), one.attempts, _level(one.level, one.level_sd), one.last_on)
            for one in found
        ]
        c.table(["id", "finished", "attempts", "level (95 %)", "last"], rows, "Nobody works here yet.")


def _level(mean: float | None, sd: float | None) -> str:
    if mean is None or sd is None:
        return "not measured"
    return f"{mean:+.2f} ({mean - 1.96 * sd:+.2f} to {mean + 1.96 * sd:+.2f})"


def _role(support: Support, staff_id: UUID) -> str:
    state = support.records.staff_state(staff_id)
    if state.added is None:
        raise StaffUnknown("nobody with this id works at this school: add them first")
    standing = state.standing(support.records.clock().date())
    return standing[0].role if standing else "service"


@app.command("calibrate")
def calibrate(
    out: Annotated[Path | None, typer.Option("--out", help="Write the proposed version here (JSON).")] = None,
    draws: Annotated[int, typer.Option(min=20, max=5000, help="How often people are drawn again, for errors.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="What the drawing begins with.")] = 1,
) -> None:
    """Item difficulties from the answers recorded at all schools here, with their fit: a proposal, nobody is named."""
    items = {item.id: item for one in training.modules().values() for item in one.item}
    with c.opened() as found:
        people = [answers for one in found.store.schools() for answers in _answers(Support(found.school(one)))]
    old = {name: item.difficulty for name, item in items.items()}
    made = calibration.calibrate(people, old, training.version() + 1, np.random.default_rng(seed), draws)
    rows = [(name, one.answers, f"{one.was:+.2f}", f"{one.difficulty:+.2f} ± {1.96 * one.error:.2f}", one.infit,
             one.outfit, "" if one.fits else "does not fit: read it again", "yes" if one.anchor else "")
            for name, one in made.items.items()]  # fmt: skip
    c.table(["question", "answers", "was", "is", "infit", "outfit", "", "holds the scale"], rows, "None.")
    kept = len(items) - len(made.items)
    c.out.print(f"Version {made.version}, from {made.people} people; {kept} questions keep the difficulty they have.")
    if out is not None:
        files.write(out, made.model_dump_json(indent=1).encode() + b"\n")
        c.out.print(f"Wrote {out}: it takes hold as domain/training/{training.CALIBRATED} of a release.")


def _answers(support: Support) -> list[dict[str, bool]]:
    found = [training.first_answers(support.attempts(one)) for one in support.records.staff_ids()]
    return [one for one in found if one]
