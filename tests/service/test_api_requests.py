"""What a request may look like: its key, its version, its size, its words; and what a refusal looks like."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack.client import Problem, Unchanged, every, problems
from astrack.client.lists import Search
from astrack.client.plans import PlanIn
from astrack.client.pupils import CorrectionIn, PersonIn, SittingIn
from astrack.store import StoreUnavailable

PROBLEM = "application/problem+json"
DAY = "2026-11-02"
TUTOR = UUID(int=77)
NOBODY = UUID(int=78)


def plan(**fields: Any) -> dict[str, Any]:
    return {"plan_id": str(uuid4()), "goal": "Asks for help when stuck", "causes": ["moved"], "risks": ["withdraws"],
            "signposts": ["buddy"], "owner_id": str(TUTOR), "start_on": DAY, "end_on": "2026-12-14", **fields}  # fmt: skip


def plan_in(**fields: Any) -> PlanIn:
    return PlanIn.model_validate(plan(**fields))


def path(world: Any, rest: str = "") -> str:
    return f"/api/v1/pupils/{world.pupil}{rest}"


# --- the key of a change


def test_repeating_a_change_with_its_key_does_it_once_and_gives_the_first_answer(school: Any) -> None:
    tutor, body = school.api("tutor"), plan_in()
    first, again = (tutor.plans.open_plan(school.pupil, body, key="k") for _ in range(2))
    assert first == again
    assert [one.plan_id for one in tutor.pupils.pupil(school.pupil).plans] == [body.plan_id]


def test_the_same_key_for_another_request_is_refused(school: Any) -> None:
    tutor = school.api("tutor")
    tutor.plans.open_plan(school.pupil, plan_in(), key="k")
    with pytest.raises(problems.KeyReused) as refused:
        tutor.plans.open_plan(school.pupil, plan_in(), key="k")
    assert refused.value.status == 422


def test_two_people_may_use_the_same_key(school: Any) -> None:
    for role in ("tutor", "dsl"):
        assert school.api(role).plans.open_plan(school.pupil, plan_in(), key="k").events


def test_twenty_repeats_at_once_do_it_once(school: Any) -> None:
    tutor, body = school.api("tutor"), plan_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tutor.plans.open_plan(school.pupil, body, key="k"), range(20)))
    assert len({one.model_dump_json() for one in answers}) == 1
    assert len(tutor.pupils.pupil(school.pupil).plans) == 1


@pytest.mark.parametrize("key", [None, "", "x" * 201, "with space", "new\tline"])
def test_a_change_without_a_proper_key_is_refused_and_nothing_is_written(school: Any, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = school.as_("tutor").post(path(school, "/plans"), json=plan(), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert school.as_("tutor").get(path(school)).json()["plans"] == []


# --- the version of a record


def test_a_change_decided_on_an_older_version_is_refused(school: Any) -> None:
    tutor = school.api("tutor")
    seen = tutor.pupils.pupil(school.pupil)
    tutor.plans.open_plan(school.pupil, plan_in(), if_match=seen.etag)
    with pytest.raises(problems.RecordMoved) as refused:
        tutor.plans.open_plan(school.pupil, plan_in(), if_match=seen.etag)
    assert refused.value.status == 412


def test_a_repeat_of_a_change_with_its_version_still_gets_the_first_answer(school: Any) -> None:
    tutor, body = school.api("tutor"), plan_in()
    tag = tutor.pupils.pupil(school.pupil).etag
    first, again = (tutor.plans.open_plan(school.pupil, body, key="k", if_match=tag) for _ in range(2))
    assert first == again


def test_what_has_not_changed_is_not_sent_again(school: Any) -> None:
    tutor = school.as_("tutor")
    tag = tutor.get(path(school)).headers["ETag"]
    again = tutor.get(path(school), headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    with pytest.raises(Unchanged):
        school.api("tutor").pupils.pupil(school.pupil, if_none_match=tag)


def test_replacing_who_a_pupil_is_needs_the_version_it_replaces(school: Any) -> None:
    office = school.api("administrator").pupils
    who = PersonIn(surname="Quince", forename="Ann", date_of_birth=date(2016, 12, 5))
    with pytest.raises(problems.VersionNeeded):
        office.amend_identity(school.pupil, who)
    office.amend_identity(school.pupil, who, if_match=office.identity(school.pupil).etag)
    assert office.identity(school.pupil).surname == "Quince"


def test_a_plan_is_owned_by_somebody_who_can_see_the_pupil(school: Any) -> None:
    dsl = school.api("dsl").plans
    for owner in (uuid4(), school.staff["head"], school.staff["administrator"]):
        with pytest.raises(problems.OwnerCannotSee):
            dsl.open_plan(school.pupil, plan_in(owner_id=owner))
    with pytest.raises(problems.OwnerCannotSee):
        dsl.open_plan(school.far, plan_in(owner_id=school.staff["tutor"]))


# --- what a refusal looks like

REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("POST", "/plans", plan(causes=[]), 409, "cause-step-skipped"),
    ("POST", "/plans", plan(risks=[]), 409, "risk-step-skipped"),
    ("POST", "/plans", plan(signposts=[]), 409, "signpost-missing"),
    ("POST", "/plans", plan(end_on="2027-11-02"), 422, "plan-dates-wrong"),
    ("POST", f"/flags/{NOBODY}/review", {"judgement": "new_to_us"}, 404, "no-such-flag"),
    ("POST", f"/plans/{NOBODY}/close", {"came": "helped"}, 404, "no-such-plan"),
    ("POST", f"/talks/{NOBODY}/take-up", {}, 404, "no-such-talk"),
    ("POST", "/plans", {"surplus": 1}, 422, "request-validation-error"),
]


@pytest.mark.parametrize(("method", "rest", "body", "status", "slug"), REFUSED)
def test_a_refusal_is_a_problem_that_names_the_broken_rule(
    school: Any, fresh_key: Any, method: str, rest: str, body: Any, status: int, slug: str
) -> None:
    answer = school.as_("tutor").request(method, path(school, rest), json=body, headers=fresh_key())
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert (told["status"], told["type"]) == (status, f"/api/v1/problems/{slug}")
    assert told["title"] and told["detail"]
    known = school.client().get(told["type"])
    assert (known.status_code, known.json()["status"]) == (200, status)


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [("GET", "/api/v1/nothing", 404), ("DELETE", "/api/v1/school", 405), ("GET", "/api/v1/pupils/not-an-id", 422)],
)
def test_what_is_not_there_is_a_problem_too(school: Any, method: str, address: str, status: int) -> None:
    answer = school.as_("dsl").request(method, address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


@pytest.mark.parametrize("content", [b"{", b'{"a": NaN}', b"[]", b"\xff\xfe", b'"' + b"[" * 100_000, b"[" * 100_000])
def test_what_is_no_json_of_ours_is_refused_in_one_sentence(school: Any, fresh_key: Any, content: bytes) -> None:
    headers = {**fresh_key(), "Content-Type": "application/json"}
    answer = school.as_("tutor").post(path(school, "/plans"), content=content, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == PROBLEM


def test_a_refusal_repeats_nothing_that_was_typed(school: Any, fresh_key: Any) -> None:
    secret = "Zebedee-Xylophone-said"
    body = plan(goal=secret * 40, tier=secret, causes=secret, start_on=secret)
    answer = school.as_("tutor").post(path(school, "/plans"), json=body, headers=fresh_key())
    assert answer.status_code == 422
    assert secret not in answer.text


def test_an_error_of_the_service_tells_a_number_and_no_more(school: Any, caplog: Any, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("Zebedee Xylophone, SELECT * FROM record.events")

    monkeypatch.setattr("astrack.api.pupils._pupil", broken)
    answer = school.as_("tutor").get(path(school))
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert told["instance"].startswith("urn:uuid:")
    assert told["instance"].removeprefix("urn:uuid:") in caplog.text
    for text in (answer.text, caplog.text):
        assert "Zebedee" not in text
        assert "SELECT" not in text


# --- limits


def test_a_body_over_its_cap_is_refused_whether_or_not_it_says_its_size(school: Any, fresh_key: Any) -> None:
    big = b" " * ((1 << 20) + 1)

    def drip() -> Any:
        yield from (big[at : at + 65_536] for at in range(0, len(big), 65_536))

    for content in (big, drip()):
        headers = {**fresh_key(), "Content-Type": "application/json"}
        answer = school.as_("tutor").post(path(school, "/plans"), content=content, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (413, "/api/v1/problems/body-too-large")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=%21", "cursor=" + "a" * 401, "cursor=bm9uc2Vuc2U"]
)
def test_a_page_has_a_limit_and_takes_only_its_own_cursors(school: Any, query: str) -> None:
    for address in ("/api/v1/staff", "/api/v1/pupils", f"/api/v1/pupils/{school.pupil}/timeline"):
        who = "dsl"
        answer = school.as_(who).get(f"{address}?{query}")
        assert answer.status_code in (400, 422), (address, answer.text)


def test_pages_walk_through_everything_once(school: Any) -> None:
    dsl = school.api("dsl")
    staff = [one.staff_id for one in every(dsl.staff.staff_list, limit=2)]
    assert sorted(staff) == sorted(school.staff.values())
    roll = [one.pupil_id for one in every(dsl.lists.roll, limit=1)]
    assert sorted(roll) == sorted([school.pupil, school.far])


def test_a_cursor_names_no_name(school: Any) -> None:
    page = school.as_("dsl").get("/api/v1/pupils?limit=1").json()
    held = base64.urlsafe_b64decode(page["next"] + "==")
    assert b"ophone" not in held
    assert page["items"][0]["name"].split()[-1].encode() not in held


def test_a_cursor_at_somebody_out_of_sight_has_no_place(school: Any) -> None:
    held = base64.urlsafe_b64encode(f'"{school.far}"'.encode()).decode().rstrip("=")
    assert school.as_("dsl").get(f"/api/v1/pupils?cursor={held}").status_code == 200
    assert school.as_("tutor").get(f"/api/v1/pupils?cursor={held}").status_code == 400


def test_a_search_finds_only_whom_the_asker_may_see(school: Any) -> None:
    def found(role: str, name: str) -> list[UUID]:
        return [one.pupil_id for one in school.api(role).lists.search(Search(name=name))]

    assert found("dsl", "Ygg") == [school.far]
    assert found("tutor", "Ygg") == []
    assert found("tutor", "xyl") == [school.pupil]


# --- what stands before it


def test_every_answer_carries_the_security_headers(school: Any) -> None:
    for answer in (
        school.as_("tutor").get("/api/v1/me"),
        school.client().get("/api/v1/me"),
        school.client().get("/health"),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_change_that_another_site_sends_is_refused(school: Any, fresh_key: Any, headers: dict[str, str]) -> None:
    answer = school.as_("tutor").post(path(school, "/plans"), json=plan(), headers={**fresh_key(), **headers})
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/v1/problems/cross-site")
    assert school.as_("tutor").get(path(school)).json()["plans"] == []


def test_a_change_from_our_own_page_is_taken(school: Any, fresh_key: Any) -> None:
    headers = {**fresh_key(), "Origin": "https://astrack.test", "Sec-Fetch-Site": "same-origin"}
    assert school.as_("tutor").post(path(school, "/plans"), json=plan(), headers=headers).status_code == 200


def test_health_and_readiness_need_no_sign_in(school: Any) -> None:
    assert school.client().get("/health").json() == {"status": "ok"}
    assert school.client().get("/ready").json()["status"] == "ok"


def test_a_database_that_is_not_there_is_a_503_that_says_when_to_try_again(school: Any, monkeypatch: Any) -> None:
    def gone(*_: Any) -> None:
        raise StoreUnavailable("the database does not answer: repeat with the same idempotency key")

    monkeypatch.setattr("astrack.store.Store.schools", gone)
    answer = school.client().get("/ready")
    assert (answer.status_code, answer.json()["type"]) == (503, "/api/v1/problems/store-unavailable")
    assert answer.headers["Retry-After"] == "2"


# --- what is done and seen through it


def test_a_sitting_is_scored_and_a_pupil_is_told_nothing_of_flags(school: Any, answers: Any) -> None:
    body = SittingIn(sitting_id=uuid4(), on=date(2026, 11, 2), answers=answers())
    assert school.api("pupil").pupils.hand_in(school.pupil, body).flags == []
    tutor = school.api("tutor").pupils
    assert len(tutor.pupil(school.pupil).sittings) == 1
    track = tutor.track(school.pupil)
    assert len(track.days) == len(track.level) == len(track.p_priority)
    assert len(track.level[0]) == 8
    assert [one.what for one in school.api("pupil").pupils.story(school.pupil)] == ["joined", "sat"]


def test_a_correction_stands_beside_the_fact_and_replay_knows_each_day(school: Any) -> None:
    dsl = school.api("dsl").pupils
    first = dsl.timeline(school.pupil).items[0]
    fix = CorrectionIn(corrects=first.event_id, changes={"happened_on": "2026-09-01"}, why="mistyped")
    assert dsl.correct(school.pupil, fix).events
    facts = dsl.timeline(school.pupil).items
    assert [one.topic for one in facts] == ["journey.pupil-enrolled.v1", "journey.fact-corrected.v1"]
    assert facts[0] == first
    before = dsl.replay(school.pupil, as_of=date(2026, 11, 1))
    assert (before.known, [one.topic for one in before.late]) == ([], [one.topic for one in facts])
    assert len(dsl.replay(school.pupil, as_of=date(2026, 11, 2)).known) == 2


def test_every_look_and_every_refusal_is_on_record_and_the_log_verifies(school: Any) -> None:
    school.api("tutor").pupils.pupil(school.pupil)
    with pytest.raises(Problem):
        school.api("tutor").pupils.pupil(school.far)
    auditor = school.api("auditor").audit
    lines = list(every(auditor.access_log, limit=200))
    seen = [(one.role, one.action, one.outcome, one.pupils) for one in lines]
    assert ("tutor", "see_story", "seen", [school.pupil]) in seen
    assert ("tutor", "see_story", "refused", [school.far]) in seen
    checked = auditor.verify(log="access")
    assert checked.sound
    assert checked.entries >= 3
    assert "Xylophone" not in str(lines)


def test_a_pupil_sees_who_looked_but_not_the_dsls_looks(school: Any) -> None:
    for role in ("tutor", "dsl"):
        school.api(role).pupils.pupil(school.pupil)
    own = school.api("pupil").audit.looks_at(school.pupil)
    assert [(one.role, one.purpose) for one in own] == [("pupil", "own_record"), ("tutor", "teaching_and_care")]
    whole = school.api("auditor").audit.looks_at(school.pupil)
    assert "dsl" in {one.role for one in whole}


def test_the_record_verifies(school: Any) -> None:
    found = school.api("auditor").audit.verify()
    assert found.sound
    assert found.entries == school.records.log.size()
