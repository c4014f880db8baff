"""The pupil's pages in Welsh: every word there is in English is there too, with the same places for names and numbers."""

from __future__ import annotations

import re
from importlib import resources
from string import Formatter

import pytest

from astrack.web.lang import CY, EN, LANGUAGES, WORDS


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
