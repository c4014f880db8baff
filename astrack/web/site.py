"""What every page shares: templates, security headers, static files, form tokens."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import mimetypes
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from fastapi import Request
from starlette.responses import RedirectResponse, Response

from astrack.access import cookies
from astrack.access.callers import COOKIE
from astrack.app import App
from astrack.picture import long_day, sure_words, term_of
from astrack.web.words import DONE, NAV, ROLE_NAMES, count_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # not no-referrer: with that, browsers send "Origin: null" and a form could not prove where it comes from
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # school computers are shared: nothing about a pupil stays behind in a browser
    "Cache-Control": "no-store",
}
FORM_COOKIE = "astrack-form"
TOKEN_LABEL = b"astrack/form/v2\0"
SMALL = 1024


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file of our own, ready to send."""

    body: bytes
    packed: bytes
    kind: str
    version: str


@cache
def static_files() -> dict[str, StaticFile]:
    """The files in static/, by name, with the digest that names their version."""
    folder = resources.files("astrack") / "static"
    return {one.name: _static(one.name, one.read_bytes()) for one in folder.iterdir() if one.is_file()}


def _static(name: str, body: bytes) -> StaticFile:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return StaticFile(body, gzip.compress(body, 9, mtime=0), kind, hashlib.sha256(body).hexdigest()[:16])


def static_url(name: str) -> str:
    """Where a file of our own is fetched; another version has another address, so it may be kept for ever."""
    return f"/static/{name}?v={static_files()[name].version}"


def static_answer(request: Request, name: str) -> Response:
    """One file of our own, packed where the browser takes that."""
    one = static_files().get(name)
    if one is None:
        return Response("There is no such file.", 404, HEADERS, "text/plain")
    keep = "public, max-age=31536000, immutable" if request.query_params.get("v") == one.version else "no-cache"
    return _packed(request, one.body, one.packed, {**HEADERS, "Cache-Control": keep, "Content-Type": one.kind}, 200)


def _packed(request: Request, body: bytes, packed: bytes, headers: Mapping[str, str], status: int) -> Response:
    if "gzip" not in request.headers.get("accept-encoding", "") or len(body) < SMALL:
        return Response(body, status, {**headers, "Vary": "Accept-Encoding"})
    return Response(packed, status, {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


class BadForm(Exception):
    """What was sent cannot be taken; ``str`` is one sentence, ``name`` the field it is about ("" for the whole)."""

    def __init__(self, words: str, name: str = "") -> None:
        super().__init__(words)
        self.name = name


@dataclass(slots=True)
class Site:
    """The pages of one installation: its templates and how they are sent."""

    app: App
    session_cookie: str = COOKIE
    env: jinja2.Environment = field(default_factory=lambda: environment())

    def page(self, request: Request, name: str, /, status: int = 200, **context: Any) -> Response:
        """A template as a response, with the headers of every page."""
        secret, fresh = self.form_secret(request)
        viewer = context.setdefault("viewer", None)
        context.setdefault("lang", "en")
        context.setdefault("tr", str)
        body = (
            self.env.get_template(name)
            .render(
                token=lambda: make_token(secret, getattr(request.state, "shown", None)),
                key=lambda: str(self.app.new_id()),
                here=request.url.path,
                choices=getattr(request.state, "choices", ()),
                nav=NAV.get(viewer.role, ()) if viewer else (),
                done=DONE.get(request.query_params.get("done", "")),
                today=self.app.clock().date(),
                **context,
            )
            .encode()
        )
        answer = _packed(request, body, gzip.compress(body, 5, mtime=0), _html(), status)
        if fresh:
            cookies.give(request, answer, FORM_COOKIE, secret, samesite="lax")
        return answer

    def address(self, request: Request) -> str:
        """Where this installation is reached: what is printed or signed names it."""
        return address_of(self.app, request)

    def form_secret(self, request: Request) -> tuple[str, bool]:
        """What this browser's form tokens hang on: its session, or before sign-in a cookie of its own (made here)."""
        known = cookies.read(request, self.session_cookie) or cookies.read(request, FORM_COOKIE)
        return (known, False) if known else (secrets.token_urlsafe(24), True)

    def check_token(self, request: Request, token: str) -> int | None:
        """How many entries the log had when a form was shown. Raises BadForm when it was not made for this session."""
        candidates = [cookies.read(request, name) for name in (self.session_cookie, FORM_COOKIE)]
        if not any(token_holds(secret, token) for secret in candidates if secret):
            raise BadForm(
                "This form is from an earlier visit, so nothing was done: what you typed is below. Copy what you need, "
                "open the page again and send it from there."
            )
        shown = token.split(".")[1]
        return int(shown) if shown else None


def address_of(app: App, request: Request) -> str:
    """The installation's public address where one is set, else the one that was asked."""
    return app.settings.address or f"{request.url.scheme}://{request.url.netloc}"


def site_of(request: Request) -> Site:
    """The pages of the installation that answers this request, made at the first one."""
    state = request.app.state
    if not hasattr(state, "site"):
        state.site = Site(state.app)
    site: Site = state.site
    return site


def _html() -> dict[str, str]:
    return {**HEADERS, "Content-Type": "text/html; charset=utf-8"}


def see_other(path: str, done: str = "") -> Response:
    """After a form was taken: go and look, so that reloading sends nothing twice. ``done`` names a sentence to show."""
    joint = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{joint}done={done}" if done else path, 303, HEADERS)


def make_token(secret: str, shown: int | None = None) -> str:
    """A form token: fresh each time, so that a packed page gives nothing away.

    ``shown``: how many entries the log had when the page was asked for, so that a form says what it was decided on.
    """
    said = f"{secrets.token_hex(8)}.{'' if shown is None else shown}"
    return f"{said}.{_proof(secret, said)}"


def token_holds(secret: str, token: str) -> bool:
    """Whether a token was made for this secret."""
    said, _, proof = token[:200].rpartition(".")
    return hmac.compare_digest(proof.encode(), _proof(secret, said).encode())


def _proof(secret: str, said: str) -> str:
    return hmac.new(secret.encode(), TOKEN_LABEL + said.encode(), hashlib.sha256).hexdigest()


def environment() -> jinja2.Environment:
    """The templates: escaped always, a forgotten value is an error."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("astrack", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals.update(static=static_url, role_names=ROLE_NAMES, count_of=count_of, as_it_is=str)
    env.filters.update(day=long_day, term=term_of, sure=sure_words)
    return env
