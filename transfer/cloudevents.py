"""The story as CloudEvents 1.0, one JSON object a line: the open form, for software that knows nothing of ours.

It says what events.jsonl says, without envelopes and proofs; whoever reads a file checks that it says the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import rfc8785

from transfer import canonical
from transfer.errors import BadFile
from transfer.evidence import chain
from transfer.story import Line

MEMBER = "cloudevents.jsonl"
SPECVERSION, CONTENT = "1.0", "application/json"


def dump(origin: str, lines: Iterable[Line]) -> bytes:
    """Every fact of a story that is not withheld, in its order, each line RFC 8785; ``origin`` is the sender's log.

    Attributes as CloudEvents 1.0, section 3, has them: ``id``, ``source`` (the log that first recorded the fact, as a
    network-path reference), ``specversion`` and ``type`` are required there; ``actorid`` and ``actorrole`` are
    extensions. Raises BadFile.
    """
    return b"".join(canonical.dump(one) + b"\n" for one in _events(origin, lines))


def check(data: bytes, origin: str, lines: Iterable[Line]) -> None:
    """That a member says what the story says. Raises BadFile."""
    if data != dump(origin, lines):
        raise BadFile("it does not say what events.jsonl says", MEMBER)


def _events(origin: str, lines: Iterable[Line]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.payload is None:
            continue
        recorded, payload = chain.innermost(line.payload)
        try:
            made = _event(recorded or origin, json.loads(payload))
            canonical.dump(made)
        except (ValueError, KeyError, TypeError, RecursionError, rfc8785.CanonicalizationError) as error:
            raise BadFile("a fact of the story has no form as a CloudEvent", MEMBER) from error
        yield made


def _event(origin: str, fact: dict[str, Any]) -> dict[str, Any]:
    by = fact["by"]
    return {
        "specversion": SPECVERSION, "id": fact["event_id"], "source": f"//{origin}", "type": fact["topic"],
        "time": fact["recorded_at"], "datacontenttype": CONTENT, "actorid": by["id"], "actorrole": by["role"],
        "data": fact["data"],
    }  # fmt: skip
