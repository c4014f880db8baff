"""Check everything stored of one school, saying what is wrong and where: every chain, leaf, column and position here,
the roots that were kept as the log grew (``covering``), and what stands around them (``surroundings``): grants, keys,
tiles, how far the views are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag

from astrack.store import mapper
from astrack.store.covering import Covering
from astrack.store.log import SchoolLog
from astrack.store.reading import Stored
from astrack.store.surroundings import check_surroundings
from astrack.store.types import Finding, KeyMissing
from domain.base import UnreadableFact, decode
from domain.school import ExportMade
from transfer.errors import TransferRefused
from transfer.evidence.chain import ZERO, commitment, entry, leaf

BATCH = 2_000
KEPT_FILES = ("school", "student")
"""Kinds of files that leave a row of their own."""


@dataclass(slots=True)
class _Walk:
    """What has been seen so far: the next position, each stream's next version and leaf, the time of the last entry,
    where each file left.
    """

    expected: int = 0
    heads: dict[UUID, tuple[int, bytes, str]] = field(default_factory=dict)
    last_at: object = None
    exports: dict[UUID, int] = field(default_factory=dict)


def check_store(
    log: SchoolLog, known: tuple[int, bytes] | None = None, moved: Callable[[], None] = lambda: None
) -> Iterator[Finding]:
    """Everything wrong in one school's log, in order of position. Never raises on a bad row.

    ``known`` is the size and root of a checkpoint that was published or kept elsewhere: the log must go on from it, so
    a restored backup that is older, or a log that was written anew, is found. ``moved`` is called after each entry.
    """
    walk, covering = _Walk(), Covering(log, known)
    yield from covering.begin()
    after = -1
    while rows := log.stored(after, BATCH):
        try:
            log.find_keys(rows)
        except KeyMissing as error:
            yield Finding(rows[0].position, str(error))
        for row in rows:
            yield from _check_row(log, walk, row)
            moved()
        yield from covering.take(rows)
        after = rows[-1].position
    yield from covering.end()
    yield from check_surroundings(log, covering.size, walk.exports)


def _check_row(log: SchoolLog, walk: _Walk, row: Stored) -> Iterator[Finding]:
    if row.position != walk.expected:
        yield Finding(row.position, f"position {walk.expected} is missing: the next one found is {row.position}")
    walk.expected = row.position + 1
    yield from _check_chain(walk, row)
    if row.recorded_at is not None:
        if walk.last_at is not None and row.recorded_at < walk.last_at:  # type: ignore[operator]
            yield Finding(row.position, "it was recorded before the entry in front of it")
        walk.last_at = row.recorded_at
    yield from (Finding(row.position, what) for what in _check_contents(log, walk, row))


def _check_chain(walk: _Walk, row: Stored) -> Iterator[Finding]:
    version, previous, kind = walk.heads.get(row.stream_id, (0, ZERO, ""))
    if row.version != version:
        yield Finding(row.position, f"stream {row.stream_id} goes on with version {row.version}, not {version}")
    if kind == "erasure":
        yield Finding(row.position, f"stream {row.stream_id} goes on after its erasure")
    walk.heads[row.stream_id] = (row.version + 1, row.leaf, row.kind)
    try:
        line = entry(row.kind, row.stream_id.bytes, row.version, previous, row.state[:32])
    except TransferRefused:
        yield Finding(row.position, "its columns do not make an entry")
        return
    if leaf(line) != row.leaf:
        yield Finding(row.position, "its leaf is not the one its entry and the leaf before it give")


def _check_contents(log: SchoolLog, walk: _Walk, row: Stored) -> Iterator[str]:
    named = mapper.key_named(row.state)
    if named is None:
        if len(row.state) != mapper.COMMITMENT_BYTES:
            yield "its state is neither sealed nor erased"
        return
    if log.ring.exactly(row.stream_id, *named) is None:
        yield f"its key (class {named[0]}, generation {named[1]}) is missing though it has not been erased"
        return
    try:
        opened = log.open_row(row)
    except InvalidTag:
        yield "it does not open: the state or one of its columns has been altered"
        return
    if opened is None:
        yield "its time is missing though it has not been erased"
        return
    yield from _check_payload(walk, row, *opened)


def _check_payload(walk: _Walk, row: Stored, salt: bytes, payload: bytes) -> Iterator[str]:
    if commitment(salt, payload) != row.state[: mapper.COMMITMENT_BYTES]:
        yield "its commitment does not open with its salt and payload"
    try:
        event = decode(payload)
    except UnreadableFact as error:
        yield f"its payload cannot be read: {error}"
        return
    if isinstance(event, ExportMade) and event.kind in KEPT_FILES:
        walk.exports[event.transfer_id] = row.position
    if event.recorded_at != row.recorded_at:
        yield "its column recorded_at differs from its payload"
    if b'{"topic":"' + row.topic.encode() + b'"' != payload[: len(row.topic.encode()) + 11]:
        yield "its column topic differs from its payload"
