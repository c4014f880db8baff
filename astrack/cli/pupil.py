"""One pupil's record on the command line: looking, sitting, flags, plans, outcomes, corrections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, cast, get_args
from uuid import UUID

import typer

from astrack import looking
from astrack.access import about_pupil, check_owner
from astrack.changing import Ask
from astrack.cli import common as c
from astrack.cli import files
from astrack.cli.school import today
from astrack.records import Records
from astrack.records.support import Support
from domain import support
from domain.guidance.aims import Aim, of_code
from domain.journey import facts, outside
from projections import plan_board

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
    """List the pupils with a record at this school; of those to look at, some have a sign and some a round drew."""
    with c.school_opened(school) as (_, records):
        c.looked(records)
        rows, draw = [], records.draw()
        for pupil_id in c.every_pupil(records):
            person = records.identity(pupil_id).person
            state, _ = records.journey(pupil_id)
            name = person.full_name if person else "(withheld)"
            if find.casefold() in name.casefold():
                look = "yes" if looking.waits(draw, pupil_id, state) else "no"
                rows.append((name, state.year_group, len(state.sittings), look, state.custody, pupil_id))
        heads = ["name", "year", "sittings", "to look at", "record", "id"]
        c.table(heads, sorted(rows, key=str), "No pupils yet: import a roster with `astrack roster import FILE`.")


@pupil.command("show")
def show(named: Named, school: School = None) -> None:
    """Show one pupil's story, newest first, and what is open."""
    with c.school_opened(school) as (_, records):
        pupil_id = c.which_pupil(records, named)
        state, story = records.journey(pupil_id)
        c.out.print(c.standing(state))
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
    mode: Annotated[str, typer.Option(help="alone, read_aloud, or supported: an adult wrote for the pupil.")] = "alone",
    helped_by: Annotated[
        str | None, typer.Option(help="That adult's role: " + ", ".join(get_args(facts.Helper)) + ".")
    ] = None,
    on: On = None,
    school: School = None,
    key: Key = None,
) -> None:
    """Hand in one sitting: scored and flagged at once."""
    given, how = files.json_of(answers), cast(facts.Mode, files.one_of(mode, facts.Mode, "--mode"))
    helper = cast(facts.Helper, files.one_of(helped_by, facts.Helper, "--helped-by")) if helped_by else None
    with c.school_opened(school) as (app, records):
        c.show(
            records.hand_in(
                c.asking(key), c.which_pupil(records, named), sitting_id=app.new_id(), round_id=round_id,
                on=today(app.clock().date(), on, "--on"), answers=given, mode=how, helped_by=helper,
            )
        )  # fmt: skip


@pupil.command("not-today")
def not_today(
    named: Named,
    round_id: Annotated[UUID, typer.Option("--round", help="The round, open today.")],
    school: School = None,
    key: Key = None,
) -> None:
    """Note for a pupil that they would rather not sit a round today; nothing follows from it."""
    act(named, school, key, lambda r, ask, who: r.say_not_today(ask, who, round_id=round_id))


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
        raise files.BadArgument(f"{judgement!r} is not a judgement: say new_to_us, already_known or not_what_we_see")
    said: Any = judgement
    act(named, school, key, lambda r, ask, who: r.review_flag(ask, who, flag_id=flag_id, judgement=said, note=note))


Owner = Annotated[UUID, typer.Option(help="The id of the member of staff who owns it; they must see the pupil.")]
About = Annotated[str, typer.Option(help="What it is about: trust_of_self.low.school, flat, ... (docs/guidance.md).")]
KeepWords = Annotated[bool, typer.Option(help="Open it though the goal says what will be gone.")]
Causes = Annotated[list[str], typer.Option("--cause", help="What may lie behind it; at least one.")]
Risks = Annotated[list[str], typer.Option("--risk", help="What may lie ahead; at least one.")]
Signposts = Annotated[
    list[str], typer.Option("--signpost", help="What will be done: an id of `astrack guidance list`, or own words.")
]
Weeks = Annotated[int, typer.Option(min=1, max=12)]


@plan.command("open")
def open_plan(
    named: Named,
    goal: Annotated[str, typer.Option(help="Worded positively.")],
    owner: Owner,
    cause: Causes,
    risk: Risks,
    signpost: Signposts,
    about: About = "",
    flag_id: Annotated[list[UUID] | None, typer.Option("--flag", help="A flag it answers.")] = None,
    weeks: Weeks = 6,
    start: On = None,
    keep_words: KeepWords = False,
    school: School = None,
    key: Key = None,
) -> None:
    """Open an action plan: causes, then risks, then signposts."""
    with c.school_opened(school) as (app, records):
        pupil_id, day = c.which_pupil(records, named), app.clock().date()
        stated = _stated(records, goal, owner, cause, risk, signpost, about, today(day, start, "--start"), weeks)
        check_owner(records, owner, about_pupil(records, pupil_id, day), day)
        made = {**stated, "plan_id": app.new_id(), "kind": "individual", "flags": tuple(flag_id or ())}
        opened = records.open_plan(c.asking(key), pupil_id, plan=made, keep_words=keep_words)
        c.show({**opened, "plan_id": made["plan_id"]})


@plan.command("group")
def open_group_plan(
    named: Annotated[list[str], typer.Argument(help="2 to 12 pupils: ids, UPNs or parts of names.")],
    goal: Annotated[str, typer.Option(help="Worded positively.")],
    owner: Owner,
    cause: Causes,
    risk: Risks,
    signpost: Signposts,
    about: About = "",
    weeks: Weeks = 6,
    start: On = None,
    keep_words: KeepWords = False,
    school: School = None,
    key: Key = None,
) -> None:
    """Open one plan for several pupils, for all of them or for none."""
    with c.school_opened(school) as (app, records):
        day, pupils = app.clock().date(), [c.which_pupil(records, one) for one in named]
        stated = _stated(records, goal, owner, cause, risk, signpost, about, today(day, start, "--start"), weeks)
        for pupil_id in pupils:
            check_owner(records, owner, about_pupil(records, pupil_id, day), day)
        asked = c.asking(key)
        c.show(Support(records).open_group_plan(asked, stated, pupils, {}, app.new_id(), keep_words=keep_words))


@plan.command("reminders")
def reminders(school: School = None) -> None:
    """Who has plans that wait for a look: a sentence each that an e-mail may carry, never which pupil or plan."""
    with c.school_opened(school) as (app, records):
        app.views.catch_up(records.school_id)
        with app.views.reading(records.school_id) as cur:
            waiting = plan_board.waiting(cur, records.school_id, app.clock().date())
        rows = [(staff_id, support.reminder(*counts)) for staff_id, counts in waiting.items()]
        c.table(["owner", "what an e-mail may say"], rows, "No plan waits for a look.")


def _stated(records: Records, goal: str, owner: UUID, causes: list[str], risks: list[str], signposts: list[str],
            about: str, begin: date, weeks: int) -> dict[str, Any]:  # fmt: skip
    offered = Support(records).guidance()
    aim = _aim(about)
    return {
        "goal": goal, "factor": aim and aim.factor, "pole": aim and aim.pole, "context": aim and aim.context,
        "causes": tuple(causes), "risks": tuple(risks),
        "signposts": tuple(one for one in signposts if offered.entry(one)),
        "own_strategies": tuple(one for one in signposts if not offered.entry(one)), "owner_id": owner,
        "start_on": begin, "end_on": begin + timedelta(weeks=weeks), "guidance_digest": offered.digest,
    }  # fmt: skip


def _aim(about: str) -> Aim | None:
    aim = of_code(about)
    if about and aim is None:
        raise files.BadArgument(f"a plan cannot be about {about}: say factor.end.context or what the sign names")
    return aim


@plan.command("monitor")
def monitor(named: Named, plan_id: UUID, going: str, note: Note = "", school: School = None, key: Key = None) -> None:
    """Note how a plan is going: well, as_planned or not_yet."""
    said: Any = files.one_of(going, facts.Going, "going")
    act(named, school, key, lambda r, ask, who: r.monitor_plan(ask, who, plan_id=plan_id, going=said, note=note))


@plan.command("review")
def review(named: Named, plan_id: UUID, end: str, note: Note = "", school: School = None, key: Key = None) -> None:
    """Look at a plan as a whole and let it go on until a later day."""
    until = c.day(end, "END")
    act(named, school, key, lambda r, ask, who: r.review_plan(ask, who, plan_id=plan_id, end_on=until, note=note))


@plan.command("close")
def close(named: Named, plan_id: UUID, came: str, note: Note = "", school: School = None, key: Key = None) -> None:
    """End a plan: helped, helped_partly, did_not_help or stopped_early."""
    said: Any = files.one_of(came, facts.Came, "came")
    act(named, school, key, lambda r, ask, who: r.close_plan(ask, who, plan_id=plan_id, came=said, note=note))


@pupil.command("outcome")
def outcome(
    named: Named,
    code: Annotated[str, typer.Argument(help="One of: " + ", ".join(get_args(outside.OutcomeCode)) + ".")],
    source: Annotated[str, typer.Option(help="Who or what says so: " + ", ".join(outside.SOURCES) + ".")],
    on: On = None,
    school: School = None,
    key: Key = None,
) -> None:
    """Report, as a code with its source, what later came to pass; "none" says: followed up, and nothing to report."""
    said: Any = files.one_of(code, outside.OutcomeCode, "code")
    known: Any = files.one_of(source, outside.Source, "--source")
    act(named, school, key, lambda r, ask, who: r.report_outcome(
        ask, who, outcome_id=r.new_id(), on=today(r.clock().date(), on, "--on"), code=said, source=known))  # fmt: skip


@pupil.command("outcome-taken-back")
def outcome_taken_back(named: Named, outcome_id: UUID, why: Annotated[str, typer.Option()], school: School = None,
                       key: Key = None) -> None:  # fmt: skip
    """Say that an outcome which only the DSL is shown was recorded in error."""
    act(named, school, key, lambda r, ask, who: r.take_back_outcome(ask, who, outcome_id=outcome_id, why=why))


@pupil.command("correct")
def correct(named: Named, fact_id: UUID, changes: Path, why: Annotated[str, typer.Option()], school: School = None,
            key: Key = None) -> None:  # fmt: skip
    """Say that an earlier fact was wrong: CHANGES is a JSON file of the fields as they should be."""
    right = files.json_of(changes)
    act(named, school, key, lambda r, ask, who: r.correct(ask, who, corrects=fact_id, changes=right, why=why))


@pupil.command("opt-out")
def opt_out(named: Named, by: Annotated[str, typer.Option(help="parent or pupil.")] = "parent", end: bool = False,
            on: On = None, school: School = None, key: Key = None) -> None:  # fmt: skip
    """Record that no assessment is wanted, or with --end that it is again."""
    if by not in ("parent", "pupil"):
        raise files.BadArgument(f"--by is {by!r}: say parent or pupil")

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
