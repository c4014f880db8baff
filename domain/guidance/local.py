"""A school's own guidance: entries it added, retired and had reviewed, as facts beside the library everybody has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass
from domain.guidance import (
    CELLS_MOST,
    LEAST_A_CELL,
    PLACES,
    End,
    Entry,
    Guidance,
    GuidanceWrong,
    Kind,
    Part,
    Pole,
    Signpost,
    stands_in,
    texts,
    thin_places,
)

ADDED_MAX = 500


class GuidanceTaken(DomainError):
    """An entry of the library, or of this school, has this id or says the same already."""


class GuidanceTooThin(DomainError):
    """Retiring this entry would leave a place with fewer than three."""


class NoSuchGuidance(DomainError):
    """Neither the library nor this school has an entry with this id."""


class GuidanceAdded(Event):
    """A school added a cause, a risk or a signpost of its own for one end of a factor, or for a pattern."""

    TOPIC: ClassVar[str] = "guidance.added.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    kind: Kind
    factor: Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=50)]
    pole: Pole | None = None
    entry: Signpost | Entry


class GuidanceRetired(Event):
    """A school no longer offers an entry: the library's or its own. Plans that used it still say so."""

    TOPIC: ClassVar[str] = "guidance.retired.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    entry_id: str
    why: Annotated[str, Field(max_length=200)] = ""


class GuidanceReviewed(Event):
    """Somebody read an entry for this school and found it fit for its pupils: who, when, and exactly which words."""

    TOPIC: ClassVar[str] = "guidance.reviewed.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    entry_id: str
    reviewer: Annotated[str, Field(min_length=2, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    happened_on: date
    wording_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Own:
    """What a school's facts about guidance add up to; ``reviewed``: the newest review of each entry."""

    added: dict[str, GuidanceAdded] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    reviewed: dict[str, GuidanceReviewed] = field(default_factory=dict)

    def review_of(self, entry: Entry) -> GuidanceReviewed | None:
        """The review of an entry as it now reads; None where there is none, or only one of other words."""
        found = self.reviewed.get(entry.id)
        return found if found and found.wording_digest == wording_digest(entry) else None


def replay(events: Iterable[Event]) -> Own:
    """The school's own guidance after these facts."""
    own = Own()
    for event in events:
        if isinstance(event, GuidanceAdded):
            own = replace(own, added={**own.added, event.entry.id: event}, retired=own.retired - {event.entry.id})
        elif isinstance(event, GuidanceRetired):
            own = replace(own, retired=own.retired | {event.entry_id})
        elif isinstance(event, GuidanceReviewed):
            own = replace(own, reviewed={**own.reviewed, event.entry_id: event})
    return own


def wording_digest(entry: Entry) -> str:
    """The SHA-256 of an entry's sentences, as hex: a review is of these words and no others."""
    return hashlib.sha256("\n".join(texts(entry)).encode()).hexdigest()


def add(
    library: Guidance, own: Own, stamp: Stamp, *, kind: Kind, factor: str, pole: Pole | None, entry: Entry
) -> list[Event]:
    """Add an entry of the school's own, about a factor's end or a pattern.

    Raises GuidanceWrong, GuidanceTaken, GuidanceTooThin (a signpost without its details).
    """
    if (factor, pole) not in {(at.about, at.pole) for at in PLACES}:
        raise GuidanceWrong(f"there is no guidance for {factor}{f', {pole}' if pole else ''}: choose from the list")
    known = {**library.by_id, **{one: event.entry for one, event in own.added.items()}}
    said = {text.casefold() for one in known.values() for text in texts(one)}
    if entry.id in known or said & {text.casefold() for text in texts(entry)}:
        raise GuidanceTaken(f"{entry.id} is there already, or says what another entry says: change its id and words")
    if kind == "signpost" and not isinstance(entry, Signpost):
        raise GuidanceTooThin("a signpost says who, where, the first sentence, how long, when to stop and when not to")
    if len(own.added) >= ADDED_MAX or stands_in(factor, entry) > CELLS_MOST:
        raise GuidanceTooThin(f"an entry is for at most {CELLS_MOST} places and a school has {ADDED_MAX} at most")
    return [GuidanceAdded(**stamp.fresh(), kind=kind, factor=factor, pole=pole, entry=entry)]


def retire(library: Guidance, own: Own, stamp: Stamp, *, entry_id: str, why: str = "") -> list[Event]:
    """Stop offering an entry; twice is once. Raises NoSuchGuidance, GuidanceTooThin."""
    if entry_id not in library.by_id and entry_id not in own.added:
        raise NoSuchGuidance(f"there is no guidance called {entry_id}: choose one from the library")
    if entry_id in own.retired:
        return []
    after = merged(library, replace(own, retired=own.retired | {entry_id}))
    thin = thin_places(after)
    if thin:
        where = ", ".join(part for part in (*thin[0][0], thin[0][1]) if part)
        raise GuidanceTooThin(f"without {entry_id} {where} has fewer than {LEAST_A_CELL}: add one first")
    return [GuidanceRetired(**stamp.fresh(), entry_id=entry_id, why=why)]


def review(
    library: Guidance, own: Own, stamp: Stamp, *, entry_id: str, reviewer: str, happened_on: date
) -> list[Event]:
    """Say that somebody read an entry and found it fit; twice is once. Raises NoSuchGuidance, GuidanceWrong."""
    entry = merged(library, own).entry(entry_id)
    if entry is None:
        raise NoSuchGuidance(f"there is no guidance called {entry_id}: choose one from the library")
    if happened_on > stamp.at.date():
        raise GuidanceWrong(f"{happened_on} is still to come: give the day on which it was reviewed")
    known = own.review_of(entry)
    if known and (known.reviewer, known.happened_on) == (reviewer, happened_on):
        return []
    words = wording_digest(entry)
    return [
        GuidanceReviewed(
            **stamp.fresh(), entry_id=entry_id, reviewer=reviewer, happened_on=happened_on, wording_digest=words
        )
    ]


def merged(library: Guidance, own: Own) -> Guidance:
    """What this school offers: the library without the retired, then its own. The retired can still be looked up."""
    if not own.added and not own.retired:
        return library
    parts = {about: _part(part, own) for about, part in library.parts.items()}
    by_id = {**library.by_id, **{one: event.entry for one, event in own.added.items()}}
    facts = "".join([*sorted(own.retired), *(event.entry.model_dump_json() for event in own.added.values())])
    return Guidance(parts, hashlib.sha256((library.digest + facts).encode()).hexdigest(), by_id)


def _part(part: Part, own: Own) -> Part:
    ends: dict[str, End] = {pole or "whole": _end(end, own, part.about, pole) for pole, end in part.ends().items()}
    return part.model_copy(update=ends)


def _end(end: End, own: Own, about: str, pole: str | None) -> End:
    mine = [one for one in own.added.values() if (one.factor, one.pole) == (about, pole)]
    kept = {}
    for kind in ("cause", "risk", "signpost"):
        entries = [*getattr(end, kind), *(one.entry for one in mine if one.kind == kind)]
        kept[kind] = tuple(one for one in entries if one.id not in own.retired)
    return end.model_copy(update=kept)
