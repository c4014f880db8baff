"""Who may do what to whose record: one pure function over one table, and nothing that the table does not allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from domain.authority.table import NOT_PAUSED, REACH, ROLES, RULES, UNGATED, Action, Rule, Stage
from domain.base import Actor
from domain.journey.facts import Group
from domain.journey.state import Custody, Journey
from domain.scope import Scope

__all__ = ["HIDDEN", "NOT_PAUSED", "REACH", "ROLES", "RULES", "About", "Action", "Decision", "Reason", "Rule", "Stage",
           "Viewer", "authorize", "listing", "stage_of"]  # fmt: skip


class Reason(StrEnum):
    """Why a decision is what it is; the value is a sentence for the person who asked."""

    ALLOWED = "This is part of your role."
    OTHER_SCHOOL = "This school has no record of that pupil."
    ROLE = "Your role does not include this: ask your administrator if it should."
    NO_PUPIL = "This is about one pupil and none was named."
    NOT_YOURS = "This school has no record of that pupil for you."
    OUT_OF_SCOPE = "This school has no record of that pupil within what you may see."
    OUT_OF_REACH = (
        "This pupil's record is no longer open to your role here: ask the DSL (designated safeguarding lead)."
    )
    NOT_NOW = "This cannot be done where the record stands now: ask the school that holds it."
    NOT_RELEASED = "The school has not released this to parents yet: ask the school."
    GLASS_WHOLE = "This needs a recorded reason first: break the glass for this pupil, then try again."
    UNTRAINED = "Finish the first training module before you open pupils' records."
    ADULT = "The pupil is 18 now: ask them."
    NOT_ADULT = "The record passes to the student on their 18th birthday: try again from that day on."
    RESTRICTED = (
        "This record is kept and not used until a question about it is settled: ask the data protection officer."
    )
    OPTED_OUT = "An opt-out is on this record: no assessment is taken."


HIDDEN = frozenset({Reason.OTHER_SCHOOL, Reason.NOT_YOURS, Reason.OUT_OF_SCOPE})
"""Refusals that must not tell whether the pupil exists."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, and why."""

    allowed: bool
    reason: Reason

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def hidden(self) -> bool:
        """Whether the answer must be the one for a pupil who is not there."""
        return self.reason in HIDDEN


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: one person acting in one role, with that role's scope.

    ``child``: the pupil a parent's letter was about. ``trained``: the first module is done. ``glass``: the pupils whose
    glass this viewer has broken and whose time is not up. ``only``: the actions a service key is limited to.
    """

    id: UUID
    role: str
    school_id: UUID
    scope: Scope = field(default_factory=Scope)
    child: UUID | None = None
    trained: bool = False
    glass: frozenset[UUID] = frozenset()
    only: frozenset[str] | None = None

    @property
    def actor(self) -> Actor:
        """Who is written on a fact that this viewer brings about."""
        return Actor(id=self.id, role=self.role)


@dataclass(frozen=True, slots=True)
class About:
    """What a decision needs to know of the pupil it is about, and nothing else."""

    school_id: UUID
    pupil_id: UUID
    year_group: int | None
    groups: tuple[Group, ...] = ()
    stage: Stage = Stage.ON_ROLL
    adult: bool = False
    opted_out: bool = False
    released: bool = False
    restricted: bool = False


def authorize(
    viewer: Viewer,
    action: Action,
    about: About | None = None,
    rules: Mapping[Action, Rule] = RULES,
    reach: Mapping[str, str] = REACH,
) -> Decision:
    """Whether this viewer may do this, towards this pupil where the action is about one. Deny by default."""
    rule = rules[action]
    refused = _role(viewer, action, rule) or (None if rule.when == "-" else _pupil(viewer, rule, about, reach))
    if refused is None and about is not None and action is Action.SIT and about.opted_out:
        refused = Reason.OPTED_OUT
    return Decision(refused is None, refused or Reason.ALLOWED)


def listing(viewer: Viewer, action: Action, rules: Mapping[Action, Rule] = RULES) -> Scope:
    """The pupils a list for this viewer may hold, for an action that is about pupils; an empty scope is none."""
    rule = rules[action]
    cell = rule.cells.get(viewer.role, "-")
    if _role(viewer, action, rule) is not None or cell not in ("scope", "all"):
        return Scope()
    scope = viewer.scope if cell == "scope" else Scope(everyone=True)
    return scope.model_copy(update={"usable_only": _paused(rule.when, viewer.role) is not None})


def _role(viewer: Viewer, action: Action, rule: Rule) -> Reason | None:
    if rule.cells.get(viewer.role, "-") == "-" or (viewer.only is not None and action not in viewer.only):
        return Reason.ROLE
    gated = rule.gate and viewer.role not in UNGATED
    return Reason.UNTRAINED if gated and not viewer.trained else None


def _pupil(viewer: Viewer, rule: Rule, about: About | None, reach: Mapping[str, str]) -> Reason | None:
    if about is None:
        return Reason.NO_PUPIL
    if about.school_id != viewer.school_id:
        return Reason.OTHER_SCHOOL
    return (
        _near(viewer, rule.cells[viewer.role], about)
        or _stage(rule.when, reach.get(viewer.role, ""), about)
        or (_paused(rule.when, viewer.role) if about.restricted else None)
    )


def _near(viewer: Viewer, cell: str, about: About) -> Reason | None:
    match cell:
        case "all":
            return None
        case "own":
            return None if viewer.id == about.pupil_id else Reason.NOT_YOURS
        case "child" | "released" if viewer.child != about.pupil_id:
            return Reason.NOT_YOURS
        case "child":
            return None
        case "released":
            return None if about.released else Reason.NOT_RELEASED
        case "scope":
            return None if viewer.scope.covers(about.year_group, about.groups) else Reason.OUT_OF_SCOPE
        case "glass":
            return None if about.pupil_id in viewer.glass else Reason.GLASS_WHOLE
        case _:
            return Reason.ROLE


def _stage(when: str, reached: str, about: About) -> Reason | None:
    if "-" in reached and about.adult:
        return Reason.ADULT
    if "+" in when and not about.adult:
        return Reason.NOT_ADULT
    if about.stage not in reached:
        return Reason.OUT_OF_REACH
    return None if about.stage in when else Reason.NOT_NOW


def _paused(when: str, role: str) -> Reason | None:
    if "!" in when or ("?" in when and role not in NOT_PAUSED):
        return Reason.RESTRICTED
    return None


def stage_of(journey: Journey) -> Stage:
    """Where a journey stands at the school whose log it was read from."""
    if journey.custody is Custody.RELEASED:
        return Stage.HANDED_OVER
    if journey.custody is Custody.FROZEN:
        return Stage.MOVING
    return Stage.LEFT if journey.left_on is not None else Stage.ON_ROLL
