"""What staff sign in with: the second factor asked for, setting one up, a name and password."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.access.credentials import NAME_MAX, PASSWORD_MAX
from astrack.access.factors import Factors
from astrack.access.places import places
from astrack.api.second_factor import enrolling
from astrack.web.door import REFUSALS, Half, PageRoute, Sent, said, status_of
from astrack.web.forms import Form
from astrack.web.site import Site, see_other


def second_factor_pages(site: Site) -> APIRouter:
    """The page for a second factor, and for what one signs in with."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/second-factor")
    def second_factor(request: Request, who: Half) -> Response:
        return _page(site, request, who)

    @router.post("/second-factor")
    def prove(request: Request, who: Half, sent: Sent) -> Response:
        code = sent.text("code", 40, label="The code", needed=True)
        try:
            who.sessions.prove(who.signed, lambda factors: factors.check(who.viewer.id, code))
        except REFUSALS as refused:
            return _page(site, request, who, error=said(refused), status=status_of(refused))
        return see_other("/")

    @router.post("/second-factor/app")
    def begin(request: Request, who: Half, sent: Sent) -> Response:
        secret, address = _factors(enrolling(who)).begin_totp(who.viewer.id, str(who.viewer.id)[:8])
        return _page(site, request, who, secret=secret, address=address)

    @router.post("/second-factor/app/confirm")
    def confirm(request: Request, who: Half, sent: Sent) -> Response:
        return _confirm(site, request, enrolling(who), sent)

    @router.post("/second-factor/password")
    def password(request: Request, who: Half, sent: Sent) -> Response:
        enrolling(who)
        name = sent.text("name", NAME_MAX, label="Your name to sign in with", needed=True)
        try:
            secret = sent.text("password", PASSWORD_MAX, label="Your password", needed=True)
            who.sessions.set_password(who.signed, name, secret, sent.text("old", PASSWORD_MAX))
        except REFUSALS as refused:
            return _page(site, request, who, error=said(refused), status=status_of(refused))
        return see_other("/second-factor", "password-set")

    @router.post("/second-factor/elsewhere")
    def end_elsewhere(who: Half, sent: Sent) -> Response:
        enrolling(who)
        who.sessions.end_all(who.viewer.school_id, who.viewer.id, but=who.signed.session_id)
        return see_other("/second-factor", "signed-out-elsewhere")

    return router


def _confirm(site: Site, request: Request, who: Caller, sent: Form) -> Response:
    codes: list[str] = []
    typed = sent.text("code", 40, label="The code", needed=True)
    try:
        who.sessions.prove(who.signed, lambda factors: codes.extend(factors.confirm_totp(who.viewer.id, typed)))
    except REFUSALS as refused:
        return _page(site, request, who, error=said(refused), status=status_of(refused))
    return _page(site, request, who, codes=codes, finished=True)


def _page(
    site: Site,
    request: Request,
    who: Caller,
    *,
    error: str = "",
    status: int = 200,
    secret: str = "",
    address: str = "",
    codes: list[str] | None = None,
    finished: bool = False,
) -> Response:
    named = who.sessions.credentials(who.viewer.school_id).has_password(who.viewer.id)
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return site.page(
        request, "second_factor.html", status=status, viewer=who.viewer, factor=who.signed.factor, error=error,
        secret=grouped, address=address, codes=codes or [], finished=finished,
        kinds=_factors(who).kinds(who.viewer.id), named=named,
        places=places(who.records.log, who.signed, site.app.clock()),
        providers=[(one.name, one.words) for one in request.app.state.oidc.providers.values()],
    )  # fmt: skip


def _factors(who: Caller) -> Factors:
    return who.sessions.factors(who.viewer.school_id)
