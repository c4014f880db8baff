"""What stands before every route: size caps, the refusal of other sites' forms, security headers, and no traceback."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from astrack import errors
from astrack.server.watching import Watch
from domain.base import DomainError

LOG = logging.getLogger("astrack.server")
MIB = 1 << 20
CAPS: tuple[tuple[str, int], ...] = (
    ("/api/v1/transfers", 256 * MIB),
    ("/api/v1/receipts", MIB),
    ("/api/v1/roster", 64 * MIB),
    ("/api/", MIB),
    ("/", 256 * MIB),
)
"""How many bytes a request's body may have, by the beginning of its path; pages cap their own forms further."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
API_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
PROBLEM = "application/problem+json"
HSTS = "max-age=31536000; includeSubDomains"


class BodyTooLarge(DomainError):
    """The request's body is larger than this address takes."""


class CrossSite(DomainError):
    """The request was sent by another website."""


class Guard:
    """The outermost layer: everything below answers through it."""

    def __init__(
        self, app: ASGIApp, new_id: Callable[[], UUID], watch: Watch, caps: Sequence[tuple[str, int]] = CAPS
    ) -> None:
        self._app, self._new_id, self._watch, self._caps = app, new_id, watch, caps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or lifespan event."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._watch.request(scope, send) as watched:
            await self._answer(scope, receive, _Answer(scope, watched))

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            check_site(scope)
            await self._app(scope, _Capped(scope, receive, self._caps), answer)
        except (BodyTooLarge, CrossSite) as refused:
            await answer.refuse(scope, receive, refused)
        except Exception as error:
            number = str(self._new_id())
            self._watch.fault(error)
            # the message and the values of an error may be personal: only its kind and its place are kept
            LOG.error("unexpected %s, number %s\n%s", type(error).__name__, number, _frames(error))
            await answer.refuse(scope, receive, error, number)


def too_large(cap: str) -> str:
    """The sentence for a body over its cap."""
    return f"this address takes at most {cap}: send less, or split it"


def check_site(scope: Scope) -> None:
    """Refuse a change that a browser was made to send by another site. Raises CrossSite."""
    headers = Headers(scope=scope)
    if scope["method"] in SAFE or "cookie" not in headers:
        return
    origin, fetched = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    if fetched in ("cross-site", "same-site") or (origin and urlsplit(origin).netloc != headers.get("host")):
        raise CrossSite("this was sent by another website: open astrack itself and try again there")


class _Capped:
    """The body of a request, up to its cap."""

    def __init__(self, scope: Scope, receive: Receive, caps: Sequence[tuple[str, int]]) -> None:
        self._receive = receive
        self._left = self._cap = next(cap for prefix, cap in caps if scope["path"].startswith(prefix))
        stated = Headers(scope=scope).get("content-length", "0")
        if stated.isascii() and stated.isdigit() and int(stated[:20]) > self._cap:
            raise BodyTooLarge(too_large(f"{self._cap >> 20} MiB"))

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            # the framework lets only its own exceptions through while it reads a body
            raise HTTPException(413, f"{self._cap >> 20} MiB")
        return message


class _Answer:
    """Sends on what the application answers, with the headers it left out."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send, self._begun = send, False
        self._https = scope["scheme"] == "https"

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            headers = MutableHeaders(scope=message)
            for name, value in API_HEADERS.items():
                headers.setdefault(name, value)
            if self._https:
                headers.setdefault("Strict-Transport-Security", HSTS)
        await self._send(message)

    async def refuse(self, scope: Scope, receive: Receive, error: Exception, number: str = "") -> None:
        """Answer where no answer has begun: people with a page, machines with a problem."""
        if self._begun:
            return
        page = getattr(scope["app"].state, "problem_page", None)
        if page is None or scope["path"].startswith("/api/"):
            await self._problem(errors.problem(error, number))
            return
        said = errors.sentence(error) + (f" Number: {number}" if number else "")
        await page(Request(scope), errors.row(error), said)(scope, receive, self)

    async def _problem(self, problem: dict[str, Any]) -> None:
        body = json.dumps(problem).encode()
        headers = [(b"content-type", PROBLEM.encode()), (b"content-length", b"%d" % len(body))]
        await self({"type": "http.response.start", "status": problem["status"], "headers": headers})
        await self({"type": "http.response.body", "body": body})


def _frames(error: BaseException) -> str:
    return "".join(
        f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in traceback.extract_tb(error.__traceback__)
    )
