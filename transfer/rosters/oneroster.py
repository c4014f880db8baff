"""OneRoster 1.2 CSV (1EdTech): a zip of a manifest and tables in, the same roster out that a CTF gives."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from domain.background import NOTHING, Background, Watchable
from domain.identity import SchoolName
from domain.journey.facts import Group
from domain.pupil_number import BadPupilNumber, PupilNumber
from domain.roster import Numbers, Roster
from transfer.errors import EmptyRoster, NotARoster, NotThisSchool, UnknownRosterVersion
from transfer.listing import Listing, Raw
from transfer.rosters.background import of_demographics
from transfer.rosters.tables import Row, Table, read_tables

REQUIRED = {
    "orgs": ("sourcedId", "name", "type", "identifier"),
    "users": ("sourcedId", "givenName", "familyName"),
    "roles": ("userSourcedId", "role", "orgSourcedId"),
    "enrollments": ("classSourcedId", "userSourcedId", "role"),
    "classes": ("sourcedId", "title", "classType"),
    "academicSessions": ("sourcedId", "startDate", "endDate"),
    "demographics": ("sourcedId", "birthDate"),
}
NEEDED = ("orgs", "users", "roles", "demographics")
MODES = ("bulk", "delta", "absent")
VERSIONS = ("1.2", "1.2.1")
UPN_AMONG_IDS = re.compile(r"\{\s{0,5}upn\s{0,5}:([^{}]{0,40})\}", re.IGNORECASE)
YEAR = re.compile(r"(?:year|yr|y)?\s*0*(\d{1,2})", re.IGNORECASE | re.ASCII)
EARLY_YEARS = {"r": 0, "reception": 0, "n2": -1, "n1": -2}
SEXES = {"male": "M", "female": "F"}
HOMEROOM, TUTOR_GROUP, CLASS = "homeroom", "tutor group", "class"
"""OneRoster's word for a tutor group's class, and what the two kinds of class are called here."""


def read(data: bytes, on: date, school: SchoolName | None = None, watched: Sequence[Watchable] = ()) -> Roster:
    """The pupils of ``school`` in a OneRoster 1.2 zip, with the tutor groups and classes they are in on a day.

    The school is the one whose identifier in orgs.csv is its URN or LA and establishment number, or the only one.
    A bulk file lists everyone; of a delta file, a user "tobedeleted" leaves. Size, count, ratio and names are capped.
    ``watched``: the fields of pupils' background to read from demographics.csv, none by default.
    Raises the BadRoster tree.
    """
    if not data:
        raise EmptyRoster("the file is empty", "the whole file")
    tables = read_tables(data, REQUIRED)
    version, modes = _manifest(tables)
    _complete(tables, modes)
    org = our_org(tables["orgs"], school)
    listing = Listing()
    groups = _groups(tables, on, listing)
    demographics = tables["demographics"].by("sourcedId")
    for user, leaving in _pupils(tables, org, on):
        raw = _raw(user, demographics, groups, leaving, listing)
        raw.background = _background(demographics.get(user["sourcedId"]), watched)
        listing.add(raw)
    if not listing.pupils and not listing.held_back:
        raise EmptyRoster("no pupil of this school is listed", "users.csv")
    return _roster(data, version, modes, org, listing).model_copy(update={"watched": tuple(watched)})


def _roster(data: bytes, version: str, modes: Mapping[str, str], org: Row, listing: Listing) -> Roster:
    grouped = modes.get("classes") == modes.get("enrollments") == "bulk"
    return Roster(
        source="oneroster", version=version, file_sha256=hashlib.sha256(data).hexdigest(),
        full=modes["users"] == modes["roles"] == "bulk", from_school=_numbers(org),
        pupils=tuple(listing.pupils), held_back=tuple(listing.held_back), warnings=tuple(listing.warnings),
        empties=frozenset(), dimensions=frozenset({TUTOR_GROUP, CLASS}) if grouped else frozenset(),
    )  # fmt: skip


def _manifest(tables: Mapping[str, Table]) -> tuple[str, dict[str, str]]:
    """The version, and how each table is given: bulk, delta or absent."""
    stated = {row["propertyName"]: row["value"] for row in tables["manifest"].rows}
    version = stated.get("oneroster.version", "")
    if version not in VERSIONS:
        shown = version[:10] if version.replace(".", "").isdigit() else "missing or no number"
        raise UnknownRosterVersion(f"the OneRoster version is {shown}, and 1.2 is read", "manifest.csv")
    modes = {name.removeprefix("file."): mode for name, mode in stated.items() if name.startswith("file.")}
    for name in REQUIRED:
        if modes.setdefault(name, "absent") not in MODES:
            raise NotARoster(f"file.{name} is none of bulk, delta, absent", "manifest.csv")
    return version, modes


def _complete(tables: Mapping[str, Table], modes: Mapping[str, str]) -> None:
    for name in REQUIRED:
        given = name in tables
        if (name in NEEDED or modes[name] != "absent") and not given:
            raise NotARoster(f"{name}.csv is needed and is not in the zip", "the zip")
        if given and modes[name] == "absent":
            raise NotARoster(f"{name}.csv is in the zip, while the manifest says it is absent", "manifest.csv")


def our_org(orgs: Table, school: SchoolName | None) -> Row:
    """The school's own line: with its URN or LA and establishment number, or the only one. Raises NotThisSchool."""
    schools = [row for row in orgs.rows if row["type"] == "school" and row["status"] != "tobedeleted"]
    if school is not None:
        ours = {school.urn, school.lea + school.estab, f"{school.lea}/{school.estab}"} - {"", "/"}
        for row in schools:
            if row["identifier"] in ours:
                return row
    if len(schools) != 1:
        raise NotThisSchool(f"the file holds {len(schools)} schools and none has this school's number", "orgs.csv")
    return schools[0]


def _numbers(org: Row) -> Numbers:
    identifier = org["identifier"].replace("/", "")
    named = Numbers(name=org["name"][:100])
    if len(identifier) == 7:
        return named.model_copy(update={"lea": identifier[:3], "estab": identifier[3:]})
    return named.model_copy(update={"urn": identifier[:6]})


def _pupils(tables: Mapping[str, Table], org: Row, on: date) -> list[tuple[Row, bool]]:
    """The users who are pupils of the school on the day; with True those who were and are stated to leave."""
    roles = [
        row for row in tables["roles"].rows if row["role"] == "student" and row["orgSourcedId"] == org["sourcedId"]
    ]
    ended = {row["userSourcedId"] for row in roles if row["status"] == "tobedeleted"}
    now = {row["userSourcedId"] for row in roles if row["status"] != "tobedeleted" and _holds(row, _ROLE, on)}
    return [
        (user, user["status"] == "tobedeleted" or user["sourcedId"] not in now)
        for user in tables["users"].rows
        if user["sourcedId"] in now | ended
    ]


def _holds(row: Row, days: tuple[str, str], on: date) -> bool:
    begin, end = row[days[0]][:10], row[days[1]][:10]
    day = on.isoformat()
    return (not begin or begin <= day) and (not end or day <= end)


_ROLE = ("beginDate", "endDate")
_SESSION = ("startDate", "endDate")


def _raw(
    user: Row, demographics: Mapping[str, Row], groups: Mapping[str, tuple[Group, ...]], leaving: bool, listing: Listing
) -> Raw:
    more = demographics.get(user["sourcedId"])
    texts = {
        "surname": user["familyName"],
        "forename": user["givenName"],
        "preferred_forename": user["preferredGivenName"],
        "middle_names": user["middleName"],
        "upn": _upn(user),
        "date_of_birth": more["birthDate"][:10] if more else "",
        "sex": SEXES.get(more["sex"].lower(), "") if more else "",
    }
    member = groups.get(user["sourcedId"], ())
    return Raw(user.place, texts, year_group=_year(user, listing), groups=member, leaving=leaving)


def _background(more: Row | None, watched: Sequence[Watchable]) -> Background:
    return of_demographics(more.__getitem__, watched) if more and watched else NOTHING


def _upn(user: Row) -> str:
    """The UPN among the user's ids, as {UPN:…}; else the identifier where it is a valid UPN."""
    stated = UPN_AMONG_IDS.search(user["userIds"])
    if stated:
        return stated[1].strip()
    try:
        return PupilNumber.parse(user["identifier"]).text
    except BadPupilNumber:
        return ""


def _year(user: Row, listing: Listing) -> int | None:
    grades = [grade.strip() for grade in user["grades"].split(",") if grade.strip()]
    for grade in grades:
        found = YEAR.fullmatch(grade)
        if found and 0 <= int(found[1]) <= 14:
            return int(found[1])
        if grade.lower() in EARLY_YEARS:
            return EARLY_YEARS[grade.lower()]
    if grades:
        listing.warn(user.place, "no year group can be read from grades")
    return None


def _groups(tables: Mapping[str, Table], on: date, listing: Listing) -> dict[str, tuple[Group, ...]]:
    """User id -> the groups of the classes they attend on the day, in a fixed order."""
    if "classes" not in tables or "enrollments" not in tables:
        return {}
    classes = _classes(tables, on, listing)
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in tables["enrollments"].rows:
        group = classes.get(row["classSourcedId"])
        now = row["status"] != "tobedeleted" and _holds(row, _ROLE, on)
        if group and now and row["role"] == "student":
            found[row["userSourcedId"]].add(group)
    return {
        user: tuple(Group(dimension=dimension, name=name) for dimension, name in sorted(groups))
        for user, groups in found.items()
    }


def _classes(tables: Mapping[str, Table], on: date, listing: Listing) -> dict[str, tuple[str, str]]:
    sessions = tables["academicSessions"].by("sourcedId") if "academicSessions" in tables else {}
    classes = {}
    for row in tables["classes"].rows:
        terms = [sessions[one.strip()] for one in row["termSourcedIds"].split(",") if one.strip() in sessions]
        running = not terms or any(_holds(term, _SESSION, on) for term in terms)
        if row["status"] == "tobedeleted" or not running:
            continue
        if not 1 <= len(row["title"]) <= 80:
            listing.warn(row.place, "the title of the class is empty or over 80 characters: the class is left out")
            continue
        classes[row["sourcedId"]] = (TUTOR_GROUP if row["classType"] == HOMEROOM else CLASS, row["title"])
    return classes
