"""A roster that comes by itself: whole or not at all, joiners in the middle of a round, and nobody leaves by mistake."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from astrack import roster
from astrack.app import App
from astrack.changing import Ask
from astrack.mailbox.guarded import AddressWrong, OtherSideSilent
from astrack.records import Records
from astrack.roster import asking
from astrack.roster.asking import RosterMoved, RosterServerRefused
from astrack.roster.source import NoRosterSource, RosterSource
from astrack.server.pulls import Pulls
from astrack.settings import Settings
from astrack.store import Store
from domain.background import Background
from domain.base import Actor
from domain.identity import SchoolName
from domain.scope import Scope
from projections import round_progress
from tests.support.roster_server import ROOT, SchoolSystem, serving, student
from transfer.errors import NotARoster, NotThisSchool

OFFICE = Actor(id=UUID(int=7), role="administrator")
ON = date(2026, 9, 15)


class Clock:
    at = datetime(2026, 9, 15, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


def ask(key: str = "") -> Ask:
    return Ask(OFFICE, key or str(uuid4()))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(settings: Settings, store: Store, clock: Clock) -> App:
    return App(settings, store, clock)


@pytest.fixture
def records(app: App) -> Records:
    school_id = uuid4()
    app.create_school(school_id)
    made = app.school(school_id)
    made.register_school(ask(), SchoolName(school_id=school_id, name="Brook", urn="900101", lea="330", estab="2345"))
    return made


@pytest.fixture
def system() -> Iterator[SchoolSystem]:
    with serving(SchoolSystem([student(number) for number in range(20)])) as one:
        yield one


@pytest.fixture
def ours(records: Records, system: SchoolSystem) -> RosterSource:
    made = RosterSource(records)
    made.set(ask(), system.source())
    return made


def on_roll(records: Records) -> set[str]:
    return {one.person.surname for one in roster.known(records) if one.on_roll}


def test_the_roster_is_taken_in_with_groups_and_backgrounds(
    ours: RosterSource, records: Records, system: SchoolSystem
) -> None:
    system.students[3] |= {
        "userIds": [{"type": "MIS", "identifier": "77"}, {"type": "UPN", "identifier": "B801200005001"}],
        "preferredFirstName": "Mab", "middleName": "Mair",
    }  # fmt: skip
    system.demographics["u0003"] = {"metadata": {"sen": "true", "ethnicity": "WBRI"}}
    records.watch_backgrounds(ask(), ["sen", "ethnicity"], "to see each year whether early signs treat pupils alike")
    assert ours.pull(ask()).said == "20 new"
    one = next(one for one in roster.known(records) if one.person.surname == "Hartley3")
    assert (one.person.upn, one.person.preferred_forename, one.person.middle_names) == ("B801200005001", "Mab", "Mair")
    assert (one.year_group, [group.name for group in one.groups]) == (4, ["4B"])
    assert one.background == Background(sen=True, ethnicity="White")
    assert ours.pull(ask()).came == "nothing_new"


def test_of_other_schools_on_the_same_server_nothing_is_asked_but_their_demographics_or_kept(
    ours: RosterSource, records: Records, system: SchoolSystem
) -> None:
    system.elsewhere = [student(500, school="school-2")]
    with zipfile.ZipFile(io.BytesIO(ours.file())) as kept:
        told = {name: kept.read(name) for name in kept.namelist()}
    assert b"u0001" in told["demographics.csv"] and not [name for name, data in told.items() if b"u0500" in data]
    ours.pull(ask())
    assert "Hartley500" not in on_roll(records)
    assert not [path for path in system.asked if "school-2" in path]


@pytest.mark.parametrize("counts", [True, False])
def test_a_roster_in_many_pages_is_the_same_roster(ours: RosterSource, system: SchoolSystem, counts: bool) -> None:
    whole = ours.file()
    system.page, system.counts = 3, counts
    assert ours.file() == whole


def test_a_joiner_in_the_middle_of_a_round_is_expected_in_it(
    ours: RosterSource, records: Records, system: SchoolSystem, app: App, clock: Clock
) -> None:
    ours.pull(ask())
    records.open_round(
        ask(), round_id=uuid4(), name="Autumn", opens_on=ON, closes_on=ON + timedelta(days=14), year_groups=[4],
        instrument_name="astrack-demo", instrument_version=1,
    )  # fmt: skip
    clock.at += timedelta(days=3)
    system.students.append(student(300))
    assert ours.pull(ask()).said == "1 new"
    app.views.catch_up(records.school_id)
    with app.views.reading(records.school_id) as cur:
        (one,) = round_progress.rounds(cur, records.school_id, Scope(everyone=True), 5)
        absent = round_progress.still_to_sit(cur, records.school_id, one.round_id, Scope(everyone=True))
    joined = next(one.pupil_id for one in roster.known(records) if one.person.surname == "Hartley300")
    assert (one.expected, one.sat, one.closed) == (21, 0, False)
    assert joined in {one.pupil.pupil_id for one in absent}


def test_one_who_left_leaves_and_their_record_stays(ours: RosterSource, records: Records, system: SchoolSystem) -> None:
    ours.pull(ask())
    system.students.pop(5)
    assert ours.pull(ask()).said == "1 left"
    assert "Hartley5" not in on_roll(records) and len(on_roll(records)) == 19
    assert len(list(roster.known(records))) == 20


def test_where_many_would_leave_nothing_is_taken_in_and_a_person_is_told(
    ours: RosterSource, records: Records, system: SchoolSystem
) -> None:
    ours.pull(ask())
    size = records.log.size()
    system.students = [*system.students[:9], student(400)]
    made = ours.pull(ask())
    assert (made.came, made.said) == (
        "waits", "11 of 20 pupils on roll are not in it: somebody must look, and say it is right",
    )  # fmt: skip
    assert records.log.size() == size
    assert ours.last() == made
    plan = roster.plan(records, ours.file(), ON)
    roster.apply(records, ask(), plan, confirm_leavers=True)
    assert len(on_roll(records)) == 10


def test_a_server_that_gives_nobody_makes_nobody_leave(
    ours: RosterSource, records: Records, system: SchoolSystem
) -> None:
    ours.pull(ask())
    system.students = []
    made = ours.pull(ask())
    assert made.came == "failed" and "no pupil of this school is listed" in made.said
    assert len(on_roll(records)) == 20


@pytest.mark.parametrize(
    ("counts", "moved"), [(True, "left"), (True, "joined"), (True, "cut short"), (False, "joined")]
)
def test_a_roster_that_moves_while_it_is_read_is_not_taken_in(
    ours: RosterSource, system: SchoolSystem, counts: bool, moved: str
) -> None:
    system.page, system.counts = 6, counts

    def meanwhile(path: str) -> None:
        if path.endswith("students") and system.asked.count(path) == 1:
            if moved == "joined":
                system.students.insert(0, student(900))
            else:
                system.students.pop(0 if moved == "left" else -1)

    system.meanwhile = meanwhile
    with pytest.raises(RosterMoved):
        ours.file()


def test_what_a_server_refuses_is_said_in_a_sentence_without_the_secret(
    ours: RosterSource, records: Records, system: SchoolSystem
) -> None:
    system.refuses["/demographics"] = 403
    with pytest.raises(RosterServerRefused, match=r"does not give demographics \(status 403\)"):
        ours.file()
    ours.set(ask(), system.source(secret="another"))
    made = ours.pull(ask())
    assert made.came == "failed" and "it gives no token (status 401)" in made.said
    assert "another" not in made.said and "another" not in repr(ours.get())
    ours.set(ask(), system.source(address=system.address + "/elsewhere"))
    with pytest.raises(RosterServerRefused, match="404"):
        ours.file()


@pytest.mark.parametrize(
    ("change", "why"),
    [({"grades": [["04"]]}, "grades"), ({"givenName": {"a": 1}}, "givenName"), ({"roles": "student"}, "roles"),
     ({"roles": [{"role": "student", "org": "us"}]}, "org"), ({"sourcedId": ""}, "list of users")],
)  # fmt: skip
def test_an_answer_in_another_form_is_refused_by_name(
    ours: RosterSource, system: SchoolSystem, change: dict[str, object], why: str
) -> None:
    system.students[2] |= change
    with pytest.raises(NotARoster, match=why):
        ours.file()


def test_a_server_without_this_school_is_refused(records: Records, system: SchoolSystem) -> None:
    named = SchoolName(school_id=records.school_id, name="Brook", urn="900999", lea="330", estab="2999")
    with pytest.raises(NotThisSchool):
        asking.fetch(system.source(), named)


def test_an_address_is_https_and_a_silent_server_is_one_sentence(ours: RosterSource, system: SchoolSystem) -> None:
    with pytest.raises(AddressWrong):
        ours.set(ask(), system.source(address="http://mis.example" + ROOT))
    with pytest.raises(AddressWrong):
        ours.set(ask(), system.source(token_address="https://a:b@mis.example/token"))
    ours.set(ask(), system.source(token_address="http://127.0.0.1:9/token"))
    with pytest.raises(OtherSideSilent):
        ours.file()


def test_the_secret_is_kept_sealed_and_an_ended_source_is_none(
    ours: RosterSource, records: Records, system: SchoolSystem
) -> None:
    kept = records.log.ask("SELECT sealed FROM record.pinned WHERE school_id = %s")
    assert kept and all(system.secret.encode() not in bytes(sealed) for (sealed,) in kept)
    key = ask()
    ours.end(key)
    assert ours.end(key) == {} and ours.get() is None and not ours.due()
    with pytest.raises(NoRosterSource):
        ours.pull(ask())


def test_the_service_reads_it_once_a_day_and_hourly_while_it_fails(
    ours: RosterSource, records: Records, system: SchoolSystem, app: App, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    pulls, times = Pulls(app), lambda: system.asked.count("/orgs")
    system.refuses["/orgs"] = 503
    with caplog.at_level(logging.INFO):
        pulls(records.school_id)
        pulls(records.school_id)
        assert times() == 1
        clock.at += timedelta(hours=1)
        del system.refuses["/orgs"]
        pulls(records.school_id)
        pulls(records.school_id)
        assert (times(), len(on_roll(records))) == (2, 20)
        clock.at += timedelta(hours=14, minutes=59)
        pulls(records.school_id)
        assert times() == 3
    assert "a roster was read: taken_in" in caplog.text
    assert "Hartley" not in caplog.text and system.secret not in caplog.text
