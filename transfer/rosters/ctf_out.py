"""Writing a CTF: the header, the pupils with what came in and was not ours, and the name of the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from domain.identity import Person, SchoolName
from domain.school_year import starting_year
from transfer.errors import BadRosterOut
from transfer.rosters.ctf_pupil import pupil_element

UNKNOWN = "XXXXXXX"
OUTSIDE = "MMMMMMM"
"""Instead of LA and establishment number: a destination not known, or outside the maintained sector."""
SERIAL_MAX = 999
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class Header:
    """What a CTF says of itself. ``dest`` None: not known; a school without numbers: outside the maintained sector.

    ``created`` is local time as the school keeps it; ``serial`` numbers the files between two schools, 1 to 999.
    """

    source: SchoolName
    dest: SchoolName | None
    created: datetime
    full: bool = True
    version: int = 25
    serial: int = 1
    supplier: str = "astrack"


def file_name(header: Header) -> str:
    """LLLEEEE_CTF_LLLEEEE_NNN.xml. Raises BadRosterOut when the sending school has no numbers."""
    if not 1 <= header.serial <= SERIAL_MAX:
        raise BadRosterOut(f"the number of the file is {header.serial}, not 1 to {SERIAL_MAX}", "the file name")
    return f"{_numbers(header.source, 'the sending school')}_CTF_{_destination(header)}_{header.serial:03d}.xml"


def write(header: Header, people: Iterable[tuple[Person, int | None]]) -> bytes:
    """The bytes of a CTF with each person and their year group, in the order given. Raises BadRosterOut."""
    root = etree.Element("CTfile")
    root.append(_header(header))
    data = etree.SubElement(root, "CTFpupilData")
    for number, (person, year_group) in enumerate(people, 1):
        data.append(pupil_element(person, year_group, header.version, f"pupil {number}"))
    for element in (*root, *data):
        element.tail = "\n"
    root.text = data.text = "\n"
    return DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False) + b"\n"


def _header(header: Header) -> etree._Element:
    element = etree.Element("Header")
    for name, text in (
        ("DocumentName", "Common Transfer File"),
        ("CTFversion", f"{header.version}.0"),
        ("DateTime", header.created.strftime("%Y-%m-%dT%H:%M:%S")),
        ("DocumentQualifier", "full" if header.full else "partial"),
        ("DataDescriptor", "CTF"),
        ("SupplierID", header.supplier),
    ):
        etree.SubElement(element, name).text = text
    _source(etree.SubElement(element, "SourceSchool"), header)
    dest, number = etree.SubElement(element, "DestSchool"), _destination(header)
    etree.SubElement(dest, "LEA").text = number[:3]
    etree.SubElement(dest, "Estab").text = number[3:]
    return element


def _source(element: etree._Element, header: Header) -> None:
    school, number = header.source, _numbers(header.source, "the sending school")
    texts = {"LEA": number[:3], "Estab": number[3:], "URN": school.urn, "SchoolName": school.name}
    try:
        for name, text in (texts | {"AcademicYear": f"{starting_year(header.created.date())}"}).items():
            if text:
                etree.SubElement(element, name).text = text
    except ValueError:
        raise BadRosterOut("the school's name holds a character that no XML file can hold", "Header") from None


def _destination(header: Header) -> str:
    if header.dest is None:
        return UNKNOWN
    if not header.dest.lea and not header.dest.estab:
        return OUTSIDE
    return _numbers(header.dest, "the receiving school")


def _numbers(school: SchoolName, which: str) -> str:
    text = school.lea + school.estab
    if len(school.lea) != 3 or len(school.estab) != 4 or not (text.isascii() and text.isdigit()):
        raise BadRosterOut(f"{which} has no LA number (3 digits) with establishment number (4 digits)", "Header")
    return text
