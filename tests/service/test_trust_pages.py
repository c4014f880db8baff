"""Schools side by side: from the office of a trust alone, for its head alone, and only the schools that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from astrack import trusts
from astrack.app import App
from astrack.reports import trust as reports_trust
from astrack.store.types import BadSetting
from astrack.trusts import Trust, Trusts
from projections import ALL

PERIOD = "since=2026-01-01&until=2026-11-01"
ADDRESSES = ["/trust", "/trust/report.html", "/trust/report.pdf", "/trust/tables/trust-schools.csv",
             "/api/v1/reports/trust"]  # fmt: skip


@pytest.fixture
def office(school: Any, neighbour: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A school that is the office of a trust of two."""
    both = Trust(
        name="Northern Practice Trust", office=school.school_id, schools=(school.school_id, neighbour.school_id)
    )
    monkeypatch.setattr(school.app, "trusts", Trusts((both,)))
    return school


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_trust_is_seen_by_the_head_at_its_office_and_by_nobody_else(
    office: Any, neighbour: Any, address: str
) -> None:
    asked = f"{address}?{PERIOD}"
    assert office.as_("head").get(asked).status_code == 200
    for role in ("lead_practitioner", "dsl", "tutor", "administrator", "auditor", "accreditor", "pupil"):
        assert office.as_(role).get(asked).status_code == 403, role
    # a school of the trust is not its office
    assert neighbour.as_("head").get(asked).status_code == 404


def test_without_an_office_no_school_sees_anothers_figures(school: Any) -> None:
    answer = school.as_("head").get(f"/trust?{PERIOD}")
    assert answer.status_code == 404 and "not the office of a trust" in answer.text
    assert 'href="/trust"' not in school.as_("head").get("/impact").text


def test_the_page_says_what_may_be_said_and_names_every_school(office: Any) -> None:
    head = office.as_("head")
    assert 'href="/trust"' in head.get("/impact").text
    page = head.get(f"/trust?{PERIOD}").text
    assert "Northern Practice Trust" in page and "Too few schools have ten pupils" in page
    assert page.count('<th scope="row">Mill Lane Primary</th>') == 2
    assert head.get("/trust?since=2026-05-01&until=2026-01-01").status_code == 422
    assert head.get(f"/trust/tables/none.csv?{PERIOD}").status_code == 422


def test_a_look_at_a_trust_is_on_record_at_the_office(office: Any) -> None:
    head = office.as_("head")
    head.get(f"/trust?{PERIOD}")
    looks = office.as_("auditor").get("/api/v1/access-log?limit=200").json()["items"]
    assert any("see_trust" in one.values() for one in looks)


def test_a_file_of_trusts_is_read_whole_or_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "trusts.toml"
    office, other = uuid4(), uuid4()
    one = f'[[trust]]\nname = "North"\noffice = "{office}"\nschools = ["{office}", "{other}"]\n'
    path.write_text(one)
    assert trusts.read(path).seen_from(office).schools == (office, other)
    assert trusts.read(None).known == ()
    for wrong in ("", "[[trust]]\nname = 'x'\n", "no toml", one + one, one.replace(str(other), "not-an-id")):
        path.write_text(wrong)
        with pytest.raises(BadSetting, match=r"^(ASTRACK_TRUSTS names )?/"):
            trusts.read(path)
    with pytest.raises(BadSetting):
        trusts.read(tmp_path / "none.toml")


def test_schools_nobody_has_read_yet_are_caught_up_side_by_side(school: Any, neighbour: Any) -> None:
    ids = [school.school_id, neighbour.school_id, school.app.create_school(uuid4()).school_id]
    with school.app.store.log(school.school_id).views() as conn:
        for one in ALL:
            conn.execute(f"DROP TABLE IF EXISTS {one.table}".encode())
        conn.execute("DELETE FROM views.positions")
    fresh = App(school.app.settings, school.app.store, school.app.clock)
    assert len(reports_trust.everybody(fresh, ids)) == len(ids)
