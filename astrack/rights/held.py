"""Everything held about one pupil, item by item, so that a person can say of each whether it is given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import set_json_loads
from pydantic_core import from_json

from astrack.access.looks import Looks
from astrack.app import App
from astrack.records import Records
from astrack.store.vault import Vault
from domain.base import Event, Fact
from domain.rights.requests import Request

LOOKS_MAX = 5_000
SIGN_INS = (
    "SELECT kind, made_at, expires_at, used_at FROM record.credentials"
    " WHERE school_id = %s AND %s IN (account_id, about) ORDER BY made_at LIMIT 1000"
)
DRAFTS = "SELECT draft_id FROM record.drafts WHERE school_id = %s AND stream_id = %s ORDER BY draft_id LIMIT 100"
HIDDEN_LOOKS = "looks:not-shown"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing held. ``item`` names it for good; ``group`` is where it stands in the copy.

    ``careful``: kept back unless a second person has looked at it (shared field guide, section 4).
    """

    item: str
    group: str
    at: datetime | None
    title: str
    content: Any
    careful: bool = False


def everything(app: App, looks: Looks, records: Records, pupil_id: UUID) -> list[Item]:
    """All that is held about a pupil. Raises NoSuchPupil."""
    return [
        *_facts(records, pupil_id),
        *_glasses(records, pupil_id),
        *_looks(looks, records, pupil_id),
        *_drafts(records, pupil_id),
        *_transfers(records, pupil_id),
        *_sign_ins(records, pupil_id),
        *_worked_out(app, records, pupil_id),
    ]


def undecided(items: Iterable[Item], request: Request) -> list[Item]:
    """Those careful items that nobody has proposed to keep back or to give."""
    return [one for one in items if one.careful and one.item not in request.withheld]


def _facts(records: Records, pupil_id: UUID) -> Iterator[Item]:
    own = records.streams_of(pupil_id)
    groups = {own.journey_id: "story", own.identity_id: "identity", own.safeguarding_id: "safeguarding"}
    for stream in sorted(
        records.streams_about(pupil_id), key=lambda one: list(groups).index(one) if one in groups else 9
    ):
        group = groups.get(stream, "requests")
        for fact in records.log.load(stream).facts:
            yield _fact(fact, group, careful=group == "safeguarding")


def _fact(fact: Fact, group: str, *, careful: bool) -> Item:
    event = fact.event
    content = {
        **event.model_dump(mode="json", exclude={"by"}),
        "by": event.by.role,
        "from": fact.origin or "this school",
    }
    return Item(f"fact:{event.event_id}", group, event.recorded_at, _told(event), content, careful)


def _glasses(records: Records, pupil_id: UUID) -> Iterator[Item]:
    for state in records.staff_states(records.staff_ids()):
        for glass in state.glasses.values():
            if glass.pupil_id == pupil_id:
                content = {"reason": glass.reason, "until": glass.until}
                yield Item(f"glass:{glass.glass_id}", "looks", glass.recorded_at, _told(glass), content, careful=True)


def _looks(looks: Looks, records: Records, pupil_id: UUID) -> Iterator[Item]:
    found = looks.of_pupil(records.school_id, pupil_id, LOOKS_MAX, for_pupil=False)
    lines: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for one in found:
        line = {"at": one.at, "role": one.role, "what": one.field_class, "why": one.purpose}
        lines[one.shown].append(line)
    yield Item(
        "looks:shown", "looks", None, "Who looked at this record: in which role, when, and what for.", lines[True]
    )
    if lines[False]:
        title = "Looks by those who keep pupils safe, and looks for an exceptional reason."
        yield Item(HIDDEN_LOOKS, "looks", None, title, lines[False], careful=True)


def _drafts(records: Records, pupil_id: UUID) -> Iterator[Item]:
    for (draft_id,) in records.log.ask(DRAFTS, records.streams_of(pupil_id).journey_id):
        content = (records.log.load_draft(draft_id) or b"").decode("utf-8", "replace")
        yield Item(f"draft:{draft_id}", "story", None, "A sitting that was begun and not handed in.", content)


def _transfers(records: Records, pupil_id: UUID) -> Iterator[Item]:
    vault = Vault(records.log)
    for one in vault.transfers(stream_id=records.streams_of(pupil_id).journey_id):
        shown = ("kind", "lawful_basis", "consent_by", "created", "not_after")
        content = {"direction": one.direction, "state": one.state, **{name: one.details.get(name) for name in shown}}
        yield Item(
            f"transfer:{one.transfer_id}", "transfers", one.at, "This record was sealed for somebody else.", content
        )


def _sign_ins(records: Records, pupil_id: UUID) -> Iterator[Item]:
    rows = records.log.ask(SIGN_INS, pupil_id)
    if rows:
        content = [dict(zip(("kind", "made_at", "expires_at", "used_at"), row, strict=True)) for row in rows]
        yield Item("sign_ins:made", "sign-in", None, "Cards and letters made to sign in with.", content)


def _worked_out(app: App, records: Records, pupil_id: UUID) -> Iterator[Item]:
    """What the service reckons from the facts: levels, risks, lists. It is profiling, and part of what is held."""
    app.views.catch_up(records.school_id)
    with app.views.reading(records.school_id) as cur:
        set_json_loads(from_json, cur)
        for one in app.views.projections:
            if "pupil_id" not in one.columns:
                continue
            cur.execute(
                f"SELECT to_jsonb(t) - 'school_id' - 'pupil_id' FROM {one.table} t"
                " WHERE school_id = %s AND pupil_id = %s LIMIT 5000",
                (records.school_id, pupil_id),
            )
            rows = [row for (row,) in cur]
            if rows:
                title = (
                    f"Worked out from the entries above, for the pages of the service: {one.name.replace('_', ' ')}."
                )
                yield Item(f"view:{one.name.replace('_', '-')}", "worked out", None, title, rows)


def _told(event: Event) -> str:
    return (type(event).__doc__ or "").split("\n")[0].strip()


def as_json(items: Iterable[Item]) -> bytes:
    """The items as indented JSON."""
    listed = [
        {"item": one.item, "group": one.group, "at": one.at, "what": one.title, "content": one.content} for one in items
    ]
    return json.dumps(listed, ensure_ascii=False, indent=1, default=str).encode()
