"""What the mailbox speaks on the wire: tus headers, challenges, digests, and every refusal as a problem."""

from __future__ import annotations

import base64
import binascii
import re

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from astrack import errors
from astrack.access import TooManyAttempts
from astrack.mailbox.proof import SCHEME, Challenges, ProofRefused
from astrack.server.guard import PROBLEM, BodyTooLarge, too_large
from domain.base import DomainError

TUS, EXTENSIONS = "1.0.0", "creation,termination,expiration"
CHALLENGE = "Astrack-Challenge"


class TusUnknown(DomainError):
    """The request is not of the tus version that is spoken here."""


class UploadMalformed(DomainError):
    """A header of an upload is missing or is not what it should be."""


class NotABodyOfBytes(DomainError):
    """What is appended to an upload has another type than bytes at an offset."""


class UploadBusy(DomainError):
    """Another request is writing to the same upload."""


class SenderSilent(DomainError):
    """The sender stopped sending in the middle of a request."""


class RangeOutside(DomainError):
    """The part asked for does not lie in the item."""


class ItemMoved(DomainError):
    """The item is not the one that was named."""


class NothingHere(DomainError):
    """There is nothing at this address of the mailbox, or not by this method."""


class Protocol:
    """The rules for every address: tus (1.0, core) below /uploads, and a fresh challenge with each answer."""

    def __init__(self, app: ASGIApp, challenges: Challenges) -> None:
        self._app, self._challenges = app, challenges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or lifespan event."""
        if scope["type"] == "http" and scope["path"].startswith("/uploads"):
            headers = Headers(scope=scope)
            scope["method"] = headers.get("x-http-method-override", scope["method"]).upper()
            if scope["method"] != "OPTIONS" and headers.get("tus-resumable") != TUS:
                unknown = TusUnknown(f"this mailbox speaks tus {TUS}: say so in Tus-Resumable")
                await _answer(unknown, {"Tus-Version": TUS, "Tus-Resumable": TUS})(scope, receive, send)
                return
        await self._app(scope, receive, self._with_challenge(send) if scope["type"] == "http" else send)

    def _with_challenge(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[CHALLENGE] = self._challenges.fresh()
            await send(message)

        return answer


async def refused(request: Request, error: Exception) -> Response:
    """The answer to a refusal: a problem, with what the next try needs in its headers."""
    headers = {"Tus-Resumable": TUS} if request.url.path.startswith("/uploads") else {}
    if isinstance(error, ProofRefused):
        headers["WWW-Authenticate"] = SCHEME
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.wait_s)
    if isinstance(error, HTTPException):
        error = BodyTooLarge(too_large(error.detail)) if error.status_code == 413 else NothingHere(
            "there is nothing at this address, or not by this method: see docs/how-to/mailbox.md")  # fmt: skip
    return _answer(error, headers)


def _answer(error: Exception, headers: dict[str, str]) -> Response:
    return JSONResponse(errors.problem(error), errors.row(error).status, headers, PROBLEM)


def tus(status: int, headers: dict[str, str]) -> Response:
    """An answer of the upload protocol: headers alone."""
    return Response(status_code=status, headers={"Tus-Resumable": TUS, "Cache-Control": "no-store", **headers})


def number(request: Request, name: str, *, least: int = 0) -> int:
    """The whole number in a header. Raises UploadMalformed."""
    text = request.headers.get(name, "")
    if not re.fullmatch(r"(0|[1-9]\d{0,14})", text) or int(text) < least:
        raise UploadMalformed(f"{name} is a whole number from {least}")
    return int(text)


def digest(given: str) -> str:
    """The SHA-256 in a Repr-Digest header (RFC 9530) as hex, "" without one. Raises UploadMalformed."""
    if not given:
        return ""
    found = re.fullmatch(r"sha-256=:([A-Za-z0-9+/]{43}=):", given)
    try:
        return base64.b64decode(found[1] if found else "!", validate=True).hex()
    except binascii.Error as error:
        raise UploadMalformed("Repr-Digest is sha-256=:base64: and nothing else") from error
