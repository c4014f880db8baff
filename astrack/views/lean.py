"""Facts decoded fast, for rebuilds: the same events, without the fields no read model looks at."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter, create_model
from pydantic_core import from_json
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

from domain.base import TOPICS, UPCASTS, Actor, Event
from domain.journey.facts import AssessmentSat
from transfer.evidence.chain import IMPORT_TOPIC, MAX_NESTING

Reads = Mapping[type[Event], frozenset[str]]
NO_READS: Reads = {}
HEAD = ("event_id", "recorded_at", "by")
LEFT_OUT: Mapping[type[Event], frozenset[str]] = {AssessmentSat: frozenset({"answers", "seconds"})}
"""Fields that are not read: a read model that wanted one would find it missing, and its test would fail."""


class Lean:
    """Reads the payloads of one class of event.

    Nothing is refused that was checked when it was written: the bytes are authenticated, so they are what was written.
    The fields are read into a class of their own, made in one go by the validator, which then takes on the event's.
    """

    def __init__(self, cls: type[Event], only: frozenset[str] | None) -> None:
        hints = get_type_hints(cls, include_extras=True)
        unread = {*HEAD, *LEFT_OUT.get(cls, ())}
        fields: dict[str, Any] = {
            name: (hints[name], ... if field.is_required() else field.default)
            for name, field in cls.model_fields.items()
            if name not in unread and (only is None or name in only)
        }
        config = ConfigDict(extra="ignore", protected_namespaces=())
        data = create_model(f"Lean{cls.__name__}", __config__=config, **fields)
        head = {"event_id": UUID, "recorded_at": str, "by": Actor}
        whole = TypedDict("Whole", {**head, "data": data})  # type: ignore[misc]
        self._read = TypeAdapter(list[whole]).validator.validate_json
        self._cls = cls
        self._long = cls is AssessmentSat

    def __call__(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events in payloads, read as one JSON list. Raises ValueError (pydantic's ValidationError is one)."""
        if self._long:
            payloads = [without_answers(payload) for payload in payloads]
        read: list[Any] = self._read(b"[" + b",".join(payloads) + b"]")
        if len(read) != len(payloads):
            raise ValueError("one payload is not one event: that is for the full reader")
        return [self._event(whole) for whole in read]

    def _event(self, whole: dict[str, Any]) -> Event:
        at = whole["recorded_at"]
        if at[-1:] != "Z":
            raise ValueError("an instant that is not written in UTC is for the full reader")
        event: Event = whole["data"]
        fields = event.__dict__
        fields["event_id"], fields["by"] = whole["event_id"], whole["by"]
        fields["recorded_at"] = datetime.fromisoformat(at)
        _set(event, "__class__", self._cls)
        return event


def without_answers(payload: bytes) -> bytes:
    """The payload of a sitting without its two longest fields, so that they are not even parsed.

    A name with a brace in it may be cut in the middle. What is left then is no JSON, as a quotation mark inside a name
    is always escaped: the reader fails, and the full reader takes the whole.
    """
    start = payload.find(b',"answers":{')
    middle = payload.find(b'},"seconds":{', start)
    end = payload.find(b"}", middle + 13)
    return payload[:start] + payload[end + 1 :] if 0 < start < middle < end else payload


_set = object.__setattr__
_LEAN: dict[tuple[str, frozenset[str] | None], Lean] = {}


def lean(topic: str, payload: bytes, reads: Reads = NO_READS) -> Event | None:
    """The event in the payload of an own fact with a topic of today; None when only the full reader can tell.

    ``reads``: the only fields wanted, for some classes.
    """
    reader = _reader(topic, reads)
    try:
        return reader([payload])[0] if reader else None
    except ValueError:
        return None


def lean_many(topic: str, payloads: Sequence[bytes], reads: Reads = NO_READS) -> Sequence[Event | None]:
    """What ``lean`` gives for each of many payloads with one topic, at half the cost."""
    reader = _reader(topic, reads)
    if reader is None:
        return [None] * len(payloads)
    try:
        return reader(payloads)
    except ValueError:
        return [lean(topic, payload, reads) for payload in payloads]


def _reader(topic: str, reads: Reads) -> Lean | None:
    cls = TOPICS.get(topic)
    if cls is None or topic in UPCASTS or cls.KIND == "import":
        return None
    place = (topic, reads.get(cls))
    reader = _LEAN.get(place)
    if reader is None:
        reader = _LEAN[place] = Lean(cls, place[1])
    return reader


def unwrapped(payload: bytes) -> tuple[str, str, bytes] | None:
    """(origin, topic, payload) of an imported fact's innermost envelope; None when only the full reader can tell.

    The envelopes were verified when the record was taken in.
    """
    origin = ""
    for _ in range(MAX_NESTING + 1):
        try:
            raw = from_json(payload)
            if raw["topic"] != IMPORT_TOPIC:
                return origin, raw["topic"], payload
            origin, payload = raw["data"]["origin"], b64decode(raw["data"]["payload"], validate=True)
        except (ValueError, TypeError, KeyError):
            return None
    return None
