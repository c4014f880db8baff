"""What the API has on the topic `lists`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from astrack.client.calling import Caller, Got, Sent, part


class Absentee(Got):
    """One pupil who has not sat a round; `not_today_on`: the last day they said "not today", else null."""

    pupil_id: UUID
    name: str
    year_group: int | None
    groups: list[tuple[str, str]]
    not_today_on: date | None


class CohortCell(Got):
    """One group's newest sittings; every number is null where the group is too small to be shown."""

    name: str
    shown: bool
    pupils: int | None
    mean: list[float | None] | None
    spread: list[float | None] | None
    moved_pupils: int | None
    moved: list[float | None] | None
    flagged: int | None


class LookLine(Got):
    """One pupil to look at, and what stands out most; review it under `sign_id`. A few are drawn by a round without
    any sign, and nothing tells them apart until somebody has looked. No name for an auditor.
    """

    pupil_id: UUID
    name: str | None
    year_group: int | None
    sign_id: UUID
    said: str
    behind: bool


class NeedLine(Got):
    """One pupil worth a look: how much, since when, how many signs nobody has looked at. No name for an auditor."""

    pupil_id: UUID
    name: str | None
    year_group: int | None
    need: float
    unreviewed: int
    newest_on: date | None
    due_on: date | None
    talk_on: date | None
    flags: dict[str, dict[str, Any]]
    behind: bool


class NeedPage(Got):
    """A page of pupils by need."""

    items: list[NeedLine]
    next: str | None


class OnRoll(Got):
    """One pupil on a list of names."""

    pupil_id: UUID
    name: str
    year_group: int | None
    groups: list[tuple[str, str]]


class PlanLine(Got):
    """One running plan: whose, what for, when the next look is due."""

    plan_id: UUID
    pupil_id: UUID
    goal: str
    factor: str | None
    owner_id: UUID
    end_on: date
    due_on: date
    overdue: bool


class PlanPage(Got):
    """A page of running plans, the next due first."""

    items: list[PlanLine]
    next: str | None


class RollPage(Got):
    """A page of the roll, by surname."""

    items: list[OnRoll]
    next: str | None


class RoundLine(Got):
    """One round in numbers of the pupils you may see; no numbers for roles that see none.

    Of those expected who have not sat, some said "not today" and the others are absent.
    """

    round_id: UUID
    name: str
    opens_on: date
    closes_on: date
    year_groups: list[int]
    closed: bool
    expected: int | None
    sat: int | None
    not_today: int | None
    absent: int | None


class Search(Sent):
    """A part of a name. It is sent in the body, because addresses end up in logs."""

    name: str
    on_roll: bool = True


class TransferLine(Got):
    """One transfer: which way, how far, and by when."""

    transfer_id: UUID
    pupil_id: UUID | None
    direction: str
    kind: str
    state: str
    other_school_id: UUID | None
    lawful_basis: str
    protected: bool
    accepted_on: date | None
    start_on: date | None
    not_after: date | None
    moved_at: datetime
    facts: int | None


class TransferPage(Got):
    """A page of the ledger, the last moved first."""

    items: list[TransferLine]
    next: str | None


class ListsCalls(Caller):
    """What the API has on the topic `lists`."""

    def roll(self, *, limit: int = 50, cursor: str | None = None, on_roll: bool = True) -> RollPage:
        """The pupils whose names you may see, by surname."""
        return self.value(RollPage, "GET", "/pupils", query={"limit": limit, "cursor": cursor, "on_roll": on_roll})

    def search(self, body: Search) -> list[OnRoll]:
        """Pupils whose names begin so, among those whose names you may see. Changes nothing, so it needs no key."""
        return self.value(list[OnRoll], "POST", "/pupils/search", body=body)

    def by_need(self, *, limit: int = 50, cursor: str | None = None) -> NeedPage:
        """Pupils with early signs, most in need first; for those who review signs, without pupils they are to look
        at.
        """
        return self.value(NeedPage, "GET", "/pupils/by-need", query={"limit": limit, "cursor": cursor})

    def to_look_at(self, *, limit: int = 60) -> list[LookLine]:
        """Who is to be looked at: up to the review load, in an order that tells nothing."""
        return self.value(list[LookLine], "GET", "/pupils/lists/new", query={"limit": limit})

    def one_list(self, name: Literal["due", "better", "talks"], *, limit: int = 60) -> list[NeedLine]:
        """Whose plan is due, who is getting better, who asked to talk."""
        return self.value(list[NeedLine], "GET", f"/pupils/lists/{part(name)}", query={"limit": limit})

    def plans(self, *, mine: bool = False, limit: int = 50, cursor: str | None = None) -> PlanPage:
        """Running plans of the pupils you may see, the next due first; `mine` for those you own."""
        return self.value(PlanPage, "GET", "/plans", query={"mine": mine, "limit": limit, "cursor": cursor})

    def rounds(self, *, limit: int = 30) -> list[RoundLine]:
        """The school's rounds, the newest first, with how many of the pupils you may see have sat."""
        return self.value(list[RoundLine], "GET", "/rounds", query={"limit": limit})

    def absentees(self, round_id: UUID, *, limit: int = 200) -> list[Absentee]:
        """Pupils who are expected in a round and have not sat it yet, and who of them said "not today"."""
        return self.value(list[Absentee], "GET", f"/rounds/{part(round_id)}/absentees", query={"limit": limit})

    def cohort_view(
        self, *, dimension: str = "year", since: date | None = None, until: date | None = None
    ) -> list[CohortCell]:
        """How the groups of one dimension stand; fewer than ten pupils are never shown."""
        return self.value(
            list[CohortCell], "GET", "/cohort", query={"dimension": dimension, "since": since, "until": until}
        )

    def transfers(
        self, *, direction: Literal["in", "out"] | None = None, limit: int = 50, cursor: str | None = None
    ) -> TransferPage:
        """The ledger: what was prepared, sent, received, acknowledged; the last moved first."""
        return self.value(
            TransferPage, "GET", "/transfers", query={"direction": direction, "limit": limit, "cursor": cursor}
        )
