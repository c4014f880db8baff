"""A trust's schools side by side: one comparison over all of them, and a funnel instead of a league table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from uuid import UUID

from astrack import reports
from astrack.app import App
from astrack.reports import html as reports_html
from astrack.reports.plot import BAND, INK, MUTED, framed, words
from astrack.typesetting import heading, para
from domain.impact import funnel as impact_funnel
from domain.impact.funnel import Z998, Funnel, Place
from domain.statistics import Z95

SCHOOLS_MAX = 200
LEFT, RIGHT, TOP, BOTTOM = 60, 610, 30, 300


@dataclass(frozen=True, slots=True)
class TrustReport:
    """Each school's own report and the funnel of those seen again who are nearer the middle with a plan."""

    schools: tuple[reports.Report, ...]
    funnel: Funnel | None


def trust(app: App, school_ids: Sequence[UUID], *, since: date, until: date) -> TrustReport:
    """The schools of a trust over a period, at most 200. Each is read by itself: nothing joins across schools."""
    made = [reports.governors(app, one, since=since, until=until) for one in list(school_ids)[:SCHOOLS_MAX]]
    shares = [(one.school, one.found.supported.classes["any_improvement"]) for one in made]
    return TrustReport(tuple(made), impact_funnel.funnel([(name, one.count, one.of) for name, one in shares]))


TITLE = "Schools side by side"


def html(found: TrustReport, since: date, until: date, made_on: date) -> str:
    """The comparison as a whole HTML document: what may be said, the funnel, its table, each school in a sentence."""
    body = [f"<h2>What may be said</h2><p class='say'>{escape(said(found))}</p>"]
    if found.funnel:
        body += [f"<figure>{plot(found.funnel)}</figure>", reports_html.table_of(table(found.funnel))]
    return reports_html.document(TITLE, reports_html.dated(since, until, made_on),
                                 "".join([*body, reports_html.table_of(sentences(found))]))  # fmt: skip


def pdf(found: TrustReport, since: date, until: date, made_on: date) -> bytes:
    """The same as a tagged PDF (PDF/UA-1)."""
    pictures = [plot(found.funnel)] if found.funnel else []
    tables = [table(found.funnel)] if found.funnel else []
    lines = [heading("What may be said"), para(said(found))]
    return reports_html.typeset(TITLE, "astrack", reports_html.dated(since, until, made_on), lines, pictures,
                                [*tables, sentences(found)])  # fmt: skip


def csv_files(found: TrustReport) -> dict[str, bytes]:
    """Every table as CSV, by file name."""
    tables = ([table(found.funnel)] if found.funnel else []) + [sentences(found)]
    return {f"{one.name}.csv": reports.csv_of(one) for one in tables}


def said(found: TrustReport) -> str:
    """What the comparison comes to, in one sentence that names no best and no worst."""
    if found.funnel is None:
        return "Too few schools have ten pupils with a plan who were seen again: nothing can be compared yet."
    outside = sum(one.where != "as expected" for one in found.funnel.places)
    return (
        f"Of {len(found.funnel.places)} schools {outside} lie outside what chance alone makes likely; the others differ"
        " no more than chance does, whatever their order. Where a school lies says nothing of why."
    )


def sentences(found: TrustReport) -> reports.Table:
    """Each school's own headline, by name."""
    rows = tuple(
        (one.school, one.said.headline) for one in sorted(found.schools, key=lambda one: one.school.casefold())
    )
    return reports.Table("trust-schools", "Each school by itself", "Each with its own comparison, not with the others.",
                         ("School", "What may be said"), rows)  # fmt: skip


def table(found: Funnel) -> reports.Table:
    """The funnel as a table, in order of size."""
    rows = tuple((one.name, str(one.of), f"{one.share:.0%} ({one.low:.0%} to {one.high:.0%})", one.where)
                 for one in found.places)  # fmt: skip
    note = (
        f"Of pupils with a plan who were seen again, those nearer the middle; mean {found.mean:.0%}. Schools differ"
        f" {found.spread:.1f} times as much as chance alone. In order of size: a rank would mostly be luck."
        f" {found.left_out} schools with under 10 such pupils are left out."
    )
    return reports.Table(
        "trust", "Schools side by side", note, ("School", "Pupils", "Nearer the middle", "Place"), rows
    )


def plot(found: Funnel) -> str:
    """The funnel as SVG: schools by size, limits of chance at 95 % and 99.8 %."""
    largest = max(one.of for one in found.places) * 1.1
    sizes = [largest * step / 40 for step in range(2, 41)]
    lines = [_line(found, sizes, largest, z, side, dash) for z, dash in ((Z95, ""), (Z998, "5 4")) for side in (0, 1)]
    dots = [_dot(one, largest) for one in found.places]
    axis = [words(LEFT - 8, _y(share) + 5, f"{share:.0%}", "end", MUTED) for share in (0.0, 0.5, 1.0)]
    axis.append(words(RIGHT, BOTTOM + 24, "pupils seen again", "end", MUTED))
    mean = f'<line x1="{LEFT}" x2="{RIGHT}" y1="{_y(found.mean):.1f}" y2="{_y(found.mean):.1f}" stroke="{BAND}"/>'
    said = ". ".join(f"{one.name}: {one.share:.0%} of {one.of}, {one.where}" for one in found.places) + "."
    return framed(BOTTOM + 34, "Schools by size, with the limits of chance", said, [mean, *lines, *axis, *dots])


def _line(found: Funnel, sizes: Sequence[float], largest: float, z: float, side: int, dash: str) -> str:
    z *= found.spread**0.5
    points = " ".join(f"{_x(of, largest):.1f},{_y(impact_funnel.limits(found.mean, int(of) or 1, z)[side]):.1f}"
                      for of in sizes)  # fmt: skip
    return f'<polyline points="{points}" fill="none" stroke="{MUTED}" stroke-dasharray="{dash or "none"}"/>'


def _dot(one: Place, largest: float) -> str:
    title = f"<title>{escape(one.name)}: {one.share:.0%} of {one.of}</title>"
    return f'<circle cx="{_x(one.of, largest):.1f}" cy="{_y(one.share):.1f}" r="5" fill="{INK}">{title}</circle>'


def _x(of: float, largest: float) -> float:
    return LEFT + of / largest * (RIGHT - LEFT)


def _y(share: float) -> float:
    return BOTTOM - share * (BOTTOM - TOP)
