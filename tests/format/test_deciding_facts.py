"""A hand-over opens only the facts that decide it: no other fact may touch what its decisions look at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.base import decode
from domain.journey.custody import DECIDING_TOPICS
from domain.journey.state import Journey, evolve

VECTORS = Path(__file__).parent / "event_vectors"
DECIDED_ON = ("enrolled", "year_group", "left_on", "custody", "transfer", "restricted")
OTHERS = sorted(path.name.removesuffix(".json") for path in VECTORS.glob("journey.*.json"))


@pytest.mark.parametrize("topic", [one for one in OTHERS if one not in DECIDING_TOPICS])
def test_a_fact_that_is_not_opened_leaves_alone_what_decides_a_hand_over(topic: str) -> None:
    fact = decode(json.loads((VECTORS / f"{topic}.json").read_text("utf-8"))["payload"].encode())
    before = Journey()
    after = evolve(before, fact)
    assert [getattr(after, name) for name in DECIDED_ON] == [getattr(before, name) for name in DECIDED_ON]
