"""Deriving flags again from the history with the model they were raised with, and saying where the two differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.base import Event
from domain.journey import facts as f
from domain.journey.decisions import Finding
from domain.journey.state import Journey, evolve, replay

EXACT = 1e-6
Subject = tuple[str, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Derived:
    """What is worth a look, and ``near``: how near this software comes to probabilities that the model's own
    algorithm gave. They are compared no finer than that.
    """

    findings: Sequence[Finding]
    near: float = EXACT


Derive = Callable[[str | None, Journey, date], Derived]
"""(model digest, None for today's model; the state with the sitting in it; the day) -> what is worth a look."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that comes out otherwise: the sitting, its day, and a sentence."""

    sitting: UUID
    on: date
    what: str


def differences(story: Sequence[Event], derive: Derive) -> list[Difference]:
    """Every sitting of one pupil judged again as it was then; nothing when all comes out as recorded."""
    found: list[Difference] = []
    for index, event in enumerate(story):
        if isinstance(event, f.AssessmentSat):
            found += _judged(event, replay(story[:index]), _decided(story, index), derive)
    return found


def _decided(story: Sequence[Event], index: int) -> list[Event]:
    """The flags raised and eased in the same decision as a sitting: they follow it, at the same instant."""
    decided: list[Event] = []
    for event in story[index + 1 :]:
        if not isinstance(event, f.FlagRaised | f.FlagEased) or event.recorded_at != story[index].recorded_at:
            break
        decided.append(event)
    return decided


def _judged(sat: f.AssessmentSat, before: Journey, decided: Sequence[Event], derive: Derive) -> list[Difference]:
    raised = {_subject(one): one for one in decided if isinstance(one, f.FlagRaised)}
    eased = {_subject(before.flags[one.flag_id].raised) for one in _eased(decided) if one.flag_id in before.flags}
    digest = next((one.model_digest for one in raised.values()), None)
    derived = derive(digest, evolve(before, sat), sat.happened_on)
    now = {one.subject: one for one in derived.findings}
    standing = {subject for subject in before.standing_subjects() if subject not in now}
    said = [f"{_name(subject)} was recorded and is not derived" for subject in raised.keys() - now.keys()]
    said += [
        f"{_name(subject)} is derived and was not recorded"
        for subject in now.keys() - raised.keys() - before.standing_subjects()
    ]
    said += [f"{_name(subject)} eased in one and not in the other" for subject in eased ^ standing]
    said += [
        f"{_name(subject)}: probability {one.probability} was recorded, {now[subject].probability} is derived"
        for subject, one in raised.items()
        if subject in now and not _alike(one.probability, now[subject].probability, derived.near)
    ]
    return [Difference(sat.event_id, sat.happened_on, what) for what in sorted(said)]


def _eased(decided: Iterable[Event]) -> list[f.FlagEased]:
    return [one for one in decided if isinstance(one, f.FlagEased)]


def _alike(one: float | None, other: float | None, near: float) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) <= near)


def _subject(raised: f.FlagRaised) -> Subject:
    return (raised.kind, raised.factor, raised.context, raised.pole)


def _name(subject: Subject) -> str:
    return " ".join(part for part in subject if part)
