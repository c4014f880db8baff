"""Handing over on the command line: keys, sealed files, receipts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from astrack.app import App
from astrack.changing import Ask
from astrack.cli import common as c
from astrack.cli import files
from astrack.cli.files import write
from astrack.cli.mailbox import carrier
from astrack.handover import Handover, keyring
from astrack.handover.together import Done, Together
from astrack.mailbox.post import NoBox
from astrack.records import Records
from domain.scope import Scope
from projections import pupils as pupils_view
from transfer.errors import BadKeyDocument
from transfer.keys.directory import ASK
from transfer.package import SUFFIX

transfer = typer.Typer(help="Hand records over, and take them in.", no_args_is_help=True)
keys = typer.Typer(help="This school's public keys, and those of the schools it deals with.", no_args_is_help=True)
School = Annotated[str | None, c.SchoolOption]
Key = Annotated[str | None, c.KeyOption]
Words = Annotated[str | None, typer.Option(help="The eight words heard over the telephone; for keys not known yet.")]
Folder = Annotated[Path, typer.Option("--out", help="The folder to write to.")]
HERE = Path()
GROUP_MAX = 1_000


@keys.command("show")
def show_keys(out: Folder = HERE, school: School = None) -> None:
    """Write this school's public key document, for the schools that send it records."""
    with c.school_opened(school) as (_, records):
        path = files.folder(out) / f"{records.school_id}.keys"
        write(path, Handover(records).key_document())
        c.out.print(f"Wrote {path}: give it to the schools that send you records.")


@keys.command("list")
def list_keys(school: School = None) -> None:
    """List the schools and directories whose keys are known here, with their eight words."""
    with c.school_opened(school) as (_, records):
        rows = [
            (one.name, one.urn, one.serial, one.valid_until.date(), one.revoked or "", one.words, one.origin)
            for one in keyring.known(Handover(records))
        ]
        c.table(["who", "URN", "document", "until", "revoked", "words", "log"], rows, "No keys are known yet.")


@keys.command("words")
def words(school: School = None) -> None:
    """Print the eight words to read out to a school that wants to know this one's keys."""
    with c.school_opened(school) as (_, records):
        c.out.print(Handover(records).key_words())


@keys.command("trust")
def trust(file: Path, words: Words = None, school: School = None, key: Key = None) -> None:
    """Take in another school's public key document, once you have compared its eight words over the telephone."""
    document = files.bytes_of(file)
    with c.school_opened(school) as (_, records):
        try:
            c.show(Handover(records).trust(c.asking(key, "dsl"), document, words=words))
        except BadKeyDocument as refused:
            if refused.remedy != ASK or words is not None:
                raise
            remedy = "Ring the school on a number you know, compare the words, and repeat with --words 'WORDS HEARD'."
            raise BadKeyDocument(refused.what, refused.where, remedy) from refused


@keys.command("revoke")
def revoke(
    yes: Annotated[bool, typer.Option("--yes", help="Every key this school has signed with is to be trusted no more.")],
    school: School = None,
    key: Key = None,
) -> None:
    """Revoke this school's keys, because somebody else may have them, and go on with new ones."""
    if not yes:
        raise files.BadArgument("files sealed before are refused from then on: say --yes if the keys must go")
    with c.school_opened(school) as (_, records):
        desk = Handover(records)
        keyring.revoke(desk, c.asking(key, "dsl"))
        c.out.print("The keys so far are revoked. Give every school that knows them, and your directory, the new "
                    f"document (`astrack keys show`); its eight words: {desk.key_words()}")  # fmt: skip


@transfer.command("prepare")
def prepare(
    *,
    pupils: Annotated[
        list[str] | None, typer.Argument(help="Each an id, a UPN, or a part of a name that fits one.")
    ] = None,
    year_group: Annotated[
        int | None, typer.Option(min=0, max=14, help="Everybody in this year whose record is held here.")
    ] = None,
    to: Annotated[Path, typer.Option(help="The receiving school's key document.")],
    accepted: Annotated[str, typer.Option(help="The day the place was accepted.")],
    start: Annotated[str, typer.Option(help="The first day at the new school.")],
    basis: Annotated[
        str, typer.Option(help="legal_obligation, public_task, vital_interests or consent.")
    ] = "legal_obligation",
    consent_by: Annotated[str, typer.Option(help="Whose consent, and when; never a name.")] = "",
    protected: Annotated[bool, typer.Option(help="A protected move: no earlier name, number or school.")] = False,
    out: Folder = HERE,
    school: School = None,
    key: Key = None,
) -> None:
    """Seal the records of pupils for their next school; they are frozen here until the receipt comes."""
    document, out = files.bytes_of(to), files.folder(out)
    with c.school_opened(school) as (app, records):
        desk = Handover(records)
        who = _whom(app, records, pupils or [], year_group)
        with c.progress("Sealing", len(who)) as move:
            done = Together(app, desk).prepare(
                c.asking(key, "dsl"), who, move, to=document, lawful_basis=_basis(basis),
                accepted_on=c.day(accepted, "--accepted"), start_on=c.day(start, "--start"),
                consent_by=consent_by, protected=protected,
            )  # fmt: skip
        write_sealed(desk, out, [UUID(one["transfer_id"]) for one in done.answers])
        c.show({"transfers": done.answers})
        _tell_refused([(str(who[at]), why) for at, why in done.refused])


def _whom(app: App, records: Records, named: list[str], year_group: int | None) -> list[UUID]:
    """The pupils meant: those named, or a whole year group. Raises BadArgument, NoSuchPupil, WhichPupil."""
    if (year_group is None) == (not named):
        raise files.BadArgument("name the pupils, or a whole year group with --year-group, and not both")
    if year_group is None:
        return [c.which_pupil(records, one) for one in named]
    year = Scope(dimensions={"year": frozenset({str(year_group)})})
    app.views.catch_up(records.school_id)
    with app.views.reading(records.school_id) as cur:
        here = pupils_view.listed(cur, records.school_id, year, limit=GROUP_MAX)
    ready = [one.pupil_id for one in here if one.custody == "held"]
    if not ready:
        raise files.BadArgument(f"nobody in Year {year_group} has a record that can be sent: see `astrack pupil list`")
    return ready


def _tell_refused(refused: list[tuple[str, str]]) -> None:
    if refused:
        c.table(["not done", "why"], refused, "")
        raise typer.Exit(files.NOT_ALL)


@transfer.command("file")
def file_(transfer_id: UUID, out: Folder = HERE, school: School = None) -> None:
    """Write the sealed file of a transfer again, as long as it is under way."""
    files.folder(out)
    with c.school_opened(school) as (_, records):
        write_sealed(Handover(records), out, [transfer_id])
        c.out.print(f"Wrote {transfer_id}{SUFFIX} to {out.absolute()}.")


def write_sealed(desk: Handover, out: Path, transfers: list[UUID]) -> None:
    """Write sealed files into a folder. Raises BadArgument, with what writes those again that are left."""
    for number, one in enumerate(transfers):
        sealed = desk.sealed(one)
        try:
            write(out / f"{one}{SUFFIX}", sealed)
        except files.BadArgument as error:
            again = "; ".join(f"`astrack transfer file {left} --out FOLDER`" for left in transfers[number:])
            raise files.BadArgument(f"{error}; the transfer is prepared, write its file again with {again}") from error


def _basis(text: str) -> Any:
    if text not in ("legal_obligation", "public_task", "vital_interests", "consent"):
        raise files.BadArgument(f"--basis is {text!r}: say legal_obligation, public_task, vital_interests or consent")
    return text


@transfer.command("send")
def send(
    transfers: Annotated[list[UUID], typer.Argument(help="Transfers that are prepared.")],
    by: Annotated[
        tuple[str, str], typer.Option(metavar="CARRIER PLACE", help="`mailbox https://HOST`, or `folder PATH`.")
    ],
    school: School = None,
    key: Key = None,
) -> None:
    """Carry sealed files to where their receiver can collect them; done again, it goes on where it broke off."""
    how, place = by
    if how not in ("mailbox", "folder"):
        raise files.BadArgument(f"--by is {how!r}: say `mailbox https://HOST` or `folder PATH`")
    ask = c.asking(key, "dsl")
    with c.school_opened(school) as (app, records):
        for one in transfers:
            if how == "folder":
                _by_folder(Handover(records), ask, one, files.folder(Path(place)))
                continue
            post = carrier(app, records)
            with c.bytes_moving("Sending", len(post.hands.sealed(one))) as move:
                where = post.send(ask, one, place, move)
            c.out.print(f"{one} is {'in the box' if where == 'waiting' else 'with its receiver already'}.")


def _by_folder(desk: Handover, ask: Ask, transfer_id: UUID, out: Path) -> None:
    write_sealed(desk, out, [transfer_id])
    desk.mark(ask, transfer_id, "sent")
    c.out.print(f"Wrote {transfer_id}{SUFFIX} to {out.absolute()}.")


@transfer.command("collect")
def collect(
    words: Words = None,
    drop_refused: Annotated[bool, typer.Option(help="Delete from the box what is refused.")] = False,
    school: School = None,
    key: Key = None,
) -> None:
    """Take in what waits in this school's boxes, send the receipts back, and see which files were collected."""
    with c.school_opened(school) as (app, records):
        post = carrier(app, records)
        if not post.boxes():
            raise NoBox("this school has no box: make one with `astrack mailbox join https://HOST --invite CODE`")
        with c.bytes_moving("Fetching", None) as move:
            events = post.collect(c.asking(key, "dsl"), words=words, drop=drop_refused, progress=move)
        c.table(["what", "transfer", ""], [(one.what, one.transfer_id, one.said) for one in events], "Nothing waits.")
        if any(one.what in ("refused", "failed") for one in events):
            raise typer.Exit(files.NOT_ALL)


@transfer.command("receive")
def receive(
    sealed: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Sealed files; a whole year group at once.")],
    words: Words = None,
    out: Folder = HERE,
    school: School = None,
    key: Key = None,
) -> None:
    """Verify sealed files, take the records over, and write the receipts to send back."""
    for one in sealed:
        files.openable(one)
    out = files.folder(out)
    with c.school_opened(school) as (app, records):
        desk, ask = Handover(records), c.asking(key, "dsl")
        if len(sealed) == 1:
            done = Done([desk.receive(ask, files.bytes_of(sealed[0]), words=words)], [])
        else:
            with c.progress("Taking in", len(sealed)) as move:
                done = Together(app, desk).receive(ask, sealed, move, words)
        for answer in done.answers:
            path = out / answer["receipt_name"]
            write(path, answer["receipt"].encode())
            c.show({name: value for name, value in answer.items() if name != "receipt"})
            c.out.print(f"Wrote {path}: send it back to the school the file came from.")
        _tell_refused([(sealed[at].name, why) for at, why in done.refused])


@transfer.command("refuse")
def refuse(
    sealed: Path,
    reason: Annotated[str, typer.Option(help="One word in lower case: not_expected, say.")] = "not_expected",
    words: Words = None,
    out: Folder = HERE,
    school: School = None,
) -> None:
    """Send a sealed file back without taking it in: writes the receipt that says so, for the sender."""
    data, out = files.bytes_of(sealed), files.folder(out)
    with c.school_opened(school) as (_, records):
        answer = Handover(records).refuse(data, reason, words=words)
        path = out / answer["receipt_name"]
        write(path, answer["receipt"].encode())
        c.out.print(f"Wrote {path}: send it to {answer['from'] or 'the school the file came from'}. The file is not "
                    "taken in here any more.")  # fmt: skip


@transfer.command("acknowledge")
def acknowledge(
    receipts: Annotated[list[Path], typer.Argument(metavar="RECEIPT...", help="Receipts; many at once.")],
    school: School = None,
    key: Key = None,
) -> None:
    """Take in receipts of the receiving school: custody is theirs from now on."""
    data = [files.bytes_of(one) for one in receipts]
    with c.school_opened(school) as (app, records):
        desk, ask = Handover(records), c.asking(key, "dsl")
        if len(data) == 1:
            c.show(desk.acknowledge(ask, data[0]))
            return
        with c.progress("Acknowledging", len(data)) as move:
            done = Together(app, desk).acknowledge(ask, data, move)
        c.show(done.answers)
        _tell_refused([(receipts[at].name, why) for at, why in done.refused])


@transfer.command("withdraw")
def withdraw(transfer_id: UUID, school: School = None, key: Key = None) -> None:
    """Call a transfer off before it was acknowledged; the record goes on here."""
    with c.school_opened(school) as (_, records):
        c.show(Handover(records).withdraw(c.asking(key, "dsl"), transfer_id))


@transfer.command("recall")
def recall(transfer_id: UUID, out: Folder = HERE, school: School = None) -> None:
    """Write the signed notice that a transfer was called off, for the school that may hold its file."""
    out = files.folder(out)
    with c.school_opened(school) as (_, records):
        path = out / f"{transfer_id}.recall"
        write(path, Handover(records).recall(transfer_id))
        c.out.print(f"Wrote {path}: send it to the school that the file was for. It deletes nothing there.")


@transfer.command("recalled")
def recalled(notice: Path, school: School = None, key: Key = None) -> None:
    """Take in another school's notice: its file is not taken in any more."""
    data = files.bytes_of(notice)
    with c.school_opened(school) as (_, records):
        c.show(Handover(records).take_recall(c.asking(key, "dsl"), data))


@transfer.command("list")
def list_(school: School = None) -> None:
    """List the transfers of this school, newest first."""
    with c.school_opened(school) as (_, records):
        rows = [
            (one["at"], one["direction"], one["kind"], one["state"], one["not_after"], one["transfer_id"])
            for one in Handover(records).transfers(500)
        ]
        c.table(["when", "", "kind", "state", "until", "transfer"], rows, "No transfers yet.")
