"""What was set and by whom: the facts that change how a school's record is run, newest first, with no free text."""

from __future__ import annotations

from typing import Any

from astrack.store import SchoolLog
from domain.base import TOPICS, Event, Fact, StreamClass
from domain.school import HeadsPublished
from domain.training import TrainingSat

HEAD = frozenset({"event_id", "recorded_at", "by"})
WORDS = frozenset(
    {
        "name",
        "reason",
        "why",
        "note",
        "words",
        "text",
        "school",
        "address",
        "answers",
        "accreditor",
        "interests",
        "reviewer",
        "purpose",
    }
)
"""Fields with names or free text in them: the list says that and what was set, the fact itself the rest."""
PUPILS = frozenset({"pupil_id", "streams"})
"""Whose glass was broken or record erased is on the list of looks, and in the fact."""
OPERATION = ("school.", "round.", "guidance.", "accreditation.")


def topics() -> list[str]:
    """The topics of facts that set something: of staff and their rights, of the school, its rounds and its library."""
    return sorted(topic for topic, cls in TOPICS.items() if _sets(topic, cls))


def _sets(topic: str, cls: type[Event]) -> bool:
    of_staff = cls.STREAM is StreamClass.STAFF and cls is not TrainingSat
    if cls is HeadsPublished:
        return False  # the service itself does so all the time
    return of_staff or (cls.STREAM is StreamClass.SCHOOL and topic.startswith(OPERATION))


def newest(log: SchoolLog, limit: int, before: int | None = None) -> list[Fact]:
    """At most ``limit`` such facts, newest first; ``before``: the position of the last one seen."""
    return log.newest(topics(), limit, before)


def said(event: Event) -> str:
    """What happened, in the first sentence of the event's own words."""
    return " ".join((type(event).__doc__ or event.TOPIC).split("\n\n")[0].split())


def details(event: Event) -> dict[str, Any]:
    """What was set: ids, codes, days and numbers, without names, free text and pupils."""
    return event.model_dump(mode="json", exclude=set(HEAD | WORDS | PUPILS), exclude_none=True)
