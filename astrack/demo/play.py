"""Plays the demo: sets the stage, runs the story, audits, sums up, and shows the pages."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from astrack import ids, replay
from astrack.app import App, utc_now
from astrack.cli import common as c
from astrack.cli.files import write
from astrack.demo import doors, years
from astrack.demo.cast import cast
from astrack.demo.clock import StoryClock
from astrack.demo.fresh import forget_earlier
from astrack.demo.story import Stage
from astrack.demo.years import School
from astrack.handover import Handover
from astrack.handover.withholding import Choice
from astrack.settings import Settings
from astrack.store.fsck import check_store
from domain.identity import SchoolName
from domain.journey import facts
from domain.school_year import eighteenth_birthday
from transfer import reader

SEED = 20
VERIFY_S = 300
YEARS = 10
NORTHFIELD = ("Northfield Brook Primary School", "900101", "330", "2345")
WESTCLIFF = ("Westcliff Academy", "900202", "330", "4205")
HARBOUR = ("Harbour High School", "900303", "330", "4317")
OUTPUTS = ("sealed", "receipts", "student", "keys", "audit")


def first_year(today: date) -> int:
    """The academic year in which the story begins, so that its ten years end in the past."""
    anchor = today - timedelta(days=120)
    return (anchor.year if anchor.month >= 9 else anchor.year - 1) - YEARS + 1


def play(folder: Path, *, once: bool, port: int, class_size: int = 30) -> None:
    """Play everything into ``folder``, in place of earlier outputs there; then serve the pages unless ``once``."""
    began = time.monotonic()
    for name in OUTPUTS:
        shutil.rmtree(folder / name, ignore_errors=True)
    begin = first_year(utc_now().date())
    clock = StoryClock(date(begin, 9, 1))
    settings = forget_earlier(Settings.from_environment())
    with App.open(settings, clock, ids.maker(clock)) as app:
        schools = _perform(app, clock, folder, begin, class_size)
        verified = _verified(folder, schools)
        summary = {**_counts(schools), "verified": verified, "seconds": round(time.monotonic() - began, 1)}
        write(folder / "summary.json", (json.dumps(summary, indent=2) + "\n").encode())
        _say(summary, folder)
        if not verified:
            sys.exit(1)
        if not once:
            app.clock = utc_now
            doors.serve(app, schools, port)


def _perform(app: App, clock: StoryClock, folder: Path, begin: int, class_size: int) -> list[School]:
    primary, academy, harbour = schools = [_school(app, *one) for one in (NORTHFIELD, WESTCLIFF, HARBOUR)]
    with c.progress("Ten years of sittings", years.sittings_ahead(class_size)) as move:
        stage = Stage(app, clock, np.random.default_rng(SEED), lambda _, done: move(done))
        classes = cast(begin, NORTHFIELD[2], NORTHFIELD[3], class_size, stage.chance)
        years.first_roster(stage, primary, classes, folder, begin)
        for year in range(begin, begin + YEARS):
            years.school_year(stage, primary, academy, year, begin)
            if year == begin + 4:
                years.away_and_back(stage, academy, harbour, folder, year)
            heroine = _student(stage, academy, folder) if year == begin + YEARS - 1 else None
            years.move_up(stage, primary, academy, year, folder)
    assert heroine is not None
    _audit(stage, schools, heroine, folder)
    return schools


def _school(app: App, name: str, urn: str, lea: str, estab: str) -> School:
    school_id = app.new_id()
    records = app.create_school(school_id)
    stated = SchoolName(school_id=school_id, name=name, urn=urn, lea=lea, estab=estab)
    records.register_school(c.asking(f"demo-{urn}"), stated)
    return School(stated, records, Handover(records))


def _student(stage: Stage, academy: School, folder: Path) -> UUID:
    """In the summer of Year 13 one student of 18 takes their record."""
    stage.clock.go_to(stage.clock.today + timedelta(days=14))
    pupil_id = academy.classes[years.LAST_YEAR][0][0]
    person = academy.records.identity(pupil_id).person
    assert person is not None
    eighteen = eighteenth_birthday(person.date_of_birth)
    dsl = stage.ask(years.dsl(stage, academy))
    answer = academy.desk.students_copy(dsl, pupil_id, eighteen_on=eighteen, choice=Choice(notes_read=True))
    write(folder / "student" / answer["file_name"], academy.desk.sealed(UUID(answer["transfer_id"])))
    write(folder / "student" / reader.NAME, reader.page())
    write(folder / "student" / "recovery-sheet.pdf", base64.b64decode(answer["recovery_pdf"]))
    write(folder / "student" / "recovery-sheet.txt", answer["recovery_sheet"].encode())
    write(folder / "keys" / "student.agekey", answer["student_key"].encode())
    return pupil_id


def _audit(stage: Stage, schools: list[School], heroine: UUID, folder: Path) -> None:
    """An auditor takes each school's bundle, and looks back at a day."""
    for school in schools:
        auditor = stage.ask(
            stage.tutors.setdefault("auditor", stage.tutor("auditor").model_copy(update={"role": "auditor"}))
        )
        name, chunks = school.desk.audit_bundle(auditor)
        write(folder / "audit" / name, b"".join(chunks))
        years.keep_keys(school, folder)
    academy = schools[1]
    _, story = academy.records.journey(heroine)
    day = story[len(story) * 2 // 3].recorded_at.date()
    found = replay.as_of(academy.records, heroine, day)
    c.err.print(
        f"An auditor looks back at {day}: {len(found.known)} facts about this pupil were known, "
        f"{len(found.late)} came later"
    )
    for school in schools:
        stage.app.views.catch_up(school.records.school_id)


def _verified(folder: Path, schools: list[School]) -> bool:
    """The outputs in a process of their own, without our database; then the store itself."""
    command = [sys.executable, "-m", "transfer.verify", str(folder)]
    with c.progress("Verifying", None):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as verifier:
            sound = all(not list(check_store(school.records.log)) for school in schools)
            said, _ = verifier.communicate(timeout=VERIFY_S)
    if verifier.returncode != 0:
        c.err.print(said[-2000:])
    return verifier.returncode == 0 and sound


def _counts(schools: list[School]) -> dict[str, int]:
    """What the logs hold; a fact that was imported counts once, where it was first recorded."""
    tally = dict.fromkeys(("pupils", "events", "assessments", "flags", "plans", "transfers"), 0)
    kinds = {facts.AssessmentSat: "assessments", facts.FlagRaised: "flags", facts.PlanOpened: "plans",
             facts.CustodyReleased: "transfers", facts.OwnershipPassed: "transfers"}  # fmt: skip
    seen: set[UUID] = set()
    for school in schools:
        after = -1
        while page := school.records.log.page(after, 5000):
            after = page[-1].position
            tally["events"] += len(page)
            for fact in page:
                name = kinds.get(type(fact.event))
                if name and fact.event.event_id not in seen:
                    tally[name] += 1
                    seen.add(fact.event.event_id)
                if isinstance(fact.event, facts.PupilEnrolled) and not fact.origin:
                    tally["pupils"] += fact.event.event_id not in seen and school is schools[0]
    return tally


def _say(summary: dict[str, Any], folder: Path) -> None:
    c.table(["", ""], ((name, f"{value:,}" if type(value) is int else value) for name, value in summary.items()), "")
    c.out.print(f"The outputs are in {folder}: verify them yourself with `python -m transfer.verify {folder}`")
