"""What follows a record to another school: late facts, and what goes from DSL (safeguarding lead) to DSL."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from astrack.access.callers import CallerOf
from astrack.api.common import Body, Key
from astrack.api.plans import CloseIn, MonitorIn
from astrack.api.pupil_writes import CorrectionIn, LookedAtIn, OutcomeIn
from astrack.api.transfers import Prepared
from domain.authority import Action
from domain.journey.supplement import LATE_MAX, Late

router = APIRouter(tags=["transfers"])


class LateMonitorIn(MonitorIn):
    """How a plan was going."""

    plan_id: UUID


class LateCloseIn(CloseIn):
    """What came of a plan."""

    plan_id: UUID


class SupplementIn(Body):
    """What staff saw and how it ended, 20 in all; without any, what came here since the last file follows."""

    looks: Annotated[list[LookedAtIn], Field(max_length=LATE_MAX, default_factory=list)]
    monitored: Annotated[list[LateMonitorIn], Field(max_length=LATE_MAX, default_factory=list)]
    closed: Annotated[list[LateCloseIn], Field(max_length=LATE_MAX, default_factory=list)]
    outcomes: Annotated[list[OutcomeIn], Field(max_length=LATE_MAX, default_factory=list)]
    corrections: Annotated[list[CorrectionIn], Field(max_length=LATE_MAX, default_factory=list)]

    def late(self) -> list[Late]:
        """As the domain decides them, in this order."""
        kinds = (("look_at", self.looks), ("monitor_plan", self.monitored), ("close_plan", self.closed),
                 ("report_outcome", self.outcomes), ("correct", self.corrections))  # fmt: skip
        return [Late(do, dict(one)) for do, some in kinds for one in some]


@router.post("/transfers/{transfer_id}/supplement")
def supplement(caller: CallerOf, transfer_id: UUID, body: SupplementIn, key: Key) -> Prepared:
    """Write down late facts of a record that another school has or that is on its way there, sealed for that school."""
    caller.may(Action.RECEIVE_RECORD)
    pupil_id = caller.handover.pupil_of(transfer_id)
    return _prepared(caller.handover.supplement(caller.ask(key), pupil_id, body.late()))


@router.post("/transfers/{transfer_id}/safeguarding")
def safeguarding(caller: CallerOf, transfer_id: UUID, key: Key) -> Prepared:
    """Seal what is the DSL's of the pupil for the DSL of the school that the record goes or went to."""
    caller.may(Action.RECEIVE_RECORD)
    pupil_id = caller.handover.pupil_of(transfer_id)
    caller.may(Action.SEE_HAND_OFFS, pupil_id)
    return _prepared(caller.handover.safeguarding_file(caller.ask(key), pupil_id))


def _prepared(made: dict[str, object]) -> Prepared:
    return Prepared.model_validate({name: made[name] for name in Prepared.model_fields})
