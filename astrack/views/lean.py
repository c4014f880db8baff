"""Facts decoded fast, for rebuilds: the same events, without the fields no read model looks at."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NotRequired, get_type_hints
from uuid import UUID

import msgspec
from pydantic import BaseModel
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

from domain.base import TOPICS, UPCASTS, Actor, Event
from domain.journey.facts import AssessmentSat

Reads = Mapping[type[Event], frozenset[str]]
NO_READS: Reads = {}
HEAD: dict[str, Any] = {"event_id": UUID, "recorded_at": datetime, "by": Actor}
LEFT_OUT: Mapping[type[Event], frozenset[str]] = {AssessmentSat: frozenset({"answers", "seconds"})}
"""Fields that are not read: a read model that wanted one would find it missing, and its test would fail."""
VALUES_MAX = 10_000
ENVELOPE = b'"payload":"' + b64encode(b'{"topic":')
TOPIC_CHARS = 160


class Lean:
    """Reads the payloads of one class of event.

    Nothing is refused that was checked when it was written: the bytes are authenticated, so they are what was written.
    Raises TypeError where the class has a field that only pydantic can read.
    """

    def __init__(self, cls: type[Event], only: frozenset[str] | None) -> None:
        hints = get_type_hints(cls, include_extras=True)
        unread = {*HEAD, *LEFT_OUT.get(cls, ())}
        fields = {
            name: field
            for name, field in cls.model_fields.items()
            if name not in unread and (only is None or name in only)
        }
        asked = {name: hints[name] if one.is_required() else NotRequired[hints[name]] for name, one in fields.items()}
        data = TypedDict("Data", asked)  # type: ignore[misc]
        whole = TypedDict("Whole", {**HEAD, "data": data})  # type: ignore[misc]
        self._read = msgspec.json.Decoder(list[whole], dec_hook=_value).decode
        self._instants = [name for name in fields if "datetime.datetime" in str(hints[name])]
        self._defaults = {
            name: one.get_default(call_default_factory=True) for name, one in fields.items() if not one.is_required()
        }
        self._cls, self._names = cls, frozenset({*HEAD, *fields})
        self._long = cls is AssessmentSat

    def __call__(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events in payloads, read as one JSON list. Raises ValueError (msgspec's errors are one)."""
        if self._long:
            payloads = [without_answers(payload) for payload in payloads]
        read: list[Any] = self._read(b"[" + b",".join(payloads) + b"]")
        if len(read) != len(payloads):
            raise ValueError("one payload is not one event: that is for the full reader")
        made, cls, names, defaults, instants = [], self._cls, self._names, self._defaults, self._instants
        new = cls.__new__
        for whole in read:
            fields = {**defaults, **whole["data"]} if defaults else whole["data"]
            fields["event_id"], fields["by"] = whole["event_id"], whole["by"]
            at = fields["recorded_at"] = whole["recorded_at"]
            if at.tzinfo is not UTC or (instants and not _in_utc(fields[name] for name in instants)):
                raise ValueError("an instant that is not written in UTC is for the full reader")
            event = new(cls)
            _set_fields(event, fields)
            _set_names(event, names)
            made.append(event)
        return made


def _in_utc(values: Iterable[Any]) -> bool:
    return all(not isinstance(value, datetime) or value.tzinfo is UTC for value in values)


_set_fields: Callable[[Event, dict[str, Any]], None] = BaseModel.__dict__["__dict__"].__set__
_set_names: Callable[[Event, frozenset[str]], None] = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_values: dict[Any, Any] = {}


def _value(cls: Any, given: Any) -> Any:
    """A value inside a fact; few people and groups stand in many facts, so each is made once, and frozen."""
    try:
        place = (cls, *given.items())
        made = _values.get(place)
    except (AttributeError, TypeError):
        return _checked(cls, given)
    if made is None:
        if len(_values) >= VALUES_MAX:
            _values.clear()
        made = _values[place] = _checked(cls, given)
    return made


def _checked(cls: Any, given: Any) -> Any:
    validator = getattr(cls, "__pydantic_validator__", None)
    if validator is None:
        raise ValueError(f"a {cls} is for the full reader")
    return validator.validate_python(given)


def without_answers(payload: bytes) -> bytes:
    """The payload of a sitting without its two longest fields, so that they are not even parsed.

    A name with a brace in it may be cut in the middle. What is left then is no JSON, as a quotation mark inside a name
    is always escaped: the reader fails, and the full reader takes the whole.
    """
    start = payload.find(b',"answers":{')
    middle = payload.find(b'},"seconds":{', start)
    end = payload.find(b"}", middle + 13)
    return payload[:start] + payload[end + 1 :] if 0 < start < middle < end else payload


_LEAN: dict[tuple[str, frozenset[str] | None], Lean | None] = {}


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
    if place not in _LEAN:
        try:
            _LEAN[place] = Lean(cls, place[1])
        except TypeError:
            _LEAN[place] = None
    return _LEAN[place]


def imported_topic(payload: bytes) -> str | None:
    """The topic of the fact in an envelope, as it is written in nearly all; None when only the full reader can tell."""
    start = payload.find(ENVELOPE) + len(ENVELOPE)
    text = payload[start : start + TOPIC_CHARS].partition(b'"')[0]
    if start < len(ENVELOPE):
        return None
    parts = b64decode(text[: len(text) // 4 * 4]).split(b'"', 2)
    return parts[1].decode("utf-8", "replace") if len(parts) == 3 and parts[0] == b"" else None
