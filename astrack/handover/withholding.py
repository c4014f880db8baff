"""What a student's own copy holds and what it does not: the policy, and how one fact is left out of a proved story.

The policy is told in full in docs/own-copy.md, and in the file itself: under ``omissions``, and at each entry left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args
from uuid import UUID

from astrack.handover.entries import entries_of
from domain.base import DomainError
from domain.journey.outside import FOR_THE_DSL
from transfer import story
from transfer.evidence import Unit, chain
from transfer.manifest import Omission
from transfer.story import Line

Reason = Literal["third_party", "serious_harm", "in_confidence"]
REASONS: Mapping[str, str] = {
    "third_party": "it tells about another person, whose privacy weighs more here; a reviewer decided",
    "serious_harm": "reading it could seriously harm somebody's health; a reviewer decided",
    "in_confidence": "it was told to the school in confidence by somebody else; a reviewer decided",
}
NOTE_UNREAD = "it has a staff note that nobody has read yet for what it says of other people: ask the school to read it"
CODES_OF_THE_DSL = tuple(sorted(code.encode() for code in FOR_THE_DSL))
NOT_OF_THE_STORY = "it does not belong in the story, and is not part of what is handed on with it"
"""An outcome that earlier versions kept in the journey; the reason does not say of what kind it is."""
POLICY = (
    Omission("other people", "an entry that tells about somebody else is left out when a reviewer finds that it does; "
             "it stays counted, with the reason beside it"),
    Omission("staff notes that were not read", "they are yours once somebody has read them for what they say of "
             "others; until then they are counted, and the school reads them when you ask"),
)  # fmt: skip


class ReasonUnknown(DomainError):
    """A fact is withheld for a reason that the policy does not have."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reviewer decided for one copy: whether the staff notes were read, and what stays out, by event id."""

    notes_read: bool = False
    withheld: Mapping[UUID, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not set(self.withheld.values()) <= set(get_args(Reason)):
            raise ReasonUnknown(f"a fact is withheld for one of these reasons only: {', '.join(REASONS)}")

    def values(self) -> dict[str, object]:
        """As kept with the transfer, so that sealing again gives the same."""
        return {"notes_read": self.notes_read, "withheld": {str(one): why for one, why in self.withheld.items()}}

    @classmethod
    def parse(cls, kept: Mapping[str, object]) -> Choice:
        """What ``values`` gave."""
        withheld = kept["withheld"]
        assert isinstance(withheld, dict)
        return cls(bool(kept["notes_read"]), {UUID(one): why for one, why in withheld.items()})

    def why(self, payload: bytes) -> str:
        """Why a fact is left out, "" when it is not."""
        fact = json.loads(chain.innermost(payload)[1])
        data = fact["data"]
        reason = self.withheld.get(UUID(fact["event_id"]))
        if reason is not None:
            return REASONS[reason]
        if of_the_dsl(payload):
            return NOT_OF_THE_STORY
        noted = data.get("note") or (data.get("changes") or {}).get("note")
        return NOTE_UNREAD if noted and not self.notes_read else ""


def of_the_dsl(payload: bytes) -> bool:
    """Whether a fact of a journey says what is the DSL's alone, as earlier versions let it."""
    return says_the_dsls(chain.innermost(payload)[1])


def says_the_dsls(innermost: bytes) -> bool:
    """``of_the_dsl`` of a payload that was taken out of its envelopes."""
    if not any(code in innermost for code in CODES_OF_THE_DSL):
        return False
    data = json.loads(innermost)["data"]
    return (data.get("code") or (data.get("changes") or {}).get("code")) in FOR_THE_DSL


WHOLE = Choice(notes_read=True)
"""What goes to another school: all of the story."""


def withhold(
    choice: Choice, lines: Sequence[Line], own: Unit, kept: Sequence[Unit]
) -> tuple[list[Line], Unit, list[Unit]]:
    """(the lines, the sender's unit, the others) without what the choice leaves out; every chain stays whole.

    An entry in an envelope that is left out stays in its own log's evidence, unopened.
    """
    before = story.threads_of(own.origin, own.indexes, lines)
    left = [_left(choice, line) for line in lines]
    reasons = {line.entry: line.omitted for line in left if line.omitted}
    for line, now in zip(lines, left, strict=True):
        if now.omitted and line.payload is not None:
            reasons |= {inner.entry: now.omitted for inner in chain.nested(line.payload)}
    after = story.threads_of(own.origin, own.indexes, left)
    units = []
    for unit in (own, *kept):
        shown = after.found.get((unit.origin, unit.stream), {})
        if shown:
            known = {line.entry: line.omitted for line in unit.others} | reasons
            whole = zip(unit.indexes, entries_of(unit, before), strict=True)
            others = tuple(Line(entry, omitted=known[entry]) for index, entry in whole if index not in shown)
            units.append(replace(unit, others=others))
    return left, units[0], units[1:]


def _left(choice: Choice, line: Line) -> Line:
    why = "" if line.payload is None else choice.why(line.payload)
    return Line(line.entry, omitted=why) if why else line
