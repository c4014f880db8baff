"""Pages as a browser without scripts sees them: who may open what, what is sent with them, and the main journeys."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from astrack.records.support import Support
from astrack.settings import Settings
from astrack.store import Store
from astrack.web.proof import gently
from domain.scope import Scope
from tests.support.pages import Reader, form, offered, served
from tests.support.small_school import SmallSchool, build, raise_sign

ROLES = ("tutor", "head_of_year", "dsl", "lead_practitioner", "head", "administrator", "dpo", "auditor", "Mia")
OPEN_TO = {
    "/pupils": {"tutor", "head_of_year", "dsl", "lead_practitioner"},
    "/pupils/all": {"tutor", "head_of_year", "dsl", "lead_practitioner", "administrator"},
    "/plans": {"tutor", "head_of_year", "dsl", "lead_practitioner"},
    "/plans/group": {"tutor", "head_of_year", "dsl", "lead_practitioner"},
    "/talks": {"tutor", "head_of_year", "dsl"},
    "/transfers": {"dsl", "administrator", "dpo", "auditor"},
    "/truth": {"dsl", "lead_practitioner", "head"},
    "/truth/items": {"dsl", "lead_practitioner", "head"},
    "/impact": {"dsl", "lead_practitioner", "head"},
    "/audit": {"dsl", "head", "administrator", "dpo", "auditor"},
    "/audit/proof": {"dsl", "head", "administrator", "dpo", "auditor"},
    "/audit/looks": {"dpo", "auditor"},
    "/audit/changes": {"dsl", "head", "administrator", "dpo", "auditor"},
    "/permissions": set(ROLES),
    "/setup/people": {"dsl", "lead_practitioner", "head", "administrator", "dpo"},
    "/setup": {"lead_practitioner", "administrator"},
    "/pupils/{Mia}": {"tutor", "head_of_year", "dsl", "lead_practitioner"},
    "/pupils/{Mia}/plan": {"tutor", "head_of_year", "dsl", "lead_practitioner"},
    "/audit/pupils/{Mia}": {"dsl", "auditor"},
    "/training": set(ROLES) - {"Mia"},
    "/training/people": {"lead_practitioner"},
    "/training/first-steps": set(ROLES) - {"Mia"},
    "/practice": set(ROLES) - {"Mia"},
    "/practice/3": set(ROLES) - {"Mia"},
    "/practice/3/plan?about=trust_of_self.low.school": set(ROLES) - {"Mia"},
    "/accreditation": {"lead_practitioner", "head"},
    "/guidance": {"tutor", "head_of_year", "dsl", "lead_practitioner"},
    "/guidance?about=trust_of_self.low.school&age=11-14": {"tutor", "head_of_year", "dsl", "lead_practitioner"},
    "/audit/school": {"dsl", "head", "administrator", "dpo", "auditor"},
    "/rights": {"dsl", "dpo", "auditor"},
    "/rights/pupils/{Mia}": {"dsl", "dpo", "auditor"},
    "/safeguarding": {"dsl"},
    "/glass": {"dsl", "head", "dpo"},
    "/sit": {"Mia"},
    "/me": {"Mia"},
    "/talk": {"Mia"},
}


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings)


@pytest.fixture(scope="module")
def pages(small: SmallSchool) -> FastAPI:
    return served(small)


@pytest.fixture(scope="module")
def readers(pages: FastAPI, small: SmallSchool) -> dict[str, Reader]:
    return {who: Reader(pages, small, who) for who in ROLES}


def at(small: SmallSchool, path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(small.pupils[found[1]]), path)


@pytest.mark.parametrize("path", OPEN_TO)
@pytest.mark.parametrize("who", ROLES)
def test_a_page_opens_for_exactly_the_roles_it_is_for(
    readers: dict[str, Reader], small: SmallSchool, who: str, path: str
) -> None:
    answer = readers[who].get(at(small, path))
    assert answer.status_code == 200 if who in OPEN_TO[path] else answer.status_code in (403, 404)


@pytest.mark.parametrize("path", OPEN_TO)
def test_nobody_signed_in_is_sent_to_sign_in(pages: FastAPI, small: SmallSchool, path: str) -> None:
    answer = Reader(pages, small).get(at(small, path))
    assert answer.url.path == "/sign-in"


def test_every_page_carries_a_strict_policy_and_stays_on_no_shared_computer(readers: dict[str, Reader]) -> None:
    answer = readers["tutor"].get("/pupils")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/pupils", "/pupils/{Mia}", "/pupils/{Mia}/plan", "/design", "/about"])
def test_no_page_has_inline_script_style_or_another_host(
    readers: dict[str, Reader], small: SmallSchool, path: str
) -> None:
    text = readers["tutor"].get(at(small, path)).text
    assert not re.search(r"<script(?![^>]* src=)", text)
    assert " style=" not in text
    assert "<style" not in text
    assert " onclick" not in text
    hosts = set(re.findall(r"(?:href|src|action)=\"(https?://[^\"/]+)", text))
    assert hosts == set()


def test_a_pupil_out_of_scope_is_as_if_not_there(readers: dict[str, Reader]) -> None:
    answer = readers["tutor"].get(f"/pupils/{uuid4()}")
    assert answer.status_code == 404
    assert "There is nothing here for you" in answer.text


def test_signs_are_reviewed_in_two_clicks(readers: dict[str, Reader], small: SmallSchool) -> None:
    tutor = readers["tutor"]
    page = tutor.get(at(small, "/pupils/{Kofi}"))
    flags = re.findall(r'action="(/pupils/[^"]+/flags/[^"]+)"', page.text)
    answer = tutor.send(page, flags[0], judgement="new_to_us", note="Seen in lessons too")
    assert answer.status_code == 200
    assert "Your review is on record" in answer.text
    assert flags[0] not in answer.text
    assert "Seen in lessons too" in answer.text


def test_a_plan_goes_from_three_steps_to_its_end(readers: dict[str, Reader], small: SmallSchool) -> None:
    tutor = readers["tutor"]
    page = tutor.get(at(small, "/pupils/{Tom}/plan?about=trust_of_self.low.school"))
    answer = tutor.send(
        page, "/plan", cause=offered(page, "cause"), risk=offered(page, "risk"), signpost=offered(page, "signpost"),
        own_1="A word after form time", weeks="4", monitoring="fortnightly", goal="Tries a first answer",
    )  # fmt: skip
    assert "The plan has begun" in answer.text
    assert "A word after form time" in answer.text
    answer = tutor.send(answer, "/monitor", going="well", note="He chose his own book")
    assert "He chose his own book" in answer.text
    answer = tutor.send(answer, "/close", came="helped", note="")
    assert "what came of it is on record" in answer.text
    again = tutor.get(at(small, "/pupils/{Tom}/plan?about=trust_of_self.low.general"))
    assert "Tried before" in again.text


def test_a_skipped_step_shows_the_form_again_with_what_was_typed(
    readers: dict[str, Reader], small: SmallSchool
) -> None:
    tutor = readers["tutor"]
    page = tutor.get(at(small, "/pupils/{Sam}/plan?about=self_disclosure.low.school"))
    risk = offered(page, "risk")
    answer = tutor.send(page, "/plan", risk=risk, own_1="Walk the dog together", goal="Tells somebody")
    assert answer.status_code == 409
    assert "choose at least one cause" in answer.text
    assert "Walk the dog together" in answer.text
    assert f'value="{risk[0]}" checked' in answer.text


def test_a_sitting_is_resumed_where_it_was_left_and_handed_in_once(
    pages: FastAPI, small: SmallSchool, readers: dict[str, Reader]
) -> None:
    first = Reader(pages, small, "Priya")
    page = first.send(first.get("/sit"), "/sit/begin")
    page = first.send(page, "/sit/answer", answer="3")  # practice
    for _ in range(5):
        page = first.send(page, "/sit/answer", answer="4")
    stopped = first.send(page, "/sit/stop")
    assert "Your answers so far are kept" in stopped.text
    assert first.get("/sit").url.path == "/sign-in"
    second = Reader(pages, small, "Priya")
    assert "Go on where I stopped" in second.get("/sit").text
    page = second.get("/sit/next")
    assert "Step 6 of" in page.text
    small.clock.at += timedelta(minutes=1)
    while page.url.path == "/sit/next":
        small.clock.at += timedelta(seconds=4)
        page = second.send(page, "/sit/answer", answer="4")
    assert page.url.path == "/sit/done"
    journey, _ = small.records.journey(small.pupils["Priya"])
    last = journey.sittings[-1]
    assert [one.round_id for one in journey.sittings].count(small.open_round) == 1
    # always the same answer cannot be read, so one more try is offered
    assert not last.usable and "Once more, if you like" in second.get("/sit").text


def test_a_wish_to_talk_reaches_the_tutor_and_comes_back_taken_up(
    pages: FastAPI, small: SmallSchool, readers: dict[str, Reader]
) -> None:
    pupil = Reader(pages, small, "Aisha")
    answer = pupil.send(pupil.get("/talk"), "/talk")
    assert "Your tutor has been told" in answer.text and "Who is told: Jo Barlow." in answer.text
    assert "Sam Marsh" not in answer.text, "the head of year is no tutor"
    talks = readers["tutor"].get("/talks")
    assert "Aisha Rahman" in talks.text
    taken = readers["tutor"].send(talks, re.findall(r'action="(/talks/[^"]+)"', talks.text)[0])
    assert "Aisha Rahman" not in taken.text
    assert "Jo Barlow has taken it up and will come to find you." in pupil.get("/talk").text


def test_a_pupils_own_story_has_no_early_sign_and_says_who_looked(
    pages: FastAPI, small: SmallSchool, readers: dict[str, Reader]
) -> None:
    readers["tutor"].get(at(small, "/pupils/{Mia}"))
    text = readers["Mia"].get("/me").text
    assert "Early sign" not in text
    assert "tutor, teaching and care" in text
    readers["tutor"].get(at(small, "/pupils/{Mia}"))
    often = [re.search(r"tutor, teaching and care \((\d+) times\)", readers["Mia"].get("/me").text) for _ in range(2)]
    assert often[0] and often[1] and often[0][1] == often[1][1], "a day's looks are one line, their own not among them"


def test_what_a_plan_tries_is_told_in_sentences(readers: dict[str, Reader], small: SmallSchool) -> None:
    text = unescape(readers["tutor"].get(at(small, "/pupils/{Mia}")).text)
    assert re.search(r"Until \d+ \w+ \d{4}\. [A-Z][^;]+\.(?: [A-Z][^;]+\.)+", text)
    assert ".;" not in text


def test_the_pupils_pages_speak_welsh_when_asked(readers: dict[str, Reader]) -> None:
    answer = readers["Mia"].get("/talk?lang=cy")
    assert '<html lang="cy">' in answer.text
    assert "Siarad â rhywun" in answer.text
    readers["Mia"].get("/talk?lang=en")


def test_the_auditor_sees_the_day_as_it_was_known(readers: dict[str, Reader], small: SmallSchool) -> None:
    answer = readers["auditor"].get(at(small, "/audit/pupils/{Mia}?day=2022-03-12"))
    assert "as known on 12 March 2022" in answer.text
    assert "Riverside" not in answer.text
    assert "2025/26" not in answer.text
    assert "Okafor" not in answer.text, "an auditor works with a pseudonym"


def test_a_tutor_sees_what_was_known_on_a_day_and_nothing_recorded_later(
    readers: dict[str, Reader], small: SmallSchool
) -> None:
    today, then = (readers["tutor"].get(at(small, "/pupils/{Mia}" + more)) for more in ("", "?day=2025-03-12"))
    assert "What was known when" in today.text
    assert "Mia Okafor: as known on 12 March 2025" in then.text
    marks = [set(re.findall(r'id="e-([0-9a-f-]{36})"', page.text)) for page in (today, then)]
    facts = small.records.journey(small.pupils["Mia"])[1]
    known = {str(one.event.event_id) for one in facts if one.recorded_at < datetime(2025, 3, 13, tzinfo=UTC)}
    assert marks[1] and marks[1] == known and marks[1] < marks[0]
    assert '<form method="post" action="/pupils' not in then.text, "nothing is done from a day gone by"
    assert readers["tutor"].get(at(small, "/pupils/{Mia}?day=12-03-2025")).status_code == 422
    assert readers["head"].get(at(small, "/pupils/{Mia}?day=2025-03-12")).status_code == 403


def test_the_proof_is_worked_out_beside_the_page_and_says_that_everything_is_whole(
    readers: dict[str, Reader], small: SmallSchool
) -> None:
    auditor = readers["auditor"]
    page = auditor.get("/audit/proof")
    until = time.monotonic() + 30
    while "Being checked" in page.text and time.monotonic() < until:
        page = auditor.get("/audit/proof")
    assert page.text.count("Whole.") == 2
    assert "been written since it began" in auditor.get("/audit/proof").text, "the looks at this page itself"
    assert _checked_again(auditor).text.count("Whole.") == 2


def test_work_beside_the_pages_is_done_at_once_where_it_is_short_and_rests_two_thirds_of_the_time_where_it_is_long() -> (
    None
):
    now, rested = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        rested.append(seconds)
        now[0] += seconds

    step = gently(lambda: now[0], sleep)
    for _ in range(1000):
        now[0] += 0.001
        step()
        assert rested or now[0] < 0.042
    assert now[0] == pytest.approx(0.04 + 0.96 * 3, rel=0.1) and max(rested[1:]) < 0.02


def _checked_again(auditor: Reader) -> httpx.Response:
    page = auditor.send(auditor.get("/audit/proof"), "/audit/proof")
    until = time.monotonic() + 30
    while "Being checked" in page.text and time.monotonic() < until:
        page = auditor.get("/audit/proof")
    return page


def test_few_pupils_are_never_shown_as_a_group(readers: dict[str, Reader]) -> None:
    text = readers["head"].get("/impact").text
    assert "Too few plans have ended" in text
    assert "Figures appear when 10 pupils have sat" in text


def test_a_round_is_opened_and_its_cards_are_printed(readers: dict[str, Reader], small: SmallSchool) -> None:
    office = readers["administrator"]
    answer = office.send(
        office.get("/setup"),
        "/setup/rounds",
        name="Summer 2026",
        opens_on="2026-06-01",
        closes_on="2026-06-12",
        year=["10"],
    )
    assert "The round is open" in answer.text
    cards = office.send(answer, "/setup/cards", group="tutor group=10B")
    assert cards.text.count('class="ticket"') == len(small.pupils)


def test_a_filter_narrows_and_never_widens_what_is_seen(readers: dict[str, Reader]) -> None:
    text = readers["tutor"].get("/pupils?f.tutor+group=11C").text
    assert "Kofi" not in text
    assert readers["tutor"].get("/pupils?f.tutor+group=10B").text.count("Mia Okafor") >= 1


def test_a_list_says_of_whom_it_misses_something(readers: dict[str, Reader], small: SmallSchool) -> None:
    said = "These lists miss something of"
    assert said not in readers["tutor"].get("/pupils").text
    with small.records.log.views() as conn:
        row = (small.school_id, "risk_register", 1 << 40, small.pupils["Mia"])
        conn.execute("INSERT INTO views.behind VALUES (%s, %s, %s, %s)", row)
    try:
        assert said in readers["tutor"].get("/pupils").text
    finally:
        with small.records.log.views() as conn:
            conn.execute("DELETE FROM views.behind WHERE position = %s", (1 << 40,))


def test_static_files_have_their_version_in_the_address(readers: dict[str, Reader]) -> None:
    page = readers["tutor"].get("/pupils").text
    address = re.findall(r'href="(/static/astrack.css\?v=[0-9a-f]+)"', page)[0]
    answer = readers["tutor"].get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert readers["tutor"].get("/static/..%2fweb.py").status_code == 404


def test_what_a_form_was_made_for_is_what_it_is_sent_to(readers: dict[str, Reader], small: SmallSchool) -> None:
    page = readers["tutor"].get(at(small, "/pupils/{Lowri}/plan?about=trust_of_self.low.school"))
    assert form(page, "/plan").values["about"] == ["trust_of_self.low.school"]


def test_a_wish_to_talk_that_nobody_answers_goes_to_the_safeguarding_lead(
    pages: FastAPI, small: SmallSchool, readers: dict[str, Reader]
) -> None:
    pupil = Reader(pages, small, "Ewan")
    pupil.send(pupil.get("/talk"), "/talk")
    assert "waited too long" not in Reader(pages, small, "dsl").get("/talks").text
    small.clock.at += timedelta(hours=25)
    talks = Reader(pages, small, "dsl").get("/talks")
    assert "waited too long" in talks.text
    size = small.records.log.size()
    Reader(pages, small, "dsl").get("/talks")
    assert small.records.log.size() == size, "it is passed on once"


def test_a_letters_code_opens_the_familys_page_and_takes_a_no(pages: FastAPI, small: SmallSchool) -> None:
    office = Reader(pages, small, "administrator")
    letters = office.send(office.get("/setup"), "/setup/letters", group="tutor group=10B")
    codes = re.findall(r'class="ticket-code">([^<]+)<', letters.text)
    assert len(codes) == len(small.pupils)
    parent = Reader(pages, small)
    page = parent.send(parent.get("/sign-in"), "/sign-in", school=str(small.school_id), code=codes[0])
    assert "is taking part" in page.text
    page = parent.send(page, "/family/opt-out", wish="out")
    assert "not taking part" in page.text
    page = parent.send(page, "/family/opt-out", wish="in")
    assert "is taking part" in page.text
    assert parent.get("/pupils").status_code == 403
    again = Reader(pages, small)
    assert again.send(again.get("/sign-in"), "/sign-in", school=str(small.school_id), code=codes[0]).status_code == 401


def test_a_student_of_18_takes_their_own_copy_with_a_key_shown_once(pages: FastAPI, small: SmallSchool) -> None:
    before = Reader(pages, small, "Lowri")
    assert "Take my own copy" not in before.get("/me").text
    assert before.post("/me/copy", token="x").status_code == 422
    small.clock.at = small.clock.at.replace(year=2029, month=4)
    student = Reader(pages, small, "Lowri")
    page = student.send(student.get("/me"), "/me/copy")
    assert "AGE-SECRET-KEY-PQ-1" in page.text
    path = re.findall(r'href="(/me/copy/[^"]+)"', page.text)[0]
    assert student.get(path).content.startswith(b"age-encryption.org/v1")
    assert Reader(pages, small, "Sam").get(path).status_code in (403, 404)


def test_a_new_tutor_sees_their_own_group_once_trained_and_nothing_before(
    pages: FastAPI, small: SmallSchool, readers: dict[str, Reader]
) -> None:
    office = Reader(pages, small, "administrator")
    people = office.get("/setup/people")
    wrong = office.send(people, "/setup/people", name="Wynn Parry", role="tutor")
    assert wrong.status_code == 422
    assert 'value="Wynn Parry"' in wrong.text
    made = office.send(people, "/setup/people", name="Wynn Parry", role="tutor", scope="tutor group=10B")
    code = re.findall(r'class="ticket-code">([^<]+)<', made.text)[0]
    tutor = Reader(pages, small)
    page = tutor.send(tutor.get("/sign-in"), "/sign-in", school=str(small.school_id), code=code)
    assert page.status_code == 403
    assert "Finish the first training module" in page.text
    lead = Reader(pages, small, "lead_practitioner")
    listed = lead.get("/setup/people")
    row = listed.text[listed.text.index("Wynn Parry") :]
    action = re.findall(r'action="(/setup/people/[^"]+/trained)"', row)[0]
    assert "The training is on record" in lead.send(listed, action).text
    assert "My pupils" in tutor.get("/pupils").text
    listed = office.get("/setup/people")
    row = listed.text[listed.text.index("Wynn Parry") :]
    office.send(listed, re.findall(r'action="(/setup/people/[^"]+/leave)"', row)[0])
    assert tutor.get("/pupils").url.path == "/sign-in"


def test_somebody_with_two_roles_acts_in_one_at_a_time(pages: FastAPI, small: SmallSchool) -> None:
    grant = small.app.new_id()
    small.records.grant_role(small.ask(), small.staff["head"], grant_id=grant, role="dsl", scope=Scope(everyone=True))
    head = Reader(pages, small, "head")
    page = head.get("/impact")
    assert head.get("/pupils").status_code == 403
    head.send(page, "/role", grant=str(grant))
    assert head.get("/pupils").status_code == 200


def test_a_group_plan_begins_on_the_record_of_each_of_its_pupils(
    pages: FastAPI, store: Store, settings: Settings
) -> None:
    small = build(store, settings, years=2)
    tutor = Reader(served(small), small, "tutor")
    for name in ("Kofi", "Tom"):
        pupil = small.pupils[name]
        raise_sign(
            small, pupil, kind="polar", factor="trust_of_others", context="general", pole="low",
            reason="In general, now leans on almost nobody. Fairly sure (8 in 10).",
        )  # fmt: skip
    page = tutor.get("/plans/group?about=trust_of_others.low.general")
    assert "Kofi Osei" in page.text
    assert "Tom Hughes" in page.text
    values = {
        "pupil": [str(small.pupils["Kofi"])], "cause": offered(page, "cause"), "risk": offered(page, "risk"),
        "signpost": offered(page, "signpost"), "goal": "Relies on one person here", "weeks": "6",
    }  # fmt: skip
    alone = tutor.send(page, "/plans/group", **values)
    assert alone.status_code == 422
    assert "Choose 2 to 12 pupils" in alone.text
    values["pupil"].append(str(small.pupils["Tom"]))
    for _ in range(2):
        assert "has begun for every pupil" in tutor.send(page, "/plans/group", **values).text
    plans = [list(small.records.journey(small.pupils[name])[0].plans.values())[-1] for name in ("Kofi", "Tom")]
    assert len({one.opened.group_plan_id for one in plans}) == 1
    assert all(len(small.records.journey(small.pupils[name])[0].plans) == 1 for name in ("Kofi", "Tom"))


def test_the_governors_report_is_a_pdf_and_too_few_pupils_are_not_compared(pages: FastAPI, small: SmallSchool) -> None:
    head = Reader(pages, small, "head")
    page = head.get("/impact")
    assert 'class="lead"' in page.text
    assert "<svg" not in page.text.partition("Two arms side by side")[2].partition("</section>")[0]
    answer = head.send(page, "/impact/report")
    assert answer.content.startswith(b"%PDF")
    made = Support(small.records).reports_made()[-1]
    assert made.sha256 == hashlib.sha256(answer.content).hexdigest()
    assert Reader(pages, small, "tutor").get("/impact/report.html").status_code == 403


def test_every_table_of_the_report_is_taken_as_csv_for_any_period(pages: FastAPI, small: SmallSchool) -> None:
    head = Reader(pages, small, "head")
    page = head.get("/impact?since=2024-09-01&until=2026-03-18")
    links = re.findall(r'href="(/impact/tables/[^"]+)"', page.text)
    assert len(links) == 9
    for link in links:
        answer = head.get(link.replace("&amp;", "&"))
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "<script" not in head.get("/impact/report.html?since=2024-09-01&until=2026-03-18").text
    wrong = head.get("/impact?since=2026-09-01&until=2026-03-18")
    assert wrong.status_code == 422
    assert "choose a later last day" in wrong.text
