"""Read models: facts in, rows and pages' answers out. Each file is one table; none ever refuses a fact."""

from projections import cohort, plan_board, pupils, risk_register, round_progress, timeline, transfer_ledger
from projections.shape import Projection, projection

ALL: tuple[Projection, ...] = tuple(
    projection(module)
    for module in (pupils, risk_register, timeline, round_progress, plan_board, cohort, transfer_ledger)
)
"""Every read model, in the order they are caught up."""

__all__ = ["ALL", "Projection", "projection"]
