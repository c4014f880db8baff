"""What is sent and answered about requests over a record."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints

from astrack.api.common import Body, Day, Line, Note, Out, Why
from astrack.api.family import Changed
from domain.rights import requests as r

ItemName = Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z_]+:[0-9a-z-]+$")]
AgeKey = Annotated[str, StringConstraints(max_length=3000, pattern=r"^[!-~]+$")]


class RequestIn(Body):
    """A request about a record. A pupil's own is always in their own name."""

    request_id: UUID
    kind: r.RequestKind
    asked_by: r.AskedBy
    on: Day
    relation_id: UUID | None = None
    wants: Note = ""


class StopIn(Body):
    """What the school waits for."""

    on: Day
    why: r.StopWhy
    note: Line = ""


class ExtendIn(Body):
    """Why it takes longer; whoever asked is told this."""

    on: Day
    why: Why


class WithholdIn(Body):
    """One item, the exemption, and why it applies."""

    item: ItemName
    because: r.WithheldWhy
    why: Why


class WithholdingReviewIn(Body):
    """A second person's word on one item."""

    item: ItemName
    upheld: bool
    note: Line = ""


class AnswerIn(Body):
    """The answer; a reason where it is not granted whole."""

    on: Day
    outcome: r.Outcome
    why: Note = ""


class RequestCopyIn(Body):
    """The age key of whoever asked, where they have one; else a key is made and shown once."""

    recipient: AgeKey | None = None


class RequestMade(Changed):
    """A request was taken in, or moved on."""

    request_id: UUID


class RequestLine(Out):
    """One request on the list; ``due_on`` is null while the clock stands, and once it has ended."""

    request_id: UUID
    pupil_id: UUID | None
    kind: str
    asked_by: str
    received_on: Day | None
    state: str
    due_on: Day | None
    waiting: int
    outcome: str


class RequestPage(Out):
    """A page of the list of requests, the oldest first."""

    items: list[RequestLine]
    next: str | None


class WithheldOut(Out):
    """One item proposed to be kept back; ``upheld`` is null until a second person has looked."""

    item: str
    because: str
    upheld: bool | None


class RequestOut(Out):
    """One request whole."""

    request_id: UUID
    pupil_id: UUID
    kind: str
    asked_by: str
    wants: str
    received_on: Day
    due_on: Day | None
    stopped_on: Day | None
    stopped_why: str
    extended: bool
    withheld: list[WithheldOut]
    copy_sha256: str | None
    answered_on: Day | None
    outcome: str | None
    withdrawn_on: Day | None
    source: str


class HeldOut(Out):
    """One thing held; ``careful``: given only once a second person has looked."""

    item: str
    group: str
    at: AwareDatetime | None
    what: str
    careful: bool
    content: Any


class RequestCopyOut(Out):
    """A sealed copy, in base64; ``key`` opens it, where it was made here: shown this once."""

    name: str
    sealed: str
    sha256: str
    key: str | None
    given: int
    withheld: int


class Proposed(Out):
    """The items that now wait for a second person."""

    items: list[str]
