"""Second factors, passwords, signing clients: whoever issues codes cannot sign in as somebody else."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from tests.support.authenticator import Passkey  # type: ignore[import-not-found]

ME = "/api/v1/me/second-factor"
PASSWORD = "four words that are mine"


@pytest.fixture
def strict(school: Any, monkeypatch: Any) -> Any:
    """A school that asks for second factors, as one with real data does."""
    monkeypatch.setattr(school.app, "settings", replace(school.app.settings, second_factor=True))
    return school


def invited(world: Any, role: str) -> Any:
    return world.sign_in(world.site.state.sessions.credentials(world.school_id).code(world.staff[role]))


def enrol(world: Any, browser: Any) -> tuple[TOTP, list[str]]:
    made = browser.post(ME + "/totp").json()
    app = TOTP(base64.b32decode(made["secret"]), 6, SHA1(), 30, enforce_key_length=False)
    answer = browser.post(ME + "/totp/confirm", json={"code": digits(world, app)})
    assert answer.status_code == 200, answer.text
    return app, answer.json()["recovery_codes"]


def digits(world: Any, app: TOTP) -> str:
    return app.generate(int(world.clock.at.timestamp())).decode()


def later(world: Any) -> None:
    world.clock.at += timedelta(seconds=30)


def test_staff_who_see_pupils_get_nowhere_before_they_have_a_second_factor(strict: Any) -> None:
    browser = invited(strict, "tutor")
    path = f"/api/v1/pupils/{strict.pupil}"
    refused = browser.get(path)
    assert (refused.status_code, refused.json()["type"].rsplit("/")[-1]) == (403, "second-factor-needed")
    assert browser.get("/api/v1/me").json()["factor"] == "to_enrol"
    enrol(strict, browser)
    assert browser.get(path).status_code == 200


def test_a_code_alone_does_not_sign_in_as_somebody_who_has_a_second_factor(strict: Any, fresh_key: Any) -> None:
    enrol(strict, invited(strict, "dsl"))
    thief = invited(strict, "dsl")
    assert thief.get(f"/api/v1/pupils/{strict.pupil}").status_code == 403
    for attempt in ("/totp", "/passkey", "/recovery-codes"):
        assert thief.post(ME + attempt).status_code == 403, "nor lets them set up their own"
    taken = {"name": "thief", "password": PASSWORD}
    assert thief.post("/api/v1/me/password", json=taken).status_code == 403
    office = invited(strict, "administrator")
    enrol(strict, office)
    reset = f"/api/v1/staff/{strict.staff['dsl']}/second-factor/reset"
    assert office.post(reset, headers=fresh_key()).status_code == 403, "nor may who issued the code take it away"


def test_a_lost_factor_is_taken_away_by_the_head_and_ends_every_session(strict: Any, fresh_key: Any) -> None:
    browser = invited(strict, "tutor")
    enrol(strict, browser)
    reset = f"/api/v1/staff/{strict.staff['tutor']}/second-factor/reset"
    assert invited(strict, "head").post(reset, headers=fresh_key()).status_code == 200
    assert browser.get("/api/v1/me").status_code == 401
    assert invited(strict, "tutor").get("/api/v1/me").json()["factor"] == "to_enrol"


def test_each_code_of_an_app_counts_once_and_each_recovery_code_too(strict: Any) -> None:
    app, codes = enrol(strict, invited(strict, "tutor"))
    assert len(set(codes)) == 10
    later(strict)
    first, second = invited(strict, "tutor"), invited(strict, "tutor")
    code = digits(strict, app)
    assert first.post(ME + "/prove", json={"code": code}).status_code == 200
    assert second.post(ME + "/prove", json={"code": code}).status_code == 401
    assert second.post(ME + "/prove", json={"code": codes[0].lower()}).status_code == 200
    assert invited(strict, "tutor").post(ME + "/prove", json={"code": codes[0]}).status_code == 401


@pytest.mark.parametrize(
    "typed", ["\u0661\u0662\u0663\u0664\u0665\u0666", "\u00a6G\u00be", "\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2", ""]
)
def test_a_code_in_other_letters_is_a_wrong_code_and_no_fault_of_the_service(strict: Any, typed: str) -> None:
    fresh = invited(strict, "tutor")
    fresh.post(ME + "/totp")
    assert fresh.post(ME + "/totp/confirm", json={"code": typed}).status_code in (401, 422)
    enrol(strict, fresh)
    assert invited(strict, "tutor").post(ME + "/prove", json={"code": typed}).status_code in (401, 422)


def test_a_code_counts_in_the_digits_of_any_script(strict: Any) -> None:
    fresh = invited(strict, "tutor")
    app, _ = enrol(strict, fresh)
    later(strict)
    arabic = digits(strict, app).translate({48 + n: 0x660 + n for n in range(10)})
    assert invited(strict, "tutor").post(ME + "/prove", json={"code": f"{arabic[:3]} {arabic[3:]}"}).status_code == 200


def test_guessing_the_six_digits_is_slowed_and_does_not_end_the_owners_session(strict: Any) -> None:
    owner = invited(strict, "tutor")
    enrol(strict, owner)
    thief = invited(strict, "tutor")
    tried = [thief.post(ME + "/prove", json={"code": f"{n:06}"}).status_code for n in range(7)]
    assert tried[-1] == 429
    assert owner.get(f"/api/v1/pupils/{strict.pupil}").status_code == 200


def test_a_passkey_is_a_second_factor_for_the_same_site_only(strict: Any) -> None:
    browser, passkey = invited(strict, "tutor"), Passkey("https://astrack.test")
    offered = browser.post(ME + "/passkey").json()
    answer = browser.post(ME + "/passkey/add", json={"credential": passkey.make(offered)})
    assert (answer.status_code, len(answer.json()["recovery_codes"])) == (200, 10)
    again = invited(strict, "tutor")
    proof = passkey.prove(again.post(ME + "/passkey/ask").json())
    assert again.post(ME + "/passkey/prove", json={"credential": proof}).status_code == 200
    assert again.get(f"/api/v1/pupils/{strict.pupil}").status_code == 200
    third = invited(strict, "tutor")
    assert third.post(ME + "/passkey/prove", json={"credential": proof}).status_code == 401, "a proof is good once"
    passkey.origin = "https://astrack.test.evil.example"
    proof = passkey.prove(third.post(ME + "/passkey/ask").json())
    assert third.post(ME + "/passkey/prove", json={"credential": proof}).status_code == 401


def test_somebody_elses_passkey_proves_nothing(strict: Any) -> None:
    mine, passkey = invited(strict, "tutor"), Passkey("https://astrack.test")
    mine.post(ME + "/passkey/add", json={"credential": passkey.make(mine.post(ME + "/passkey").json())})
    other = invited(strict, "tutor")
    forged = Passkey("https://astrack.test").prove(other.post(ME + "/passkey/ask").json())
    assert other.post(ME + "/passkey/prove", json={"credential": forged}).status_code == 401
    assert other.get(f"/api/v1/pupils/{strict.pupil}").status_code == 403


def test_a_name_and_a_password_sign_in_and_a_second_factor_is_asked_for_next(strict: Any) -> None:
    browser = invited(strict, "tutor")
    app, _ = enrol(strict, browser)
    chosen = {"name": "Q.Quince", "password": PASSWORD}
    assert browser.post("/api/v1/me/password", json=chosen).status_code == 200
    later(strict)
    body = {"school_id": str(strict.school_id), "name": " q.quince ", "password": PASSWORD}
    fresh = strict.client()
    assert fresh.post("/api/v1/sign-in/password", json=body).json()["factor"] == "needed"
    assert fresh.post(ME + "/prove", json={"code": digits(strict, app)}).status_code == 200
    assert fresh.get("/api/v1/me").json()["factor"] == "proved"
    wrong = {**body, "password": PASSWORD + "!"}
    assert strict.client().post("/api/v1/sign-in/password", json=wrong).status_code == 401


def test_a_new_password_ends_every_other_session(school: Any) -> None:
    mine, other = invited(school, "tutor"), invited(school, "tutor")
    mine.post("/api/v1/me/password", json={"name": "q.quince", "password": PASSWORD})
    assert mine.get("/api/v1/me").status_code == 200
    assert other.get("/api/v1/me").status_code == 401


def test_a_password_is_changed_by_whoever_knows_it_or_has_a_new_code(strict: Any) -> None:
    mine = invited(strict, "tutor")
    enrol(strict, mine)
    chosen = {"name": "q.quince", "password": PASSWORD}
    assert mine.post("/api/v1/me/password", json=chosen).status_code == 200
    again = {"name": "q.quince", "password": PASSWORD + " anew"}
    assert mine.post("/api/v1/me/password", json=again).status_code == 401
    answer = mine.post("/api/v1/me/password", json={**again, "old": PASSWORD + "?"})
    assert answer.status_code == 401 and "the password you have now" in answer.json()["detail"]
    body = {"school_id": str(strict.school_id), **chosen}
    assert strict.client().post("/api/v1/sign-in/password", json=body).status_code == 200, "nothing was changed"
    assert mine.post("/api/v1/me/password", json={**again, "old": PASSWORD}).status_code == 200
    assert strict.client().post("/api/v1/sign-in/password", json=body).status_code == 401
    fresh = invited(strict, "tutor")
    gone = {**body, "password": again["password"]}
    assert strict.client().post("/api/v1/sign-in/password", json=gone).status_code == 401, "the code took its place"
    assert fresh.get("/api/v1/me").status_code == 200


def test_where_one_is_signed_in_is_shown_and_everywhere_else_is_ended(school: Any) -> None:
    mine, other, stranger = invited(school, "tutor"), invited(school, "tutor"), invited(school, "dsl")
    page = mine.get("/second-factor").text
    assert page.count("Here, since") == 1 and page.count("Elsewhere, since") == 1
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    answer = mine.post("/second-factor/elsewhere", data={"token": token}, headers={"Origin": "https://astrack.test"})
    assert "You are signed in here alone." in answer.text and "Elsewhere, since" not in answer.text
    assert [one.get("/api/v1/me").status_code for one in (mine, other, stranger)] == [200, 401, 200]


def test_a_session_that_lay_unused_too_long_is_not_shown_as_standing(school: Any) -> None:
    mine, at = invited(school, "tutor"), school.clock.at
    invited(school, "tutor")
    try:
        for _ in range(2):
            assert mine.get("/second-factor").text.count("Elsewhere, since") == 1
            school.clock.at += timedelta(minutes=40)
        assert "Elsewhere, since" not in mine.get("/second-factor").text
    finally:
        school.clock.at = at


@pytest.mark.parametrize("password", ["short", "q.quince q.quince", "iloveyou1234", "Passw0rd!2024", "abcabcabcabcabc"])
def test_a_password_that_is_short_holds_the_name_or_is_guessed_early_is_refused(school: Any, password: str) -> None:
    browser = invited(school, "tutor")
    answer = browser.post("/api/v1/me/password", json={"name": "q.quince", "password": password})
    assert answer.status_code == 422


def test_a_session_that_lies_unused_ends_and_one_that_is_used_goes_on(school: Any) -> None:
    used, idle, at = invited(school, "tutor"), invited(school, "tutor"), school.clock.at
    try:
        for _ in range(3):
            school.clock.at += timedelta(minutes=45)
            assert used.get("/api/v1/me").status_code == 200
        assert idle.get("/api/v1/me").status_code == 401
    finally:
        school.clock.at = at


def test_tries_are_shared_by_every_process(school: Any) -> None:
    from astrack.access.sessions import HERE, Sessions

    one, other = Sessions(school.app).tries(school.school_id), Sessions(school.app).tries(school.school_id)
    for _ in range(int(HERE.burst)):
        one.spend(HERE, "address/somewhere")
    assert other.wait(HERE, "address/somewhere")
    assert not other.wait(HERE, "address/elsewhere")


KEYS = [ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")]


def client_of(world: Any, key: Any, fresh_key: Any, **limits: Any) -> str:
    service = str(uuid4())
    office = world.as_("administrator")
    body = {"staff_id": service, "name": "Roster", "kind": "service"}
    office.post("/api/v1/staff", json=body, headers=fresh_key())
    grant = {"grant_id": str(uuid4()), "role": "administrator", "scope": {"everyone": True}}
    office.post(f"/api/v1/staff/{service}/roles", json=grant, headers=fresh_key())
    public = {"key": key.as_dict(private=False), "days": 30, **limits}
    answer = office.post(f"/api/v1/staff/{service}/clients", json=public, headers=fresh_key())
    assert answer.status_code == 200, answer.text
    return str(answer.json()["issuer"])


def assertion(world: Any, key: Any, issuer: str, **changed: Any) -> str:
    now = int(world.clock.at.timestamp())
    claims = {"iss": issuer, "sub": issuer, "aud": "astrack", "jti": str(uuid4()), "iat": now, "exp": now + 120}
    return jwt.encode({"alg": "ES256" if key.key_type == "EC" else "EdDSA"}, {**claims, **changed}, key,
                      algorithms=["ES256", "EdDSA"])  # fmt: skip


def seen_with(world: Any, token: str) -> int:
    return int(world.client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code)


@pytest.mark.parametrize("key", KEYS, ids=["P-256", "Ed25519"])
def test_a_service_signs_each_request_with_a_key_of_its_own(school: Any, fresh_key: Any, key: Any) -> None:
    issuer = client_of(school, key, fresh_key)
    token = assertion(school, key, issuer)
    assert seen_with(school, token) == 200
    assert seen_with(school, token) == 401, "an assertion is good once"


def test_a_service_that_signs_does_no_more_than_its_key_is_limited_to(school: Any, fresh_key: Any) -> None:
    issuer = client_of(school, KEYS[0], fresh_key, only=["see_school"])
    statuses = {}
    for where in ("school", "rounds"):
        bearer = {"Authorization": f"Bearer {assertion(school, KEYS[0], issuer)}"}
        statuses[where] = school.client().get(f"/api/v1/{where}", headers=bearer).status_code
    assert statuses == {"school": 200, "rounds": 403}


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another"},
        {"exp": 1},
        {"exp": int(time.time()) + 10**9},
        {"sub": "someone"},
        {"jti": "x"},
        {"jti": None},
    ],
)
def test_an_assertion_that_says_anything_else_is_refused(school: Any, fresh_key: Any, changed: Any) -> None:
    issuer = client_of(school, KEYS[0], fresh_key)
    assert seen_with(school, assertion(school, KEYS[0], issuer, **changed)) == 401


def test_an_assertion_by_another_key_or_unsigned_is_refused(school: Any, fresh_key: Any) -> None:
    issuer = client_of(school, KEYS[0], fresh_key)
    assert seen_with(school, assertion(school, ECKey.generate_key("P-256"), issuer)) == 401
    _, body, _ = assertion(school, KEYS[0], issuer).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert seen_with(school, f"{none}.{body}.") == 401


def test_a_private_key_is_not_taken(school: Any, fresh_key: Any) -> None:
    body = {"key": ECKey.generate_key("P-256").as_dict(private=True)}
    path = f"/api/v1/staff/{school.staff['tutor']}/clients"
    assert school.as_("administrator").post(path, json=body, headers=fresh_key()).status_code == 422


def test_a_letter_to_nobody_verified_lets_a_parent_object_and_see_nothing(school: Any) -> None:
    parent, path = school.as_("parent"), f"/api/v1/pupils/{school.pupil}"
    assert parent.get(path + "/story").status_code == 403
    answer = parent.post(path + "/opt-out", json={"asked_by": "parent", "on": "2026-11-02"},
                         headers={"Idempotency-Key": "out"})  # fmt: skip
    assert answer.status_code == 200


def test_an_order_shuts_a_parent_out_at_once(school: Any, fresh_key: Any) -> None:
    relation, path = str(uuid4()), f"/api/v1/pupils/{school.pupil}"
    office = school.as_("administrator")
    assert office.post(path + "/letter", json={"relation_id": relation}, headers=fresh_key()).status_code == 409
    stated = {"relation_id": relation, "name": "Una", "kind": "natural_parent", "from_on": "2016-12-05",
              "verified_on": "2026-11-01", "proof": "birth certificate"}  # fmt: skip
    office.post(path + "/relations", json=stated, headers=fresh_key())
    code = office.post(path + "/letter", json={"relation_id": relation}, headers=fresh_key()).json()["code"]
    parent = school.sign_in(code)
    assert parent.get(path + "/identity").status_code == 200
    order = {"order_id": str(uuid4()), "kind": "no_contact", "limits": "information", "from_on": "2026-11-02",
             "relation_id": relation, "reference": "FC-1"}  # fmt: skip
    assert office.post(path + "/orders", json=order, headers=fresh_key()).status_code == 200
    assert parent.get(path + "/identity").status_code == 401
