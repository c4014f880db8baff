"""From a roster file to the figures: whether early signs and items treat pupils of every background alike."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from astrack import fairness, roster
from astrack.cli import main
from astrack.records.sitting import Sitting
from astrack.settings import Settings
from astrack.store import Store
from domain import instrument
from domain.identity import Person, SchoolName
from domain.risk import makes_work
from tests.support.pages import ORIGIN, Reader, form, served
from tests.support.small_school import SmallSchool, build
from transfer.rosters import ctf

WHY = "to see each year whether early signs treat pupils of every background alike"
LISTED = 120
ODD = "g-sd-1"


def has_sen(number: int) -> bool:
    return number % 2 == 0


def carried(number: int) -> str:
    """Of 120 pupils 60 with SEN, 40 whose first language is not English, 12 with meals, 5 Black, the others White."""
    sen = "<SENhistory><SEN><StartDate>2024-09-02</StartDate><SENprovision>K</SENprovision></SEN></SENhistory>"
    meals = "<FSMhistory><FSMinstance><FSMstartDate>2024-09-02</FSMstartDate></FSMinstance></FSMhistory>"
    language = "POL" if number % 3 == 0 else "ENG"
    return (
        f"<Pupil><BasicDetails><Ethnicity>{'BAFR' if number < 5 else 'WBRI'}</Ethnicity><Languages><Type>"
        f"<LanguageType>F</LanguageType><Language>{language}</Language></Type></Languages></BasicDetails>"
        f"{meals if number % 10 == 0 else ''}{sen if has_sen(number) else ''}</Pupil>"
    )


def file(pupils: int = LISTED) -> bytes:
    people = [
        (Person(surname=f"Marl{number:03}", forename="Jo", date_of_birth=date(2010, 10, 1 + number % 28),
                carried=carried(number)), 10)
        for number in range(pupils)
    ]  # fmt: skip
    here = SchoolName.model_validate({"school_id": "00000000-0000-0000-0000-000000000001", "name": "Riverside Secondary",
                                      "lea": "330", "estab": "4205"})  # fmt: skip
    return ctf.write(ctf.Header(here, here, datetime(2026, 3, 17, 8), full=False), people)


@dataclass
class Told:
    """The school, its pages, and what is so: of each listed pupil, whether they have a sign that asks for a look."""

    small: SmallSchool
    pages: FastAPI
    flagged: list[bool]


def answers(number: int, chance: random.Random) -> dict[str, int]:
    """Levels at an end more often with SEN; one item that pupils with SEN answer two steps higher at any level."""
    tool = instrument.newest()
    at_an_end = chance.random() < (0.6 if has_sen(number) else 0.2)
    level = {cell: 1.2 if at_an_end else chance.uniform(3, 4) for cell in {item.factor for item in tool.items}}
    made = {}
    for item in tool.items:
        wish = level[item.factor] + chance.gauss(0, 0.6) + (2 if item.id == ODD and has_sen(number) else 0)
        made[item.id] = min(6, max(1, round(wish if item.keyed > 0 else 7 - wish)))
    return made


@pytest.fixture(scope="module")
def told(store: Store, settings: Settings) -> Told:
    small = build(store, settings, years=1, with_past=False, pupils=0)
    pages, records, chance = served(small), small.records, random.Random(5)
    head = Reader(pages, small, "head")
    done = head.send(head.get("/truth"), "/truth/backgrounds", watched=["sen", "eal", "fsm", "ethnicity"], purpose=WHY)
    assert "It is on record in which fields you look" in done.text
    plan = roster.plan(records, file(), small.clock().date())
    roster.apply(records, small.ask(), plan)
    known = sorted(roster.known(records), key=lambda one: one.person.surname)
    tool_sittings = [
        Sitting(one.pupil_id, small.app.new_id(), answers(number, chance)) for number, one in enumerate(known)
    ]
    for first in range(0, LISTED, 60):
        part = tool_sittings[first : first + 60]
        records.hand_in_class(small.ask(), part, round_id=small.open_round, on=small.clock().date())
    flags = [
        any(makes_work(flag.raised.kind) and not flag.eased for flag in records.journey(one.pupil_id)[0].flags.values())
        for one in known
    ]
    return Told(small, pages, flags)


def counted(told: Told, member: Callable[[int], bool]) -> tuple[int, int, int, int]:
    here = [one for number, one in enumerate(told.flagged) if member(number)]
    others = [one for number, one in enumerate(told.flagged) if not member(number)]
    return sum(here), len(here), sum(others), len(others)


@pytest.mark.parametrize(
    ("field", "member"), [("SEN", has_sen), ("EAL", lambda number: number % 3 == 0), ("FSM", lambda n: n % 10 == 0)]
)
def test_rates_by_background_are_those_of_the_file_with_intervals(
    told: Told, field: str, member: Callable[[int], bool]
) -> None:
    hits, here, others_hit, others = counted(told, member)
    (row,) = [one for one in rows(told) if (one["dimension"], one["name"]) == (field, "yes")]
    assert row["pupils"] == here
    low, high = proportion_confint(hits, here, method="wilson")
    assert row["rate"] == pytest.approx([hits / here, low, high])
    low, high = confint_proportions_2indep(hits, here, others_hit, others, method="newcomb")
    assert row["more"] == pytest.approx([hits / here - others_hit / others, low, high], abs=1e-9)
    text = Reader(told.pages, told.small, "head").get("/truth").text
    line = re.search(rf"<td>{field}</td><th scope=\"row\">yes</th>(.*?)</tr>", text)
    assert line and f"{round(100 * hits / here)} %" in line[1] and f'<td class="n">{here}</td>' in line[1]


def rows(told: Told) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Reader(told.pages, told.small, "head").get("/api/v1/fairness").json()
    return found


def test_a_group_of_five_is_hidden_and_the_number_needed_is_said(told: Told) -> None:
    black = next(one for one in rows(told) if (one["dimension"], one["name"]) == ("ethnicity", "Black"))
    assert (black["pupils"], black["rate"], black["more"]) == (None, None, None)
    white = next(one for one in rows(told) if (one["dimension"], one["name"]) == ("ethnicity", "White"))
    assert white["pupils"] is None, "the whole would tell the five"
    assert "10 in the group and 10 others are needed" in Reader(told.pages, told.small, "head").get("/truth").text


def test_an_item_that_one_background_answers_otherwise_is_found_with_its_interval(told: Told) -> None:
    found = Reader(told.pages, told.small, "head").get("/api/v1/fairness/items").json()[0]
    sen = next(one for one in found["groups"] if (one["dimension"], one["name"]) == ("SEN", "yes"))
    assert sen["compared"] == len(instrument.newest().items) and sen["widest"]["item"] == ODD
    assert 0 < sen["widest"]["low"] < sen["widest"]["smd"] < sen["widest"]["high"]
    meals = next(one for one in found["groups"] if (one["dimension"], one["name"]) == ("FSM", "yes"))
    assert (meals["compared"], meals["widest"], found["needed"]) == (0, None, 50)
    text = Reader(told.pages, told.small, "head").get("/truth/items").text
    assert re.search(rf"<th scope=\"row\">{ODD}</th><td>SEN</td><td>yes</td>", text)
    assert "too few: 50 in the group and 50 others are needed" in text


def test_the_page_of_a_dry_run_says_what_it_brings_and_what_for_and_writes_nothing(told: Told) -> None:
    office, size = Reader(told.pages, told.small, "administrator"), told.small.records.log.size()
    sent = form(office.get("/setup"), "/setup/roster")
    kept, more = file().replace(b"<SENprovision>K", b"<SENprovision>N", 1), file(1).replace(b"Marl000", b"New")
    shown = [
        office.client.post(sent.action, data=sent.values, files={"roster": ("r.xml", one)}, headers={"Origin": ORIGIN})
        for one in (kept, more)
    ]
    assert "SEN (for fairness alone) yes → no" in shown[0].text
    assert re.search(r"Jo New, Year 10 <span[^>]*>\(for fairness alone: SEN yes, EAL yes, FSM yes, ethnicity Black\)",
                     shown[1].text)  # fmt: skip
    assert told.small.records.log.size() == size


def test_no_list_and_no_scope_knows_of_a_background(told: Told) -> None:
    lead = Reader(told.pages, told.small, "lead_practitioner")
    for path in ("/pupils", "/setup", "/api/v1/pupils", "/api/v1/cohort"):
        text = lead.get(path).text
        assert not re.search(r"\bSEN\b|ethnicity|\bWhite\b", text), path
    pupil_id = next(roster.known(told.small.records)).pupil_id
    for path in (f"/pupils/{pupil_id}", f"/api/v1/pupils/{pupil_id}", f"/api/v1/pupils/{pupil_id}/identity"):
        told_of = re.sub(r'"carried":"[^"]*"', "", lead.get(path).text)
        assert not re.search(r"\bSEN\b|\"sen\"|ethnicity|background", told_of, re.IGNORECASE), path


def test_only_the_head_chooses_and_a_purpose_is_needed(told: Told) -> None:
    lead, head = Reader(told.pages, told.small, "lead_practitioner"), Reader(told.pages, told.small, "head")
    assert "Which backgrounds to look at" not in lead.get("/truth").text
    hers = form(lead.get("/setup"), "/setup/load").values
    assert lead.post("/truth/backgrounds", **hers, watched="sen", purpose=WHY).status_code == 403
    refused = head.send(head.get("/truth"), "/truth/backgrounds", watched="sen", purpose="because")
    assert refused.status_code == 422 and "it goes on record" in refused.text
    assert told.small.records.school_state().watched == ("sen", "eal", "fsm", "ethnicity")


def test_the_command_says_the_same_and_what_is_looked_at(
    told: Told, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"HOME": str(settings.home), "DATABASE": settings.database, "SCHOOL": str(told.small.school_id)}
    for name, value in names.items():
        monkeypatch.setenv(f"ASTRACK_{name}", value)
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        main(["fairness"])
    out = capsys.readouterr().out
    assert re.search(r"SEN +yes +60 ", out) and "too few: 50 on each side are needed" in out
    assert re.search(rf"{ODD} +SEN +yes +\+\d", out) and "looks at: SEN, EAL, FSM, ethnicity" in out


def test_what_is_no_longer_watched_is_shown_no_more_before_any_other_file(told: Told) -> None:
    small = told.small
    small.records.watch_backgrounds(small.ask("head"), ["sen"], WHY)
    try:
        assert {one.dimension for one in fairness.flag_rates(small.app, small.school_id)} >= {"SEN", "year"}
        assert {"EAL", "FSM", "ethnicity"} & {one["dimension"] for one in rows(told)} == set()
    finally:
        small.records.watch_backgrounds(small.ask("head"), ["sen", "eal", "fsm", "ethnicity"], WHY)
