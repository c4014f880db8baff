"""The protected move: a story restated so that no byte of it tells which school or name came before (FORMAT.md, 9)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from astrack.handover import enclosed
from astrack.handover.outgoing import Order, SealedFile, manifest_of, sealed, shown
from astrack.handover.proving import heads_shown
from astrack.handover.withholding import of_the_dsl
from astrack.signing import OwnKeys
from astrack.store.types import Row
from domain.base import TOPICS, Actor, encode
from domain.school import HeadsPublished
from transfer import package, story
from transfer.age import Identity
from transfer.evidence import Unit, chain, merkle, note
from transfer.evidence.checkpoint import Checkpoint
from transfer.evidence.heads import Head, Heads
from transfer.keys import issue as keyissue
from transfer.keys.document import School, fingerprint_words
from transfer.keys.signing import Purpose, SigningKeys
from transfer.manifest import Omission, Sender
from transfer.package import Parts
from transfer.story import Line

ORIGIN = "withheld.invalid/"
NOBODY_ID = UUID(int=0)
NOBODY = str(NOBODY_ID)
VALID = timedelta(days=400)
CUSTODY = ("journey.transfer-prepared.v1", "journey.custody-released.v1", "journey.transfer-withdrawn.v1",
           "journey.record-received.v1", "journey.ownership-passed.v1", "journey.supplement-prepared.v1",
           "journey.supplement-received.v1")  # fmt: skip
BLANK: dict[str, Any] = {
    "note": "", "goal": "", "why": "", "own_strategies": [], "groups": [], "round_id": None, "owner_id": NOBODY,
    "group_plan_id": None, "to_school_id": None, "from_school_id": None, "consent_by": "",
}  # fmt: skip
WITHHELD = (
    Omission("provenance", "provenance withheld by law"),
    Omission("identity", "names and numbers of before are withheld by law"),
    Omission("names of staff, groups, rounds and free text", "they could tell which school came before"),
    Omission("earlier hand-overs", "they could tell that and where the pupil was before"),
)


@dataclass(slots=True)
class _Restating:
    """Stand-ins: the same random one for the same thing throughout."""

    transfer_id: UUID
    new_id: Callable[[], UUID] = uuid4
    schools: dict[str, str] = field(default_factory=dict)

    def fact(self, payload: bytes) -> bytes | None:
        """The payload without what could tell; None when the whole fact could."""
        fact = json.loads(payload)
        data, topic = fact["data"], fact["topic"]
        mine = topic == CUSTODY[0] and data.get("transfer_id") == str(self.transfer_id)
        if topic not in TOPICS or of_the_dsl(payload) or (topic in CUSTODY and not mine):
            return None
        fact["by"] = {"id": NOBODY, "role": fact["by"]["role"]}
        fact["data"] = self._fields(data)
        if "changes" in data:
            fact["data"]["changes"] = self._fields(data["changes"])
        return json.dumps(fact, ensure_ascii=False, separators=(",", ":")).encode()

    def _fields(self, data: dict[str, Any]) -> dict[str, Any]:
        made = {name: BLANK.get(name, value) for name, value in data.items()}
        if "school_id" in made:
            made["school_id"] = self.schools.setdefault(made["school_id"], str(self.new_id()))
        return made


def seal(order: Order, rows: Sequence[Row], at: datetime) -> tuple[SealedFile, str]:
    """(the sealed file of a protected move, the eight words of its one-off key)."""
    restating = _Restating(order.transfer_id)
    inner = (chain.innermost(row.payload)[1] for row in rows if row.payload is not None)
    payloads = [told for payload in inner if (told := restating.fact(payload)) is not None]
    keys = one_off_keys(at)
    unit, lines = log_of_its_own(payloads, keys, at)
    threads = story.threads_of(unit.origin, unit.indexes, lines)
    members, omissions = enclosed.enclosed(payloads)
    members[enclosed.README] = enclosed.readme("school")
    sender = Sender("", "", "", "", "", unit.origin)
    source = package.source_of(shown(unit, threads))
    made = manifest_of(order, sender, [source], (*WITHHELD, *omissions))
    words = " ".join(fingerprint_words(keys.signed.document))
    return sealed(order, Parts(made, lines, [unit], members), keys), words


def one_off_keys(at: datetime) -> OwnKeys:
    """Keys for one file, of a school that nothing names."""
    signing = SigningKeys.draw(os.urandom)
    signed = keyissue.first_document(School(name=""), f"{ORIGIN}{uuid4()}", signing, [], at, at + VALID)
    return OwnKeys(signing, Identity(os.urandom(32)), signed)


def log_of_its_own(payloads: Iterable[bytes], keys: OwnKeys, at: datetime) -> tuple[Unit, list[Line]]:
    """A fresh log that holds these payloads as one stream, then its heads; the evidence for it, and its lines."""
    stream = uuid4().bytes
    lines = list(_chained(stream, "event", payloads))
    leaves = [chain.leaf(line.entry) for line in lines]
    heads = Heads([Head(stream, len(lines) - 1, leaves[-1])])
    (published,) = _chained(uuid4().bytes, "heads", [_heads_payload(len(lines), heads, at)])
    leaves.append(chain.leaf(published.entry))
    origin = keys.signed.document.origin
    head = Checkpoint(origin, len(leaves), merkle.root(leaves))
    signed = bytes(note.sign(head.text, keys.signers(Purpose.CHECKPOINT), int(at.timestamp())))
    row = Row(
        len(lines),
        UUID(bytes=stream),
        0,
        "heads",
        published.entry,
        published.salt or b"",
        published.payload,
        leaves[-1],
    )
    indexes = tuple(range(len(lines)))
    documents = (("000001", bytes(keys.signed)),)
    return Unit(origin, stream, signed, indexes, (), heads_shown(row, heads, stream), documents), lines


def _chained(stream: bytes, kind: str, payloads: Iterable[bytes]) -> Iterable[Line]:
    previous = chain.ZERO
    for seq, payload in enumerate(payloads):
        salt = os.urandom(chain.SALT_BYTES)
        entry = chain.entry(kind, stream, seq, previous, chain.commitment(salt, payload))
        previous = chain.leaf(entry)
        yield Line(entry, payload, salt)


def _heads_payload(covers: int, heads: Heads, at: datetime) -> bytes:
    by = Actor(id=NOBODY_ID, role="withheld")
    return encode(
        HeadsPublished(
            event_id=uuid4(), recorded_at=at, by=by, covers=covers, streams=heads.size, root=heads.root.hex()
        )
    )
