"""What the API has on the topic `guidance`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from astrack.client.calling import Caller, Got, Sent, new_key, part


class Entry(Sent):
    """One suggestion in our own words.

    ``evidence`` says what it rests on: "related" (studies of similar support) or "practice" (schools' experience);
    nothing here has been tested with this service. ``tier`` 2 is targeted, 3 specialist.
    """

    id: str
    say: str
    contexts: list[Literal["general", "school"]] = Field(default=["general", "school"])
    ages: list[Literal["8-11", "11-14", "14-18"]] = Field(default=["11-14", "14-18", "8-11"])
    evidence: Literal["related", "practice"] = "practice"
    tier: int = 2


class EntryIn(Sent):
    """A school's own cause, risk or signpost, for two places at most. ``factor`` names a factor, or a pattern;
    ``pole`` is left out where that has no ends.
    """

    kind: Literal["cause", "risk", "signpost"]
    factor: str
    pole: Literal["low", "high"] | None = None
    entry: Signpost | Entry


class EntryOut(Got):
    """One suggestion; a signpost also says who, where, the first sentence, how long, when to stop and when not to.
    ``reviewed_by``, ``reviewed_on``: who found these very words fit for this school, if anybody has.
    """

    id: str
    kind: Literal["cause", "risk", "signpost"]
    say: str
    evidence: str
    tier: int
    own: bool
    reviewed_by: str | None = None
    reviewed_on: date | None = None
    who: str | None = None
    where: str | None = None
    first: str | None = None
    weeks: int | None = None
    stop: str | None = None
    not_when: str | None = None


class GuidanceDone(Got):
    """The entry that was added, retired or reviewed."""

    entry_id: str


class GuidanceOut(Got):
    """What is offered at one place, and the digest that plans name. ``review``: who has read the library's texts
    there, "makers" (written by the makers, not yet reviewed outside) or "outside".
    """

    digest: str
    review: Literal["makers", "outside"]
    entries: list[EntryOut]


class RetireIn(Sent):
    """Why an entry is no longer offered."""

    why: str = ""


class ReviewedIn(Sent):
    """Who read an entry for this school and found it fit, and when."""

    reviewer: str
    happened_on: date


class Signpost(Sent):
    """Something low-level that school can do: by whom, where, the first sentence to say, for how many weeks, when it
    has done its work and when not to begin.
    """

    id: str
    say: str
    contexts: list[Literal["general", "school"]] = Field(default=["general", "school"])
    ages: list[Literal["8-11", "11-14", "14-18"]] = Field(default=["11-14", "14-18", "8-11"])
    evidence: Literal["related", "practice"] = "practice"
    tier: int = 2
    who: str
    where: str
    first: str
    weeks: int
    stop: str
    not_when: str


class GuidanceCalls(Caller):
    """What the API has on the topic `guidance`."""

    def guidance_at(
        self,
        *,
        factor: str,
        age: Literal["8-11", "11-14", "14-18"],
        pole: Literal["low", "high"] | None = None,
        context: Literal["general", "school"] | None = None,
    ) -> GuidanceOut:
        """Causes, risks and signposts at one place, the school's own among them. ``factor``: a factor, with its pole
        and context; or a composite with its context, ``context_gap`` with its pole, ``unsettled``, ``flat`` or
        ``response_quality`` alone.
        """
        return self.value(
            GuidanceOut, "GET", "/guidance", query={"factor": factor, "age": age, "pole": pole, "context": context}
        )

    def add_guidance(self, body: EntryIn, *, key: str | None = None) -> GuidanceDone:
        """Add an entry of the school's own; its id and words must be new."""
        return self.value(GuidanceDone, "POST", "/guidance", body=body, key=key or new_key())

    def retire_guidance(self, entry_id: str, body: RetireIn, *, key: str | None = None) -> GuidanceDone:
        """Stop offering an entry; a place never falls under three. Plans that used it still say so."""
        return self.value(GuidanceDone, "POST", f"/guidance/{part(entry_id)}/retire", body=body, key=key or new_key())

    def review_guidance(self, entry_id: str, body: ReviewedIn, *, key: str | None = None) -> GuidanceDone:
        """Put on record who reviewed an entry and when; it holds for its words as they read now."""
        return self.value(GuidanceDone, "POST", f"/guidance/{part(entry_id)}/review", body=body, key=key or new_key())
