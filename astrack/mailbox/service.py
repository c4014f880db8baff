"""The mailbox over HTTP: uploads by tus 1.0 (core, creation, termination, expiration), boxes for their holders.

Tokens stand in headers, never in an address; what is logged is a route, never what was asked for.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, Response

from astrack.mailbox.items import Item, OffsetWrong, Standing
from astrack.mailbox.limits import ASK, BEGIN, WRONG, Rates
from astrack.mailbox.proof import Challenges, ProofRefused, proved, token_of
from astrack.mailbox.shelf import BoxUnknown, InviteRefused, Shelf, named
from astrack.mailbox.wire import (
    EXTENSIONS,
    TUS,
    ItemMoved,
    NotABodyOfBytes,
    Protocol,
    RangeOutside,
    SenderSilent,
    UploadBusy,
    UploadMalformed,
    digest,
    number,
    refused,
    tus,
)
from astrack.server.guard import Guard
from astrack.server.watching import Watch
from domain.base import DomainError
from transfer.errors import TransferRefused
from transfer.evidence.note import Kind, Verifier

BOX = "Astrack-Box"
OFFSET_TYPE, SEALED = "application/offset+octet-stream", "application/octet-stream"
WRITE_BYTES, LISTED_MAX, SMALL_BYTES = 1 << 20, 200, 1 << 16
SILENCE_S, SWEEP_S = 60.0, 60.0
SPAN = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
log = logging.getLogger(__name__)


class JoinIn(BaseModel):
    """An invitation and the public key of the box to be."""

    model_config = ConfigDict(extra="forbid")
    invite: Annotated[str, Field(max_length=100)]
    key: Annotated[str, Field(max_length=200)]


class Desk:
    """What every request of one mailbox needs."""

    def __init__(self, shelf: Shelf, address: str, clock: Callable[[], datetime]) -> None:
        self.shelf, self.address = shelf, address
        self.rates, self.challenges = Rates(clock), Challenges(clock)

    def holder(self, request: Request) -> str:
        """The token of the box whose holder signed this request. Raises ProofRefused, TooManyAttempts."""
        token, challenge = self.proved(request, self.shelf.key_of)
        self.rates.spend(ASK, f"ask/{named(token)}")
        self.challenges.use(challenge)
        return token

    def proved(self, request: Request, key_of: Callable[[str], Verifier | None]) -> tuple[str, str]:
        """(token, challenge) of a signed request, the challenge not used yet."""
        self.rates.check(WRONG, _from(request))
        given = request.headers.get("authorization", "")
        try:
            return proved(given, request.method, self.address, request.url.path, key_of)
        except ProofRefused:
            if given:
                self.rates.spend(WRONG, _from(request))
            raise


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _holder(request: Request) -> str:
    return _desk(request).holder(request)


DeskOf = Annotated[Desk, Depends(_desk)]
Holder = Annotated[str, Depends(_holder)]


def build(shelf: Shelf, address: str, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> FastAPI:
    """The mailbox over an open folder; ``address`` is how its users reach it."""
    site = FastAPI(
        title="astrack mailbox", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
        lifespan=_sweeping,
    )  # fmt: skip
    site.state.desk, site.state.problem_page = Desk(shelf, address, clock), None
    _uploads(site)
    _boxes(site)
    for kind in (DomainError, TransferRefused, RequestValidationError, HTTPException):
        site.add_exception_handler(kind, refused)
    site.add_middleware(Protocol, challenges=site.state.desk.challenges)
    cap = shelf.limits.item_bytes
    site.add_middleware(Guard, new_id=new_id, watch=Watch(), caps=(("/uploads", cap), ("/", SMALL_BYTES)))
    return site


def _uploads(site: FastAPI) -> None:
    """The sender's side: tus 1.0."""

    @site.options("/uploads")
    @site.options("/uploads/{item_id}")
    def options(desk: DeskOf) -> Response:
        return tus(204, {"Tus-Version": TUS, "Tus-Extension": EXTENSIONS,
                          "Tus-Max-Size": str(desk.shelf.limits.item_bytes)})  # fmt: skip

    @site.post("/uploads")
    def begin(request: Request, desk: DeskOf) -> Response:
        desk.rates.check(WRONG, _from(request))
        token, length = request.headers.get(BOX, ""), number(request, "upload-length", least=1)
        if any(request.headers.get(name) for name in ("upload-metadata", "upload-defer-length")):
            raise UploadMalformed("this mailbox takes a length and a box, and nothing that tells more: leave it out")
        try:
            desk.rates.spend(BEGIN, f"begin/{named(token)}")
            item = desk.shelf.begin(token, length, digest(request.headers.get("repr-digest", "")))
        except BoxUnknown:
            desk.rates.spend(WRONG, _from(request))
            raise
        return tus(201, {"Location": f"{desk.address}/uploads/{item.id}", **_until(item)})

    @site.head("/uploads/{item_id}")
    def stands(item_id: str, desk: DeskOf) -> Response:
        item = desk.shelf.item(item_id)
        return tus(200, {"Upload-Offset": str(item.offset), "Upload-Length": str(item.length), **_until(item)})

    @site.patch("/uploads/{item_id}")
    async def append(item_id: str, request: Request, desk: DeskOf) -> Response:
        item = desk.shelf.item(item_id)
        desk.rates.spend(ASK, f"append/{item_id}")
        if request.headers.get("content-type") != OFFSET_TYPE:
            raise NotABodyOfBytes(f"what is appended has the type {OFFSET_TYPE}")
        with _alone(item):
            at = number(request, "upload-offset")
            if at != item.offset:
                raise OffsetWrong(f"the upload stands at {item.offset}, not at {at}: ask with HEAD and go on there")
            await _take(request, desk.shelf, item)
        return tus(204, {"Upload-Offset": str(item.offset), **_until(item)})

    @site.delete("/uploads/{item_id}")
    def call_back(item_id: str, desk: DeskOf) -> Response:
        item = desk.shelf.item(item_id)
        with _alone(item):
            item.offset  # noqa: B018 - says that it was collected
            desk.shelf.drop(item)
        return tus(204, {})


def _boxes(site: FastAPI) -> None:
    """The recipient's side: whoever signs with the box's key."""

    @site.post("/boxes")
    def join(body: JoinIn, request: Request, desk: DeskOf) -> Response:
        key = Verifier.parse(body.key)
        if key.kind is not Kind.ED25519:
            raise UploadMalformed("the key of a box is an Ed25519 key")
        _, challenge = desk.proved(request, {token_of(key): key}.get)
        desk.challenges.use(challenge)
        try:
            return JSONResponse({"token": desk.shelf.join(body.invite, key)}, 201)
        except InviteRefused:
            desk.rates.spend(WRONG, _from(request))
            raise

    @site.get("/box")
    def waiting(token: Holder, desk: DeskOf) -> Response:
        found = desk.shelf.waiting(token)
        listed = [{"id": one.id, "bytes": one.length, "sha256": one.sha256, "until": one.until.isoformat()}
                  for one in found[:LISTED_MAX]]  # fmt: skip
        return JSONResponse({"items": listed, "more": len(found) > LISTED_MAX})

    @site.get("/box/{item_id}")
    def fetch(item_id: str, request: Request, token: Holder, desk: DeskOf) -> Response:
        item = desk.shelf.of_box(token, item_id)
        if span := SPAN.fullmatch(request.headers.get("range", "")):
            first, last = int(span[1]), int(span[2] or item.length - 1)
            if not first <= last or first >= item.length:
                raise RangeOutside(f"the item has {item.length} bytes: ask for a part that lies in it")
        return FileResponse(item.part, headers={"ETag": _etag(item)}, media_type=SEALED)

    @site.delete("/box/{item_id}")
    def collected(item_id: str, request: Request, token: Holder, desk: DeskOf) -> Response:
        item = desk.shelf.of_box(token, item_id)
        if request.headers.get("if-match") != _etag(item):
            raise ItemMoved("say with If-Match which bytes you have: the item is kept until then")
        desk.shelf.collected(item)
        return Response(status_code=204)

    @site.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}


@contextmanager
def _alone(item: Item) -> Iterator[None]:
    """One writer at a time for an item. Raises UploadBusy."""
    if not item.lock.acquire(blocking=False):
        raise UploadBusy("another request is writing to this upload: wait a moment, then ask with HEAD")
    try:
        yield
    finally:
        item.lock.release()


async def _take(request: Request, shelf: Shelf, item: Item) -> None:
    """Append the body as it comes; what came before it broke off counts."""
    try:
        async for block in _blocks(request):
            await run_in_threadpool(item.append, block)
    except ClientDisconnect:
        log.info("a sender broke off; what came is kept")
    finally:
        await run_in_threadpool(shelf.settle, item)


async def _blocks(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces worth a write each; what is left when the sender breaks off comes before the error."""
    held, stream = bytearray(), request.stream().__aiter__()
    try:
        while True:
            with anyio.fail_after(SILENCE_S):
                held += await anext(stream)
            if len(held) >= WRITE_BYTES:
                yield bytes(held)
                held.clear()
    except StopAsyncIteration:
        if held:
            yield bytes(held)
    except (ClientDisconnect, TimeoutError) as error:
        if held:
            yield bytes(held)
        if isinstance(error, TimeoutError):
            raise SenderSilent("nothing came for a minute: ask with HEAD and go on") from error
        raise


@asynccontextmanager
async def _sweeping(site: FastAPI) -> AsyncIterator[None]:
    """Forget what is over, once a minute while the mailbox is served."""
    shelf: Shelf = site.state.desk.shelf

    async def sweep() -> None:
        while True:
            if over := await run_in_threadpool(shelf.sweep):
                log.info("%d items were over and are forgotten", over)
            await anyio.sleep(SWEEP_S)

    async with anyio.create_task_group() as group:
        group.start_soon(sweep)
        yield
        group.cancel_scope.cancel()


def _until(item: Item) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(item.until, usegmt=True)} if item.standing is Standing.COMING else {}


def _etag(item: Item) -> str:
    return f'"{item.sha256}"'


def _from(request: Request) -> str:
    return f"from/{request.client.host if request.client else ''}"
