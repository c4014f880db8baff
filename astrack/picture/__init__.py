"""The journey picture: one pupil's story from 8 to 18 as one accessible SVG. A pure function of what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

Context = Literal["general", "school"]
FACTORS = ("self_disclosure", "trust_of_self", "trust_of_others", "seeking_change")
CONTEXTS: tuple[Context, ...] = ("general", "school")
ENDS: dict[str, tuple[str, str]] = {
    "self_disclosure": ("keeps to self", "shares"),
    "trust_of_self": ("doubts self", "trusts self"),
    "trust_of_others": ("wary of others", "trusts others"),
    "seeking_change": ("stays with the known", "seeks the new"),
}
"""The two ends of each factor in plain words, the low one first. Neither end is good."""
NAMES = {
    "self_disclosure": "Sharing",
    "trust_of_self": "Trust of self",
    "trust_of_others": "Trust of others",
    "seeking_change": "Seeking change",
}
IN_WORDS: dict[Context, str] = {"general": "in general", "school": "in school"}
EIGHT_IN_TEN = 1.2816
"""The half-width, in standard deviations, of the band that holds the true level 8 times in 10."""
FIRST_YEAR_GROUP, YEARS = 4, 10


@dataclass(frozen=True, slots=True)
class SchoolBand:
    """A school the pupil was at, from a day until another (None: still there)."""

    name: str
    from_on: date
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """A day the record passed from one school to the next; ``href`` leads to the transfer, "" for no link."""

    on: date
    said: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """One raw sitting. ``supported``: an adult wrote for the pupil; ``href`` leads to where it comes from."""

    on: date
    value: float
    usable: bool = True
    corrected: bool = False
    href: str = ""
    supported: bool = False

    @property
    def notes(self) -> list[str]:
        """What there is to say of how it came about."""
        said = {
            "this sitting could not be read well": not self.usable,
            "an adult wrote for the pupil": self.supported,
            "corrected since": self.corrected,
        }
        return [words for words, holds in said.items() if holds]


@dataclass(frozen=True, slots=True)
class Line:
    """One factor in one context: the model's level and its standard deviation on each day, and the raw sittings."""

    factor: str
    context: Context
    days: tuple[date, ...]
    level: tuple[float, ...]
    sd: tuple[float, ...]
    dots: tuple[Dot, ...] = ()


@dataclass(frozen=True, slots=True)
class FlagMark:
    """An early sign. ``judgement`` is None until a person reviewed it; ``factor`` is None when it spans factors."""

    on: date
    said: str
    factor: str | None = None
    context: Context | None = None
    judgement: str | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class PlanSpan:
    """A plan under the factor it aimed at (None: under all), with what came of it (None: still running)."""

    from_on: date
    until_on: date
    goal: str
    factor: str | None = None
    came: str | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class PictureData:
    """What the picture shows. ``starts_on`` is 1 September of Year 4; levels lie between ``low`` and ``high``.

    Levels under ``low_pole`` or over ``high_pole`` are polar. ``as_known_on`` greys what came later;
    ``guided`` is the pupil's own form, which shows no flags; ``say`` puts our English into the reader's language.
    """

    starts_on: date
    today: date
    lines: tuple[Line, ...] = ()
    schools: tuple[SchoolBand, ...] = ()
    hand_overs: tuple[HandOver, ...] = ()
    flags: tuple[FlagMark, ...] = ()
    plans: tuple[PlanSpan, ...] = ()
    low: float = 1.0
    high: float = 6.0
    low_pole: float = 2.0
    high_pole: float = 5.0
    as_known_on: date | None = None
    guided: bool = False
    title: str = "The journey from 8 to 18"
    ends: dict[str, tuple[str, str]] = field(default_factory=lambda: dict(ENDS))
    say: Callable[[str], str] = str

    @property
    def ends_on(self) -> date:
        """31 August at the end of Year 13."""
        return date(self.starts_on.year + YEARS, 8, 31)

    @property
    def seen_until(self) -> date:
        """The day up to which things are known: the cursor, or today."""
        return self.as_known_on or self.today


def starts_on(year_group: int, on: date) -> date:
    """1 September of the pupil's Year 4, reckoned from the year group they are in on a day."""
    autumn = on.year if on.month >= 9 else on.year - 1
    return date(autumn - (year_group - FIRST_YEAR_GROUP), 9, 1)


def term_of(on: date) -> str:
    """The term a day lies in, as people say it: "autumn 2025"."""
    name = "autumn" if on.month >= 9 else "spring" if on.month <= 4 else "summer"
    return f"{name} {on.year}"


def sure_words(probability: float) -> str:
    """How sure, in words with tenths: "fairly sure (8 in 10)"; ``probability`` in 0..1."""
    tenths = max(1, min(9, round(probability * 10)))
    words = "we are not sure yet" if tenths <= 5 else "fairly sure" if tenths <= 8 else "quite sure"
    return f"{words} ({tenths} in 10)"


def level_words(data: PictureData, factor: str, level: float) -> str:
    """Where a level lies, in plain words, never as a number alone."""
    return value_words(factor, level, data.low_pole, data.high_pole, data.ends, data.say)


def value_words(
    factor: str, level: float | None, low_pole: float, high_pole: float, ends: Mapping[str, tuple[str, str]] = ENDS,
    say: Callable[[str], str] = str,
) -> str:  # fmt: skip
    """Where a value lies between two cut-offs, in plain words; None where too little was answered."""
    middle, quarter = (low_pole + high_pole) / 2, (high_pole - low_pole) / 4
    if level is None:
        return say("too few answers")
    end = say(ends[factor][level >= middle])
    if level <= low_pole or level >= high_pole:
        return say("almost always {end}").format(end=end)
    if abs(level - middle) <= quarter:
        return say("in the middle")
    return say("more often {end}").format(end=end)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table that stands beside the picture, for people who read or hear it."""

    on: date
    what: str
    where: str
    said: str
    href: str = ""


def table(data: PictureData, limit: int = 400) -> list[Row]:
    """Everything the picture shows, newest first, at most ``limit`` rows and nothing after the cursor."""
    rows = [row for line in data.lines for row in _line_rows(data, line)]
    rows += [] if data.guided else [_flag_row(flag) for flag in data.flags]
    say, joined = data.say, data.say("joined {school}")
    rows += [
        Row(one.from_on, say("Plan"), say(NAMES.get(one.factor or "", "all")), _plan_said(data, one), one.href)
        for one in data.plans
    ]
    rows += [Row(one.on, say("Hand-over"), "", one.said, one.href) for one in data.hand_overs]
    rows += [Row(one.from_on, say("School"), "", joined.format(school=one.name)) for one in data.schools]
    known = [row for row in rows if row.on <= data.seen_until]
    return sorted(known, key=lambda row: row.on, reverse=True)[:limit]


def _line_rows(data: PictureData, line: Line) -> list[Row]:
    where = f"{data.say(NAMES[line.factor])}, {data.say(IN_WORDS[line.context])}"
    return [
        Row(dot.on, data.say("Sitting"), where, _dot_said(data, line, dot), dot.href)
        for dot in line.dots
        if data.starts_on <= dot.on
    ]


def _dot_said(data: PictureData, line: Line, dot: Dot) -> str:
    level, sd = level_on(line, dot.on)
    spread = EIGHT_IN_TEN * sd
    said = data.say("{words}: {level}, 8 in 10 between {low} and {high}").format(
        words=level_words(data, line.factor, level), level=f"{level:.1f}", low=f"{level - spread:.1f}",
        high=f"{level + spread:.1f}",
    )  # fmt: skip
    return "; ".join([said, *map(data.say, dot.notes)])


def level_on(line: Line, on: date) -> tuple[float, float]:
    """The level and its standard deviation as drawn on a day (the last one known by then)."""
    at = max((index for index, day in enumerate(line.days) if day <= on), default=0)
    return (line.level[at], line.sd[at]) if line.days else (float("nan"), float("nan"))


JUDGED = {
    None: "not reviewed yet",
    "new_to_us": "reviewed: new to us",
    "already_known": "reviewed: known already",
    "not_what_we_see": "reviewed: not what we see",
}
CAME = {
    None: "running",
    "helped": "it helped",
    "helped_partly": "it helped in part",
    "did_not_help": "it did not help",
    "stopped_early": "it stopped early",
}


def _flag_row(flag: FlagMark) -> Row:
    where = NAMES.get(flag.factor or "", "across factors")
    return Row(flag.on, "Early sign", where, f"{flag.said} ({JUDGED[flag.judgement]})", flag.href)


def _plan_said(data: PictureData, plan: PlanSpan) -> str:
    until, came = long_day(plan.until_on, data.say), data.say(CAME[plan.came])
    return data.say("{goal}: until {until}, {came}").format(goal=plan.goal, until=until, came=came)


def long_day(on: date, say: Callable[[str], str] = str) -> str:
    """A day as it is written to people: 12 March 2024."""
    return f"{on.day} {say(f'{on:%B}')} {on.year}"


def days_between(data: PictureData) -> int:
    """The length of the whole span in days."""
    return (data.ends_on - data.starts_on + timedelta(days=1)).days
