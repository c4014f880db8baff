"""Correcting an entry: what it says, what it should say, and why; the entry itself stays as it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.site import BadForm, Site, see_other
from astrack.web.story import OUTCOMES, story
from astrack.web.tutor import identity_of
from astrack.web.words import CAME, GOING, JUDGEMENTS
from domain.authority import Action
from domain.base import Event, Fact
from domain.journey.decisions import CORRECTABLE
from domain.journey.state import corrected

LINES_MAX, LINE_MAX = 40, 200


@dataclass(frozen=True, slots=True)
class Field:
    """One value that can be corrected: how it is asked for, and how what was typed is read."""

    name: str
    label: str
    kind: str
    choices: Mapping[str, str]
    read: Callable[[Form], Any]


def correction_pages(site: Site) -> APIRouter:
    """The form of one entry."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/pupils/{pupil_id}/correct/{event_id}")
    def entry(request: Request, who: Who, pupil_id: UUID, event_id: UUID) -> Response:
        who.may(Action.SEE_NAME, pupil_id)
        who.see(Action.CORRECT, pupil_id)
        return entry_page(site, request, who, pupil_id, event_id)

    @router.post("/pupils/{pupil_id}/correct/{event_id}")
    def correct(request: Request, who: Who, sent: Sent, pupil_id: UUID, event_id: UUID) -> Response:
        who.may(Action.CORRECT, pupil_id)
        try:
            who.records.correct(sent.ask(who), pupil_id, **righted(who, sent, pupil_id, event_id))
        except REFUSALS as refused:
            return entry_page(site, request, who, pupil_id, event_id, typed=sent, refused=refused)
        return see_other(f"/pupils/{pupil_id}", "corrected")

    return router


def righted(who: Caller, sent: Form, pupil_id: UUID, event_id: UUID) -> dict[str, Any]:
    """What a form says was wrong in an entry: the arguments of a correction. Raises BadForm."""
    now = _entry(who.journey(pupil_id)[1], event_id)
    changes = {one.name: value for one in fields(now) if (value := one.read(sent)) != _plain(now, one.name)}
    why = sent.text("why", 500, label="Why", needed=True)
    if not changes:
        raise BadForm("Nothing is different from what the entry says: change what was wrong, then send it.")
    return {"corrects": event_id, "changes": changes, "why": why}


def fields(event: Event) -> list[Field]:
    """What of an entry can be corrected on a page, in the order of its own fields."""
    names = CORRECTABLE.get(type(event), frozenset())
    return [FIELDS[name] for name in type(event).model_fields if name in names and name in FIELDS]


def _entry(facts: Sequence[Fact], event_id: UUID) -> Event:
    """The entry as it stands now, corrections applied. Raises BadForm."""
    now = corrected([fact.event for fact in facts])
    found = next((one for one in now if one.event_id == event_id), None)
    if found is None:
        raise BadForm("This entry is not on this record: choose it from the story again.")
    if not fields(found):
        raise BadForm("Of this entry nothing can be corrected: it says how something came about, and that stays.")
    return found


def entry_page(
    site: Site, request: Request, who: Caller, pupil_id: UUID, event_id: UUID, *, path: str = "", late: bool = False,
    typed: Form | None = None, refused: Exception | None = None,
) -> Response:  # fmt: skip
    """The form of one entry; ``path``: where it goes, where that is not the pupil's own; ``late``: it follows a record.

    Raises BadForm.
    """
    facts, identity = who.journey(pupil_id)[1], identity_of(who, pupil_id)
    event = _entry(facts, event_id)
    told = next(one for one in story(facts, identity, limit=len(facts)) if one.event_id == event_id)
    shown = [(one, typed.text(one.name, 64_000) if typed else _typed(event, one.name)) for one in fields(event)]
    return site.page(
        request, "correct.html", status=status_of(refused) if refused else 200, viewer=who.viewer, told=told,
        name=identity.person.full_name if identity.person else "A pupil", fields=shown,
        why=typed.text("why", 64_000) if typed else "", path=f"/pupils/{pupil_id}",
        action=path or f"/pupils/{pupil_id}/correct/{event_id}", late=late,
        error=said(refused) if refused else "", error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _plain(event: Event, name: str) -> Any:
    return event.model_dump(mode="json")[name]


def _typed(event: Event, name: str) -> str:
    value = _plain(event, name)
    if name == "groups":
        return "\n".join(f"{one['dimension']}: {one['name']}" for one in value)
    if isinstance(value, list):
        return "\n".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _lines(sent: Form, name: str, label: str) -> list[str]:
    text = sent.text(name, LINES_MAX * LINE_MAX, label=label)
    return [line.strip() for line in text.split("\n") if line.strip()]


def _groups(sent: Form) -> list[dict[str, str]]:
    pairs = [line.partition(":") for line in _lines(sent, "groups", "Groups")]
    if not all(colon and name.strip() for _, colon, name in pairs):
        raise BadForm("Groups: write one a line, such as tutor group: 7B.", "groups")
    return [{"dimension": dimension.strip(), "name": name.strip()} for dimension, _, name in pairs]


def _text(name: str, label: str, most: int = 200) -> Field:
    return Field(name, label, "area" if most > 200 else "text", {}, lambda sent: sent.text(name, most, label=label))


def _day(name: str, label: str) -> Field:
    return Field(name, label, "date", {}, lambda sent: _iso(sent.day(name, label=label)))


def _iso(day: date) -> str:
    return day.isoformat()


def _number(name: str, label: str, low: int, high: int) -> Field:
    def read(sent: Form) -> int | None:
        return sent.number(name, low, high, label=label) if sent.text(name, 20) else None

    return Field(name, label, "text", {}, read)


def _choice(name: str, label: str, choices: Mapping[str, str]) -> Field:
    return Field(name, label, "choice", choices, lambda sent: sent.one_of(name, choices, label=label))


FIELDS: dict[str, Field] = {
    one.name: one
    for one in (
        _day("happened_on", "The day it happened"),
        _day("start_on", "Begins on"),
        _day("end_on", "Ends on"),
        _number("year_group", "Year group", 0, 14),
        _number("age_months", "Age in months", 24, 360),
        Field("groups", "Groups, one a line", "area", {}, _groups),
        Field("usable", "Can it be read?", "choice", {"yes": "Yes", "no": "No: nothing rests on it"},
              lambda sent: sent.one_of("usable", ("yes", "no"), label="Can it be read?") == "yes"),
        _choice("judgement", "What you made of it", JUDGEMENTS),
        _choice("code", "What came to pass", OUTCOMES),
        _choice("going", "How it is going", GOING),
        _choice("came", "What came of it", CAME),
        _text("goal", "The goal"),
        Field("own_strategies", "Own ideas, one a line", "area", {},
              lambda sent: _lines(sent, "own_strategies", "Own ideas")),
        _text("note", "Note", 1000),
    )
}  # fmt: skip
"""How each value is asked for. Not here: who owns a plan (plans are handed on) and what a correction changed."""
