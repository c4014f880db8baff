"""Who asks, and the one gate that every route and page goes through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from astrack.changing import NOT_HERE
from astrack.records import NoSuchPupil, Records
from domain.authority import About, Action, Decision, Reason, Viewer, authorize, listing, stage_of
from domain.base import DomainError
from domain.journey.state import Journey
from domain.school_year import eighteenth_birthday
from domain.scope import Scope
from domain.staff import FIRST_MODULE, Staff

__all__ = ["About", "Action", "Decision", "Factor", "NotAllowed", "SecondFactorNeeded", "SignInNeeded", "SignInRefused",
           "Signed", "TooManyAttempts", "Viewer", "about_pupil", "authorize", "can_own", "check", "check_owner",
           "listed"]  # fmt: skip

Factor = Literal["none", "proved", "needed", "to_enrol"]
"""A second factor: not asked of this person; given; asked for now; asked for and not set up yet."""
ADULT_MONTHS = 18 * 12
NEAR_BIRTHDAY = 3


class SignInNeeded(DomainError):
    """Nobody is signed in, or the session has ended."""


class SignInRefused(DomainError):
    """The card or code is not one the school knows, or its time is up."""


class SecondFactorNeeded(DomainError):
    """This role needs a second factor first."""

    def __init__(self, enrolled: bool) -> None:
        self.enrolled = enrolled
        told = (
            "give the code of your app, or your passkey"
            if enrolled
            else "set one up: an app on your phone, or a passkey"
        )
        super().__init__(f"your role sees pupils' records and needs a second factor: {told}")


class NotAllowed(DomainError):
    """Your role here does not include this."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.reason.value)
        self.decision = decision


class OwnerCannotSee(DomainError):
    """A plan is owned by somebody who can see the pupil it is for."""


class TooManyAttempts(DomainError):
    """There were too many wrong attempts from here."""

    def __init__(self, wait: timedelta) -> None:
        self.wait_s = max(1, round(wait.total_seconds()))
        super().__init__(f"too many wrong attempts from here: wait {self.wait_s} seconds, then try again")


@dataclass(frozen=True, slots=True)
class Choice:
    """A role somebody may act in, by its grant."""

    grant_id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody signed in: who they are now, and what else they may act as. ``session_id`` is None for a key.

    ``shown``: how many entries the school's log had when they asked, None for a key: what a page is made of.
    """

    viewer: Viewer
    session_id: UUID | None
    expires_at: datetime
    choices: tuple[Choice, ...] = ()
    factor: Factor = "none"
    shown: int | None = None


def about_pupil(records: Records, pupil_id: UUID, today: date) -> About:
    """The context of one pupil. Raises NoSuchPupil."""
    journey, _ = records.journey(pupil_id)
    return about_journey(records, pupil_id, journey, today)


def about_journey(records: Records, pupil_id: UUID, journey: Journey, today: date) -> About:
    """The same from a journey already loaded."""
    return About(
        school_id=records.school_id,
        pupil_id=pupil_id,
        year_group=journey.year_group,
        groups=journey.groups,
        stage=stage_of(journey),
        adult=_adult(records, pupil_id, journey, today),
        opted_out=journey.opted_out,
        restricted=journey.restricted,
    )


def check(
    records: Records,
    viewer: Viewer,
    action: Action,
    pupil_id: UUID | None,
    today: date,
    journey_of: Callable[[UUID], Journey] | None = None,
) -> About | None:
    """Pass, or raise: NotAllowed where the role does not include it, NoSuchPupil where the pupil is out of sight.

    The role is judged before the pupil is looked up, so that a refusal tells nothing about who exists.
    ``journey_of`` spares a second look-up where the caller keeps what was loaded. Raises NoSuchPupil.
    """
    if records.school_id != viewer.school_id:
        raise NoSuchPupil(NOT_HERE)
    decision = authorize(viewer, action)
    if decision.reason is not Reason.NO_PUPIL:
        _pass(decision)
        return None
    about = None
    if pupil_id is not None:
        journey = journey_of(pupil_id) if journey_of else records.journey(pupil_id)[0]
        about = about_journey(records, pupil_id, journey, today)
        if viewer.role == "parent":
            about = replace(about, released=bool(records.releases(pupil_id).standing))
    _pass(authorize(viewer, action, about))
    return about


def check_owner(records: Records, owner_id: UUID, about: About, today: date) -> None:
    """A plan's owner is somebody who works here and can see the pupil. Raises OwnerCannotSee."""
    if not can_own(records.school_id, owner_id, records.staff_state(owner_id), [about], today):
        raise OwnerCannotSee("the owner of a plan must be somebody here who can see this pupil: choose another")


def can_own(school_id: UUID, owner_id: UUID, state: Staff, about: Sequence[About], today: date) -> bool:
    """Whether somebody writes plans here at all, and may do so for each of these pupils in one of their roles."""
    trained = FIRST_MODULE in state.trained
    acting = [Viewer(owner_id, one.role, school_id, one.scope, trained=trained) for one in state.standing(today)]
    writing = [one for one in acting if listing(one, Action.WRITE_PLANS) != Scope()]
    return bool(writing) and all(any(authorize(one, Action.WRITE_PLANS, pupil) for one in writing) for pupil in about)


def listed(viewer: Viewer, action: Action) -> Scope:
    """The scope of a list for this viewer. Raises NotAllowed where there is none at all."""
    scope = listing(viewer, action)
    if not scope.everyone and not scope.dimensions:
        decision = authorize(viewer, action)
        raise NotAllowed(decision if decision.reason is not Reason.NO_PUPIL else Decision(False, Reason.ROLE))
    return scope


def _pass(decision: Decision) -> None:
    if decision.hidden:
        raise NoSuchPupil(NOT_HERE)
    if not decision.allowed:
        raise NotAllowed(decision)


def _adult(records: Records, pupil_id: UUID, journey: Journey, today: date) -> bool:
    months = journey.age_months_on(today)
    if months is not None and abs(months - ADULT_MONTHS) > NEAR_BIRTHDAY:
        return months > ADULT_MONTHS
    # the story keeps ages in months: near the birthday the date itself decides
    person = records.identity(pupil_id).person
    return person is not None and today >= eighteenth_birthday(person.date_of_birth)
