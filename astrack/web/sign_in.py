"""Signing in and out, the start page, and the pages anybody may read."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from astrack.access import SecondFactorNeeded, SignInNeeded, callers
from astrack.access.credentials import NAME_MAX, PASSWORD_MAX
from astrack.access.sessions import NOBODY, Opened, Sessions
from astrack.picture.example import example
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.reading import drawn
from astrack.web.site import HEADERS, BadForm, Site, see_other, static_answer
from astrack.web.words import HOME

SCHOOLS_SHOWN_MAX = 100


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
            school, named = sent.text("school", 40), bool(sent.text("name", NAME_MAX))
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
        callers.clear_cookie(answer)
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
    school = sent.text("school", 40)
    try:
        school_id = UUID(school)
    except ValueError:
        raise BadForm("Choose your school first.", "school") from None
    sessions: Sessions = request.app.state.sessions
    address, device = callers.address_of(request), request.cookies.get(callers.DEVICE_COOKIE)
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
        request, "sign_in.html", status=status, schools=_schools(site), school=school,
        next=_own_path(following), error=error, named=named,
        providers=[(one.name, one.words) for one in request.app.state.oidc.providers.values()],
    )  # fmt: skip


def _schools(site: Site) -> list[tuple[str, str]]:
    found = []
    for school_id in site.app.store.schools()[:SCHOOLS_SHOWN_MAX]:
        registered = site.app.school(school_id).school_state().registered
        if registered is not None:
            found.append((str(school_id), registered.school.name))
    return sorted(found, key=lambda one: one[1])


def _own_path(path: str) -> str:
    """A path of this service to go on to; never another site's."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and not any(ord(c) < 32 for c in path)
    return path if own and path != "/sign-in" else "/"
