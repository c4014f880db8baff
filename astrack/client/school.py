"""What the API has on the topic `school`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from astrack.client.calling import Caller, Got, Sent, new_key, part
from astrack.client.shared import Empty


class Counts(Sent):
    """How many pupils were expected to sit, how many did, and how many of the others said "not today"."""

    expected: int
    sat: int
    not_today: int | None = None


class RoundIn(Sent):
    """A window in which pupils of some year groups sit an instrument; the newest one where none is named."""

    round_id: UUID
    name: str
    opens_on: date
    closes_on: date
    year_groups: list[int]
    instrument: str | None = None
    instrument_version: int | None = None


class RoundMade(Got):
    """The round that was opened."""

    round_id: UUID


class RoundOut(Got):
    """One assessment round."""

    round_id: UUID
    name: str
    opens_on: date
    closes_on: date
    year_groups: list[int]
    instrument: str
    instrument_version: int
    closed: bool


class SchoolIn(Sent):
    """What the school is called and numbered."""

    name: str
    urn: str = ""
    lea: str = ""
    estab: str = ""
    origin: str = ""
    maintained: bool = True


class SchoolOut(Got):
    """The school as its own facts state it; no name before it was registered."""

    school_id: UUID
    name: str | None
    urn: str
    maintained: bool | None
    terms: dict[str, list[Term]]


class Term(Got):
    """The first and last school day of one term, half-terms and holidays given as separate terms."""

    first_on: date
    last_on: date


class TermIn(Sent):
    """The first and last school day of a term."""

    first_on: date
    last_on: date


class TermsIn(Sent):
    """One academic year's terms, stated whole."""

    academic_year: str
    terms: list[TermIn]


class SchoolCalls(Caller):
    """What the API has on the topic `school`."""

    def open_round(self, body: RoundIn, *, key: str | None = None) -> RoundMade:
        """Open an assessment round."""
        return self.value(RoundMade, "POST", "/rounds", body=body, key=key or new_key())

    def school(self) -> SchoolOut:
        """Which school this is, and when it keeps term."""
        return self.value(SchoolOut, "GET", "/school")

    def register_school(self, body: SchoolIn, *, key: str | None = None) -> Empty:
        """Set the school up, or state its particulars anew."""
        return self.value(Empty, "PUT", "/school", body=body, key=key or new_key())

    def set_term_dates(self, body: TermsIn, *, key: str | None = None) -> Empty:
        """State the terms of one academic year."""
        return self.value(Empty, "POST", "/school/terms", body=body, key=key or new_key())

    def one_round(self, round_id: UUID) -> RoundOut:
        """One round: when it is open, for whom, and whether it is over."""
        return self.value(RoundOut, "GET", f"/rounds/{part(round_id)}")

    def close_round(self, round_id: UUID, body: Counts, *, key: str | None = None) -> Empty:
        """Close a round."""
        return self.value(Empty, "POST", f"/rounds/{part(round_id)}/close", body=body, key=key or new_key())
