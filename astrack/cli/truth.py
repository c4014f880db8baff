"""How right early signs have been, whether groups fare alike, a study's export, totals of licensed instruments."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from astrack import fairness as fair
from astrack import questions as asked
from astrack import study as studies
from astrack import totals as licensed_totals
from astrack.cli import common as c
from astrack.cli import files
from astrack.cli.files import write
from domain.background import WATCHABLE
from domain.fairness import CELL_LEAST, DIF_LEAST
from domain.review import load_of
from domain.scoring.reliability import PUPILS_LEAST, Estimate
from domain.study import KEY_LEAST
from domain.truth import Figure
from projections import truth as read_model

study = typer.Typer(help="A prospective study.", no_args_is_help=True)
totals = typer.Typer(help="Totals of instruments the school has a licence for.", no_args_is_help=True)
School = Annotated[str | None, c.SchoolOption]
TOO_FEW = f"too few: {CELL_LEAST} here and {CELL_LEAST} others are needed"


def truth(school: School = None) -> None:
    """How right have we been: staff agreement, and PPV, sensitivity and specificity against later outcomes."""
    with c.school_opened(school) as (app, records):
        app.views.catch_up(records.school_id)
        with app.views.reading(records.school_id) as cur:
            found = read_model.right(cur, records.school_id, app.clock().date())
    rows = [
        ("staff agree with flags (not a PPV)", *_told(found.staff.agreed)),
        ("new to us, of those", *_told(found.staff.new)),
        ("PPV: flag, then an outcome", *_told(found.truth.ppv)),
        ("sensitivity", *_told(found.truth.sensitivity)),
        ("specificity", *_told(found.truth.specificity)),
    ]
    c.table(["figure", "share", "95 % interval", "resting on"], rows, "")
    c.out.print(f"{found.truth.outcomes} pupils with an outcome; {found.truth.not_followed_up} flags not followed up; "
                f"{found.staff.unreviewed} not reviewed; {found.drawn} looks at pupils a round drew.")  # fmt: skip


def _told(one: Figure) -> tuple[str, str, str]:
    if one.value is None or one.low is None or one.high is None:
        return "withheld", "", "; ".join(f"{need.counted} of the {need.needed} {need.of} needed" for need in one.lacks)
    return f"{one.value:.2f}", f"{one.low:.2f} to {one.high:.2f}", str(one.counted)


def fairness(school: School = None) -> None:
    """Do groups fare alike: flag rates by group, and items that a group answers otherwise; small groups withheld."""
    with c.school_opened(school) as (app, records):
        rates = fair.flag_rates(app, records.school_id)
        with c.progress("Comparing", None) as move:
            items = asked.questions(app, records.school_id, move).items
        watched = records.school_state().watched
    heads = ["field", "group", "pupils", "with a sign (95 %)", "more than the others (95 %)"]
    c.table(heads, map(_rate, rates), "Nobody has sat a round yet.")
    for one in items:
        _say_items(one)
    names = ", ".join(WATCHABLE[name] for name in watched)
    c.out.print(f"Of pupils' background the school looks at: {names or 'nothing'} (astrack school backgrounds).")


def _say_items(items: asked.Items) -> None:
    tool = items.instrument
    c.out.print(f"{tool.title}, {tool.name} {tool.version}: the newest sitting of {items.pupils} pupils")
    c.table(["field", "group", "items compared", "notable", "furthest off (95 %)"], map(_items, items.groups), "")
    c.table(["item", "field", "group", "difference (95 %)", "p"], [
        (one.item, one.dimension, one.name, _apart(one), f"{one.said.p:.4f}") for one in items.notable
    ], "No item stands out.")  # fmt: skip
    c.out.print(f"{items.compared} comparisons of items made, {items.withheld} withheld "
                f"(fewer than {DIF_LEAST} on one side).")  # fmt: skip


def _rate(one: fair.Rate) -> tuple[object, ...]:
    if one.rate.flagged is None or one.rate.more is None:
        return one.dimension, one.name, TOO_FEW, "", ""
    more = "{:+.2f} ({:+.2f}, {:+.2f})".format(*one.rate.more)
    with_sign = f"{one.rate.flagged.value:.2f} ({one.rate.flagged.low:.2f}, {one.rate.flagged.high:.2f})"
    return one.dimension, one.name, one.rate.of, with_sign, more


def _items(one: asked.OfGroup) -> tuple[object, ...]:
    if one.widest is None:
        return one.dimension, one.name, f"too few: {DIF_LEAST} on each side are needed", "", ""
    return one.dimension, one.name, one.compared, one.notable, f"{one.widest.item} {_apart(one.widest)}"


def _apart(one: asked.Differing) -> str:
    return f"{one.said.smd:+.2f} ({one.said.low:+.2f}, {one.said.high:+.2f})"


def reliability(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False, school: School = None
) -> None:
    """How repeatable are answers: within a sitting (alpha) and from one to the next (correlation, ICC), kept apart."""
    with c.school_opened(school) as (app, records), c.progress("Reading answers", None) as move:
        scales = asked.questions(app, records.school_id, move).scales
    if as_json:
        c.show([{"factor": one.factor, "context": one.context, **asdict(one.said)} for one in scales])
        return
    c.table(["factor", "context", "within a sitting: alpha", "sitting to sitting: correlation", "ICC(2,1)"], [
        (one.factor, one.context, *map(_estimate, (one.said.alpha, one.said.retest, one.said.icc))) for one in scales
    ], "")  # fmt: skip
    c.out.print("In brackets the 95 % interval and how many pupils. True change lowers the two on the right.")


def _estimate(one: Estimate) -> str:
    if one.value is None:
        return f"too few: {one.pupils} of {PUPILS_LEAST} pupils, or all alike"
    return f"{one.value:.2f} ({one.low:.2f}, {one.high:.2f}; {one.pupils})"


def backgrounds(
    watch: Annotated[str, typer.Option(help=f"Fields to look at, such as {','.join(WATCHABLE)}.")] = "",
    purpose: Annotated[str, typer.Option(help="What the school looks at these groups for; it goes on record.")] = "",
    school: School = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Say in which fields of pupils' background to look whether groups fare alike; without --watch, in none."""
    wanted = [one.strip() for one in watch.split(",") if one.strip()]
    fields = [name for name in WATCHABLE if name in wanted]
    if len(fields) != len(wanted):
        raise files.BadArgument(f"--watch takes {', '.join(WATCHABLE)}, with commas between them")
    with c.school_opened(school) as (_, records):
        c.show(records.watch_backgrounds(c.asking(key), fields, purpose))


@study.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    key_file: Annotated[Path, typer.Option("--key-file", help="The study's key: 32 random bytes or more.")],
    school: School = None,
) -> None:
    """Write the pseudonymous table of a prospective study: months, codes, probabilities; no names, days or answers.

    It is still personal data: it needs an agreement, an impact assessment and an end date. Keep the key apart from it.
    """
    key = files.bytes_of(key_file)
    if len(key) < KEY_LEAST:
        raise files.BadArgument(f"the study's key has {len(key)} bytes: make one of at least {KEY_LEAST} random ones")
    with c.school_opened(school) as (_, records):
        who = list(c.every_pupil(records))
        with c.progress("Exporting", len(who)) as move:
            table = studies.export(records, key, who, move)
    write(out, table.encode())
    c.out.print(f"Wrote {table.count(chr(10)) - 1} rows to {out}.")


@totals.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV: pupil, on, and a column for each scale.")],
    instrument: Annotated[Path, typer.Option(help="JSON: name, version, licence, totals (each scale: least, most).")],
    dry_run: Annotated[bool, typer.Option(help="Say what would be taken in; write nothing.")] = False,
    school: School = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Take in the totals of a licensed instrument; its items are never read. No early sign rests on them.

    The same file again changes nothing; a mended one corrects what is on record of the same pupil and day.
    """
    of, content = licensed_totals.instrument_of(files.bytes_of(instrument)), files.bytes_of(file)
    with c.school_opened(school) as (app, records):
        lines, ask = licensed_totals.read(of, content, c.by_number(records), app.clock().date()), c.asking(key)
        of_pupils = len({one.pupil_id for one in lines})
        with c.progress("Comparing", len(lines)) as move:
            said = licensed_totals.expected(records, ask, of, lines, move)
        c.out.print(f"{of.name} {of.version}: totals of {of_pupils} pupils in {len(lines)} rows: {said['new']} new, "
                    f"{said['mended']} that correct what is on record, {said['known']} on record already.")  # fmt: skip
        if dry_run:
            c.out.print("A dry run: nothing was written.")
            return
        with c.progress("Taking in", len(lines)) as move:
            licensed_totals.take_in(records, ask, of, lines, move)


def review_load(
    most: Annotated[float, typer.Option(help="At most so many pupils of a class of 30 on the list at once.")] = 5,
    least: Annotated[float, typer.Option(help="What to expect at the least.")] = 3,
    unflagged: Annotated[float, typer.Option(help="How many of them drawn without a sign, on average.")] = 1,
    school: School = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Set how many pupils a tutor is asked to look at."""
    load = load_of(least=least, most=most, unflagged=unflagged)
    with c.school_opened(school) as (_, records):
        c.show(records.set_review_load(c.asking(key), load))
