"""What the plan wizards share: who may own a plan, and what helped before, with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from astrack.access import About, can_own, check_owner
from astrack.access.callers import Caller
from astrack.web.forms import Form
from astrack.web.lists import reading
from domain import support
from domain.guidance import Suggestions
from domain.guidance.aims import Aim
from domain.support import Suggested
from projections import impact

OWNERS_READ = 300


def owners(who: Caller, about: Sequence[About]) -> list[tuple[UUID, str]]:
    """Who could own a plan for all these pupils, the viewer first: (id, name)."""
    ids = who.records.staff_ids(OWNERS_READ)
    found = [
        (one, state.added.name)
        for one, state in zip(ids, who.records.staff_states(ids), strict=True)
        if state.added and can_own(who.records.school_id, one, state, about, who.today)
    ]
    return sorted(found, key=lambda one: (one[0] != who.viewer.id, one[1]))


def owner_of(sent: Form, who: Caller, about: Sequence[About]) -> UUID:
    """The owner a form names, the viewer where it names none. Raises BadForm, OwnerCannotSee."""
    owner_id = sent.id("owner") if sent.text("owner", 40) else who.viewer.id
    for one in about:
        check_owner(who.records, owner_id, one, who.today)
    return owner_id


def suggestions(who: Caller, fit: Suggestions, aim: Aim, pupil_id: UUID | None) -> list[Suggested]:
    """The signposts of a place, best first, each with why: this pupil's own plans, then similar ones here."""
    with reading(who) as (cur, school):
        tried = impact.tried(cur, school, aim.factor, aim.pole)
    return support.suggested(fit, [replace(one, own=whose == pupil_id) for whose, one in tried], aim.factor, aim.pole)
