"""What several topics of the API have in common. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from astrack.client.calling import Got, Sent


class CorrectionIn(Sent):
    """Which fact was wrong, what is right, and why."""

    corrects: UUID
    changes: dict[str, str | bool | int | float | list[Group] | list[str] | None]
    why: str


class Done(Got):
    """A change to a pupil's record that was carried out; no events where nothing was left to do."""

    pupil_id: UUID
    events: list[UUID]


class Empty(Got):
    """Carried out; there is nothing to say about it."""


class Group(Got):
    """A group a pupil belongs to: its dimension ("tutor group", "house", any imported field) and its name."""

    dimension: str
    name: str


class LookedAtIn(Sent):
    """What a person sees in a pupil without flags."""

    concern: bool
    note: str = ""


class OnDay(Sent):
    """The day it happened."""

    on: date


class OutcomeIn(Sent):
    """What later came to pass, as a code, and where that is known from; `self_harm` is for the DSL alone."""

    outcome_id: UUID
    on: date
    code: Literal[
        "none",
        "bullied",
        "self_harm",
        "not_coping",
        "referral",
        "attendance",
        "behaviour",
        "peer_difficulty",
        "anxiety_support",
        "exclusion",
        "other",
    ]
    source: Literal[
        "staff", "dsl", "pupil", "family", "attendance_record", "behaviour_record", "health", "outside_service"
    ]


class Scope(Got):
    """A filter over pupils. ``everyone`` sees the whole school; otherwise every dimension named must match.

    ``dimensions`` maps a dimension ("year", "tutor group", "house", any imported field) to the names allowed in it;
    the year group counts as the dimension "year" with its number as text. An empty scope covers nobody.
    ``usable_only``: a list leaves out records that are restricted; it belongs to one question and is never stored.
    """

    everyone: bool = False
    dimensions: dict[str, list[str]] = Field(default={})
