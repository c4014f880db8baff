"""A report that was made for governors or inspection: for which days, and the digest of exactly what was given."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass
from domain.half_year import HalfYear


class ReportDatesWrong(DomainError):
    """A report's first day comes before its last."""


class ReportMade(Event):
    """A report on a period was made and given out; its SHA-256 tells whether a paper is that report."""

    TOPIC: ClassVar[str] = "report.made.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    since: date
    until: date
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def check_dates(since: date, until: date) -> None:
    """Raises ReportDatesWrong."""
    if since >= until:
        raise ReportDatesWrong(f"the report would end on {until}, before it begins: choose a later last day")


def make(stamp: Stamp, *, since: date, until: date, sha256: str) -> list[Event]:
    """Put on record that a report was made. Raises ReportDatesWrong."""
    check_dates(since, until)
    return [ReportMade(**stamp.fresh(), since=since, until=until, sha256=sha256)]


def tells(made: ReportMade, half: HalfYear) -> bool:
    """Whether a report is on all of a half-year and was made when that could be told."""
    return made.since <= half.since and half.until <= made.until and half.told_on <= made.day
