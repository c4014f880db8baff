"""Payloads as they were written by the builds that made their topics: every build reads them, for ever."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import domain
from domain.base import TOPICS, UPCASTS, Opaque, decode, encode

FOLDER = Path(__file__).parent / "event_vectors"
VECTORS = sorted(path.name.removesuffix(".json") for path in FOLDER.glob("*.json"))

for module in pkgutil.walk_packages(domain.__path__, "domain."):
    importlib.import_module(module.name)


def vector(topic: str) -> Any:
    return json.loads((FOLDER / f"{topic}.json").read_text("utf-8"))


def within(less: Any, more: Any) -> bool:
    """Whether everything that ``less`` says is in ``more``: a later build may say more, never less."""
    if isinstance(less, dict):
        return isinstance(more, dict) and all(key in more and within(value, more[key]) for key, value in less.items())
    if isinstance(less, list):
        if all(isinstance(item, str) for item in less):
            return isinstance(more, list) and sorted(less) == sorted(more)  # a set has no order
        return isinstance(more, list) and len(less) == len(more) and all(map(within, less, more))
    return bool(less == more)


@pytest.mark.parametrize("topic", VECTORS)
def test_a_payload_of_any_age_is_read(topic: str) -> None:
    given = vector(topic)
    payload = given["payload"].encode()
    event = decode(payload)
    assert not isinstance(event, Opaque), f"{topic} is no longer known: keep its class or upcast it"
    raw, now = json.loads(payload), json.loads(encode(event))
    assert raw["topic"] == topic
    assert {name: now[name] for name in ("event_id", "recorded_at", "by")} == {
        name: raw[name] for name in ("event_id", "recorded_at", "by")
    }
    assert now["topic"] == given["reads_as"]["topic"]
    assert within(given["reads_as"]["data"], now["data"])


def test_every_topic_has_a_vector() -> None:
    ours = {topic for topic, kind in TOPICS.items() if kind.__module__.startswith("domain.")}
    missing = sorted((ours | set(UPCASTS)) - set(VECTORS))
    assert missing == [], "run `python scripts/event_vectors.py` and commit what it writes"


def test_every_vector_is_of_a_topic_this_build_knows() -> None:
    assert sorted(set(VECTORS) - set(TOPICS) - set(UPCASTS)) == []


def test_old_topics_are_upcast_by_a_chain_of_pure_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = "journey.pupil-left.v1"
    monkeypatch.setitem(UPCASTS, "journey.pupil-left.v-1", ("journey.pupil-left.v0", lambda data: {"on": data["day"]}))
    monkeypatch.setitem(UPCASTS, "journey.pupil-left.v0", (newest, lambda data: {"happened_on": data["on"]}))
    payload = json.loads(vector(newest)["payload"])
    payload |= {"topic": "journey.pupil-left.v-1", "data": {"day": "2026-09-14"}}
    event = decode(json.dumps(payload).encode())
    assert type(event) is TOPICS[newest] and json.loads(encode(event))["data"] == {"happened_on": "2026-09-14"}
