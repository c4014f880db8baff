"""Draws the journey picture: wide for a desk, narrow for a phone, both from one list of parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from markupsafe import escape

from astrack.picture import (
    CAME,
    EIGHT_IN_TEN,
    FACTORS,
    FIRST_YEAR_GROUP,
    IN_WORDS,
    NAMES,
    YEARS,
    Dot,
    FlagMark,
    HandOver,
    Line,
    PictureData,
    PlanSpan,
    SchoolBand,
    days_between,
    level_on,
    level_words,
    long_day,
)
from astrack.picture.marks import (
    ENVELOPE,
    apart,
    fit,
    flag_mark,
    hatches,
    lanes,
    link,
    plan_bar,
    rect,
    upright,
    words_at,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in user units, which are CSS pixels at full width."""

    width: int
    left: int
    right: int
    top: int
    row: int
    plot: int
    lanes: int
    label_above: int
    foot: int
    font: float

    @property
    def height(self) -> int:
        """The height of the whole picture."""
        return self.top + self.row * len(FACTORS) + self.foot


WIDE = Layout(width=920, left=148, right=14, top=66, row=138, plot=104, lanes=11, label_above=0, foot=40, font=13)
NARROW = Layout(width=344, left=8, right=8, top=60, row=162, plot=92, lanes=11, label_above=38, foot=40, font=12)
ROWS = (
    "Four rows, one for each factor; a solid line in general, a dashed line in school; the band around a line holds "
    "the true level 8 times in 10. "
)
HEAD, HEAD_FOOT = 24, 48
"""Where the strip with the schools' names begins and ends; signs that span factors stand under it."""


def svg(data: PictureData, *, narrow: bool = False, style: str = "", name: str = "picture") -> str:
    """The picture as SVG text. ``style`` is a style sheet to carry inside, for a file that stands alone.

    ``name`` starts every id inside, so that two pictures can stand on one page.
    """
    at = Drawing(data, NARROW if narrow else WIDE, f"{name}-{'narrow' if narrow else 'wide'}")
    parts = [_style(style), at.head(), at.background(), *(at.factor(factor) for factor in FACTORS)]
    parts += [at.foot(), at.whole_flags(), at.veil(), at.school_names(), at.today()]
    box = f'viewBox="0 0 {at.lay.width} {at.lay.height}" width="{at.lay.width}" height="{at.lay.height}"'
    form = "journey-narrow" if narrow else "journey-wide"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="journey {form}" {box}'
        f' role="group" aria-labelledby="{at.name}-title {at.name}-desc">{"".join(parts)}</svg>'
    )


def _style(style: str) -> str:
    return f"<style>{style}</style>" if style else ""


class Drawing:
    """One picture in one layout: from days and levels to places on the page."""

    def __init__(self, data: PictureData, lay: Layout, name: str) -> None:
        self.data, self.lay, self.name, self.say = data, lay, name, data.say
        self.span = lay.width - lay.left - lay.right
        self.bottom = lay.top + lay.row * len(FACTORS)
        self.days = days_between(data)
        self.placed: dict[date, float] = {}

    def x(self, on: date) -> float:
        """The place of a day, kept inside the span."""
        if on not in self.placed:
            share = (on - self.data.starts_on).days / self.days
            self.placed[on] = self.lay.left + self.span * min(1.0, max(0.0, share))
        return self.placed[on]

    def day(self, on: date) -> str:
        """A day in words."""
        return long_day(on, self.say)

    def y(self, factor: str, level: float) -> float:
        """The place of a level in its factor's row, kept inside the row; the high end is at the top."""
        share = (level - self.data.low) / (self.data.high - self.data.low)
        return self.plot_top(factor) + self.lay.plot * (1 - min(1.0, max(0.0, share)))

    def plot_top(self, factor: str) -> float:
        """The top of a factor's plot."""
        return self.lay.top + self.lay.row * FACTORS.index(factor) + self.lay.label_above + 8

    def head(self) -> str:
        """The title and the description a screen reader gives before the marks, and the hatching of the bands."""
        said = "" if self.data.guided else "Marks on the lines are early signs. "
        desc = self.say(ROWS) + said + self.say("A table with the same content follows.")
        return (
            f'<title id="{self.name}-title">{escape(self.data.title)}</title>'
            f'<desc id="{self.name}-desc">{desc}</desc>{hatches(self.name)}'
        )

    def background(self) -> str:
        """Schools as bands with their names, years as faint lines, hand-overs as envelopes."""
        bands = "".join(self._school(index, one) for index, one in enumerate(self.data.schools))
        return bands + self._years() + "".join(self._hand_over(one) for one in self.data.hand_overs)

    def _school(self, index: int, one: SchoolBand) -> str:
        x0, x1 = self._school_span(one)
        strips = [(HEAD, HEAD_FOOT - HEAD), *((self.plot_top(factor), self.lay.plot) for factor in FACTORS)]
        rects = "".join(rect("", x0, y, x1 - x0 - 1, height) for y, height in strips)
        until = self.day(one.until_on) if one.until_on else self.say("now")
        words = self.say("{school}, {since} to {until}")
        said = words.format(school=one.name, since=self.day(one.from_on), until=until)
        return f'<g class="school-{index % 2}"><title>{escape(said)}</title>{rects}</g>'

    def _school_span(self, one: SchoolBand) -> tuple[float, float]:
        # nobody knows how long a pupil stays: the band of their school ends where knowledge does
        return self.x(one.from_on), self.x(one.until_on or max(one.from_on, self.data.seen_until))

    def school_names(self) -> str:
        """The schools' names over their bands; the last one may reach into the blank to its right."""
        known = [one for one in self.data.schools if one.from_on <= self.data.seen_until]
        return "".join(self._school_name(one, index == len(known) - 1) for index, one in enumerate(known))

    def _school_name(self, one: SchoolBand, last: bool) -> str:
        x0, x1 = self._school_span(one)
        y, size = HEAD_FOOT - 7, self.lay.font
        inside = fit(one.name, x1 - x0 - 16, size)
        if inside == one.name or not last:
            return words_at((x0 + x1) / 2, y, inside, "school-name", size, "middle")
        end = self.lay.left + self.span
        name = fit(one.name, end - x0 - 12, size)
        if len(name) < len(one.name) and len(inside) < len(name):
            return words_at(end - 2, y, name, "school-name", size, "end")
        return words_at(x0 + 6, y, name, "school-name", size)

    def _years(self) -> str:
        starts = [self.x(date(self.data.starts_on.year + n, 9, 1)) for n in range(1, YEARS)]
        tops = [self.plot_top(factor) for factor in FACTORS]
        return "".join(upright("year", x, top, top + self.lay.plot) for x in starts for top in tops)

    def _hand_over(self, one: HandOver) -> str:
        x = self.x(one.on)
        mark = f'{upright("hand-over", x, HEAD, self.bottom)}<g transform="translate({x - 9:.1f} 5)">{ENVELOPE}</g>'
        return link(one.href, f"{one.said}, {self.day(one.on)}", mark)

    def factor(self, factor: str) -> str:
        """One row: its ends in words, the polar zones, the two lines with their doubt, signs and plans."""
        lines = [line for line in self.data.lines if line.factor == factor]
        parts = [self._zones(factor), self._labels(factor)]
        parts += [self._band(line) for line in reversed(lines)]
        parts += [self._line(line) for line in reversed(lines)] + [self._dots(line) for line in lines]
        parts += self._flags(factor)
        parts += [
            self._plan(factor, plan, lane) for plan, lane in lanes([p for p in self.data.plans if p.factor == factor])
        ]
        return f'<g class="factor f-{factor}">{"".join(parts)}</g>'

    def _zones(self, factor: str) -> str:
        x, width = self.lay.left, self.span
        high, low = self.y(factor, self.data.high_pole), self.y(factor, self.data.low_pole)
        top, middle = self.plot_top(factor), self.y(factor, (self.data.low + self.data.high) / 2)
        return (
            rect("pole", x, top, width, high - top)
            + rect("pole", x, low, width, top + self.lay.plot - low)
            + f'<line class="middle" x1="{x}" x2="{x + width}" y1="{middle:.1f}" y2="{middle:.1f}"/>'
        )

    def _labels(self, factor: str) -> str:
        low, high = map(self.say, self.data.ends[factor])
        top, foot, size = self.plot_top(factor), self.plot_top(factor) + self.lay.plot, self.lay.font
        if self.lay.label_above:
            ends = f"↑ {high}    ↓ {low}"
            name = words_at(self.lay.left, top - 24, self.say(NAMES[factor]), "name", size + 2)
            return name + words_at(self.lay.left, top - 8, ends, "end", size)
        x = self.lay.left - 12
        return (
            words_at(x, top + 11, high, "end", size, "end")
            + words_at(x, (top + foot) / 2 + 4, self.say(NAMES[factor]), "name", size + 1, "end")
            + words_at(x, foot - 3, low, "end", size, "end")
        )

    def _band(self, line: Line) -> str:
        if len(line.days) < 2:
            return ""
        upper = [self._point(line, index, EIGHT_IN_TEN) for index in range(len(line.days))]
        lower = [self._point(line, index, -EIGHT_IN_TEN) for index in range(len(line.days))]
        fill = f' fill="url(#{self.name}-hatch-{line.factor})"' if line.context == "school" else ""
        return f'<polygon class="band band-{line.context}"{fill} points="{" ".join([*upper, *reversed(lower)])}"/>'

    def _line(self, line: Line) -> str:
        points = " ".join(self._point(line, index, 0) for index in range(len(line.days)))
        return f'<polyline class="level level-{line.context}" points="{points}"/>' if line.days else ""

    def _point(self, line: Line, index: int, sds: float) -> str:
        level = line.level[index] + sds * line.sd[index]
        return f"{self.x(line.days[index]):.1f},{self.y(line.factor, level):.1f}"

    def _dots(self, line: Line) -> str:
        # no links here: some hundred stops for a keyboard, smaller than a finger; the table beside the picture has them
        return "".join(link("", self._dot_said(line, dot), self._dot(line, dot)) for dot in line.dots)

    def _dot_said(self, line: Line, dot: Dot) -> str:
        where = f"{self.say(NAMES[line.factor])} {self.say(IN_WORDS[line.context])}, {self.day(dot.on)}"
        words = level_words(self.data, line.factor, dot.value)
        return "; ".join([f"{where}: {words}", *map(self.say, dot.notes)])

    def _dot(self, line: Line, dot: Dot) -> str:
        x, y = self.x(dot.on), self.y(line.factor, dot.value)
        if not dot.usable:
            return f'<path class="unread" d="M{x - 3:.1f} {y - 3:.1f}l6 6m0-6l-6 6"/>'
        ring = f'<circle class="corrected" cx="{x:.1f}" cy="{y:.1f}" r="4.6"/>' if dot.corrected else ""
        return f'{ring}<circle class="dot-{line.context}" cx="{x:.1f}" cy="{y:.1f}" r="2"/>'

    def _flags(self, factor: str) -> list[str]:
        flags = [] if self.data.guided else [one for one in self.data.flags if one.factor == factor]
        places = [(self.x(one.on), self._flag_y(factor, one)) for one in flags]
        return [flag_mark(one, x, y) for one, (x, y) in zip(flags, apart(places), strict=True)]

    def _flag_y(self, factor: str, flag: FlagMark) -> float:
        wanted = flag.context or "general"
        for line in self.data.lines:
            if (line.factor, line.context) == (factor, wanted) and line.days:
                return self.y(factor, level_on(line, flag.on)[0])
        return self.y(factor, (self.data.low + self.data.high) / 2)

    def whole_flags(self) -> str:
        """Signs that span factors stand in a lane of their own above the rows."""
        flags = [] if self.data.guided else [one for one in self.data.flags if one.factor is None]
        places = apart(
            [(self.x(one.on), (HEAD_FOOT + self.plot_top(FACTORS[0]) - self.lay.label_above) / 2) for one in flags]
        )
        return "".join(flag_mark(one, x, y) for one, (x, y) in zip(flags, places, strict=True))

    def _plan(self, factor: str, plan: PlanSpan, lane: int) -> str:
        x0, x1 = self.x(plan.from_on), self.x(plan.until_on)
        y = self.plot_top(factor) + self.lay.plot + 4 + lane * self.lay.lanes
        said = self.say("Plan: {goal}. {since} to {until}, {came}").format(
            goal=plan.goal, since=self.day(plan.from_on), until=self.day(plan.until_on), came=self.say(CAME[plan.came])
        )
        return link(plan.href, said, plan_bar(x0, max(x1, x0 + 6), y, plan.came))

    def foot(self) -> str:
        """Year groups below the rows, ages at the two edges."""
        y, size = self.bottom + 17, self.lay.font
        step = self.span / YEARS
        ticks = "".join(
            words_at(self.lay.left + step * (n + 0.5), y, f"Y{FIRST_YEAR_GROUP + n}", "tick", size, "middle")
            for n in range(YEARS)
        )
        x1 = self.lay.left + self.span
        axis = f'<line class="axis" x1="{self.lay.left}" x2="{x1}" y1="{self.bottom}" y2="{self.bottom}"/>'
        ages = words_at(self.lay.left, y + 18, self.say("age 8"), "age", size) + words_at(
            x1, y + 18, "18", "age", size, "end"
        )
        return axis + ticks + ages

    def veil(self) -> str:
        """Greys what came after the day the picture is seen from."""
        if self.data.as_known_on is None:
            return ""
        x, x1 = self.x(self.data.as_known_on), self.lay.left + self.span
        return rect("veil", x, 0, x1 - x + 10, self.bottom - 1)

    def today(self) -> str:
        """A line at today, or at the day the picture is seen from, which it names."""
        on = self.data.seen_until
        if not self.data.starts_on <= on <= self.data.ends_on:
            return ""
        x, cursor = self.x(on), self.data.as_known_on is not None
        words = self.say("as known on {day}").format(day=self.day(on)) if cursor else self.say("today")
        room = len(words) * self.lay.font * 0.27 + 2
        place = min(max(x, self.lay.left + room + 44), self.lay.width - self.lay.right - room - 22)
        line = upright("cursor" if cursor else "today", x, HEAD_FOOT, self.bottom + 4)
        kind = "cursor-name" if cursor else "age"
        return line + words_at(place, self.bottom + 35, words, kind, self.lay.font, "middle")
