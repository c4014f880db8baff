"""The report out of a real store: the read models are caught up, and a small school is told what will appear."""

from __future__ import annotations

from datetime import date

import pytest

from astrack import reports
from astrack.reports.html import html, pdf
from astrack.settings import Settings
from astrack.store import Store
from domain.reporting import ReportDatesWrong
from tests.support.small_school import SmallSchool, build


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings)


def test_a_report_is_made_from_what_is_on_record(small: SmallSchool) -> None:
    report = reports.governors(small.app, small.school_id, since=date(2024, 9, 1), until=date(2026, 3, 18))
    assert report.school == "Riverside Secondary School"
    tables = {one.name: one for one in report.tables}
    assert len(tables["screening"].rows) >= 3
    people, first = tables["training"].rows[:2]
    assert first[0] == "finished: First steps: what a sign is and what it is not"
    assert int(people[1]) >= int(first[1]) >= 1
    assert "too few pupils" in html(report)
    assert pdf(report).startswith(b"%PDF")


def test_the_arrays_hold_every_sitting_of_the_school(small: SmallSchool) -> None:
    from projections import impact

    small.app.views.catch_up(small.school_id)
    with small.app.views.reading(small.school_id) as cur:
        school = impact.school(cur, small.school_id, reports.EVERYBODY, until=date(2026, 3, 18))
    assert school.panel.days.shape[0] == len(small.pupils)
    assert int((school.panel.days > 0).sum()) > 20
    assert len(school.plans.start) >= 1


def test_a_report_that_ends_before_it_begins_is_refused(small: SmallSchool) -> None:
    with pytest.raises(ReportDatesWrong, match="choose a later last day"):
        reports.governors(small.app, small.school_id, since=date(2026, 1, 1), until=date(2025, 1, 1))
