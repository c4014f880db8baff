"""Going through a whole log as an auditor does: heads where they were taken, roots at marks, erasures counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from transfer import bundle
from transfer.bundle import HeadsOpened, Walk
from transfer.errors import BadChain, BadFile, BadHeads, TooLarge
from transfer.evidence import chain, merkle
from transfer.evidence.heads import Head, Heads

OWN = b"o" * 16


class Log:
    """A log that grows entry by entry, as a school's does."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.ends: dict[bytes, tuple[int, bytes]] = {}
        self.opened: list[HeadsOpened] = []

    def add(self, kind: str, stream: bytes, committed: bytes = bytes(32)) -> None:
        seq, prev = self.ends.get(stream, (-1, chain.ZERO))
        self.entries.append(chain.entry(kind, stream, seq + 1, prev, committed))
        self.ends[stream] = (seq + 1, chain.leaf(self.entries[-1]))

    def publish(self, streams: int | None = None, covers: int | None = None) -> None:
        heads = Heads(Head(stream, *end) for stream, end in self.ends.items() if stream != OWN)
        data = {
            "covers": len(self.entries) if covers is None else covers,
            "streams": heads.size if streams is None else streams,
            "root": heads.root.hex(),
        }
        payload = json.dumps({"topic": "school.heads-published.v1", "data": data}).encode()
        salt = hashlib.sha256(payload).digest()
        self.opened.append(HeadsOpened(len(self.entries), OWN, payload, salt))
        self.add("heads", OWN, chain.commitment(salt, payload))


def grown() -> Log:
    log = Log()
    for n in range(40):
        log.add("event", bytes([n % 7 + 1]) * 16)
        if n % 9 == 5:
            log.publish()
    log.add("erasure", b"\x03" * 16)
    log.publish()
    return log


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def walked(log: Log, size: int = 1000, marks: tuple[int, ...] = ()) -> Walk:
    walk = Walk(log.opened, marks)
    walk.take(bundle._lines(pieces(b"".join(log.entries), size)))
    return walk


@pytest.mark.parametrize("size", [1, 100, 142, 1 << 16])
def test_a_log_in_pieces_of_any_size_shows_the_same(size: int) -> None:
    log = grown()
    walk = walked(log, size)
    assert (walk.tree.size, walk.tree.root()) == (46, merkle.root(map(chain.leaf, log.entries)))
    assert dict(walk.kinds) == {"event": 40, "heads": 5, "erasure": 1}
    assert (walk.shown, walk.left, walk.erased) == (5, {}, {b"\x03" * 16: 6})
    assert len(walk.streams) == 8


def test_the_root_is_known_at_every_mark_that_the_log_reaches() -> None:
    log = grown()
    leaves = [chain.leaf(entry) for entry in log.entries]
    assert walked(log, 1 << 16, (0, 7, 46, 90)).roots == {size: merkle.root(leaves[:size]) for size in (0, 7, 46)}


def test_heads_that_count_a_stream_too_many_are_refused() -> None:
    log = grown()
    log.publish(streams=9)
    with pytest.raises(BadHeads):
        walked(log)


@pytest.mark.parametrize("covers", [3, 60])
def test_heads_said_to_be_of_another_moment_are_refused(covers: int) -> None:
    log = grown()
    log.publish(covers=covers)
    with pytest.raises(BadHeads):
        walked(log)


def test_heads_that_are_not_disclosed_are_refused() -> None:
    log = grown()
    log.opened.pop()
    with pytest.raises(BadHeads, match="disclosed"):
        walked(log)


def test_heads_may_be_late_as_long_as_they_are_right() -> None:
    log = grown()
    heads = Heads(Head(stream, *end) for stream, end in log.ends.items() if stream != OWN)
    covers = len(log.entries)
    log.add("event", b"\x09" * 16)
    data = {"covers": covers, "streams": heads.size, "root": heads.root.hex()}
    payload = json.dumps({"topic": "school.heads-published.v1", "data": data}).encode()
    log.opened.append(HeadsOpened(len(log.entries), OWN, payload, bytes(32)))
    log.add("heads", OWN, chain.commitment(bytes(32), payload))
    assert walked(log).shown == 6


def test_an_entry_after_an_erasure_is_refused() -> None:
    log = grown()
    log.add("event", b"\x03" * 16)
    with pytest.raises(BadChain):
        walked(log)


def test_a_log_that_ends_within_an_entry_is_refused() -> None:
    log = grown()
    log.entries[-1] = log.entries[-1][:-1]
    with pytest.raises(BadFile):
        walked(log)


def test_an_endless_line_is_refused() -> None:
    with pytest.raises(TooLarge):
        list(bundle._lines(pieces(b"a" * 2000, 100)))
