"""Rights over a record, end to end: who may ask, the clock, what is kept back, the copy, restriction, holds, erasing."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from astrack.access.looks import Looks
from astrack.changing import Ask
from astrack.settings import Settings
from astrack.store import StreamHeld
from astrack.store.embedded import Embedded
from astrack.store.store import looks_log
from domain.base import Actor
from domain.rights.retention import PupilErased
from domain.school import StreamErased
from transfer.age import read_agekey, unseal_bytes

DAY = "2026-11-02"
WHY = "because somebody asked for it"


def post(world: Any, role: str, path: str, body: Any, expect: int = 200) -> Any:
    answer = world.as_(role).post("/api/v1" + path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == expect, answer.text
    return answer.json()


def asked(world: Any, kind: str = "access", role: str = "pupil") -> str:
    request_id = str(uuid4())
    body = {"request_id": request_id, "kind": kind, "asked_by": "pupil", "on": DAY}
    post(world, role, f"/pupils/{world.pupil}/data-requests", body)
    return request_id


def judged_competent(world: Any, competent: bool = True) -> None:
    post(world, "dsl", f"/pupils/{world.pupil}/competence", {"competent": competent, "on": DAY, "why": WHY})


def handed_off(world: Any) -> None:
    body = {"hand_off_id": str(uuid4()), "on": DAY, "reference": "CP-2026-17"}
    post(world, "tutor", f"/pupils/{world.pupil}/hand-offs", body)


def glass_broken(world: Any) -> None:
    body = {"glass_id": str(uuid4()), "reason": "To make the copy that was asked for"}
    post(world, "dpo", f"/pupils/{world.pupil}/glass", body)


def opened(made: Any) -> list[dict[str, Any]]:
    sealed = base64.b64decode(made["sealed"])
    inside = zipfile.ZipFile(io.BytesIO(unseal_bytes(sealed, [read_agekey(made["key"])])))
    assert set(inside.namelist()) == {"read-me.txt", "record.html", "record.json"}
    return list(json.loads(inside.read("record.json")))


def test_a_pupil_asks_and_gets_everything_but_what_a_second_person_kept_back(school: Any) -> None:
    handed_off(school)
    request = asked(school)
    path = f"/data-requests/{request}"
    assert post(school, "dpo", path + "/copy", {}, 403)["type"].endswith("not-allowed"), "a copy can be opened and read"
    glass_broken(school)
    assert post(school, "dpo", path + "/copy", {}, 409)["type"].endswith("competence-undecided")
    judged_competent(school)
    assert post(school, "dpo", path + "/copy", {}, 409)["type"].endswith("withholding-unreviewed")
    waiting = post(school, "dpo", path + "/withhold-by-default", None)["items"]
    assert any(one.startswith("fact:") for one in waiting)
    for item in waiting:
        assert post(school, "dpo", path + "/review", {"item": item, "upheld": True}, 403)
        post(school, "dsl", path + "/review", {"item": item, "upheld": True})
    items = opened(post(school, "dpo", path + "/copy", {}))
    assert {one["group"] for one in items} >= {"story", "identity", "requests", "looks", "worked out"}
    assert "CP-2026-17" not in json.dumps(items)
    assert not {one["item"] for one in items} & set(waiting)
    looks = school.as_("auditor").get(f"/api/v1/pupils/{school.pupil}/looks").json()
    assert ("see_all_held", "glass_broken") in [(one["action"], one["purpose"]) for one in looks]
    post(school, "dpo", path + "/answer", {"on": DAY, "outcome": "partly_granted", "why": WHY})
    mine = school.as_("pupil").get(f"/api/v1/pupils/{school.pupil}/data-requests").json()
    assert [(one["state"], one["outcome"]) for one in mine] == [("answered", "partly_granted")]


def test_what_a_second_person_would_not_keep_back_is_given(school: Any) -> None:
    handed_off(school)
    judged_competent(school)
    glass_broken(school)
    path = f"/data-requests/{asked(school)}"
    for item in post(school, "dpo", path + "/withhold-by-default", None)["items"]:
        post(school, "dsl", path + "/review", {"item": item, "upheld": False})
    assert "CP-2026-17" in json.dumps(opened(post(school, "dpo", path + "/copy", {})))


def test_access_is_not_granted_by_words_alone(school: Any) -> None:
    body = {"on": DAY, "outcome": "granted"}
    assert post(school, "dpo", f"/data-requests/{asked(school)}/answer", body, 409)["type"].endswith("file-not-made")


def test_a_relation_no_order_and_no_competent_pupil_are_what_a_parent_needs(school: Any) -> None:
    relation, pupil = str(uuid4()), f"/pupils/{school.pupil}"
    body = {"request_id": str(uuid4()), "kind": "access", "asked_by": "parent", "on": DAY, "relation_id": relation}
    assert post(school, "dpo", pupil + "/data-requests", body, 403)["type"].endswith("asker-may-not")
    stated = {"relation_id": relation, "name": "Una", "kind": "natural_parent", "from_on": "2016-12-05"}
    post(school, "administrator", pupil + "/relations", stated)
    assert post(school, "dpo", pupil + "/data-requests", body, 403), "nobody has seen a proof yet"
    post(school, "administrator", pupil + "/relations", {**stated, "verified_on": DAY, "proof": "birth certificate"})
    post(school, "dpo", pupil + "/data-requests", body)
    order = {"order_id": str(uuid4()), "kind": "no_contact", "limits": "information", "from_on": DAY,
             "relation_id": relation, "reference": "FC-1"}  # fmt: skip
    post(school, "dsl", pupil + "/orders", order)
    judged_competent(school, competent=False)
    refused = post(school, "dsl", f"/data-requests/{body['request_id']}/copy", {}, 403)
    assert "court order" in refused["detail"]
    assert [one["stands"] for one in school.as_("dsl").get(f"/api/v1{pupil}/family").json()["relations"]] == [False]


def test_the_list_shows_what_is_due_and_stops_counting_while_the_clock_stands(school: Any) -> None:
    request = asked(school)
    line = school.as_("dpo").get("/api/v1/data-requests").json()["items"][-1]
    assert (line["request_id"], line["due_on"]) == (request, "2026-12-02")
    post(school, "dpo", f"/data-requests/{request}/stop", {"on": DAY, "why": "identity"})
    assert school.as_("dpo").get("/api/v1/data-requests").json()["items"][-1]["due_on"] is None


def in_need(world: Any, role: str) -> list[str]:
    return [one["pupil_id"] for one in world.as_(role).get("/api/v1/pupils/by-need").json()["items"]]


def test_a_restricted_record_is_kept_and_not_used(school: Any, answers: Any) -> None:
    pupil = f"/pupils/{school.pupil}"
    sitting = {"sitting_id": str(uuid4()), "on": DAY, "answers": dict.fromkeys(answers(), 1)}
    post(school, "pupil", pupil + "/sittings", sitting)
    assert in_need(school, "tutor") == [str(school.pupil)]
    post(school, "dpo", pupil + "/restriction", {"ground": "accuracy", "on": DAY})
    assert school.as_("tutor").get(f"/api/v1{pupil}").status_code == 403
    assert school.as_("dsl").get(f"/api/v1{pupil}").status_code == 200
    assert in_need(school, "tutor") == in_need(school, "lead_practitioner") == []
    assert in_need(school, "dsl") == [str(school.pupil)]
    post(school, "dpo", pupil + "/restriction/lift", {"on": DAY, "told_on": DAY})
    assert school.as_("tutor").get(f"/api/v1{pupil}").status_code == 200


def test_nothing_is_erased_by_one_person_nor_under_a_hold_and_then_everything_goes(school: Any) -> None:
    handed_off(school)
    asked(school, "rectification")
    pupil, hold = f"/pupils/{school.pupil}", str(uuid4())
    streams = school.records.streams_about(school.pupil)
    assert len(streams) == 4, "the request has a stream of its own"
    post(school, "dsl", pupil + "/holds", {"hold_id": hold, "why": WHY})
    with pytest.raises(StreamHeld):
        school.records.log.erase_stream(streams[-1], erasure(school))
    assert post(school, "dsl", pupil + "/erase", {}, 409)["type"].endswith("record-on-hold")
    post(school, "dpo", pupil + f"/holds/{hold}/release", {"why": WHY})
    assert post(school, "dsl", pupil + "/erase", {}, 409)["type"].endswith("not-reviewed")
    post(school, "dpo", pupil + "/retention/review", {"decision": "erase", "why": WHY})
    assert post(school, "dpo", pupil + "/erase", {}, 403)["type"].endswith("own-erasure")
    key = {"Idempotency-Key": "erase"}
    done = school.as_("dsl").post(f"/api/v1{pupil}/erase", json={}, headers=key).json()
    assert (done["streams"], done["left"]) == (4, {})
    assert school.as_("dsl").get(f"/api/v1{pupil}/identity").status_code == 404
    assert school.records.log.pupil(school.pupil) is None
    said = [fact.event for fact in school.records.log.load(school.school_id).facts]
    assert [one.decided_by for one in said if isinstance(one, PupilErased)] == [school.staff["dpo"]]
    assert school.as_("dsl").get("/api/v1/data-requests").json()["items"] == []


def tables_that_tell(world: Any, settings: Settings, *words: str) -> set[str]:
    """The tables that hold one of these words in the clear, of this school and of its log of looks."""
    there = "SELECT table_schema || '.' || table_name FROM information_schema.columns WHERE column_name = 'school_id'"
    logs = [world.school_id, looks_log(world.school_id)]
    with psycopg.connect(Embedded(settings.home).conninfo("postgres", settings.database)) as conn:
        return {
            table
            for (table,) in conn.execute(there).fetchall()
            if conn.execute(f"SELECT 1 FROM {table} t WHERE school_id = ANY (%s) AND t::text ~* %s LIMIT 1".encode(),
                            (logs, "|".join(words))).fetchone()
        }  # fmt: skip


def lists_that_tell(world: Any, *words: str) -> set[tuple[str, str]]:
    """Who is told of one of these words by a list, a search or a read model as it once was."""
    lists = [path for path in world.site.openapi()["paths"] if "{" not in path]
    found = set()
    for role in ("tutor", "dsl", "dpo", "head", "auditor", "administrator"):
        answers = {path: world.as_(role).get(path) for path in lists}
        answers["search"] = world.as_(role).post("/api/v1/pupils/search", json={"name": words[0], "on_roll": False})
        found |= {(role, path) for path, one in answers.items() if re.search("|".join(words), one.text, re.IGNORECASE)}
    return found


def test_after_an_erasure_no_table_no_list_and_no_search_tells_of_the_pupil(
    school: Any, answers: Any, settings: Settings
) -> None:
    handed_off(school)
    sitting = {"sitting_id": str(uuid4()), "on": DAY, "answers": answers()}
    post(school, "pupil", f"/pupils/{school.pupil}/sittings", sitting)
    ids = (str(school.pupil), *map(str, school.records.streams_about(school.pupil)))
    before = lists_that_tell(school, "Xylophone"), tables_that_tell(school, settings, "Xylophone", *ids)
    assert ("dsl", "search") in before[0] and {"views.pupils_v2", "record.streams", "record.sessions"} <= before[1]
    post(school, "dpo", f"/pupils/{school.pupil}/retention/review", {"decision": "erase", "why": WHY})
    school.records.erase_pupil(Ask(Actor(id=school.staff["dsl"], role="dsl"), "erase"), school.pupil)
    assert lists_that_tell(school, "Xylophone") == tables_that_tell(school, settings, "Xylophone", *ids[:1]) == set()
    # that somebody looked, and at which record, is kept; entries without contents keep their stream's random id
    assert {path for _, path in lists_that_tell(school, *ids)} == {"/api/v1/access-log"}
    assert tables_that_tell(school, settings, *ids) == {"record.events", "keys.erasures"}


def erasure(world: Any) -> StreamErased:
    return StreamErased(event_id=uuid4(), recorded_at=world.clock(), by=Actor(id=uuid4(), role="dsl"), why="test")


def test_an_erasure_that_was_broken_off_is_finished_by_repeating_it(school: Any, monkeypatch: Any) -> None:
    post(school, "dpo", f"/pupils/{school.pupil}/retention/review", {"decision": "erase", "why": WHY})
    ask = Ask(Actor(id=school.staff["dsl"], role="dsl"), "twice")
    real, calls = school.records.log.erase_stream, []

    def breaking(stream: Any, reason: Any) -> Any:
        calls.append(stream)
        if len(calls) == 2:
            raise ConnectionError
        return real(stream, reason)

    monkeypatch.setattr(school.records.log, "erase_stream", breaking)
    with pytest.raises(ConnectionError):
        school.records.erase_pupil(ask, school.pupil)
    assert school.records.erase_pupil(ask, school.pupil)["left"] == {}
    assert school.records.log.pupil(school.pupil) is None


def test_records_whose_time_is_up_are_listed_and_kept_ones_are_not(school: Any) -> None:
    officer = school.as_("dpo")
    day = date(2016 + 25, 12, 5)
    due = officer.get(f"/api/v1/retention/due?on={day}").json()["items"]
    assert {one["pupil_id"] for one in due} == {str(school.pupil), str(school.far), str(school.left)}
    post(school, "dpo", f"/pupils/{school.far}/retention", {"retention_class": "sen"})
    post(school, "dpo", f"/pupils/{school.left}/retention/review",
         {"decision": "keep", "until_on": "2060-01-01", "why": WHY})  # fmt: skip
    due = officer.get(f"/api/v1/retention/due?on={day}").json()["items"]
    assert [one["pupil_id"] for one in due] == [str(school.pupil)]
    early = officer.get(f"/api/v1/retention/due?on={day - timedelta(days=1)}").json()["items"]
    assert early == []


def test_the_annex_names_every_kind_of_entry_and_every_role(school: Any) -> None:
    from astrack.rights.register import facts_described

    text = school.as_("head").get("/api/v1/data-protection/annex").text
    for topic, fields in facts_described().items():
        assert f"`{topic}`" in text
        assert all(name in text for name in fields)
    assert "lead practitioner" in text


def test_a_question_about_one_pupil_finds_old_looks_however_many_came_since(school: Any, site: Any) -> None:
    looks: Looks = site.state.looks
    school.as_("dsl").get(f"/api/v1/pupils/{school.far}")
    for _ in range(30):
        school.as_("dsl").get(f"/api/v1/pupils/{school.pupil}")
    found = looks.of_pupil(school.school_id, school.far, 10, for_pupil=False)
    assert [one.role for one in found] == ["dsl"]
    assert looks.of_pupil(school.school_id, school.far, 10, for_pupil=True) == []
