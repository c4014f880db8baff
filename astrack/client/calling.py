"""How the client asks: a request with its headers and repeats, and what comes back as a value or a Problem."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, ParamSpec, Protocol, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
from pydantic import BaseModel, ConfigDict, PrivateAttr, TypeAdapter, ValidationError

PREFIX = "/api/v1"
TIMEOUT_S = 30.0
TRIES = 3
WAIT_S = 0.25
WAIT_MAX_S = 10.0
AGAIN = frozenset({429, 503})
"""What is asked once more after the time the service names, where that is at most WAIT_MAX_S."""
T = TypeVar("T")
One = TypeVar("One", covariant=True)
P = ParamSpec("P")


class Model(BaseModel):
    """What is sent and what comes back; ``etag`` is the version it came with, for the change that is decided on it."""

    _etag: str | None = PrivateAttr(default=None)

    @property
    def etag(self) -> str | None:
        """The version this was read at, None where the service gives none."""
        return self._etag


class Sent(Model):
    """What is sent: a field that the service does not know is refused here already."""

    model_config = ConfigDict(extra="forbid")


class Got(Model):
    """What comes back: fields of a later version are passed over."""

    model_config = ConfigDict(extra="ignore")


class Problem(Exception):
    """A refusal (RFC 9457). Each type of problem is a class of its own in ``astrack.client.problems``."""

    slug: ClassVar[str] = ""

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        self.status = status
        self.type = str(told.get("type", "about:blank"))
        self.title = str(told.get("title", ""))
        self.detail = str(told.get("detail", f"the service answered {status} and no more"))
        self.instance: str | None = told.get("instance")
        self.errors: Sequence[Mapping[str, str]] = told.get("errors", ())
        super().__init__(self.detail)


KINDS: dict[str, type[Problem]] = {}
"""Every type of problem by the end of its address."""


def problem_type(name: str, slug: str) -> type[Problem]:
    """The class of one type of problem."""
    KINDS[slug] = type(name, (Problem,), {"slug": slug, "__doc__": f"The problem `{slug}`."})
    return KINDS[slug]


class OutOfReach(Exception):
    """The service could not be reached, or did not answer in time; a change may or may not have been carried out.

    Sending it again with the same key is safe: it is carried out once.
    """


class Misread(Exception):
    """What came back is not what the description of the API promises: this client is older than the service."""


class Unchanged(Exception):
    """It is as it was at the version named as ``if_none_match``: nothing was sent."""


class Page(Protocol[One]):
    """A page of a list."""

    @property
    def items(self) -> Sequence[One]:
        """What stands on it."""

    @property
    def next(self) -> str | None:
        """The cursor of the page after, None on the last."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One service as one caller sees it. ``sleep`` waits some seconds between two tries."""

    http: httpx.Client
    tries: int = TRIES
    sleep: Callable[[float], None] = time.sleep

    def value(self, kind: type[T], method: str, path: str, **asked: Any) -> T:
        """What the service answers, as a value of a kind. Raises Problem, OutOfReach, Misread, Unchanged."""
        answer = self.answer(method, path, **asked)
        try:
            found = TypeAdapter(kind).validate_json(answer.content)
        except ValidationError as error:
            raise Misread(f"{method} {path}: {error.error_count()} fields are not as described") from error
        if isinstance(found, Model):
            found._etag = answer.headers.get("etag")
        return found

    def text(self, method: str, path: str, **asked: Any) -> str:
        """A text. Raises Problem, OutOfReach."""
        return self.answer(method, path, **asked).text

    def content(self, method: str, path: str, **asked: Any) -> bytes:
        """A file. Raises Problem, OutOfReach."""
        return self.answer(method, path, **asked).content

    def answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Model | None = None,
        content: bytes | None = None,
        key: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> httpx.Response:
        """One request, repeated where that is safe: a look, or a change with its key."""
        headers = {"Idempotency-Key": key, "If-Match": if_match, "If-None-Match": if_none_match}
        if body is not None:
            content = body.model_dump_json(exclude_unset=True, by_alias=True).encode()
        kind = "application/octet-stream" if body is None else "application/json"
        request = self.http.build_request(
            method, PREFIX + path, content=content, params=_texts(query or {}),
            headers=_texts({**headers, "Content-Type": None if content is None else kind}),
        )  # fmt: skip
        answer = self._sent(request, self.tries if method == "GET" or key else 1)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            raise Unchanged(f"{method} {path}: it is as it was")
        if not answer.is_success:
            raise problem_of(answer)
        return answer

    def _sent(self, request: httpx.Request, tries: int) -> httpx.Response:
        for left in range(tries - 1, -1, -1):
            wait = WAIT_S * 4 ** (tries - 1 - left)
            try:
                answer = self.http.send(request)
            except httpx.TransportError as error:
                if not left:
                    raise OutOfReach(f"{request.method} {request.url.path}: {type(error).__name__}") from error
            else:
                wait = _seconds(answer.headers.get("retry-after"), wait)
                if answer.status_code not in AGAIN or not left or wait > WAIT_MAX_S:
                    return answer
            self.sleep(wait)
        raise AssertionError("a request is tried once at least")


def problem_of(answer: httpx.Response) -> Problem:
    """The refusal an answer tells of."""
    try:
        told = answer.json()
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    slug = str(told.get("type", "")).rpartition("/")[2]
    return KINDS.get(slug, Problem)(answer.status_code, told)


def every(ask: Callable[P, Page[T]], *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
    """Everything on a list, page after page: ``every(client.lists.roll, on_roll=True)``."""
    cursor: str | None = None
    while True:
        page = ask(*args, **{**kwargs, "cursor": cursor})  # type: ignore[arg-type]
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def new_key() -> str:
    """A fresh key for one change."""
    return str(uuid4())


def part(value: str | int | UUID) -> str:
    """A part of an address."""
    return quote(str(value), safe="")


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value is not None
    }


def _seconds(told: str | None, otherwise: float) -> float:
    return float(told) if told and told.isascii() and told.isdigit() else otherwise
