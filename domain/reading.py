"""How old a reader must be: Flesch-Kincaid grade and reading age of English text, counted here without a library."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
_SENTENCE_END = re.compile(r"[.!?:;]+(?:\s|$)")
_GROUP = re.compile(r"[aeiouy]+")
_SPLIT = re.compile(r"(?:i[aou]|eo|ua(?!r)|ying|[aeou]ing$|io(?!n\b))")
_SILENT_END = re.compile(r"(?:[^aeiouylsxzhgc]es|[^aeiouytd]ed|[^aeiouyl]e|[aeiouy]le|re)$")
AGE_AT_GRADE_0 = 5
_COUNTED = {
    "people": 2, "idea": 3, "area": 3, "being": 2, "doing": 2, "going": 2, "trying": 2, "quiet": 2, "every": 2,
    "everything": 3, "everyone": 3, "anything": 3,
    "science": 2, "create": 2, "usual": 3, "usually": 4, "sure": 1, "once": 1, "one": 1, "someone": 2, "anyone": 3,
    "something": 2, "somewhere": 2, "sometimes": 2, "likely": 2, "themselves": 2, "ourselves": 3, "themself": 2,
    "more": 1, "there": 1, "where": 1, "here": 1, "before": 2, "are": 1, "were": 1, "their": 1, "your": 1,
}  # fmt: skip
"""Words whose spelling misleads the rule below."""


def syllables(word: str) -> int:
    """Syllables of one English word: vowel groups, less a silent ending; exceptions are listed."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    if word in _COUNTED:
        return _COUNTED[word]
    word = word.replace("'", "")
    groups = len(_GROUP.findall(word)) + len(_SPLIT.findall(word))
    silent = bool(_SILENT_END.search(word)) and len(_GROUP.findall(word)) > 1
    return max(1, groups - silent)


def grade(text: str) -> float:
    """The Flesch-Kincaid grade of a text: 0.39 words/sentences + 11.8 syllables/words - 15.59 (Kincaid 1975)."""
    words = _WORD.findall(text)
    if not words:
        return 0.0
    sentences = max(1, len(_SENTENCE_END.findall(text.strip() + " ")))
    spoken = sum(syllables(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * spoken / len(words) - 15.59


def reading_age(text: str) -> float:
    """The reading age in years that the grade stands for: grade + 5, no lower than 5."""
    return max(0.0, grade(text)) + AGE_AT_GRADE_0
