"""The governors' report as one HTML file that needs nothing else, and as a tagged PDF."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from html import escape, unescape
from pathlib import Path

import typst

from astrack.reports import Report
from astrack.reports import plot as reports_plot
from astrack.reports.tables import Table
from astrack.typesetting import PDF_STANDARD, heading, para, quoted
from domain.impact import Impact
from domain.impact.words import Said

STYLE = """
body{font:17px/1.5 system-ui,sans-serif;color:#1d2430;max-width:46rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.25rem;margin-top:2.2rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.95rem}
caption{text-align:left;color:#5b6573;padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid #d5dae1}
.say{border-left:4px solid #1d2430;padding-left:1rem}.not{border-left:4px dashed #5b6573;padding-left:1rem}
figure{margin:1rem 0}.wide{overflow-x:auto}.quiet{color:#5b6573}
@media print{body{margin:0;max-width:none}h2,tr,figure{break-inside:avoid}}
"""


def html(report: Report) -> str:
    """The report as a whole HTML document without scripts or outside parts."""
    title = f"{report.school}: support and its results"
    body = f"{said_of(report.said)}{_plots(report)}{''.join(table_of(one) for one in report.tables)}"
    return document(title, dated(report.since, report.until, report.made_on), body)


def document(title: str, below: str, body: str) -> str:
    """A whole HTML document: a title, a quiet line below it, and a body that is HTML already."""
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body><main>'
        f"<h1>{escape(title)}</h1><p class='quiet'>{escape(below)}</p>{body}</main></body></html>"
    )


def dated(since: date, until: date, made_on: date) -> str:
    """What every report says of itself first."""
    return (
        f"{since} to {until}; made on {made_on}. The instrument is a demonstration and not validated. Numbers under 10"
        " pupils are not shown."
    )


def said_of(said: Said) -> str:
    """What may and what may not be said, as HTML."""
    beside = "".join(f"<li>{escape(one)}</li>" for one in said.beside)
    wrong = (
        f"<h2>What may not be said</h2><p class='not'>{escape(said.may_not)} {escape(said.why_not)}</p>"
        if said.may_not
        else ""
    )
    listed = f"<ul>{beside}</ul>" if beside else ""
    return f"<h2>What may be said</h2><p class='say'>{escape(said.headline)}</p>{listed}{wrong}"


def _plots(report: Report) -> str:
    made = [f"<figure>{one}</figure>" for one in plots(report)]
    return f"<h2>In pictures</h2>{''.join(made)}" if made else ""


def plots(report: Report) -> list[str]:
    """The SVGs that this report can show."""
    return plots_of(report.found)


def plots_of(found: Impact) -> list[str]:
    """The SVGs that a figure can show: both arms, and the estimate, where there are enough pupils."""
    made = [reports_plot.arms(found)] if found.shown else []
    return made + ([reports_plot.estimate(found.primary)] if found.primary else [])


def table_of(table: Table) -> str:
    """A table as HTML, with its heading."""
    if not table.rows:
        return f"<h2>{escape(table.title)}</h2><p class='quiet'>Nothing yet in this period. {escape(table.note)}</p>"
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in table.head)
    rows = "".join(
        "<tr>" + "".join(
            f'<th scope="row">{escape(cell)}</th>' if at == 0 else f"<td>{escape(cell)}</td>"
            for at, cell in enumerate(row)) + "</tr>"
        for row in table.rows
    )  # fmt: skip
    name = escape(table.title)
    return (
        f"<h2>{name}</h2><div class='wide' tabindex='0' role='region' aria-label='{name}'><table>"
        f"<caption>{escape(table.note)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def pdf(report: Report) -> bytes:
    """The report as a tagged PDF (PDF/UA-1)."""
    title = f"{report.school}: support and its results"
    below = dated(report.since, report.until, report.made_on)
    return typeset(title, report.school, below, lines_of(report.said), plots(report), report.tables)


def lines_of(said: Said) -> list[str]:
    """What may and what may not be said, in the typesetter's language."""
    lines = [heading("What may be said"), para(said.headline), *(f"- #{quoted(one)}" for one in said.beside)]
    if said.may_not:
        lines += [heading("What may not be said"), para(f"{said.may_not} {said.why_not}")]
    return lines


def typeset(
    title: str, author: str, below: str, lines: Sequence[str], pictures: Sequence[str], tables: Sequence[Table]
) -> bytes:
    """A tagged PDF: title, a line below it, lines of the typesetter's language, SVGs with their words, tables."""
    with tempfile.TemporaryDirectory(prefix="astrack-report-") as folder:
        named = [(f"plot-{n}.svg", svg) for n, svg in enumerate(pictures)]
        for name, svg in named:
            (Path(folder) / name).write_text(svg, encoding="utf-8")
        whole = [
            f"#set document(title: {quoted(title)}, author: {quoted(author)})",
            '#set text(lang: "en", region: "GB", size: 10pt)', '#set page(paper: "a4", margin: 2cm, numbering: "1")',
            "#set table(stroke: (top: none, left: none, right: none, bottom: 0.5pt + luma(200)), inset: 4pt)",
            f"#title(text(size: 16pt, {quoted(title)}))", para(below), *lines,
            *(f"#image({quoted(name)}, alt: {quoted(_described(svg))}, width: 100%)" for name, svg in named),
            *(line for one in tables for line in _typst_table(one)),
        ]  # fmt: skip
        source = Path(folder) / "report.typ"
        source.write_text("\n\n".join(whole), encoding="utf-8")
        return typst.compile(str(source), format="pdf", pdf_standards=PDF_STANDARD)


def _typst_table(table: Table) -> list[str]:
    if not table.rows:
        return [heading(table.title), para(f"Nothing yet in this period. {table.note}")]
    widths = ", ".join("1fr" for _ in table.head)
    head = ", ".join(f"[#{quoted(one)}]" for one in table.head)
    cells = ", ".join(f"[#{quoted(cell)}]" for row in table.rows for cell in row)
    return [heading(table.title), para(table.note), f"#table(columns: ({widths}), table.header({head}), {cells})"]


def _described(svg: str) -> str:
    return unescape(svg.partition("<desc>")[2].partition("</desc>")[0])
