"""Builds the HTTP service from the App: the API, the pages, and what stands before them."""

from __future__ import annotations

import gc
import logging
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from astrack import errors, settings
from astrack.access import TooManyAttempts
from astrack.access.looks import Looks
from astrack.access.oidc import Oidc
from astrack.access.sessions import Sessions
from astrack.api import PREFIX, api, describe
from astrack.app import App
from astrack.server.guard import PROBLEM, BodyTooLarge, Guard, too_large
from astrack.server.watching import Watch
from astrack.store import StoreUnavailable
from domain.base import DomainError
from transfer.errors import TransferRefused

LOG = logging.getLogger(__name__)
SWITCH_S = 0.001
"""How long one thread computes while others wait: a check of the record beside a page would hold it up five times as
long by Python's own 5 ms, at each of its questions to the database.
"""
DESCRIBED = "/api/v1/openapi.json"
NOTHING_HERE = "there is nothing at this address: check it, or begin again from the start page"
FOR_MACHINES = ("/api/", "/health", "/ready")


class NoSuchPage(DomainError):
    """There is nothing at this address."""


class MethodUnknown(DomainError):
    """This address does not take this method."""


class BadRequest(DomainError):
    """The request could not be read."""


def build(app: App) -> FastAPI:
    """The whole HTTP service over an App that is open."""
    site = FastAPI(
        title="astrack", version="1", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )  # fmt: skip
    site.state.app = app
    site.state.sessions = Sessions(app)
    site.state.oidc = Oidc(app.settings.providers, app.store.derived(b"oidc"), lambda: app.clock())
    site.state.looks = Looks(app.store, lambda: app.clock(), app.new_id)
    site.state.handovers = {}
    for kind in (DomainError, TransferRefused, RequestValidationError, HTTPException):
        site.add_exception_handler(kind, _refused)
    web = import_module("astrack.web") if find_spec("astrack.web") else None
    if web is not None and hasattr(web, "pages"):
        site.router.routes.extend(web.pages(app).routes)
    site.include_router(api(), prefix=PREFIX)
    _add_health(site, app)
    site.state.problem_page = getattr(web, "problem_page", None)
    site.openapi = describe  # type: ignore[method-assign]
    site.state.watch = Watch()
    site.add_middleware(Guard, new_id=app.new_id, watch=site.state.watch)
    return site


def serving(app: App) -> FastAPI:
    """The service, ready to answer."""
    site = build(app)
    LOG.info("settings of this start: %s", ", ".join(settings.named()) or "none")
    if not app.settings.second_factor:
        LOG.warning("second factors are off: for made-up data alone")
    # what the start has loaded stays: walking it again and again would hold one request in fifty up for 70 ms
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)
    return site


def _add_health(site: FastAPI, app: App) -> None:
    @site.get("/health", include_in_schema=False)
    def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @site.get("/ready", include_in_schema=False)
    def ready() -> dict[str, Any]:
        """The database answers too. Refuses with 503 while it does not."""
        return {"status": "ok", "schools": len(app.store.schools())}


async def _refused(request: Request, error: Exception) -> Response:
    machine = request.url.path.startswith(FOR_MACHINES)
    known = _named(error, machine) if isinstance(error, HTTPException) else error
    found = errors.row(known)
    page = request.app.state.problem_page
    if page is not None and not machine:
        answer: Response = page(request, found, errors.sentence(known))
    else:
        answer = JSONResponse(errors.problem(known), found.status, media_type=PROBLEM)
    if isinstance(known, TooManyAttempts):
        answer.headers["Retry-After"] = str(known.wait_s)
    elif isinstance(known, StoreUnavailable):
        answer.headers["Retry-After"] = "2"
    elif found.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="astrack"'
    if isinstance(error, HTTPException):
        answer.headers.update(dict(error.headers or {}))
    return answer


def _named(error: HTTPException, machine: bool) -> Exception:
    if error.status_code == 404:
        return NoSuchPage(f"there is nothing at this address: see {DESCRIBED} for what there is" if machine
                          else NOTHING_HERE)  # fmt: skip
    if error.status_code == 413:
        return BodyTooLarge(too_large(error.detail))
    if error.status_code == 405:
        return MethodUnknown(f"this address does not take this method: see {DESCRIBED}" if machine
                             else "this cannot be done here: go back and use the page's own buttons")  # fmt: skip
    return BadRequest("the request could not be read: send valid JSON, or the file itself, as described")
