"""The whole API, fed with what its own description allows and with what it does not, as every role in turn.

No answer is a server error, every answer is as described, and none shows another school's data.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from astrack.api import describe
from astrack.changing import Ask
from domain.base import Actor
from domain.identity import Person

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
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
          response_schema_conformance]  # fmt: skip
MARK = "Neighbourson"
# ending one's own session would end the run; what is left of it is tried elsewhere
SPARED = {("POST", "/api/v1/sign-out")}
# JSON Schema cannot say that a day lies between 1990 and 2100
schemathesis.openapi.format("date", st.dates(date(1990, 1, 1), date(2100, 12, 31)).map(date.isoformat))
SCHEMA = schemathesis.openapi.from_dict(describe())


def operations() -> list[Any]:
    found = [result.ok() for result in SCHEMA.get_all_operations()]
    return [one for one in found if (one.method.upper(), one.path) not in SPARED]


@pytest.fixture(scope="module")
def marked(neighbour: Any) -> Any:
    """Another school, with a pupil whose name nobody here may ever see."""
    office = Actor(id=uuid4(), role="administrator")
    person = Person(surname=MARK, forename="Zo", date_of_birth=date(2016, 12, 5))
    neighbour.records.admit(Ask(office, "marked"), person, on=date(2026, 9, 2), year_group=5)
    return neighbour


def fed(world: Any, other: Any, operation: Any, mode: Any, examples: int, groups: int) -> None:
    """Send ``examples`` generated requests to one operation, each as one of ``groups`` groups of the roles in turn."""
    pupils = [world.pupil, world.pupil, world.far, world.left, other.pupil, uuid4()]
    theirs = [str(other.pupil), *map(str, other.staff.values())]
    waiting = [ROLES[group::groups] for group in range(groups)]

    def ask(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="https://astrack.test")
        sent.pop("cookies", None)
        # who asks is the browser's to say; the client takes a header beyond ASCII as bytes only
        sent["headers"] = {
            name: value.encode("latin-1")
            for name, value in (sent.get("headers") or {}).items()
            if name.lower() not in ("authorization", "cookie")
        }
        for role in waiting[0]:
            answer = world.as_(role).request(**sent)
            case.validate_response(answer, checks=CHECKS)
            assert MARK not in answer.text
            assert not [one for one in theirs if one in answer.text and one not in str(sent)]
        waiting.append(waiting.pop(0))

    @given(case=operation.as_strategy(generation_mode=mode), pupil=st.sampled_from(pupils), real=st.booleans())
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def check(case: Any, pupil: Any, real: bool) -> None:
        if real and "pupil_id" in (case.path_parameters or {}):
            case.path_parameters["pupil_id"] = str(pupil)
        cases.append(case)
        ask(case)

    cases: list[Any] = []
    check()
    # an operation without parameters is tried once only: the other roles ask the same
    for _ in range(groups - len(cases)):
        ask(cases[-1])


def feed(world: Any, other: Any, mode: Any, examples: int, groups: int = 1) -> int:
    tried = 0
    for operation in operations():
        try:
            fed(world, other, operation, mode, examples, groups)
            tried += 1
        except Unsatisfiable:
            # an operation without parameters or body cannot be called wrongly
            assert mode is schemathesis.GenerationMode.NEGATIVE
            assert "{" not in operation.path
    return tried


MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]


@pytest.mark.parametrize("mode", MODES)
def test_no_role_meets_a_server_error_or_an_undescribed_answer(shared_school: Any, marked: Any, mode: Any) -> None:
    assert feed(shared_school, marked, mode, 2, groups=2) > 60


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_no_role_does_so_in_a_long_run_either(shared_school: Any, marked: Any, mode: Any) -> None:
    assert feed(shared_school, marked, mode, 110, groups=len(ROLES)) > 60
