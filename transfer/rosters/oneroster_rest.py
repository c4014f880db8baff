"""OneRoster 1.2 as its rostering service answers in JSON: brought into the tables of the CSV export, read from there.

So there is one reading of OneRoster, and one set of limits and refusals, whichever way a roster comes.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from domain.identity import SchoolName
from transfer.errors import NotARoster
from transfer.rosters import oneroster
from transfer.rosters.tables import Row, Table

ANSWER = "the answer of the roster's server"
Item = Mapping[str, Any]
Columns = Mapping[str, Callable[[Item], str]]
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip, so that the same roster has the same digest."""
RACES = (
    "asian", "blackOrAfricanAmerican", "white", "demographicRaceTwoOrMoreRaces", "americanIndianOrAlaskaNative",
    "nativeHawaiianOrOtherPacificIslander",
)  # fmt: skip
OURS = ("sen", "eal", "fsm", "ethnicity")
"""Our own columns of background, which a server may give under ``metadata``."""


def text(item: Item, name: str) -> str:
    """A field as text, "" without one. Raises NotARoster for a list or an object."""
    found = item.get(name)
    if isinstance(found, bool):
        return str(found).lower()
    if found is None or isinstance(found, (str, int)):
        return "" if found is None else str(found)
    raise NotARoster(f"the field {name} is no text", ANSWER)


def _plain(*names: str) -> Columns:
    return {name: lambda item, name=name: text(item, name) for name in names}  # type: ignore[misc]


def _items(item: Item, name: str) -> list[Item]:
    found = item.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise NotARoster(f"the field {name} is no list of objects", ANSWER)
    return found


def _ref(item: Item, name: str) -> str:
    found = item.get(name) or {}
    if not isinstance(found, Mapping):
        raise NotARoster(f"the field {name} refers to nothing", ANSWER)
    return text(found, "sourcedId")


def _grades(user: Item) -> str:
    found = user.get("grades") or []
    given = found if isinstance(found, list) else [found]
    return ",".join(text({"grades": one}, "grades") for one in given)


def _ids(user: Item) -> str:
    return ",".join(f"{{{text(one, 'type')}:{text(one, 'identifier')}}}" for one in _items(user, "userIds"))


def _metadata(name: str) -> Callable[[Item], str]:
    return lambda item: text(item["metadata"], name) if isinstance(item.get("metadata"), Mapping) else ""


TABLES: Mapping[str, Columns] = {
    "orgs": _plain("sourcedId", "status", "name", "type", "identifier"),
    "users": {
        **_plain("sourcedId", "status", "givenName", "familyName", "middleName", "identifier"),
        "userIds": _ids, "grades": _grades, "preferredGivenName": lambda user: text(user, "preferredFirstName"),
    },
    "roles": {
        **_plain("userSourcedId", "status", "role", "beginDate", "endDate"),
        "orgSourcedId": lambda role: _ref(role, "org"),
    },
    "demographics": {
        **_plain("sourcedId", "status", "birthDate", "sex", *RACES),
        **{f"metadata.{name}": _metadata(name) for name in OURS},
    },
    "classes": {
        **_plain("sourcedId", "status", "title", "classType"),
        "termSourcedIds": lambda one: ",".join(text(term, "sourcedId") for term in _items(one, "terms")),
    },
    "enrollments": {
        **_plain("sourcedId", "status", "role", "beginDate", "endDate"),
        "classSourcedId": lambda one: _ref(one, "class"), "userSourcedId": lambda one: _ref(one, "user"),
    },
    "academicSessions": _plain("sourcedId", "status", "title", "type", "startDate", "endDate"),
}  # fmt: skip
"""What each table of the export has, and where the service's JSON says it (OneRoster 1.2, information model)."""


def our_school(orgs: Sequence[Item], school: SchoolName | None) -> str:
    """The sourcedId of this school among those a server has. Raises NotThisSchool, NotARoster."""
    columns = TABLES["orgs"]
    place = {name: at for at, name in enumerate(columns)}
    rows = [Row("orgs", at, place, [of(one).strip() for of in columns.values()]) for at, one in enumerate(orgs, 1)]
    return oneroster.our_org(Table("orgs", rows), school)["sourcedId"]


def zip_of(found: Mapping[str, Sequence[Item]]) -> bytes:
    """The export that says what a server said: ``orgs``, ``users``, ``demographics``, ``classes``, ``enrollments`` and
    ``academicSessions``, each whole. The same answers give the same bytes. Raises NotARoster.
    """
    roles = [
        {**role, "userSourcedId": text(user, "sourcedId")} for user in found["users"] for role in _items(user, "roles")
    ]
    whole = {**found, "roles": roles}
    made = {"manifest": _csv(("propertyName", "value"), _manifest(whole))}
    made |= {name: _csv(tuple(TABLES[name]), map(_cells(name), items)) for name, items in whole.items()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in made.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.csv", LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _manifest(whole: Mapping[str, object]) -> list[tuple[str, str]]:
    return [("manifest.version", "1.0"), ("oneroster.version", "1.2"), *((f"file.{name}", "bulk") for name in whole)]


def _cells(name: str) -> Callable[[Item], list[str]]:
    return lambda item: [of(item) for of in TABLES[name].values()]


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(head)
    writer.writerows(rows)
    try:
        return made.getvalue().encode()
    except UnicodeEncodeError:
        raise NotARoster("there is half a letter in a text", ANSWER) from None
