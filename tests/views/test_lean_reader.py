"""The fast reader of rebuilds gives what the full reader gives, or leaves it to that one."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from astrack.views.lean import LEFT_OUT, imported_topic, lean, lean_many
from domain.base import TOPICS, UPCASTS, decode
from domain.journey.facts import FactImported, PlanOpened

FOLDER = Path(__file__).parents[1] / "format" / "event_vectors"
TODAY = sorted(
    path.stem for path in FOLDER.glob("*.json") if path.stem not in {*UPCASTS, FactImported.TOPIC, "guidance.added.v1"}
)


def payload_of(topic: str) -> bytes:
    text: str = json.loads((FOLDER / f"{topic}.json").read_text("utf-8"))["payload"]
    return text.encode()


@pytest.mark.parametrize("topic", TODAY)
def test_both_readers_give_the_same_event_but_for_the_fields_nobody_reads(topic: str) -> None:
    payload = payload_of(topic)
    whole, fast = decode(payload), lean(topic, payload)
    kept = {name: value for name, value in vars(whole).items() if name not in LEFT_OUT.get(type(whole), ())}
    assert (type(fast), vars(fast)) == (type(whole), kept)
    assert {name: type(value) for name, value in vars(fast).items()} == {name: type(one) for name, one in kept.items()}


def test_a_field_that_is_not_written_has_the_value_of_its_class() -> None:
    written = json.loads(payload_of(PlanOpened.TOPIC))
    for name in ("tier", "own_strategies"):
        del written["data"][name]
    payload = json.dumps(written).encode()
    fast, whole = lean(PlanOpened.TOPIC, payload), decode(payload)
    assert isinstance(fast, PlanOpened)
    assert isinstance(whole, PlanOpened)
    assert (fast.tier, fast.own_strategies) == (whole.tier, whole.own_strategies)


@pytest.mark.parametrize("bad", [b"{", b"[]", b'{"topic":"journey.plan-opened.v1"}', b"{},{}"])
def test_what_it_cannot_read_is_left_to_the_full_reader_and_costs_the_others_nothing(bad: bytes) -> None:
    good = payload_of(PlanOpened.TOPIC)
    assert lean(PlanOpened.TOPIC, bad) is None
    read = lean_many(PlanOpened.TOPIC, [good, bad, good])
    assert [type(one) for one in read] == [PlanOpened, type(None), PlanOpened]


def test_an_instant_of_another_zone_is_left_to_the_full_reader() -> None:
    payload = payload_of(PlanOpened.TOPIC).replace(b"000000Z", b"000000+01:00", 1)
    assert lean(PlanOpened.TOPIC, payload) is None


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_the_topic_inside_an_envelope_is_read_from_its_first_bytes(topic: str) -> None:
    inner = base64.b64encode(json.dumps({"topic": topic, "data": {}}, separators=(",", ":")).encode())
    assert imported_topic(b'{"data":{"salt":"","payload":"' + inner + b'"}}') == topic


@pytest.mark.parametrize("inner", [b"", b'{"data":{},"topic":"x"}', b'{"topic":7}', b'{"topic"'])
def test_an_envelope_written_otherwise_is_left_to_the_full_reader(inner: bytes) -> None:
    assert imported_topic(b'{"data":{"payload":"' + base64.b64encode(inner) + b'"}}') is None
