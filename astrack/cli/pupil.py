"""One pupil's record on the command line: looking, sitting, flags, plans, outcomes, corrections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from astrack.changing import Ask
from astrack.cli import common as c
from astrack.cli.school import today
from astrack.records import Records
from domain.journey import facts

pupil = typer.Typer(help="One pupil's record.", no_args_is_help=True)
flag = typer.Typer(help="Early signs worth a look.", no_args_is_help=True)
plan = typer.Typer(help="Action plans.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(help="The pupil: id, UPN, or a part of the name that fits one.")]
School = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]
Note = Annotated[str, typer.Option(help="At most 1,000 characters.")]
On = Annotated[str | None, typer.Option(help="The day, YYYY-MM-DD; today when left out.")]


def act(named: str, school: str | None, key: str | None, does: Callable[[Records, Ask, UUID], Any]) -> None:
    """Do one command about one pupil and print its answer."""
    with c.school_opened(school) as (_, records):
        c.show(does(records, c.asking(key), c.which_pupil(records, named)))


@pupil.command("list")
def list_(find: Annotated[str, typer.Option(help="A part of a name.")] = "", school: School = None) -> None:
    """List the pupils with a record at this school."""
    with c.school_opened(school) as (_, records):
        rows = []
        for pupil_id in c.every_pupil(records):
            person = records.identity(pupil_id).person
            state, _ = records.journey(pupil_id)
            name = person.full_name if person else "(withheld)"
            if find.casefold() in name.casefold():
                rows.append(
                    (name, state.year_group, len(state.sittings), len(state.open_flags()), state.custody, pupil_id)
                )
        heads = ["name", "year", "sittings", "open flags", "record", "id"]
        c.table(heads, sorted(rows, key=str), "No pupils yet: import a roster with `astrack roster import FILE`.")


@pupil.command("show")
def show(named: Named, school: School = None) -> None:
    """Show one pupil's story, newest first, and what is open."""
    with c.school_opened(school) as (_, records):
        pupil_id = c.which_pupil(records, named)
        state, story = records.journey(pupil_id)
        c.out.print(f"Year {state.year_group}, record {state.custody}, {len(state.sittings)} sittings")
        for one in state.open_flags():
            c.out.print(
                f"  worth a look ({one.judgement or 'not reviewed'}): {one.raised.reason}  [flag {one.raised.flag_id}]"
            )
        rows = [
            (
                fact.event.day,
                type(fact.event).__name__,
                fact.event.by.role,
                "imported" if fact.origin else "",
                fact.event.event_id,
            )
            for fact in reversed(story)
        ]
        c.table(["day", "what", "by", "", "fact"], rows, "No facts yet.")


@pupil.command("sit")
def sit(
    named: Named,
    answers: Annotated[Path, typer.Argument(help='A JSON file: {"item": 1..6, …}.')],
    round_id: Annotated[
        UUID | None, typer.Option("--round", help="The round; left out for a sitting of its own.")
    ] = None,
    on: On = None,
    school: School = None,
    key: Key = None,
) -> None:
    """Hand in one sitting: scored and flagged at once."""
    given = c.json_of(answers)
    with c.school_opened(school) as (app, records):
        c.show(
            records.hand_in(
                c.asking(key), c.which_pupil(records, named), sitting_id=app.new_id(), round_id=round_id,
                on=today(app.clock().date(), on, "--on"), answers=given,
            )
        )  # fmt: skip


@flag.command("review")
def review_flag(
    named: Named,
    flag_id: UUID,
    judgement: Annotated[str, typer.Argument(help="new_to_us, already_known or not_what_we_see.")],
    note: Note = "",
    school: School = None,
    key: Key = None,
) -> None:
    """Say what you make of a flag."""
    if judgement not in ("new_to_us", "already_known", "not_what_we_see"):
        raise c.BadArgument(f"{judgement!r} is not a judgement: say new_to_us, already_known or not_what_we_see")
    said: Any = judgement
    act(named, school, key, lambda r, ask, who: r.review_flag(ask, who, flag_id=flag_id, judgement=said, note=note))


@plan.command("open")
def open_plan(
    named: Named,
    goal: Annotated[str, typer.Option(help="Worded positively.")],
    owner: Annotated[UUID, typer.Option(help="The id of the member of staff who owns it.")],
    cause: Annotated[list[str], typer.Option(help="What may lie behind it; at least one.")],
    risk: Annotated[list[str], typer.Option(help="What may lie ahead; at least one.")],
    signpost: Annotated[list[str], typer.Option(help="What will be done.")],
    flag_id: Annotated[list[UUID] | None, typer.Option("--flag", help="A flag it answers.")] = None,
    kind: str = "individual",
    weeks: Annotated[int, typer.Option(min=1, max=12)] = 6,
    start: On = None,
    school: School = None,
    key: Key = None,
) -> None:
    """Open an action plan: causes, then risks, then signposts."""
    with c.school_opened(school) as (app, records):
        begin = today(app.clock().date(), start, "--start")
        stated = {
            "plan_id": app.new_id(), "kind": kind, "goal": goal, "flags": tuple(flag_id or ()), "causes": tuple(cause),
            "risks": tuple(risk), "own_strategies": tuple(signpost), "owner_id": owner, "start_on": begin,
            "end_on": begin + timedelta(weeks=weeks),
        }  # fmt: skip
        answer = records.open_plan(c.asking(key), c.which_pupil(records, named), plan=stated)
        c.show({**answer, "plan_id": stated["plan_id"]})


@plan.command("monitor")
def monitor(named: Named, plan_id: UUID, going: str, note: Note = "", school: School = None, key: Key = None) -> None:
    """Note how a plan is going: well, as_planned or not_yet."""
    said: Any = _one_of(going, facts.Going, "going")
    act(named, school, key, lambda r, ask, who: r.monitor_plan(ask, who, plan_id=plan_id, going=said, note=note))


@plan.command("review")
def review(named: Named, plan_id: UUID, end: str, note: Note = "", school: School = None, key: Key = None) -> None:
    """Look at a plan as a whole and let it go on until a later day."""
    until = c.day(end, "END")
    act(named, school, key, lambda r, ask, who: r.review_plan(ask, who, plan_id=plan_id, end_on=until, note=note))


@plan.command("close")
def close(named: Named, plan_id: UUID, came: str, note: Note = "", school: School = None, key: Key = None) -> None:
    """End a plan: helped, helped_partly, did_not_help or stopped_early."""
    said: Any = _one_of(came, facts.Came, "came")
    act(named, school, key, lambda r, ask, who: r.close_plan(ask, who, plan_id=plan_id, came=said, note=note))


@pupil.command("outcome")
def outcome(named: Named, code: str, on: On = None, school: School = None, key: Key = None) -> None:
    """Report, as a code, what later came to pass."""
    said: Any = _one_of(code, facts.OutcomeCode, "code")
    act(named, school, key, lambda r, ask, who: r.report_outcome(
        ask, who, outcome_id=r.new_id(), on=today(r.clock().date(), on, "--on"), code=said))  # fmt: skip


@pupil.command("correct")
def correct(named: Named, fact_id: UUID, changes: Path, why: Annotated[str, typer.Option()], school: School = None,
            key: Key = None) -> None:  # fmt: skip
    """Say that an earlier fact was wrong: CHANGES is a JSON file of the fields as they should be."""
    right = c.json_of(changes)
    act(named, school, key, lambda r, ask, who: r.correct(ask, who, corrects=fact_id, changes=right, why=why))


@pupil.command("opt-out")
def opt_out(named: Named, by: Annotated[str, typer.Option(help="parent or pupil.")] = "parent", end: bool = False,
            on: On = None, school: School = None, key: Key = None) -> None:  # fmt: skip
    """Record that no assessment is wanted, or with --end that it is again."""
    if by not in ("parent", "pupil"):
        raise c.BadArgument(f"--by is {by!r}: say parent or pupil")

    def does(r: Records, ask: Ask, who: UUID) -> Any:
        when = today(r.clock().date(), on, "--on")
        verb = r.end_opt_out if end else r.opt_out
        return verb(ask, who, asked_by=by, on=when)

    act(named, school, key, does)


@pupil.command("talk")
def talk(named: Named, take_up: Annotated[UUID | None, typer.Option(help="Take up this wish to talk.")] = None,
         school: School = None, key: Key = None) -> None:  # fmt: skip
    """Note that the pupil would like to talk to someone, or take up such a wish."""
    act(named, school, key, lambda r, ask, who: r.take_up_talk(ask, who, talk_id=take_up) if take_up
        else r.ask_to_talk(ask, who, talk_id=r.new_id()))  # fmt: skip


@pupil.command("hand-off")
def hand_off(named: Named, reference: Annotated[str, typer.Argument(help="Where it is kept in your own system.")],
             on: On = None, school: School = None, key: Key = None) -> None:  # fmt: skip
    """Hand a concern to the DSL (designated safeguarding lead); the concern itself stays in the school's own system."""
    act(named, school, key, lambda r, ask, who: r.hand_off(
        ask, who, hand_off_id=r.new_id(), on=today(r.clock().date(), on, "--on"), reference=reference))  # fmt: skip


def _one_of(text: str, kind: Any, what: str) -> str:
    allowed: tuple[str, ...] = kind.__args__
    if text not in allowed:
        raise c.BadArgument(f"{what} is {text!r}: say one of {', '.join(allowed)}")
    return text
