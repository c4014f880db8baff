from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from domain.identity import Person, SchoolName
from transfer import errors
from transfer.rosters import ctf

SHARED = Path(__file__).parents[2].parent / "shared" / "ctf"
FULL, PARTIAL = "3302345_CTF_3304205_001.xml", "3302345_CTF_XXXXXXX_002.xml"
HERE = SchoolName(school_id=UUID(int=1), name="Brook & Hill Primary", urn="900101", lea="330", estab="2345")
NEXT = SchoolName(school_id=UUID(int=2), name="Hill School", lea="330", estab="4205")
HEADER = ctf.Header(HERE, NEXT, datetime(2026, 9, 14, 8, 30))
PERSON = Person(surname="O'Rourke", forename="Siân", upn="B801200005001", date_of_birth=date(2018, 3, 15), sex="F")


def sample(name: str) -> bytes:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return path.read_bytes()


def made(pupils: str, version: str = "25.0", header: str | None = None) -> bytes:
    head = header if header is not None else (
        f"<Header><CTFversion>{version}</CTFversion><DateTime>2026-09-14T08:30:00</DateTime>"
        "<DocumentQualifier>full</DocumentQualifier></Header>"
    )  # fmt: skip
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<CTfile>{head}\n<CTFpupilData>{pupils}</CTFpupilData></CTfile>'.encode()


def pupil(upn: str = "B801200005001", born: str = "2018-03-15", surname: str = "Hartley", more: str = "") -> str:
    upn_text = f"<UPN>{upn}</UPN>" if upn else ""
    return f"<Pupil>{upn_text}<Surname>{surname}</Surname><Forename>Mabli</Forename><DOB>{born}</DOB><Sex>F</Sex>{more}</Pupil>\n"


def test_the_full_sample_lists_all_its_pupils() -> None:
    roster = ctf.read(sample(FULL))
    assert len(roster.pupils) == 90
    assert roster.held_back == ()
    assert roster.full
    assert roster.from_school is not None
    assert (roster.from_school.lea, roster.from_school.estab, roster.from_school.urn) == ("330", "2345", "900101")


def test_the_partial_sample_of_version_24_holds_back_the_pupil_with_a_wrong_letter() -> None:
    roster = ctf.read(sample(PARTIAL))
    assert (len(roster.pupils), len(roster.held_back)) == (2, 1)
    assert roster.held_back[0].place == "pupil 2 (line 6)"
    assert "check letter" in roster.held_back[0].why
    assert not roster.full
    assert {one.person.sex for one in roster.pupils} <= {"F", "M"}


@pytest.mark.parametrize(("name", "version", "dest"), [(FULL, 25, NEXT), (PARTIAL, 24, None)])
def test_what_was_read_is_written_back_byte_for_byte(name: str, version: int, dest: SchoolName | None) -> None:
    data = sample(name)
    if name == PARTIAL:
        lines = data.splitlines(keepends=True)
        data = b"".join(lines[:5] + lines[6:])  # without the pupil who is held back
    roster = ctf.read(data)
    source = HERE.model_copy(update={"name": "Northfield Brook Primary School"})
    created = datetime(2026, 9, 14, 8, 30) if version == 25 else datetime(2026, 3, 2, 12)
    header = ctf.Header(source, dest, created, full=roster.full, version=version, supplier="SAMPLE")
    assert ctf.write(header, [(one.person, one.year_group) for one in roster.pupils]) == data


def test_the_former_upn_preferred_name_and_year_are_read() -> None:
    roster = ctf.read(sample(FULL))
    one = roster.pupils[9]
    assert one.person.former_upns == ("K330234522510",)
    assert one.year_group == 4
    assert "Taylor" in one.person.carried


def test_white_space_between_elements_is_no_change() -> None:
    tight = ctf.read(made(pupil(more="<Address><Town>Bangor</Town></Address>")))
    loose = ctf.read(made(pupil(more="\n  <Address>\n    <Town>Bangor</Town>\n  </Address>\n")))
    assert tight.pupils[0].person == loose.pupils[0].person


def test_elements_and_attributes_nobody_knows_are_carried_and_handed_on() -> None:
    more = '<Future kind="x"><Deep>1 &lt; 2</Deep></Future><BasicDetails><NCyearActual>E1</NCyearActual></BasicDetails>'
    one = ctf.read(made(pupil(more=more))).pupils[0]
    assert one.year_group == -2
    again = ctf.read(ctf.write(HEADER, [(one.person, one.year_group)])).pupils[0]
    assert again.person == one.person
    assert '<Future kind="x"><Deep>1 &lt; 2</Deep></Future>' in again.person.carried
    assert "E1" in again.person.carried


def test_a_year_group_that_moved_on_replaces_the_code_that_was_carried() -> None:
    more = "<BasicDetails><NCyearActual>E1</NCyearActual></BasicDetails>"
    one = ctf.read(made(pupil(more=more))).pupils[0]
    written = ctf.write(HEADER, [(one.person, 0)])
    assert b"<NCyearActual>R</NCyearActual>" in written
    assert b"E1" not in written


@pytest.mark.parametrize(("version", "element"), [(25, b"<Sex>F</Sex>"), (24, b"<Gender>F</Gender>")])
def test_sex_is_called_what_the_version_calls_it(version: int, element: bytes) -> None:
    header = ctf.Header(HERE, NEXT, datetime(2026, 9, 14), version=version)
    assert element in ctf.write(header, [(PERSON, 4)])


def test_what_is_on_record_now_is_written_in_the_order_of_the_format() -> None:
    person = PERSON.model_copy(
        update={"preferred_forename": "Shân", "middle_names": "Mair", "former_upns": ("X823432109876",), "carried":
                "<Pupil><UniqueLearnerNumber>1234567890</UniqueLearnerNumber><BasicDetails><PreferredSurname>Orourke"
                "</PreferredSurname><Ethnicity>WBRI</Ethnicity></BasicDetails><Email>a@b.example</Email></Pupil>"}
    )  # fmt: skip
    root = etree.fromstring(ctf.write(HEADER, [(person, 4)]))
    one = root.find("CTFpupilData/Pupil")
    assert one is not None
    assert [child.tag for child in one] == [
        "UPN", "UniqueLearnerNumber", "Surname", "Forename", "DOB", "Sex", "BasicDetails", "Email",
    ]  # fmt: skip
    assert [child.tag for child in one.iterfind("BasicDetails/*")] == [
        "FormerUPN", "PreferredSurname", "PreferredForename", "MiddleNames", "NCyearActual", "Ethnicity",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dest", "name"),
    [
        (NEXT, "3302345_CTF_3304205_007.xml"),
        (None, "3302345_CTF_XXXXXXX_007.xml"),
        (SchoolName(school_id=UUID(int=3), name="Abbey"), "3302345_CTF_MMMMMMM_007.xml"),
    ],
)
def test_the_file_is_named_by_the_two_schools(dest: SchoolName | None, name: str) -> None:
    assert ctf.file_name(ctf.Header(HERE, dest, datetime(2026, 9, 14), serial=7)) == name


def test_a_school_without_numbers_cannot_send_a_ctf() -> None:
    with pytest.raises(errors.BadRosterOut, match="LA number"):
        ctf.write(ctf.Header(SchoolName(school_id=UUID(int=4), name="Abbey"), NEXT, datetime(2026, 9, 14)), [])


def test_a_name_that_no_xml_holds_is_refused_by_place() -> None:
    with pytest.raises(errors.BadRosterOut, match="pupil 1"):
        ctf.write(HEADER, [(PERSON.model_copy(update={"surname": "a\x01"}), 4)])


@pytest.mark.parametrize(
    "carried", ["<Pupil>", "<Other/>", '<!DOCTYPE Pupil [<!ENTITY a "b">]><Pupil>&a;</Pupil>', "x"]
)
def test_carried_text_that_is_no_pupil_is_never_written(carried: str) -> None:
    with pytest.raises(errors.BadRosterOut, match="cannot be read back"):
        ctf.write(HEADER, [(PERSON.model_copy(update={"carried": carried}), 4)])


def test_versions_n_and_n_minus_1_follow_the_setting() -> None:
    assert ctf.read(made(pupil(), version="26.0"), newest=26).version == "26.0"
    with pytest.raises(errors.UnknownRosterVersion):
        ctf.read(made(pupil(), version="24.0"), newest=26)


def test_western_european_bytes_are_read_as_declared() -> None:
    data = made(pupil(surname="Siân")).replace(b"UTF-8", b"windows-1252").decode().encode("windows-1252")
    assert ctf.read(data).pupils[0].person.surname == "Siân"


def test_a_schema_named_on_the_root_is_no_fault_and_is_not_carried() -> None:
    data = made(pupil(more="<Email>a@b.example</Email>"))
    schema = b'<CTfile xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="CTF.xsd">'
    assert ctf.read(data.replace(b"<CTfile>", schema)).pupils[0].person == ctf.read(data).pupils[0].person


def test_a_byte_order_mark_is_no_fault() -> None:
    assert len(ctf.read(b"\xef\xbb\xbf" + made(pupil())).pupils) == 1
