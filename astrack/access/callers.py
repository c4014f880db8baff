"""Who calls: the cookie or key of a request turned into a viewer, the gate, and the look that is put on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, NoReturn
from uuid import UUID

from fastapi import Depends, Request, Response
from starlette.datastructures import State

from astrack import access
from astrack.access import NotAllowed, SecondFactorNeeded, Signed, cookies
from astrack.access.looks import Looks
from astrack.access.sessions import Opened, Sessions
from astrack.app import App
from astrack.changing import Ask
from astrack.handover import Handover
from astrack.handover.closing import of_the_dsl
from astrack.records import NoSuchPupil, Records
from domain import review
from domain.authority import About, Action, Reason, Viewer, authorize, listing
from domain.base import Fact
from domain.journey import outside, state
from domain.journey.state import Journey
from domain.scope import Scope

COOKIE = "astrack"
DEVICE_COOKIE = "astrack_device"
DEVICE_DAYS = 365


class Caller:
    """One request's caller: who they are, the records of their school, and the only way through the gate."""

    def __init__(self, site: State, signed: Signed) -> None:
        self.app: App = site.app
        self.sessions: Sessions = site.sessions
        self.looks: Looks = site.looks
        self._handovers: dict[UUID, Handover] = site.handovers
        self._journeys: dict[UUID, tuple[Journey, list[Fact]]] = {}
        self.signed = signed
        self.records: Records = self.app.school(signed.viewer.school_id)

    @property
    def viewer(self) -> Viewer:
        """Who asks."""
        return self.signed.viewer

    @property
    def handover(self) -> Handover:
        """The hand-overs of the caller's school, built once."""
        return self._handovers.setdefault(self.records.school_id, Handover(self.records))

    @property
    def today(self) -> date:
        """The day by the service's clock."""
        return self.app.clock().date()

    def may(
        self, action: Action, pupil_id: UUID | None = None, journey_of: Callable[[UUID], Journey] | None = None
    ) -> About | None:
        """Pass the gate, to the context of the pupil. Raises NotAllowed, NoSuchPupil; a refusal goes on record.

        ``journey_of`` loads the journey where the caller wants more of the same round trip.
        """
        journey_of = journey_of or (lambda one: self.whole(one)[0])
        try:
            return access.check(self.records, self.viewer, action, pupil_id, self.today, journey_of)
        except NotAllowed as refused:
            self._refused(action, refused.decision.reason, pupil_id, refused)
        except NoSuchPupil as refused:
            self._refused(action, Reason.OUT_OF_SCOPE, pupil_id, refused)

    def whole(self, pupil_id: UUID) -> tuple[Journey, list[Fact]]:
        """A pupil's journey as first loaded in this request, by the gate most of the time: for decisions, not to show.

        Raises NoSuchPupil.
        """
        if pupil_id not in self._journeys:
            self._journeys[pupil_id] = self.records.journey(pupil_id)
        return self._journeys[pupil_id]

    def journey(self, pupil_id: UUID) -> tuple[Journey, list[Fact]]:
        """A pupil's journey as this viewer is shown it: a parent as it stood when it was last released.

        Raises NoSuchPupil.
        """
        journey, facts = self.whole(pupil_id)
        if self.viewer.role == "parent":
            released = self.records.releases(pupil_id).standing
            facts = [one for one in facts if released and one.recorded_at <= released[0].recorded_at]
            journey = state.replay(one.event for one in facts)
        return self.told(pupil_id, journey, facts)

    def told(self, pupil_id: UUID, journey: Journey, facts: Sequence[Fact]) -> tuple[Journey, list[Fact]]:
        """What this viewer is shown of a pupil's journey or of an earlier state of it: nothing that is the DSL's alone,
        and, where they review signs, none that waits for a review: that is told as what to look at (astrack.looking).
        """
        now, _ = self.whole(pupil_id)
        about = access.about_journey(self.records, pupil_id, now, self.today)
        reviews = self.can(Action.REVIEW_FLAGS, about)
        seen = outside.seen_by(self.viewer.role, facts)
        return review.without(journey, seen, review.waiting(now)) if reviews else (journey, seen)

    @property
    def reviews(self) -> bool:
        """Whether the role reviews signs, and so is shown none on a list before somebody has looked."""
        return self.can_ever(Action.REVIEW_FLAGS)

    @cached_property
    def draw(self) -> review.Draw:
        """How the rounds of the caller's school draw pupils without a sign."""
        return self.records.draw()

    def see(self, action: Action, pupil_id: UUID | None = None) -> None:
        """Pass the gate to look at something, and put the look on record."""
        self.may(action, pupil_id)
        self.looked(action, [pupil_id] if pupil_id else [])

    def carry(self, direction: str, transfer_id: UUID) -> None:
        """Pass the gate to carry a sealed file: what goes from DSL to DSL, the DSL carries."""
        row = self.handover.vault.transfer(direction, transfer_id)
        if row is not None and of_the_dsl(row):
            self.may(Action.SEE_HAND_OFFS, UUID(row.details["pupil_id"]))
        self.may(Action.CARRY_SEALED)

    def listed(self, action: Action) -> Scope:
        """The scope of a list; call ``looked`` with the pupils that end up in it. Raises NotAllowed."""
        try:
            return access.listed(self.viewer, action)
        except NotAllowed as refused:
            self._refused(action, refused.decision.reason, None, refused)

    def looked(self, action: Action, pupils: Sequence[UUID]) -> None:
        """Put a look at these pupils on record."""
        self.looks.taken(self.viewer, action, pupils)

    def can(self, action: Action, about: About | None = None) -> bool:
        """Whether the gate would open; nothing goes on record."""
        return authorize(self.viewer, action, about).allowed

    def can_ever(self, action: Action) -> bool:
        """Whether the role includes this for some pupil; nothing goes on record."""
        return authorize(self.viewer, action).reason in (Reason.ALLOWED, Reason.NO_PUPIL)

    def can_list(self, action: Action) -> Scope | None:
        """The scope of a list, or None where there is none; nothing goes on record."""
        scope = listing(self.viewer, action)
        return scope if scope.everyone or scope.dimensions else None

    def ask(self, key: str, expects: int | None = None, shown: int | None = None) -> Ask:
        """This caller's request for a change."""
        return Ask(self.viewer.actor, key, expects, shown)

    def _refused(self, action: Action, reason: Reason, pupil_id: UUID | None, error: Exception) -> NoReturn:
        self.looks.refused(self.viewer, action, reason, pupil_id)
        raise error


def caller_of(request: Request) -> Caller:
    """The caller of a request, second factor and all. Raises SignInNeeded, SecondFactorNeeded."""
    caller = half_caller_of(request)
    if caller.signed.factor in ("needed", "to_enrol"):
        raise SecondFactorNeeded(caller.signed.factor == "needed")
    return caller


def half_caller_of(request: Request) -> Caller:
    """The caller of a request who may still owe a second factor: for what gives one, and nothing else.

    Raises SignInNeeded.
    """
    site = request.app.state
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    bearer = value.strip() if kind.lower() == "bearer" else None
    signed = site.sessions.signed(cookies.read(request, COOKIE), bearer)
    return Caller(site, signed)


CallerOf = Annotated[Caller, Depends(caller_of)]
HalfCallerOf = Annotated[Caller, Depends(half_caller_of)]


def set_cookies(request: Request, response: Response, opened: Opened) -> None:
    """Give the browser its session and its device's name; neither can be read by a script."""
    cookies.give(request, response, COOKIE, opened.cookie)
    cookies.give(request, response, DEVICE_COOKIE, opened.device, max_age=DEVICE_DAYS * 86_400)


def clear_cookie(request: Request, response: Response) -> None:
    """Take the session from the browser; its device's name stays."""
    cookies.clear(request, response, COOKIE)


def device_of(request: Request) -> str | None:
    """The name of the device a request comes from, where one was given to it."""
    return cookies.read(request, DEVICE_COOKIE)


def address_of(request: Request) -> str:
    """Where a request comes from, as the server sees it."""
    return request.client.host if request.client else "unknown"
