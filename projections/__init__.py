"""Read models: facts in, rows and pages' answers out. Each file is one table; none ever refuses a fact."""

from projections import (
    background,
    cohort,
    hand_offs,
    impact,
    plan_board,
    pupils,
    retention,
    rights_desk,
    risk_register,
    round_progress,
    timeline,
    training,
    transfer_ledger,
    truth,
)
from projections.shape import Projection, projection

ALL: tuple[Projection, ...] = tuple(
    projection(module)
    for module in (
        pupils,
        risk_register,
        timeline,
        round_progress,
        plan_board,
        cohort,
        impact,
        training,
        transfer_ledger,
        truth,
        rights_desk,
        retention,
        hand_offs,
        background,
    )
)
"""Every read model, in the order they are caught up."""

__all__ = ["ALL", "Projection", "projection"]
