"""Random bytes for salts and nonces, taken from the system by the block.

os.urandom lets go of the interpreter's lock: with eight threads each call costs a change of threads, and an event
needs two. Keys do not come from here.
"""

from __future__ import annotations

import os

BLOCKS = 128
_ready: dict[int, list[bytes]] = {}
# a child must not hand out what its parent also holds
os.register_at_fork(after_in_child=_ready.clear)


def fresh_bytes(size: int) -> bytes:
    """``size`` random bytes that nobody else is given; safe between threads and after a fork."""
    ready = _ready.get(size)
    if ready is None:
        ready = _ready.setdefault(size, [])
    try:
        return ready.pop()  # one step under the interpreter's lock: no two threads get the same
    except IndexError:
        block = os.urandom(size * BLOCKS)
        ready.extend(block[start : start + size] for start in range(size, len(block), size))
        return block[:size]
