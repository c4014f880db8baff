"""The audit bundle of a school's log, read from the store entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from astrack.handover import enclosed
from astrack.handover.proving import Published
from astrack.signing import origin_of
from astrack.store import SchoolLog
from domain.identity import SchoolName
from transfer import bundle, evidence, package
from transfer.bundle import HeadsOpened, LogParts
from transfer.evidence import chain
from transfer.manifest import Manifest, Omission, Sender

PAGE = 5000
HEADS = "SELECT position FROM record.events WHERE school_id = %s AND kind = 'heads' AND position < %s ORDER BY position"
ENTRIES = (
    "SELECT stream_id, version, kind, substring(state FROM 1 FOR 32), leaf, position FROM record.events"
    " WHERE school_id = %s AND position > %s AND position < %s ORDER BY position LIMIT %s"
)
CONTENTS = Omission("contents", "an audit bundle proves the log and tells nothing of any person")


def log_parts(log: SchoolLog, transfer_id: UUID, own: SchoolName, published: Published, at: datetime) -> LogParts:
    """What the bundle is made of, up to the published checkpoint."""
    origin = origin_of(own)
    folder = f"{package.EVIDENCE}{bundle.unit_of(origin)}/"
    members = {folder + evidence.CHECKPOINT: published.checkpoint, enclosed.README: enclosed.readme("audit")}
    members |= {folder + evidence.KEYS + name: data for name, data in published.documents}
    made = Manifest(
        transfer_id=transfer_id, kind="audit", created=at, not_after=None,
        sender=Sender(str(own.school_id), own.urn, own.lea, own.estab, own.name, origin), recipients=(),
        sources=(bundle.source_of(origin, published.size, published.root),), omissions=(CONTENTS,),
    )  # fmt: skip
    return LogParts(made, lambda: entries(log, published.size), list(heads(log, published.size)), members)


def heads(log: SchoolLog, size: int) -> Iterator[HeadsOpened]:
    """Each heads entry of the log, disclosed."""
    for (position,) in log.ask(HEADS, size):
        (row,) = log.rows(position - 1, 1)
        yield HeadsOpened(position, row.stream_id.bytes, row.payload or b"", row.salt)


def entries(log: SchoolLog, size: int) -> Iterator[bytes]:
    """The exact bytes of every entry, page by page; memory holds a page and the last leaf of each stream."""
    leaves: dict[UUID, bytes] = {}
    after = -1
    while rows := log.ask(ENTRIES, after, size, PAGE):
        for stream, version, kind, committed, leaf, _ in rows:
            yield chain.entry(kind, stream.bytes, version, leaves.get(stream, chain.ZERO), bytes(committed))
            leaves[stream] = bytes(leaf)
        after = rows[-1][5]
