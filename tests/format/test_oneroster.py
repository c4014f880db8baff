from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.background import NOTHING, WATCHABLE, Background
from domain.identity import SchoolName
from domain.journey.facts import Group
from domain.roster import Roster
from transfer import errors
from transfer.rosters import oneroster, tables

ON = date(2026, 11, 24)
BROOK = SchoolName(school_id=UUID(int=1), name="Brook Primary", urn="900101", lea="330", estab="2345")
MODES = ("orgs", "users", "roles", "enrollments", "classes", "academicSessions", "demographics")
FILES = {
    "manifest.csv": "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n"
    + "".join(f"file.{name},bulk\n" for name in MODES)
    + "file.results,absent\n",
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
    "t,,,Hill Trust,district,,\ns1,,,Brook Primary,school,900101,t\ns2,,,Hill School,school,900202,t\n",
    "users.csv": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,"
    "grades,preferredGivenName\n"
    'u1,,,true,,"{MIS:77},{UPN:B801200005001}",Mabli,Hartley,Mair,,04,Mab\n'
    "u2,,,true,,,Gethin,Rees,,X823432109876,Year 5,\n"
    'u3,,,true,,,"Zoë, Ann",O\'Neill,,MIS-9,R,\n'
    "u4,,,true,,,Other,School,,,6,\n"
    "t1,,,true,,,A,Teacher,,,,\n",
    "roles.csv": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\n"
    "r1,,,u1,primary,student,,,s1\nr2,,,u2,primary,student,2024-09-01,2027-08-31,s1\nr3,,,u3,primary,student,,,s1\n"
    "r4,,,u4,primary,student,,,s2\nr5,,,t1,primary,teacher,,,s1\n",
    "demographics.csv": "sourcedId,status,dateLastModified,birthDate,sex\n"
    "u1,,,2018-03-15,female\nu2,,,2017-10-02,male\nu3,,,2022-05-01,other\nu4,,,2016-01-01,male\n",
    "classes.csv": "sourcedId,status,dateLastModified,title,classType,termSourcedIds\n"
    "c1,,,4B,homeroom,y27\nc2,,,Maths 2,scheduled,y27\nc3,,,4A,homeroom,y26\n",
    "enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,beginDate,endDate\n"
    "e1,,,c1,s1,u1,student,,\ne2,,,c2,s1,u1,student,,\ne3,,,c3,s1,u1,student,,\ne4,,,c1,s1,t1,teacher,,\n"
    "e5,,,c2,s1,u2,student,2026-09-01,2026-10-01\n",
    "academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,schoolYear\n"
    "y26,,,2025/26,schoolYear,2025-09-01,2026-08-31,2026\ny27,,,2026/27,schoolYear,2026-09-01,2027-08-31,2027\n",
}


def zipped(files: dict[str, str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def changed(name: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[name]
    return FILES | {name: FILES[name].replace(old, new)}


def read(files: dict[str, str], school: SchoolName | None = BROOK) -> Roster:
    return oneroster.read(zipped(files), ON, school)


def with_demographics(columns: str, *cells: str) -> dict[str, str]:
    lines = FILES["demographics.csv"].splitlines()
    more = zip(lines, [columns, *cells, *["," * columns.count(",")] * len(lines)], strict=False)
    return FILES | {"demographics.csv": "".join(f"{line},{cell}\n" for line, cell in more)}


def test_backgrounds_are_read_from_demographics_where_they_are_asked_for() -> None:
    files = with_demographics(
        "metadata.sen,metadata.eal,metadata.fsm,metadata.ethnicity", "true,no,1,MWBC", "FALSE,,perhaps,asian"
    )
    found = oneroster.read(zipped(files), ON, BROOK, tuple(WATCHABLE)).pupils
    assert [one.background for one in found] == [
        Background(sen=True, eal=False, fsm=True, ethnicity="Mixed"), Background(sen=False, ethnicity="Asian"), NOTHING
    ]  # fmt: skip
    assert [one.background for one in read(files).pupils] == [NOTHING] * 3


def test_the_races_of_oneroster_itself_count_as_an_ethnicity_two_of_them_as_mixed() -> None:
    files = with_demographics("asian,white", "true,false", "true,true", "false,false")
    found = oneroster.read(zipped(files), ON, BROOK, ("ethnicity",)).pupils
    assert [one.background.ethnicity for one in found] == ["Asian", "Mixed", None]


def test_the_pupils_of_this_school_are_listed_and_no_others() -> None:
    assert [one.person.surname for one in read(FILES).pupils] == ["Hartley", "Rees", "O'Neill"]


def test_names_number_birth_date_sex_and_year_are_read() -> None:
    one = read(FILES).pupils[0]
    assert one.place == "users.csv line 2"
    assert one.year_group == 4
    person = one.person
    assert (person.forename, person.preferred_forename, person.middle_names) == ("Mabli", "Mab", "Mair")
    assert (person.upn, person.date_of_birth, person.sex) == ("B801200005001", date(2018, 3, 15), "F")


def test_an_identifier_counts_as_upn_only_when_it_is_a_valid_one() -> None:
    assert [one.person.upn for one in read(FILES).pupils] == ["B801200005001", "X823432109876", None]


def test_year_groups_are_read_from_the_usual_spellings() -> None:
    assert [one.year_group for one in read(FILES).pupils] == [4, 5, 0]


def test_groups_are_those_of_the_day_with_the_tutor_group_apart() -> None:
    pupils = read(FILES).pupils
    assert pupils[0].groups == (
        Group(dimension="class", name="Maths 2"),
        Group(dimension="tutor group", name="4B"),
    )
    assert pupils[1].groups == ()


def test_a_bulk_export_is_the_whole_roll_and_speaks_of_groups() -> None:
    roster = read(FILES)
    assert roster.full
    assert roster.dimensions == {"tutor group", "class"}
    assert roster.from_school is not None
    assert roster.from_school.urn == "900101"


def test_a_delta_export_is_not_the_whole_roll_and_says_who_leaves() -> None:
    files = changed("manifest.csv", "file.users,bulk", "file.users,delta")
    files["users.csv"] = files["users.csv"].replace("u2,,", "u2,tobedeleted,")
    roster = read(files)
    assert not roster.full
    assert [one.leaving for one in roster.pupils] == [False, True, False]


def test_a_school_is_found_by_la_and_establishment_number_too() -> None:
    assert len(read(changed("orgs.csv", "900101", "3302345")).pupils) == 3


def test_among_several_schools_an_unknown_one_is_refused() -> None:
    with pytest.raises(errors.NotThisSchool):
        read(FILES, BROOK.model_copy(update={"urn": "999999", "lea": "1"}))


def test_the_only_school_needs_no_number() -> None:
    files = changed("orgs.csv", "s2,,,Hill School,school,900202,t\n", "")
    assert len(read(files, None).pupils) == 3


def test_a_pupil_without_birth_date_is_held_back() -> None:
    roster = read(changed("demographics.csv", "u2,,,2017-10-02,male\n", ""))
    assert [one.place for one in roster.held_back] == ["users.csv line 3"]
    assert "date of birth" in roster.held_back[0].why


def without(name: str) -> dict[str, str]:
    return {file: text for file, text in FILES.items() if file != name}


FAULTS: list[tuple[str, Callable[[], bytes], type[errors.TransferRefused]]] = [
    ("empty", lambda: b"", errors.EmptyRoster),
    ("not a zip", lambda: b"PK\x03\x04nothing", errors.BrokenRoster),
    ("cut short", lambda: zipped(FILES)[:-40], errors.BrokenRoster),
    ("no manifest", lambda: zipped(without("manifest.csv")), errors.NotARoster),
    ("no users", lambda: zipped(without("users.csv")), errors.NotARoster),
    ("no demographics", lambda: zipped(without("demographics.csv")), errors.NotARoster),
    ("a file said to be absent", lambda: zipped(changed("manifest.csv", "file.classes,bulk", "file.classes,absent")), errors.NotARoster),
    ("an unknown mode", lambda: zipped(changed("manifest.csv", "file.users,bulk", "file.users,some")), errors.NotARoster),
    ("version 1.1", lambda: zipped(changed("manifest.csv", "oneroster.version,1.2", "oneroster.version,1.1")), errors.UnknownRosterVersion),
    ("a missing column", lambda: zipped(changed("users.csv", "familyName", "surname")), errors.NotARoster),
    ("a column twice", lambda: zipped(changed("users.csv", "username", "givenName")), errors.NotARoster),
    ("a short line", lambda: zipped(changed("users.csv", "t1,,,true,,,A,Teacher,,,,", "t1,,")), errors.BrokenRoster),
    ("an open quotation", lambda: zipped(changed("users.csv", "Gethin", '"Gethin')), errors.BrokenRoster),
    ("two pupils with one UPN", lambda: zipped(changed("users.csv", "X823432109876", "B801200005001")), errors.TwoPupilsOneNumber),
    ("no pupil", lambda: zipped(changed("roles.csv", "student", "teacher")), errors.EmptyRoster),
    ("a file in a folder", lambda: zipped(FILES | {"../users.csv": "x"}), errors.NotARoster),
    ("a bomb", lambda: zipped(FILES | {"results.csv": "0" * 30_000_000}), errors.RosterTooLarge),
    ("very many files", lambda: zipped(FILES | {f"{n}.txt": "" for n in range(70)}), errors.RosterTooLarge),
    ("a very long field", lambda: zipped(changed("users.csv", "Gethin", "G" * 10_001)), errors.RosterTooLarge),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "made", "refusal"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_a_fault_of_a_zip_meets_its_refusal(
    fault: str, made: Callable[[], bytes], refusal: type[errors.TransferRefused]
) -> None:
    with pytest.raises(refusal) as refused:
        oneroster.read(made(), ON, BROOK)
    assert isinstance(refused.value, errors.BadRoster)
    assert "Gethin" not in str(refused.value)


def test_a_file_twice_in_the_zip_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("users.csv", FILES["users.csv"])
    with pytest.raises(errors.NotARoster):
        oneroster.read(buffer.getvalue(), ON, BROOK)


def test_bytes_that_are_not_utf8_are_refused_by_file() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text.encode("latin-1"))
    with pytest.raises(errors.BrokenRoster, match=r"users\.csv"):
        oneroster.read(buffer.getvalue(), ON, BROOK)


def test_more_lines_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_MAX", 20)
    with pytest.raises(errors.RosterTooLarge, match="20 lines"):
        read(FILES)


def test_a_member_that_unpacks_to_more_than_it_says_is_refused() -> None:
    data = bytearray(zipped(FILES, zipfile.ZIP_STORED))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (5).to_bytes(4, "little")
    with pytest.raises(errors.BadRoster):
        oneroster.read(bytes(data), ON, BROOK)


quiet = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
CELLS = st.one_of(
    st.sampled_from(['"', ",", "\n", "\r", "\0", "{UPN:", "tobedeleted", "2026-13-01", "u1", "s1", "é", "=1+1"]),
    st.text(max_size=4),
)
text_edit = st.tuples(st.sampled_from(sorted(FILES)), st.integers(0, 900), st.integers(0, 12), CELLS)


def read_or_refused(data: bytes) -> None:
    with suppress(errors.BadRoster):  # anything else is a crash
        oneroster.read(data, ON, BROOK)


@settings(max_examples=1_500, **quiet)
@given(st.lists(text_edit, min_size=1, max_size=4))
def test_mutated_tables_are_read_or_refused_by_name(edits: list[tuple[str, int, int, str]]) -> None:
    read_or_refused(edited(edits))


def edited(edits: list[tuple[str, int, int, str]]) -> bytes:
    files = dict(FILES)
    for name, at, size, text in edits:
        at %= len(files[name]) + 1
        files[name] = files[name][:at] + text + files[name][at + size :]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text.encode("utf-8", "replace"))
    return buffer.getvalue()


@pytest.mark.long
@settings(max_examples=30_000, **quiet)
@given(st.lists(text_edit, min_size=1, max_size=8))
def test_many_more_mutated_tables_are_read_or_refused_by_name(edits: list[tuple[str, int, int, str]]) -> None:
    read_or_refused(edited(edits))


GOOD = zipped(FILES)


@settings(max_examples=1_500, **quiet)
@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 50)
)
def test_mutated_zips_are_read_or_refused_by_name(edits: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(GOOD)
    for at, byte in edits:
        data[at] = byte
    read_or_refused(bytes(data[: len(data) - cut * (cut > 40)]))
