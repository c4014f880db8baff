"""Answers become eight values with their errors, and a judgement how well they can be read; nothing is scored half."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain import instrument as instruments
from domain.base import DomainError
from domain.instrument import CELLS, Instrument
from domain.journey.facts import AssessmentSat
from domain.reading_back import reading
from domain.scoring import quality

RULES = quality.RULES
Eight = tuple[float | None, ...]
DIGITS = 6
SECONDS_MAX = 86_400.0


class UnknownItem(DomainError):
    """An answer is to an item that the instrument does not have."""


class AnswerOutOfScale(DomainError):
    """An answer is not one of the steps of the scale."""


class AnsweredTwice(DomainError):
    """One item has two answers."""


class NothingAnswered(DomainError):
    """There is no answer at all."""


class SecondsWrong(DomainError):
    """An answer time is not a time."""


class NoSuchRules(DomainError):
    """A sitting was scored by rules that this version of the software does not have."""


class WrongInstrumentVersion(DomainError):
    """The answers were given to another version of the instrument."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a sitting comes to. ``values`` and ``errors``: eight on the instrument's scale (four factors in general,
    then in school), None where too little was answered; an error is one standard error of measurement. A value is the
    level at which such answers are given on average, so near an end it lies a little further out than their mean.
    """

    values: Eight
    errors: Eight
    quality: tuple[str, ...]
    usable: bool


def context_gap(values: Sequence[float | None], errors: Sequence[float | None], at: int) -> tuple[float, float] | None:
    """In school minus in general on the factor with this number, and the standard error of that difference.

    ``values``, ``errors``: eight each, four in general and then four in school; None where one of the two is missing.
    """
    general, school, e_general, e_school = values[at], values[at + 4], errors[at], errors[at + 4]
    if general is None or school is None or e_general is None or e_school is None:
        return None
    return school - general, math.hypot(e_general, e_school)


def distance_from_end(instrument: Instrument, value: float) -> float:
    """How far a value lies from the nearer end, scale points; 0 and below: it is at that end."""
    return min(value - instrument.poles.low, instrument.poles.high - value)


def score(
    instrument: Instrument,
    answers: Mapping[str, int] | Iterable[tuple[str, int]],
    seconds: Mapping[str, float] | None = None,
    rules: int = RULES,
) -> Scored:
    """Score one sitting; ``answers`` by item as chosen (1 to 6), ``seconds`` each took where they were kept; ``rules``:
    today's, or those that a sitting on record names.

    Raises UnknownItem, AnswerOutOfScale, AnsweredTwice, NothingAnswered, SecondsWrong.
    """
    given = _checked(instrument, answers)
    _check_seconds(instrument, seconds or {})
    codes = quality.codes(instrument, given, seconds, rules)
    cells = [_cell(instrument, given, cell) for cell in range(len(CELLS))]
    return Scored(
        tuple(value for value, _ in cells), tuple(error for _, error in cells), codes, quality.usable(instrument, codes)
    )


def rescore(sat: AssessmentSat) -> Scored:
    """Score a sitting on record again with the very instrument and rules it names: the same for ever.

    Where it names no rules, those that give what is on record, else the last it may have been scored by.
    Raises NoSuchInstrument, WrongInstrumentVersion, NoSuchRules.
    """
    instrument = instruments.load(sat.instrument, sat.instrument_version)
    check_version(instrument, sat.instrument, sat.instrument_version, sat.instrument_digest)
    may_be = quality.UNNUMBERED if sat.scoring_rules is None else (sat.scoring_rules,)
    if not set(may_be) <= quality.FAST_SHARE.keys():
        raise NoSuchRules("this sitting was scored by rules that this version does not have: update it first")
    found = [score(instrument, sat.answers, sat.seconds or None, rules) for rules in may_be]
    return next((one for one in found if one.quality == sat.quality), found[-1])


def differing(sat: AssessmentSat) -> tuple[str, ...]:
    """What of a sitting comes out otherwise than recorded when it is scored again; nothing where all is the same.

    Raises NoSuchInstrument, WrongInstrumentVersion, NoSuchRules.
    """
    again = rescore(sat)
    return tuple(name for name in again.__slots__ if getattr(again, name) != getattr(sat, name))


def check_version(instrument: Instrument, name: str, version: int, digest: str | None = None) -> None:
    """Whether answers that name an instrument are to this one. Raises WrongInstrumentVersion."""
    same = (instrument.name, instrument.version) == (name, version) and digest in (None, instrument.digest)
    if not same:
        raise WrongInstrumentVersion(
            f"these answers are to another version than {instrument.name} {instrument.version}: "
            "score them with the one they name"
        )


def _checked(instrument: Instrument, answers: Mapping[str, int] | Iterable[tuple[str, int]]) -> dict[str, int]:
    pairs = list(answers.items()) if isinstance(answers, Mapping) else list(answers)
    given = dict(pairs)
    if not given:
        raise NothingAnswered("there is no answer in this sitting: hand it in once there is one")
    if len(given) < len(pairs):
        raise AnsweredTwice("one item has two answers in this sitting: send each item once")
    known = {item.id for item in instrument.items}
    if not set(given) <= known:
        raise UnknownItem(
            f"an answer is to an item that {instrument.name} {instrument.version} does not have: "
            "send answers to its own items only"
        )
    least, most = instrument.scale.least, instrument.scale.most
    if not all(type(one) is int and least <= one <= most for one in given.values()):
        raise AnswerOutOfScale(f"every answer is a whole number from {least} to {most}: mend the others and send again")
    return given


def _check_seconds(instrument: Instrument, seconds: Mapping[str, float]) -> None:
    known = {item.id for item in instrument.items}
    if not set(seconds) <= known:
        raise UnknownItem("an answer time is for an item that the instrument does not have: leave it out")
    if not all(_is_number(one) and 0 <= one <= SECONDS_MAX for one in seconds.values()):
        raise SecondsWrong("an answer time is a number of seconds between nothing and a day: leave out the others")


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _cell(instrument: Instrument, given: Mapping[str, int], cell: int) -> tuple[float | None, float | None]:
    ends = instrument.scale.least + instrument.scale.most
    keyed = [
        given[item.id] if item.keyed == 1 else ends - given[item.id]
        for item in instrument.items
        if item.cell == cell and item.id in given
    ]
    if len(keyed) < instrument.scoring.least_answered:
        return None, None
    curve, mean = reading(instrument), sum(keyed) / len(keyed)
    level, slope = float(curve.level(mean)), float(curve.slope(mean))
    return round(level, DIGITS), round(_error(instrument, keyed, slope), DIGITS)


def _error(instrument: Instrument, keyed: list[int], slope: float) -> float:
    """The standard error of a mean of answers, read back to the level (delta method): wider where answers are cut off.

    The spread within the sitting is drawn to the instrument's own, which counts as ``item_sd_weight`` answers.
    """
    rules, mean = instrument.scoring, sum(keyed) / len(keyed)
    squares = sum((one - mean) ** 2 for one in keyed)
    variance = (rules.item_sd_weight * rules.item_sd**2 + squares) / (rules.item_sd_weight + len(keyed) - 1)
    return math.sqrt(variance / len(keyed)) / slope
