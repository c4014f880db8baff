"""A sitting in progress: each answer kept as it is given, sealed with the pupil's own key, resumable on any device."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from astrack.records import Records
from domain.journey.facts import Helper, Mode

SECONDS_MAX = 600.0


@dataclass(slots=True)
class Draft:
    """What has been answered so far. ``answers`` and ``seconds`` by item; ``shown`` is the item on the screen;
    ``helped_by``: the role of the adult who writes for the pupil.
    """

    sitting_id: UUID
    practised: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    shown: str = ""
    shown_at: str = ""
    heard: bool = False
    helped_by: Helper | None = None

    def show(self, item_id: str, now: datetime) -> None:
        """Note which item is on the screen since when; showing the same again starts no new clock."""
        if self.shown != item_id:
            self.shown, self.shown_at = item_id, now.isoformat()

    def answer(self, item_id: str, answer: int, now: datetime) -> None:
        """Keep an answer, and how long it took where that is known."""
        self.answers[item_id] = answer
        if self.shown == item_id and self.shown_at:
            took = (now - datetime.fromisoformat(self.shown_at)).total_seconds()
            self.seconds[item_id] = round(min(SECONDS_MAX, max(0.0, took)), 2)
        self.shown = self.shown_at = ""

    @property
    def mode(self) -> Mode:
        """How it is answered: an adult who writes has read the sentences out too."""
        return "supported" if self.helped_by else "read_aloud" if self.heard else "alone"

    @classmethod
    def read(cls, content: bytes) -> Draft:
        """A draft as it was kept."""
        raw = json.loads(content)
        return cls(**{**raw, "sitting_id": UUID(raw["sitting_id"])})


def draft_id(round_id: UUID, pupil_id: UUID) -> UUID:
    """The one draft of a pupil in a round, found again from any device."""
    return uuid5(round_id, str(pupil_id))


def load(records: Records, round_id: UUID, pupil_id: UUID) -> Draft | None:
    """The draft of a pupil in a round; None where none was begun."""
    content = records.log.load_draft(draft_id(round_id, pupil_id))
    return None if content is None else Draft.read(content)


def save(records: Records, round_id: UUID, pupil_id: UUID, draft: Draft) -> None:
    """Keep a draft under the pupil's own key."""
    raw = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    content = json.dumps({**raw, "sitting_id": str(draft.sitting_id)}).encode()
    stream = records.streams_of(pupil_id).journey_id
    records.log.save_draft(draft_id(round_id, pupil_id), stream, content)


def drop(records: Records, round_id: UUID, pupil_id: UUID) -> None:
    """Forget a draft."""
    records.log.delete_draft(draft_id(round_id, pupil_id))
