"""What staff are asked to look at: signs nobody has reviewed yet, and whom a round drew, in the very same form.

Until somebody has looked, both are told here and nowhere else (``Caller.journey`` leaves such signs out), by what
stands out alone: how sure, since when and how many signs there are would tell a sign from a lot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Cursor

from astrack.access.callers import Caller
from domain import review, risk
from domain.authority import RULES, Action, stage_of
from domain.journey.state import Journey, Sat
from domain.risk import words
from domain.scope import Scope
from projections import cohort, pupils, risk_register, truth
from projections.risk_register import Line
from projections.truth import Waiting

SIGNS_MAX, DRAWN_MAX = 48, 12
"""A whole school's list stays short; as pupils are looked at, the next ones come up."""


@dataclass(frozen=True, slots=True)
class Look:
    """What to look at: ``said``, what stands out, without a name; ``sign_id``, what the review is of."""

    sign_id: UUID
    said: str
    factor: str | None
    context: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """The pupils on a list of looks, each with what to look at; ``more``: how many more signs wait; ``drawn``: all whom
    a round drew, those whose turn on the list is yet to come too.
    """

    pupils: Sequence[tuple[Line, Look]]
    more: int
    drawn: frozenset[UUID]


def at_pupil(caller: Caller, pupil_id: UUID) -> Look | None:
    """What to look at in one pupil, one thing at a time; None where nothing waits. Raises NoSuchPupil."""
    journey, _ = caller.whole(pupil_id)
    for flag_id, raised in review.waiting(journey).items():
        return Look(caller.draw.sign_id(flag_id, pupil_id), words.claim(raised.reason), raised.factor, raised.context)
    lot = review.drawn(journey, pupil_id, caller.draw)
    return _nearest(caller, [(lot.sign_id, journey.sittings)])[0] if lot else None


def waits(draw: review.Draw, pupil_id: UUID, journey: Journey) -> bool:
    """Whether whoever reviews signs is asked to look at a pupil: for a sign or, no otherwise, for a round's draw."""
    reviewed_here = stage_of(journey) in RULES[Action.REVIEW_FLAGS].when and not journey.restricted
    return reviewed_here and bool(review.waiting(journey) or review.drawn(journey, pupil_id, draw))


def _nearest(caller: Caller, drawn: Sequence[tuple[UUID, Sequence[Sat]]]) -> list[Look | None]:
    """What to look at in drawn pupils, by the id each is reviewed under and their sittings; None without a sitting."""
    found = risk.nearest_of(risk.load_model(), [sittings for _, sittings in drawn], caller.today)
    return [
        Look(sign_id, words.claim(one.reason), one.factor, one.context) if one else None
        for (sign_id, _), one in zip(drawn, found, strict=True)
    ]


def listed(caller: Caller, cur: Cursor[Any], school_id: UUID, scope: Scope) -> Asked:
    """Pupils in scope with something to look at: with a sign, up to the review load, and drawn, in an order that does
    not tell which.
    """
    on_roll = pupils.on_roll(cur, school_id, scope)
    room = min(SIGNS_MAX, review.load_at(caller.draw.loads).room(on_roll))
    signs = risk_register.new_to_look_at(cur, school_id, scope, room)
    waiting = risk_register.to_look_at(cur, school_id, scope) if len(signs) == room else 0
    asked = [(line, _at_row(line, caller.draw)) for line in signs]
    lots = _lots(caller, cur, school_id, scope)
    told = _at_drawn(caller, cur, school_id, lots[:DRAWN_MAX])
    asked += [(line, told.get(line.pupil.pupil_id)) for line in risk_register.of(cur, school_id, list(told))]
    found = [(line, look) for line, look in asked if look]
    order = review.mixed([line.pupil.pupil_id for line, _ in found])
    return Asked([found[at] for at in order], max(0, waiting - room), frozenset(one.pupil_id for one in lots))


def drawn(caller: Caller, cur: Cursor[Any], school_id: UUID, scope: Scope) -> list[UUID]:
    """Pupils in scope whom their last round drew and nobody has looked at since, by lot."""
    return [one.pupil_id for one in _lots(caller, cur, school_id, scope)]


def _lots(caller: Caller, cur: Cursor[Any], school_id: UUID, scope: Scope) -> list[Waiting]:
    draw = caller.draw
    lots = [(draw.lot_of(one.ids), one) for one in truth.waiting(cur, school_id, scope)]
    return [one for _, one in sorted((lot, one) for lot, one in lots if lot < draw.chance(one.sat_at))]


def _at_drawn(caller: Caller, cur: Cursor[Any], school_id: UUID, lots: Sequence[Waiting]) -> dict[UUID, Look | None]:
    """What to look at in drawn pupils, from the rows of their sittings: their records are not opened for a list."""
    sittings = cohort.sittings(cur, school_id, [one.pupil_id for one in lots])
    of = {one.pupil_id: _sat_for(one, sittings.get(one.pupil_id, [])) for one in lots}
    ids = {key: caller.draw.sign_id(sat.event_id, key) for key, sat in of.items() if sat}
    return dict(zip(ids, _nearest(caller, [(ids[key], sittings[key]) for key in ids]), strict=True))


def _sat_for(one: Waiting, sittings: Sequence[Sat]) -> Sat | None:
    """The sitting by which a round drew a pupil: the first of it that counts."""
    return next((sat for sat in sittings if sat.usable and sat.round_id == one.round_id), None)


def known(caller: Caller, lines: Iterable[Line]) -> list[Line]:
    """Lines as this viewer may know them: without the signs they are asked to look at first."""
    return [line._replace(risk=risk_register.reviewed(line.risk)) if caller.reviews else line for line in lines]


def _at_row(line: Line, draw: review.Draw) -> Look | None:
    waiting = sorted(
        (-(flag["probability"] or 0.0), flag_id)
        for flag_id, flag in line.risk.flags.items()
        if flag["judgement"] is None and risk.makes_work(flag["kind"])
    )
    for _, flag_id in waiting:
        flag, sign_id = line.risk.flags[flag_id], draw.sign_id(UUID(flag_id), line.pupil.pupil_id)
        return Look(sign_id, words.claim(flag["reason"]), flag["factor"], flag["context"])
    return None
