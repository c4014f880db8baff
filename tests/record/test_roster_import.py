"""A roster taken in on a real PostgreSQL: a dry run, the import, and the same file again."""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from astrack import roster
from astrack.changing import Ask, BadKey
from astrack.records import Records
from astrack.store import Change, SchoolLog, StoreUnavailable
from domain.background import NOTHING, Background
from domain.base import Actor
from domain.identity import Person, SchoolName
from domain.journey import facts as f
from domain.journey.state import Custody
from domain.roster import ManyLeavers, RollMoved, RosterImported
from transfer import errors
from transfer.rosters import ctf

ON = date(2026, 9, 15)
AT = datetime(2026, 9, 15, 9, tzinfo=UTC)
OFFICE = Actor(id=UUID(int=7), role="administrator")
BROOK = SchoolName(school_id=UUID(int=1), name="Brook Primary", urn="900101", lea="330", estab="2345")
AFAR = SchoolName(school_id=UUID(int=2), name="Afar Primary", urn="900777", lea="331", estab="2999")


@pytest.fixture
def records(school_log: SchoolLog) -> Records:
    made = Records(school_log, lambda: AT, uuid4)
    name = BROOK.model_copy(update={"school_id": school_log.school_id})
    made.register_school(ask("register"), name)
    return made


def ask(key: str) -> Ask:
    return Ask(OFFICE, key)


def person(number: int, forename: str = "", **more: object) -> Person:
    name = forename or f"Forename{'abcdefghij'[number % 10]}{number}"
    return Person(surname=f"Hartley{number}", forename=name, date_of_birth=date(2017, 10, 1 + number % 28), **more)


def file(people: list[tuple[Person, int | None]], *, full: bool = True, source: SchoolName = BROOK) -> bytes:
    return ctf.write(ctf.Header(source, BROOK, datetime(2026, 9, 14, 8, 30), full=full), people)


def people(count: int) -> list[tuple[Person, int | None]]:
    return [(person(number), 4) for number in range(count)]


def take_in(records: Records, data: bytes, key: str, **more: bool) -> dict[str, object]:
    return roster.apply(records, ask(key), roster.plan(records, data, ON), **more)


def test_a_dry_run_writes_nothing(records: Records) -> None:
    before = records.log.size()
    plan = roster.plan(records, file(people(3)), ON)
    assert (len(plan.new), records.log.size()) == (3, before)


def test_new_pupils_are_enrolled_with_their_identity(records: Records) -> None:
    answer = take_in(records, file([(person(1, upn="B801200005001", sex="F"), 5)]), "one")
    (pupil_id,) = answer["pupil_ids"]  # type: ignore[misc]
    journey, _ = records.journey(UUID(pupil_id))
    assert journey.enrolled is not None
    assert (journey.enrolled.happened_on, journey.year_group, journey.enrolled.age_months) == (ON, 5, 107)
    stated = records.identity(UUID(pupil_id)).person
    assert stated is not None
    assert (stated.upn, stated.sex) == ("B801200005001", "F")


SEN = (
    "<Pupil><SENhistory><SEN><StartDate>2025-09-01</StartDate><SENprovision>K</SENprovision></SEN></SENhistory></Pupil>"
)
WHY = "to see each year whether early signs treat pupils of every background alike"


def test_backgrounds_are_taken_in_only_while_they_are_watched(records: Records) -> None:
    data = file([(person(1, carried=SEN), 4), (person(2), 4)])
    take_in(records, data, "one")
    (first, second) = (one.pupil_id for one in roster.known(records))
    assert [one.background for one in roster.known(records)] == [NOTHING, NOTHING]
    records.watch_backgrounds(ask("watch"), ["sen"], WHY)
    take_in(records, data, "two")
    assert {one: records.identity(one).background.sen for one in (first, second)} == {
        one.pupil_id: bool(one.person.carried) for one in roster.known(records)
    }
    size = records.log.size()
    assert roster.plan(records, data, ON).size == 0
    records.watch_backgrounds(ask("enough"), [], "")
    take_in(records, data, "three")
    assert [one.background for one in roster.known(records)] == [NOTHING, NOTHING]
    assert records.log.size() == size + 4, "the choice, the import, and for each pupil that nothing is known any more"


def test_a_background_that_is_watched_no_more_when_a_plan_is_carried_out_is_not_taken_in(records: Records) -> None:
    records.watch_backgrounds(ask("watch"), ["sen"], WHY)
    plan = roster.plan(records, file([(person(1, carried=SEN), 4)]), ON)
    assert plan.new[0].background == Background(sen=True)
    assert "for fairness alone: SEN yes" in roster.render(plan)
    assert roster.as_dict(plan)["new"][0]["background"] == {"SEN": "yes"}
    records.watch_backgrounds(ask("enough"), [], "")
    roster.apply(records, ask("one"), plan)
    assert [one.background for one in roster.known(records)] == [NOTHING]


def test_the_same_file_again_changes_nothing(records: Records) -> None:
    data = file(people(5))
    take_in(records, data, "one")
    size = records.log.size()
    plan = roster.plan(records, data, ON)
    roster.apply(records, ask("two"), plan)
    assert (plan.size, len(plan.unchanged), records.log.size()) == (0, 5, size)


@pytest.mark.parametrize(
    ("name", "new", "held"), [("3302345_CTF_3304205_001.xml", 90, 0), ("3302345_CTF_XXXXXXX_002.xml", 2, 1)]
)
def test_a_sample_is_taken_in_once(records: Records, shared: Path, name: str, new: int, held: int) -> None:
    data = (shared / "ctf" / name).read_bytes()
    before = records.log.size()
    plan = roster.plan(records, data, ON)
    assert (len(plan.new), len(plan.held_back), records.log.size()) == (new, held, before)
    roster.apply(records, ask("one"), plan)
    assert records.log.size() == before + 1 + 2 * new
    again = roster.plan(records, data, ON)
    roster.apply(records, ask("two"), again)
    assert (again.size, len(again.unchanged), records.log.size()) == (0, new, before + 1 + 2 * new)


def test_both_samples_one_after_the_other_make_nobody_leave(records: Records, shared: Path) -> None:
    take_in(records, (shared / "ctf" / "3302345_CTF_3304205_001.xml").read_bytes(), "one")
    plan = roster.plan(records, (shared / "ctf" / "3302345_CTF_XXXXXXX_002.xml").read_bytes(), ON)
    assert plan.leavers == ()
    assert len(plan.new) == 2


def test_a_change_is_told_field_by_field_and_recorded(records: Records) -> None:
    take_in(records, file([(person(1, upn="B801200005001"), 4)]), "one")
    renamed = person(1, upn="B801200005001").model_copy(update={"surname": "Rees"})
    plan = roster.plan(records, file([(renamed, 5)]), ON)
    assert [(one.field, one.before, one.after) for one in plan.changed[0].fields] == [
        ("surname", "Hartley1", "Rees"), ("year group", "Year 4", "Year 5"),
    ]  # fmt: skip
    roster.apply(records, ask("two"), plan)
    pupil_id = plan.changed[0].pupil_id
    assert records.identity(pupil_id).person == renamed
    assert records.journey(pupil_id)[0].year_group == 5


def test_who_is_missing_from_a_full_file_leaves_and_the_record_stays(records: Records) -> None:
    take_in(records, file(people(4)), "one")
    plan = roster.plan(records, file(people(3)), ON)
    assert [one.name for one in plan.leavers] == ["Forenamed3 Hartley3"]
    roster.apply(records, ask("two"), plan)
    journey, story = records.journey(plan.leavers[0].pupil_id)
    assert journey.left_on == ON
    assert [type(fact.event) for fact in story] == [f.PupilEnrolled, f.PupilLeft]


def test_who_left_and_is_listed_again_comes_back_to_the_same_record(records: Records) -> None:
    take_in(records, file(people(4)), "one")
    take_in(records, file(people(3)), "two")
    plan = roster.plan(records, file(people(4)), ON)
    assert (len(plan.new), len(plan.returning)) == (0, 1)
    roster.apply(records, ask("three"), plan)
    pupil_id = plan.returning[0].pupil_id
    assert pupil_id is not None
    assert records.journey(pupil_id)[0].left_on is None
    assert roster.plan(records, file(people(4)), ON).size == 0


@pytest.mark.parametrize(("full", "source"), [(False, BROOK), (True, AFAR)], ids=["partial", "another school's"])
def test_only_a_full_file_of_this_school_makes_leavers(records: Records, full: bool, source: SchoolName) -> None:
    take_in(records, file(people(4)), "one")
    assert roster.plan(records, file(people(1), full=full, source=source), ON).leavers == ()


def test_many_leavers_need_somebody_to_say_it_is_right(records: Records) -> None:
    take_in(records, file(people(40)), "one")
    plan = roster.plan(records, file(people(20)), ON)
    size = records.log.size()
    with pytest.raises(ManyLeavers):
        roster.apply(records, ask("two"), plan)
    assert records.log.size() == size
    roster.apply(records, ask("two"), plan, confirm_leavers=True)
    assert roster.plan(records, file(people(20)), ON).on_roll == 20


def test_repeating_a_key_gives_the_first_answer_and_writes_nothing(records: Records) -> None:
    plan = roster.plan(records, file(people(3)), ON)
    first = roster.apply(records, ask("one"), plan)
    size = records.log.size()
    assert roster.apply(records, ask("one"), plan) == first
    assert records.log.size() == size


def test_a_plan_carried_out_twice_under_two_keys_is_refused_the_second_time(records: Records) -> None:
    plan = roster.plan(records, file(people(3)), ON)
    roster.apply(records, ask("one"), plan)
    size = records.log.size()
    with pytest.raises(RollMoved):
        roster.apply(records, ask("two"), plan)
    assert records.log.size() == size


def test_of_two_people_who_confirm_at_once_one_takes_it_in(records: Records) -> None:
    plan = roster.plan(records, file(people(8)), ON)

    def confirm(key: str) -> str:
        try:
            roster.apply(records, ask(key), plan)
        except RollMoved:
            return "refused"
        return "taken in"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(confirm, ["a", "b", "c", "d"]))
    assert outcomes == ["refused", "refused", "refused", "taken in"]
    assert len(records.log.pupils(100)) == 8


def test_the_digest_of_a_plan_is_the_same_until_something_changes(records: Records) -> None:
    first, again = (roster.digest(roster.plan(records, file(people(3)), ON)) for _ in range(2))
    take_in(records, file(people(1)), "one")
    assert first == again != roster.digest(roster.plan(records, file(people(3)), ON))


def test_a_plan_overtaken_by_a_pupil_leaving_is_refused_whole(records: Records) -> None:
    take_in(records, file(people(3)), "one")
    plan = roster.plan(records, file([*((one, 5) for one, _ in people(3)), (person(9), 5)]), ON)
    transfer = f.TransferPrepared(
        event_id=uuid4(),
        recorded_at=AT,
        by=OFFICE,
        transfer_id=uuid4(),
        accepted_on=ON,
        start_on=ON,
        lawful_basis="public_task",
    )
    records.log.append([_next(records, plan.changed[0].pupil_id, transfer)], idempotency=None)
    size = records.log.size()
    with pytest.raises(RollMoved):
        roster.apply(records, ask("two"), plan)
    assert records.log.size() == size


def _next(records: Records, pupil_id: UUID, event: f.TransferPrepared) -> Change:
    target = records.journey_of(pupil_id)
    version = records.log.load(target.stream_id).version
    return Change(target.stream_id, target.stream_class, version, (event,), pupil_id)


def test_a_record_on_its_way_elsewhere_is_left_as_it_is(records: Records) -> None:
    take_in(records, file([(person(1, upn="B801200005001"), 4)]), "one")
    pupil_id = records.log.pupils(1)[0].pupil_id
    transfer = f.TransferPrepared(
        event_id=uuid4(),
        recorded_at=AT,
        by=OFFICE,
        transfer_id=uuid4(),
        accepted_on=ON,
        start_on=ON,
        lawful_basis="public_task",
    )
    records.log.append([_next(records, pupil_id, transfer)], idempotency=None)
    assert records.journey(pupil_id)[0].custody is Custody.FROZEN
    same = roster.plan(records, file([(person(1, upn="B801200005001"), 4)]), ON)
    moved = roster.plan(records, file([(person(1, upn="B801200005001"), 5)]), ON)
    assert (same.size, len(same.unchanged), len(same.held_back)) == (0, 1, 0)
    assert (moved.size, len(moved.held_back)) == (0, 1)


def test_a_long_roster_is_taken_in_part_by_part_with_progress(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "CHUNK_PUPILS", 10)
    done: list[int] = []
    roster.apply(records, ask("one"), roster.plan(records, file(people(25)), ON), progress=done.append)
    assert done == [10, 10, 5]
    imports = [
        fact.event for fact in records.log.load(records.school_id).facts if isinstance(fact.event, RosterImported)
    ]
    assert [one.joined for one in imports] == [10, 10, 5]
    assert len({one.import_id for one in imports}) == 1


@pytest.mark.parametrize("fresh_plan", [False, True], ids=["the same plan", "a fresh plan"])
def test_an_import_that_broke_off_is_finished_by_repeating_it(
    records: Records, monkeypatch: pytest.MonkeyPatch, fresh_plan: bool
) -> None:
    monkeypatch.setattr(roster, "CHUNK_PUPILS", 10)
    data = file(people(25))
    plan = roster.plan(records, data, ON)

    def lost(_: int) -> None:
        raise StoreUnavailable("the connection was lost")

    with pytest.raises(StoreUnavailable):
        roster.apply(records, ask("one"), plan, progress=lost)
    if fresh_plan:
        plan = roster.plan(records, data, ON)
        assert len(plan.new) == 15
    roster.apply(records, ask("one"), plan)
    assert len(records.log.pupils(100)) == 25
    assert roster.plan(records, data, ON).size == 0


def test_what_is_carried_comes_out_again_as_it_came(records: Records, shared: Path) -> None:
    data = (shared / "ctf" / "3302345_CTF_3304205_001.xml").read_bytes()
    take_in(records, data, "one")
    listed = [one.person for one in ctf.read(data).pupils]
    kept = {one.person for one in roster.known(records)}
    assert kept == set(listed)


@pytest.mark.parametrize("data", [b"", b"<html/>", b"PK\x03\x04", b"<!DOCTYPE a><CTfile/>"])
def test_a_bad_file_leaves_nothing_behind(records: Records, data: bytes) -> None:
    size = records.log.size()
    with pytest.raises(errors.BadRoster):
        roster.plan(records, data, ON)
    assert records.log.size() == size


def test_an_empty_key_is_refused(records: Records) -> None:
    with pytest.raises(BadKey):
        roster.apply(records, ask(""), roster.plan(records, file(people(1)), ON))


def test_a_oneroster_zip_is_known_by_its_first_bytes_and_brings_groups(records: Records) -> None:
    tables = {
        "manifest": "propertyName,value\noneroster.version,1.2\nfile.orgs,bulk\nfile.users,bulk\nfile.roles,bulk\n"
        "file.demographics,bulk\nfile.classes,bulk\nfile.enrollments,bulk\n",
        "orgs": "sourcedId,name,type,identifier\ns,Brook Primary,school,900101\n",
        "users": "sourcedId,givenName,familyName,grades\nu,Mabli,Hartley,4\n",
        "roles": "userSourcedId,role,orgSourcedId\nu,student,s\n",
        "demographics": "sourcedId,birthDate\nu,2018-03-15\n",
        "classes": "sourcedId,title,classType\nc,4B,homeroom\n",
        "enrollments": "classSourcedId,userSourcedId,role\nc,u,student\n",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in tables.items():
            archive.writestr(f"{name}.csv", text)
    answer = take_in(records, buffer.getvalue(), "one")
    (pupil_id,) = answer["pupil_ids"]  # type: ignore[misc]
    assert records.journey(UUID(pupil_id))[0].groups == (f.Group(dimension="tutor group", name="4B"),)
    assert roster.plan(records, buffer.getvalue(), ON).size == 0


def test_the_plan_reads_as_lines_and_as_data(records: Records) -> None:
    take_in(records, file([(person(1, upn="B801200005001"), 4), (person(2), 4)]), "one")
    renamed = person(1, upn="B801200005001").model_copy(update={"surname": "Rees"})
    plan = roster.plan(records, file([(renamed, 4), (person(3), 4)]), ON)
    text = roster.render(plan)
    assert "2 listed, 2 on roll here: 1 new, 0 coming back, 1 changed, 0 unchanged, 1 leaving" in text
    assert "Forenameb1 Rees: surname Hartley1 -> Rees - pupil 1" in text
    assert roster.as_dict(plan)["counts"]["leavers"] == 1
