"""What others wrote while somebody filled a form in: told in the facts' own words, by role and time, never by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence

from astrack.picture import long_day
from astrack.web.words import ROLE_NAMES
from domain.base import Erased, Event, Fact, Opaque
from domain.journey.facts import FlagEased, FlagRaised, FlagReviewed
from domain.journey.outside import PupilLookedAt

TOLD_MAX = 3
LOOKED = "somebody looked at this pupil and said what they make of it"
NOTHING_SAVED = "Nothing of yours was recorded. What you typed is still here: look again, and send it if it holds."


def meanwhile(news: Sequence[Fact]) -> str:
    """What others wrote, in a few sentences."""
    lines = list(dict.fromkeys(_lines(news)))
    more = [f"and {len(lines) - TOLD_MAX} more"] if len(lines) > TOLD_MAX else []
    told = "; ".join([*lines[:TOLD_MAX], *more])
    return f"Since you opened this page, somebody else wrote here: {told}. {NOTHING_SAVED}"


def _lines(news: Sequence[Fact]) -> Iterator[str]:
    for fact in reversed(news):
        # signs come with their sitting, and are not told to who is to look without knowing
        if not isinstance(fact.event, FlagRaised | FlagEased):
            by = ROLE_NAMES.get(fact.event.by.role, fact.event.by.role)
            yield f"“{words_of(fact.event)}” ({by}, {long_day(fact.recorded_at.date())}, {fact.recorded_at:%H:%M} UTC)"


def words_of(event: Event) -> str:
    """A fact in the school's words, without what it says of anybody."""
    if isinstance(event, FlagReviewed | PupilLookedAt):
        return LOOKED
    if isinstance(event, Opaque | Erased):
        return "something that cannot be read here"
    first = inspect.cleandoc(type(event).__doc__ or "").partition("\n")[0]
    said = re.split(r"[:;.]", first)[0].strip()
    return said[:1].lower() + said[1:]
