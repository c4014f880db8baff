"""OneRoster over REST: the same roster as the CSV export gives, and every other answer refused by name."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identity import SchoolName
from tests.support.mutating import QUIET
from tests.support.roster_server import OURS, SchoolSystem, student
from transfer import errors
from transfer.rosters import oneroster, oneroster_rest

ON = date(2026, 11, 24)
BROOK = SchoolName(school_id=UUID(int=1), name="Brook Primary", urn="900101", lea="330", estab="2345")
PATHS = {
    "orgs": "/orgs", "users": f"/schools/{OURS.replace(' ', '%20')}/students", "demographics": "/demographics",
    "classes": f"/schools/{OURS.replace(' ', '%20')}/classes", "academicSessions": "/academicSessions",
    "enrollments": f"/schools/{OURS.replace(' ', '%20')}/enrollments",
}  # fmt: skip


def answers() -> dict[str, Any]:
    system = SchoolSystem([
        student(1, userIds=[{"type": "UPN", "identifier": "B801200005001"}], preferredFirstName='"Mab", "May"'),
        student(2, grades=["Year 5"], status="tobedeleted"),
    ])  # fmt: skip
    return {name: (system.collection(path) or ("", []))[1] for name, path in PATHS.items()}


def test_what_the_service_says_is_read_as_the_export_would_be() -> None:
    made = oneroster.read(oneroster_rest.zip_of(answers()), ON, BROOK)
    first, second = made.pupils
    assert (made.full, made.version, made.dimensions) == (True, "1.2", {"class", "tutor group"})
    assert (first.person.upn, first.person.preferred_forename) == ("B801200005001", '"Mab", "May"')
    assert [(one.dimension, one.name) for one in first.groups] == [("tutor group", "4B")]
    assert (second.year_group, second.leaving, first.leaving) == (5, True, False)


def test_the_same_answers_give_the_same_bytes() -> None:
    assert oneroster_rest.zip_of(answers()) == oneroster_rest.zip_of(answers())


def test_half_a_letter_is_refused_by_name() -> None:
    found = answers()
    found["users"][0]["givenName"] = "\ud83d"
    with pytest.raises(errors.NotARoster, match="half a letter"):
        oneroster_rest.zip_of(found)


Path = tuple[str | int, ...]


def places(value: Any, at: Path = ()) -> list[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(one for name, below in inner for one in places(below, (*at, name)))]


WHERE = [path for path in places(answers()) if len(path) > 1]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5)
    | st.sampled_from(["\0", "\ud800", "tobedeleted", "2026-13-01", "{UPN:", OURS, "u0001", "x" * 20_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sourcedId", "type", "a"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
edit = st.tuples(st.sampled_from(WHERE), ODD)


def put(value: Any, path: Path, new: Any) -> None:
    with suppress(LookupError, TypeError):  # an edit before this one took the place away
        for name in path[:-1]:
            value = value[name]
        value[path[-1]] = new


def read_or_refused(edits: list[tuple[Path, Any]]) -> None:
    found = copy.deepcopy(answers())
    for path, new in edits:
        put(found, path, new)
    # as it comes from a server: what is no object with an id is refused before, where it is asked
    kept = {
        name: [one for one in items if isinstance(one, dict)]
        for name, items in found.items()
        if isinstance(items, list)
    }
    json.dumps(kept)
    with suppress(errors.BadRoster):  # anything else is a crash
        oneroster_rest.our_school(kept["orgs"], BROOK)
        oneroster.read(oneroster_rest.zip_of(kept), ON, BROOK)


@settings(max_examples=1_500, **QUIET)
@given(st.lists(edit, min_size=1, max_size=4))
def test_mutated_answers_are_read_or_refused_by_name(edits: list[tuple[Path, Any]]) -> None:
    read_or_refused(edits)


@pytest.mark.long
@settings(max_examples=20_000, **QUIET)
@given(st.lists(edit, min_size=1, max_size=8))
def test_many_more_mutated_answers_are_read_or_refused_by_name(edits: list[tuple[Path, Any]]) -> None:
    read_or_refused(edits)
