"""Looking back and proving: replay, verify, rebuild, check the store, write an audit bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from astrack import replay as looking_back
from astrack.cli import common as c
from astrack.cli import files
from astrack.cli.files import folder, write_pieces
from astrack.handover import Handover
from astrack.store import KeyMissing, SchoolLog, roots
from astrack.store.backup import read_heads
from astrack.store.fsck import check_store
from astrack.store.rootkey import NOT_OPENED
from astrack.store.types import Finding
from domain import risk
from domain.base import DomainError, Fact
from domain.journey.rederive import Difference
from transfer import verify as verifying

FACTORS = ("self-disclosure", "trust of self", "trust of others", "seeking change")


class Unsound(DomainError):
    """Something stored or sealed is not what was written."""


def replay(
    named: Annotated[str, typer.Argument(metavar="PUPIL", help="The pupil: id, UPN, or a part of the name.")],
    as_of: Annotated[str, typer.Option("--as-of", help="The day, YYYY-MM-DD.")],
    school: Annotated[str | None, c.SchoolOption] = None,
) -> None:
    """What the school knew of a pupil on a day: by recorded time, and by the day things happened where that differs."""
    day = c.day(as_of, "--as-of")
    with c.school_opened(school) as (app, records):
        if day > app.clock().date():
            raise files.BadArgument(f"--as-of is {day}, a day to come: nothing is known of it yet, name an earlier one")
        found = looking_back.as_of(records, c.which_pupil(records, named), day)
    journey = found.journey
    c.out.print(
        f"As known at the end of {day} (UTC): the log had {found.position} entries, {len(found.known)} about this pupil"
    )
    c.out.print(c.standing(journey))
    c.out.print(f"{len(journey.flags)} flags ({len(journey.waiting_flags())} to review), {len(journey.plans)} plans")
    if found.levels:
        rows = [
            (name, *(f"{found.levels[0][i]:.1f} ± {1.96 * found.levels[1][i]:.1f}" for i in (n, n + 4)))
            for n, name in enumerate(FACTORS)
        ]
        c.table(["as the model reckoned it then", "in general", "in school"], rows, "")
    c.table(
        ["happened", "recorded here", "what", "by", ""], (_line(fact) for fact in found.known), "Nothing was known yet."
    )
    if found.late:
        c.out.print(f"\nHad happened by {day}, but was recorded here only later:")
        c.table(["happened", "recorded here", "what", "by", ""], (_line(fact) for fact in found.late), "")


def _line(fact: Fact) -> tuple[object, ...]:
    event = fact.event
    return (
        event.day,
        c.instant_text(fact.recorded_at),
        type(event).__name__,
        event.by.role,
        "imported" if fact.origin else "",
    )


def check(
    school: Annotated[str | None, c.SchoolOption] = None,
    heads: Annotated[Path | None, typer.Option(help="heads.json of a backup's keys: finds an older record.")] = None,
) -> None:
    """Check everything stored: every chain, leaf, column, key and grant; says exactly what is wrong and where."""
    known = read_heads(heads) if heads else {}
    with c.opened() as app:
        wanted = app.store.schools() if school is None else None
        if wanted is None:
            with c.school_opened(school) as (_, one):
                wanted = [one.school_id]
        if not wanted:
            raise c.WhichSchool("no school is kept here, so there is nothing to check: look at ASTRACK_HOME and "
                                "ASTRACK_DATABASE, or set a school up with `astrack school add NAME`")  # fmt: skip
        wrong = 0
        for school_id in wanted:
            log = app.store.log(school_id)
            for finding in _findings(log, known.get(school_id)):
                wrong += 1
                c.out.print(f"school {school_id}{c.at(finding.position)}: {finding.what}")
            c.out.print(f"school {school_id}: {log.size()} entries looked at, {_covered(log)}")
        if wrong:
            raise Unsound(
                f"what is listed is wrong in the store ({wrong}): do what it says, restore a backup, or ask for help"
            )
        c.out.print("Sound: every chain, count and leaf is as written.")


def _findings(log: SchoolLog, known: tuple[int, bytes] | None) -> Iterator[Finding]:
    """What is wrong; a key that opens nothing is told once, however many places it is met at."""
    told = False
    try:
        for one in check_store(log, known):
            told = told or NOT_OPENED in one.what
            yield one
    except KeyMissing as error:
        if not told:
            yield Finding(-1, str(error))


def _covered(log: SchoolLog) -> str:
    newest = roots.newest(log)
    if newest is None:
        return "no root of theirs kept yet: `astrack serve` keeps one every hour"
    return f"{newest[0]} of them under the root kept at {c.instant_text(newest[1])}"


def rebuild(
    names: Annotated[list[str] | None, typer.Argument(help="The read models; all when left out.")] = None,
    school: Annotated[str | None, c.SchoolOption] = None,
) -> None:
    """Build the read models anew from the log; pages read the old ones until the new are ready."""
    with c.opened() as app:
        wanted = None
        if school is not None:
            with c.school_opened(school) as (_, one):
                wanted = [one.school_id]
        total = sum(app.store.log(one).size() for one in (wanted or app.store.schools()))
        with c.progress("Rebuilding", total) as move:
            app.views.rebuild(wanted, names or None, move)
        c.out.print(f"Rebuilt from {total} events.")


bundles = typer.Typer(help="What an outside auditor needs.", no_args_is_help=True)


@bundles.command("flags")
def flags(
    named: Annotated[str | None, typer.Argument(metavar="PUPIL", help="One pupil; everybody when left out.")] = None,
    school: Annotated[str | None, c.SchoolOption] = None,
) -> None:
    """Score sittings and derive flags again, with the instrument, rules and model each names; report differences."""
    with c.school_opened(school) as (_, records):
        who = [c.which_pupil(records, named)] if named else list(c.every_pupil(records))
        found: list[tuple[UUID, Difference]] = []
        earlier: dict[int, float] = {}
        unknown: set[str] = set()
        with c.progress("Deriving", len(who)) as move:
            for pupil_id in who:
                again = looking_back.again(records, pupil_id)
                found += [(pupil_id, one) for one in again.differences]
                earlier |= again.earlier
                unknown |= again.unknown
                move(1)
        for algorithm, near in sorted(earlier.items()):
            c.out.print(f"Some flags were reckoned by algorithm {algorithm}; this version reckons by {risk.ALGORITHM}: "
                        f"their probabilities are compared to within {near}.")  # fmt: skip
        for name in sorted(unknown):
            c.out.print(f"The instrument {name} is not installed here: sittings that name it were not scored again.")
        for pupil_id, one in found:
            c.out.print(f"pupil {pupil_id}, sitting of {one.on}: {one.what}")
        if found:
            raise Unsound(
                f"{len(found)} scores or flags come out otherwise than recorded: show the list to whoever keeps the "
                "model and the instruments"
            )
        c.out.print(f"The scores and flags of {len(who)} pupils come out as recorded.")


@bundles.command("bundle")
def bundle(
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path(),
    school: Annotated[str | None, c.SchoolOption] = None,
    key: Annotated[str | None, c.KeyOption] = None,
) -> None:
    """Write every entry, checkpoint and key of a school's log, nothing personal, for `astrack verify FILE`."""
    folder(out)
    with c.school_opened(school) as (_, records):
        name, chunks = Handover(records).audit_bundle(c.asking(key, "auditor"))
        with c.progress("Writing", None) as move:
            size = write_pieces(out / name, (chunk for chunk in chunks if move(1) is None))
        c.out.print(f"Wrote {out / name}, {size:,} bytes.")


def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Sealed files, bundles, receipts, folders; the store when left out.")
    ] = None,
    identity: Annotated[list[Path] | None, typer.Option(help="An age key file that opens them.")] = None,
    trust: Annotated[list[Path] | None, typer.Option(help="A key document you trust.")] = None,
    witness: Annotated[list[Path] | None, typer.Option(help="A file of witnesses' verifier keys.")] = None,
    school: Annotated[str | None, c.SchoolOption] = None,
) -> None:
    """Verify the store, or sealed files, receipts and audit bundles; says exactly what is wrong and where."""
    if not files:
        check(school)
        return
    arguments = [str(path) for path in files]
    for name, given in (("--identity", identity), ("--trust", trust), ("--witness", witness)):
        arguments += [part for path in given or () for part in (name, str(path))]
    raise typer.Exit(verifying.main(arguments))
