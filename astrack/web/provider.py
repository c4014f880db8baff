"""Signing in with a provider: there and back again."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from astrack.access import SignInRefused, callers, cookies
from astrack.access.oidc import Known, Oidc
from astrack.api.second_factor import enrolling, origin_of
from astrack.app import App
from astrack.web.door import Half, PageRoute
from astrack.web.schools import those
from astrack.web.site import HEADERS, Site

COOKIE = "astrack_trip"
PATH = "/sign-in/with"


def provider_pages(site: Site) -> APIRouter:
    """Off to a provider, and back."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get(PATH + "/{name}")
    def leave(request: Request, name: str, school: str = "") -> Response:
        return _off(request, name, school_id=_uuid(school))

    @router.get("/second-factor/link/{name}")
    def link(request: Request, who: Half, name: str) -> Response:
        enrolling(who)
        return _off(request, name, school_id=who.viewer.school_id, link=who.viewer.id)

    @router.get(PATH + "/{name}/back")
    def back(request: Request, name: str, state: str = "", code: str = "", iss: str = "") -> Response:
        oidc: Oidc = request.app.state.oidc
        known = oidc.finish(name, cookies.read(request, COOKIE, PATH) or "", state, code, _back(request, name), iss)
        answer = site.page(request, "signed_in.html", next="/second-factor" if known.link else "/")
        _signed_in(request, answer, site.app, known)
        cookies.clear(request, answer, COOKIE, PATH)
        return answer

    return router


def _signed_in(request: Request, answer: Response, app: App, known: Known) -> None:
    school_id = known.school_id or _school_of(app, known.urn)
    sessions = request.app.state.sessions
    if known.link is not None:
        sessions.credentials(school_id).link(known.link, known.issuer, known.subject)
        return
    opened = sessions.sign_in_linked(
        school_id, known.issuer, known.subject, device=callers.device_of(request), proved=known.proved
    )
    callers.set_cookies(request, answer, opened)


def _school_of(app: App, urn: str | None) -> UUID:
    """The school that DfE Sign-in says somebody chose. Raises SignInRefused."""
    found = those(app, lambda one: one.urn == urn) if urn else []
    if found:
        return found[0]
    raise SignInRefused("the organisation you chose is no school here: choose your school on the sign-in page")


def _off(request: Request, name: str, *, school_id: UUID | None, link: UUID | None = None) -> Response:
    oidc: Oidc = request.app.state.oidc
    address, cookie = oidc.begin(name, _back(request, name), school_id=school_id, link=link)
    answer = RedirectResponse(address, 303, HEADERS)
    # lax: the way back comes from the provider's site, and must bring it along
    cookies.give(request, answer, COOKIE, cookie, samesite="lax", path=PATH, max_age=600)
    return answer


def _back(request: Request, name: str) -> str:
    return f"{origin_of(request)}{PATH}/{name}/back"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
