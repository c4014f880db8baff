"""Who is told by machine that something has happened: an address and some kinds of facts, never what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass
from domain.journey.facts import CustodyReleased, PupilEnrolled, PupilLeft, PupilRegrouped, RecordReceived
from domain.journey.facts import TransferPrepared as Prepared
from domain.round import RoundClosed, RoundOpened
from domain.staff import RoleGranted, RoleWithdrawn, StaffAdded, StaffLeft

KindName = Literal[
    "pupil-enrolled", "pupil-regrouped", "pupil-left", "round-opened", "round-closed", "transfer-prepared",
    "record-released", "record-received", "staff-added", "staff-left", "role-granted", "role-withdrawn",
]  # fmt: skip
KINDS: Mapping[KindName, type[Event]] = {
    "pupil-enrolled": PupilEnrolled,
    "pupil-regrouped": PupilRegrouped,
    "pupil-left": PupilLeft,
    "round-opened": RoundOpened,
    "round-closed": RoundClosed,
    "transfer-prepared": Prepared,
    "record-released": CustodyReleased,
    "record-received": RecordReceived,
    "staff-added": StaffAdded,
    "staff-left": StaffLeft,
    "role-granted": RoleGranted,
    "role-withdrawn": RoleWithdrawn,
}
"""What can be told. Nothing of a pupil's story: that a sign was raised or a plan opened is content."""
WEBHOOKS_MAX = 20


class WebhookUnknown(DomainError):
    """Nothing is sent under this id, or no longer."""


class WebhooksFull(DomainError):
    """A school has as many addresses that are told as it may have."""


class KindsMissing(DomainError):
    """An address must be told of one kind of fact at least."""


class WebhookAdded(Event):
    """An address outside is told from now on when facts of some kinds were recorded, and of nothing they say."""

    TOPIC: ClassVar[str] = "school.webhook-added.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    webhook_id: UUID
    address: Annotated[str, Field(min_length=1, max_length=300)]
    kinds: Annotated[tuple[str, ...], Field(min_length=1, max_length=40)]


class WebhookEnded(Event):
    """An address outside is told nothing more."""

    TOPIC: ClassVar[str] = "school.webhook-ended.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    webhook_id: UUID


Webhooks = dict[UUID, WebhookAdded]


def replay(events: Iterable[Event]) -> Webhooks:
    """The addresses that are told, by id, after these facts."""
    told: Webhooks = {}
    for event in events:
        if isinstance(event, WebhookAdded):
            told[event.webhook_id] = event
        elif isinstance(event, WebhookEnded):
            told.pop(event.webhook_id, None)
    return told


def add(told: Webhooks, stamp: Stamp, *, webhook_id: UUID, address: str, kinds: Sequence[str]) -> list[Event]:
    """Tell an address from now on. Raises KindsMissing, WebhooksFull."""
    chosen = tuple(one for one in get_args(KindName) if one in kinds)
    if not chosen or set(kinds) - set(chosen):
        raise KindsMissing(f"say which kinds of facts the address is told of: {', '.join(KINDS)}")
    if len(told) >= WEBHOOKS_MAX and webhook_id not in told:
        raise WebhooksFull(f"{WEBHOOKS_MAX} addresses are told already: end one first")
    return [WebhookAdded(**stamp.fresh(), webhook_id=webhook_id, address=address, kinds=chosen)]


def end(told: Webhooks, stamp: Stamp, webhook_id: UUID) -> list[Event]:
    """Tell an address nothing more. Raises WebhookUnknown."""
    if webhook_id not in told:
        raise WebhookUnknown("no address is told under this id: see the list of webhooks")
    return [WebhookEnded(**stamp.fresh(), webhook_id=webhook_id)]
