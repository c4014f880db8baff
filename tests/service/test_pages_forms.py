"""Every form of every page, sent as nobody should: without its token, over-long, of another kind, and twice.

Each gets a page that says what happened; nothing is written by a form that was refused, and what was typed comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from astrack.settings import Settings
from astrack.store import Store
from astrack.webhooks import Webhooks
from tests.support.addresses import PAGES, filled, known_of, pattern, routes
from tests.support.pages import ORIGIN, Found, Reader, forms, served
from tests.support.small_school import SmallSchool, build

NOT_WALKED = {
    "/audit/bundle": "gives a file; what it holds is tried elsewhere",
    "/register/check": "reads what anybody pastes, and writes nothing",
    "/second-factor": "shown to who owes a code, and tried elsewhere",
    "/second-factor/app/confirm": "shown with a secret, and tried elsewhere",
    "/sit/not-today": "signs out, and is tried elsewhere",
    "/sit/stop": "signs out, and is tried elsewhere",
    "/sign-out": "signs out: the walk needs its session",
    "/me/copy": "offered from 18 on, and tried elsewhere",
    "/role": "offered to who has two roles, and tried elsewhere",
}
"""Forms that the walk does not send, and why."""
ELSEWHERE = {
    "/accreditation/awards", "/accreditation/revoke", "/audit/proof", "/glass/{staff_id}/{glass_id}", "/guidance/retire",
    "/guidance/review",
    "/plans/group", "/pupils/{pupil_id}/family/letter", "/pupils/{pupil_id}/flags/{flag_id}", "/pupils/{pupil_id}/hand-offs",
    "/rights/requests/{request_id}/copy", "/safeguarding/{pupil_id}/{hand_off_id}", "/setup/roster/apply", "/sign-in",
    "/talks/{pupil_id}/{talk_id}", "/pupils/{pupil_id}/talks/{talk_id}", "/transfers/{transfer_id}/sent",
    "/transfers/{transfer_id}/withdraw", "/transfers/{transfer_id}/late", "/transfers/{transfer_id}/late/{event_id}",
    "/transfers/{transfer_id}/safeguarding", "/family/opt-out", "/sit/answer", "/sit/begin",
    "/setup/people/{staff_id}/withdraw", "/setup/people/{staff_id}/trained", "/talk", "/setup/people/{staff_id}/factor",
    "/pupils/{pupil_id}/outcomes/{outcome_id}/take-back", "/setup/webhooks/{webhook_id}/again",
    "/setup/roster-source/end", "/setup/roster-source/read", "/transfers/keys/collect", "/transfers/keys/look",
    "/transfers/{transfer_id}/send", "/second-factor/elsewhere",
}  # fmt: skip
"""Forms that a page shows only after something else: each is sent by a test of its own page."""
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TYPED = "KeptWordsOfMine"


@dataclass(frozen=True, slots=True)
class One:
    """A form on a page, and who opened it."""

    who: str
    page: str
    found: Found


@pytest.fixture(scope="module")
def school(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=6, years=1)


@pytest.fixture(scope="module")
def pages(school: SmallSchool) -> FastAPI:
    return served(school)


@pytest.fixture(scope="module")
def known(school: SmallSchool, pages: FastAPI) -> dict[str, object]:
    small = known_of(school)
    school.records.ask_to_talk(school.ask("pupil"), school.pupils["Mia"], talk_id=school.app.new_id())
    Webhooks(school.records).add(
        school.ask("administrator"), webhook_id=school.app.new_id(), address="https://93.184.215.14/told",
        kinds=["pupil-left"],
    )  # fmt: skip
    return small


@pytest.fixture(scope="module")
def readers(pages: FastAPI, school: SmallSchool) -> dict[str, Reader]:
    return {who: Reader(pages, school, who) for who in {who for who, _ in PAGES}}


@pytest.fixture(scope="module")
def walked(readers: dict[str, Reader], known: dict[str, object]) -> dict[str, One]:
    """Every form by the pattern of its address: the first page that holds it."""
    patterns = {path: pattern(path) for path in routes("POST")}
    found: dict[str, One] = {}
    for who, path in PAGES:
        page = readers[who].get(filled(path, known))
        for form in forms(page):
            if form.method.lower() == "post":
                of = next(one for one in patterns if patterns[one].fullmatch(form.action))
                act = form.action.rpartition("/")[2] if of.endswith("{act}") else ""
                found.setdefault(of.replace("{act}", act), One(who, filled(path, known), form))
    return {key: one for key, one in found.items() if key not in NOT_WALKED}


def send(readers: dict[str, Reader], one: One, **changes: Any) -> httpx.Response:
    values = {**one.found.values, **changes}
    headers = {"Origin": ORIGIN, "Referer": ORIGIN + one.page}
    return readers[one.who].client.post(one.found.action, data=values, headers=headers)


def texts(one: One) -> Iterator[str]:
    """The fields of a form that somebody types or chooses in: not those that hold an id the page put there."""
    for name, values in one.found.values.items():
        if name not in ("", "token", "key") and not ID.fullmatch(values[-1]):
            yield name


def test_the_walk_meets_every_form(walked: dict[str, One]) -> None:
    acts = {key.rpartition("/")[0] + "/{act}" for key in walked}
    left = {path for path in routes("POST") if path not in walked and path not in acts and path not in NOT_WALKED}
    assert len(walked) > 35, sorted(walked)
    assert left <= ELSEWHERE, f"a form no page shows: {sorted(left - ELSEWHERE)}; walked: {sorted(walked)}"


def test_a_form_without_its_token_is_refused_and_nothing_is_written(
    readers: dict[str, Reader], walked: dict[str, One], school: SmallSchool
) -> None:
    for key, one in walked.items():
        size = school.records.log.size()
        first = next(texts(one), None)
        answer = send(readers, one, token="0123456789abcdef." + "0" * 64, **({first: TYPED} if first else {}))
        assert answer.status_code == 422 and "earlier visit" in answer.text, key
        assert first in (None, "code", "password") or TYPED in answer.text, f"{key}: what was typed is lost"
        assert school.records.log.size() == size, key


def test_a_form_from_another_website_is_refused(readers: dict[str, Reader], walked: dict[str, One]) -> None:
    for key, one in walked.items():
        answer = readers[one.who].client.post(
            one.found.action, data=one.found.values, headers={"Origin": "https://evil.test"}
        )
        assert answer.status_code == 403, key


@pytest.mark.parametrize("hostile", ["x" * 20_000, "<script>alert(1)</script>" + "é" * 300, "\u202e\x00-1"])
def test_over_long_and_wrong_values_get_a_page_and_write_nothing_odd(
    readers: dict[str, Reader], walked: dict[str, One], hostile: str
) -> None:
    for key, one in walked.items():
        for name in texts(one):
            answer = send(readers, one, key=str(uuid4()), **{name: hostile})
            assert answer.status_code < 500 and "Traceback" not in answer.text, f"{key}: {name}: {answer.status_code}"
            assert "<script>alert" not in answer.text, f"{key}: {name} comes back as markup"


def test_a_form_sent_twice_is_carried_out_once(
    readers: dict[str, Reader], walked: dict[str, One], school: SmallSchool
) -> None:
    for key, one in walked.items():
        first = send(readers, one)
        size = school.records.log.size()
        second = send(readers, one)
        assert first.status_code < 500 and second.status_code < 500, key
        assert school.records.log.size() == size, f"{key}: the second one was written too"
