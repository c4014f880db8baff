"""The public register of accreditation: who stands, the signed badge, and a check that anybody can make."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from astrack import accreditation
from astrack.accreditation import STATES, Verdict, on_register, verdict_of
from astrack.app import App
from astrack.web.door import PageRoute, Sent, said, status_of
from astrack.web.forms import Form
from astrack.web.site import HEADERS, BadForm, Site, address_of
from domain.base import DomainError
from transfer import badge
from transfer.badge import BadBadge

TOKEN = "application/vc+jwt"  # noqa: S105  # a media type
PUBLIC = {**HEADERS, "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""What a stock verifier fetches from its own page: signed or public, without a session."""


def register_pages(site: Site) -> APIRouter:
    """Everything here is public and names no pupil and no member of staff."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/register")
    def everybody(request: Request) -> Response:
        return _register(site, request)

    @router.post("/register/check")
    def check(request: Request, sent: Sent) -> Response:
        try:
            verdict = verdict_of(site.app, sent.text("badge", badge.TOKEN_CHARS_MAX, label="The badge", needed=True))
        except (BadForm, BadBadge, DomainError) as refused:
            return _register(site, request, sent, refused)
        return _register(site, request, sent, verdict=verdict)

    @router.get("/register/{school_id}/issuer")
    def issuer(request: Request, school_id: UUID) -> Response:
        base = base_of(site.app, request, school_id)
        name = on_register(site.app, school_id).name
        return JSONResponse(badge.issuer(name, base), headers=PUBLIC)

    @router.get("/register/{school_id}/key")
    def key(request: Request, school_id: UUID) -> Response:
        public = on_register(site.app, school_id).key().public_key()
        kid = f"{base_of(site.app, request, school_id)}/key"
        return JSONResponse(badge.jwk(public, kid), headers=PUBLIC)

    @router.get("/register/{school_id}/status")
    def status(request: Request, school_id: UUID) -> Response:
        token = on_register(site.app, school_id).revocations(base_of(site.app, request, school_id))
        return Response(token, 200, PUBLIC, TOKEN)

    @router.get("/register/{school_id}/{award_id}")
    def one(request: Request, school_id: UUID, award_id: UUID) -> Response:
        entry = on_register(site.app, school_id).entry(award_id, site.app.clock().date())
        return site.page(
            request, "register_entry.html", entry=entry, state=STATES[entry.state],
            evidence=[accreditation.counted(line) for line in entry.award.evidence],
            path=f"/register/{school_id}", base=base_of(site.app, request, school_id),
        )  # fmt: skip

    @router.get("/register/{school_id}/{award_id}/badge")
    def signed(request: Request, school_id: UUID, award_id: UUID) -> Response:
        token = on_register(site.app, school_id).badge(award_id, base_of(site.app, request, school_id))
        headers = {**PUBLIC, "Content-Disposition": 'attachment; filename="accreditation.jwt"'}
        return Response(token, 200, headers, TOKEN)

    return router


def base_of(app: App, request: Request, school_id: UUID) -> str:
    """The register's address for one school: the installation's public address, else the one that was asked."""
    return f"{address_of(app, request)}/register/{school_id}"


def _register(
    site: Site,
    request: Request,
    typed: Form | None = None,
    refused: Exception | None = None,
    verdict: Verdict | None = None,
) -> Response:
    return site.page(
        request, "register.html", status=status_of(refused) if refused else 200, states=STATES, typed=typed or Form(),
        entries=accreditation.register(site.app, site.app.clock().date()), verdict=verdict,
        error=said(refused) if refused else "", error_at="badge" if refused else "",
    )  # fmt: skip
