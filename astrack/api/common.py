"""What every route of the API shares: headers, limits, models, pages of a list, versions of a record."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from astrack.access.callers import Caller
from domain.base import DomainError
from domain.journey.facts import Group
from domain.school_year import FIRST_DAY, LAST_DAY

PAGE_MAX = 200


class BadCursor(DomainError):
    """The cursor of a page is not one that this list gave out."""


class VersionNeeded(DomainError):
    """This change replaces a whole statement and must say which version it replaces."""


class Body(BaseModel):
    """What a caller sends: nothing unknown, nothing endless."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Out(BaseModel):
    """What the service answers: of what a command answers, the fields that are named here."""

    model_config = ConfigDict(extra="ignore")


def _text(least: int, most: int) -> StringConstraints:
    # no control characters, and none that turn the direction of writing: they have no place in a name or a note
    unseen = r"\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069"
    return StringConstraints(min_length=least, max_length=most, pattern=f"^[^{unseen}]*$")


Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, examples=["2026-11-24"])]
Code = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Line = Annotated[str, _text(0, 200)]
Name = Annotated[str, _text(1, 100)]
Note = Annotated[str, _text(0, 1000)]
Why = Annotated[str, _text(10, 500)]
YearGroup = Annotated[int, Field(ge=-2, le=14)]
GroupList = Annotated[list[Group], Field(max_length=40)]

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$",
        description="A fresh random text for each new request; repeat it to repeat the request safely.",
        examples=["0b6f3c1e-2f0a-4e9c-8a53-1f0d7f6f2a11"],
    ),
]  # fmt: skip
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", pattern=r'^"[0-9]{1,15}"$', description="The ETag this change was decided on."),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Cursor = Annotated[
    str | None, Query(max_length=400, pattern=r"^[A-Za-z0-9_-]*$", description="`next` of the page before.")
]


class Done(Out):
    """A change to a pupil's record that was carried out; no events where nothing was left to do."""

    pupil_id: UUID
    events: list[UUID]


class Empty(Out):
    """Carried out; there is nothing to say about it."""


async def _raw(request: Request) -> bytes:
    return await request.body()


Raw = Annotated[bytes, Depends(_raw)]
"""The body as it is; name it after the caller, so that a stranger's body is never read."""


def file_body(what: str) -> dict[str, Any]:
    """How a route that takes a file describes its body."""
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "description": what, "content": content}}


def expected(if_match: str | None) -> int | None:
    """The version an If-Match header names."""
    return None if if_match is None else int(if_match.strip('"'))


def needed(if_match: str | None) -> int:
    """The same where it must be given. Raises VersionNeeded."""
    version = expected(if_match)
    if version is None:
        raise VersionNeeded("send the ETag of what you saw as If-Match: this replaces the whole statement")
    return version


def unchanged(request: Request, response: Response, version: int) -> bool:
    """Set the ETag of a record; True when the caller has that version already."""
    tag = f'"{version}"'
    response.headers["ETag"] = tag
    return tag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]


def cursor_of(value: Any) -> str:
    """A value as an opaque cursor."""
    return urlsafe_b64encode(json.dumps(value, separators=(",", ":"), default=str).encode()).decode()


def read_cursor(text: str | None) -> Any:
    """What a cursor holds; None for the first page. Raises BadCursor."""
    if not text:
        return None
    try:
        return json.loads(urlsafe_b64decode(text.encode()))
    except (ValueError, RecursionError) as error:
        raise BadCursor("this cursor is not one of this list's: start again without it") from error


def cursor_uuid(text: str | None) -> UUID | None:
    """The id a cursor holds. Raises BadCursor."""
    value = read_cursor(text)
    try:
        return UUID(value) if value is not None else None
    except (ValueError, AttributeError, TypeError) as error:
        raise BadCursor("this cursor is not one of this list's: start again without it") from error


def cursor_number(text: str | None) -> int:
    """The position a cursor holds, -1 for the beginning. Raises BadCursor."""
    value = read_cursor(text)
    if value is None:
        return -1
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise BadCursor("this cursor is not one of this list's: start again without it")
    return value


def cursor_place(text: str | None) -> tuple[date, UUID] | None:
    """The day and the id a cursor holds. Raises BadCursor."""
    value = read_cursor(text)
    if value is None:
        return None
    try:
        day, one = value
        return date.fromisoformat(day), UUID(one)
    except (ValueError, AttributeError, TypeError) as error:
        raise BadCursor("this cursor is not one of this list's: start again without it") from error


def caught_up(caller: Caller) -> None:
    """Bring this school's read models up to what is recorded."""
    caller.app.views.catch_up(caller.records.school_id)
