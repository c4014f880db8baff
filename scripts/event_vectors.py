"""Write a vector for every event topic that has none yet; one that is there is never written again.

A vector is a payload as it was written by the build that made the topic: every later build must read it.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

import domain
from domain.base import TOPICS, Actor, Event, encode
from domain.journey.facts import PupilLeft
from transfer.evidence import chain

FOLDER = Path(__file__).parents[1] / "tests/format/event_vectors"
ID = "0192f3a4-5b6c-7d8e-9f00-112233445566"
WORDS: dict[str, Any] = {
    "uuid": ID,
    "date": "2026-09-14",
    "date-time": "2026-09-14T08:30:00.000000Z",
    "time": "08:30:00",
}
SPECIAL: dict[str, Any] = {
    "digest": "ab" * 32, "number": "A123456789012", "urn": "900101", "upn": "B801200005001", "role": "head",
    "school_year": "2026/27", "academic_year": "2026/27", "origin": "school.example/log", "item": "fact:1",
}  # fmt: skip


def example(schema: dict[str, Any], definitions: dict[str, Any], name: str = "") -> Any:
    """A value that fits a JSON schema: the first choice, the shortest list, the smallest number."""
    if "$ref" in schema:
        return example(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions, name)
    for word in ("const", "default"):
        if schema.get(word) is not None:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return example(schema[word][0], definitions, name)
    if "prefixItems" in schema:
        return [example(item, definitions, name) for item in schema["prefixItems"]]
    return by_type(schema, definitions, name)


def by_type(schema: dict[str, Any], definitions: dict[str, Any], name: str) -> Any:
    """A value of a schema's plain type."""
    kind = schema.get("type")
    if kind == "object":
        made = {key: example(part, definitions, key) for key, part in schema.get("properties", {}).items()}
        extra = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
        if isinstance(extra, dict) and not made:
            made = {"a01": example(extra, definitions, name)}
        return made
    if kind == "array":
        return [example(schema.get("items", {}), definitions, name) for _ in range(max(1, schema.get("minItems", 1)))]
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    return text(schema, name)


def text(schema: dict[str, Any], name: str) -> str:
    """A text in the format, pattern or length that is asked for."""
    if "format" in schema:
        return str(WORDS[schema["format"]])
    if "{64}" in schema.get("pattern", ""):
        return "ab" * 32
    if "pattern" in schema and name not in SPECIAL:
        return "a.b1" if r"(\." in schema["pattern"] else "a1"
    if name in SPECIAL:
        return str(SPECIAL[name])
    return ("Words, as they were written." * 3)[: min(28, schema.get("maxLength", 28))]


def vector(topic: str, kind: type[Event]) -> dict[str, Any]:
    """The payload of one fact of a topic, and the data it reads as."""
    schema = kind.model_json_schema(mode="validation")
    fields = {**example(schema, schema.get("$defs", {})), **OWN.get(topic, dict)()}
    fields |= {"event_id": UUID(ID), "recorded_at": datetime(2026, 9, 14, 8, 30, tzinfo=UTC)}
    fields["by"] = Actor(id=UUID(int=7), role="head")
    payload = encode(kind(**fields)).decode()
    return {"payload": payload, "reads_as": {"topic": topic, "data": json.loads(payload)["data"]}}


def imported() -> dict[str, Any]:
    """An import envelope around a fact of another log."""
    payload = encode(PupilLeft(
        event_id=UUID(ID), recorded_at=datetime(2025, 7, 1, tzinfo=UTC), by=Actor(id=UUID(int=8), role="head"),
        happened_on=date(2025, 7, 1),
    ))  # fmt: skip
    line = chain.entry("event", UUID(ID).bytes, 0, chain.ZERO, chain.commitment(b"s" * 32, payload))
    return {"origin": "school.example/log", "index": 41, "entry": chain.b64(line), "salt": chain.b64(b"s" * 32),
            "payload": chain.b64(payload)}  # fmt: skip


OWN: dict[str, Callable[[], dict[str, Any]]] = {
    "journey.fact-corrected.v1": lambda: {"changes": {"happened_on": "2026-09-15"}},
    "transfer.fact-imported.v1": imported,
}


def main() -> None:
    """Write what is missing; say what could not be made."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    for topic, kind in sorted(TOPICS.items()):
        path = FOLDER / f"{topic}.json"
        if not path.exists():
            made = json.dumps(vector(topic, kind), ensure_ascii=False, indent=1, sort_keys=True)
            path.write_text(made + "\n", "utf-8")
            print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
