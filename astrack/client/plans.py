"""What the API has on the topic `plans`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from astrack.client.calling import Caller, Got, Sent, new_key, part
from astrack.client.shared import Done


class CloseIn(Sent):
    """What came of a plan, in its owner's eyes."""

    came: Literal["helped", "helped_partly", "did_not_help", "stopped_early"]
    note: str = ""


class GroupPlanIn(Sent):
    """One plan for 2 to 12 pupils, opened for all of them or for none: each keeps a plan of their own."""

    group_plan_id: UUID
    plan: PlanIn
    pupil_ids: list[UUID]
    flags: dict[UUID, list[UUID]] = Field(default={})


class GroupPlanMade(Got):
    """The group plan, and whose plans it is tied to."""

    group_plan_id: UUID
    pupils: list[UUID]


class MonitorIn(Sent):
    """How a plan is going."""

    going: Literal["well", "as_planned", "not_yet"]
    note: str = ""


class PlanIn(Sent):
    """A plan: causes looked back on, risks looked ahead to, signposts chosen, an owner, an end. No step is skipped.

    ``keep_words``: open it though its goal says what will be gone ("stops", "no longer") and not what will be there.
    """

    plan_id: UUID
    kind: str = "individual"
    tier: int = 2
    goal: str
    factor: str | None = None
    context: str | None = None
    pole: Literal["low", "high"] | None = None
    flags: list[UUID] = Field(default=[])
    causes: list[str]
    risks: list[str]
    signposts: list[str] = Field(default=[])
    own_strategies: list[str] = Field(default=[])
    owner_id: UUID
    start_on: date
    end_on: date
    monitoring: Literal["weekly", "fortnightly", "monthly"] = "weekly"
    group_plan_id: UUID | None = None
    keep_words: bool = False


class PlanReviewIn(Sent):
    """A plan goes on until a later day."""

    end_on: date
    note: str = ""


class ReminderOut(Got):
    """How many of the caller's plans wait for a look, with a sentence that an e-mail may carry; never which."""

    due: int
    overdue: int
    said: str | None


class PlansCalls(Caller):
    """What the API has on the topic `plans`."""

    def open_plan(self, pupil_id: UUID, body: PlanIn, *, key: str | None = None, if_match: str | None = None) -> Done:
        """Open a plan; its owner must be somebody here who can see the pupil."""
        return self.value(
            Done, "POST", f"/pupils/{part(pupil_id)}/plans", body=body, key=key or new_key(), if_match=if_match
        )

    def open_group_plan(self, body: GroupPlanIn, *, key: str | None = None) -> GroupPlanMade:
        """Open one plan for several pupils, all or none; its owner must be somebody who can see every one of them."""
        return self.value(GroupPlanMade, "POST", "/plans/group", body=body, key=key or new_key())

    def plan_reminder(self) -> ReminderOut:
        """How many of the caller's own plans are due for a look, and overdue."""
        return self.value(ReminderOut, "GET", "/plans/reminder")

    def monitor_plan(
        self, pupil_id: UUID, plan_id: UUID, body: MonitorIn, *, key: str | None = None, if_match: str | None = None
    ) -> Done:
        """Note how a plan is going."""
        return self.value(
            Done,
            "POST",
            f"/pupils/{part(pupil_id)}/plans/{part(plan_id)}/monitor",
            body=body,
            key=key or new_key(),
            if_match=if_match,
        )

    def review_plan(
        self, pupil_id: UUID, plan_id: UUID, body: PlanReviewIn, *, key: str | None = None, if_match: str | None = None
    ) -> Done:
        """Look at a plan as a whole and let it go on."""
        return self.value(
            Done,
            "POST",
            f"/pupils/{part(pupil_id)}/plans/{part(plan_id)}/review",
            body=body,
            key=key or new_key(),
            if_match=if_match,
        )

    def close_plan(
        self, pupil_id: UUID, plan_id: UUID, body: CloseIn, *, key: str | None = None, if_match: str | None = None
    ) -> Done:
        """End a plan and say what came of it."""
        return self.value(
            Done,
            "POST",
            f"/pupils/{part(pupil_id)}/plans/{part(plan_id)}/close",
            body=body,
            key=key or new_key(),
            if_match=if_match,
        )
