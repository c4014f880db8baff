"""The typed client: it is what the API's description says, and asks again only where that is safe."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from astrack.api import describe
from astrack.client import Client, Misread, OutOfReach, Problem, every, problems
from astrack.client.calling import WAIT_MAX_S
from astrack.client.pupils import NotTodayIn
from astrack.client.shared import OnDay
from astrack.client.sign_in import CodeIn
from astrack.errors import TABLE, slug_of

ROOT = Path(__file__).parents[2]
ONE = UUID(int=1)
DONE = {"pupil_id": str(ONE), "events": []}


class Served:
    """A service that answers from a list, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | type[httpx.TransportError], tries: int = 3) -> None:
        self.answers, self.asked, self.waited = list(answers), list[httpx.Request](), list[float]()
        http = httpx.Client(transport=httpx.MockTransport(self.answer), base_url="https://astrack.test")
        self.client = Client(http=http, tries=tries)
        object.__setattr__(self.client.pupils, "sleep", self.waited.append)
        object.__setattr__(self.client.sign_in, "sleep", self.waited.append)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(told, type):
            raise told("cut")
        return told


def said(status: int, slug: str = "", **headers: str) -> httpx.Response:
    body = {"type": f"/api/v1/problems/{slug}", "title": "No.", "status": status, "detail": "no, because"}
    return httpx.Response(status, json=body, headers=headers)


def test_the_client_is_what_the_description_of_the_api_says() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/client.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_the_client_stands_on_nothing_of_the_service() -> None:
    named = "import astrack.client, sys; print(*sorted({one.partition('.')[0] for one in sys.modules}), *sys.modules)"
    done = subprocess.run([sys.executable, "-c", named], cwd=ROOT, capture_output=True, text=True, timeout=60)
    loaded = done.stdout.split()
    assert "httpx" in loaded
    assert [one for one in loaded if one.startswith("astrack.") and not one.startswith("astrack.client")] == []
    assert {"domain", "projections", "transfer", "fastapi", "psycopg", "cryptography"}.isdisjoint(loaded)


def test_every_operation_can_be_asked() -> None:
    client = Client("https://astrack.test")
    for methods in describe()["paths"].values():
        for told in methods.values():
            topic = getattr(client, re.sub(r"\W", "_", told["tags"][0]))
            assert callable(getattr(topic, told["operationId"].partition("_api_v1")[0]))


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_type_of_problem_is_an_exception_of_its_own(name: str) -> None:
    served = Served(said(409, slug_of(name)))
    with pytest.raises(getattr(problems, name)) as refused:
        served.client.pupils.pupil(ONE)
    assert (refused.value.status, refused.value.detail, str(refused.value)) == (409, "no, because", "no, because")


def test_a_type_of_problem_of_a_later_version_is_a_problem_all_the_same() -> None:
    for answer in (said(418, "unheard-of"), httpx.Response(502, text="<html>"), httpx.Response(500, json=[1])):
        with pytest.raises(Problem) as refused:
            Served(answer, tries=1).client.pupils.pupil(ONE)
        assert type(refused.value) is Problem and refused.value.status == answer.status_code


def test_a_change_that_met_a_cut_line_is_sent_again_with_its_key_and_counts_once() -> None:
    served = Served(httpx.ConnectError, httpx.ReadTimeout, httpx.Response(200, json=DONE))
    assert served.client.pupils.say_not_today(ONE, NotTodayIn(round_id=ONE)).pupil_id == ONE
    keys = {one.headers["Idempotency-Key"] for one in served.asked}
    assert (len(served.asked), len(keys), served.waited) == (3, 1, [0.25, 1.0])
    assert served.asked[0].content == served.asked[2].content


def test_what_has_no_key_is_sent_once_for_nobody_knows_whether_it_was_done() -> None:
    served = Served(httpx.ReadTimeout)
    with pytest.raises(OutOfReach):
        served.client.sign_in.prove(CodeIn(code="492039"))
    assert len(served.asked) == 1


def test_a_service_that_is_busy_is_asked_again_when_it_says_and_no_more_often_than_agreed() -> None:
    served = Served(said(503, "too-busy", **{"Retry-After": "2"}))
    with pytest.raises(problems.TooBusy):
        served.client.pupils.pupil(ONE)
    assert (len(served.asked), served.waited) == (3, [2.0, 2.0])


def test_who_is_told_to_wait_long_is_told_at_once() -> None:
    served = Served(said(429, "too-many-attempts", **{"Retry-After": str(int(WAIT_MAX_S) + 1)}))
    with pytest.raises(problems.TooManyAttempts):
        served.client.pupils.pupil(ONE)
    assert (len(served.asked), served.waited) == (1, [])


def test_a_refusal_is_not_asked_for_twice() -> None:
    served = Served(said(409, "record-frozen"))
    with pytest.raises(problems.RecordFrozen):
        served.client.pupils.say_not_today(ONE, NotTodayIn(round_id=ONE))
    assert len(served.asked) == 1


def test_an_answer_of_another_shape_is_said_to_be_misread_and_quotes_nothing() -> None:
    for answer in (httpx.Response(200, json={"pupil_id": "Zebedee"}), httpx.Response(200, text="Zebedee")):
        with pytest.raises(Misread) as misread:
            Served(answer).client.pupils.pupil(ONE)
        assert "Zebedee" not in str(misread.value)


def test_a_field_of_a_later_version_is_passed_over_and_one_that_is_not_known_is_not_sent() -> None:
    served = Served(httpx.Response(200, json={**DONE, "later": 1}))
    assert served.client.pupils.say_not_today(ONE, NotTodayIn(round_id=ONE)).events == []
    with pytest.raises(ValueError, match="later"):
        NotTodayIn.model_validate({"round_id": str(ONE), "later": 1})


def test_the_version_a_record_came_with_is_sent_with_what_is_decided_on_it() -> None:
    served = Served(httpx.Response(200, json=DONE, headers={"ETag": '"7"'}))
    seen = served.client.pupils.say_not_today(ONE, NotTodayIn(round_id=ONE))
    assert seen.etag == '"7"' and "etag" not in seen.model_dump()
    served.client.pupils.leave(ONE, OnDay(on=date(2026, 11, 2)), if_match=seen.etag)
    assert served.asked[1].headers["If-Match"] == '"7"'
    assert "If-Match" not in served.asked[0].headers


def test_pages_follow_each_other_until_the_last() -> None:
    pages = [{"items": [], "next": "a"}, {"items": [], "next": None}]
    served = Served(*(httpx.Response(200, json=one) for one in pages))
    assert list(every(served.client.pupils.timeline, ONE, limit=2)) == []
    assert [str(one.url.query, "ascii") for one in served.asked] == ["limit=2", "limit=2&cursor=a"]


def test_a_part_of_an_address_cannot_lead_elsewhere() -> None:
    served = Served(said(404, "no-such-page"))
    with pytest.raises(Problem):
        served.client.audit.problem_type("../me?x=1#")
    assert served.asked[0].url.raw_path == b"/api/v1/problems/..%2Fme%3Fx%3D1%23"


def test_a_key_is_sent_as_a_bearer_token_and_a_try_has_its_time() -> None:
    with Client("https://astrack.test", "ak_1", timeout_s=3) as client:
        assert client.http.headers["Authorization"] == "Bearer ak_1"
        assert client.http.timeout.read == client.http.timeout.connect == 3
