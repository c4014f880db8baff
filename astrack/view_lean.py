"""Facts decoded fast, for rebuilds: the same events, without the fields no read model looks at."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import PydanticUndefined, from_json
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

from domain.base import TOPICS, UPCASTS, Actor, Event
from domain.journey.facts import AssessmentSat
from transfer.chain import IMPORT_TOPIC, MAX_NESTING

HEAD = ("event_id", "recorded_at", "by")
LEFT_OUT: Mapping[type[Event], frozenset[str]] = {AssessmentSat: frozenset({"answers", "seconds"})}
"""Fields that are not read: a read model that wanted one would find it missing, and its test would fail."""


class Lean:
    """Reads the payloads of one class of event.

    Nothing is checked that was checked when it was written: the bytes are authenticated, so they are what was written.
    """

    def __init__(self, cls: type[Event]) -> None:
        hints = get_type_hints(cls, include_extras=True)
        unread = {*HEAD, *LEFT_OUT.get(cls, ())}
        fields = {name: NotRequired[hints[name]] for name in cls.model_fields if name not in unread}
        data = TypedDict("Data", fields)  # type: ignore[misc]
        head = {"event_id": UUID, "recorded_at": datetime, "by": Actor}
        whole = TypedDict("Whole", {**head, "data": data})  # type: ignore[misc]
        self._read = TypeAdapter(whole).validator.validate_json
        self._cls = cls
        self._defaults = {name: field.default for name, field in cls.model_fields.items()
                          if name not in unread and field.default is not PydanticUndefined}  # fmt: skip

    def __call__(self, payload: bytes) -> Event:
        """The event in payload bytes. Raises ValueError (pydantic's ValidationError is one)."""
        whole: Any = self._read(payload)
        if whole["recorded_at"].utcoffset():
            raise ValueError("an instant that is not in UTC is for the full reader")
        fields = {**self._defaults, **whole.pop("data"), **whole}
        # what model_construct does, without its loop over every field
        event = _new(self._cls)
        _set(event, "__dict__", fields)
        _set(event, "__pydantic_fields_set__", set(fields))
        _set(event, "__pydantic_extra__", None)
        _set(event, "__pydantic_private__", None)
        return event


_new, _set = object.__new__, object.__setattr__
_LEAN: dict[str, Lean] = {}


def lean(topic: str, payload: bytes) -> Event | None:
    """The event in the payload of an own fact with a topic of today; None when only the full reader can tell."""
    reader = _LEAN.get(topic)
    if reader is None:
        cls = TOPICS.get(topic)
        if cls is None or topic in UPCASTS or cls.KIND == "import":
            return None
        reader = _LEAN[topic] = Lean(cls)
    try:
        return reader(payload)
    except ValueError:
        return None


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
