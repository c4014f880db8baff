"""Six made-up schools side by side, two of them small: what a trust's comparison is shown and tested with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from astrack.reports import trust as reports_trust
from astrack.reports.trust import TrustReport
from domain import impact
from domain.impact import funnel as impact_funnel
from domain.impact.cases import Cases, Panel, cases
from domain.impact.trusts import trust
from domain.impact.words import sentences

SIZES = (900, 900, 600, 600, 40, 60)
NAMES = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Gorse")
Made = tuple[Panel, Cases]


def made_up() -> Made:
    """The pupils of all six schools and what is compared of them."""
    made = trust(np.random.default_rng(8), "record", 0.5, pupils=sum(SIZES))
    panel = replace(made.panel, school=np.repeat(np.arange(len(SIZES)), SIZES))
    return panel, cases(panel, made.plans, 0, 10**7)


def report(made: Made) -> TrustReport:
    """Their comparison."""
    whole = impact.judged(*made, 0, 10**7)
    schools, shares = reports_trust._headlines(NAMES, *made), reports_trust._shares(NAMES, *made)
    day = date(2026, 7, 1)
    return TrustReport(day, day, day, whole, sentences(whole), schools, impact_funnel.funnel(shares))
