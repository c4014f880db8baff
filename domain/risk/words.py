"""What a flag says: one plain sentence without a name, that a twelve-year-old can read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

REASON_MAX = 200
ENDS: dict[tuple[str, str], str] = {
    ("self_disclosure", "low"): "keeps almost everything private",
    ("self_disclosure", "high"): "tells nearly all to almost anyone",
    ("trust_of_self", "low"): "doubts their own view nearly every time",
    ("trust_of_self", "high"): "is sure of their own view nearly every time",
    ("trust_of_others", "low"): "leans on almost nobody",
    ("trust_of_others", "high"): "trusts almost anyone",
    ("seeking_change", "low"): "holds on to what they know",
    ("seeking_change", "high"): "looks for the new and the daring all the time",
}
"""A factor at an end, in plain words."""
MOVES: dict[tuple[str, str], str] = {
    ("self_disclosure", "low"): "tells less than before",
    ("self_disclosure", "high"): "tells more than before",
    ("trust_of_self", "low"): "doubts their own view more than before",
    ("trust_of_self", "high"): "is more set on their own view than before",
    ("trust_of_others", "low"): "leans on others less than before",
    ("trust_of_others", "high"): "trusts almost anyone more than before",
    ("seeking_change", "low"): "holds on to what they know more than before",
    ("seeking_change", "high"): "looks for the daring more than before",
}
GAPS: dict[tuple[str, str], str] = {
    ("self_disclosure", "low"): "tells far less in school than in general",
    ("self_disclosure", "high"): "tells far more in school than in general",
    ("trust_of_self", "low"): "is far less sure of their own view in school than in general",
    ("trust_of_self", "high"): "is far more sure of their own view in school than in general",
    ("trust_of_others", "low"): "leans on others far less in school than in general",
    ("trust_of_others", "high"): "leans on others far more in school than in general",
    ("seeking_change", "low"): "looks for change far less in school than in general",
    ("seeking_change", "high"): "looks for change far more in school than in general",
}
PLACES = {"general": "In general", "school": "In school"}
QUALITY = {
    "straight_lining": "almost all the same",
    "longest_run": "the same many times in a row",
    "too_fast": "given very fast",
    "inconsistent": "at odds with each other",
    "missing": "too few",
}
_SURE = ((9, "Very sure"), (7, "Fairly sure"), (6, "More likely than not"))
_UNSURE = "We are not sure yet"
_REST = re.compile(rf" (?:Since \w+ \d{{4}}\.|(?:{'|'.join([*(said for _, said in _SURE), _UNSURE])}) \([^)]*\)\.)")


def sure(probability: float) -> str:
    """How sure, in words and in tenths: "Fairly sure (8 in 10)."."""
    tenths = min(max(round(probability * 10), 1), 9)
    words = next((words for least, words in _SURE if tenths >= least), _UNSURE)
    return f"{words} ({'more than ' if probability >= 0.95 else ''}{tenths} in 10)."


def claim(reason: str) -> str:
    """What a sign says, without since when and how sure: all that is told until somebody has looked."""
    return _REST.sub("", reason)


def since(day: date | None) -> str:
    """When it began, by school term: "Since autumn 2026." ; "" where it has just begun."""
    if day is None:
        return ""
    return f" Since {'autumn' if day.month >= 9 else 'spring' if day.month <= 4 else 'summer'} {day.year}."


def polar(factor: str, context: str, pole: str, probability: float, elsewhere: float, began: date | None) -> str:
    """A level at an end; ``elsewhere``: the probability of the same end in the other context."""
    other = "in general" if context == "school" else "in school"
    rest = f"; {other} too" if elsewhere >= 0.6 else f"; {other} that is not so" if elsewhere < 0.3 else ""
    return f"{PLACES[context]}, now {ENDS[factor, pole]}{rest}.{since(began)} {sure(probability)}"


def priority(ends: Sequence[tuple[str, str]], probability: float, began: date | None) -> str:
    """Two or more factors at an end; ``ends``: the two most likely."""
    both = " and ".join(ENDS[end] for end in ends[:2])
    return f"More than one sign at once: {both}.{since(began)} {sure(probability)}"


def ends(reason: str) -> list[tuple[str, str]]:
    """The factors and ends a priority's sentence names, in its order: ``priority`` read back."""
    found = [(reason.find(said), end) for end, said in ENDS.items() if said in reason]
    return [end for _, end in sorted(found)]


def both_contexts(factor: str, pole: str, probability: float) -> str:
    """One factor at the same end in general and in school."""
    return f"In general and in school, {ENDS[factor, pole]}. {sure(probability)}"


def composite(says: str, context: str, probability: float) -> str:
    """A pattern across factors in one context."""
    return f"{PLACES[context]}, {says}. {sure(probability)}"


def gap(factor: str, pole: str, probability: float) -> str:
    """School and general far apart; ``pole`` is where school lies."""
    return f"Now {GAPS[factor, pole]}. {sure(probability)}"


def worsening(factor: str, context: str, pole: str, probability: float, began: date) -> str:
    """A level that moved towards an end."""
    return f"{PLACES[context]}, {MOVES[factor, pole]}.{since(began)} {sure(probability)}"


def unsettled(rounds: int) -> str:
    """More movement between rounds than error alone gives."""
    return f"Over the last {rounds} rounds the answers moved up and down far more than chance would move them."


def flat(rounds: int) -> str:
    """Less movement between rounds than error alone gives."""
    return f"Over the last {rounds} rounds the answers hardly moved at all, less than chance would move them."


def response_quality(codes: Sequence[str]) -> str:
    """The last answers could not be read."""
    how = " and ".join(QUALITY[code] for code in codes if code in QUALITY) or "hard to read"
    return f"The last answers were {how}, so we read nothing from them. A calm new try may help."
