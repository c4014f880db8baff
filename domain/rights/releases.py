"""What the school shows a pupil's parents: their account, as it stood on a day, to those who verifiably stand.

Results are not ordinarily sent home: somebody decides it, pupil by pupil. Where the pupil is judged to understand their
rights over the record, nothing is released without their agreement (the right is the child's: ICO, children and the UK
GDPR).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Fact, Stamp, StreamClass
from domain.rights.family import Family

WORDS_MAX = 500
Words = Annotated[str, Field(max_length=WORDS_MAX)]


class NobodyToShow(DomainError):
    """An account is released to parents who can sign in: at least one relation must stand."""


class PupilNotAsked(DomainError):
    """Nothing goes to the parents of a pupil who speaks for themselves without their agreement."""


class ReleaseUnknown(DomainError):
    """The release named is not one that stands."""


class AccountReleased(Event):
    """The school shows this pupil's account, as it stands now, to their parents, with a few words of its own."""

    TOPIC: ClassVar[str] = "identity.account-released.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    release_id: UUID
    agreed_with_pupil: bool
    words: Words = ""


class ReleaseWithdrawn(Event):
    """The school no longer shows an account that it had released."""

    TOPIC: ClassVar[str] = "identity.release-withdrawn.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    release_id: UUID
    why: Words = ""


@dataclass(frozen=True, slots=True)
class Releases:
    """What this school has released, oldest first, and which of it was withdrawn, by id, and when."""

    made: dict[UUID, AccountReleased] = field(default_factory=dict)
    withdrawn: dict[UUID, date] = field(default_factory=dict)

    @property
    def standing(self) -> list[AccountReleased]:
        """What parents see, the newest first."""
        return [one for key, one in reversed(self.made.items()) if key not in self.withdrawn]


def replay(facts: Iterable[Fact]) -> Releases:
    """The releases after these facts. What another school released came with its file, and is that school's affair."""
    state = Releases()
    for fact in facts:
        state = state if fact.origin else evolve(state, fact.event)
    return state


def evolve(state: Releases, event: Event) -> Releases:
    """The next state; other facts leave it as it is."""
    match event:
        case AccountReleased():
            return replace(state, made={**state.made, event.release_id: event})
        case ReleaseWithdrawn() if event.release_id in state.made:
            return replace(state, withdrawn={**state.withdrawn, event.release_id: event.recorded_at.date()})
        case _:
            return state


def release(family: Family, stamp: Stamp, *, release_id: UUID, agreed_with_pupil: bool, words: str = "") -> list[Event]:
    """Show the account to the parents. Raises NobodyToShow, PupilNotAsked."""
    today = stamp.at.date()
    if not any(family.stands(one, today) for one in family.relations):
        raise NobodyToShow(
            "nobody could read it: no verified parent or carer stands on record today. Record the relation first"
        )
    if family.competence is not None and family.competence.competent and not agreed_with_pupil:
        raise PupilNotAsked(
            "this pupil is judged to understand their rights over the record: release nothing without their agreement"
        )
    return [AccountReleased(**stamp.fresh(), release_id=release_id, agreed_with_pupil=agreed_with_pupil, words=words)]


def withdraw(state: Releases, stamp: Stamp, *, release_id: UUID, why: str = "") -> list[Event]:
    """Show it no longer. Raises ReleaseUnknown."""
    if release_id not in {one.release_id for one in state.standing}:
        raise ReleaseUnknown("this release does not stand any more: look at the list of releases")
    return [ReleaseWithdrawn(**stamp.fresh(), release_id=release_id, why=why)]
