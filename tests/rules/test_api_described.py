"""What the description of the API promises of every route: keys for changes, problems for refusals, pages for lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from jsonschema_rs import Draft202012Validator

from astrack.api import PREFIX, describe
from astrack.api.examples import EXAMPLES, name_of

NO_KEY = {
    "/sign-in": "a code is used up by itself",
    "/sign-in/password": "signs in; nothing is written to a record",
    "/sign-out": "ends a session, once or twice alike",
    "/me/second-factor/prove": "a code is used up by itself",
    "/me/second-factor/passkey/ask": "a challenge is used up by itself",
    "/me/second-factor/passkey/prove": "a challenge is used up by itself",
    "/me/second-factor/totp": "shows a secret once; the next one replaces it",
    "/me/second-factor/totp/confirm": "a code is used up by itself",
    "/me/second-factor/passkey": "a challenge is used up by itself",
    "/me/second-factor/passkey/add": "a challenge is used up by itself",
    "/me/second-factor/recovery-codes": "shown this once; the next ones replace them",
    "/me/password": "sets what is kept hashed; twice is once",
    "/pupils/search": "a question, in a body so that no name stands in an address",
    "/roster/plan": "a dry run",
}
"""Posts without an Idempotency-Key, and why each can be repeated all the same."""
SHORT = {
    "/pupils/lists/{name}": "the lists a tutor begins with",
    "/pupils/lists/new": "the list a tutor begins with, as short as the load",
    "/rounds": "three a year",
    "/rounds/{round_id}/absentees": "those of one round, capped",
    "/pupils/{pupil_id}/looks": "the newest",
    "/training/people": "the staff of one school, capped",
}
"""Lists without a cursor, and why they end."""
MATCHED = ("/pupils/{pupil_id}/identity", "/pupils/{pupil_id}/groups", "/pupils/{pupil_id}/leave",
           "/pupils/{pupil_id}/return", "/pupils/{pupil_id}/sittings", "/pupils/{pupil_id}/flags/{flag_id}/review",
           "/pupils/{pupil_id}/looked-at", "/pupils/{pupil_id}/outcomes", "/pupils/{pupil_id}/corrections",
           "/pupils/{pupil_id}/plans", "/pupils/{pupil_id}/plans/{plan_id}/monitor",
           "/pupils/{pupil_id}/plans/{plan_id}/review", "/pupils/{pupil_id}/plans/{plan_id}/close")  # fmt: skip
"""Changes to a journey or an identity, which take the ETag they were decided on."""


class Operation(NamedTuple):
    method: str
    path: str
    told: dict[str, Any]

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.told.get("parameters", [])}


def operations() -> Iterator[Operation]:
    for path, methods in describe()["paths"].items():
        for method, told in methods.items():
            yield Operation(method, path.removeprefix(PREFIX), told)


EVERY = list(operations())
each = pytest.mark.parametrize("one", EVERY, ids=lambda one: f"{one.method} {one.path}")


def test_the_description_is_openapi_3_1_of_more_than_a_hundred_routes() -> None:
    assert describe()["openapi"].startswith("3.1") and len(EVERY) > 100


@each
def test_a_refusal_is_a_problem(one: Operation) -> None:
    for status in ("4XX", "5XX"):
        assert one.told["responses"][status]["content"].keys() == {"application/problem+json"}


@each
def test_a_change_takes_a_key(one: Operation) -> None:
    if one.method == "get":
        assert "Idempotency-Key" not in one.parameters
    elif one.path in NO_KEY:
        assert "Idempotency-Key" not in one.parameters, "it has a key now: take it off the list"
    else:
        assert one.parameters["Idempotency-Key"]["required"]


@each
def test_a_list_has_pages_or_ends(one: Operation) -> None:
    if "limit" not in one.parameters:
        return
    limit = one.parameters["limit"]["schema"]
    assert limit["minimum"] == 1 and limit["maximum"] <= 1000
    assert ("cursor" in one.parameters) != (one.path in SHORT)


@each
def test_a_route_says_what_it_is_for(one: Operation) -> None:
    assert len(one.told.get("description", "")) > 10


def test_what_is_decided_on_a_record_takes_its_etag() -> None:
    assert {one.path for one in EVERY if "If-Match" in one.parameters} == set(MATCHED)


def test_exceptions_name_routes_there_are() -> None:
    assert (NO_KEY.keys() | SHORT.keys()) <= {one.path for one in EVERY}


BODIES = [one for one in EVERY if "application/json" in one.told.get("requestBody", {}).get("content", {})]


@pytest.mark.parametrize("one", BODIES, ids=lambda one: f"{one.method} {one.path}")
def test_a_body_has_an_example_of_its_own_schema(one: Operation) -> None:
    body = one.told["requestBody"]["content"]["application/json"]
    schema = {**body["schema"], "components": describe()["components"]}
    Draft202012Validator(schema, validate_formats=True).validate(body["example"])


def test_an_example_is_of_a_body_there_is() -> None:
    named = {name_of(one.told["requestBody"]["content"]["application/json"]["schema"]) for one in BODIES}
    assert named == EXAMPLES.keys() and len(BODIES) > 70
