"""What goes home: letters with a one-time code, and the page that a code opens: saying no, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web import qr
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.forms import Form
from astrack.web.lists import reading
from astrack.web.lookers import lookers
from astrack.web.reading import drawn, picture_of
from astrack.web.site import BadForm, Site, see_other
from astrack.web.story import by_year, story
from astrack.web.tutor import identity_of
from domain.authority import Action
from domain.scope import Scope
from projections import pupils

LETTERS_MAX = 400


def family_pages(site: Site) -> APIRouter:
    """Letters for the administrator, the family's page for a parent."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.post("/setup/letters")
    def letters(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.SET_SCHOOL)
        return _letters(site, request, who, sent)

    @router.get("/family")
    def family(request: Request, who: Who) -> Response:
        child = _child(who)
        about = who.may(Action.SEE_NAME, child)
        who.looked(Action.SEE_NAME, [child])
        stands = who.can(Action.SEE_LOOKS, about)
        if stands:
            who.looked(Action.SEE_LOOKS, [child])
        return site.page(
            request, "family.html", viewer=who.viewer, called=_called(who, child), stands=stands,
            looks=lookers(who, child) if stands else {},
            opted_out=who.whole(child)[0].opted_out,
            released=who.records.releases(child).standing if who.can(Action.SEE_GUIDED, about) else [],
        )  # fmt: skip

    @router.get("/family/account")
    def account(request: Request, who: Who) -> Response:
        child = _child(who)
        who.see(Action.SEE_GUIDED, child)
        journey, facts = who.journey(child)
        identity, released = identity_of(who, child), who.records.releases(child).standing[0]
        on = released.recorded_at.date()
        data = picture_of(journey, facts, identity, who.today, as_known_on=on, guided=True)
        return site.page(
            request, "family_account.html", viewer=who.viewer, called=_called(who, child),
            released=released, years=by_year(story(facts, identity, guided=True)),
            agreed=[plan.opened.goal for plan in journey.plans.values() if plan.came is None], **drawn(data),
        )  # fmt: skip

    @router.post("/family/opt-out")
    def opt_out(who: Who, sent: Sent) -> Response:
        return _choose(who, sent)

    return router


def _child(who: Caller) -> UUID:
    if who.viewer.child is None:
        raise BadForm("This is for parents who signed in with the code of a letter.")
    return who.viewer.child


def _called(who: Caller, child: UUID) -> str:
    person = who.records.identity(child).person
    return person.called if person else "your child"


def _choose(who: Caller, sent: Form) -> Response:
    child = _child(who)
    who.may(Action.OPT_OUT, child)
    wish = sent.one_of("wish", ("out", "in"), label="Your choice")
    act = who.records.opt_out if wish == "out" else who.records.end_opt_out
    act(who.ask(sent.key), child, asked_by="parent", on=who.today)
    return see_other("/family", "opted-out" if wish == "out" else "opted-in")


def _letters(site: Site, request: Request, who: Caller, sent: Form) -> Response:
    dimension, _, name = sent.text("group", 200).partition("=")
    if not name:
        raise BadForm("Choose the group the letters are for.", "group")
    with reading(who) as (cur, school):
        found = pupils.listed(cur, school, Scope(dimensions={dimension: frozenset({name})}), limit=LETTERS_MAX)
    for one in found:
        who.may(Action.MAKE_LETTER, one.pupil_id)
    letters = [Letter(f"the family of {one.name}", one.called, one.pupil_id, who.app.new_id()) for one in found]
    return letters_page(site, request, who, name, letters)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter about one pupil: to whom it goes, in words, and the account its code opens: a relation's or nobody's."""

    to: str
    called: str
    pupil_id: UUID
    account_id: UUID


def letters_page(site: Site, request: Request, who: Caller, group: str, letters: Sequence[Letter]) -> Response:
    """Letters to print, each with a code that is shown this once."""
    credentials = who.sessions.credentials(who.records.school_id)
    registered, base, school = who.records.school_state().registered, site.address(request), who.records.school_id
    made = [(one, credentials.letter(one.account_id, one.pupil_id)) for one in letters]
    return site.page(
        request, "letters.html", viewer=who.viewer, group=group,
        school=registered.school.name if registered else "the school", address=qr.sign_in_address(base, school),
        letters=[(one, code, qr.drawn(qr.sign_in_address(base, school, code))) for one, code in made],
    )  # fmt: skip
