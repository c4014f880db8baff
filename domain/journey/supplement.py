"""Late facts: what is written down after a record was prepared for the next school goes after it, as a supplement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from domain.base import Event, Stamp
from domain.journey import decisions, outcomes
from domain.journey import facts as f
from domain.journey import refusals as no
from domain.journey.state import Custody, Journey, replay

KINDS: Mapping[str, Callable[..., list[Event]]] = {
    "look_at": decisions.look_at,
    "monitor_plan": decisions.monitor_plan,
    "close_plan": decisions.close_plan,
    "report_outcome": outcomes.report,
    "correct": decisions.correct,
}
"""What may be written down late: what staff saw and how it ended. No sitting, no sign, no new plan."""
LATE_MAX = 20


@dataclass(frozen=True, slots=True)
class Late:
    """One late fact: the verb it is decided by, and its arguments."""

    do: str
    arguments: Mapping[str, Any]


def supplement(
    told: Sequence[Event], stamp: Stamp, late: Sequence[Late], prepared: f.SupplementPrepared
) -> list[Event]:
    """The late facts, each decided as if the record were still held, and that they follow it; ``told``: its facts.

    What came here since the last file goes too, and may be all there is. Raises NotAfterwards, NothingLate, and what
    each fact's own decision raises.
    """
    journey = replay(told)
    if journey.custody not in (Custody.FROZEN, Custody.RELEASED):
        raise no.NotAfterwards("this record is held here: write it into the record itself, no supplement is needed")
    if not late and not _since(journey):
        raise no.NothingLate("nothing was written down since the last file: say what is to follow it")
    if len(late) > LATE_MAX or any(one.do not in KINDS for one in late):
        raise no.NothingLate(f"at most {LATE_MAX} late facts fit one supplement, each one of: {', '.join(KINDS)}")
    events: list[Event] = []
    for one in late:
        now = replace(replay([*told, *events]), custody=Custody.HELD)
        events += KINDS[one.do](now, stamp, **one.arguments)
    return [*events, prepared]


def _since(journey: Journey) -> bool:
    """Whether something came after the last file, other than that the receiver has it."""
    last = next((one for one in reversed(journey.events.values()) if not isinstance(one, f.CustodyReleased)), None)
    return last is not None and not isinstance(last, (f.TransferPrepared, f.SupplementPrepared))


def receive_supplement(journey: Journey, supplements: UUID, received: f.SupplementReceived) -> list[Event]:
    """Take in late facts to the record that came with another transfer; ``journey`` is as it was before them.

    Raises RecordNotHere, RecordFrozen.
    """
    came = (one.transfer_id for one in journey.events.values() if isinstance(one, f.RecordReceived))
    if supplements not in came:
        raise no.RecordNotHere("the record that this supplements is not here: take its own file in first")
    if journey.custody is Custody.FROZEN:
        raise no.RecordFrozen(
            "this record is being handed over from here: take the supplement in once the receipt has come"
        )
    return [received]
