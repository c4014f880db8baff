"""A plan's goal says what will be there: which wordings say instead what will be gone."""

from __future__ import annotations

import re

from domain.base import DomainError

_NEGATIVE = re.compile(
    r"\b(?:stop(?:s|ping)?|not|never|no longer|no more|less|fewer|avoid(?:s|ing)?|quits?|ceas(?:es?|ing)|"
    r"refrains?|cannot|\w+n['\u2019]t)\b",
    re.IGNORECASE,
)
EXAMPLE = "Asks for help when stuck"


class GoalNotPositive(DomainError):
    """The goal says what will be gone instead of what will be there; it is asked about once and may be kept."""

    name = "goal"
    """The field of a form that it is about."""


def negative(goal: str) -> str | None:
    """The first word of a goal that says what will be gone; None where there is none."""
    found = _NEGATIVE.search(goal)
    return found[0].lower() if found else None


def check(goal: str) -> None:
    """Raises GoalNotPositive: what was found, what to write instead with an example, and that the words may be kept."""
    if word := negative(goal):
        raise GoalNotPositive(
            f'the goal says "{word}": write what will be there instead, as in "{EXAMPLE}", or say you keep your words'
        )
