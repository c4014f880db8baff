"""One Pupil element of a CTF: what we use of it, and the rest as canonical XML text that is handed on as it came."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from lxml import etree

from domain.identity import Person
from domain.pupil_number import BadPupilNumber, PupilNumber
from transfer.errors import BadRosterOut, BrokenRoster
from transfer.listing import FORMER_UPNS_MAX, Raw

USED = {
    "UPN": "upn",
    "Surname": "surname",
    "Forename": "forename",
    "DOB": "date_of_birth",
    "Sex": "sex",
    "Gender": "sex",
    "BasicDetails/PreferredForename": "preferred_forename",
    "BasicDetails/MiddleNames": "middle_names",
}
ORDER = {
    "Pupil": ("UPN", "UniqueLearnerNumber", "Surname", "Forename", "DOB", "Sex", "Gender", "BasicDetails"),
    "BasicDetails": (
        "FormerUPN", "PreferredSurname", "FormerSurname", "PreferredForename", "MiddleNames", "NCyearActual",
    ),
}  # fmt: skip
"""The order in which the DfE's own service writes them; whatever else there is follows."""
SEX_SINCE = 25
YEAR_CODES = {"R": 0, "N2": -1, "N1": -2} | {str(year): year for year in range(1, 15)}
CODES = {year: code for code, year in YEAR_CODES.items()}
OTHER_CODES = {"E1": -2, "E2": -1}
UNGROUPED = ("M", "X")
"""Codes of NCyearActual for a pupil who follows no one year's curriculum."""


def raw_pupil(element: etree._Element, place: str, warn: Callable[[str, str], None]) -> Raw:
    """The texts we use of a Pupil element, and the rest. ``warn(place, text)`` is told what is odd and stops nobody."""
    pupil = deepcopy(element)
    pupil.tail = None
    texts: dict[str, str] = {}
    for path, name in USED.items():
        texts[name] = texts.get(name) or _taken(pupil, path)
    former = _former(pupil, place, warn)
    year = _year(pupil, place, warn)
    return Raw(place, texts, former_upns=former, year_group=year, carried=_rest(pupil, place))


def _taken(pupil: etree._Element, path: str) -> str:
    found = pupil.find(path)
    if found is None:
        return ""
    _remove(found)
    return (found.text or "").strip()


def _former(pupil: etree._Element, place: str, warn: Callable[[str, str], None]) -> list[str]:
    good = []
    for found in pupil.findall("BasicDetails/FormerUPN")[:FORMER_UPNS_MAX]:
        try:
            good.append(PupilNumber.parse(found.text or "").text)
            _remove(found)
        except BadPupilNumber:
            warn(place, "the former UPN is not a valid one: kept to be handed on, not used to find the pupil")
    return good


def _year(pupil: etree._Element, place: str, warn: Callable[[str, str], None]) -> int | None:
    found = pupil.find("BasicDetails/NCyearActual")
    if found is None:
        return None
    code = (found.text or "").strip().upper()
    code = code.lstrip("0") or code
    if code in YEAR_CODES:
        _remove(found)
    elif code not in OTHER_CODES and code not in UNGROUPED:
        warn(place, "the code in NCyearActual is not one this software knows: no year group is taken from it")
    return YEAR_CODES.get(code, OTHER_CODES.get(code))


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _rest(pupil: etree._Element, place: str) -> str:
    """What is left, as canonical XML without the white space between elements; "" when nothing is."""
    for element in pupil.iter():
        if len(element) and not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None
    details = pupil.find("BasicDetails")
    if details is not None and _bare(details):
        pupil.remove(details)
    if _bare(pupil):
        return ""
    try:
        return etree.tostring(pupil, method="c14n", exclusive=True).decode()
    except etree.C14NError:
        raise BrokenRoster("an element uses a namespace without a proper name, and CTF uses none", place) from None


def _bare(element: etree._Element) -> bool:
    return not len(element) and not element.attrib and not (element.text or "").strip()


def pupil_element(person: Person, year_group: int | None, version: int, place: str) -> etree._Element:
    """The Pupil element of a person: the carried rest as it came, with what is on record now in its proper place.

    Raises BadRosterOut when the carried rest is not what ``raw_pupil`` makes, or a text cannot be in XML.
    """
    pupil = _carried(person.carried, place)
    sex = "Sex" if version >= SEX_SINCE else "Gender"
    born = person.date_of_birth.isoformat()
    own = {"UPN": person.upn, "Surname": person.surname, "Forename": person.forename, "DOB": born, sex: person.sex}
    details = {
        "FormerUPN": person.former_upns[-1] if person.former_upns else "",
        "PreferredForename": person.preferred_forename,
        "MiddleNames": person.middle_names,
        "NCyearActual": _code(pupil, year_group),
    }
    try:
        for name, text in own.items():
            _put(pupil, name, text)
        _put_details(pupil, details)
    except ValueError:
        raise BadRosterOut("a name holds a character that no XML file can hold", place) from None
    return pupil


def _carried(text: str, place: str) -> etree._Element:
    if not text:
        return etree.Element("Pupil")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        pupil = etree.fromstring(text.encode(), parser) if "<!DOCTYPE" not in text else None
    except (etree.XMLSyntaxError, ValueError):
        pupil = None
    if pupil is None or pupil.tag != "Pupil":
        raise BadRosterOut("the details that came with an earlier file cannot be read back", place)
    return pupil


def _code(pupil: etree._Element, year_group: int | None) -> str:
    """The code of the year group; "" where the file's own code (such as E1) is still there and says the same."""
    found = pupil.find("BasicDetails/NCyearActual")
    if found is not None:
        kept = (found.text or "").strip().upper()
        if year_group is None or OTHER_CODES.get(kept) == year_group:
            return ""
        _remove(found)
    return "" if year_group is None else CODES.get(year_group, "")


def _put_details(pupil: etree._Element, texts: dict[str, str]) -> None:
    if not any(texts.values()):
        return
    details = pupil.find("BasicDetails")
    if details is None:
        details = _put(pupil, "BasicDetails", " ")
        details.text = None
    for name, text in texts.items():
        _put(details, name, text)


def _put(parent: etree._Element, name: str, text: str | None) -> etree._Element:
    """A child with a text in its place among its siblings; no child for no text."""
    child = etree.Element(name)
    child.text = text or None
    if text:
        order = ORDER[str(parent.tag)]
        rank = order.index(name)
        later = (n for n, other in enumerate(parent) if other.tag not in order[: rank + 1])
        parent.insert(next(later, len(parent)), child)
    return child
