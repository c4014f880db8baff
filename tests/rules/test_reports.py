"""The governors' report: whole, readable, printable, and silent about small numbers and causes."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import numpy as np
import pytest
from lxml import html as markup

from astrack import reports
from astrack.reports import tables
from astrack.reports import trust as reports_trust
from astrack.reports.html import html, pdf
from domain import impact
from domain.impact import funnel as impact_funnel
from domain.impact.trusts import trust
from domain.impact.words import sentences
from projections.impact import Kept
from projections.round_progress import Progress

SEEN = ("caused", "because of", "thanks to", "led to", "proves", "due to")


def made(pupils: int = 1500, effect: float = 0.5, school: str = "Hilltop <Primary> & Nursery") -> reports.Report:
    world = trust(np.random.default_rng(3), "chance", effect, pupils=pupils)
    n = len(world.panel.school)
    houses = {"Red": np.arange(n) % 2 == 0, "=cmd": np.arange(n) % 2 == 1}
    found = impact.assess(world.panel, world.plans, 0, 10**7, {"house": houses})
    made = (
        reports._signs({"priority": [5] * 41 + [11], "context_gap": [5] * 3}, (1, 10)), reports._plans(Kept(30, 25, 4, 2, {"helped": 15})),
        tables.arms(found), tables.checks(found), tables.bound(found.hidden), tables.subgroups("impact-by-group", "Parts", found.subgroups),
        reports._screening([]),
    )  # fmt: skip
    return reports.Report(school, date(2026, 1, 1), date(2026, 7, 1), date(2026, 7, 2), found, sentences(found), made)


def test_the_html_is_whole_and_every_plot_and_table_can_be_read_aloud() -> None:
    page = markup.document_fromstring(html(made()))
    assert page.get("lang") == "en-GB"
    assert len(page.findall(".//h1")) == 1
    assert all(
        one.find("caption") is not None and one.findall(".//th[@scope='col']") for one in page.findall(".//table")
    )
    plots = page.findall(".//svg")
    assert len(plots) == 2
    assert all(
        one.get("role") == "img" and one.find("title") is not None and one.find("desc") is not None for one in plots
    )
    assert not page.findall(".//script")


def test_what_a_school_is_called_is_shown_and_never_run() -> None:
    assert "Hilltop &lt;Primary&gt; &amp; Nursery" in html(made())
    assert b"%PDF" in pdf(made(school='Hill" #panic() \\ $x$ [y]'))[:8]


def test_the_pdf_is_tagged_and_has_a_language() -> None:
    data = pdf(made())
    assert data.startswith(b"%PDF")
    assert b"/StructTreeRoot" in data
    assert b"/Lang" in data


def test_no_report_claims_a_cause() -> None:
    text = " ".join(markup.document_fromstring(html(made())).itertext()).lower()
    assert not re.findall(rf"\b({'|'.join(SEEN)})\b", text)


def test_small_counts_are_told_as_fewer_than_ten() -> None:
    signs = dict(made().tables[0].rows)
    assert signs == {"context gap": "fewer than 10", "priority": "41"}
    assert tables.count(0) == "none"


def test_a_school_with_few_pupils_says_what_will_appear() -> None:
    report = made(pupils=16)
    page = html(report)
    assert not report.found.shown
    assert "too few pupils" in page
    assert "<svg" not in page
    assert pdf(report).startswith(b"%PDF")


def test_an_empty_table_says_so() -> None:
    assert "Nothing yet in this period." in html(made())


def test_every_table_is_a_csv_that_a_spreadsheet_will_not_run() -> None:
    files = tables.csv_files(made().tables)
    assert set(files) == {
        "signs.csv",
        "plans.csv",
        "impact.csv",
        "impact-estimates.csv",
        "impact-bias-bound.csv",
        "impact-by-group.csv",
        "screening.csv",
    }
    rows = list(csv.reader(io.StringIO(files["impact-by-group.csv"].decode("utf-8-sig"))))
    assert rows[0] == ["By", "Part", "With a plan", "Without", "Difference"]
    assert "'=cmd" in {row[1] for row in rows}
    assert rows[1][4].startswith(("+", "-"))


def test_expected_and_sat_are_counted_for_each_round() -> None:
    one = Progress(None, "Autumn", date(2026, 10, 1), date(2026, 10, 14), [7], True, 120, 9, 0, 111)
    assert reports._screening([one]).rows == (("Autumn", "2026-10-01", "120", "fewer than 10", "none", "closed"),)


@pytest.mark.parametrize("effect", [0.0, 0.5])
def test_the_report_is_quick(effect: float) -> None:
    report = made(effect=effect)
    assert len(html(report)) < 60_000


def test_a_trust_is_a_funnel_in_order_of_size() -> None:
    found = impact_funnel.funnel([("Ash", 30, 60), ("Elm & <Oak>", 80, 120), ("Fir", 12, 20), ("Ivy", 3, 5)])
    assert found is not None
    table, picture = reports_trust.table(found), reports_trust.plot(found)
    assert [row[0] for row in table.rows] == ["Elm & <Oak>", "Ash", "Fir"]
    assert "One school is left out" in table.note
    assert "Elm &amp; &lt;Oak&gt;" in picture
    assert markup.fragment_fromstring(picture).find("desc") is not None


def test_how_long_after_the_start_pupils_were_seen_again_is_said() -> None:
    told = made()
    weeks = round(told.found.median_weeks)
    assert 8 <= weeks <= 57
    assert any(f"half of them within {weeks} weeks of the start" in one for one in told.said.beside)
