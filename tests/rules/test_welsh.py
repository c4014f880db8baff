"""The pupil's pages in Welsh: every word there is in English is there too, with the same places for names and numbers."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import Any
from uuid import UUID

import pytest

from astrack.picture import ENDS, NAMES, table
from astrack.picture.example import example
from astrack.picture.svg import svg
from astrack.web.door import TOLD
from astrack.web.lang import CY, EN, LANGUAGES, WORDS
from astrack.web.own_story import words_of
from astrack.web.story import GUIDED, Telling
from astrack.web.welsh import TABLE, in_welsh
from astrack.web.words import PURPOSES, ROLE_NAMES
from domain.base import Actor

WEB = Path(__file__).parents[2] / "astrack" / "web"
NOT_FOR_A_PUPIL = {
    "The file came without its length: send it from the page, or use the command line.",
}
"""What is said to who sends a file: a pupil sends none."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def used() -> set[str]:
    folder = resources.files("astrack") / "pages"
    texts = [one.read_text() for one in folder.iterdir() if one.name.endswith(".html")]
    return {name for text in texts for name in re.findall(r"say\('([a-z_]+)'", text)}


def test_every_word_of_a_pupils_page_is_there_in_each_language() -> None:
    assert WORDS.keys() == LANGUAGES.keys()
    for language, words in WORDS.items():
        assert used() <= words.keys(), language
        assert words.keys() == EN.keys(), language


@pytest.mark.parametrize("name", EN)
def test_the_welsh_says_it_in_welsh_with_the_same_places(name: str) -> None:
    assert places(CY[name]) == places(EN[name])
    assert CY[name] != EN[name]


@pytest.mark.parametrize("name", CY)
def test_the_welsh_speaks_to_one_pupil_as_to_a_friend(name: str) -> None:
    assert not re.search(r"\b(chi|eich|gadewch|dewiswch|cewch|gallwch|ydych)\b", CY[name], re.IGNORECASE)


class Heard:
    """Keeps what was to be said, and says it in Welsh."""

    def __init__(self) -> None:
        self.words: set[str] = set()

    def __call__(self, words: str) -> str:
        self.words.add(words)
        return in_welsh(words)


def test_the_pupils_picture_and_its_table_are_all_in_welsh() -> None:
    heard = Heard()
    for day in (None, date(2023, 3, 12)):
        data = replace(example(), guided=True, say=heard, as_known_on=day)
        drawn = svg(data) + svg(data, narrow=True)
        table(data)
    assert len(heard.words) > 40
    assert sorted(heard.words - TABLE.keys()) == []
    assert "yn gyffredinol" in drawn and "Mawrth 2023" in drawn
    assert "in general" not in drawn and "March" not in drawn


def test_the_names_beside_the_picture_have_room() -> None:
    for words in (*NAMES.values(), *(one for ends in ENDS.values() for one in ends)):
        assert len(TABLE[words]) <= (16 if words in NAMES.values() else 21), TABLE[words]


def a_fact(kind: Any, role: str = "pupil", **fields: Any) -> Any:
    head = {
        "event_id": UUID(int=1),
        "recorded_at": datetime(2026, 3, 1, tzinfo=UTC),
        "by": Actor(id=UUID(int=2), role=role),
    }
    return kind.model_construct(**head, **fields)


@pytest.mark.parametrize("kind", GUIDED, ids=lambda kind: kind.__name__)
def test_each_line_of_a_pupils_own_story_is_said_to_them_in_both_languages(kind: Any) -> None:
    known = {"school_id": UUID(int=3), "from_school_id": None, "goal": "Asks first", "instrument": "x"}
    named = Telling("Mia", {}, {}, {})
    for year, role, by, came in ((5, "pupil", "pupil", "helped"), (None, "tutor", "parent", "did_not_help")):
        fact = a_fact(kind, role, **known, year_group=year, asked_by=by, came=came, instrument_version=1)
        heard = Heard()
        english = words_of(named, fact, str)
        welsh = words_of(named, fact, heard)
        assert sorted(heard.words - TABLE.keys()) == []
        assert english != welsh and english.endswith((".", "Asks first"))


def test_roles_purposes_and_headings_are_there_in_welsh() -> None:
    seen = {*ROLE_NAMES.values(), *PURPOSES.values(), *TOLD.values()} - {ROLE_NAMES["operator"]}
    assert sorted(seen - TABLE.keys()) == []


def test_what_the_templates_put_into_welsh_is_there() -> None:
    texts = [one.read_text() for one in (resources.files("astrack") / "pages").iterdir() if one.name.endswith(".html")]
    asked = {name for text in texts for name in re.findall(r"""\btr\(["']([^"'{}]+)["']\)""", text)}
    assert len(asked) > 20
    assert sorted(asked - TABLE.keys()) == []


def said_to_pupils() -> set[str]:
    """The sentences of BadForm where a pupil's forms are read."""
    found: set[str] = set()
    for name in ("sit", "desk", "me", "forms", "site", "door"):
        for node in ast.walk(ast.parse((WEB / f"{name}.py").read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BadForm" and node.args:
                first = node.args[0]
                found |= {first.value} if isinstance(first, ast.Constant) else set()
    return found


def test_what_a_form_of_a_pupils_says_is_there_in_welsh() -> None:
    assert len(said_to_pupils()) > 5
    assert sorted(said_to_pupils() - TABLE.keys() - NOT_FOR_A_PUPIL) == []


def test_a_refusal_with_numbers_is_said_in_welsh() -> None:
    assert in_welsh("Your answer: write a whole number from 1 to 6.") == "Dy ateb: dewisa rif cyfan o 1 i 6."
    assert in_welsh("Something nobody has put into Welsh.") == "Something nobody has put into Welsh."


@pytest.mark.parametrize("english", TABLE)
def test_the_same_places_stand_in_both_languages(english: str) -> None:
    assert places(TABLE[english]) == places(english)
    assert not re.search(r"\b(chi|eich|gadewch|dewiswch|cewch|gallwch|ydych)\b", TABLE[english], re.IGNORECASE)
