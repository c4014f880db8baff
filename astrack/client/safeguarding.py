"""What the API has on the topic `safeguarding`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from astrack.client.calling import Caller, Got, Sent, new_key, part
from astrack.client.shared import Done


class HandOffIn(Sent):
    """Where the concern is kept in the school's own system: a reference, never the story."""

    hand_off_id: UUID
    on: date
    reference: str


class HandOffMade(Got):
    """The hand-off that was made."""

    hand_off_id: UUID


class HandOffOut(Got):
    """A hand-off nobody has taken up yet."""

    hand_off_id: UUID
    on: date
    reference: str
    by: UUID


class TakeBackIn(Sent):
    """Why an outcome was wrong."""

    why: str


class astrack__api__plans__KnownOut(Got):
    """An outcome that only the DSL says and is shown."""

    outcome_id: UUID
    on: date
    code: str
    by: UUID


class SafeguardingCalls(Caller):
    """What the API has on the topic `safeguarding`."""

    def known_outcomes(self, pupil_id: UUID) -> list[astrack__api__plans__KnownOut]:
        """Outcomes that only the DSL says and is shown; the others stand in the story."""
        return self.value(list[astrack__api__plans__KnownOut], "GET", f"/pupils/{part(pupil_id)}/outcomes")

    def hand_off(self, pupil_id: UUID, body: HandOffIn, *, key: str | None = None) -> HandOffMade:
        """Hand a concern to the DSL in the school's own system, and say where it is kept there."""
        return self.value(HandOffMade, "POST", f"/pupils/{part(pupil_id)}/hand-offs", body=body, key=key or new_key())

    def open_hand_offs(self, pupil_id: UUID) -> list[HandOffOut]:
        """The hand-offs about a pupil that nobody has taken up, oldest first."""
        return self.value(list[HandOffOut], "GET", f"/pupils/{part(pupil_id)}/hand-offs")

    def take_back_outcome(self, pupil_id: UUID, outcome_id: UUID, body: TakeBackIn, *, key: str | None = None) -> Done:
        """Say that such an outcome was recorded in error; both stay on record."""
        return self.value(
            Done,
            "POST",
            f"/pupils/{part(pupil_id)}/outcomes/{part(outcome_id)}/take-back",
            body=body,
            key=key or new_key(),
        )

    def acknowledge_hand_off(self, pupil_id: UUID, hand_off_id: UUID, *, key: str | None = None) -> HandOffMade:
        """Take up a hand-off."""
        return self.value(
            HandOffMade,
            "POST",
            f"/pupils/{part(pupil_id)}/hand-offs/{part(hand_off_id)}/acknowledge",
            key=key or new_key(),
        )
