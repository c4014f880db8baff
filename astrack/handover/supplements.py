"""Supplements: what was written down late follows the record to the school that it went to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from astrack.changing import Answer, Ask, Decided
from astrack.handover.base import numbering
from astrack.handover.sending import DAYS
from astrack.handover.student import Giving
from astrack.store.vault import Transfer
from domain.base import Event, Stamp
from domain.journey import facts, refusals, state, supplement
from domain.journey.supplement import Late
from transfer.age import Recipient
from transfer.errors import BadKeyDocument
from transfer.keys.directory import KeyDirectory

AS_BEFORE = ("kind", "lawful_basis", "consent_by", "protected", "accepted_on", "start_on", "to")
FOLLOWED = ("prepared", "sent", "collected", "acknowledged", "disputed")


class Supplementing(Giving):
    """Late facts, sent after a record."""

    def supplement(self, ask: Ask, pupil_id: UUID, late: Sequence[Late] = ()) -> Answer:
        """Write down late facts of a pupil whose record is with another school or on its way, and seal them for it.

        The file holds the whole story as it is now: the receiver takes in what it does not have. Raises NotAfterwards,
        NothingLate, BadKeyDocument, NoSuchPupil, and what each fact's own decision raises.
        """
        target = self.records.journey_of(pupil_id)
        first = self.followed(target.stream_id)
        opens, numbers = self.opening(first), self.vault.exports([target.stream_id])

        def decide(loaded: list[list[Event]], stamp: Stamp) -> Decided:
            not_after = stamp.at + timedelta(days=DAYS)
            prepared = facts.SupplementPrepared(
                **stamp.fresh(), transfer_id=self.records.new_id(), supplements=first.transfer_id,
                not_after=not_after.date(),
            )  # fmt: skip
            events = supplement.supplement(loaded[0], stamp, late, prepared)
            details = {
                **{name: first.details[name] for name in AS_BEFORE}, **numbering(numbers, target.stream_id),
                "pupil_id": str(pupil_id), "not_after": not_after.isoformat(), "created": stamp.at.isoformat(),
                "recipients": [one.public.hex() for one in opens], "audiences": ["school"] * len(opens),
                "year_group": state.replay(loaded[0]).year_group, "supplements": str(first.transfer_id),
            }  # fmt: skip
            row = Transfer("out", prepared.transfer_id, target.stream_id, "prepared", stamp.at, details)
            answer = {"transfer_id": str(row.transfer_id)}
            return Decided([events], answer, also=lambda key: [self.vault.new_transfer(key, row)])

        said = [{"do": one.do, **one.arguments} for one in late]
        made = self.records.change(ask, {"do": "supplement", "of": pupil_id, "late": said}, [target], decide)
        return self.seal_all(ask, [UUID(made["transfer_id"])])[0]

    def pupil_of(self, transfer_id: UUID) -> UUID:
        """The pupil whose record a transfer from here holds. Raises NoSuchTransfer."""
        row = self.vault.transfer("out", transfer_id)
        if row is None or not row.details.get("pupil_id"):
            raise self.unknown(transfer_id)
        return UUID(row.details["pupil_id"])

    def followed(self, stream_id: UUID) -> Transfer:
        """The transfer that something follows: the last that took the record itself. Raises NotAfterwards."""
        rows = [one for one in self.vault.transfers(stream_id=stream_id) if one.details.get("kind") == "school"]
        sent = (one for one in rows if one.direction == "out" and not one.details.get("supplements"))
        first = next((one for one in sent if one.state in FOLLOWED), None)
        if first is None:
            raise refusals.NotAfterwards("this record was not sent to another school: write it into the record itself")
        if first.details["protected"]:
            raise refusals.NotAfterwards(
                "a protected move has no supplement, which would tell what it follows: ring the other school's DSL"
            )
        return first

    def opening(self, first: Transfer) -> list[Recipient]:
        """The keys of the school a record went to, as they are now. Raises BadKeyDocument."""
        to: dict[str, Any] = first.details["to"]
        known = KeyDirectory.load(self.vault.pinned()).pinned.get(to["origin"], ())
        opens = known[-1].document.recipients_at(self.clock()) if known else ()
        if not opens:
            raise BadKeyDocument("no key of it is known that is valid now", f"the key document of {to['name']}",
                                 "Ask that school for its newest key document, and take it in.")  # fmt: skip
        return list(opens)
