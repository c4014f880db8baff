"""One pupil as known on a chosen day: the same page for a tutor, by name, and for an auditor, by pseudonym."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from astrack import replay
from astrack.access.callers import Caller
from astrack.web import forms
from astrack.web.reading import drawn, picture_of
from astrack.web.site import Site
from astrack.web.story import by_year, story
from domain.identity import Identity


def as_known_page(
    site: Site, request: Request, who: Caller, pupil_id: UUID, text: str, identity: Identity, up: tuple[str, str]
) -> Response:
    """What the record held at the end of a day. ``up``: the address and name of the page this one hangs under.

    Raises BadForm.
    """
    day, first = day_of(text, who.today), first_day(who, pupil_id)
    then = replay.as_of(who.records, pupil_id, day)
    journey, known = who.told(pupil_id, then.journey, then.known)
    _, late = who.told(pupil_id, then.journey, then.late)
    data = picture_of(journey, known, identity, who.today, as_known_on=day)
    return site.page(
        request, "as_known.html", viewer=who.viewer, day=day, first=first, position=then.position, up=up,
        name=identity.person.full_name if identity.person else "A pupil, under a pseudonym", path=request.url.path,
        late=[(one.on, one.recorded_at.date(), one.said) for one in story(late, identity)],
        years=by_year(story(known, identity)), known=len(known), **drawn(data),
    )  # fmt: skip


def first_day(who: Caller, pupil_id: UUID) -> date:
    """The day this school first recorded anything of a pupil. Raises NoSuchPupil."""
    return min((fact.recorded_at.date() for fact in who.journey(pupil_id)[1]), default=who.today)


def day_of(text: str, today: date) -> date:
    """The day asked for, today at the latest. Raises BadForm."""
    return min(today, forms.day_of(text, "day", "The day")) if text else today
