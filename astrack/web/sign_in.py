"""Signing in and out, the start page, and the pages anybody may read."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from astrack.access import SecondFactorNeeded, SignInNeeded, callers
from astrack.access.credentials import NAME_MAX, PASSWORD_MAX
from astrack.access.sessions import NOBODY, Opened, Sessions
from astrack.app import App
from astrack.picture.example import example
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.reading import drawn
from astrack.web.schools import name_of, those
from astrack.web.site import HEADERS, BadForm, Site, see_other, static_answer
from astrack.web.words import HOME

SCHOOLS_SHOWN_MAX = 40
SCHOOL_MAX = 150


def sign_in_pages(site: Site) -> APIRouter:
    """Sign-in, sign-out, start, about, static files."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/")
    def start(who: Who) -> Response:
        return RedirectResponse(HOME.get(who.viewer.role, "/welcome"), 303, HEADERS)

    @router.get("/welcome")
    def welcome(request: Request, who: Who) -> Response:
        return site.page(request, "welcome.html", viewer=None if who.viewer.role == NOBODY else who.viewer)

    @router.get("/sign-in")
    def sign_in_page(request: Request, next: str = "/", school: str = "") -> Response:
        return _sign_in(site, request, next, school)

    @router.post("/sign-in")
    def sign_in(request: Request, sent: Sent) -> Response:
        following = _own_path(sent.text("next", 500))
        try:
            opened = _opened(request, sent)
        except REFUSALS as refused:
            school, named = sent.text("school", SCHOOL_MAX), bool(sent.text("name", NAME_MAX))
            return _sign_in(
                site, request, following, school, error=said(refused), status=status_of(refused), named=named
            )
        answer = RedirectResponse(following, 303, HEADERS)
        callers.set_cookies(request, answer, opened)
        return answer

    @router.post("/sign-out")
    def sign_out(request: Request, sent: Sent) -> Response:
        try:
            who = callers.half_caller_of(request)
            who.sessions.sign_out(who.signed)
        except SignInNeeded:
            pass  # the session had ended by itself: signed out is what was wanted
        answer = see_other("/sign-in", "signed-out")
        callers.clear_cookie(request, answer)
        return answer

    @router.post("/role")
    def choose_role(who: Who, sent: Sent) -> Response:
        who.sessions.choose(who.signed, sent.id("grant"))
        return see_other("/")

    @router.get("/about")
    def about(request: Request) -> Response:
        return site.page(request, "about.html", viewer=_viewer(request))

    @router.get("/design")
    def design(request: Request) -> Response:
        return site.page(request, "design.html", viewer=_viewer(request), **drawn(example()))

    @router.get("/static/{name}")
    def static(request: Request, name: str) -> Response:
        return static_answer(request, name)

    return router


def _viewer(request: Request) -> object | None:
    try:
        return callers.caller_of(request).viewer
    except (SignInNeeded, SecondFactorNeeded):
        return None


def _opened(request: Request, sent: Form) -> Opened:
    school_id = _school_named(request.app.state.app, sent.text("school", SCHOOL_MAX))
    sessions: Sessions = request.app.state.sessions
    address, device = callers.address_of(request), callers.device_of(request)
    name = sent.text("name", NAME_MAX)
    if name:
        return sessions.sign_in_named(
            school_id, name, sent.text("password", PASSWORD_MAX), address=address, device=device
        )
    typed = sent.text("code", 100, label="The words on your card, or your code", needed=True)
    return sessions.sign_in(school_id, typed, address=address, device=device)


def _sign_in(
    site: Site,
    request: Request,
    following: str,
    school: str,
    *,
    error: str = "",
    status: int = 200,
    named: bool = False,
) -> Response:
    return site.page(
        request, "sign_in.html", status=status, **_schools(site.app, school), school=school,
        next=_own_path(following), error=error, named=named,
        providers=[(one.name, one.words) for one in request.app.state.oidc.providers.values()],
    )  # fmt: skip


def _schools(app: App, chosen: str) -> dict[str, Any]:
    """The schools to choose from: the one of the address alone, all where they are few; else its name is typed."""
    there = app.store.schools()
    own = [one for one in there if str(one) == chosen]
    if not own and len(there) > SCHOOLS_SHOWN_MAX:
        return {"schools": [], "typed": True, "others": False}
    found = [(str(one), named.name) for one in own or there if (named := name_of(app, one)) is not None]
    return {"schools": sorted(found, key=lambda one: one[1]), "typed": False, "others": bool(own) and len(there) > 1}


def _school_named(app: App, typed: str) -> UUID:
    """The school somebody chose, or typed the name or number of. Raises BadForm."""
    with suppress(ValueError):
        return UUID(typed)
    wanted = typed.strip().casefold()
    fits = those(app, lambda one: wanted in (one.urn, one.name.casefold())) if wanted else []
    if len(fits) != 1:
        raise BadForm("Which school? Its name as the school writes it, or its six-digit number (URN).", "school")
    return fits[0]


def _own_path(path: str) -> str:
    """A path of this service to go on to; never another site's."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and not any(ord(c) < 32 for c in path)
    return path if own and path != "/sign-in" else "/"
