"""The open form of a story: CloudEvents 1.0 that say what events.jsonl says, and nothing that is withheld."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from transfer import age, canonical, cloudevents, package
from transfer.errors import BadFile
from transfer.keys.trust import Trust
from transfer.story import Line

FILES = Path(__file__).parents[2] / "transfer" / "reader" / "conformance"
NAME = re.compile(r"[a-z0-9]{1,20}")


@pytest.fixture(scope="module")
def good() -> package.Package:
    key = age.read_agekey((FILES / "student.agekey").read_text())
    return package.read(package.open_sealed(io.BytesIO((FILES / "good.tar.age").read_bytes()), [key]), Trust())


def events(found: package.Package) -> list[dict[str, Any]]:
    return [json.loads(row) for row in found.members[cloudevents.MEMBER].splitlines()]


def test_each_line_has_the_required_attributes_of_cloudevents_1_0_in_their_types(good: package.Package) -> None:
    for one in events(good):
        # section 3.1: required, non-empty; source is a URI-reference, and with id names one event
        assert one["specversion"] == "1.0" and one["id"] and one["type"]
        assert urlsplit(one["source"]).netloc
        # section 3.2 and RFC 3339; section 3.1, names of attributes; values of extensions are of simple types
        assert datetime.fromisoformat(one["time"]).tzinfo is not None
        assert one["datacontenttype"] == "application/json" and isinstance(one["data"], dict)
        assert all(NAME.fullmatch(name) for name in one)
        assert all(isinstance(one[name], str) for name in one if name != "data")
    assert len({(one["source"], one["id"]) for one in events(good)}) == len(good.lines) == 8


def test_the_facts_stand_in_their_order_without_envelopes(good: package.Package) -> None:
    assert [one["source"] for one in events(good)] == ["//ash.example/log"] * 5 + ["//beech.example/log"] * 3
    assert [one["data"]["values"][0] for one in events(good) if one["type"] == "journey.assessment-sat.v1"] == [
        2.6,
        3.6,
    ]


def test_what_is_withheld_is_not_told(good: package.Package) -> None:
    hidden = [Line(line.entry, omitted="in confidence") if at == 4 else line for at, line in enumerate(good.lines)]
    told = cloudevents.dump(good.manifest.sender.origin, hidden).splitlines()
    assert [json.loads(row)["id"] for row in told] == [one["id"] for at, one in enumerate(events(good)) if at != 4]


@pytest.mark.parametrize("payload", [b"[]", b"{}", b"no JSON", b'{"by":7}', b"[" * 100_000])
def test_a_fact_without_a_form_is_refused_by_name(payload: bytes, good: package.Package) -> None:
    with pytest.raises(BadFile, match=r"cloudevents\.jsonl"):
        cloudevents.dump("ash.example/log", [Line(good.lines[0].entry, payload, bytes(32))])


def test_a_number_that_not_every_reader_holds_is_refused(good: package.Package) -> None:
    fact = canonical.dump({**dict.fromkeys(("event_id", "topic", "recorded_at"), "x"), "by": {"id": "", "role": ""}})
    payload = fact[:-1] + b',"data":{"n":9007199254740993}}'
    with pytest.raises(BadFile):
        cloudevents.dump("ash.example/log", [Line(good.lines[0].entry, payload, bytes(32))])
