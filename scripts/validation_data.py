"""What the parts of the risk validation share: seeds, sizes, and the same rounds as every rival reads them."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import numpy as np

from domain import risk, simulation
from domain.journey.state import Sat
from domain.risk import rivals
from domain.risk.kalman import Sittings
from domain.simulation import screening

ROUNDS, HORIZON, EQUAL_RATE, LINK = 9, 3, 0.13, 3.0
PREVALENCES = (0.05, 0.10, 0.20)
SEED_SET, SEED_CHECK = 2026, 4051
NULL_RUNS, NULL_PUPILS = 2000, 1000
CLASSES = 8
MODEL = risk.load_model()


def up_to(sittings: Sittings, rounds: int) -> Sittings:
    """The first rounds only."""
    return Sittings(*(getattr(sittings, name)[:, :rounds] for name in ("days", "months", "values", "errors")))


def direct_sittings(made: simulation.Simulated, rounds: int) -> Sittings:
    """The same rounds as direct questions would have them."""
    values = made.direct[:, :rounds]
    errors = np.where(np.isnan(values), np.nan, 0.45).astype(np.float32)
    seen = up_to(made.sittings, rounds)
    return Sittings(seen.days, seen.months, values, errors)


def indexes(made: simulation.Simulated, rounds: int) -> dict[str, np.ndarray]:
    """What each way of reading the same rounds ranks pupils by."""
    seen = up_to(made.sittings, rounds)
    values = np.asarray(seen.values)
    return {
        "model": risk.cohort(MODEL, seen, 2).p_priority[:, -1],
        "raw cut": rivals.last_sitting(MODEL, values),
        "mean of 2": rivals.mean_of_last(MODEL, values, 2),
        "mean of 3": rivals.mean_of_last(MODEL, values, 3),
        "running mean": rivals.running_mean(MODEL, values),
        "EWMA": rivals.weighted_mean(MODEL, values),
        "direct, same filter": risk.cohort(MODEL, direct_sittings(made, rounds), 2).p_priority[:, -1],
    }


def stands(sittings: Sittings, p: np.ndarray) -> np.ndarray:
    """In which rounds the priority flag stands, with the model's hysteresis; where nobody sat it stays as it was."""
    seen = ~np.isnan(sittings.values).all(axis=-1)
    return screening.standing(p, seen, MODEL.cuts.priority.on, MODEL.cuts.priority.off)


def sat_of(sittings: Sittings, pupil: int, at: int) -> Sat | None:
    """A simulated sitting as the journey keeps it; None where the pupil was absent."""
    values = sittings.values[pupil, at]
    if np.isnan(values).all():
        return None
    nothing = [None if np.isnan(one) else float(one) for one in values]
    errors = [None if np.isnan(one) else float(one) for one in sittings.errors[pupil, at]]
    number = UUID(int=pupil * 100 + at)
    on = date(2026, 9, 14) + timedelta(days=int(sittings.days[pupil, at]))
    return Sat(number, number, None, on, tuple(nothing), tuple(errors), True, int(sittings.months[pupil, at]))
