"""Signing in: what lets somebody in, what does not, what it tells, and how it ends."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack.access.credentials import CARD_FOR, CODE_FOR
from domain.base import Actor, Stamp
from domain.school import StreamErased

SIGN_IN = "/api/v1/sign-in"


def asked(world: Any, code: str) -> dict[str, str]:
    return {"school_id": str(world.school_id), "code": code}


def test_a_card_signs_a_pupil_in_and_says_who_they_are(school: Any) -> None:
    me = school.as_("pupil").get("/api/v1/me").json()
    assert (me["role"], me["id"]) == ("pupil", str(school.pupil))


def test_a_card_is_forgiving_about_case_spaces_and_commas(school: Any) -> None:
    card = school.site.state.sessions.credentials(school.school_id).card(school.pupil)
    school.sign_in("  " + card.upper().replace(" ", " ,  "))


def test_a_code_signs_in_once(school: Any) -> None:
    code = school.site.state.sessions.credentials(school.school_id).code(school.staff["tutor"])
    school.sign_in(code.lower().replace("-", " "))
    again = school.client().post(SIGN_IN, json=asked(school, code))
    assert again.status_code == 401


def test_a_new_card_puts_an_end_to_the_old_one(school: Any) -> None:
    secrets = school.site.state.sessions.credentials(school.school_id)
    old, new = secrets.card(school.pupil), secrets.card(school.pupil)
    assert school.client().post(SIGN_IN, json=asked(school, old)).status_code == 401
    school.sign_in(new)


@pytest.mark.parametrize(("kind", "lasts"), [("code", CODE_FOR), ("card", CARD_FOR)])
def test_a_code_or_card_ends_after_its_time(school: Any, kind: str, lasts: timedelta) -> None:
    secrets = school.site.state.sessions.credentials(school.school_id)
    made = getattr(secrets, kind)(school.staff["dsl"])
    at = school.clock.at
    school.clock.at += lasts
    try:
        assert school.client().post(SIGN_IN, json=asked(school, made)).status_code == 401
    finally:
        school.clock.at = at


def test_wrong_used_and_unknown_are_answered_alike(school: Any) -> None:
    code = school.site.state.sessions.credentials(school.school_id).code(school.staff["tutor"])
    school.sign_in(code)
    answers = [
        school.client().post(SIGN_IN, json=asked(school, one))
        for one in (code, "tiger lemon piano kite", "x", "AAAA-AAAA-AAAA-AAAA")
    ]
    assert len({(one.status_code, one.text) for one in answers}) == 1


def test_a_card_of_another_school_does_not_let_in(school: Any, running: Any) -> None:
    other = uuid4()
    running.create_school(other)
    card = school.site.state.sessions.credentials(school.school_id).card(school.pupil)
    answer = school.client().post(SIGN_IN, json={"school_id": str(other), "code": card})
    assert answer.status_code == 401


def test_the_cookie_is_hidden_from_scripts_and_other_sites(school: Any) -> None:
    code = school.site.state.sessions.credentials(school.school_id).code(school.staff["tutor"])
    cookies = school.client().post(SIGN_IN, json=asked(school, code)).headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all(
        {"HttpOnly", "SameSite=strict", "Secure"} <= {part.strip() for part in one.split(";")} for one in cookies
    )


def test_signing_out_ends_the_session_at_once_also_for_a_copied_cookie(school: Any) -> None:
    code = school.site.state.sessions.credentials(school.school_id).code(school.staff["tutor"])
    browser, thief = school.sign_in(code), school.client()
    thief.cookies = browser.cookies
    assert thief.get("/api/v1/me").status_code == 200
    browser.post("/api/v1/sign-out")
    assert thief.get("/api/v1/me").status_code == 401


def test_a_session_ends_after_its_hours(school: Any) -> None:
    browser = school.as_("pupil")
    at = school.clock.at
    school.clock.at += timedelta(hours=2)
    try:
        assert browser.get("/api/v1/me").status_code == 401
    finally:
        school.clock.at = at


def test_a_forged_or_cut_cookie_is_nobody(school: Any) -> None:
    browser = school.as_("tutor")
    good = browser.cookies["__Host-astrack"]
    for bad in (good[:-2] + "AA", good[:40], "", "x" * 500, "é"):
        answer = school.client().get("/api/v1/me", headers={"Cookie": f"astrack={bad}".encode()})
        assert answer.status_code == 401, bad
    assert browser.get("/api/v1/me").status_code == 200


def test_a_withdrawn_role_is_gone_with_the_next_request(school: Any, fresh_key: Any) -> None:
    tutor, office = school.as_("tutor"), school.as_("administrator")
    grant = tutor.get("/api/v1/me").json()["choices"][0]["grant_id"]
    assert tutor.get(f"/api/v1/pupils/{school.pupil}").status_code == 200
    path = f"/api/v1/staff/{school.staff['tutor']}/roles/{grant}/withdraw"
    assert office.post(path, json={"why": "moved"}, headers=fresh_key()).status_code == 200
    assert tutor.get(f"/api/v1/pupils/{school.pupil}").status_code == 403
    assert tutor.get("/api/v1/me").json()["role"] == "none"


def test_whoever_leaves_is_signed_out_at_once(school: Any, fresh_key: Any) -> None:
    tutor, office = school.as_("tutor"), school.as_("administrator")
    path = f"/api/v1/staff/{school.staff['tutor']}/leave"
    assert office.post(path, json={"on": "2026-11-02"}, headers=fresh_key()).status_code == 200
    assert tutor.get("/api/v1/me").status_code == 401


def test_somebody_with_two_roles_acts_in_one_at_a_time(school: Any, fresh_key: Any) -> None:
    tutor, office = school.as_("tutor"), school.as_("administrator")
    grant = str(uuid4())
    body = {"grant_id": grant, "role": "lead_practitioner", "scope": {"everyone": True}}
    assert (
        office.post(f"/api/v1/staff/{school.staff['tutor']}/roles", json=body, headers=fresh_key()).status_code == 200
    )
    assert tutor.get(f"/api/v1/pupils/{school.far}").status_code == 404
    assert tutor.post("/api/v1/me/role", json={"grant_id": grant}, headers=fresh_key()).status_code == 200
    assert tutor.get(f"/api/v1/pupils/{school.far}").status_code == 200
    assert tutor.post("/api/v1/me/role", json={"grant_id": str(uuid4())}, headers=fresh_key()).status_code == 404


def test_a_service_key_works_until_it_is_revoked(school: Any, fresh_key: Any) -> None:
    office, service = school.as_("administrator"), str(uuid4())
    add = {"staff_id": service, "name": "Roster sync", "kind": "service"}
    assert office.post("/api/v1/staff", json=add, headers=fresh_key()).status_code == 200
    grant = {"grant_id": str(uuid4()), "role": "administrator", "scope": {"everyone": True}}
    office.post(f"/api/v1/staff/{service}/roles", json=grant, headers=fresh_key())
    secret = office.post(f"/api/v1/staff/{service}/keys", json={"days": 30}, headers=fresh_key()).json()["secret"]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert school.client().get("/api/v1/staff", headers=bearer).status_code == 200
    office.post(f"/api/v1/staff/{service}/sign-out", headers=fresh_key())
    assert school.client().get("/api/v1/staff", headers=bearer).status_code == 401


def service_of(school: Any, fresh_key: Any, role: str) -> str:
    """A service client that was granted a role."""
    office, service = school.as_("administrator"), str(uuid4())
    office.post("/api/v1/staff", json={"staff_id": service, "name": "Sync", "kind": "service"}, headers=fresh_key())
    grant = {"grant_id": str(uuid4()), "role": role, "scope": {"everyone": True}}
    office.post(f"/api/v1/staff/{service}/roles", json=grant, headers=fresh_key())
    return service


def test_a_service_key_does_no_more_than_the_actions_it_is_limited_to(school: Any, fresh_key: Any) -> None:
    office, service = school.as_("administrator"), service_of(school, fresh_key, "administrator")
    path, limited = f"/api/v1/staff/{service}/keys", {"only": ["see_staff"]}
    secrets = [office.post(path, json=one, headers=fresh_key()).json()["secret"] for one in (limited, {})]
    asked = [
        [
            school.client().get(f"/api/v1/{where}", headers={"Authorization": f"Bearer {one}"}).status_code
            for one in secrets
        ]
        for where in ("staff", "webhooks", "pupils")
    ]
    assert asked == [[200, 200], [403, 200], [403, 200]]
    assert office.post(path, json={"only": ["do_anything"]}, headers=fresh_key()).status_code == 422


def test_a_person_gets_no_service_key(school: Any, fresh_key: Any) -> None:
    path = f"/api/v1/staff/{school.staff['tutor']}/keys"
    assert school.as_("administrator").post(path, json={"days": 30}, headers=fresh_key()).status_code == 404


def test_nobody_grants_a_role_to_themselves(school: Any, fresh_key: Any) -> None:
    body = {"grant_id": str(uuid4()), "role": "dsl", "scope": {"everyone": True}}
    path = f"/api/v1/staff/{school.staff['administrator']}/roles"
    answer = school.as_("administrator").post(path, json=body, headers=fresh_key())
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/v1/problems/own-role-granted")


def test_a_class_of_thirty_that_mistypes_gets_in_and_a_guesser_is_slowed_down(school: Any) -> None:
    secrets = school.site.state.sessions.credentials(school.school_id)
    wrong = 0
    for _ in range(30):
        wrong += school.client().post(SIGN_IN, json=asked(school, "tiger lemon piano kit")).status_code == 401
        school.sign_in(secrets.card(school.pupil))
    assert wrong == 30
    statuses = [
        school.client().post(SIGN_IN, json=asked(school, "tiger lemon piano kite")).status_code for _ in range(60)
    ]
    assert 429 in statuses


def test_a_guesser_does_not_shut_out_a_device_that_was_here_before(school: Any) -> None:
    secrets = school.site.state.sessions.credentials(school.school_id)
    known = school.sign_in(secrets.card(school.pupil))
    for _ in range(80):
        last = school.client().post(SIGN_IN, json=asked(school, "tiger lemon piano kite"))
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) >= 1
    school.sign_in(secrets.card(school.pupil), known)


def test_signing_in_and_being_refused_is_in_the_log_without_what_was_typed_or_which_pupil(
    school: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "astrack.access.sessions")
    made = school.site.state.sessions.credentials(school.school_id)
    card, code = made.card(school.pupil), made.code(school.staff["tutor"])
    for typed in (card, code, "wrong words on it"):
        school.client().post("/api/v1/sign-in", json={"school_id": str(school.school_id), "code": typed})
    school.client().get("/api/v1/me", headers={"Authorization": "Bearer astrack_nothing"})
    of = f"school {school.school_id}"
    assert [record.getMessage() for record in caplog.records] == [
        f"signed in: {of}, pupil by card", f"signed in: {of}, staff {school.staff['tutor']} by code",
        f"sign-in refused: {of}, code", "a service's key was refused",
    ]  # fmt: skip


def test_no_secret_is_kept_as_it_is(school: Any) -> None:
    secrets = school.site.state.sessions.credentials(school.school_id)
    code, card = secrets.code(school.staff["tutor"]), secrets.card(school.pupil)
    browser = school.as_("dsl")
    rows = school.records.log.ask("SELECT row_to_json(c)::text FROM record.credentials c WHERE school_id = %s")
    rows += school.records.log.ask("SELECT row_to_json(s)::text FROM record.sessions s WHERE school_id = %s")
    kept = " ".join(text for (text,) in rows)
    assert len(rows) >= 3
    for secret in (code, code.replace("-", ""), card, browser.cookies["__Host-astrack"]):
        assert secret not in kept
        assert secret.encode().hex() not in kept


def test_whoever_makes_a_code_a_key_or_a_card_is_on_record(school: Any, fresh_key: Any) -> None:
    office, dsl = school.as_("administrator"), school.staff["dsl"]
    office.post(f"/api/v1/staff/{dsl}/invitation", headers=fresh_key())
    last = school.records.log.load(dsl).facts[-1].event
    assert (last.TOPIC, last.by.id) == ("staff.sign-in-issued.v1", school.staff["administrator"])
    office.post(f"/api/v1/pupils/{school.pupil}/card", headers=fresh_key())
    looks = school.as_("auditor").get(f"/api/v1/pupils/{school.pupil}/looks").json()
    assert [one["role"] for one in looks if one["action"] == "make_card"] == ["administrator"]


def test_erasing_a_pupil_takes_their_card_and_their_sessions(school: Any) -> None:
    browser = school.as_("pupil")
    streams = school.records.streams_of(school.pupil)
    stamp = Stamp(school.clock(), Actor(id=UUID(int=1), role="dpo"), uuid4)
    school.records.log.erase_stream(streams.journey_id, StreamErased(**stamp.fresh(), why="asked for"))
    assert browser.get("/api/v1/me").status_code == 401
    kept = school.records.log.ask(
        "SELECT 1 FROM record.credentials WHERE school_id = %s AND account_id = %s", school.pupil
    )
    assert kept == []
