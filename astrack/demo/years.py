"""Ten years of the demo: a primary school, the hand-over each July, the secondary school, a move away and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import UUID

from astrack import roster
from astrack.cli.files import write
from astrack.demo import story
from astrack.demo.cast import Pupil
from astrack.demo.story import Stage
from astrack.handover import Handover
from astrack.records import Records
from domain.base import Actor
from domain.identity import SchoolName
from domain.school_year import academic_year
from transfer.rosters import ctf

Members = list[tuple[UUID, Pupil]]
LAST_PRIMARY_YEAR, LAST_YEAR = 6, 13
PLOT: dict[tuple[int, str], dict[int, float]] = {
    (1, "Spring"): {4: -0.9, 6: -0.7},
    (1, "Summer"): {4: -0.7, 6: -0.6},
    (3, "Autumn"): {4: 0.5, 6: 0.4},
    (6, "Autumn"): {3: 0.8, 7: 1.1},
    (6, "Summer"): {3: 0.6, 7: 0.6, 1: -0.8},
}
"""The plot around the pupil the README shows: (year of the story, round) -> which of the eight levels move, and how."""
PRIMARY_ROUNDS = ("Autumn", "Spring", "Summer")
ACADEMY_ROUNDS = ("Autumn", "Summer")
ROUND_INDEX = {"Autumn": 0, "Spring": 1, "Summer": 2}


@dataclass(slots=True)
class School:
    """One school of the story: its records, its hand-over desk, its classes by year group."""

    name: SchoolName
    records: Records
    desk: Handover
    classes: dict[int, Members] = field(default_factory=dict)


def sittings_ahead(class_size: int) -> int:
    """About how many sittings the ten years hold, for the progress bar."""
    total = 0
    for first in (4, 5, 6):
        total += class_size * len(PRIMARY_ROUNDS) * (LAST_PRIMARY_YEAR - first + 1)
        last = LAST_YEAR if first == 4 else LAST_YEAR - 2
        total += class_size * len(ACADEMY_ROUNDS) * (last - LAST_PRIMARY_YEAR)
    return total


def first_roster(stage: Stage, primary: School, classes: list[list[Pupil]], folder: Path, begin: int) -> None:
    """The office imports the roster file: first a dry run, then for good, then once more, which changes nothing."""
    day = stage.clock.go_to(date(begin, 9, 5))
    header = ctf.Header(source=primary.name, dest=None, created=stage.clock())
    everybody = [(one.person, 4 + n) for n, members in enumerate(classes) for one in members]
    data = ctf.write(header, everybody)
    write(folder / ctf.file_name(header), data)
    plan = roster.plan(primary.records, data, day)
    roster.apply(primary.records, stage.ask(stage.office()), plan)
    again = roster.plan(primary.records, data, day)
    if again.new or again.changed or again.leavers:
        raise AssertionError("the same roster again would change something")
    found = {}
    for streams in primary.records.log.pupils(1000):
        person = primary.records.identity(streams.pupil_id).person
        if person:
            found[person.upn] = streams.pupil_id
    for n, members in enumerate(classes):
        primary.classes[4 + n] = [(found[one.person.upn], one) for one in members]


def school_year(stage: Stage, primary: School, academy: School, year: int, begin: int) -> None:
    """One academic year at both schools: terms, groups, rounds."""
    stage.clock.go_to(date(year, 9, 6))
    for school in (primary, academy):
        if school.classes:
            terms = story.terms_of(year)
            school.records.set_term_dates(
                stage.ask(stage.office()), academic_year=academic_year(date(year, 9, 6)), terms=terms
            )
            _group(stage, school)
    for name in PRIMARY_ROUNDS:
        for school, rounds in ((primary, PRIMARY_ROUNDS), (academy, ACADEMY_ROUNDS)):
            if school.classes and name in rounds:
                _thicken(school, PLOT.get((year - begin, name), {}))
                _round(stage, school, name, year)


def _thicken(school: School, pulls: dict[int, float]) -> None:
    for members in school.classes.values():
        for _, pupil in members:
            if pupil.person.forename == "Mabli":
                for place, pull in pulls.items():
                    pupil.drift[place] += pull


def _group(stage: Stage, school: School) -> None:
    today = stage.clock.today
    for year_group, members in school.classes.items():
        groups = story.groups_of(tutor_group(year_group))
        who = [pupil_id for pupil_id, _ in members]
        school.records.regroup_class(stage.ask(stage.office()), who, on=today, year_group=year_group, groups=groups)


def tutor_group(year_group: int) -> str:
    """The one tutor group of a year."""
    return f"{year_group}A"


def _round(stage: Stage, school: School, name: str, year: int) -> None:
    first = max(story.round_days(year)[ROUND_INDEX[name]], stage.clock.today)
    title = f"{name} {academic_year(first)}"
    round_id = story.open_a_round(stage, school.records, title, first, sorted(school.classes))
    classes = {tutor_group(year_group): members for year_group, members in school.classes.items()}
    story.sit_a_round(stage, school.records, round_id, classes, title)


def move_up(stage: Stage, primary: School, academy: School, year: int, folder: Path) -> None:
    """July: Year 6 is handed over to the academy, Year 13 ends, two cohorts end with Year 11, the rest move up."""
    academy.classes.pop(LAST_YEAR, None)
    _a_year_up(academy)
    sixth_form = academy.classes.get(LAST_YEAR - 1, [])
    if not any(pupil.person.forename == "Mabli" for _, pupil in sixth_form):
        academy.classes.pop(LAST_YEAR - 1, None)
    leavers = primary.classes.pop(LAST_PRIMARY_YEAR, [])
    _a_year_up(primary)
    if leavers:
        stage.clock.go_to(date(year + 1, 7, 10))
        hand_over(stage, primary, academy, leavers, folder, start=date(year + 1, 9, 5))
        stage.clock.go_to(date(year + 1, 9, 5))
        arrive(stage, academy, leavers, LAST_PRIMARY_YEAR + 1)


def _a_year_up(school: School) -> None:
    school.classes = {year_group + 1: members for year_group, members in school.classes.items()}


def hand_over(stage: Stage, sender: School, receiver: School, members: Members, folder: Path, *, start: date) -> None:
    """Seal, carry, receive, send the receipt back, acknowledge; and put the new ids in place of the old."""
    lead = dsl(stage, sender)
    meet(stage, sender, receiver)
    stage.app.views.catch_up(sender.records.school_id)
    answer = sender.desk.prepare(
        stage.ask(lead), [pupil_id for pupil_id, _ in members], to=receiver.desk.key_document(),
        lawful_basis="legal_obligation", accepted_on=stage.clock.today, start_on=start,
    )  # fmt: skip
    for place, one in enumerate(answer["transfers"]):
        transfer_id = UUID(one["transfer_id"])
        sealed = sender.desk.sealed(transfer_id)
        write(folder / "sealed" / one["file_name"], sealed)
        sender.desk.mark(stage.ask(lead), transfer_id, "sent")
        taken = receiver.desk.receive(stage.ask(dsl(stage, receiver)), sealed)
        receipt = receiver.desk.receipt(transfer_id)
        write(folder / "receipts" / f"{transfer_id}.receipt", receipt)
        sender.desk.acknowledge(stage.ask(lead), receipt)
        sender.records.leave(stage.ask(stage.office()), members[place][0], on=stage.clock.today)
        members[place] = (UUID(taken["pupil_id"]), members[place][1])
        stage.moved("Handing over", 0)
    keep_keys(receiver, folder)
    for school in (sender, receiver):
        stage.app.views.catch_up(school.records.school_id)


def keep_keys(school: School, folder: Path) -> None:
    """Write the school's age identities, which open what was sealed for it; secrets, in a demo only."""
    stem = school.name.name.lower().replace(" ", "-")
    for name, text in school.desk.key_files().items():
        write(folder / "keys" / f"{stem}-{name}", text.encode())


def meet(stage: Stage, one: School, other: School) -> None:
    """Two schools exchange key documents, and read each other the eight words over the telephone."""
    for here, there in ((one, other), (other, one)):
        here.desk.trust(stage.ask(dsl(stage, here)), there.desk.key_document(), words=there.desk.key_words())


def arrive(stage: Stage, school: School, members: Members, year_group: int) -> None:
    """The first day at the new school."""
    for pupil_id, _ in members:
        school.records.return_to_roll(
            stage.ask(stage.office()), pupil_id, on=stage.clock.today, year_group=year_group,
            groups=story.groups_of(tutor_group(year_group)),
        )  # fmt: skip
    school.classes[year_group] = members


def dsl(stage: Stage, school: School) -> Actor:
    """The designated safeguarding lead of a school."""
    return stage.tutors.setdefault(f"dsl {school.records.school_id}", Actor(id=stage.app.new_id(), role="dsl"))


def away_and_back(stage: Stage, academy: School, other: School, folder: Path, year: int) -> None:
    """In February one pupil of Year 8 moves away, sits a round there, and comes back after Easter."""
    members = academy.classes[8]
    gone = [members.pop(5)]
    stage.clock.go_to(date(year + 1, 1, 9))
    hand_over(stage, academy, other, gone, folder, start=stage.clock.today)
    arrive(stage, other, gone, 8)
    _round(stage, other, "Spring", year)
    stage.clock.go_to(date(year + 1, 4, 20))
    other.classes.clear()
    hand_over(stage, other, academy, gone, folder, start=stage.clock.today)
    arrive(stage, academy, gone, 8)
    members.insert(5, gone[0])
    academy.classes[8] = members
