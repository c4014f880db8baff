"""Entries in their one encoding, commitments, and streams whose entries must follow one another."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.errors import BadChain, BadEntry
from transfer.evidence import chain

ENTRY = chain.entry("event", b"s" * 16, 3, b"\x01" * 32, b"\x02" * 32)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=400))
def test_a_commitment_is_hmac_sha256_of_label_and_payload(salt: bytes, payload: bytes) -> None:
    assert chain.commitment(salt, payload) == hmac.digest(salt, b"astrack/commit/v1\0" + payload, "sha256")


@given(
    st.sampled_from(chain.KINDS),
    st.binary(min_size=1, max_size=64),
    st.integers(1, chain.MAX_SEQ),
    st.binary(min_size=32, max_size=32).filter(any),
    st.binary(min_size=32, max_size=32),
)
def test_an_entry_comes_back_as_it_was_written(
    kind: str, stream: bytes, seq: int, prev: bytes, committed: bytes
) -> None:
    assert chain.parse_entry(chain.entry(kind, stream, seq, prev, committed)) == (kind, stream, seq, prev, committed)


@given(st.integers(0, len(ENTRY) - 1), st.integers(1, 255))
def test_a_changed_entry_is_refused_or_is_another_entry(index: int, flip: int) -> None:
    changed = bytearray(ENTRY)
    changed[index] ^= flip
    try:
        parsed = chain.parse_entry(bytes(changed))
    except BadEntry:
        return
    assert chain.entry(*parsed) == bytes(changed) != ENTRY


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e[:-1],
        lambda e: e + b"\n",
        lambda e: e.replace(b"v1", b"v2"),
        lambda e: e.replace(b"event", b"Event"),
        lambda e: e.replace(b"\n3\n", b"\n03\n"),
        lambda e: e.replace(b"\n3\n", b"\n0\n"),
        lambda e: e.replace(b"\n3\n", b"\n-3\n"),
        lambda e: e.replace(b"\n3\n", b"\n9223372036854775808\n"),
        lambda e: e.replace(b"AQEBAQE=", b"AQEBAQF="),
        lambda e: e.replace(b"AgICAgI=", b"AgICAgJ="),
        lambda e: e.replace(chain.b64(b"\x01" * 32).encode(), chain.b64(bytes(32)).encode()),
        lambda e: e.replace(chain.b64(b"s" * 16).encode(), b""),
        lambda e: e.replace(chain.b64(b"s" * 16).encode(), chain.b64(b"s" * 65).encode()),
        lambda e: e.replace(b"zcw==", b"zcx=="),
        lambda e: e.replace(b"\n", b"\r\n"),
    ],
)
def test_an_entry_in_any_other_encoding_is_refused(change: Callable[[bytes], bytes]) -> None:
    assert change(ENTRY) != ENTRY
    with pytest.raises(BadEntry):
        chain.parse_entry(change(ENTRY))


def log(*kinds: str) -> list[bytes]:
    """Entries of two streams in turn."""
    ends: dict[bytes, tuple[int, bytes]] = {}
    entries = []
    for n, kind in enumerate(kinds):
        stream = b"ab"[n % 2 : n % 2 + 1] * 16
        seq, prev = ends.get(stream, (-1, chain.ZERO))
        entries.append(chain.entry(kind, stream, seq + 1, prev, bytes([n]) * 32))
        ends[stream] = (seq + 1, chain.leaf(entries[-1]))
    return entries


def lines(entries: list[bytes]) -> list[bytes]:
    return b"".join(entries).split(b"\n")[:-1]


GOOD = log("event", "import", "event", "heads", "event", "erasure")


def test_streams_that_follow_are_taken_and_their_ends_known() -> None:
    streams = chain.Streams()
    kinds, leaves = streams.follow(lines(GOOD[:2]))
    more, rest = streams.follow(lines(GOOD[2:]))
    assert kinds + more == [b"event", b"import", b"event", b"heads", b"event", b"erasure"]
    assert leaves + rest == [chain.leaf(entry) for entry in GOOD]
    assert {s: (n, leaf) for s, n, leaf in streams.ends()} == {
        b"a" * 16: (2, chain.leaf(GOOD[4])),
        b"b" * 16: (2, chain.leaf(GOOD[5])),
    }
    assert (streams.count, len(streams)) == (6, 2)


@pytest.mark.parametrize(
    "bad",
    [
        GOOD[1:3],
        [GOOD[0], GOOD[4]],
        [GOOD[0], GOOD[0]],
        [GOOD[0], GOOD[2].replace(b"\n1\n", b"\n2\n")],
        [*GOOD, log(*["event"] * 8)[7]],
        [*GOOD, chain.entry("event", b"b" * 16, 3, chain.leaf(GOOD[5]), bytes(32))],
    ],
    ids=["first is missing", "one is missing", "twice", "number", "another history", "after erasure"],
)
def test_an_entry_that_does_not_follow_is_refused(bad: list[bytes]) -> None:
    with pytest.raises(BadChain):
        chain.Streams().follow(lines(bad))


@pytest.mark.parametrize(
    "change", [(b"v1", b"v2"), (b"\nevent\n", b"\nevenT\n"), (b"AgI=\n", b"AgJ=\n"), (b"\n1\n", b"\n01\n")]
)
def test_a_later_entry_in_another_encoding_is_refused(change: tuple[bytes, bytes]) -> None:
    first, _, third = GOOD[:3]
    assert third.replace(*change) != third
    with pytest.raises(BadEntry):
        chain.Streams().follow(lines([first, third.replace(*change)]))


def test_half_an_entry_is_refused() -> None:
    with pytest.raises(BadEntry):
        chain.Streams().follow(lines(GOOD)[:-1])
