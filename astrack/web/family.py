"""What goes home: letters with a one-time code, and the page that a code opens: saying no, and taking it back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access import about_pupil
from astrack.access.callers import Caller
from astrack.web import qr
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.forms import Form
from astrack.web.lists import reading
from astrack.web.site import BadForm, Site, see_other
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
        child = who.viewer.child
        if child is None:
            raise BadForm("This page is for parents who signed in with the code of a letter.")
        who.see(Action.SEE_NAME, child)
        person = who.records.identity(child).person
        journey, _ = who.records.journey(child)
        return site.page(
            request, "family.html", viewer=who.viewer, called=person.called if person else "your child",
            opted_out=journey.opted_out, shared=who.can(Action.SEE_GUIDED, about_pupil(who.records, child, who.today)),
        )  # fmt: skip

    @router.post("/family/opt-out")
    def opt_out(who: Who, sent: Sent) -> Response:
        return _choose(who, sent)

    return router


def _choose(who: Caller, sent: Form) -> Response:
    child = who.viewer.child
    if child is None:
        raise BadForm("This form is for parents who signed in with the code of a letter.")
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
    credentials = who.sessions.credentials(who.records.school_id)
    registered, base, school = who.records.school_state().registered, site.address(request), who.records.school_id
    made = [(one, credentials.letter(who.app.new_id(), one.pupil_id)) for one in found]
    return site.page(
        request, "letters.html", viewer=who.viewer, group=name,
        school=registered.school.name if registered else "the school", address=qr.sign_in_address(base, school),
        letters=[(one, code, qr.drawn(qr.sign_in_address(base, school, code))) for one, code in made],
    )  # fmt: skip
