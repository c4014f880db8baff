"""A trust's schools side by side: one comparison over all of them, and a funnel instead of a league table."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from html import escape
from uuid import UUID

import numpy as np

from astrack import reports
from astrack.app import App
from astrack.newest import Newest
from astrack.reports import html as reports_html
from astrack.reports import tables
from astrack.reports.plot import framed, painted, words
from astrack.reports.tables import Table
from astrack.trusts import SCHOOLS_MAX
from astrack.typesetting import heading, para
from domain import impact
from domain.impact import Impact
from domain.impact import classes as impact_classes
from domain.impact import funnel as impact_funnel
from domain.impact.cases import Cases, Panel, cases
from domain.impact.funnel import Z998, Funnel, Place
from domain.impact.words import Said, headline
from domain.impact.words import sentences as words_for
from domain.reporting import check_dates
from domain.small import hidden
from domain.statistics import Z95
from projections import impact as lines
from projections import packed
from projections.packed import Pupil

LEFT, RIGHT, TOP, BOTTOM = 60, 610, 30, 300
TITLE = "Schools side by side"
READERS = 3


@dataclass(frozen=True, slots=True)
class TrustReport:
    """One comparison over all schools, each school's own headline by name, and the funnel of those seen again who are
    nearer the middle with a plan. What is hidden of one school cannot be worked out from the others.
    """

    since: date
    until: date
    made_on: date
    found: Impact
    said: Said
    schools: tuple[tuple[str, str], ...]
    funnel: Funnel | None

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table."""
        compared = tables.arms(self.found), tables.checks(self.found), tables.bound(self.found.hidden)
        return (*((table(self.funnel),) if self.funnel else ()), *compared, sentences(self))


NEWEST: Newest[tuple[tuple[UUID, ...], date, date], TrustReport] = Newest(20)
"""Comparisons with the sizes of the logs and the day that each is of: aggregates alone."""


def kept(app: App, school_ids: Sequence[UUID], *, since: date, until: date) -> TrustReport:
    """``trust``, worked out once for each state of the records. Raises ReportDatesWrong."""
    sizes = app.store.sizes()
    state = (tuple(sizes.get(one, 0) for one in school_ids), app.clock().date())
    make = partial(trust, app, school_ids, since=since, until=until)
    return NEWEST.of((tuple(school_ids), since, until), state, make)


def trust(app: App, school_ids: Sequence[UUID], *, since: date, until: date) -> TrustReport:
    """The schools of a trust over a period, at most 200. Each is read by itself: nothing joins across schools.

    Raises ReportDatesWrong, SchoolUnknown.
    """
    check_dates(since, until)
    ids = list(school_ids)[:SCHOOLS_MAX]
    names = [reports.name_of(app, one) for one in ids]
    panel, plans, _ = packed.read(everybody(app, ids), until)
    window = since.toordinal(), until.toordinal()
    found = cases(panel, plans, *window)
    whole = impact.judged(panel, found, *window)
    schools, shares = _headlines(names, panel, found), _shares(names, panel, found)
    return TrustReport(since, until, app.clock().date(), whole, words_for(whole), schools, impact_funnel.funnel(shares))


def everybody(app: App, school_ids: Sequence[UUID]) -> list[list[Pupil]]:
    """What each school holds; while one is taken in, the database finds the next."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(partial(packs, app), school_ids))


def packs(app: App, school_id: UUID) -> list[Pupil]:
    """One school's sittings, signs and plans. Catches its read models up."""
    app.views.catch_up(school_id)
    with app.views.reading(school_id) as cur:
        return lines.packs(cur, school_id)


def _headlines(names: Sequence[str], panel: Panel, found: Cases) -> tuple[tuple[str, str], ...]:
    """Each school's name and its own headline; without figures where they, or the whole, would tell a few pupils."""
    spread, some = impact.spread_of(panel), impact.comparable(found)
    at = panel.school[some.pupil]
    counts = [np.bincount(at[some.supported == which], minlength=len(names)) for which in (True, False)]
    gone = hidden({str(n): [int(arm[n]) for arm in counts] for n in range(len(names))})
    told = [None if str(n) in gone else impact.primary(some.where(at == n), spread)[0] for n in range(len(names))]
    made = zip(names, map(headline, told), strict=True)
    return tuple(sorted(made, key=lambda one: one[0].casefold()))


def _shares(names: Sequence[str], panel: Panel, found: Cases) -> list[tuple[str, int, int]]:
    """(name, nearer the middle, seen again) of each school's pupils with a plan; nobody where that must stay hidden."""
    classed = impact_classes.classes(panel, found)
    seen = found.supported & (classed >= 0)
    at, better = panel.school[found.pupil[seen]], np.isin(classed[seen], (0, 1))
    of = np.bincount(at, minlength=len(names))
    count = np.bincount(at, weights=better, minlength=len(names))
    gone = hidden({str(n): [int(of[n])] for n in range(len(names))})
    return [(name, 0, 0) if str(n) in gone else (name, int(count[n]), int(of[n])) for n, name in enumerate(names)]


def html(found: TrustReport) -> str:
    """The comparison as a whole HTML document: what may be said, the funnel, its tables, each school in a sentence."""
    figures = "".join(f"<figure>{one}</figure>" for one in plots(found))
    body = [reports_html.said_of(found.said), f"<h2>{TITLE}</h2><p class='say'>{escape(said(found))}</p>", figures,
            *map(reports_html.table_of, found.tables)]  # fmt: skip
    return reports_html.document(TITLE, reports_html.dated(found.since, found.until, found.made_on), "".join(body))


def pdf(found: TrustReport) -> bytes:
    """The same as a tagged PDF (PDF/UA-1)."""
    told = [*reports_html.lines_of(found.said), heading(TITLE), para(said(found))]
    below = reports_html.dated(found.since, found.until, found.made_on)
    return reports_html.typeset(TITLE, "astrack", below, told, plots(found), found.tables)


def plots(found: TrustReport) -> list[str]:
    """The SVGs that this comparison can show."""
    return [*([plot(found.funnel)] if found.funnel else []), *reports_html.plots_of(found.found)]


def said(found: TrustReport) -> str:
    """What the comparison comes to, in one sentence that names no best and no worst."""
    if found.funnel is None:
        return "Too few schools have ten pupils with a plan who were seen again: nothing can be compared yet."
    outside, of = sum(one.where != "as expected" for one in found.funnel.places), len(found.funnel.places)
    others = "the others" if outside else "they"
    return (
        f"{_lie(outside, of)} farther from the mean than chance alone makes likely: {others} differ no more than chance"
        " does, whatever their order. Where a school lies says nothing of why."
    )


def _lie(outside: int, of: int) -> str:
    if not outside:
        return f"None of the {of} schools lies"
    return f"{outside} of the {of} schools {'lies' if outside == 1 else 'lie'}"


def sentences(found: TrustReport) -> Table:
    """Each school's own headline, by name."""
    return Table("trust-schools", "Each school by itself", "Each with its own comparison, not with the others.",
                         ("School", "What may be said"), found.schools)  # fmt: skip


def table(found: Funnel) -> Table:
    """The funnel as a table, in order of size."""
    rows = tuple((one.name, str(one.of), f"{one.share:.0%} ({one.low:.0%} to {one.high:.0%})", one.where)
                 for one in found.places)  # fmt: skip
    note = (
        f"Of pupils with a plan who were seen again, those nearer the middle; mean {found.mean:.0%}. Schools differ"
        f" {found.spread:.1f} times as much as chance alone. In order of size: a rank would mostly be luck."
        f" {_left_out(found.left_out)}"
    )
    return Table("trust", TITLE, note, ("School", "Pupils", "Nearer the middle", "Place"), rows)


def _left_out(schools: int) -> str:
    if not schools:
        return "No school is left out."
    some = f"{schools} schools are" if schools > 1 else "One school is"
    return f"{some} left out: under 10 such pupils, or the whole would tell theirs."


def plot(found: Funnel) -> str:
    """The funnel as SVG: schools by size, limits of chance at 95 % and 99.8 %."""
    largest = max(one.of for one in found.places) * 1.1
    sizes = [largest * step / 40 for step in range(2, 41)]
    lines = [_line(found, sizes, largest, z, side, dash) for z, dash in ((Z95, ""), (Z998, "5 4")) for side in (0, 1)]
    dots = [_dot(one, largest) for one in found.places]
    axis = [words(LEFT - 8, _y(share) + 5, f"{share:.0%}", "end", "quiet") for share in (0.0, 0.5, 1.0)]
    axis.append(words(RIGHT, BOTTOM + 24, "pupils seen again", "end", "quiet"))
    level = f"{_y(found.mean):.1f}"
    mean = f'<line x1="{LEFT}" x2="{RIGHT}" y1="{level}" y2="{level}" {painted(stroke="bar")}/>'
    said = ". ".join(f"{one.name}: {one.share:.0%} of {one.of}, {one.where}" for one in found.places) + "."
    return framed(BOTTOM + 34, "Schools by size, with the limits of chance", said, [mean, *lines, *axis, *dots])


def _line(found: Funnel, sizes: Sequence[float], largest: float, z: float, side: int, dash: str) -> str:
    z *= found.spread**0.5
    points = " ".join(f"{_x(of, largest):.1f},{_y(impact_funnel.limits(found.mean, int(of) or 1, z)[side]):.1f}"
                      for of in sizes)  # fmt: skip
    return f'<polyline points="{points}" fill="none" {painted(stroke="quiet")} stroke-dasharray="{dash or "none"}"/>'


def _dot(one: Place, largest: float) -> str:
    title = f"<title>{escape(one.name)}: {one.share:.0%} of {one.of}</title>"
    return f'<circle cx="{_x(one.of, largest):.1f}" cy="{_y(one.share):.1f}" r="5" {painted("ink")}>{title}</circle>'


def _x(of: float, largest: float) -> float:
    return LEFT + of / largest * (RIGHT - LEFT)


def _y(share: float) -> float:
    return BOTTOM - share * (BOTTOM - TOP)
