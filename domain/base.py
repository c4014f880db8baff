"""What every fact and every refusal shares: the Event, its bytes, its place in a log, the DomainError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, ValidationError
from pydantic_core import from_json, to_json

MAX_PAYLOAD_BYTES = 1 << 20
INSTANTS_KEPT = 256  # the facts of one command have one instant
Kind = Literal["event", "import", "export", "erasure", "heads"]
"""The kinds of log entry (shared format, section 3)."""


class StreamClass(StrEnum):
    """Which key a stream is encrypted with; the three first belong to one pupil."""

    JOURNEY = "journey"
    IDENTITY = "identity"
    SAFEGUARDING = "safeguarding"
    STAFF = "staff"
    SCHOOL = "school"


class DomainError(Exception):
    """A rule of the school's world refused this. Subclasses are named for the broken rule.

    ``str(error)`` is one sentence for people: what is wrong, where, and what to do.
    """


class UnreadableFact(DomainError):
    """The bytes of a fact are not what any version of this software has written."""


def _utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return value.astimezone(UTC)


@lru_cache(INSTANTS_KEPT)
def instant_text(value: datetime) -> str:
    """An instant as RFC 3339 text in UTC with microseconds: one text for one instant."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


Instant = Annotated[datetime, AfterValidator(_utc), PlainSerializer(instant_text, return_type=str, when_used="json")]
"""An instant with a zone, kept in UTC."""


class Value(BaseModel):
    """A frozen value inside a fact; unknown fields are refused, so that nothing is lost unseen.

    So are infinity and what is no number: JSON has neither, and a fact that held one could not be read again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Actor(Value):
    """Who did it: an opaque id (names live in the staff or identity streams) and the role they acted in."""

    id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a decision is given from outside: the instant, the actor, and where fresh ids come from."""

    at: datetime
    by: Actor
    new_id: Callable[[], UUID]

    def fresh(self) -> dict[str, Any]:
        """The head of a new fact: its own id, this instant, this actor."""
        return {"event_id": self.new_id(), "recorded_at": self.at, "by": self.by}


class Event(Value):
    """A fact. Subclasses are named in the past tense and carry a TOPIC that is never reused.

    No fact holds a stream or a version: those are local to one school's log and given afresh on import.
    """

    TOPIC: ClassVar[str]
    STREAM: ClassVar[StreamClass] = StreamClass.JOURNEY
    KIND: ClassVar[Kind] = "event"

    event_id: UUID
    recorded_at: Instant
    by: Actor

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        topic = cls.__dict__.get("TOPIC")
        if topic is None:
            return
        if topic in TOPICS and TOPICS[topic].__qualname__ != cls.__qualname__:
            raise TypeError(
                f"the topic {topic} is taken by {TOPICS[topic].__qualname__}: give {cls.__qualname__} its own"
            )
        TOPICS[topic] = cls

    @property
    def day(self) -> date:
        """The day it happened: ``happened_on`` where the fact says so, else the day it was recorded."""
        happened: date | None = self.__dict__.get("happened_on")
        return happened or self.recorded_at.date()

    def restamped(self, at: datetime) -> Self:
        """The same fact, recorded at another instant (when an append found the log already further on)."""
        return self.model_copy(update={"recorded_at": at})


class Opaque(Event):
    """A fact whose topic this version does not know: kept, counted and handed on, never interpreted."""

    topic: str
    data: dict[str, Any]


class Erased(Event):
    """Stands where a fact was whose key has been destroyed."""

    topic: str = ""


TOPICS: dict[str, type[Event]] = {}
Upcast = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTS: dict[str, tuple[str, Upcast]] = {}
"""Old topic -> (next topic, pure function from its data to the next topic's data)."""

ACTORS_MAX = 10_000
_actors: dict[tuple[str, str], Actor] = {}
_ENVELOPE = ("event_id", "recorded_at", "by")


def encode(event: Event) -> bytes:
    """The payload bytes that are committed to: {"topic","event_id","recorded_at","by","data"} as UTF-8 JSON."""
    if type(event) is Opaque:
        fields = event.model_dump(mode="json")
        return to_json({"topic": event.topic, **{name: fields[name] for name in _ENVELOPE}, "data": event.data})
    whole = event.__pydantic_serializer__.to_json(event)
    # head and data in one stroke, then cut where "by" ends: inside its texts a quotation mark would be escaped
    end = whole.find(b'},"') + 1
    head, data = (whole[1:end], whole[end + 1 :]) if end else (whole[1:-1], b"}")
    return b'{"topic":"%b",%b,"data":{%b}' % (event.TOPIC.encode(), head, data)


def decode(payload: bytes) -> Event:
    """The fact in payload bytes, brought to its newest topic. Raises UnreadableFact."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise UnreadableFact(f"a fact of {len(payload)} bytes is over the limit of {MAX_PAYLOAD_BYTES}")
    try:
        raw = from_json(payload)
        topic, data = raw["topic"], raw["data"]
        if topic in UPCASTS:
            topic, data = upcast(topic, data)
        count = len(data)
        data["event_id"] = raw["event_id"]
        data["recorded_at"], data["by"] = _instant(raw["recorded_at"]), _by(raw["by"])
        if len(data) != count + len(_ENVELOPE):
            raise ValueError("the data of a fact names what belongs to its head")
        cls = TOPICS.get(topic)
        event: Event = cls.__pydantic_validator__.validate_python(data) if cls else _opaque(topic, data)
        return event
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise UnreadableFact(f"a fact could not be read: {type(error).__name__}") from error


def _opaque(topic: str, fields: dict[str, Any]) -> Opaque:
    return Opaque(**{name: fields.pop(name) for name in _ENVELOPE}, topic=topic, data=fields)


def _instant(text: Any) -> Any:
    # as instant_text writes it, in a third of the validator's time; any other text is for the validator to judge
    if type(text) is str and len(text) == 27 and text[4:20:3] == "--T::." and text[26] == "Z":
        return datetime.fromisoformat(text)
    return text


def _by(given: Any) -> Any:
    # few people write many facts: each is made once, and frozen
    actor = _actors.get((given["id"], given["role"]))
    if actor is not None and len(given) == 2:
        return actor
    made = Actor.model_validate(given)
    if len(_actors) >= ACTORS_MAX:
        _actors.clear()
    _actors[given["id"], given["role"]] = made
    return made


def upcast(topic: str, data: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Follow the chain of upcasts from an old topic to the newest."""
    fresh = dict(data)
    while topic in UPCASTS:
        topic, step = UPCASTS[topic]
        fresh = step(fresh)
    return topic, fresh


def topics_of(*kinds: type[Event]) -> frozenset[str]:
    """The topics under which facts of these kinds stand, now and in former times."""
    found = {kind.TOPIC for kind in kinds}
    while older := {old for old, (topic, _) in UPCASTS.items() if topic in found and old not in found}:
        found |= older
    return frozenset(found)


class Fact(NamedTuple):
    """An event in its place: what projections and replay read.

    ``position`` is the dense index in this school's log; ``recorded_at`` is when *this* school appended it,
    while ``event.recorded_at`` is when its author did (they differ for imported facts);
    ``origin`` names the log it was imported from, "" for the school's own.
    """

    position: int
    pupil_id: UUID | None
    stream_id: UUID
    version: int
    recorded_at: datetime
    event: Event
    origin: str = ""
