"""Every route x every role: who gets through the door, stated by hand, on a school with people in every role."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack.api import PREFIX, describe
from astrack.changing import Ask, NoSuchPupil
from domain.base import Actor

ROLES = (
    "pupil",
    "parent",
    "tutor",
    "head_of_year",
    "dsl",
    "lead_practitioner",
    "head",
    "administrator",
    "dpo",
    "auditor",
    "accreditor",
)
EVERYBODY = " ".join(ROLES)
STAFF = "tutor head_of_year dsl lead_practitioner head administrator dpo auditor"
STORY = "tutor head_of_year dsl lead_practitioner auditor"
NAMES = "tutor head_of_year dsl lead_practitioner administrator"
WRITERS = "tutor head_of_year dsl lead_practitioner"
P = "/pupils/{pupil}"
# (method, path, who gets past the gate towards a pupil of their own); all others are refused with 401, 403 or 404
ROUTES: list[tuple[str, str, str]] = [
    ("GET", "/me", EVERYBODY),
    ("GET", "/permissions", EVERYBODY),
    ("GET", "/me/second-factor", EVERYBODY),
    ("POST", "/me/second-factor/prove", EVERYBODY),
    ("POST", "/me/second-factor/totp", f"{STAFF} accreditor"),
    ("POST", "/me/second-factor/totp/confirm", f"{STAFF} accreditor"),
    ("POST", "/me/second-factor/passkey", f"{STAFF} accreditor"),
    ("POST", "/me/second-factor/passkey/add", f"{STAFF} accreditor"),
    ("POST", "/me/second-factor/passkey/ask", EVERYBODY),
    ("POST", "/me/second-factor/passkey/prove", EVERYBODY),
    ("POST", "/me/second-factor/recovery-codes", f"{STAFF} accreditor"),
    ("POST", "/me/password", f"{STAFF} accreditor"),
    ("POST", "/staff/{id}/second-factor/reset", "dsl head"),
    ("POST", "/staff/{id}/clients", "administrator"),
    ("GET", "/school", EVERYBODY),
    ("PUT", "/school", "administrator"),
    ("POST", "/school/terms", "administrator"),
    ("PUT", "/school/review-load", "administrator lead_practitioner"),
    ("GET", "/truth", "dsl lead_practitioner head"),
    ("GET", "/fairness", "dsl lead_practitioner head"),
    ("GET", "/fairness/items", "dsl lead_practitioner head"),
    ("GET", "/reliability", "dsl lead_practitioner head"),
    ("PUT", "/school/backgrounds", "head"),
    ("GET", "/rounds", f"pupil {STAFF}"),
    ("POST", "/rounds", "administrator lead_practitioner"),
    ("GET", "/rounds/{id}", f"pupil {STAFF}"),
    ("GET", "/rounds/{id}/absentees", NAMES),
    ("POST", "/rounds/{id}/close", "administrator lead_practitioner"),
    ("GET", "/staff", "dsl lead_practitioner head administrator dpo"),
    ("GET", "/staff/{id}", "dsl lead_practitioner head administrator dpo"),
    ("POST", "/staff", "administrator"),
    ("POST", "/staff/{id}/roles", "administrator"),
    ("POST", "/staff/{id}/roles/{id}/withdraw", "administrator"),
    ("POST", "/staff/{id}/training", "lead_practitioner"),
    ("POST", "/staff/{id}/leave", "administrator"),
    ("POST", "/staff/{id}/invitation", "administrator"),
    ("POST", "/staff/{id}/keys", "administrator"),
    ("POST", "/staff/{id}/sign-out", "administrator"),
    ("POST", "/staff/{id}/glass/{id}/review", "dsl head"),
    ("GET", "/pupils", NAMES),
    ("POST", "/pupils", "administrator"),
    ("POST", "/pupils/search", NAMES),
    ("GET", "/pupils/by-need", STORY),
    ("GET", "/pupils/lists/new", STORY),
    ("GET", "/pupils/lists/due", STORY),
    ("GET", "/plans", STORY),
    ("POST", "/plans/group", WRITERS),
    ("GET", "/plans/reminder", STORY),
    ("GET", "/cohort", "dsl lead_practitioner head"),
    ("GET", "/transfers", "dsl administrator dpo auditor"),
    ("GET", "/school/key-document", EVERYBODY),
    ("POST", "/trusted-schools", "dsl"),
    ("POST", "/transfers", "dsl"),
    ("GET", "/transfers/{id}/file", "dsl administrator"),
    ("POST", "/transfers/{id}/mark", "dsl administrator"),
    ("POST", "/transfers/{id}/withdraw", "dsl"),
    ("POST", "/transfers/received", "dsl"),
    ("POST", "/transfers/refused?reason=not_expected", "dsl"),
    ("GET", "/transfers/{id}/receipt", "dsl administrator"),
    ("POST", "/receipts", "dsl administrator"),
    ("POST", "/transfers/{id}/supplement", "dsl"),
    ("POST", "/transfers/{id}/safeguarding", "dsl"),
    ("GET", "/keys", "dsl administrator"),
    ("POST", "/keys/revoke", "dsl"),
    ("GET", "/mailboxes", "dsl administrator"),
    ("POST", "/mailboxes", "dsl administrator"),
    ("POST", "/mailboxes/cards", "dsl administrator"),
    ("POST", "/mailboxes/collect", "dsl"),
    ("POST", "/transfers/{id}/send", "dsl administrator"),
    ("GET", "/directories", "dsl administrator"),
    ("POST", "/directories", "dsl"),
    ("POST", "/roster/plan", "administrator"),
    ("POST", "/roster/imports", "administrator"),
    ("GET", "/roster/source", "administrator"),
    ("PUT", "/roster/source", "administrator"),
    ("POST", "/roster/source/end", "administrator"),
    ("POST", "/roster/source/read", "administrator"),
    ("GET", "/verify", "dsl head administrator dpo auditor"),
    ("GET", "/access-log", "dpo auditor"),
    ("GET", "/changes", "dsl head administrator dpo auditor"),
    ("GET", "/webhooks", "administrator"),
    ("POST", "/webhooks", "administrator"),
    ("POST", "/webhooks/{id}/end", "administrator"),
    ("GET", "/webhooks/{id}/deliveries", "administrator"),
    ("POST", "/webhooks/{id}/deliveries/0/again", "administrator"),
    ("GET", "/training", STAFF),
    ("GET", "/training/people", "lead_practitioner"),
    ("GET", "/training/{id}", STAFF),
    ("POST", "/training/{id}/attempts", STAFF),
    ("GET", "/guidance?factor=trust_of_self&pole=low&context=school&age=8-11", WRITERS),
    ("POST", "/guidance", "lead_practitioner"),
    ("POST", "/guidance/{id}/retire", "lead_practitioner"),
    ("POST", "/guidance/{id}/review", "lead_practitioner"),
    ("GET", "/reports/impact?since=2026-01-01&until=2026-11-01", "dsl lead_practitioner head"),
    ("GET", "/reports/trust?since=2026-01-01&until=2026-11-01", "head"),
    ("GET", "/accreditation", "lead_practitioner head accreditor"),
    ("POST", "/accreditation/awards", "accreditor"),
    ("POST", "/accreditation/awards/{id}/revoke", "accreditor"),
    ("GET", P, STORY),
    ("GET", P + "/identity", f"pupil parent {NAMES}"),
    ("PUT", P + "/identity", "administrator"),
    ("GET", P + "/timeline", STORY),
    ("GET", P + "/story", f"pupil {WRITERS}"),
    ("GET", P + "/track", STORY),
    ("GET", P + "/replay?as_of=2026-11-02", "dsl auditor"),
    ("GET", P + "/looks", "pupil dsl dpo auditor"),
    ("POST", P + "/groups", "administrator"),
    ("POST", P + "/leave", "administrator"),
    ("POST", P + "/return", "administrator"),
    ("POST", P + "/sittings", "pupil tutor"),
    ("POST", P + "/not-today", "pupil tutor"),
    ("POST", P + "/flags/{id}/review", WRITERS),
    ("POST", P + "/looked-at", WRITERS),
    ("POST", P + "/outcomes", WRITERS),
    ("POST", P + "/talks", "pupil"),
    ("POST", P + "/talks/{id}/take-up", "tutor head_of_year dsl"),
    ("POST", P + "/talks/{id}/escalate", "tutor head_of_year dsl"),
    ("POST", P + "/corrections", "dsl lead_practitioner"),
    ("POST", P + "/opt-out", "pupil parent dsl lead_practitioner administrator"),
    ("POST", P + "/opt-out/end", "pupil parent dsl lead_practitioner administrator"),
    ("POST", P + "/plans", WRITERS),
    ("POST", P + "/plans/{id}/monitor", WRITERS),
    ("POST", P + "/plans/{id}/review", WRITERS),
    ("POST", P + "/plans/{id}/close", WRITERS),
    ("POST", P + "/hand-offs", "tutor head_of_year dsl"),
    ("GET", P + "/hand-offs", "dsl"),
    ("POST", P + "/hand-offs/{id}/acknowledge", "dsl"),
    ("GET", P + "/outcomes", "dsl"),
    ("POST", P + "/outcomes/{id}/take-back", "dsl"),
    ("POST", P + "/own-copy", ""),  # nobody yet: the pupil is not 18
    ("POST", P + "/reviewed-copy", "dsl"),
    ("POST", P + "/card", "tutor head_of_year administrator"),
    ("POST", P + "/letter", "administrator"),
    ("GET", P + "/family", "dsl administrator"),
    ("POST", P + "/relations", "dsl administrator"),
    ("POST", P + "/relations/{id}/end", "dsl administrator"),
    ("POST", P + "/releases", "dsl"),
    ("POST", P + "/releases/{id}/withdraw", "dsl"),
    ("POST", P + "/orders", "dsl administrator"),
    ("POST", P + "/orders/{id}/end", "dsl administrator"),
    ("POST", P + "/competence", "dsl dpo"),
    ("POST", P + "/data-requests", "pupil parent dsl administrator dpo"),
    ("GET", P + "/data-requests", "pupil parent dsl dpo auditor"),
    ("GET", "/data-requests", "dsl dpo auditor"),
    ("GET", "/data-requests/{request}", "pupil parent dsl dpo auditor"),
    ("GET", "/data-requests/{request}/items", "dsl"),
    ("POST", "/data-requests/{request}/stop", "dsl dpo"),
    ("POST", "/data-requests/{request}/start", "dsl dpo"),
    ("POST", "/data-requests/{request}/extend", "dsl dpo"),
    ("POST", "/data-requests/{request}/withhold", "dsl dpo"),
    ("POST", "/data-requests/{request}/withhold-by-default", "dsl dpo"),
    ("POST", "/data-requests/{request}/review", "dsl dpo"),
    ("POST", "/data-requests/{request}/copy", "dsl"),
    ("POST", "/data-requests/{request}/answer", "dsl dpo"),
    ("POST", "/data-requests/{request}/withdraw", "dsl dpo"),
    ("POST", P + "/restriction", "dsl dpo"),
    ("POST", P + "/restriction/lift", "dsl dpo"),
    ("POST", P + "/retention", "dpo"),
    ("POST", P + "/retention/review", "dpo"),
    ("POST", P + "/holds", "dsl dpo"),
    ("POST", P + "/holds/{id}/release", "dsl dpo"),
    ("POST", P + "/erase", "dsl dpo"),
    ("GET", "/retention/due", "dsl dpo auditor"),
    ("GET", "/data-protection/register", "dsl head administrator dpo auditor"),
    ("GET", "/data-protection/annex", "dsl head administrator dpo auditor"),
    # last: it opens this pupil's record to the data protection officer
    ("POST", P + "/glass", "dpo"),
]
DAY = "2026-11-02"


def bodies() -> dict[str, Any]:
    """The example the description gives of each body, so that only the gate decides; by the route's shape."""
    return {
        f"{method.upper()} {re.sub('{[a-z_]+}', '{}', path.removeprefix(PREFIX))}": told["requestBody"]["content"][JSON]
        for path, methods in describe()["paths"].items()
        for method, told in methods.items()
        if JSON in told.get("requestBody", {}).get("content", {})
    }


JSON = "application/json"
BODIES = {route: body["example"] for route, body in bodies().items()}
ROSTER = b"<nothing/>"
REQUESTS: dict[Any, str] = {}


def request_about(world: Any, pupil: Any) -> str:
    """A request about a pupil, taken in once; a random id where there is no such pupil here."""
    if pupil not in REQUESTS:
        REQUESTS[pupil] = str(uuid4())
        ask = Ask(Actor(id=uuid4(), role="dpo"), str(uuid4()))
        stated = {"kind": "objection", "asked_by": "pupil", "on": date(2026, 11, 2)}
        with suppress(NoSuchPupil):
            world.records.receive_request(ask, pupil, request_id=UUID(REQUESTS[pupil]), **stated)
    return REQUESTS[pupil]


def shape(path: str) -> str:
    """A route as the description has it, whatever its places are called."""
    plain = re.sub(r"\{[a-z_]+\}", "{}", path.partition("?")[0])
    return plain.replace("/lists/due", "/lists/{}").replace("/deliveries/0/", "/deliveries/{}/")


def example_of(method: str, path: str) -> Any:
    """The example of a route's body, the thing it makes under a fresh id; None where it takes none."""
    body = BODIES.get(f"{method} {shape(path)}")
    if body is None:
        return None
    return {name: str(uuid4()) if name.endswith("_id") else value for name, value in body.items()}


def takes_a_version(method: str, path: str) -> bool:
    """Whether the description of a route names If-Match."""
    operations = {shape(one.removeprefix(PREFIX)): methods for one, methods in describe()["paths"].items()}
    parameters = operations[shape(path)][method.lower()].get("parameters", [])
    return any(one["name"] == "If-Match" for one in parameters)


OUTSIDE = ("/mailboxes", "/directories", "/roster/source")


def send(world: Any, role: str, method: str, path: str, pupil: Any, **changes: str) -> Any:
    body = example_of(method, path)
    body = body and {**body, **{name: value for name, value in changes.items() if name in body}}
    if body and path in OUTSIDE:
        # refused before anybody outside is asked
        body = {
            name: re.sub("^https", "http", value) if isinstance(value, str) else value for name, value in body.items()
        }
    address = "/api/v1" + path.replace("{pupil}", str(pupil)).replace("{id}", str(uuid4()))
    if "{request}" in path:
        address = address.replace("{request}", request_about(world, pupil))
    headers = {} if method == "GET" else {"Idempotency-Key": str(uuid4()), "If-Match": '"999"'}
    if body and "pupil_ids" in body:
        body["pupil_ids"] = [str(pupil)] * len(body["pupil_ids"])
    if path.startswith(
        (
            "/roster/plan",
            "/roster/imports",
            "/transfers/received",
            "/transfers/refused",
            "/receipts",
            "/mailboxes/cards",
        )
    ):
        return world.as_(role).request(method, address, content=ROSTER, headers=headers)
    return world.as_(role).request(method, address, json=body, headers=headers)


def refused_at_the_gate(answer: Any) -> bool:
    """Refused for who asks, not for what was asked."""
    kind = answer.json().get("type", "") if answer.headers["content-type"] == "application/problem+json" else ""
    return kind.rsplit("/", 1)[-1] in ("sign-in-needed", "not-allowed", "no-such-pupil")


@pytest.mark.parametrize(("method", "path", "roles"), ROUTES)
def test_a_route_lets_in_these_roles_and_no_others(shared_school: Any, method: str, path: str, roles: str) -> None:
    through = []
    for role in ROLES:
        answer = send(shared_school, role, method, path, shared_school.pupil)
        assert answer.status_code < 500, (role, answer.text)
        if not refused_at_the_gate(answer):
            through.append(role)
            assert "request-validation-error" not in answer.text, f"the service does not understand: {answer.text}"
    assert through == [role for role in ROLES if role in roles.split()]


ABOUT_A_PUPIL = [(method, path) for method, path, _ in ROUTES if "{pupil}" in path or "{request}" in path]
WHOLE_SCHOOL = {"dsl", "lead_practitioner", "administrator", "dpo"}


@pytest.mark.parametrize(("method", "path"), ABOUT_A_PUPIL)
def test_a_pupil_outside_the_scope_is_answered_like_one_who_does_not_exist(
    shared_school: Any, method: str, path: str
) -> None:
    for role in ("pupil", "parent", "tutor", "head_of_year"):
        outside = send(shared_school, role, method, path, shared_school.far)
        nobody = send(shared_school, role, method, path, uuid4())
        assert (outside.status_code, outside.content) == (nobody.status_code, nobody.content)
        assert outside.status_code in (403, 404)


@pytest.mark.parametrize(("method", "path"), ABOUT_A_PUPIL)
def test_a_pupil_of_another_school_does_not_exist_for_anybody(
    shared_school: Any, neighbour: Any, method: str, path: str
) -> None:
    for role in ROLES:
        answer = send(shared_school, role, method, path, neighbour.pupil)
        assert answer.status_code in (403, 404), (role, answer.text)
        assert "Xylophone" not in answer.text


MATCHED = [
    (method, path, who.split()[-1]) for method, path, who in ROUTES
    if path.startswith(P) and takes_a_version(method, path)
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "role"), MATCHED)
def test_a_change_decided_on_another_version_is_refused_by_name(
    shared_school: Any, method: str, path: str, role: str
) -> None:
    size = shared_school.records.log.size()
    answer = send(shared_school, role, method, path, shared_school.pupil, owner_id=str(shared_school.staff["tutor"]))
    assert answer.status_code == 412, answer.text
    assert answer.json()["type"] == "/api/v1/problems/record-moved"
    assert shared_school.records.log.size() == size


def test_what_has_an_etag_is_what_a_change_is_decided_on(shared_school: Any) -> None:
    tagged = [
        path for method, path, _ in ROUTES
        if method == "GET" and "ETag" in send(shared_school, "dsl", method, path, shared_school.pupil).headers
    ]  # fmt: skip
    assert tagged == [P, P + "/identity"]


def test_every_route_of_the_description_is_in_the_table(site: Any) -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in site.openapi()["paths"].items()
        for method in methods
    }
    open_to_all = {
        ("POST", "/sign-in"),
        ("POST", "/sign-out"),
        ("POST", "/sign-in/password"),
        ("POST", "/me/role"),
        ("GET", "/problems"),
        ("GET", "/problems/{slug}"),
    }

    stated = {(method, shape(path)) for method, path, _ in ROUTES}
    found = {(method, shape(path)) for method, path in described - open_to_all}
    assert stated == found


def test_nobody_signed_in_gets_nowhere(shared_school: Any) -> None:
    for method, path, _ in ROUTES:
        address = "/api/v1" + re.sub(r"\{[a-z]+\}", str(shared_school.pupil), path)
        answer = shared_school.client().request(method, address, headers={"Idempotency-Key": "x"})
        assert answer.status_code == 401, (method, path, answer.text)


def test_staff_see_no_story_before_their_training(school: Any, fresh_key: Any) -> None:
    office, newcomer = school.as_("administrator"), str(uuid4())
    office.post("/api/v1/staff", json={"staff_id": newcomer, "name": "Una"}, headers=fresh_key())
    grant = {"grant_id": str(uuid4()), "role": "dsl", "scope": {"everyone": True}}
    office.post(f"/api/v1/staff/{newcomer}/roles", json=grant, headers=fresh_key())
    code = office.post(f"/api/v1/staff/{newcomer}/invitation", headers=fresh_key()).json()["secret"]
    browser = school.sign_in(code)
    assert browser.get(f"/api/v1/pupils/{school.pupil}").status_code == 403
    path = f"/api/v1/staff/{newcomer}/training"
    school.as_("lead_practitioner").post(path, json={"module": "first-steps", "on": DAY}, headers=fresh_key())
    assert browser.get(f"/api/v1/pupils/{school.pupil}").status_code == 200


def test_a_pupil_who_left_is_the_dsls_and_no_longer_the_tutors(school: Any) -> None:
    path = f"/api/v1/pupils/{school.left}"
    assert school.as_("tutor").get(path).status_code == 403
    assert school.as_("dsl").get(path).status_code == 200


def test_broken_glass_opens_one_record_for_its_minutes_and_goes_on_record(school: Any, fresh_key: Any) -> None:
    officer, path = school.as_("dpo"), f"/api/v1/pupils/{school.pupil}"
    assert officer.get(path).status_code == 403
    body = {"glass_id": str(uuid4()), "reason": "A court order came in", "minutes": 30}
    assert officer.post(path + "/glass", json=body, headers=fresh_key()).status_code == 200
    assert officer.get(path).status_code == 200
    assert officer.get(f"/api/v1/pupils/{school.far}").status_code == 403
    lines = officer.get("/api/v1/access-log?limit=200").json()["items"]
    assert [one["purpose"] for one in lines if one["action"] == "see_story" and one["outcome"] == "seen"] == [
        "glass_broken"
    ]
    review = f"/api/v1/staff/{school.staff['dpo']}/glass/{body['glass_id']}/review"
    assert school.as_("head").post(review, json={"in_order": True}, headers=fresh_key()).status_code == 200
    at = school.clock.at
    school.clock.at += timedelta(minutes=30)
    try:
        assert officer.get(path).status_code == 403
    finally:
        school.clock.at = at
