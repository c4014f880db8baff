"""Handing over by pages alone: two schools, their words over the telephone, sealed files, receipts; and a roster."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from astrack import roster
from astrack.settings import Settings
from astrack.store import Store
from domain.journey.facts import FactCorrected
from domain.journey.state import Custody
from tests.support.pages import ORIGIN, Reader, form, served
from tests.support.small_school import SmallSchool, build


@pytest.fixture(scope="module")
def sender(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=3, years=1, with_past=False)


@pytest.fixture(scope="module")
def receiver(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=0, years=1, with_past=False)


def upload(
    reader: Reader, page: httpx.Response, action: str, content: bytes, name: str = "file", **values: Any
) -> httpx.Response:
    found = form(page, action)
    filled = {**found.values, **values}
    files = {name: ("it", content)}
    return reader.client.post(
        found.action, data=filled, files=files, headers={"Origin": ORIGIN, "Referer": str(page.url)}
    )


def know_each_other(here: Reader, there: Reader) -> None:
    """Two schools take in each other's keys, by the words they say on the telephone."""
    for one, other in ((here, there), (there, here)):
        document = other.get("/transfers/key-document").content
        upload(one, one.get("/transfers"), "/take-in", document, words=words(other.get("/transfers")))


def words(page: httpx.Response) -> str:
    return re.findall(r"over the telephone:</p><p><strong>([^<]+)</strong>", page.text)[0]


def test_a_year_group_moves_with_receipts_and_nobody_types_more_than_eight_words(
    sender: SmallSchool, receiver: SmallSchool
) -> None:
    here, there = Reader(served(sender), sender, "dsl"), Reader(served(receiver), receiver, "dsl")
    ours, theirs = here.get("/transfers/key-document").content, there.get("/transfers/key-document").content
    refused = upload(here, here.get("/transfers"), "/take-in", theirs, words="granite coral atlas bottle")
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    known = upload(here, here.get("/transfers"), "/take-in", theirs, words=words(there.get("/transfers")))
    assert "You know this school now" in known.text
    upload(there, there.get("/transfers"), "/take-in", ours, words=words(here.get("/transfers")))
    origin = re.findall(r'<option value="([^"]+)">Riverside Secondary School', known.text)[0]
    made = here.send(
        known,
        "/prepare",
        year="10",
        to=origin,
        lawful_basis="public_task",
        accepted_on="2026-03-01",
        start_on="2026-04-20",
    )
    assert "3 records sealed" in made.text, made.text
    for path in re.findall(r'href="(/transfers/[^"]+/file)"', made.text):
        sealed = here.get(path).content
        taken = upload(there, there.get("/transfers"), "/take-in", sealed)
        assert "opened, checked and taken in" in taken.text
        again = upload(there, there.get("/transfers"), "/take-in", sealed)
        assert again.status_code == 200, "the same file again changes nothing"
    receipts = re.findall(r'href="(/transfers/[^"]+/receipt)"', there.get("/transfers").text)
    assert len(receipts) == 3
    for path in receipts:
        upload(here, here.get("/transfers"), "/take-in", there.get(path).content)
    custody = {sender.records.journey(one)[0].custody for one in sender.pupils.values()}
    assert custody == {Custody.RELEASED}
    story = here.get(f"/pupils/{sender.pupils['Tom']}")
    assert "This record is with another school now" in story.text


def test_a_year_group_is_taken_in_at_once_and_a_file_that_is_refused_stops_no_other(
    store: Store, settings: Settings, receiver: SmallSchool
) -> None:
    school = build(store, settings, pupils=3, years=1, with_past=False)
    here, there = Reader(served(school), school, "dsl"), Reader(served(receiver), receiver, "dsl")
    know_each_other(here, there)
    frozen = school.pupils["Tom"]
    values = {"lawful_basis": "public_task", "accepted_on": "2026-03-01", "start_on": "2026-04-20"}
    document = there.get("/transfers/key-document").content
    upload(here, here.get("/transfers"), "/prepare", document, "document", pupil=str(frozen), **values)
    some = [str(one) for one in school.pupils.values()]
    made = upload(here, here.get("/transfers"), "/prepare", document, "document", pupil=some, **values)
    assert "2 records sealed" in made.text and "1 record could not be sealed and stays" in made.text
    sealed = [here.get(path).content for path in re.findall(r'href="(/transfers/[^"]+/file)"', made.text)]
    page = there.get("/transfers")
    found = form(page, "/take-in")
    files = [("file", (f"{n}.tar.age", data)) for n, data in enumerate([sealed[0], sealed[1][:-7], b"a letter"])]
    answer = there.client.post(
        found.action, data=found.values, files=files, headers={"Origin": ORIGIN, "Referer": str(page.url)}
    )
    assert "1 record and 0 receipts taken in" in answer.text
    assert "1.tar.age: " in answer.text and "2.tar.age: Neither" in answer.text


def test_what_the_dsl_writes_down_late_is_sealed_and_taken_in_after_the_record(
    store: Store, settings: Settings, receiver: SmallSchool
) -> None:
    school = build(store, settings, pupils=1, years=1, with_past=False)
    here, there = Reader(served(school), school, "dsl"), Reader(served(receiver), receiver, "dsl")
    know_each_other(here, there)
    values = {"year": "10", "lawful_basis": "public_task", "accepted_on": "2026-03-01", "start_on": "2026-04-20"}
    document = there.get("/transfers/key-document").content
    made = upload(here, here.get("/transfers"), "/prepare", document, "document", **values)
    record = here.get(re.findall(r'href="(/transfers/[^"]+/file)"', made.text)[0]).content
    late = re.findall(r'href="(/transfers/[^"]+/late)"', here.get("/transfers").text)
    page = here.get(late[0])
    assert here.send(page, "/late").status_code == 409, "nothing was written down"
    sealed = here.send(page, "/late", note="Seemed lost on the last day.", concern="yes")
    assert "1 record sealed" in sealed.text, sealed.text
    data = here.get(re.findall(r'href="(/transfers/[^"]+/file)"', sealed.text)[0]).content
    early = upload(there, there.get("/transfers"), "/take-in", data)
    assert early.status_code == 409 and "take its own file in first" in early.text
    for one in (record, data):
        assert "opened, checked and taken in" in upload(there, there.get("/transfers"), "/take-in", one).text
    assert "late facts" in here.get("/transfers").text
    assert len(re.findall(r'href="(/transfers/[^"]+/late)"', here.get("/transfers").text)) == 1
    entries = re.findall(r'href="(/transfers/[^"]+/late/[^"]+)"', here.get(late[0]).text)
    entry = next(one for one in entries if 'name="year_group"' in here.get(one).text)
    unsaid = here.send(here.get(entry), entry)
    assert unsaid.status_code == 422 and "follows it" in unsaid.text, "nothing is different, and no reason is given"
    righted = here.send(here.get(entry), entry, year_group="9", why="A year too high")
    assert "1 record sealed" in righted.text, righted.text
    data = here.get(re.findall(r'href="(/transfers/[^"]+/file)"', righted.text)[0]).content
    upload(there, there.get("/transfers"), "/take-in", data)
    told = [
        (one.event.changes, one.event.why)
        for known in roster.known(receiver.records)
        for one in receiver.records.journey(known.pupil_id)[1]
        if isinstance(one.event, FactCorrected)
    ]
    assert told == [({"year_group": 9}, "A year too high")]


def test_what_goes_from_dsl_to_dsl_is_seen_and_carried_by_the_dsl_alone(
    store: Store, settings: Settings, receiver: SmallSchool
) -> None:
    school = build(store, settings, pupils=1, years=1, with_past=False)
    here, there = Reader(served(school), school, "dsl"), Reader(served(receiver), receiver, "dsl")
    office = Reader(served(school), school, "administrator")
    know_each_other(here, there)
    values = {"year": "10", "lawful_basis": "public_task", "accepted_on": "2026-03-01", "start_on": "2026-04-20"}
    document = there.get("/transfers/key-document").content
    made = upload(here, here.get("/transfers"), "/prepare", document, "document", **values)
    record = here.get(re.findall(r'href="(/transfers/[^"]+/file)"', made.text)[0]).content
    page = here.get(re.findall(r'href="(/transfers/[^"]+/safeguarding)"', here.get("/transfers").text)[0])
    assert here.send(page, "/safeguarding").status_code == 409, "there is nothing of the DSL's"
    pupil = next(iter(school.pupils.values()))
    given = school.ask("dsl")
    school.records.hand_off(given, pupil, hand_off_id=uuid4(), on=date(2026, 3, 2), reference="CP-771")
    sealed = here.send(page, "/safeguarding")
    assert "1 record sealed" in sealed.text, sealed.text
    path = re.findall(r'href="(/transfers/[^"]+/file)"', sealed.text)[0]
    assert path in here.get("/transfers").text
    assert path not in office.get("/transfers").text
    assert office.get(path).status_code == 403
    for one in (record, here.get(path).content):
        assert "opened, checked and taken in" in upload(there, there.get("/transfers"), "/take-in", one).text
    assert "CP-771" in there.get("/safeguarding").text


def test_an_altered_file_is_refused_and_says_who_must_do_what(sender: SmallSchool, receiver: SmallSchool) -> None:
    there = Reader(served(receiver), receiver, "dsl")
    ours = Reader(served(sender), sender, "dsl")
    path = re.findall(r'href="(/transfers/[^"]+/file)"', ours.get("/transfers").text)
    sealed = ours.get(path[0]).content if path else b"age-encryption.org/v1\n" + b"x" * 400
    answer = upload(there, there.get("/transfers"), "/take-in", sealed[:-5] + b"wrong")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_nothing_is_sealed_before_a_place_was_accepted(store: Store, settings: Settings, receiver: SmallSchool) -> None:
    school = build(store, settings, pupils=2, years=1, with_past=False)
    here = Reader(served(school), school, "dsl")
    document = Reader(served(receiver), receiver, "dsl").get("/transfers/key-document").content
    for missing in ("accepted_on", "start_on"):
        values = {
            "year": "10",
            "accepted_on": "2026-03-01",
            "start_on": "2026-04-20",
            "lawful_basis": "public_task",
            missing: "",
        }
        answer = upload(here, here.get("/transfers"), "/prepare", document, "document", **values)
        assert answer.status_code in (409, 422)
        assert 'value="2026-0' in answer.text, "what was typed is still there"
    assert all(school.records.journey(one)[0].custody is Custody.HELD for one in school.pupils.values())


def test_a_roster_is_read_before_it_is_taken_in_and_again_changes_nothing(
    store: Store, settings: Settings, shared: Path
) -> None:
    school = build(store, settings, pupils=0, years=1, with_past=False)
    school.clock.to(date(2026, 9, 10))
    content = (shared / "ctf" / "3302345_CTF_3304205_001.xml").read_bytes()
    office = Reader(served(school), school, "administrator")
    size = school.records.log.size()
    plan = upload(office, office.get("/setup"), "/setup/roster", content, "roster")
    assert "Nothing has been written yet" in plan.text
    assert school.records.log.size() == size
    done = office.send(plan, "/setup/roster/apply")
    assert "The roster was taken in" in done.text
    assert school.records.log.size() > size
    late = office.send(plan, "/setup/roster/apply")
    assert late.status_code == 422
    assert "taken in already" in late.text
    size = school.records.log.size()
    again = upload(office, office.get("/setup"), "/setup/roster", content, "roster")
    assert "Nothing would change" in again.text
    assert school.records.log.size() == size


def test_one_who_left_for_nobody_knows_where_is_held_until_a_school_asks(
    store: Store, settings: Settings, receiver: SmallSchool
) -> None:
    school = build(store, settings, pupils=2, years=1, with_past=False)
    here, there = Reader(served(school), school, "dsl"), Reader(served(receiver), receiver, "dsl")
    know_each_other(here, there)
    gone, stays = list(school.pupils.values())[:2]
    page = here.get(f"/pupils/{gone}")
    assert f'href="/transfers?pupil={gone}#prepare"' in page.text
    assert "no school has the record yet" not in here.get("/transfers").text
    school.records.leave(school.ask("administrator"), gone, on=school.clock().date())
    board = here.get("/transfers")
    assert "no school has the record yet" in board.text and f"?pupil={gone}" in board.text
    chosen = here.get(f"/transfers?pupil={gone}")
    document = there.get("/transfers/key-document").content
    wrong = upload(here, chosen, "/prepare", document, "document", lawful_basis="public_task", accepted_on="2026-03-01")
    assert wrong.status_code == 422 and f'name="pupil" value="{gone}"' in wrong.text, "who was chosen stays chosen"
    values = {"lawful_basis": "public_task", "accepted_on": "2026-03-01", "start_on": "2026-04-20"}
    made = upload(here, chosen, "/prepare", document, "document", **values)
    assert "1 record sealed" in made.text
    data = here.get(re.findall(r'href="(/transfers/[^"]+/file)"', made.text)[0]).content
    assert "opened, checked and taken in" in upload(there, there.get("/transfers"), "/take-in", data).text
    assert [school.records.journey(one)[0].custody for one in (gone, stays)] == [Custody.FROZEN, Custody.HELD]
    again = upload(here, here.get(f"/transfers?pupil={gone}"), "/prepare", document, "document", **values)
    assert again.status_code == 422 and "is being handed over" in again.text
    assert f"?pupil={gone}" not in here.get("/transfers").text
    office = Reader(served(school), school, "administrator")
    assert office.get(f"/transfers?pupil={stays}").status_code == 403


def test_a_file_that_nobody_expected_goes_back_with_a_receipt(
    store: Store, settings: Settings, receiver: SmallSchool
) -> None:
    school = build(store, settings, pupils=1, years=1, with_past=False)
    here, there = Reader(served(school), school, "dsl"), Reader(served(receiver), receiver, "dsl")
    know_each_other(here, there)
    (pupil,) = school.pupils.values()
    document = there.get("/transfers/key-document").content
    values = {"lawful_basis": "public_task", "accepted_on": "2026-03-01", "start_on": "2026-04-20"}
    made = upload(here, here.get(f"/transfers?pupil={pupil}"), "/prepare", document, "document", **values)
    data = here.get(re.findall(r'href="(/transfers/[^"]+/file)"', made.text)[0]).content
    refused = upload(there, there.get("/transfers"), "/transfers/refuse", data, "refuse")
    assert refused.content.startswith(b"astrack/receipt/v1\n") and b"refused" in refused.content
    assert "refused here" in upload(there, there.get("/transfers"), "/take-in", data).text
    upload(here, here.get("/transfers"), "/take-in", refused.content)
    assert school.records.journey(pupil)[0].custody is Custody.HELD
    assert upload(there, there.get("/transfers"), "/transfers/refuse", data[:-1], "refuse").status_code == 422
