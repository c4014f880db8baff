"""Item difficulties from recorded answers instead of judgement: estimated, linked to the scale in use, with their doubt
and fit. What comes out is a proposal; a version of it takes hold when it is put beside the modules.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field, ValidationError

from domain.base import DomainError, Value
from domain.training.rasch import Floats, difficulties, level_of, link, p_right

LEAST_ANSWERS = 30
"""An item with fewer answers keeps its difficulty."""
DRIFTED = 0.5
"""An item that moved farther than this, and than twice its error, ties no scales together."""
FITS = (0.7, 1.3)
"""Mean squares within these are ordinary (Wright and Linacre 1994, for tests that are not high-stakes)."""
Answers = Mapping[str, bool]


class TooFewAnswers(DomainError):
    """There are too few recorded answers to say anything about the questions."""


class Calibrated(Value):
    """One item: ``difficulty`` in logits with its standard error, the answers it rests on, the difficulty in use until
    now, mean squares of fit (1 is what the model expects); ``anchor``: it held the two scales together.
    """

    difficulty: Annotated[float, Field(ge=-6, le=6)]
    error: Annotated[float, Field(ge=0)]
    answers: Annotated[int, Field(ge=0)]
    was: float
    infit: float
    outfit: float
    anchor: bool

    @property
    def fits(self) -> bool:
        """Whether answers to it go with the level as the model says."""
        return all(FITS[0] <= one <= FITS[1] for one in (self.infit, self.outfit))


class Calibration(Value):
    """A version of item difficulties: the people and the digest of the answers they rest on; items by id."""

    version: Annotated[int, Field(ge=1)]
    people: int
    answers_sha256: str
    items: dict[str, Calibrated]


def read(content: bytes) -> Calibration:
    """A version from its file. Raises ValueError."""
    try:
        return Calibration.model_validate_json(content)
    except ValidationError as error:
        raise ValueError(f"a file of item difficulties cannot be read: {error}") from error


def calibrate(
    people: Sequence[Answers], old: Mapping[str, float], version: int, chance: np.random.Generator, draws: int = 200
) -> Calibration:
    """A new version from what each person answered first to each question (right or not). Raises TooFewAnswers.

    Difficulties by pairs (``rasch.difficulties``), so that who met which form does not matter; linked by the items that
    stayed where they were; errors by drawing people again ``draws`` times.
    """
    counts = {item: sum(item in one for one in people) for item in old}
    items = [item for item in sorted(old) if counts[item] >= LEAST_ANSWERS]
    if len(items) < 2:
        raise TooFewAnswers(f"{len(people)} people have answered, and fewer than two questions {LEAST_ANSWERS} times:"
                            " wait for more")  # fmt: skip
    right = np.array([[_mark(one, item) for item in items] for one in people])
    drawn = [difficulties(right[chance.integers(0, len(right), len(right))]) for _ in range(draws)]
    error = np.std(drawn, axis=0, ddof=1)
    found = difficulties(right)
    anchors = _anchors(items, found, error, old)
    found = found + link({one: old[one] for one in anchors}, dict(zip(items, found, strict=True)))
    infit, outfit = fit(right, found)
    made = {
        item: Calibrated(
            difficulty=round(float(found[n]), 3), error=round(float(error[n]), 3), answers=counts[item], was=old[item],
            infit=round(float(infit[n]), 2), outfit=round(float(outfit[n]), 2), anchor=item in anchors,
        )
        for n, item in enumerate(items)
    }  # fmt: skip
    return Calibration(version=version, people=len(right), answers_sha256=_digest(people), items=made)


def _mark(one: Answers, item: str) -> float:
    return float(one[item]) if item in one else np.nan


def _anchors(items: Sequence[str], found: Floats, error: Floats, old: Mapping[str, float]) -> list[str]:
    """The items that stayed where they were, seen from where most of them went; all where none did."""
    moved = found - np.array([old[item] for item in items])
    apart = np.abs(moved - np.median(moved))
    stayed = [item for n, item in enumerate(items) if apart[n] <= max(DRIFTED, 2 * float(error[n]))]
    return stayed or list(items)


def fit(right: Floats, difficulty: Floats) -> tuple[Floats, Floats]:
    """Infit and outfit mean squares of each item: squared residuals weighted by information, and not (Wright 1982)."""
    levels = np.array([
        level_of([(float(difficulty[n]), bool(one[n])) for n in np.flatnonzero(~np.isnan(one))]).mean for one in right
    ])  # fmt: skip
    expected = p_right(levels[:, None], difficulty[None, :])
    spread = np.where(np.isnan(right), np.nan, expected * (1 - expected))
    square = (right - expected) ** 2
    return np.nansum(square, axis=0) / np.nansum(spread, axis=0), np.nanmean(square / spread, axis=0)


def _digest(people: Iterable[Answers]) -> str:
    lines = sorted(json.dumps(dict(sorted(one.items())), separators=(",", ":")) for one in people)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
