"""What a roster says of a pupil's background, kept for one question alone: do early signs treat groups alike?

Nothing is kept until the school has said what for; then no more than the broad group that the question needs. It is no
group of the journey, so no scope, list or filter can rest on it, and it stays here when the record moves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass, Value

Watchable = Literal["sen", "eal", "fsm", "ethnicity"]
Ethnicity = Literal["Asian", "Black", "Mixed", "White", "other"]
WATCHABLE: dict[Watchable, str] = {"sen": "SEN", "eal": "EAL", "fsm": "FSM", "ethnicity": "ethnicity"}
"""Each field and what it is called: special educational needs, English as an additional language, free school meals."""
PURPOSE_LEAST = 20


class PurposeMissing(DomainError):
    """Looking at how groups with these backgrounds fare needs a purpose on record."""


class Background(Value):
    """What is known of a pupil; None where nothing is. ``ethnicity``: the broad group of the DfE's code."""

    sen: bool | None = None
    eal: bool | None = None
    fsm: bool | None = None
    ethnicity: Ethnicity | None = None

    def said(self, name: str) -> str:
        """One field as text: yes, no, or the broad group; "" where nothing is known."""
        value = getattr(self, name)
        return "" if value is None else ("no", "yes")[value] if isinstance(value, bool) else str(value)

    def groups(self) -> list[tuple[str, str]]:
        """(what it is called, what is known of it) of every field of which something is known."""
        return [(called, self.said(name)) for name, called in WATCHABLE.items() if self.said(name)]

    def only(self, watched: Iterable[str]) -> Background:
        """The same without the fields that are not watched."""
        return Background(**{name: getattr(self, name) for name in watched})


NOTHING = Background()


class BackgroundStated(Event):
    """What the school's roster says of this pupil in the fields the school watches for fairness, stated whole."""

    TOPIC: ClassVar[str] = "identity.background-stated.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    background: Background


class BackgroundsWatched(Event):
    """The school said in which fields of pupils' background it looks whether groups fare alike, and what for.

    No field: it looks at none any more.
    """

    TOPIC: ClassVar[str] = "school.backgrounds-watched.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    watched: tuple[Watchable, ...]
    purpose: Annotated[str, Field(max_length=500)] = ""


def watch(now: BackgroundsWatched | None, stamp: Stamp, watched: Iterable[Watchable], purpose: str) -> list[Event]:
    """Say which fields are watched and what for; the same again changes nothing. Raises PurposeMissing."""
    fields, why = tuple(name for name in WATCHABLE if name in set(watched)), purpose.strip()
    if fields and len(why) < PURPOSE_LEAST:
        raise PurposeMissing(
            f"say in {PURPOSE_LEAST} characters or more what the school looks at these groups for: it goes on record"
        )
    before = (now.watched, now.purpose) if now else ((), "")
    if (fields, why if fields else "") == before:
        return []
    return [BackgroundsWatched(**stamp.fresh(), watched=fields, purpose=why if fields else "")]
