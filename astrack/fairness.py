"""Whether flags treat groups of pupils alike, from a school's record; small groups are never shown."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from astrack.app import App
from domain import fairness
from domain.background import WATCHABLE
from domain.fairness import GroupRate
from domain.small import hidden
from projections import background, truth
from projections.truth import Flagged


class Rate(NamedTuple):
    """How often a group has a sign that makes work, beside everybody else; ``rate`` withheld (None in it) where few."""

    dimension: str
    name: str
    rate: GroupRate


def flag_rates(app: App, school_id: UUID) -> list[Rate]:
    """Rates by sex, by year group (which is the age on 31 August), by each group of the roster, and by SEN, EAL, FSM
    and ethnicity where the school watches these and a roster states them.

    A group under ten is withheld, and so is whatever would let it be worked out.
    """
    found = people(app, school_id)
    members = members_of(found)
    flags = np.array([one.flagged for one in found], dtype=bool)
    made = []
    for dimension in sorted({dimension for dimension, _ in members}):
        groups = {name: member for (of, name), member in members.items() if of == dimension}
        sizes = {name: [int(member.sum())] for name, member in groups.items()}
        gone = hidden(sizes, [len(found) - sum(size for (size,) in sizes.values())])
        for name, said in sorted(fairness.flag_rates(groups, flags).items()):
            made.append(Rate(dimension, name, GroupRate(0, None, None) if name in gone else said))
    return made


def people(app: App, school_id: UUID) -> list[Flagged]:
    """Every pupil on roll who sat, with their groups, and of their background what the school watches today."""
    app.views.catch_up(school_id)
    watched = frozenset(WATCHABLE[name] for name in app.school(school_id).school_state().watched)
    with app.views.reading(school_id) as cur:
        found = truth.flagged(cur, school_id)
        known = background.known(cur, school_id, watched)
    return [one._replace(groups=[*one.groups, *known.get(one.pupil_id, [])]) for one in found] if known else found


def members_of(found: list[Flagged]) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """Of each group, who of those found is in it: (N,)."""
    members: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for at, one in enumerate(found):
        for key in one.groups:
            members.setdefault(key, np.zeros(len(found), dtype=bool))[at] = True
    return members
