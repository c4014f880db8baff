"""From DSL to DSL (designated safeguarding lead): what is theirs of a pupil, as a file of its own.

It goes to the school that the record went to, says which transfer it follows, and names no pupil: the receiver finds
them by that transfer. Nothing of it is in the record's own file, and that file does not show whether there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from astrack.changing import Answer, Ask, Decided
from astrack.handover.base import numbering
from astrack.handover.sending import DAYS
from astrack.handover.supplements import AS_BEFORE, Supplementing
from astrack.store.vault import Transfer
from domain import safeguarding
from domain.base import Event, Stamp
from domain.safeguarding import SafeguardingFilePrepared


class DslToDsl(Supplementing):
    """Safeguarding files, sent."""

    def safeguarding_file(self, ask: Ask, pupil_id: UUID) -> Answer:
        """Seal what is the DSL's of a pupil for the school that their record went to, or is on its way to.

        Raises NotAfterwards, NothingToHandOver, BadKeyDocument, NoSuchPupil.
        """
        target = self.records.safeguarding_of(pupil_id)
        first = self.followed(self.records.streams_of(pupil_id).journey_id)
        opens, numbers = self.opening(first), self.vault.exports([target.stream_id])

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            not_after = stamp.at + timedelta(days=DAYS)
            prepared = SafeguardingFilePrepared(
                **stamp.fresh(), transfer_id=self.records.new_id(), follows=first.transfer_id,
                not_after=not_after.date(),
            )  # fmt: skip
            details: dict[str, Any] = {
                **{name: first.details[name] for name in AS_BEFORE}, **numbering(numbers, target.stream_id),
                "kind": "safeguarding", "pupil_id": str(pupil_id), "not_after": not_after.isoformat(),
                "created": stamp.at.isoformat(), "recipients": [one.public.hex() for one in opens],
                "audiences": ["school"] * len(opens), "follows": str(first.transfer_id),
            }  # fmt: skip
            row = Transfer("out", prepared.transfer_id, target.stream_id, "prepared", stamp.at, details)
            events, answer = safeguarding.prepare_file(loaded[0], prepared), {"transfer_id": str(row.transfer_id)}
            return Decided([events], answer, also=lambda key: [self.vault.new_transfer(key, row)])

        made = self.records.change(ask, {"do": "safeguarding_file", "of": pupil_id}, [target], decide)
        return self.seal_all(ask, [UUID(made["transfer_id"])])[0]


def listed(rows: Sequence[Answer], of_the_dsl: bool) -> list[Answer]:
    """The transfers that somebody may see: those from DSL to DSL are for the DSL alone."""
    return [one for one in rows if of_the_dsl or one["kind"] != "safeguarding"]
