"""A made-up journey for the design page: the same at every visit, so that a change of the picture is seen."""

from __future__ import annotations

from datetime import date
from itertools import accumulate
from math import sin

from astrack.picture import CONTEXTS, FACTORS, Dot, FlagMark, HandOver, Line, PictureData, PlanSpan, SchoolBand

ROUND_DAYS = ((10, 9), (2, 6), (6, 12))
START, TODAY = date(2017, 9, 1), date(2026, 3, 18)


def example() -> PictureData:
    """One life from 8 to 18 with most of the marks the picture knows."""
    days = tuple(
        day
        for autumn in range(START.year, TODAY.year)
        for month, number in ROUND_DAYS
        if (day := date(autumn + (month < 9), month, number)) < TODAY
    )
    return PictureData(
        starts_on=START,
        today=TODAY,
        lines=tuple(_line(factor, context, days) for context in range(2) for factor in range(4)),
        schools=(
            SchoolBand("Ashcombe Primary School", START, date(2020, 7, 20)),
            SchoolBand("Riverside Secondary School", date(2020, 9, 3)),
        ),
        hand_overs=(HandOver(date(2020, 8, 28), "Sealed record received and verified"),),
        flags=(
            FlagMark(date(2024, 10, 9), "In school, Mia now keeps almost everything private.", FACTORS[0], "school"),
            FlagMark(
                date(2021, 10, 9), "Mia looks for the new and the daring.", FACTORS[3], "general", "already_known"
            ),
        ),
        plans=(
            PlanSpan(date(2021, 11, 1), date(2022, 1, 20), "Finishes what was begun", FACTORS[3], "helped_partly"),
            PlanSpan(date(2024, 11, 4), date(2025, 1, 20), "Has one adult to tell things to", FACTORS[0], "helped"),
        ),
        title="A made-up journey from 8 to 18",
    )


def _line(factor: int, context: int, days: tuple[date, ...]) -> Line:
    raw = tuple(
        3.5 + 0.7 * sin(0.9 * n + 2.1 * factor + context) + _story(factor, context, day) for n, day in enumerate(days)
    )
    level = tuple(accumulate(raw, lambda before, now: before + 0.55 * (now - before)))
    sd = tuple(0.28 + 0.5 / (n + 1) for n in range(len(days)))
    dots = tuple(
        Dot(day, value, usable=(n, factor) != (7, 1)) for n, (day, value) in enumerate(zip(days, raw, strict=True))
    )
    return Line(FACTORS[factor], CONTEXTS[context], days, level, sd, dots)


def _story(factor: int, context: int, day: date) -> float:
    if (factor, context) == (0, 1) and date(2024, 9, 1) < day < date(2025, 9, 1):
        return -2.0
    return 1.2 if factor == 3 and date(2021, 9, 1) < day < date(2022, 9, 1) else 0.0
